// Package uposapi serves the UnifiedPOS objects to programs in other processes (/upos/v1, docs/api/upos.md): instances
// with a lease, their properties, methods and events. It translates; every rule of the standard is in package upos.
package uposapi

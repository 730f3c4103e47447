// Package uposclient speaks to the UnifiedPOS objects of a running coffer over HTTP (docs/api/upos.md): it opens, claims
// and enables them, reads and writes properties, calls methods and receives events, each exactly once and in order, also
// over a lost connection. It shares no code with the server.
package uposclient

// Package ops is what operators and their tools ask of a running coffer: whether it lives (/healthz) and may be given
// work (/readyz), its figures (/metrics), the documents of its APIs (/openapi/), and the machines it drives with the
// frames on their lines (/devices/v1). Contract, section 5.
package ops

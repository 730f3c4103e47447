// Package journalapi shows the ledger to programs: its entries, its balance, each new row as it is written, and the
// operations that a person still has to settle.
//
// Paths, parameters and forms are those of the contract, sections 5 (/journal/v1) and 6. It reads the ledger and moves
// nothing itself; settling is handed on. Who may call is decided by whoever wraps the routes.
package journalapi

// Package journal is the ledger: every piece of money that moved, on disk before anybody is told.
//
// It is one SQLite file, DATA_DIR/journal.db, that one process writes (it holds DATA_DIR/lock) and any number read.
// Rows are only ever added; each carries a hash over the row before it, so that a row changed, taken out or put in
// later is found by Verify (hash.go says how to compute it with any tool). Whoever can write the file can also compute
// a whole new chain: keep an export elsewhere where that matters.
//
// Write and Begin return when their transaction is on the disk, or with an error when nothing of it is. Callers that
// wait at the same time share one commit. Every error wraps cash.ErrJournal and says what to do, cash.ErrKeySeen apart;
// a disk that recovers needs no restart. What a row may say stands in docs of the contract: kinds, places and the
// export form are those of its section 6, and export.go is the only place that prints them.
package journal

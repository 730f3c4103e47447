// Package till is the only code that moves money: it pays out, floats and empties, takes what the machines report into
// the ledger, and sets the ledger right against a machine's own books after anything went wrong.
//
// Rules it keeps: an intent is on disk before its command goes out; a piece is on disk before the machine is told
// "seen" and before anyone else hears of it; an outcome that nobody can know is written as unknown and never repeated;
// what machine and ledger disagree about becomes a discrepancy row, never a guess. The reasoning over a machine's books
// is the pure function Reconcile. See docs/architecture.md.
package till

// Package bus remembers what the machines and the till have reported, so that every API can read all of it, in order,
// at its own pace.
//
// It is a bounded log in memory. A reader is a Cursor: a position of its own, without a goroutine, so that no reader
// takes an event from another and none can hold up the writer. A cursor that falls behind is told so (cash.ErrGap) and
// starts over from a snapshot and the ledger. See docs/architecture.md.
package bus

// Package upos shows cash machines as UnifiedPOS objects, release 1.16 (for the cash classes equal to 1.11): CashChanger,
// BillAcceptor, CoinAcceptor, BillDispenser, CoinDispenser and CashDrawer, with the life cycle, claims, event queues,
// result codes and deposit cycle of the standard. It knows nothing of wires: what moves money is a Mechanism.
//
// A Service has the configured devices; a Handle is one instance that an application has open. Get, Set and Call take
// members by their names of the standard; which there are, and what must come before them, is the table in members.go,
// and the numbers are in codes.go, both made from the files in testdata. Whether a member may be used now is decided in
// one place (Handle.allowed), how it is done stands in the tables getters, setters and methods. Next and Ack hand out
// the events, one at a time.
//
// One mutex guards everything, and is free while a machine works and while an application has an event, so a handler may
// call anything.
package upos

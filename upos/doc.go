// Package upos shows cash machines as UnifiedPOS objects, release 1.16 (for the cash classes equal to 1.11): CashChanger,
// BillAcceptor, CoinAcceptor, BillDispenser, CoinDispenser and CashDrawer, with the life cycle, claims, event queues,
// result codes and deposit cycle of the standard. It knows nothing of wires: what moves money is a Mechanism.
package upos

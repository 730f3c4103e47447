package cashdevice

import "coffer/internal/cash"

// multiEscrowNames are the events of specs/itl-rest.md §6.3. The beginning of a cancellation, of whose name the manual
// leaves a doubt, is not told.
var multiEscrowNames = map[cash.MultiEscrowStep]string{
	cash.EscrowCommitting: "MULTIESCROW_COMMITTING", cash.EscrowCommitted: "MULTIESCROW_COMMITTED",
	cash.EscrowCancelled: "MULTIESCROW_CANCELLED", cash.EscrowCommitIncomplete: "MULTIESCROW_INCOMPLETE_COMMIT",
	cash.EscrowCancelIncomplete: "MULTIESCROW_INCOMPLETE_CANCEL",
}

// multiEscrow tells what becomes of the notes of a multi escrow. ESCROW told of each note; between the beginning and the
// end of a commit their places are not told one by one (§6.8).
func (s *story) multiEscrow(e cash.MultiEscrow) {
	s.committing = e.Step == cash.EscrowCommitting
	if name, told := multiEscrowNames[e.Step]; told {
		s.money(name, e.Amount.Value, 0, e.Amount.Currency)
	}
}

var replenishNames = map[cash.ReplenishStep]string{
	cash.ReplenishStored: "REPLENISH_STORED", cash.ReplenishTray: "REPLENISH_SENT_TO_RC_TRAY",
	cash.CassetteRemoved: "REPLENISH_CASSETTE_REMOVED", cash.CassetteReplaced: "REPLENISH_CASSETTE_REPLACE",
	cash.CassetteFull: "REPLENISH_CASSETTE_FULL",
}

// replenish tells what a replenishment cassette does (§6.4).
func (s *story) replenish(e cash.Replenish) {
	name := replenishNames[e.Step]
	if s.op != nil && s.op.kind == opReplenish && e.Step == cash.ReplenishStored {
		s.op.total = cash.Amount{Value: s.op.total.Value + e.Amount.Value, Currency: e.Amount.Currency}
	}
	s.add(true, "ReplenishEventResponse", member{"stateAsString", name}, member{"message", "Replenish event: " + name})
}

package till

import "coffer/internal/cash"

var (
	hold500  = row(cash.KindHold, 500, 1, cash.Customer, cash.Escrow)
	hold2000 = row(cash.KindHold, 2000, 1, cash.Customer, cash.Escrow)
)

// heldCases: several notes were held in the store (ssp.md §16.3). Levels and counters have them from the commit on.
var heldCases = []reconcileCase{
	{
		name:   "several held, all given back",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 0, 0, 0, 0, 3),
		rows:  []cash.Line{hold500, hold2000, hold500},
		lines: []string{"return 1x500 escrow>customer", "return 1x500 escrow>customer", "return 1x2000 escrow>customer"},
		told:  []string{"NoteReturned", "NoteReturned", "NoteReturned"},
	},
	{
		name:   "several held, all taken, and nothing told",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 6, 2000, 1), 0, 3, 0, 0, 0),
		rows:  []cash.Line{hold500, hold2000, hold500},
		lines: []string{"credit 1x500 escrow>payout", "credit 1x500 escrow>payout", "credit 1x2000 escrow>payout"},
		told:  []string{"NoteCredited", "NotePlaced", "NoteCredited", "NotePlaced", "NoteCredited", "NotePlaced"},
	},
	{
		name:   "several held, the power went in the middle of the commit",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4, 2000, 1), 0, 1, 0, 0, 1),
		rows:  []cash.Line{hold500, hold2000},
		lines: []string{"credit 1x2000 escrow>payout", "return 1x500 escrow>customer"},
		told:  []string{"NoteCredited", "NotePlaced", "NoteReturned"},
	},
	{
		name:   "several held, one booked, one told, one in the level alone",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 5, 1000, 1, 2000, 1), 0, 3, 0, 0, 0),
		rows: []cash.Line{hold500, hold2000, row(cash.KindHold, 1000, 1, cash.Customer, cash.Escrow),
			row(cash.KindCredit, 500, 1, cash.Escrow, cash.Payout)},
		evidence: []cash.Event{credited(2000, cash.Payout)},
		lines:    []string{"credit 1x1000 escrow>payout", "credit 1x2000 escrow>payout"},
		told:     []string{"NoteCredited", "NotePlaced", "NoteCredited", "NotePlaced"},
	},
	{
		name:   "several held, the credit that was booked comes again",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 6), 0, 2, 0, 0, 0),
		rows:  []cash.Line{hold500, hold500, row(cash.KindCredit, 500, 1, cash.Escrow, cash.Payout)},
		again: []cash.Event{credited(500, cash.Payout)},
		lines: []string{"credit 1x500 escrow>payout"}, told: []string{"NoteCredited", "NotePlaced"},
	},
	{
		name:   "several held, given back at power-up in the middle of a cancellation",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 0, 0, 0, 0, 2),
		rows:     []cash.Line{hold500, hold2000},
		evidence: []cash.Event{cleared(2000, cash.Customer, cash.Customer)},
		lines:    []string{"return 1x500 escrow>customer", "return 1x2000 escrow>customer"},
		told:     []string{"ClearedAtPowerUp", "NoteReturned", "NoteReturned"},
	},
	{
		name:   "several held while counters are missing, all taken",
		before: cash.Account{Serial: "1", Levels: pieces(500, 4)}, now: cash.Account{Serial: "1", Levels: pieces(500, 5, 2000, 1)},
		rows:  []cash.Line{hold500, hold2000},
		lines: []string{"credit 1x500 escrow>payout", "credit 1x2000 escrow>payout"},
		told:  []string{"NoteCredited", "NotePlaced", "NoteCredited", "NotePlaced"},
	},
}

package till

import "coffer/internal/cash"

// reconcileCase starts from a ledger that agrees with before, plus rows; the machine then says now.
type reconcileCase struct {
	name     string
	before   cash.Account
	cashbox  cash.Counts
	rows     []cash.Line
	op       *cash.Op
	evidence []cash.Event
	again    []cash.Event // evidence that may be a repetition
	now      cash.Account
	starting bool

	lines  []string
	closed string // "result: paid" of the operation
	told   []string
}

// Note counters: stacked, stored, dispensed, transferred, rejected.
var noteCases = []reconcileCase{
	{name: "nothing happened", before: notes(pieces(500, 4), 7, 7, 7, 7, 7), now: notes(pieces(500, 4), 7, 7, 7, 7, 7)},
	{name: "a reject", before: notes(pieces(500, 4), 7, 7, 7, 7, 7), now: notes(pieces(500, 4), 7, 7, 7, 7, 8)},
	{
		name:   "a lost credit that was stored, from the level alone",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 5), 0, 1, 0, 0, 0),
		lines: []string{"credit 1x500 customer>payout"}, told: []string{"NoteCredited", "NotePlaced"},
	},
	{
		name:   "a lost credit of the held note that was stored",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 5), 0, 1, 0, 0, 0),
		rows:  []cash.Line{row(cash.KindHold, 500, 1, cash.Customer, cash.Escrow)},
		lines: []string{"credit 1x500 escrow>payout"}, told: []string{"NoteCredited", "NotePlaced"},
	},
	{
		name:   "a lost credit of the held note that was stacked",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 1, 0, 0, 0, 0),
		rows:  []cash.Line{row(cash.KindHold, 2000, 1, cash.Customer, cash.Escrow)},
		lines: []string{"credit 1x2000 escrow>cashbox"}, told: []string{"NoteCredited", "NotePlaced"},
	},
	{
		name:   "counters wrap",
		before: notes(pieces(500, 4), ^uint32(0), 0, 0, 0, 0), now: notes(pieces(500, 4), 0, 0, 0, 0, 0),
		rows:  []cash.Line{row(cash.KindHold, 2000, 1, cash.Customer, cash.Escrow)},
		lines: []string{"credit 1x2000 escrow>cashbox"}, told: []string{"NoteCredited", "NotePlaced"},
	},
	{
		name:   "an event that was not booked",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 1, 0, 0, 0, 0),
		evidence: []cash.Event{credited(2000, cash.Payout), cash.NotePlaced{Note: eur(2000), To: cash.Cashbox}},
		lines:    []string{"credit 1x2000 customer>cashbox"}, told: []string{"NoteCredited", "NotePlaced"},
	},
	{
		name:   "an event that was booked before it could be acknowledged",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 5), 0, 1, 0, 0, 0),
		rows:     []cash.Line{row(cash.KindCredit, 500, 1, cash.Customer, cash.Payout)},
		evidence: []cash.Event{credited(500, cash.Payout)},
	},
	{
		name:   "a booked credit went into the cashbox instead",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 1, 0, 0, 0, 0),
		rows:  []cash.Line{row(cash.KindCredit, 500, 1, cash.Customer, cash.Payout)},
		lines: []string{"move 1x500 payout>cashbox"}, told: []string{"NotePlaced"},
	},
	{
		name:   "a booked credit went into the store instead",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 5), 0, 1, 0, 0, 0),
		rows:  []cash.Line{row(cash.KindCredit, 500, 1, cash.Customer, cash.Cashbox)},
		lines: []string{"move 1x500 cashbox>payout"}, told: []string{"NotePlaced"},
	},
	{
		name:   "the last of two credits went into the cashbox",
		before: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 5, 1000, 4), 1, 1, 0, 0, 0),
		rows: []cash.Line{
			row(cash.KindCredit, 500, 1, cash.Customer, cash.Payout), row(cash.KindCredit, 1000, 1, cash.Customer, cash.Payout),
		},
		lines: []string{"move 1x1000 payout>cashbox"}, told: []string{"NotePlaced"},
	},
	{
		name:   "a held note that came back",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 0, 0, 0, 0, 1),
		rows:     []cash.Line{row(cash.KindHold, 500, 1, cash.Customer, cash.Escrow)},
		evidence: []cash.Event{cash.NoteReturned{Note: eur(500), Code: 8}},
		lines:    []string{"return 1x500 escrow>customer"}, told: []string{"NoteReturned"},
	},
	{
		name:   "an unknown note in the cashbox",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 1, 0, 0, 0, 0),
		lines: []string{"discrepancy 1x0 customer>cashbox"}, told: []string{"Discrepancy"},
	},
	{
		name:   "cleared into the cashbox at power-up, not credited before",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 1, 0, 0, 0, 0),
		evidence: []cash.Event{cleared(2000, cash.Customer, cash.Cashbox)},
		lines:    []string{"credit 1x2000 customer>cashbox"}, told: []string{"ClearedAtPowerUp", "NoteCredited", "NotePlaced"},
	},
	{
		name:   "cleared into the cashbox at power-up, nameless, but held before",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 1, 0, 0, 0, 0),
		rows:     []cash.Line{row(cash.KindHold, 2000, 1, cash.Customer, cash.Escrow)},
		evidence: []cash.Event{cleared(0, cash.Customer, cash.Cashbox)},
		lines:    []string{"credit 1x2000 escrow>cashbox"}, told: []string{"ClearedAtPowerUp", "NoteCredited", "NotePlaced"},
	},
	{
		name:   "cleared into the cashbox at power-up, and credited into the store before",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 1, 0, 0, 0, 0),
		rows:     []cash.Line{row(cash.KindCredit, 500, 1, cash.Customer, cash.Payout)},
		evidence: []cash.Event{cleared(500, cash.Customer, cash.Cashbox)},
		lines:    []string{"move 1x500 payout>cashbox"}, told: []string{"ClearedAtPowerUp", "NotePlaced"},
	},
	{
		name:   "cleared to the front at power-up, although credited",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 0, 0, 0, 0, 1),
		rows:     []cash.Line{row(cash.KindCredit, 500, 1, cash.Customer, cash.Payout)},
		evidence: []cash.Event{cleared(500, cash.Customer, cash.Customer)},
		lines:    []string{"return 1x500 payout>customer"}, told: []string{"ClearedAtPowerUp"},
	},
	{
		name:   "two notes in escrow by the ledger, one in the cashbox: which",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 1, 0, 0, 0, 0),
		rows: []cash.Line{
			row(cash.KindHold, 500, 1, cash.Customer, cash.Escrow), row(cash.KindHold, 2000, 1, cash.Customer, cash.Escrow),
		},
		lines: []string{
			"discrepancy 1x0 customer>cashbox", "return 1x500 escrow>customer", "return 1x2000 escrow>customer",
		},
		told: []string{"Discrepancy", "NoteReturned", "NoteReturned"},
	},
	{
		name:   "a validator without a store takes a held note",
		before: notes(nil, 5, 0, 0, 0, 0), now: notes(nil, 6, 0, 0, 0, 0),
		rows:  []cash.Line{row(cash.KindHold, 2000, 1, cash.Customer, cash.Escrow)},
		lines: []string{"credit 1x2000 escrow>cashbox"}, told: []string{"NoteCredited", "NotePlaced"},
	},
	{
		name:   "the machine tidies up without an operation",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 2), 0, 0, 0, 2, 0),
		lines: []string{"move 2x500 payout>cashbox"},
	},
	{
		name:   "somebody else has paid out",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 3), 0, 0, 1, 0, 0),
		lines: []string{"discrepancy 1x500 payout>customer"}, told: []string{"Discrepancy"},
	},
	{
		name:   "levels changed and nothing was counted",
		before: notes(pieces(500, 4, 1000, 1), 0, 0, 0, 0, 0), now: notes(pieces(500, 3, 1000, 2), 0, 0, 0, 0, 0),
		lines: []string{"discrepancy 1x500 payout>unknown", "discrepancy 1x1000 unknown>payout"},
		told:  []string{"Discrepancy", "Discrepancy"},
	},
	{
		name:   "counters were cleared, levels agree",
		before: notes(pieces(500, 4), 9, 9, 9, 9, 9), now: notes(pieces(500, 4), 0, 0, 0, 0, 0),
	},
	{
		name:   "no counters, a credit seen twice",
		before: cash.Account{Serial: "1", Levels: pieces(500, 4)}, now: cash.Account{Serial: "1", Levels: pieces(500, 5)},
		rows:     []cash.Line{row(cash.KindCredit, 500, 1, cash.Customer, cash.Payout)},
		evidence: []cash.Event{credited(500, cash.Payout)},
	},
	{
		name:   "no counters, a stacked note seen once",
		before: cash.Account{Serial: "1", Levels: pieces(500, 4)}, now: cash.Account{Serial: "1", Levels: pieces(500, 4)},
		evidence: []cash.Event{credited(2000, cash.Cashbox)},
		lines:    []string{"credit 1x2000 customer>cashbox"}, told: []string{"NoteCredited", "NotePlaced"},
	},
}

var payoutCases = []reconcileCase{
	{
		name:   "the command never arrived",
		before: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0),
		op: &dispense, closed: "failed: nothing",
	},
	{
		name:   "the command is still under way",
		before: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0),
		op: &dispense, starting: true,
	},
	{
		name:   "paid while nobody looked, and the answer to the command still missing",
		before: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 3, 1000, 3), 0, 0, 2, 0, 0),
		op: &dispense, starting: true, lines: []string{"payout 1x500 payout>customer op", "payout 1x1000 payout>customer op"},
		closed: "done: 1x500 1x1000",
	},
	{
		name:   "paid while nobody looked",
		before: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 3, 1000, 3), 0, 0, 2, 0, 0),
		op: &dispense, lines: []string{"payout 1x500 payout>customer op", "payout 1x1000 payout>customer op"},
		closed: "done: 1x500 1x1000",
	},
	{
		name:   "the rest of a payout",
		before: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 3, 1000, 3), 0, 0, 2, 0, 0),
		rows: []cash.Line{row(cash.KindPayout, 1000, 1, cash.Payout, cash.Customer, "op")},
		op:   &dispense, lines: []string{"payout 1x500 payout>customer op"}, closed: "done: 1x500 1x1000",
	},
	{
		name:   "cut after the first note",
		before: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4, 1000, 3), 0, 0, 1, 0, 0),
		evidence: []cash.Event{cleared(1000, cash.Payout, cash.Customer), cash.Ended{Op: cash.OpDispense, Result: cash.OpCut, Total: amount(1000), Asked: amount(1500)}},
		op:       &dispense, lines: []string{"payout 1x1000 payout>customer op"}, closed: "partial: 1x1000",
		told: []string{"ClearedAtPowerUp", "Ended"},
	},
	{
		name:   "cut, and the machine's total does not hold the note that left at power-up",
		before: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 3, 1000, 3), 0, 0, 1, 1, 0),
		evidence: []cash.Event{cleared(1000, cash.Payout, cash.Customer), cash.Ended{Op: cash.OpDispense, Result: cash.OpCut}},
		op:       &dispense, lines: []string{"move 1x500 payout>cashbox op", "payout 1x1000 payout>customer op"},
		closed: "partial: 1x1000", told: []string{"ClearedAtPowerUp", "Ended"},
	},
	{
		name:   "a jam was recovered into the cashbox; the value says which note was paid",
		before: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 3, 1000, 3), 0, 0, 1, 1, 0),
		evidence: []cash.Event{ended(cash.OpDispense, cash.OpErrored, 500)},
		op:       &dispense, lines: []string{"payout 1x500 payout>customer op", "move 1x1000 payout>cashbox op"},
		closed: "partial: 1x500", told: []string{"Ended"},
	},
	{
		name:   "one note paid, one in the cashbox, and nothing says which",
		before: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 3, 1000, 3), 0, 0, 1, 1, 0),
		op: &dispense, lines: []string{"discrepancy 1x500 payout>unknown op", "discrepancy 1x1000 payout>unknown op"},
		closed: "unknown: nothing", told: []string{"Discrepancy", "Discrepancy"},
	},
	{
		name:   "a note left the store and was not counted",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 3), 0, 0, 0, 0, 0),
		op: &dispense, lines: []string{"discrepancy 1x500 payout>unknown op"}, closed: "unknown: nothing", told: []string{"Discrepancy"},
	},
	{
		name:   "a note booked as paid was drawn in again",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 3), 0, 0, 0, 1, 0),
		rows: []cash.Line{row(cash.KindPayout, 500, 1, cash.Payout, cash.Customer, "op")},
		op:   &dispense, lines: []string{"move 1x500 customer>cashbox op"}, closed: "failed: nothing",
	},
	{
		name:   "a note booked as paid went back into the store",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 0, 0, 0, 0, 0),
		rows: []cash.Line{row(cash.KindPayout, 500, 1, cash.Payout, cash.Customer, "op")},
		op:   &dispense, lines: []string{"move 1x500 customer>payout op"}, closed: "failed: nothing",
	},
	{
		name:   "emptied while nobody looked",
		before: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0), now: notes(cash.Counts{}, 0, 0, 0, 8, 0),
		op: &empty, lines: []string{"move 4x500 payout>cashbox op", "move 4x1000 payout>cashbox op"},
		closed: "done: 4x500 4x1000",
	},
	{
		name:   "emptying was cut",
		before: notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4, 1000, 1), 0, 0, 0, 3, 0),
		rows: []cash.Line{row(cash.KindMove, 1000, 1, cash.Payout, cash.Cashbox, "op")},
		op:   &empty, lines: []string{"move 2x1000 payout>cashbox op"}, closed: "partial: 3x1000",
	},
	{
		name:   "a float had nothing to do",
		before: notes(pieces(500, 2), 0, 0, 0, 0, 0), now: notes(pieces(500, 2), 0, 0, 0, 0, 0),
		op: &float, closed: "done: nothing",
	},
	{
		name:   "a float that never began",
		before: notes(pieces(500, 4), 0, 0, 0, 0, 0), now: notes(pieces(500, 4), 0, 0, 0, 0, 0),
		op: &float, closed: "failed: nothing",
	},
	{
		name:   "no counters, the value decides",
		before: cash.Account{Serial: "1", Levels: pieces(500, 4, 1000, 4)}, now: cash.Account{Serial: "1", Levels: pieces(500, 3, 1000, 3)},
		evidence: []cash.Event{ended(cash.OpDispense, cash.OpDone, 1500)},
		op:       &dispense, lines: []string{"payout 1x500 payout>customer op", "payout 1x1000 payout>customer op"},
		closed: "done: 1x500 1x1000", told: []string{"Ended"},
	},
	{
		name:   "no counters and no value",
		before: cash.Account{Serial: "1", Levels: pieces(500, 4)}, now: cash.Account{Serial: "1", Levels: pieces(500, 3)},
		op: &dispense, lines: []string{"discrepancy 1x500 payout>unknown op"}, closed: "unknown: nothing", told: []string{"Discrepancy"},
	},
	{
		name:   "counters were cleared while emptying",
		before: notes(pieces(500, 4), 0, 0, 0, 9, 0), now: notes(cash.Counts{}, 0, 0, 0, 4, 0),
		op: &empty, lines: []string{"move 4x500 payout>cashbox op"}, closed: "done: 4x500",
	},
}

// Coin counters: out, in, six others, to the cashbox.
var coinCases = []reconcileCase{
	{
		name:   "coins that the levels name",
		before: coins(pieces(100, 4), 0, 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(100, 6, 50, 1), 0, 3, 0, 0, 0, 0, 0, 0, 0),
		lines: []string{"credit 1x50 customer>payout", "credit 2x100 customer>payout"}, told: []string{"CoinCredited", "CoinCredited"},
	},
	{
		name:   "a coin of two is in the cashbox",
		before: coins(pieces(100, 4), 0, 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(100, 5), 0, 2, 0, 0, 0, 0, 0, 0, 1),
		evidence: []cash.Event{coin(100, 1, cash.Payout), coin(200, 1, cash.Payout)},
		lines:    []string{"credit 1x100 customer>payout", "credit 1x200 customer>cashbox"}, told: []string{"CoinCredited", "CoinCredited"},
	},
	{
		name:   "an event that was booked comes first",
		before: coins(pieces(100, 4), 0, 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(100, 5), 0, 2, 0, 0, 0, 0, 0, 0, 1),
		rows:     []cash.Line{row(cash.KindCredit, 100, 1, cash.Customer, cash.Payout)},
		evidence: []cash.Event{coin(100, 1, cash.Payout), coin(200, 1, cash.Cashbox)},
		lines:    []string{"credit 1x200 customer>cashbox"}, told: []string{"CoinCredited"},
	},
	{
		name:   "an answer that was repeated after its acknowledgement was lost",
		before: coins(pieces(100, 4), 0, 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(100, 4), 0, 1, 0, 0, 0, 0, 0, 0, 1),
		evidence: []cash.Event{coin(200, 1, cash.Cashbox)}, again: []cash.Event{coin(200, 1, cash.Cashbox)},
		lines: []string{"credit 1x200 customer>cashbox"}, told: []string{"CoinCredited"},
	},
	{
		name:   "an answer that looked like a repetition",
		before: coins(pieces(100, 4), 0, 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(100, 4), 0, 2, 0, 0, 0, 0, 0, 0, 2),
		evidence: []cash.Event{coin(200, 1, cash.Cashbox)}, again: []cash.Event{coin(200, 1, cash.Cashbox)},
		lines: []string{"credit 2x200 customer>cashbox"}, told: []string{"CoinCredited"},
	},
	{
		name:   "booked coins overflowed into the cashbox",
		before: coins(pieces(100, 4), 0, 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(100, 5), 0, 3, 0, 0, 0, 0, 0, 0, 2),
		rows:  []cash.Line{row(cash.KindCredit, 100, 3, cash.Customer, cash.Payout)},
		lines: []string{"move 2x100 payout>cashbox"},
	},
	{
		name:   "a hand took coins out of the hopper after some came in",
		before: coins(pieces(100, 4), 0, 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(100, 4), 0, 2, 0, 0, 0, 0, 0, 0, 0),
		rows:  []cash.Line{row(cash.KindCredit, 100, 2, cash.Customer, cash.Payout)},
		lines: []string{"discrepancy 2x100 payout>unknown"}, told: []string{"Discrepancy"},
	},
	{
		name:   "a hand filled the hopper and did not say so",
		before: coins(pieces(100, 4), 0, 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(100, 16), 0, 2, 0, 0, 0, 0, 0, 0, 0),
		rows:  []cash.Line{row(cash.KindCredit, 100, 2, cash.Customer, cash.Payout)},
		lines: []string{"discrepancy 10x100 unknown>payout"}, told: []string{"Discrepancy"},
	},
	{
		name:   "a coin comes in while coins go out",
		before: coins(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(500, 4, 1000, 3), 2, 1, 0, 0, 0, 0, 0, 0, 0),
		evidence: []cash.Event{coin(500, 1, cash.Payout), ended(cash.OpDispense, cash.OpDone, 1500)},
		op:       &dispense,
		lines:    []string{"credit 1x500 customer>payout", "payout 1x500 payout>customer op", "payout 1x1000 payout>customer op"},
		closed:   "done: 1x500 1x1000", told: []string{"Ended", "CoinCredited"},
	},
	{
		name:   "a coin that nothing names comes in while coins go out",
		before: coins(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(500, 4, 1000, 3), 2, 1, 0, 0, 0, 0, 0, 0, 0),
		op:     &dispense,
		lines:  []string{"discrepancy 1x0 customer>unknown", "discrepancy 1x1000 payout>unknown op"},
		closed: "unknown: nothing", told: []string{"Discrepancy", "Discrepancy"},
	},
	{
		name:   "a coin was diverted, with nine counters",
		before: coins(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(500, 3, 1000, 3), 2, 0, 0, 0, 0, 0, 0, 0, 1),
		evidence: []cash.Event{ended(cash.OpDispense, cash.OpDone, 1000)},
		op:       &dispense, lines: []string{"move 1x500 payout>cashbox op", "payout 1x1000 payout>customer op"},
		closed: "partial: 1x1000", told: []string{"Ended"},
	},
	{
		name:   "a coin was diverted, with eight counters",
		before: coins(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(500, 3, 1000, 3), 2, 0, 0, 0, 0, 0, 0, 0),
		evidence: []cash.Event{ended(cash.OpDispense, cash.OpDone, 1000)},
		op:       &dispense, lines: []string{"move 1x500 payout>cashbox op", "payout 1x1000 payout>customer op"},
		closed: "partial: 1x1000", told: []string{"Ended"},
	},
	{
		name:   "paid, with eight counters and the end lost",
		before: coins(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(500, 3, 1000, 3), 2, 0, 0, 0, 0, 0, 0, 0),
		op: &dispense, lines: []string{"discrepancy 1x500 payout>unknown op", "discrepancy 1x1000 payout>unknown op"},
		closed: "unknown: nothing", told: []string{"Discrepancy", "Discrepancy"},
	},
	{
		name:   "the machine's own list decides, with eight counters",
		before: coins(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0, 0, 0, 0),
		now: func() cash.Account {
			a := coins(pieces(500, 3, 1000, 3), 2, 0, 0, 0, 0, 0, 0, 0)
			a.Moved = pieces(500, 1)
			return a
		}(),
		op: &dispense, lines: []string{"move 1x500 payout>cashbox op", "payout 1x1000 payout>customer op"}, closed: "partial: 1x1000",
	},
	{
		name:   "emptied, with eight counters",
		before: coins(pieces(100, 4), 0, 0, 0, 0, 0, 0, 0, 0), now: coins(cash.Counts{}, 4, 0, 0, 0, 0, 0, 0, 0),
		op: &empty, lines: []string{"move 4x100 payout>cashbox op"}, closed: "done: 4x100",
	},
	{
		name:   "coins strayed into the cashbox, and one came in and went out again: the value decides",
		before: coins(cash.Counts{}, 0, 0, 0, 0, 0, 0, 0, 0, 0), now: coins(cash.Counts{}, 1, 4, 0, 0, 0, 0, 0, 0, 3),
		rows:     []cash.Line{row(cash.KindCredit, 500, 3, cash.Customer, cash.Payout)},
		evidence: []cash.Event{coin(1500, 1, cash.Payout), ended(cash.OpDispense, cash.OpDone, 1500)},
		op:       &dispense,
		lines:    []string{"credit 1x1500 customer>payout", "move 3x500 payout>cashbox", "payout 1x1500 payout>customer op"},
		closed:   "done: 1x1500", told: []string{"Ended", "CoinCredited"},
	},
	{
		name:   "coins that nothing names came in while others went out",
		before: coins(pieces(50, 1), 0, 0, 0, 0, 0, 0, 0, 0), now: coins(pieces(50, 1), 1, 4, 0, 0, 0, 0, 0, 0),
		rows: []cash.Line{row(cash.KindCredit, 10, 2, cash.Customer, cash.Payout)},
		op:   &empty, lines: []string{"discrepancy 2x0 customer>cashbox", "discrepancy 2x10 payout>unknown op"},
		closed: "unknown: nothing", told: []string{"Discrepancy", "Discrepancy"},
	},
	{
		name:   "a counter layout that is not known",
		before: coins(pieces(100, 4), 1, 2, 3, 4, 5, 6), now: coins(pieces(100, 4), 1, 2, 3, 4, 5, 6),
	},
}

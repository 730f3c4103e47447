package till

import (
	"testing"

	"coffer/internal/cash"
)

// clearedCases: somebody has cleared a machine's counters. The levels still agree with the rows, so that no money is
// missing, and what came in since is named by what was kept of it.
var clearedCases = []reconcileCase{
	{name: "notes, nothing else", before: notes(pieces(500, 4), 7, 8, 9, 1, 2), now: notes(pieces(500, 4), 0, 0, 0, 0, 0)},
	{name: "notes, little was counted", before: notes(pieces(500, 4), 0, 1, 0, 0, 0), now: notes(pieces(500, 4), 0, 0, 0, 0, 0)},
	{
		name:   "notes, rows since the last comparison",
		before: notes(pieces(500, 4), 7, 8, 9, 1, 2), now: notes(pieces(500, 5), 0, 0, 0, 0, 0),
		rows: []cash.Line{row(cash.KindCredit, 500, 1, cash.Customer, cash.Payout), row(cash.KindCredit, 2000, 1, cash.Customer, cash.Cashbox)},
	},
	{
		name:   "notes, one came in behind it and is in the books",
		before: notes(pieces(500, 4), 7, 8, 9, 1, 2), now: notes(pieces(500, 5), 0, 1, 0, 0, 0),
		rows:     []cash.Line{row(cash.KindCredit, 500, 1, cash.Customer, cash.Payout)},
		evidence: []cash.Event{credited(500, cash.Payout)},
	},
	{name: "validator", before: notes(nil, 7, 0, 0, 0, 2), now: notes(nil, 0, 0, 0, 0, 0)},
}

func TestCountersCleared(t *testing.T) {
	for _, tc := range clearedCases {
		t.Run(tc.name, tc.run)
	}
	for _, kind := range []cash.CounterKind{cash.CountersCoin, cash.CountersHopper} {
		t.Run("coins "+string(kind), func(t *testing.T) {
			n := map[cash.CounterKind]int{cash.CountersCoin: 9, cash.CountersHopper: 6}[kind]
			before := cash.Account{Levels: pieces(50, 100), Counters: make([]uint32, n), Kind: kind}
			for i := range before.Counters {
				before.Counters[i] = uint32(10 + i)
			}
			now := cash.Account{Levels: pieces(50, 101), Counters: make([]uint32, n), Kind: kind}
			reconcileCase{before: before, now: now, rows: []cash.Line{row(cash.KindCredit, 50, 1, cash.Customer, cash.Payout)}}.run(t)
		})
	}
}

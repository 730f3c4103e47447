package till

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/cash"
)

func eur(v int64) cash.Denom { return cash.Denom{Value: v, Currency: "EUR"} }

func amount(v int64) cash.Amount { return cash.Amount{Value: v, Currency: "EUR"} }

// pieces makes counts of value, count, value, count, …
func pieces(pairs ...int) cash.Counts {
	c := cash.Counts{}
	for i := 0; i < len(pairs); i += 2 {
		c[eur(int64(pairs[i]))] = pairs[i+1]
	}
	return c
}

// notes and coins are accounts: levels, then counters.
func notes(levels cash.Counts, counters ...uint32) cash.Account {
	return cash.Account{Serial: "1", Levels: levels, Counters: counters, Kind: cash.CountersNote}
}

func coins(levels cash.Counts, counters ...uint32) cash.Account {
	return cash.Account{Serial: "1", Levels: levels, Counters: counters, Kind: cash.CountersCoin}
}

func credited(v int64, to cash.Place) cash.Event { return cash.NoteCredited{Note: eur(v), To: to} }

func coin(v int64, n int, to cash.Place) cash.Event {
	return cash.CoinCredited{Coin: eur(v), Count: n, To: to}
}

func cleared(v int64, from, to cash.Place) cash.Event {
	e := cash.ClearedAtPowerUp{From: from, To: to}
	if v > 0 {
		e.Note = eur(v)
	}
	return e
}

func ended(op cash.OpKind, result cash.OpResult, total int64) cash.Event {
	return cash.Ended{Op: op, Result: result, Total: amount(total)}
}

// Rows that stand after the baseline.
func row(kind cash.Kind, v int64, n int, from, to cash.Place, op ...string) cash.Line {
	l := cash.Line{Device: testDev, Kind: kind, Value: v, Currency: "EUR", Count: n, From: from, To: to}
	for _, o := range op {
		l.Op = o
	}
	return l
}

var (
	dispense = cash.Op{ID: "op", Kind: cash.OpDispense, Device: testDev, Asked: amount(1500)}
	empty    = cash.Op{ID: "op", Kind: cash.OpEmpty, Device: testDev, Asked: amount(6000)}
	float    = cash.Op{ID: "op", Kind: cash.OpFloat, Device: testDev, Keep: pieces(500, 2), Asked: amount(5000)}
)

// booksOf builds the books that a case starts from.
func (tc reconcileCase) booksOf() *books {
	b := &books{
		dev: testDev, payout: tc.before.Levels.Clone(), cashbox: tc.cashbox.Clone(), escrow: cash.Counts{},
		base: &cash.Baseline{Device: testDev, Account: throughJSON(tc.before)}, moved: map[string]cash.Counts{},
	}
	if tc.op != nil {
		b.ops = []cash.Op{*tc.op}
	}
	for _, l := range tc.rows {
		b.add(l)
	}
	for _, ev := range tc.evidence {
		b.evidence = append(b.evidence, kept{event: ev})
	}
	for _, ev := range tc.again {
		b.evidence = append(b.evidence, kept{event: ev, mark: again})
	}
	return b
}

func (tc reconcileCase) run(t *testing.T) {
	b := tc.booksOf()
	d := newDraft(b)
	reconcile(d, tc.now, tc.starting)
	var lines, told []string
	for _, l := range d.lines {
		lines = append(lines, rowText(l))
		if err := checkRow(l); err != nil {
			t.Error(err)
		}
	}
	closed := ""
	for _, n := range d.events {
		if e, ok := n.event.(cash.OpClosed); ok {
			closed = fmt.Sprintf("%s: %s", e.Result, countsText(e.Pieces))
			continue
		}
		told = append(told, strings.TrimPrefix(fmt.Sprintf("%T", n.event), "cash."))
	}
	if diff := cmp.Diff(tc.lines, lines); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(tc.told, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if closed != tc.closed {
		t.Errorf("operation closed as %q; want %q", closed, tc.closed)
	}
	if tc.now.Levels != nil && len(d.books.payout.Minus(tc.now.Levels)) != 0 {
		t.Errorf("payout %v; the machine has %v", d.books.payout, tc.now.Levels)
	}
	if len(nonZero(d.books.escrow)) != 0 {
		t.Errorf("escrow %v", d.books.escrow)
	}
	if tc.starting {
		return
	}
	again := newDraft(d.books)
	if reconcile(again, tc.now, false); !again.empty() {
		t.Errorf("a second comparison writes %v", again.lines)
	}
}

func countsText(c cash.Counts) string {
	if len(c.Rows()) == 0 {
		return "nothing"
	}
	var out []string
	for _, r := range c.Rows() {
		out = append(out, fmt.Sprintf("%dx%d", r.Count, r.Value))
	}
	return strings.Join(out, " ")
}

func TestReconcile(t *testing.T) {
	for _, list := range [][]reconcileCase{noteCases, heldCases, payoutCases, coinCases} {
		for _, tc := range list {
			t.Run(tc.name, tc.run)
		}
	}
}

func TestReconcileFirstSight(t *testing.T) {
	b := &books{dev: testDev, payout: pieces(500, 1, 1000, 2), cashbox: cash.Counts{}, escrow: cash.Counts{}, moved: map[string]cash.Counts{}}
	d := newDraft(b)
	reconcile(d, notes(pieces(500, 4, 1000, 1), 0, 0, 0, 0, 0), false)
	want := []string{"adjust 3x500 operator>payout", "adjust 1x1000 payout>operator"}
	var got []string
	for _, l := range d.lines {
		got = append(got, rowText(l))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if d.baseline == nil || d.books.base == nil {
		t.Error("no baseline")
	}
}

func TestReconcileOtherMachine(t *testing.T) {
	tc := reconcileCase{
		before: notes(pieces(500, 2), 5, 5, 5, 5, 5), cashbox: pieces(2000, 3), op: &dispense,
		rows: []cash.Line{row(cash.KindHold, 1000, 1, cash.Customer, cash.Escrow)},
		now:  notes(pieces(1000, 7), 0, 0, 0, 0, 0),
	}
	tc.now.Serial = "2"
	d := newDraft(tc.booksOf())
	reconcile(d, tc.now, false)
	want := []string{
		"adjust 2x500 payout>operator", "adjust 3x2000 cashbox>operator", "adjust 1x1000 escrow>operator", "adjust 7x1000 operator>payout",
	}
	var got []string
	for _, l := range d.lines {
		got = append(got, rowText(l))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(d.closes) != 1 || d.closes[0].Result != cash.OpUnknown {
		t.Errorf("closes %v; want unknown", d.closes)
	}
}

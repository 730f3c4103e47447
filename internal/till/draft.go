package till

import (
	"slices"
	"time"

	"coffer/internal/cash"
)

// draft collects one transaction: rows, outcomes and what is to be published once they are on disk. Its books are what
// the ledger will say then.
type draft struct {
	books    *books
	lines    []cash.Line
	closes   []cash.OpClose
	evidence []cash.Evidence
	fillings []cash.Evidence // kept even if clear
	clear    bool            // forget the evidence
	baseline *cash.Baseline
	events   []news
	outcomes []closing
}

// news is an event to be published; line is the index of its last row, -1 for none.
type news struct {
	event cash.Event
	line  int
}

// closing is an operation whose outcome is part of the draft.
type closing struct {
	id      string
	whole   string // that it is a leg of
	outcome Outcome
}

func newDraft(b *books) *draft { return &draft{books: b.clone()} }

// fork returns a copy that can be changed, and dropped.
func (d *draft) fork() *draft {
	c := *d
	c.books = d.books.clone()
	c.lines, c.closes, c.evidence = slices.Clone(d.lines), slices.Clone(d.closes), slices.Clone(d.evidence)
	c.events, c.outcomes, c.fillings = slices.Clone(d.events), slices.Clone(d.outcomes), slices.Clone(d.fillings)
	return &c
}

// book adds a row. A row that the ledger could not hold, because a machine named no denomination, becomes a discrepancy
// without a value, so that nothing is lost and nothing invented.
func (d *draft) book(l cash.Line) {
	if l.Count < 1 {
		return
	}
	l.Device = d.books.dev
	if l.Value < 1 || !l.Currency.Valid() {
		if l.Kind != cash.KindDiscrepancy {
			l.Detail = string(l.Kind) + " of an unknown denomination"
		}
		l.Kind, l.Value, l.Currency = cash.KindDiscrepancy, 0, ""
	}
	d.lines = append(d.lines, l)
	d.books.add(l)
	if l.Kind == cash.KindDiscrepancy {
		d.tell(cash.Discrepancy{Detail: l.Detail})
	}
}

// move books n pieces of one denomination.
func (d *draft) move(kind cash.Kind, p cash.Denom, n int, from, to cash.Place, op, detail string) {
	d.book(cash.Line{Op: op, Kind: kind, Value: p.Value, Currency: p.Currency, Count: n, From: from, To: to, Detail: detail})
}

// tell publishes ev after the commit, with the last row so far.
func (d *draft) tell(ev cash.Event) { d.events = append(d.events, news{ev, len(d.lines) - 1}) }

// pass publishes ev without a row.
func (d *draft) pass(ev cash.Event) { d.events = append(d.events, news{ev, -1}) }

// keep keeps ev, which was told in the answer of time at, as evidence.
func (d *draft) keep(ev cash.Event, m mark, at time.Time) {
	if e, ok := encodeEvent(d.books.dev, ev, m); ok {
		e.At = at
		d.evidence = append(d.evidence, e)
		d.books.evidence = append(d.books.evidence, kept{bare(ev), m, at})
	}
}

// credit books a piece that was taken for good: out of escrow where it was held, else from the customer.
func (d *draft) credit(p cash.Denom, n int, to cash.Place) {
	held := min(max(d.books.escrow[p], 0), n)
	d.move(cash.KindCredit, p, held, cash.Escrow, to, "", "")
	d.move(cash.KindCredit, p, n-held, cash.Customer, to, "", "")
}

// close books the outcome of op. result is what the books say; ended is the machine's own word, "" for none.
func (d *draft) close(op cash.Op, result, ended cash.OpResult, detail string) {
	paid := nonZero(d.books.moved[op.ID])
	c := cash.OpClose{ID: op.ID, Result: result, Paid: paid, Detail: detail}
	total := paid.Total(op.Asked.Currency)
	d.closes = append(d.closes, c)
	d.outcomes = append(d.outcomes, closing{op.ID, op.Whole, Outcome{Result: result, Ended: ended, Asked: op.Asked, Paid: total, Pieces: paid}})
	d.books.close(c)
	d.tell(cash.OpClosed{ID: op.ID, Op: op.Kind, Result: result, Asked: op.Asked, Paid: total, Pieces: paid})
}

// rebase makes acc the new baseline and forgets the evidence.
func (d *draft) rebase(acc cash.Account) {
	acc.Moved, acc.MovedUnknown = nil, 0
	d.baseline = &cash.Baseline{Device: d.books.dev, Account: acc}
	d.clear = true
	d.books.rebase(*d.baseline)
}

// empty says whether there is nothing to be written.
func (d *draft) empty() bool {
	return len(d.lines) == 0 && len(d.closes) == 0 && len(d.evidence) == 0 && len(d.fillings) == 0 && !d.clear && d.baseline == nil
}

// write returns the transaction.
func (d *draft) write() cash.LedgerWrite {
	w := cash.LedgerWrite{Lines: d.lines, Close: d.closes, Evidence: d.evidence, Baseline: d.baseline}
	if d.clear {
		w.ClearEvidence, w.Evidence = d.books.dev, nil
	}
	w.Evidence = append(w.Evidence, d.fillings...)
	return w
}

func nonZero(c cash.Counts) cash.Counts { return c.Minus(nil) }

package till

import (
	"context"
	"maps"
	"slices"

	"coffer/internal/cash"
)

// placed marks a move row that corrects where a credited piece was expected to go. Such a row is no transfer from the
// store, which the machine would count apart.
const placed = "placed"

// books is what the ledger says of one device. It is read once and kept up with every row that is written.
type books struct {
	dev                     cash.DeviceID
	payout, cashbox, escrow cash.Counts
	base                    *cash.Baseline // nil until the machine was seen
	since                   tally          // of the rows after base
	evidence                []kept
	fillings                []filling
	ops                     []cash.Op              // open, oldest first
	moved                   map[string]cash.Counts // by open operation: what its rows have moved
}

// tally sums rows up in the terms of a machine's counters: pieces from the front into the store or the cashbox, from the
// store to the front, and from the store to the cashbox.
type tally struct {
	stored, stacked, paid, shifted int
	adjusted                       int // pieces that a person, or a discrepancy, put into the store
	rows                           int
	intoStore, intoBox             cash.Counts // credits, by where the ledger believes them
	last                           *place      // the last credit
}

// place is a piece and where it is.
type place struct {
	piece cash.Denom
	in    cash.Place
}

// load reads the books of dev.
func load(ctx context.Context, j Journal, dev cash.DeviceID) (*books, error) {
	b := &books{dev: dev, payout: cash.Counts{}, cashbox: cash.Counts{}, escrow: cash.Counts{}, moved: map[string]cash.Counts{}}
	balance, err := j.Balance(ctx, dev)
	if err != nil {
		return nil, err
	}
	for _, r := range balance {
		b.at(r.Place)[cash.Denom{Value: r.Value, Currency: r.Currency}] += r.Count
	}
	if err := b.loadSince(ctx, j); err != nil {
		return nil, err
	}
	evidence, err := j.Evidence(ctx, dev)
	if err != nil {
		return nil, err
	}
	for _, e := range evidence {
		if k, ok := decodeEvent(e); ok {
			b.evidence = append(b.evidence, k)
		} else if f, ok := fillingOf(e); ok {
			b.fillings = append(b.fillings, f)
		}
	}
	if b.ops, err = j.OpenOps(ctx, dev); err != nil {
		return nil, err
	}
	b.ops = slices.DeleteFunc(b.ops, func(op cash.Op) bool { return len(op.Across) > 0 }) // its legs move the money
	for _, op := range b.ops {
		rows, err := j.OpLines(ctx, op.ID)
		if err != nil {
			return nil, err
		}
		b.moved[op.ID] = opMoved(op.Kind, rows)
	}
	return b, nil
}

func (b *books) loadSince(ctx context.Context, j Journal) error {
	base, seen, err := j.Baseline(ctx, b.dev)
	if err != nil || !seen {
		return err
	}
	b.base = &base
	rows, err := j.LinesSince(ctx, b.dev, base.Seq)
	if err != nil {
		return err
	}
	for _, e := range rows {
		b.since.add(e.Line)
	}
	return nil
}

// clone returns a copy that can be changed.
func (b *books) clone() *books {
	c := *b
	c.payout, c.cashbox, c.escrow = b.payout.Clone(), b.cashbox.Clone(), b.escrow.Clone()
	c.since.intoStore, c.since.intoBox = b.since.intoStore.Clone(), b.since.intoBox.Clone()
	c.evidence, c.fillings, c.ops = slices.Clone(b.evidence), slices.Clone(b.fillings), slices.Clone(b.ops)
	c.moved = maps.Clone(b.moved)
	return &c
}

// at returns the counts of a place of the balance, nil for a place outside the machine.
func (b *books) at(p cash.Place) cash.Counts {
	switch p {
	case cash.Payout:
		return b.payout
	case cash.Cashbox:
		return b.cashbox
	case cash.Escrow:
		return b.escrow
	}
	return nil
}

// add books one row.
func (b *books) add(l cash.Line) {
	if l.Value > 0 {
		d := denomOf(l)
		if from := b.at(l.From); from != nil {
			from[d] -= l.Count
		}
		if to := b.at(l.To); to != nil {
			to[d] += l.Count
		}
	}
	b.since.add(l)
	if op := b.op(l.Op); op != nil {
		if n := opShare(op.Kind, l); n != 0 {
			moved := b.moved[op.ID].Clone()
			moved[denomOf(l)] += n
			b.moved[op.ID] = moved
		}
	}
}

// op returns the open operation with this ID, nil if it is not open.
func (b *books) op(id string) *cash.Op {
	for i := range b.ops {
		if id != "" && b.ops[i].ID == id {
			return &b.ops[i]
		}
	}
	return nil
}

// running returns the operation that may still move money: open and not yet given up as unknown. nil for none.
func (b *books) running() *cash.Op {
	for i := range b.ops {
		if b.ops[i].State == "" {
			return &b.ops[i]
		}
	}
	return nil
}

// close books the outcome of an operation.
func (b *books) close(c cash.OpClose) {
	if c.Result == cash.OpUnknown {
		b.op(c.ID).State = cash.OpUnknown
		return
	}
	b.ops = slices.DeleteFunc(b.ops, func(op cash.Op) bool { return op.ID == c.ID })
	delete(b.moved, c.ID)
}

// rebase makes acc the machine's books to compare with from now on.
func (b *books) rebase(base cash.Baseline) {
	b.base, b.since, b.evidence, b.fillings = &base, tally{}, nil, nil
}

// add sums one row up.
func (t *tally) add(l cash.Line) {
	if l.Value <= 0 {
		return
	}
	t.rows++
	n, d := l.Count, denomOf(l)
	switch {
	case l.Kind == cash.KindCredit && l.To == cash.Payout:
		t.arrive(d, n, 0)
		t.last = &place{d, cash.Payout}
	case l.Kind == cash.KindCredit && l.To == cash.Cashbox:
		t.arrive(d, 0, n)
		t.last = &place{d, cash.Cashbox}
	case l.Kind == cash.KindMove && l.Detail == placed && l.To == cash.Cashbox:
		t.arrive(d, -n, n)
	case l.Kind == cash.KindMove && l.Detail == placed && l.To == cash.Payout:
		t.arrive(d, n, -n)
	case l.Kind == cash.KindReturn && l.From == cash.Payout:
		t.arrive(d, -n, 0)
	case l.Kind == cash.KindReturn && l.From == cash.Cashbox:
		t.arrive(d, 0, -n)
	case l.Kind == cash.KindMove && l.From == cash.Customer && l.To == cash.Cashbox:
		t.paid, t.shifted = t.paid-n, t.shifted+n
	case l.Kind == cash.KindMove && l.From == cash.Customer:
		t.paid -= n
	case l.Kind == cash.KindPayout && l.From == cash.Payout:
		t.paid += n
	case l.Kind == cash.KindDiscrepancy && l.From == cash.Payout && l.To == cash.Customer:
		t.paid += n
	case l.Kind == cash.KindMove && l.From == cash.Payout && l.To == cash.Cashbox:
		t.shifted += n
	case l.To == cash.Payout:
		t.adjusted += n
	case l.From == cash.Payout:
		t.adjusted -= n
	}
}

func (t *tally) arrive(d cash.Denom, store, box int) {
	t.stored, t.stacked = t.stored+store, t.stacked+box
	if t.intoStore == nil {
		t.intoStore, t.intoBox = cash.Counts{}, cash.Counts{}
	}
	t.intoStore[d] += store
	t.intoBox[d] += box
}

// opShare returns how many pieces row l adds to what an operation of this kind has moved.
func opShare(kind cash.OpKind, l cash.Line) int {
	target := cash.Customer
	if kind != cash.OpDispense {
		target = cash.Cashbox
	}
	switch {
	case l.Value <= 0:
		return 0
	case (l.Kind == cash.KindAdjust || l.Kind == cash.KindMove) && l.From == target: // it was less after all
		return -l.Count
	case (l.Kind == cash.KindPayout || l.Kind == cash.KindMove) && l.To == target:
		return l.Count
	}
	return 0
}

// opMoved sums up what an operation's rows have moved.
func opMoved(kind cash.OpKind, rows []cash.Entry) cash.Counts {
	moved := cash.Counts{}
	for _, e := range rows {
		if n := opShare(kind, e.Line); n != 0 {
			moved[denomOf(e.Line)] += n
		}
	}
	return moved
}

func denomOf(l cash.Line) cash.Denom { return cash.Denom{Value: l.Value, Currency: l.Currency} }

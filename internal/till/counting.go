package till

import (
	"context"
	"fmt"

	"coffer/internal/cash"
)

// ClearCashbox writes that a person has emptied dev's cashbox: adjust rows to the operator for all that the ledger has
// in it. Errors: cash.ErrClaimed, ErrJournal.
func (t *Till) ClearCashbox(ctx context.Context, c Call, dev cash.DeviceID) error {
	if err := t.bound(dev, c.Owner); err != nil {
		return &cash.OpError{Device: dev, Op: "clear cashbox", Err: err}
	}
	k := t.desk(dev)
	k.mu.Lock()
	defer k.mu.Unlock()
	b, err := t.open(ctx, k)
	if err != nil {
		return err
	}
	d := newDraft(b)
	clearPlace(d, cash.Cashbox, "cashbox emptied"+by(c.Actor))
	return t.commit(ctx, k, d)
}

// Settle closes the open operation opID as a person has found it: paid is what it has moved in all, by denomination.
// The difference to what is booked for it is written. Errors: cash.ErrNothing (no such operation), ErrInvalid (already
// closed, or negative counts), ErrBusy (it is running on a machine that answers), ErrClaimed, ErrJournal.
func (t *Till) Settle(ctx context.Context, c Call, opID string, paid cash.Counts) error {
	for p, n := range paid {
		if n < 0 || p.Value < 1 || !p.Currency.Valid() {
			return fmt.Errorf("%w: %d pieces of %s", cash.ErrInvalid, n, p)
		}
	}
	op, found, err := t.journal.Op(ctx, opID)
	switch {
	case err != nil:
		return t.unhealthy(err)
	case !found:
		return fmt.Errorf("%w: no operation %q", cash.ErrNothing, opID)
	}
	if err := t.settle(ctx, c, op.Device, opID, paid); err != nil {
		return &cash.OpError{Device: op.Device, Op: "settle", Err: err}
	}
	return nil
}

func (t *Till) settle(ctx context.Context, c Call, dev cash.DeviceID, opID string, paid cash.Counts) error {
	if err := t.bound(dev, c.Owner); err != nil {
		return err
	}
	k := t.desk(dev)
	k.mu.Lock()
	defer k.mu.Unlock()
	b, err := t.open(ctx, k)
	if err != nil {
		return err
	}
	found := b.op(opID)
	if found == nil {
		return fmt.Errorf("%w: operation %s is closed", cash.ErrInvalid, opID)
	}
	if r := k.running.Load(); r != nil && r.id == opID && !r.lost && !k.away {
		return fmt.Errorf("%w: operation %s is running", cash.ErrBusy, opID)
	}
	op := *found
	d := newDraft(b)
	why := "settled" + by(c.Actor)
	bookSettled(d, op, paid, why)
	d.close(op, settledResult(op, paid), "", why)
	return t.commit(ctx, k, d)
}

// bookSettled writes the difference between what op has moved by its rows and what a person says that it has moved.
// Where the machine's books were compared since, they are right about the store: what left it and could not be
// explained lies at unknown. Else it is still booked in the store.
func bookSettled(d *draft, op cash.Op, paid cash.Counts, why string) {
	from := cash.Payout
	if op.State == cash.OpUnknown {
		from = cash.Unknown
	}
	kind, to := cash.KindPayout, cash.Customer
	if op.Kind != cash.OpDispense {
		kind, to = cash.KindMove, cash.Cashbox
	}
	for _, row := range paid.Minus(d.books.moved[op.ID]).Rows() {
		if row.Count > 0 {
			d.move(kind, row.Denom(), row.Count, from, to, op.ID, why)
		} else {
			d.move(cash.KindAdjust, row.Denom(), -row.Count, to, cash.Unknown, op.ID, why)
		}
	}
}

func settledResult(op cash.Op, paid cash.Counts) cash.OpResult {
	switch total := paid.Total(op.Asked.Currency).Value; {
	case total == 0:
		return cash.OpFailed
	case total < op.Asked.Value:
		return cash.OpPartial
	}
	return cash.OpDone
}

func by(actor string) string {
	if actor == "" {
		return ""
	}
	return " by " + actor
}

package till

import (
	"context"
	"fmt"

	"coffer/devices"
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

// SetCashbox writes that a person has counted dev's cashbox and found exactly these pieces of the denominations listed;
// others stay as they are. The difference to the ledger becomes adjust rows; the balance follows. Errors: cash.ErrInvalid
// for a negative count or a value below 1, ErrClaimed, ErrJournal.
func (t *Till) SetCashbox(ctx context.Context, c Call, dev cash.DeviceID, holds cash.Counts) error {
	err := t.bound(dev, c.Owner)
	if err == nil {
		err = checkCounted(holds)
	}
	if err != nil {
		return &cash.OpError{Device: dev, Op: "count cashbox", Err: err}
	}
	k := t.desk(dev)
	k.mu.Lock()
	defer k.mu.Unlock()
	b, err := t.open(ctx, k)
	if err != nil {
		return err
	}
	d := newDraft(b)
	why := "cashbox counted" + by(c.Actor)
	for _, row := range counted(holds, b.cashbox) {
		if row.Count > 0 {
			d.move(cash.KindAdjust, row.Denom(), row.Count, cash.Operator, cash.Cashbox, "", why)
		} else {
			d.move(cash.KindAdjust, row.Denom(), -row.Count, cash.Cashbox, cash.Operator, "", why)
		}
	}
	return t.commit(ctx, k, d)
}

// SetStore says that a person has counted d's store and found exactly these pieces of the denominations listed, and sets
// the machine's levels so; the difference becomes adjust rows. Errors: cash.ErrUnsupported by a machine that counts its
// store itself, ErrInvalid, ErrClaimed, ErrBusy, ErrNotConnected, ErrJournal. After an error some denominations may have
// been set, or be at 0 in machine and ledger: count again.
func (t *Till) SetStore(ctx context.Context, c Call, d devices.Device, holds cash.Counts) error {
	return t.Do(ctx, c, d, "count store", func(ctx context.Context) error {
		f, ok := d.(devices.Filler)
		if !ok || !d.Snapshot().Coins {
			return cash.ErrUnsupported
		}
		if err := checkCounted(holds); err != nil {
			return err
		}
		acc, err := d.Account(ctx)
		if err != nil {
			return err
		}
		why := "counted" + by(c.Actor)
		for _, row := range counted(holds, acc.Levels) {
			coin := row.Denom()
			if row.Count < 0 { // a level can only be cleared, or added to
				if err := t.addLevel(ctx, d, f, coin, 0, why); err != nil {
					return err
				}
				row.Count = holds[coin]
			}
			if row.Count == 0 {
				continue
			}
			if err := t.addLevel(ctx, d, f, coin, row.Count, why); err != nil {
				return err
			}
		}
		return nil
	})
}

// Fill tells a coin machine that n coins were put into its store, or with 0 that there are none of that kind any more;
// see devices.Filler. The adjust row says who did it, also where the
// machine or this computer is lost before its answer is known. Errors also: cash.ErrUnsupported, ErrClaimed, ErrJournal:
// then the machine was told nothing.
func (t *Till) Fill(ctx context.Context, c Call, d devices.Device, coin cash.Denom, n int) error {
	return t.Do(ctx, c, d, "fill", func(ctx context.Context) error {
		f, ok := d.(devices.Filler)
		if !ok || !d.Snapshot().Coins {
			return cash.ErrUnsupported
		}
		return t.addLevel(ctx, d, f, coin, n, "filled"+by(c.Actor))
	})
}

// counted returns how many pieces more, or fewer, there are of the denominations that were counted.
func counted(holds, books cash.Counts) []cash.Row {
	more := cash.Counts{}
	for p, n := range holds {
		more[p] = n - books[p]
	}
	return more.Rows()
}

func checkCounted(holds cash.Counts) error {
	for p, n := range holds {
		if n < 0 || p.Value < 1 || !p.Currency.Valid() {
			return fmt.Errorf("%w: %d pieces of %s", cash.ErrInvalid, n, p)
		}
	}
	return nil
}

// Settle closes the open operation opID as a person has found it: paid is what it has moved in all, by denomination.
// The difference to what is booked for it is written. Errors: cash.ErrNothing (no such operation), ErrInvalid (already
// closed, over several machines, whose legs are settled, or negative counts), ErrBusy (it is running on a machine that answers), ErrClaimed, ErrJournal.
func (t *Till) Settle(ctx context.Context, c Call, opID string, paid cash.Counts) error {
	if err := checkCounted(paid); err != nil {
		return err
	}
	op, found, err := t.journal.Op(ctx, opID)
	switch {
	case err != nil:
		return t.unhealthy(err)
	case !found:
		return fmt.Errorf("%w: no operation %q; `coffer journal settle` lists those that are open", cash.ErrNothing, opID)
	case len(op.Across) > 0:
		return fmt.Errorf("%w: operation %s went over several machines: settle its open legs", cash.ErrInvalid, opID)
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
	if err := checkSettled(op, paid); err != nil {
		return err
	}
	d := newDraft(b)
	why := "settled" + by(c.Actor)
	bookSettled(d, op, paid, why)
	d.close(op, settledResult(op, paid), "", why)
	return t.commit(ctx, k, d)
}

// checkSettled refuses what an operation cannot have moved, which is a slip of the pen: pieces of another currency, and
// a payout of more than was asked for.
func checkSettled(op cash.Op, paid cash.Counts) error {
	cur := op.Asked.Currency
	for d := range paid {
		if cur != "" && d.Currency != cur {
			return fmt.Errorf("%w: operation %s is in %s, and %s is not", cash.ErrInvalid, op.ID, cur, d)
		}
	}
	if total := paid.Total(cur); op.Kind == cash.OpDispense && total.Value > op.Asked.Value {
		return fmt.Errorf("%w: %s is more than the %s that operation %s was to pay", cash.ErrInvalid, total, op.Asked, op.ID)
	}
	return nil
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

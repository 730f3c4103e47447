package till

import (
	"context"
	"encoding/json"

	"coffer/devices"
	"coffer/internal/cash"
)

// filling is what a person was about to tell a machine of its store: that Count pieces more are in it, or -Count fewer.
// It is on disk before the machine hears of it, until the books are compared next: where nobody learns whether the
// machine took it, its levels say so, and this says whose pieces they are.
type filling struct {
	Coin  cash.Denom
	Count int
	Why   string // detail of the row
}

// fillingType is the type of the evidence that keeps a filling. It is no event of a machine.
const fillingType = "Filling"

func (f filling) evidence(dev cash.DeviceID) (cash.Evidence, error) {
	data, err := json.Marshal(f)
	return cash.Evidence{Device: dev, Type: fillingType, Data: data}, err
}

// fillingOf is the opposite of evidence; false for evidence of another kind.
func fillingOf(e cash.Evidence) (f filling, ok bool) {
	ok = e.Type == fillingType && json.Unmarshal(e.Data, &f) == nil
	return f, ok
}

// addLevel tells the machine that n pieces of coin were put into its store, 0 for none left there; why is the detail of
// the rows.
func (t *Till) addLevel(ctx context.Context, d devices.Device, f devices.Filler, coin cash.Denom, n int, why string) error {
	k := t.desk(d.Snapshot().ID)
	if err := t.beginFilling(ctx, k, coin, n, why); err != nil {
		return err
	}
	defer k.endFilling()
	return f.AddLevel(ctx, coin, n)
}

func (t *Till) beginFilling(ctx context.Context, k *desk, coin cash.Denom, n int, why string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	b, err := t.open(ctx, k)
	if err != nil {
		return err
	}
	if n == 0 {
		n = -b.payout[coin]
	}
	d := newDraft(b)
	if err := d.fill(filling{coin, n, why}); err != nil {
		return err
	}
	if err := t.commit(ctx, k, d); err != nil {
		return err
	}
	k.byHand, k.filling = why, &filling{coin, n, why}
	return nil
}

func (k *desk) endFilling() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byHand, k.filling = "", nil
}

// fill keeps f on disk, also where the draft forgets the evidence.
func (d *draft) fill(f filling) error {
	e, err := f.evidence(d.books.dev)
	if err != nil {
		return err
	}
	d.fillings = append(d.fillings, e)
	d.books.fillings = append(d.books.fillings, f)
	return nil
}

// byHand books what a person was telling the machine when it was lost, or the computer: row is what its levels show
// beyond the ledger.
func (r *reconciler) byHand(row cash.Row) bool {
	for _, f := range r.d.books.fillings {
		switch {
		case f.Coin != row.Denom():
		case row.Count > 0 && f.Count >= row.Count:
			r.d.move(cash.KindAdjust, f.Coin, row.Count, cash.Operator, cash.Payout, "", f.Why)
			return true
		case row.Count < 0 && f.Count <= row.Count:
			r.d.move(cash.KindAdjust, f.Coin, -row.Count, cash.Payout, cash.Operator, "", f.Why)
			return true
		}
	}
	return false
}

package till

import (
	"context"

	"coffer/internal/cash"
)

// Stock returns what the ledger says is in dev's store and in its cashbox, with everything that was published so far.
// Errors: cash.ErrJournal.
func (t *Till) Stock(ctx context.Context, dev cash.DeviceID) (payout, cashbox cash.Counts, err error) {
	k := t.desk(dev)
	k.mu.Lock()
	defer k.mu.Unlock()
	b, err := t.open(ctx, k)
	if err != nil {
		return nil, nil, err
	}
	return nonZero(b.payout), nonZero(b.cashbox), nil
}

// Rows returns dev's ledger rows with a Seq above after, in order. Errors: cash.ErrJournal.
func (t *Till) Rows(ctx context.Context, dev cash.DeviceID, after int64) ([]cash.Entry, error) {
	return t.journal.LinesSince(ctx, dev, after)
}

// LastRow returns the Seq of dev's last ledger row, 0 for none. Errors: cash.ErrJournal.
func (t *Till) LastRow(ctx context.Context, dev cash.DeviceID) (int64, error) {
	return t.journal.LastSeq(ctx, dev, "")
}

// InDoubt says whether a discrepancy of dev was written and nothing was counted or adjusted since. Errors:
// cash.ErrJournal.
func (t *Till) InDoubt(ctx context.Context, dev cash.DeviceID) (bool, error) {
	doubt, err := t.journal.LastSeq(ctx, dev, cash.KindDiscrepancy)
	if err != nil || doubt == 0 {
		return false, err
	}
	counted, err := t.journal.LastSeq(ctx, dev, cash.KindAdjust)
	return doubt > counted, err
}

package till

import (
	"context"
	"fmt"

	"coffer/devices"
	"coffer/internal/cash"
)

// DispensePieces pays exactly these pieces to the customer. Otherwise as Dispense; cash.ErrInvalid for no pieces, a
// negative count or more than one currency.
func (t *Till) DispensePieces(ctx context.Context, c Call, d devices.Device, want cash.Counts) (*Operation, error) {
	j, err := piecesJob(d, want)
	if err != nil {
		return nil, refuse(d, cash.OpDispense, err)
	}
	return t.begin(ctx, c, d, j)
}

// piecesJob is the payout of exactly these pieces.
func piecesJob(d devices.Device, want cash.Counts) (job, error) {
	worth, err := worthOf(want)
	if err != nil {
		return job{}, err
	}
	p, ok := d.(devices.PiecePayer)
	if !ok {
		return job{}, cash.ErrUnsupported
	}
	want = nonZero(want)
	return job{
		op:    cash.Op{Kind: cash.OpDispense, Asked: worth, Pieces: want},
		test:  func(ctx context.Context) error { return p.TestPieces(ctx, want) },
		start: func(ctx context.Context) error { return p.StartPieces(ctx, want) },
	}, nil
}

// worthOf checks pieces that are to be moved and returns what they are worth.
func worthOf(want cash.Counts) (cash.Amount, error) {
	worth := cash.Amount{}
	for _, row := range want.Rows() {
		switch {
		case row.Count < 0 || row.Value < 1 || !row.Currency.Valid():
			return worth, fmt.Errorf("%w: cannot pay %d of %s", cash.ErrInvalid, row.Count, row.Denom())
		case worth.Currency != "" && worth.Currency != row.Currency:
			return worth, fmt.Errorf("%w: pieces of %s and %s in one payout", cash.ErrInvalid, worth.Currency, row.Currency)
		}
		worth.Currency = row.Currency
		worth.Value += row.Value * int64(row.Count)
	}
	if worth.Value < 1 {
		return worth, fmt.Errorf("%w: no pieces to pay", cash.ErrInvalid)
	}
	return worth, nil
}

// FloatAmount keeps pieces worth keep in the store, such that every amount down to minimum (minor units) can still be
// paid, and moves the rest to the cashbox. Otherwise as Dispense; cash.ErrInvalid for a negative amount or minimum.
func (t *Till) FloatAmount(ctx context.Context, c Call, d devices.Device, keep cash.Amount, minimum int64) (*Operation, error) {
	f, ok := d.(devices.AmountFloater)
	switch {
	case !ok:
		return nil, refuse(d, cash.OpFloat, cash.ErrUnsupported)
	case keep.Value < 0 || minimum < 0 || !keep.Currency.Valid():
		return nil, refuse(d, cash.OpFloat, fmt.Errorf("%w: cannot keep %s", cash.ErrInvalid, keep))
	}
	return t.begin(ctx, c, d, job{
		op:    cash.Op{Kind: cash.OpFloat, Worth: keep, Least: minimum},
		start: func(ctx context.Context) error { return f.StartFloatAmount(ctx, keep, minimum) },
	})
}

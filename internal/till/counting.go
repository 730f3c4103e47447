package till

import (
	"context"

	"coffer/internal/cash"
)

// ClearCashbox writes that a person has emptied dev's cashbox: adjust rows to the operator for all that the ledger has
// in it. Errors: cash.ErrClaimed, ErrJournal.
func (t *Till) ClearCashbox(ctx context.Context, c Call, dev cash.DeviceID) error {
	return cash.ErrUnsupported
}

// Settle closes the open operation opID as a person has found it: paid is what it has moved in all, by denomination.
// The difference to what is booked for it is written. Errors: cash.ErrNothing (no such operation), ErrInvalid (already
// closed, or negative counts), ErrBusy (it is still running), ErrClaimed, ErrJournal.
func (t *Till) Settle(ctx context.Context, c Call, opID string, paid cash.Counts) error {
	return cash.ErrUnsupported
}

package till

import (
	"context"

	"coffer/devices"
	"coffer/internal/cash"
)

// Call says who asks. The zero Call is nobody in particular, without a key, and obeys every lease.
type Call struct {
	Actor string // a user name or a dialect, for the ledger
	Key   string // names one operation for ever; "" for none
	Owner string // the owner a lease was taken for, "" for none
}

// Outcome is how an operation ended.
type Outcome struct {
	Result cash.OpResult // OpDone, OpPartial, OpFailed (nothing moved) or OpUnknown
	Ended  cash.OpResult // the machine's own word for it (OpHalted, OpTimedOut, …), "" if it gave none
	Asked  cash.Amount   // what was to be moved; for float and empty by the ledger's levels at the start
	Paid   cash.Amount   // what was moved: to the customer, or to the cashbox by float and empty
	Pieces cash.Counts   // the same by denomination
}

// Operation is a payout, float or empty whose intent is on disk.
type Operation struct {
	ID     string
	Kind   cash.OpKind
	Device cash.DeviceID
	Repeat bool // the call's key was used before: this is that operation, and nothing was sent

	done    chan struct{}
	outcome Outcome // valid once done is closed
}

// Done is closed once the outcome is on disk.
func (o *Operation) Done() <-chan struct{} { return o.done }

// Wait waits for the outcome. The error is nil where all was moved; *cash.PartialError where less was;
// cash.ErrOutcomeUnknown where nobody can know, with what is sure in Outcome; cash.ErrOutcomeUnknown as well, with the
// zero Outcome, for an operation of an earlier process that is still open; else the context's.
func (o *Operation) Wait(ctx context.Context) (Outcome, error) {
	select {
	case <-o.done:
		return o.outcome, nil
	case <-ctx.Done():
		return Outcome{}, ctx.Err()
	}
}

// Dispense pays want to the customer in the machine's choice of pieces. It returns once the machine has started; Wait
// gives the outcome. From the machine's command on, ctx no longer counts.
//
// Errors, with nothing moved: cash.ErrInvalid, ErrUnsupported, ErrClaimed, ErrBusy (at once, never a queue),
// ErrNotEnough, ErrNotExact, ErrDisabled, ErrNotConnected, ErrJournal. cash.ErrOutcomeUnknown comes with a non-nil
// Operation, whose outcome follows when the machine is back; never pay again instead.
//
// A key that was used before pays nothing: it returns that operation (Repeat), or the error that it was refused with;
// cash.ErrInvalid if the key belongs to another kind of operation, device or amount.
func (t *Till) Dispense(ctx context.Context, c Call, d devices.Device, want cash.Amount) (*Operation, error) {
	return nil, cash.ErrUnsupported
}

// Float moves all pieces but keep from the store to the cashbox; what is not in keep is moved out completely.
// Otherwise as Dispense.
func (t *Till) Float(ctx context.Context, c Call, d devices.Device, keep cash.Counts) (*Operation, error) {
	return nil, cash.ErrUnsupported
}

// Empty moves the whole store, or one module of it (0 for all), to the cashbox. Otherwise as Dispense.
func (t *Till) Empty(ctx context.Context, c Call, d devices.Device, module byte) (*Operation, error) {
	return nil, cash.ErrUnsupported
}

// Running returns the operation that runs on dev, nil for none.
func (t *Till) Running(dev cash.DeviceID) *Operation { return nil }

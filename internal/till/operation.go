package till

import (
	"context"
	"fmt"

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
	Paid   cash.Amount   // what is sure to have moved: to the customer, or to the cashbox by float and empty
	Pieces cash.Counts   // the same by denomination

	By map[cash.DeviceID]cash.Counts // the same by machine, of an operation over several
}

// Err returns the outcome as an error: nil where all was moved, *cash.PartialError where less was, and
// cash.ErrOutcomeUnknown where nobody can know.
func (o Outcome) Err() error {
	switch o.Result {
	case cash.OpDone:
		return nil
	case cash.OpUnknown:
		return fmt.Errorf("%w: at least %s of %s moved", cash.ErrOutcomeUnknown, o.Paid, o.Asked)
	}
	return &cash.PartialError{Asked: o.Asked, Paid: o.Paid}
}

// Operation is a payout, float or empty whose intent is on disk.
type Operation struct {
	ID     string
	Kind   cash.OpKind
	Device cash.DeviceID // the first machine of several
	Asked  cash.Amount
	Repeat bool // the call's key was used before: this is that operation, and nothing was sent

	run *run
}

// Done is closed once the outcome is on disk.
func (o *Operation) Done() <-chan struct{} { return o.run.done }

// Wait waits for the outcome. The error is that of Outcome.Err, or the context's with the zero Outcome. An operation
// whose machine is away ends when the machine is back and its books were compared. One that still runs when the till has
// closed gives OpUnknown: its outcome stands in the ledger after the next start.
func (o *Operation) Wait(ctx context.Context) (Outcome, error) {
	select {
	case <-o.run.done:
		return o.run.outcome, o.run.outcome.Err()
	case <-ctx.Done():
		return Outcome{}, ctx.Err()
	case <-o.run.quit:
	}
	select {
	case <-o.run.done:
		return o.run.outcome, o.run.outcome.Err()
	default:
		out := Outcome{Result: cash.OpUnknown, Asked: o.Asked, Paid: cash.Amount{Currency: o.Asked.Currency}}
		return out, fmt.Errorf("%w: coffer stops; the ledger will have the outcome", cash.ErrOutcomeUnknown)
	}
}

// Dispense pays want to the customer in the machine's choice of pieces. It returns once the machine has started; Wait
// gives the outcome. From the machine's command on, ctx no longer counts.
//
// Errors, with nothing moved: cash.ErrInvalid, ErrUnsupported, ErrClaimed, ErrBusy (at once, never a queue),
// ErrNotEnough, ErrNotExact, ErrDisabled, ErrNotConnected, ErrJam, ErrJournal. cash.ErrOutcomeUnknown comes with a
// non-nil Operation, whose outcome follows when the machine is back; never pay again instead.
//
// A key that was used before pays nothing: it returns that operation (Repeat), or the error that it was refused with;
// cash.ErrInvalid if the key belongs to another kind of operation, device or amount.
func (t *Till) Dispense(ctx context.Context, c Call, d devices.Device, want cash.Amount) (*Operation, error) {
	p, ok := d.(devices.Payer)
	switch {
	case !ok:
		return nil, refuse(d, cash.OpDispense, cash.ErrUnsupported)
	case want.Value < 1 || !want.Currency.Valid():
		return nil, refuse(d, cash.OpDispense, fmt.Errorf("%w: cannot pay %s", cash.ErrInvalid, want))
	}
	return t.begin(ctx, c, d, amountJob(p, want))
}

// Float moves all pieces but keep from the store to the cashbox; what is not in keep is moved out completely.
// Otherwise as Dispense.
func (t *Till) Float(ctx context.Context, c Call, d devices.Device, keep cash.Counts) (*Operation, error) {
	f, ok := d.(devices.Floater)
	if !ok {
		return nil, refuse(d, cash.OpFloat, cash.ErrUnsupported)
	}
	for p, n := range keep {
		if n < 0 {
			return nil, refuse(d, cash.OpFloat, fmt.Errorf("%w: cannot keep %d of %s", cash.ErrInvalid, n, p))
		}
	}
	keep = nonZero(keep)
	return t.begin(ctx, c, d, job{
		op:    cash.Op{Kind: cash.OpFloat, Keep: keep},
		start: func(ctx context.Context) error { return f.StartFloat(ctx, keep) },
	})
}

// Empty moves the whole store, or one module of it (0 for all), to the cashbox. Otherwise as Dispense.
func (t *Till) Empty(ctx context.Context, c Call, d devices.Device, module byte) (*Operation, error) {
	e, ok := d.(devices.Emptier)
	if !ok {
		return nil, refuse(d, cash.OpEmpty, cash.ErrUnsupported)
	}
	return t.begin(ctx, c, d, job{
		op:    cash.Op{Kind: cash.OpEmpty, Module: module},
		start: func(ctx context.Context) error { return e.StartEmpty(ctx, module) },
	})
}

// ByKey returns the operation that a key names, nil for a key that was never used. One that was refused is returned with
// the error that Dispense and its like give for it. Errors: those, cash.ErrJournal.
func (t *Till) ByKey(ctx context.Context, key string) (*Operation, error) {
	op, used, err := t.journal.OpByKey(context.WithoutCancel(ctx), key)
	switch {
	case err != nil:
		return nil, t.unhealthy(err)
	case !used:
		return nil, nil
	}
	return t.repeat(ctx, t.desk(op.Device), job{op: op})
}

// Running returns the operation that runs on dev, nil for none.
func (t *Till) Running(dev cash.DeviceID) *Operation {
	r := t.desk(dev).running.Load()
	if r == nil || !r.isBegun() {
		return nil
	}
	return r.handle(false)
}

func refuse(d devices.Device, op cash.OpKind, err error) error {
	return &cash.OpError{Device: d.Snapshot().ID, Op: string(op), Err: err}
}

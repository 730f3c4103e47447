package devices

import (
	"context"

	"coffer/internal/cash"
)

// Device is one machine on a line, whatever its family. A Device exists from configuration (or the first open) on, and
// reconnects by itself; what it can do beyond this interface is asked for by type assertion on the capability
// interfaces below. A capability that the driver has but this machine lacks answers cash.ErrUnsupported.
//
// Methods are safe for use from any goroutine. They wait for the device's own goroutine, which answers within the
// exchange deadlines of its line; a cancelled context gives up before the command is on the wire and never after.
// Every method returns cash.ErrNotConnected while the machine does not answer.
type Device interface {
	// Snapshot returns the latest picture of the device. It never waits and never returns nil.
	Snapshot() *Snapshot

	// Enable turns acceptance on, Disable off. Both are idempotent. Disable leaves a running payout alone. One that finds
	// the machine away is answered cash.ErrNotConnected and holds all the same: the machine stays off when it is back.
	Enable(ctx context.Context) error
	Disable(ctx context.Context) error

	// Reset restarts the machine (SSP RESET 0x01). It returns once the command is answered; the device then goes
	// through NOT_CONNECTED and connects again. cash.ErrBusy while an operation runs.
	Reset(ctx context.Context) error

	// SetInhibits blocks (inhibit true) or allows the denominations, all or none: cash.ErrInvalid if one is not in
	// the dataset.
	SetInhibits(ctx context.Context, denoms []cash.Denom, inhibit bool) error

	// Account reads levels and counters from the machine now.
	Account(ctx context.Context) (*cash.Account, error)

	// Raw sends one command (code and parameters) and returns the whole answer, first byte the generic response code.
	// Commands that move money, change keys or poll, and those too long for a frame, are refused with cash.ErrInvalid.
	Raw(ctx context.Context, cmd []byte) ([]byte, error)
}

// Escrow is a device that can hold a note until its host decides.
type Escrow interface {
	// SetAutoAccept says whether a recognised note is taken at once (true, the default) or held.
	SetAutoAccept(ctx context.Context, on bool) error
	// AcceptEscrow takes the held note, ReturnEscrow gives it back. They return when the machine has the command;
	// what becomes of the note is reported by events. cash.ErrNothing if none is held.
	AcceptEscrow(ctx context.Context) error
	ReturnEscrow(ctx context.Context) error
}

// LastRejecter is a device that knows why it last refused a note.
type LastRejecter interface {
	LastReject(ctx context.Context) (code byte, err error)
}

// Payer is a device that can hand money out.
type Payer interface {
	// EnablePayout and DisablePayout switch the payout store (SSP 0x5C, 0x5B). A hopper has no such switch:
	// cash.ErrUnsupported.
	EnablePayout(ctx context.Context) error
	DisablePayout(ctx context.Context) error
	// TestPayout asks the machine whether it could pay want now. Nothing moves. Errors: ErrNotEnough, ErrNotExact,
	// ErrBusy, ErrDisabled, ErrInvalid (currency).
	TestPayout(ctx context.Context, want cash.Amount) error
	// StartPayout commits. On nil the machine has started; Progress events and one Ended event follow. Any error but
	// cash.ErrOutcomeUnknown means that nothing was started.
	StartPayout(ctx context.Context, want cash.Amount) error
	// Halt stops the running operation at the next safe point. cash.ErrNothing if none runs.
	Halt(ctx context.Context) error
}

// Floater is a device that can move all but some pieces from its store to the cashbox.
type Floater interface {
	// StartFloat keeps the given pieces of each denomination; what is not listed is moved out completely. Errors and
	// events as for StartPayout.
	StartFloat(ctx context.Context, keep cash.Counts) error
}

// Emptier is a device that can move its whole store to the cashbox and say what it moved.
type Emptier interface {
	// StartEmpty begins SMART EMPTY. module is 0 for the whole device. Errors and events as for StartPayout.
	StartEmpty(ctx context.Context, module byte) error
}

// Auditor is a device that can be told to have its books compared with the ledger before the next audit is due.
type Auditor interface {
	// Audit returns once Sink.Reconcile has the machine's books, or soon without that where the machine is not at rest.
	Audit(ctx context.Context) error
}

// Router is a device whose denominations can go to the payout store or to the cashbox.
type Router interface {
	// SetRoute sends denom to the payout store (true) or the cashbox (false) from now on.
	SetRoute(ctx context.Context, denom cash.Denom, toPayout bool) error
}

// NoteFloat is a device whose store is a pile: it pays and stacks the note that came in last, and takes one denomination
// at a time. Payouts and floats of it come to an end where the notes on top do not add up: cash.ErrNotExact.
type NoteFloat interface {
	// Notes reads what is in the pile now, the next one out last.
	Notes(ctx context.Context) ([]cash.Denom, error)
}

// CounterResetter is a device whose counters can be cleared (SSP 0x59).
type CounterResetter interface {
	ResetCounters(ctx context.Context) error
}

// Sink is who a driver tells. The till implements it. Calls for one device come one at a time, in order, and block the
// device until they return; nothing is acknowledged to the machine before.
type Sink interface {
	// Record writes what the events say of money, as one transaction, and publishes all of them. On an error
	// (cash.ErrJournal) nothing was written or published: the driver leaves the answer unacknowledged, turns
	// acceptance off and calls again with the same events until it returns nil.
	Record(ctx context.Context, dev cash.DeviceID, events ...cash.Event) error

	// Evidence keeps on disk what was seen while a machine is drained after a (re)connection, without booking it:
	// such an event may be one that was booked before the loss. Reconcile books it. Errors as for Record.
	Evidence(ctx context.Context, dev cash.DeviceID, events ...cash.Event) error

	// Reconcile is called after every (re)connection once the machine is at rest with its acceptor off, nothing in
	// escrow and no event unacknowledged; and by the driver's audit at idle. The till compares acc with the ledger,
	// writes what is missing, closes operations that were open, and forgets the evidence. Errors as for Record.
	Reconcile(ctx context.Context, dev cash.DeviceID, acc cash.Account) error
}

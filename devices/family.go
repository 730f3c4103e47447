package devices

import (
	"coffer/internal/cash"
	"coffer/ssp"
)

// Family makes the drivers of one kind of machine. A station is given a list of families and takes the first that
// accepts what a machine says of itself.
type Family struct {
	Name    string // for the log
	Accepts func(s ssp.Setup, firmware string) bool
	Model   func(s ssp.Setup, firmware string) string // deviceModel of the REST dialects
	New     func(c *Core) Driver
}

// Driver is what a family adds to the runtime that all devices share. Its methods run on the device's own goroutine,
// one at a time, and may use the Core they were given; only Device is for others.
//
// An error that is a *ssp.StatusError means the machine refused; any other ends the connection, and the runtime starts
// over with it.
type Driver interface {
	// Device is what callers get: the Base, with the family's capabilities around it. Always the same one.
	Device() Device

	// Secure is called after every connection before the first poll, and leaves the machine with nothing in escrow and
	// its acceptor off, so that polling cannot take money.
	Secure() error
	// Configure sets the machine up after its books were reconciled: routes, inhibits, payout store, options. The
	// acceptor stays off.
	Configure() error
	// Accept turns acceptance on or off. Off leaves an enabled payout able to run.
	Accept(on bool) error
	// Inhibits sends Core.Set.Inhibited to the machine.
	Inhibits() error
	// Refused is called when what was read cannot be written down, and when the device is to stop: acceptance goes off
	// and a note that is still the customer's goes back. It leaves Core.Set alone.
	Refused() error

	// Take translates one event of a poll answer that is the family's own. It may ask the machine for more, but not
	// poll. What it returns is recorded before the answer is acknowledged.
	Take(e ssp.Event) ([]cash.Event, error)
	// Evidence translates the same event without asking anything and without believing in what came before: for
	// answers read while a machine is drained.
	Evidence(e ssp.Event) []cash.Event
	// After is called when an answer was recorded and acknowledged. A true result holds back the next poll, which could
	// take a note: After is then called in its place, with a nil answer, until it returns false. While a machine is
	// drained, After sends back a note that is still recognised.
	After(answer []ssp.Event, draining bool) (hold bool, err error)

	// Busy says whether a piece waits for a decision, or is on its way in.
	Busy() bool
	// State returns the family's own StateRule for an event, if it has one.
	State(code ssp.EventCode) (StateRule, bool)
	// Lost is called when a connection begins: what was believed of the one before counts no more.
	Lost()
}

// Rester is a Driver whose machine shows nothing while it is at something.
type Rester interface {
	// Resting returns the state of a machine that shows nothing, if it is not one of rest.
	Resting() (cash.State, bool)
}

// Waiter is a Driver whose machine can keep pieces for a decision that may be long in coming.
type Waiter interface {
	// Waiting says whether the machine keeps any and does nothing else. Such a machine is Busy, but need not be polled
	// as one where something moves; and it is not drained.
	Waiting() bool
}

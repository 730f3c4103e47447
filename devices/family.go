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
	// Configure sets the machine up after its books were reconciled: inhibits, routes, payout store, options. The
	// acceptor stays off.
	Configure() error
	// Accept turns acceptance on or off. Off must leave an enabled payout able to run.
	Accept(on bool) error
	// Inhibits sends Settings.Inhibited to the machine.
	Inhibits() error

	// Take translates the family's own events of one poll answer. It may ask the machine for more, but not poll. What
	// it returns is recorded before the answer is acknowledged.
	Take(e ssp.Event) ([]cash.Event, error)
	// Evidence translates the same events without asking anything and without believing in what came before: for
	// answers read while a machine is drained.
	Evidence(e ssp.Event) []cash.Event
	// Drained is called for every answer while draining, after it was kept and acknowledged: a note that is still
	// recognised then must be sent back.
	Drained(answer []ssp.Event) error
	// Taken is called after an answer was recorded and acknowledged, once it has no more Take. A true result holds the
	// next poll back: the runtime calls Hold in its place until Hold returns false.
	Taken(answer []ssp.Event) (hold bool, err error)
	Hold() (hold bool, err error)

	// Busy says whether a piece is on its way in, or waits for a decision.
	Busy() bool
	// State is the state that an event of this family stands for, if any; see Walk.
	State(code ssp.EventCode) (StateRule, bool)
}

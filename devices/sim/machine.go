package sim

import (
	"coffer/ssp"
)

// Options make a machine of a profile a particular one.
type Options struct {
	Currency string        // three capitals; "": EUR
	Dataset  []int64       // denominations in minor units, rising; nil: the profile's
	Levels   map[int64]int // pieces in the payout store at the start, by value
	Serial   uint32        // 0: made from line name and address, the same every time
	// HoldBezel leaves a dispensed note in the bezel until Take; else the customer takes it after a moment.
	HoldBezel bool
	// NoEncryption makes a machine that executes money commands in plain, too.
	NoEncryption bool
}

// Machine is one simulated machine. It has power and is plugged in when it is made.
type Machine struct {
	line *Line
	addr ssp.Address
}

func newMachine(l *Line, addr ssp.Address, profile string, opt Options) (*Machine, error) {
	return nil, ErrInvalid
}

// Line returns the line the machine is on.
func (m *Machine) Line() *Line { return m.line }

// Address returns the machine's SSP address.
func (m *Machine) Address() ssp.Address { return m.addr }

// Profile returns the name of the machine's profile.
func (m *Machine) Profile() string { return "" }

// Truth tells where everything is now.
func (m *Machine) Truth() Truth { return Truth{} }

// Insert feeds something in. It returns at once with an id for World.InsertState. ErrRefused when the machine cannot
// take it into its path, ErrInvalid for a request that makes no sense. An acceptor that is off, or does not want this
// denomination, takes nothing and has no error: the pieces count as inserted and returned.
func (m *Machine) Insert(in Insert) (string, error) { return "", ErrInvalid }

// Fault makes something go wrong, or right again. ErrInvalid for a kind that this machine does not know.
func (m *Machine) Fault(f Fault) error { return ErrInvalid }

// SetLevel makes count pieces of a denomination lie in the payout store, as a hand that fills or takes out.
// ErrInvalid for a machine without one or a denomination that is not in the dataset.
func (m *Machine) SetLevel(value int64, currency string, count int) error { return ErrInvalid }

// Take takes the note that waits in the bezel. ErrRefused if there is none.
func (m *Machine) Take() error { return ErrRefused }

// OnStep calls f before every step of the mechanics takes effect, with the step's name ("note:credit"). If f returns
// true, the power is cut there and the step does not happen. f must not call the machine.
func (m *Machine) OnStep(f func(step string) (cut bool)) {}

func (m *Machine) rescale(old, factor float64)           {}
func (m *Machine) stop()                                 {}
func (m *Machine) receive(b []byte, send func(outgoing)) {}

package cash

import (
	"errors"
	"fmt"
)

// The whole list of errors that upper layers test for with errors.Is. Layers wrap them and add their own noun once.
// How each dialect shows them stands in that dialect's errors.go (docs/errors.md).
var (
	ErrInvalid      = errors.New("invalid argument")
	ErrUnsupported  = errors.New("not supported by this device")
	ErrUnknown      = errors.New("no such device")
	ErrClaimed      = errors.New("claimed by another owner")
	ErrNotClaimed   = errors.New("not claimed")
	ErrUnauthorized = errors.New("not authorized")
	ErrBusy         = errors.New("device busy")
	ErrDisabled     = errors.New("device disabled")
	ErrNotConnected = errors.New("device not connected")
	ErrNotEnough    = errors.New("not enough value in device")
	ErrNotExact     = errors.New("cannot pay exact amount")
	ErrJam          = errors.New("device jammed")
	ErrFull         = errors.New("device full")
	ErrNoCashbox    = errors.New("cashbox removed")
	ErrNothing      = errors.New("nothing to act on") // no note in escrow, no payout to halt
	ErrGap          = errors.New("reader fell behind")

	// ErrOutcomeUnknown: the command may have moved money. Never repeat it blindly.
	ErrOutcomeUnknown = errors.New("outcome unknown")

	// ErrKeySeen: the caller's key already names an operation, which comes with it; nothing was begun.
	ErrKeySeen = errors.New("key was used before")

	// ErrJournal: the ledger could not be read or written; nothing was moved by this call.
	ErrJournal = errors.New("ledger unavailable")
)

// PartialError is the outcome of an operation that moved less than was asked.
type PartialError struct {
	Asked, Paid Amount
}

func (e *PartialError) Error() string { return fmt.Sprintf("paid %s of %s", e.Paid, e.Asked) }

// OpError says which operation failed on which device; Err is the cause.
type OpError struct {
	Device DeviceID
	Op     string // as in the API: "dispense", "enable", "stack"
	Err    error
}

func (e *OpError) Error() string { return fmt.Sprintf("%s: %s: %v", e.Device, e.Op, e.Err) }

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }

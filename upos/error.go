package upos

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/cash"
)

// Error is a failure as the standard reports it.
type Error struct {
	Code     int32 // E_…
	Extended int32 // with E_EXTENDED, else 0
	Message  string

	cause error
}

func (e *Error) Error() string {
	if e.Extended != 0 {
		return fmt.Sprintf("%s %d: %s", e.Name(), e.Extended, e.Message)
	}
	return e.Name() + ": " + e.Message
}

// Name is the name of the code, as "E_DISABLED".
func (e *Error) Name() string {
	if n := nameOf("ErrorCode", e.Code); n != "" {
		return n
	}
	return fmt.Sprintf("E_%d", e.Code)
}

// Unwrap returns what the machinery said.
func (e *Error) Unwrap() error { return e.cause }

// ErrUnknownMember is returned, wrapped, for the name of a property or method that the class does not have.
var ErrUnknownMember = errors.New("no such member")

// ErrClosed is returned by Next and Ack of a closed handle.
var ErrClosed error = &Error{Code: E_CLOSED, Message: "the device is not open"}

// fail makes an Error.
func fail(code int32, format string, a ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, a...)}
}

// codeOf is the one table from the errors of the machinery to result codes (docs/errors.md). What is
// not listed is E_FAILURE.
var codeOf = []struct {
	err            error
	code, extended int32
}{
	{cash.ErrOutcomeUnknown, E_FAILURE, 0}, // before what it may be wrapped with
	{cash.ErrInvalid, E_ILLEGAL, 0},
	{cash.ErrUnsupported, E_ILLEGAL, 0},
	{cash.ErrNotExact, E_ILLEGAL, 0}, // no stock could make it; missing stock is ErrNotEnough
	{cash.ErrNotEnough, E_EXTENDED, ECHAN_OVERDISPENSE},
	{cash.ErrClaimed, E_CLAIMED, 0},
	{cash.ErrNotClaimed, E_NOTCLAIMED, 0},
	{cash.ErrBusy, E_BUSY, 0},
	{cash.ErrNotConnected, E_OFFLINE, 0},
	{cash.ErrDisabled, E_DISABLED, 0},
	{context.DeadlineExceeded, E_TIMEOUT, 0},
	{context.Canceled, E_TIMEOUT, 0},
}

// wrap turns an error of the machinery into an Error; nil stays nil, an Error stays itself.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var partial *cash.PartialError
	if errors.As(err, &partial) {
		return &Error{Code: E_FAILURE, Message: err.Error(), cause: err}
	}
	for _, row := range codeOf {
		if errors.Is(err, row.err) {
			return &Error{Code: row.code, Extended: row.extended, Message: err.Error(), cause: err}
		}
	}
	return &Error{Code: E_FAILURE, Message: err.Error(), cause: err}
}

// codes returns the result code and its extension; 0, 0 for nil.
func resultOf(err error) (code, extended int32) {
	var e *Error
	switch {
	case err == nil:
		return SUCCESS, 0
	case errors.As(err, &e):
		return e.Code, e.Extended
	}
	return E_FAILURE, 0
}

package devices

import (
	"context"

	"coffer/internal/cash"
)

// MultiEscrow is a device that can hold several notes in its store for one customer until its host decides (ssp.md
// §16.3). The bytes are the project's own: cash.ErrUnsupported unless the machine understands them (Core.Extended).
//
// While its size is above 0 every note that comes in is held (one NoteHeld each), and routing is off. A commit credits
// all of them into the payout store, a cancel gives them back.
type MultiEscrow interface {
	// MultiEscrowSize reads how many notes are held at most; 0 is off.
	MultiEscrowSize(ctx context.Context) (int, error)
	// SetMultiEscrowSize sets it: 0…20, else cash.ErrInvalid. cash.ErrBusy while anything is held. It outlives restarts;
	// no command of the machine turns it off, so that 0 restarts the machine where it was on.
	SetMultiEscrowSize(ctx context.Context, size int) error
	// MultiEscrowValue reads what is held, worth 0 in the machine's currency for nothing.
	MultiEscrowValue(ctx context.Context) (cash.Amount, error)
	// CommitMultiEscrow takes everything that is held, CancelMultiEscrow gives it back. They return when the machine has
	// the command; events tell the rest. cash.ErrNothing if nothing is held.
	CommitMultiEscrow(ctx context.Context) error
	CancelMultiEscrow(ctx context.Context) error
}

package devices

import (
	"context"

	"coffer/internal/cash"
)

// Recyclers is a device whose payout store is divided into several recyclers, numbered from 1, and which has a
// replenishment cassette. Nobody public knows the bytes: every method answers cash.ErrUnsupported unless the machine
// understands the project's own (Core.Extended), and on a machine with one store.
//
// Where a denomination has no recycler of its own, Router.SetRoute is enough.
type Recyclers interface {
	// SetRecycler sends denom to recycler n from now on, and to the cashbox while that is full. cash.ErrInvalid for a
	// denomination or recycler that the machine does not have.
	SetRecycler(ctx context.Context, denom cash.Denom, n byte) error
	// RecyclerLevels reads what is in recycler n now, and how many notes it can hold.
	RecyclerLevels(ctx context.Context, n byte) (levels cash.Counts, capacity int, err error)
	// SetPayToBezel says whether a note that is paid waits in the bezel until it is taken, or falls into the tray.
	SetPayToBezel(ctx context.Context, on bool) error
	// CassetteMode reads what the replenishment cassette is for, SetCassetteMode changes it.
	CassetteMode(ctx context.Context) (CassetteMode, error)
	SetCassetteMode(ctx context.Context, mode CassetteMode) error
}

// CassetteMode is what a replenishment cassette is for, as the wire has it.
type CassetteMode byte

// Modes of a replenishment cassette.
const (
	CassetteReplenish CassetteMode = 0 // the recyclers are filled from it
	CassettePayout    CassetteMode = 1 // it is paid from
)

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

// Cassette is the number of the replenishment cassette where that of a recycler is asked for, and of its module where it
// is emptied. It is paid from and filled like a recycler; see CassetteMode.
const Cassette byte = 5

// CassetteMode is what a replenishment cassette is for, as the wire has it.
type CassetteMode byte

// Modes of a replenishment cassette.
const (
	CassetteReplenish CassetteMode = 0 // the recyclers are filled from it
	CassettePayout    CassetteMode = 1 // it is paid from
)

// Replenisher is a device whose recyclers can be filled from a cassette (ssp.md §16.4; itl-rest.md ITL-42, 43). What is
// in the cassette is part of the payout store. cash.ErrUnsupported as for Recyclers.
type Replenisher interface {
	// Replenish moves up to n notes from the cassette into the recyclers. It returns when the machine has the command;
	// events tell the rest. cash.ErrNothing without a cassette or with an empty one, cash.ErrInvalid for n outside
	// 1…65535, cash.ErrBusy while an operation runs.
	Replenish(ctx context.Context, n int) error
}

// Refiller is a device with a refill mode: notes that do not fit into the store go back to the customer instead of the
// cashbox (ssp.md §10.13).
type Refiller interface {
	RefillMode(ctx context.Context) (bool, error)
	SetRefillMode(ctx context.Context, on bool) error
}

// Bezel is a device with a lit bezel (SSP CONFIGURE BEZEL 0x54, ssp.md §13.3).
type Bezel interface {
	// SetBezel sets the colour; store keeps it over a restart; kind 0 solid, 1 flashing, 2 off. cash.ErrUnsupported by
	// a machine that has no such bezel.
	SetBezel(ctx context.Context, red, green, blue byte, store bool, kind byte) error
}

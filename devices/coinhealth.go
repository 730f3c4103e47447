package devices

import (
	"context"

	"coffer/internal/cash"
)

// CoinAcceptance is how well a unit of a coin machine recognises coins.
type CoinAcceptance struct {
	Percent        byte
	Seen, Accepted uint32
}

// CoinHealth is what a coin machine says and takes beyond money (ssp.md §16.5; itl-rest.md ITL-47, 51, 52, 60, 61). The
// bytes are the project's own: cash.ErrUnsupported unless the machine understands them (Core.Extended).
type CoinHealth interface {
	// CoinAcceptance reads unit 0 primary hopper, 1 feeder, 2 secondary hopper; cash.ErrInvalid for one it lacks.
	CoinAcceptance(ctx context.Context, unit byte) (CoinAcceptance, error)
	// GlobalError reads the two bytes of the global error code; both 0 is no error.
	GlobalError(ctx context.Context) ([2]byte, error)
	// SetPayoutLimit sets the most coins that one payout may take, 0 for no limit: 0…65535. A payout that needs more is
	// refused with cash.ErrNotExact.
	SetPayoutLimit(ctx context.Context, coins int) error
	// PayoutCount reads how many coins the payout that was tested last would take.
	PayoutCount(ctx context.Context) (int, error)
	// SetNoPayinCount sets how many payouts without a coin coming in between are allowed, 0 for any number.
	SetNoPayinCount(ctx context.Context, n byte) error
}

// CashboxCounter is a coin machine that counts what fell into its cashbox (ssp.md §16.5). cash.ErrUnsupported as for
// CoinHealth.
type CashboxCounter interface {
	// CashboxLevels reads the machine's counts, and how many coins it could not tell.
	CashboxLevels(ctx context.Context) (levels cash.Counts, unknown int, err error)
	// AddCashboxLevel adds n coins to the machine's count of one coin; 0 clears it. The till books the difference.
	AddCashboxLevel(ctx context.Context, coin cash.Denom, n int) error
	// ClearCashboxLevels clears all counts.
	ClearCashboxLevels(ctx context.Context) error
}

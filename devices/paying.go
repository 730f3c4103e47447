package devices

import (
	"context"

	"coffer/internal/cash"
)

// PiecePayer is a device that can pay given pieces (SSP PAYOUT BY DENOMINATION 0x46, ssp.md §10.4).
type PiecePayer interface {
	// TestPieces asks the machine whether it could pay want now. Nothing moves. Errors as for Payer.TestPayout;
	// cash.ErrInvalid for an empty list, a count below 1 or a denomination that is not in the dataset.
	TestPieces(ctx context.Context, want cash.Counts) error
	// StartPieces commits. Errors and events as for Payer.StartPayout.
	StartPieces(ctx context.Context, want cash.Counts) error
}

// AmountFloater is a device that can keep an amount in its store and move the rest to the cashbox (SSP FLOAT AMOUNT
// 0x3D, ssp.md §10.5).
type AmountFloater interface {
	// StartFloatAmount keeps pieces worth keep, such that every amount down to minimum (minor units) can still be paid.
	// Errors and events as for Floater.StartFloat.
	StartFloatAmount(ctx context.Context, keep cash.Amount, minimum int64) error
}

// CashboxLimiter is a device that keeps no more than so many pieces of a denomination in its store, whatever the route
// says (SSP SET CASHBOX PAYOUT LIMIT 0x4E, ssp.md §10.11).
type CashboxLimiter interface {
	// SetCashboxPayoutLimit sets the limit of every denomination listed; 0 is no limit, as after power-up. It is set
	// again after every reconnection. cash.ErrInvalid for a denomination that is not in the dataset or a count outside
	// 0…65535, cash.ErrUnsupported by a machine without it (NV4000, validators).
	SetCashboxPayoutLimit(ctx context.Context, limit cash.Counts) error
}

// PayoutOptioner is a device whose payout store takes options when it is enabled (ssp.md §10.8).
type PayoutOptioner interface {
	// EnablePayoutWith switches the payout store on with the option byte. The byte is forgotten when the machine
	// restarts; it is not sent again by the driver.
	EnablePayoutWith(ctx context.Context, options byte) error
}

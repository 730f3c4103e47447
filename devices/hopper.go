package devices

import (
	"context"
	"fmt"
	"math"

	"coffer/internal/cash"
	"coffer/ssp"
)

// Filler is a coin machine whose store people fill by hand and whose levels then have to be told.
type Filler interface {
	// AddLevel says that n coins were put into the store (SSP 0x34); 0 says that there are none of that kind any more.
	// The till books the difference. cash.ErrInvalid for a coin that is not in the dataset, n below 0 or more than the
	// machine can hold; cash.ErrBusy while an operation runs or coins come in.
	AddLevel(ctx context.Context, coin cash.Denom, n int) error
}

// Options are the two option registers of a hopper (ssp.md section 10.10; bits: ssp.Reg0… and ssp.Reg1…).
type Options struct{ Reg0, Reg1 byte }

// Optioner is a hopper with option registers.
type Optioner interface {
	// Options reads the registers from the machine now.
	Options(ctx context.Context) (Options, error)
	// SetOptions sets them from now on, after a restart as well. cash.ErrInvalid for what the books cannot follow:
	// emptying to the front, and coins routed to the cashbox being paid.
	SetOptions(ctx context.Context, o Options) error
}

// Twin is a coin system with two hoppers behind a sorter. Where no bytes for it are known every method answers
// cash.ErrUnsupported.
type Twin interface {
	// SetSorterRoute sends a coin that stays in the machine to the primary hopper (0) or the secondary (1).
	SetSorterRoute(ctx context.Context, coin cash.Denom, hopper byte) error
	// SetTwinMode chooses 0 single hopper, 1 full twin, 2 lateral path, 3 full with balancing of small coins.
	// cash.ErrBusy when the second hopper is missing.
	SetTwinMode(ctx context.Context, mode byte) error
}

// LifterStatus is what a coin lifter says of itself.
type LifterStatus struct{ Connected, OptoClear, Jammed bool }

// Lifter is a machine to which a coin lifter can be connected, a coin system; cash.ErrUnsupported as for Twin.
type Lifter interface {
	LifterStatus(ctx context.Context) (LifterStatus, error)
}

// AddLevel implements Filler on coin machines; recyclers count for themselves.
func (s *Store) AddLevel(ctx context.Context, coin cash.Denom, n int) error {
	return s.do(ctx, NeedReady, func(c *Core) error {
		switch _, known := c.pic.Channel(coin); {
		case !c.pic.Coins:
			return cash.ErrUnsupported
		case !known || n < 0 || n > math.MaxUint16:
			return fmt.Errorf("%w: %d pieces of %s", cash.ErrInvalid, n, coin)
		case c.op.running || c.driver.Busy():
			return cash.ErrBusy
		}
		return c.addLevel(coin, n)
	})
}

// addLevel sends SET DENOMINATION LEVEL and has what changed booked. The levels are not read afterwards: a coin that
// came in meanwhile would be counted with those of the hand.
func (c *Core) addLevel(coin cash.Denom, n int) error {
	change := n
	if n == 0 {
		levels, err := c.ReadLevels()
		if err != nil {
			return err
		}
		change = -levels[coin]
	}
	list := ssp.DenomCount{Count: uint16(n), Value: uint32(coin.Value), Currency: string(coin.Currency)}
	if _, err := c.Tx(ssp.SetDenominationLevel(c.pic.Protocol, list)); err != nil {
		return refusal(err)
	}
	c.ShowLevels(c.pic.Levels.Plus(cash.Counts{coin: change}))
	if change != 0 {
		c.Tell(cash.Filled{Coin: coin, Count: change})
	}
	return nil
}

package devices

import (
	"context"
	"fmt"
	"math"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

var (
	_ Clock           = (*Base)(nil)
	_ CounterResetter = (*Base)(nil)
)

// Time implements Clock with GET RTC, or the site's own bytes.
func (b *Base) Time(ctx context.Context) (t time.Time, err error) {
	err = b.do(ctx, NeedAnswer, nil, func(c *Core) error {
		switch v, own, err := c.Own(OwnClockGet, nil); {
		case err != nil:
			return err
		case own:
			t, err = ownTime(v)
			return err
		case !c.Extended():
			return errNoClock
		}
		rest, err := c.Tx(ssp.CmdGetClock.Data())
		if err != nil {
			return refusal(err)
		}
		t, err = ssp.ParseClock(rest, time.Local)
		return err
	})
	return t, err
}

// SetTime implements Clock with SET RTC, or the site's own bytes.
func (b *Base) SetTime(ctx context.Context, t time.Time) error {
	t = t.Local()
	if t.Year() < 2000 || t.Year() > 2099 {
		return fmt.Errorf("%w: year %d", cash.ErrInvalid, t.Year())
	}
	return b.do(ctx, NeedAnswer, nil, func(c *Core) error {
		switch _, own, err := c.Own(OwnClockSet, timeFields(t)); {
		case own:
			return err
		case !c.Extended():
			return errNoClock
		}
		_, err := c.Tx(ssp.SetClock(t))
		return refusal(err)
	})
}

// ResetCounters implements CounterResetter with RESET COUNTERS, between two comparisons of the books with the ledger:
// what the counters witness is on disk before they are cleared, and they are the new base directly behind. Errors:
// cash.ErrBusy unless nothing moves and nothing is held, cash.ErrJam, cash.ErrUnsupported.
func (b *Base) ResetCounters(ctx context.Context) error {
	return b.whenCalm(ctx, func(c *Core, ctx context.Context) error {
		if err := c.compare(ctx); err != nil {
			return err
		}
		if _, err := c.Tx(ssp.CmdResetCounters.Data()); err != nil {
			return refusal(err)
		}
		return c.compare(ctx)
	})
}

// compare has the books of a calm machine reconciled as they are now.
func (c *Core) compare(ctx context.Context) error {
	acc, err := c.ReadAccount(false)
	if err != nil {
		return err
	}
	return c.reconcile(ctx, acc)
}

// SetCashboxPayoutLimit implements CashboxLimiter with SET CASHBOX PAYOUT LIMIT.
func (s *Store) SetCashboxPayoutLimit(ctx context.Context, limit cash.Counts) error {
	return s.do(ctx, NeedReady, func(c *Core) error {
		if len(limit) == 0 {
			return fmt.Errorf("%w: no denomination to limit", cash.ErrInvalid)
		}
		for d, n := range limit {
			if _, ok := c.pic.Channel(d); !ok || n < 0 || n > math.MaxUint16 {
				return fmt.Errorf("%w: limit of %d pieces of %s", cash.ErrInvalid, n, d)
			}
		}
		if c.pic.Protocol < listVersion {
			return fmt.Errorf("%w: a cashbox payout limit needs protocol %d", cash.ErrUnsupported, listVersion)
		}
		if _, err := c.Tx(c.limits(limit)); err != nil {
			return refusal(err)
		}
		all := c.Set.Limits.Clone()
		for d, n := range limit {
			all[d] = n
		}
		c.Set.Limits = all
		return nil
	})
}

// limits lists the limits in the order of the dataset.
func (c *Core) limits(limit cash.Counts) []byte {
	var list []ssp.DenomCount
	for _, ch := range c.pic.Channels {
		if n, ok := limit[ch.Denom]; ok {
			list = append(list, ssp.DenomCount{Count: uint16(n), Value: uint32(ch.Denom.Value), Currency: string(ch.Denom.Currency)})
		}
	}
	return ssp.SetCashboxPayoutLimit(list)
}

// Limits sends the limits again that were set before, for a driver's Configure.
func (c *Core) Limits() error {
	if len(c.Set.Limits) == 0 {
		return nil
	}
	_, ok, err := c.Try(c.limits(c.Set.Limits))
	if err == nil && !ok {
		c.Log.Warn("the machine does not take its cashbox payout limits")
	}
	return err
}

// BelowLimit says whether another piece of d stays in the store as far as its limit goes.
func (c *Core) BelowLimit(d cash.Denom) bool {
	limit := c.Set.Limits[d]
	return limit == 0 || c.pic.Levels[d] < limit
}

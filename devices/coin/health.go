package coin

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Everything here is the project's own coding (ssp.md section 16.5), and goes to machines alone that understand it; what
// is read may be in the site's own bytes instead.

// health sends again what was set and the machine forgets with its power.
func (d *driver) health() error {
	if !d.core.Extended() {
		return nil
	}
	if n := d.core.Set.PayoutLimit; n != nil {
		if _, _, err := d.core.Try(ssp.SetPayoutLimit(uint16(*n))); err != nil {
			return err
		}
	}
	if n := d.core.Set.NoPayin; n != nil {
		if _, _, err := d.core.Try(ssp.Expand(ssp.ExpSetNoPayinCount, *n)); err != nil {
			return err
		}
	}
	return nil
}

// CoinAcceptance implements devices.CoinHealth.
func (d *Device) CoinAcceptance(ctx context.Context, unit byte) (a devices.CoinAcceptance, err error) {
	ask := question{feature: devices.OwnCoinAcceptance, values: map[string]int{"unit": int(unit)}, size: 9}
	v, rest, err := d.ask(ctx, ask, ssp.Expand(ssp.ExpCoinAcceptance, unit))
	switch {
	case err != nil:
		return a, err
	case v != nil:
		return devices.CoinAcceptance{Percent: byte(v["percent"]), Seen: uint32(v["seen"]), Accepted: uint32(v["accepted"])}, nil
	}
	return devices.CoinAcceptance{
		Percent: rest[0], Seen: binary.LittleEndian.Uint32(rest[1:]), Accepted: binary.LittleEndian.Uint32(rest[5:]),
	}, nil
}

// GlobalError implements devices.CoinHealth.
func (d *Device) GlobalError(ctx context.Context) (code [2]byte, err error) {
	v, rest, err := d.ask(ctx, question{feature: devices.OwnGlobalError, size: 2}, ssp.Expand(ssp.ExpGlobalError))
	switch {
	case err != nil:
		return code, err
	case v != nil:
		return [2]byte{byte(v["error0"]), byte(v["error1"])}, nil
	}
	return [2]byte(rest), nil
}

// PayoutCount implements devices.CoinHealth.
func (d *Device) PayoutCount(ctx context.Context) (int, error) {
	v, rest, err := d.ask(ctx, question{feature: devices.OwnPayoutCount, size: 2}, ssp.Expand(ssp.ExpPayoutCoinCount))
	switch {
	case err != nil:
		return 0, err
	case v != nil:
		return v["coins"], nil
	}
	return int(binary.LittleEndian.Uint16(rest)), nil
}

// SetPayoutLimit implements devices.CoinHealth. It is set again after every reconnection.
func (d *Device) SetPayoutLimit(ctx context.Context, coins int) error {
	if coins < 0 || coins > math.MaxUint16 {
		return fmt.Errorf("%w: a payout of at most %d coins; use 0 to %d", cash.ErrInvalid, coins, math.MaxUint16)
	}
	return d.callExtended(ctx, devices.NeedReady, func(r *driver) error {
		_, err := r.core.Tx(ssp.SetPayoutLimit(uint16(coins)))
		if err == nil {
			r.core.Set.PayoutLimit = &coins
		}
		return err
	})
}

// SetNoPayinCount implements devices.CoinHealth. It is set again after every reconnection.
func (d *Device) SetNoPayinCount(ctx context.Context, n byte) error {
	return d.callExtended(ctx, devices.NeedReady, func(r *driver) error {
		_, err := r.core.Tx(ssp.Expand(ssp.ExpSetNoPayinCount, n))
		if err == nil {
			r.core.Set.NoPayin = &n
		}
		return err
	})
}

// CashboxLevels implements devices.CashboxCounter.
func (d *Device) CashboxLevels(ctx context.Context) (levels cash.Counts, unknown int, err error) {
	err = d.callExtended(ctx, devices.NeedAnswer, func(r *driver) error {
		rest, err := r.core.Tx(ssp.Expand(ssp.ExpCashboxLevels))
		if err != nil {
			return err
		}
		list, n, err := ssp.ParseCashboxData(rest)
		if err != nil {
			return err
		}
		levels, unknown = cash.Counts{}, int(n)
		for _, l := range list {
			if l.Count != 0 {
				levels[cash.Denom{Value: int64(l.Value), Currency: cash.Currency(l.Currency)}] += int(l.Count)
			}
		}
		return nil
	})
	return levels, unknown, err
}

// AddCashboxLevel implements devices.CashboxCounter.
func (d *Device) AddCashboxLevel(ctx context.Context, coin cash.Denom, n int) error {
	return d.callExtended(ctx, devices.NeedReady, func(r *driver) error {
		if _, known := r.core.Picture().Channel(coin); !known || n < 0 || n > math.MaxUint16 {
			return fmt.Errorf("%w: %d pieces of %s", cash.ErrInvalid, n, coin)
		}
		list := ssp.DenomCount{Count: uint16(n), Value: uint32(coin.Value), Currency: string(coin.Currency)}
		if _, err := r.core.Tx(ssp.AddCashboxLevel(list)); err != nil {
			return err
		}
		r.core.Tell(cash.CashboxSet{Coin: coin, Count: n})
		return nil
	})
}

// ClearCashboxLevels implements devices.CashboxCounter.
func (d *Device) ClearCashboxLevels(ctx context.Context) error {
	return d.callExtended(ctx, devices.NeedReady, func(r *driver) error {
		if _, err := r.core.Tx(ssp.Expand(ssp.ExpClearCashboxLevels)); err != nil {
			return err
		}
		r.core.Tell(cash.CashboxSet{})
		return nil
	})
}

// question is a reading in bytes that no public document has.
type question struct {
	feature string         // of the site's own bytes
	values  map[string]int // that go into them
	size    int            // of the answer in ours
	system  bool           // ours are known to coin systems alone, not to hoppers
}

// ask reads by the site's own bytes, which give values, or else by ours, which give an answer of q.size bytes.
func (d *Device) ask(ctx context.Context, q question, cmd []byte) (values map[string]int, rest []byte, err error) {
	err = d.call(ctx, devices.NeedAnswer, func(r *driver) (err error) {
		var own bool
		switch values, own, err = r.core.Own(q.feature, q.values); {
		case own:
			return err
		case !r.core.Extended() || q.system && r.isHopper():
			return cash.ErrUnsupported
		}
		rest, err = r.core.Tx(cmd)
		if err == nil && len(rest) != q.size {
			err = fmt.Errorf("%w: % X to % X", devices.ErrUnreadable, rest, cmd)
		}
		return err
	})
	return values, rest, err
}

// callExtended is call for what is written in bytes of our own.
func (d *Device) callExtended(ctx context.Context, need devices.Need, work func(*driver) error) error {
	return d.call(ctx, need, func(r *driver) error {
		if !r.core.Extended() {
			return cash.ErrUnsupported
		}
		return work(r)
	})
}

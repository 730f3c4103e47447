package cashdevice

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"coffer/devices"
	"coffer/internal/cash"
)

// boxed reads what the ledger has in the cashbox of the machine.
func (c *call) boxed() (cash.Counts, error) {
	rows, err := c.api.till.Balance(c.ctx, c.view.device)
	if err != nil {
		return nil, err
	}
	out := cash.Counts{}
	for _, r := range rows {
		if r.Place == cash.Cashbox {
			out[cash.Denom{Value: r.Value, Currency: r.Currency}] += r.Count
		}
	}
	return out, nil
}

// setCashboxLevels: POST SetCashboxLevels {"NumCoinsToAdd":10,"Denomination":10,"CountryCode":"ITL"}. It adds to the
// machine's count of a coin in its cashbox; 0 clears it.
func (c *call) setCashboxLevels() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	n := in.required(0, math.MaxUint16, "NumCoinsToAdd", "NumCoins")
	coin, err := in.coin()
	if err := in.err(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	return tell(c, "set cashbox level", c.id+": Cashbox levels set successfully.", func(ctx context.Context, m devices.CashboxCounter) error {
		return m.AddCashboxLevel(ctx, coin, int(n))
	})
}

// coin reads Denomination and CountryCode, or what else names a denomination: "10 ITL" in Denomination alone, Value and
// CountryCode. cash.ErrInvalid for none.
func (f *form) coin() (cash.Denom, error) {
	v, _ := f.get("Denomination")
	if v == nil {
		return f.valueAndCountry()
	}
	if text, ok := v.(string); ok && strings.Contains(strings.TrimSpace(text), " ") {
		return cash.ParseDenom(text)
	}
	flat := &form{m: members{key("Value"): v, key("CountryCode"): f.m[key("CountryCode")]}}
	d, err := flat.valueAndCountry()
	f.faults = append(f.faults, flat.faults...)
	return d, err
}

// clearCashboxLevels: POST ClearCashboxLevels of a coin machine. The cashbox was emptied: the machine's own counts go to
// 0, where it has any, and the ledger follows.
func (c *call) clearCashboxLevels() (any, error) {
	return c.do(c.id+": Cashbox levels cleared successfully.", func(d devices.Device) error {
		if !d.Snapshot().Coins {
			return cash.ErrUnsupported
		}
		if m, ok := d.(devices.CashboxCounter); ok {
			err := c.api.till.Do(c.ctx, c.by(), d, "clear cashbox levels", m.ClearCashboxLevels)
			if err != nil && !errors.Is(err, cash.ErrUnsupported) {
				return err
			}
		}
		return c.api.till.ClearCashbox(c.ctx, c.by(), c.view.device)
	})
}

// cashboxLevels: GET GetCashboxLevels of a coin machine → dump of a text list. A machine that does not count its cashbox
// itself shows what the ledger has there.
func (c *call) cashboxLevels() (any, error) {
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	if !d.Snapshot().Coins {
		return nil, cash.ErrUnsupported
	}
	levels, unknown, err := c.coinsInBox(d)
	if err != nil {
		return nil, err
	}
	text := cashboxText(d.Snapshot(), levels, unknown)
	c.remember(func(k *memory) { k.cashbox, k.unknown = text, unknown })
	return dump(c.id, "CashboxLevels", text), nil
}

func (c *call) coinsInBox(d devices.Device) (levels cash.Counts, unknown int, err error) {
	if m, ok := d.(devices.CashboxCounter); ok {
		levels, unknown, err = m.CashboxLevels(c.ctx)
		if !errors.Is(err, cash.ErrUnsupported) {
			return levels, unknown, err
		}
	}
	levels, err = c.boxed()
	return levels, 0, err
}

// cashboxText prints the content of a coin machine's cashbox as the manual does.
func cashboxText(s *devices.Snapshot, levels cash.Counts, unknown int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Number of denominations in device: %d\n", len(s.Channels))
	for _, ch := range s.Channels {
		fmt.Fprintf(&b, "%d x %s\n", levels[ch.Denom], ch.Denom)
	}
	fmt.Fprintf(&b, "Quantity of unknown coins: %d\n", unknown)
	return b.String()
}

// noteCashboxLevels: GET GetNoteCashboxLevels of a note machine → one object a channel, from the ledger: it survives a
// restart.
func (c *call) noteCashboxLevels() (any, error) {
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	s := d.Snapshot()
	if s.Coins {
		return nil, cash.ErrUnsupported
	}
	boxed, err := c.boxed()
	if err != nil {
		return nil, err
	}
	out := list{}
	for _, ch := range s.Channels {
		out = append(out, object{
			{"value", ch.Denom.Value}, {"countryCode", string(ch.Denom.Currency)}, {"storedInCashbox", boxed[ch.Denom]},
		})
	}
	return out, nil
}

// clearNoteCashboxLevels: POST ClearNoteCashboxLevels of a note machine. The cashbox was emptied.
func (c *call) clearNoteCashboxLevels() (any, error) {
	return c.do(c.id+": Cashbox levels cleared.", func(d devices.Device) error {
		if d.Snapshot().Coins {
			return cash.ErrUnsupported
		}
		return c.api.till.ClearCashbox(c.ctx, c.by(), c.view.device)
	})
}

// setCashboxPayoutLimit: POST SetCashboxPayoutLimit with one count a channel, the most pieces to keep in the store; 0 is
// no limit.
func (c *call) setCashboxPayoutLimit() (any, error) {
	limit, err := c.bareCounts()
	if err != nil {
		return nil, err
	}
	return tell(c, "set cashbox payout limit", c.id+": Cashbox payout limit set successfully.", func(ctx context.Context, m devices.CashboxLimiter) error {
		return m.SetCashboxPayoutLimit(ctx, limit)
	})
}

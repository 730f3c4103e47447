package cashdevice

import (
	"context"
	"fmt"
	"math"

	"coffer/devices"
	"coffer/internal/cash"
)

// setDenominationLevel: POST SetDenominationLevel {"Value":100,"CountryCode":"GBP","NumCoinsToAdd":1}. It adds to the
// level of a coin; 0 clears it.
func (c *call) setDenominationLevel() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	n := in.required(0, math.MaxUint16, "NumCoinsToAdd", "Amount")
	coin, err := in.valueAndCountry()
	if err := in.err(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	return c.do(c.id+": Denomination level set successfully.", func(d devices.Device) error {
		return c.api.till.Fill(c.ctx, c.by(), d, coin, int(n))
	})
}

// enableCoinMechOrFeeder: POST EnableCoinMechOrFeeder; a body of false closes the way in.
func (c *call) enableCoinMechOrFeeder() (any, error) {
	on, err := c.bareFlag(true)
	if err != nil {
		return nil, err
	}
	word := "enabled"
	if !on {
		word = "disabled"
	}
	return c.do("Coin mechanism or feeder "+word+" successfully.", func(d devices.Device) error {
		if !d.Snapshot().Coins {
			return cash.ErrUnsupported
		}
		return c.accept(d, on)
	})
}

// hopperOptions: GET GetHopperOptions → dump of the two registers in hexadecimal.
func (c *call) hopperOptions() (any, error) {
	m, err := as[devices.Optioner](c)
	if err != nil {
		return nil, err
	}
	o, err := m.Options(c.ctx)
	if err != nil {
		return nil, err
	}
	c.remember(func(k *memory) { k.options = &o })
	return dump(c.id, "Reg0", hexByte(o.Reg0), "Reg1", hexByte(o.Reg1)), nil
}

func hexByte(b byte) string { return fmt.Sprintf("%02X", b) }

// setHopperOptions: POST SetHopperOptions {"Reg0":4,"Reg1":0}.
func (c *call) setHopperOptions() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	o := in.options()
	if err := in.err(); err != nil {
		return nil, err
	}
	answer, err := tell(c, "set hopper options", "Hopper options set successfully.", func(ctx context.Context, m devices.Optioner) error {
		return m.SetOptions(ctx, o)
	})
	if err == nil {
		c.remember(func(k *memory) { k.options = &o })
	}
	return answer, err
}

// options reads the members of the option registers; one of the two may be absent and is 0 then.
func (f *form) options() devices.Options {
	if v, _ := f.get("Reg1"); v == nil {
		return devices.Options{Reg0: byte(f.required(0, 255, "Reg0"))}
	}
	return devices.Options{Reg0: byte(f.number(0, 255, "Reg0")), Reg1: byte(f.number(0, 255, "Reg1"))}
}

// globalErrorCode: GET GetGlobalErrorCode → dump of two bytes.
func (c *call) globalErrorCode() (any, error) {
	m, err := as[devices.CoinHealth](c)
	if err != nil {
		return nil, err
	}
	code, err := m.GlobalError(c.ctx)
	if err != nil {
		return nil, err
	}
	c.remember(func(k *memory) { k.fault = code })
	return dump(c.id, "ErrorCode0", hexByte(code[0]), "ErrorCode1", hexByte(code[1])), nil
}

// setNoPayinCount: POST SetNoPayinCount with a bare byte.
func (c *call) setNoPayinCount() (any, error) {
	n, err := c.bareNumber(0, 255)
	if err != nil {
		return nil, err
	}
	answer, err := tell(c, "set no-payin count", dump(c.id, "NoPayinCount", fmt.Sprint(n)), func(ctx context.Context, m devices.CoinHealth) error {
		return m.SetNoPayinCount(ctx, byte(n))
	})
	if err == nil {
		c.remember(func(k *memory) { k.noPayin = int(n) })
	}
	return answer, err
}

// coinAcceptance: GET GetCoinAcceptance with 0 primary hopper, 1 feeder or 2 secondary hopper → dump of a percentage in
// hexadecimal.
func (c *call) coinAcceptance() (any, error) {
	unit, err := c.bareNumber(0, 255, "device", "unit", "module", "value")
	if err != nil {
		return nil, err
	}
	m, err := as[devices.CoinHealth](c)
	if err != nil {
		return nil, err
	}
	a, err := m.CoinAcceptance(c.ctx, byte(unit))
	if err != nil {
		return nil, err
	}
	c.remember(func(k *memory) { k.acceptance = hexByte(a.Percent) })
	return dump(c.id, "CoinAcceptanceData", hexByte(a.Percent)), nil
}

// setPayoutLimit: POST SetPayoutLimit with a bare number, the most coins of one payout.
func (c *call) setPayoutLimit() (any, error) {
	n, err := c.bareNumber(0, math.MaxUint16)
	if err != nil {
		return nil, err
	}
	return tell(c, "set payout limit", c.id+": Payout limit set successfully.", func(ctx context.Context, m devices.CoinHealth) error {
		return m.SetPayoutLimit(ctx, int(n))
	})
}

// payoutCount: GET GetPayoutCount → dump of the coins of the payout that was tested last; every payout is,
// before it begins.
func (c *call) payoutCount() (any, error) {
	m, err := as[devices.CoinHealth](c)
	if err != nil {
		return nil, err
	}
	n, err := m.PayoutCount(c.ctx)
	if err != nil {
		return nil, err
	}
	c.remember(func(k *memory) { k.payout = n })
	return dump(c.id, "PayoutCount", fmt.Sprint(n)), nil
}

package coin

import (
	"context"

	"coffer/devices"
	"coffer/internal/cash"
)

// Device is a coin machine as callers see it.
type Device struct {
	*devices.Base
	*devices.Store
	driver *driver
}

var (
	_ devices.Device         = (*Device)(nil)
	_ devices.Payer          = (*Device)(nil)
	_ devices.Floater        = (*Device)(nil)
	_ devices.Emptier        = (*Device)(nil)
	_ devices.Router         = (*Device)(nil)
	_ devices.CashboxLimiter = (*Device)(nil)
	_ devices.PiecePayer     = (*Device)(nil)
	_ devices.AmountFloater  = (*Device)(nil)
	_ devices.Filler         = (*Device)(nil)
	_ devices.Optioner       = (*Device)(nil)
	_ devices.Twin           = (*Device)(nil)
	_ devices.Lifter         = (*Device)(nil)
	_ devices.CoinHealth     = (*Device)(nil)
	_ devices.CashboxCounter = (*Device)(nil)
	_ devices.Servicer       = (*Device)(nil)
)

// EnablePayout implements devices.Payer. A hopper is always able to pay and has no such switch.
func (*Device) EnablePayout(context.Context) error { return cash.ErrUnsupported }

// DisablePayout implements devices.Payer as EnablePayout does.
func (*Device) DisablePayout(context.Context) error { return cash.ErrUnsupported }

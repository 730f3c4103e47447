package cashdevice

import (
	"context"

	"coffer/devices"
	"coffer/internal/cash"
)

// setAutoAccept: POST SetAutoAccept with a bare boolean.
func (c *call) setAutoAccept() (any, error) {
	v, err := c.bare()
	if err != nil {
		return nil, err
	}
	on, ok := asBool(v)
	if !ok {
		return nil, fault("$", "A JSON boolean is expected.")
	}
	return c.change("set auto-accept", c.id+": Auto-accept set to "+truth(on), func(ctx context.Context, d devices.Device) error {
		return autoAccept(ctx, d, on)
	})
}

func autoAccept(ctx context.Context, d devices.Device, on bool) error {
	m, ok := d.(devices.Escrow)
	if !ok {
		return cash.ErrUnsupported
	}
	return m.SetAutoAccept(ctx, on)
}

// acceptFromEscrow: POST AcceptFromEscrow. What becomes of the note is told by STORED or STACKED.
func (c *call) acceptFromEscrow() (any, error) {
	return c.do(c.id+": Note can be accepted from escrow.", func(d devices.Device) error {
		return c.api.till.AcceptEscrow(c.ctx, c.by(), d)
	})
}

// returnFromEscrow: POST ReturnFromEscrow. The return is told by REJECTED.
func (c *call) returnFromEscrow() (any, error) {
	return c.do(c.id+": Note can be returned from escrow.", func(d devices.Device) error {
		return c.api.till.ReturnEscrow(c.ctx, c.by(), d)
	})
}

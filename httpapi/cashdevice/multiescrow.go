package cashdevice

import (
	"context"
	"fmt"

	"coffer/devices"
)

// mostHeld is the most notes that a machine can hold for its host.
const mostHeld = 20

// setMultiEscrowSize: POST SetMultiEscrowSize with a bare number from 1 to 20.
func (c *call) setMultiEscrowSize() (any, error) {
	v, err := c.bare()
	if err != nil {
		return nil, err
	}
	size, ok := asInt(v)
	if !ok {
		return nil, fault("$", "An integer from 1 to 20 is expected.")
	}
	if _, err := as[devices.MultiEscrow](c); err != nil {
		return nil, err
	}
	if size < 1 || size > mostHeld {
		return nil, &refusal{status: 400, body: "Failed to set new multi-escrow size."}
	}
	text := fmt.Sprintf("Successfully set multi-escrow size to %d.", size)
	return tell(c, "set multi-escrow size", text, func(ctx context.Context, m devices.MultiEscrow) error {
		return m.SetMultiEscrowSize(ctx, int(size))
	})
}

// multiEscrowSize: GET GetMultiEscrowSize.
func (c *call) multiEscrowSize() (any, error) {
	m, err := as[devices.MultiEscrow](c)
	if err != nil {
		return nil, err
	}
	size, err := m.MultiEscrowSize(c.ctx)
	if err != nil {
		return nil, err
	}
	return object{{"multiEscrowSize", size}}, nil
}

// multiEscrowValue: GET GetMultiEscrowValue → what is held.
func (c *call) multiEscrowValue() (any, error) {
	m, err := as[devices.MultiEscrow](c)
	if err != nil {
		return nil, err
	}
	held, err := m.MultiEscrowValue(c.ctx)
	if err != nil {
		return nil, err
	}
	return object{{"multiEscrowValue", held.Value}, {"multiEscrowCurrency", string(held.Currency)}}, nil
}

// commitMultiEscrow: POST CommitMultiEscrow. Events tell the rest.
func (c *call) commitMultiEscrow() (any, error) {
	return c.do("Successfully committed multi-escrow.", func(d devices.Device) error {
		return c.api.till.CommitMultiEscrow(c.ctx, c.by(), d)
	})
}

// cancelMultiEscrow: POST CancelMultiEscrow, with any body.
func (c *call) cancelMultiEscrow() (any, error) {
	return c.do("Successfully cancelled multi-escrow.", func(d devices.Device) error {
		return c.api.till.CancelMultiEscrow(c.ctx, c.by(), d)
	})
}

package cashdevice

import (
	"context"
	"math"

	"coffer/devices"
	"coffer/internal/cash"
)

// cassetteModes are the manual's names of what a replenishment cassette is for.
var cassetteModes = []string{"RC_MODE_REPLENISH", "RC_MODE_PAYOUT"}

// rcMode: GET GetRCMode → the bare name of the mode, as text.
func (c *call) rcMode() (any, error) {
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	m, ok := d.(devices.Recyclers)
	if !ok || d.Snapshot().Model != modelNV4000 {
		return nil, cash.ErrUnsupported
	}
	mode, err := m.CassetteMode(c.ctx)
	if err != nil {
		return nil, err
	}
	name := nth(cassetteModes, byte(mode))
	c.remember(func(k *memory) { k.cassette = name })
	return name, nil
}

// replenish: POST Replenish with a bare number of notes to move from the cassette to the recyclers.
func (c *call) replenish() (any, error) {
	n, err := c.bareNumber(1, math.MaxUint16)
	if err != nil {
		return nil, err
	}
	return tell(c, "replenish", "Replenishment completed successfully.", func(ctx context.Context, m devices.Replenisher) error {
		return m.Replenish(ctx, int(n))
	})
}

// refillMode: POST RefillMode with a bare boolean.
func (c *call) refillMode() (any, error) {
	v, err := c.bare()
	if err != nil {
		return nil, err
	}
	on, ok := asBool(v)
	if !ok {
		return nil, fault("$", "A JSON boolean is expected.")
	}
	word := "disabled"
	if on {
		word = "enabled"
	}
	return tell(c, "set refill mode", c.id+": Refill mode "+word+" successfully.", func(ctx context.Context, m devices.Refiller) error {
		return m.SetRefillMode(ctx, on)
	})
}

// cassette reads mode and content of the replenishment cassette, as far as the machine tells: what is in it is what is
// in the store and in no recycler.
func (o *opened) cassette() {
	m, ok := o.d.(devices.Recyclers)
	if !ok || o.d.Snapshot().Model != modelNV4000 {
		return
	}
	mode, err := m.CassetteMode(o.ctx)
	if err != nil {
		return
	}
	o.cassetteMode = nth(cassetteModes, byte(mode))
	inside := o.account.Levels
	for n := range 4 {
		levels, _, err := m.RecyclerLevels(o.ctx, byte(n+1))
		if err != nil {
			return
		}
		inside = inside.Minus(levels)
	}
	o.inCassette = max(0, inside.Pieces())
	o.c.remember(func(k *memory) { k.cassette, k.inCassette = o.cassetteMode, o.inCassette })
}

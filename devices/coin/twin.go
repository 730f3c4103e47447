package coin

import (
	"context"
	"fmt"
	"maps"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Everything here is the project's own coding (ssp.md section 16.5), and goes to machines alone that understand it.

// twinModes is how many twin modes there are.
const twinModes = 4

// Flags of the answer to LIFTER STATUS.
const (
	lifterConnected = 1 << iota
	lifterOptoClear
	lifterJammed
)

// twin brings the machine's twin mode and sorter routes together with ours: the first time its own are read, later ours
// are sent.
func (d *driver) twin() error {
	if !d.isTwin() || !d.core.Extended() {
		return nil
	}
	if err := d.twinMode(); err != nil {
		return err
	}
	hoppers := maps.Clone(d.core.Set.Hoppers)
	if hoppers == nil {
		hoppers = map[cash.Denom]byte{}
	}
	for _, ch := range d.core.Picture().Channels {
		if to, known := hoppers[ch.Denom]; known {
			if _, _, err := d.core.Try(sorterRoute(ch.Denom, to)); err != nil {
				return err
			}
			continue
		}
		rest, ok, err := d.core.Try(expandCoin(ssp.ExpGetSorterRoute, ch.Denom))
		if err != nil {
			return err
		}
		if ok && len(rest) > 0 {
			hoppers[ch.Denom] = rest[0]
		}
	}
	d.core.Set.Hoppers = hoppers
	d.showHoppers()
	return nil
}

func (d *driver) twinMode() error {
	if m := d.core.Set.TwinMode; m != nil {
		_, _, err := d.core.Try(ssp.Expand(ssp.ExpSetTwinMode, *m))
		return err
	}
	rest, ok, err := d.core.Try(ssp.Expand(ssp.ExpGetTwinMode))
	if err == nil && ok && len(rest) > 0 {
		d.core.Edit(func(s *devices.Snapshot) { s.TwinMode = rest[0] })
	}
	return err
}

func expandCoin(e ssp.Expansion, coin cash.Denom, before ...byte) []byte {
	return ssp.ExpandMoney(e, uint32(coin.Value), string(coin.Currency), before...)
}

func sorterRoute(coin cash.Denom, hopper byte) []byte {
	return expandCoin(ssp.ExpSetSorterRoute, coin, hopper)
}

// showHoppers brings the picture's channels up to date with the sorter routes.
func (d *driver) showHoppers() {
	d.core.Edit(func(s *devices.Snapshot) {
		channels := append([]devices.Channel(nil), s.Channels...)
		for i := range channels {
			channels[i].Hopper = d.core.Set.Hoppers[channels[i].Denom]
		}
		s.Channels = channels
	})
}

// SetSorterRoute implements devices.Twin.
func (d *Device) SetSorterRoute(ctx context.Context, coin cash.Denom, hopper byte) error {
	return d.callTwin(ctx, devices.NeedReady, func(r *driver) error {
		if _, known := r.core.Picture().Channel(coin); !known || hopper > 1 {
			return fmt.Errorf("%w: sorter route %d of %s", cash.ErrInvalid, hopper, coin)
		}
		if _, err := r.core.Tx(sorterRoute(coin, hopper)); err != nil {
			return err
		}
		hoppers := maps.Clone(r.core.Set.Hoppers)
		if hoppers == nil {
			hoppers = map[cash.Denom]byte{}
		}
		hoppers[coin] = hopper
		r.core.Set.Hoppers = hoppers
		r.showHoppers()
		return nil
	})
}

// SetTwinMode implements devices.Twin.
func (d *Device) SetTwinMode(ctx context.Context, mode byte) error {
	if mode >= twinModes {
		return fmt.Errorf("%w: twin mode %d; use 0 to %d", cash.ErrInvalid, mode, twinModes-1)
	}
	return d.callTwin(ctx, devices.NeedReady, func(r *driver) error {
		if _, err := r.core.Tx(ssp.Expand(ssp.ExpSetTwinMode, mode)); err != nil {
			return err
		}
		r.core.Set.TwinMode = &mode
		r.core.Edit(func(s *devices.Snapshot) { s.TwinMode = mode })
		return nil
	})
}

// LifterStatus implements devices.Lifter.
func (d *Device) LifterStatus(ctx context.Context) (s devices.LifterStatus, err error) {
	v, rest, err := d.ask(ctx, question{feature: devices.OwnLifterStatus, size: 1, system: true}, ssp.Expand(ssp.ExpLifterStatus))
	switch {
	case err != nil:
		return s, err
	case v != nil:
		return devices.LifterStatus{Connected: v["connected"] != 0, OptoClear: v["opto_clear"] != 0, Jammed: v["jammed"] != 0}, nil
	}
	return devices.LifterStatus{
		Connected: rest[0]&lifterConnected != 0, OptoClear: rest[0]&lifterOptoClear != 0, Jammed: rest[0]&lifterJammed != 0,
	}, nil
}

// callTwin is call for what only a twin knows, and only in bytes of our own.
func (d *Device) callTwin(ctx context.Context, need devices.Need, work func(*driver) error) error {
	return d.call(ctx, need, func(r *driver) error {
		if !r.isTwin() || !r.core.Extended() {
			return cash.ErrUnsupported
		}
		return work(r)
	})
}

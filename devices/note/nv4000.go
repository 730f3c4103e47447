package note

import (
	"context"
	"fmt"
	"maps"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// modelNV4000 is the recycler with four recyclers. All but the serial numbers of its recyclers and its interface board
// is the project's own coding (ssp.md section 16.4), and goes to machines alone that understand it.
const modelNV4000 = "NV4000"

// recyclerCount is how many recyclers it has.
const recyclerCount = 4

// Module bytes of serial numbers and levels (ssp.md section 8.5), and of SMART EMPTY.
const (
	moduleRecycler1 byte = 0x11
	moduleInterface byte = 0x15
	moduleDock      byte = 0x16
	moduleCassette  byte = 0x17
	moduleConveyor  byte = 0x18
)

// Routes of the recycler commands: recycler n has n+1, and so has the cassette.
const routeAny = 1

func (d *driver) isNV4000() bool { return d.core.Identity().Model == modelNV4000 }

// modules are the parts that have serial numbers.
func (d *driver) modules() []byte {
	if !d.isNV4000() {
		return []byte{payoutModule}
	}
	list := []byte{moduleRecycler1, moduleRecycler1 + 1, moduleRecycler1 + 2, moduleRecycler1 + 3, moduleInterface}
	if d.core.Extended() {
		list = append(list, moduleDock, moduleCassette, moduleConveyor)
	}
	return list
}

// recyclers brings the routes to single recyclers together with ours: the first time the machine's own are read, later
// ours are sent. Where a note that is paid waits is set again, since a restart forgets it.
func (d *driver) recyclers() error {
	if !d.isNV4000() || !d.core.Extended() {
		return nil
	}
	if err := d.payWhere(); err != nil {
		return err
	}
	set := d.core.Set.Recyclers != nil
	for _, ch := range d.core.Picture().Channels {
		n := d.core.Set.Recyclers[ch.Denom]
		switch {
		case set && n > 0:
			if _, _, err := d.core.Try(recyclerRoute(ch.Denom, n)); err != nil {
				return err
			}
		case !set:
			rest, ok, err := d.core.Try(expandNote(ssp.ExpGetRecyclerRoute, ch.Denom))
			if err != nil {
				return err
			}
			if ok && len(rest) > 0 && rest[0] > routeAny && rest[0] <= routeAny+devices.Cassette {
				d.keepRecycler(ch.Denom, rest[0]-routeAny)
			}
		}
	}
	if d.core.Set.Recyclers == nil {
		d.core.Set.Recyclers = map[cash.Denom]byte{}
	}
	d.showRecyclers()
	return nil
}

// payWhere sets again where notes that are paid wait, if somebody has said so.
func (d *driver) payWhere() error {
	on := d.core.Set.ToBezel
	if on == nil {
		d.core.Edit(func(s *devices.Snapshot) { s.PayToBezel = false })
		return nil
	}
	_, ok, err := d.core.Try(payToBezel(*on))
	d.core.Edit(func(s *devices.Snapshot) { s.PayToBezel = ok && *on })
	return err
}

func expandNote(e ssp.Expansion, note cash.Denom, before ...byte) []byte {
	return ssp.ExpandMoney(e, uint32(note.Value), string(note.Currency), before...)
}

func recyclerRoute(note cash.Denom, n byte) []byte {
	return expandNote(ssp.ExpSetRecyclerRoute, note, routeAny+n)
}

func payToBezel(on bool) []byte {
	if on {
		return ssp.Expand(ssp.ExpDispenseToBezel, 1)
	}
	return ssp.Expand(ssp.ExpDispenseToBezel, 0)
}

// keepRecycler remembers the recycler of a denomination, 0 for any.
func (d *driver) keepRecycler(note cash.Denom, n byte) {
	set := maps.Clone(d.core.Set.Recyclers)
	if set == nil {
		set = map[cash.Denom]byte{}
	}
	set[note] = n
	d.core.Set.Recyclers = set
}

// showRecyclers brings the picture's channels up to date with the routes to single recyclers.
func (d *driver) showRecyclers() {
	d.core.Edit(func(s *devices.Snapshot) {
		channels := append([]devices.Channel(nil), s.Channels...)
		for i, ch := range channels {
			channels[i].Recycler, channels[i].ToPayout = d.core.Set.Recyclers[ch.Denom], ch.Recyclable && d.core.Set.Routes[ch.Denom]
		}
		s.Channels = channels
	})
}

// doParts is do for what only an NV4000 knows, and only in bytes of our own.
func (v *Device) doParts(ctx context.Context, need devices.Need, work func(d *driver) error) error {
	return v.do(ctx, need, func(d *driver) error {
		if !d.isNV4000() || !d.core.Extended() {
			return cash.ErrUnsupported
		}
		return work(d)
	})
}

// SetRoute implements devices.Router. On an NV4000 a note that goes to the store goes to whichever recycler has room.
func (v *Device) SetRoute(ctx context.Context, note cash.Denom, toPayout bool) error {
	if v.Snapshot().Model != modelNV4000 {
		return v.Store.SetRoute(ctx, note, toPayout)
	}
	return v.do(ctx, devices.NeedReady, func(d *driver) error {
		if _, known := d.core.Picture().Channel(note); !known {
			return fmt.Errorf("%w: %s is not in the dataset", cash.ErrInvalid, note)
		}
		if err := d.core.SendRoute(note, toPayout); err != nil {
			return devices.Refusal(err)
		}
		d.keepRecycler(note, 0)
		d.showRecyclers()
		return nil
	})
}

// SetRecycler implements devices.Recyclers.
func (v *Device) SetRecycler(ctx context.Context, note cash.Denom, n byte) error {
	return v.doParts(ctx, devices.NeedReady, func(d *driver) error {
		if _, known := d.core.Picture().Channel(note); !known || n < 1 || n > devices.Cassette {
			return fmt.Errorf("%w: recycler %d for %s", cash.ErrInvalid, n, note)
		}
		if _, err := d.core.Tx(recyclerRoute(note, n)); err != nil {
			return devices.Refusal(err)
		}
		d.core.SetRoute(note, true)
		d.keepRecycler(note, n)
		d.showRecyclers()
		return nil
	})
}

// RecyclerLevels implements devices.Recyclers.
func (v *Device) RecyclerLevels(ctx context.Context, n byte) (levels cash.Counts, capacity int, err error) {
	err = v.doParts(ctx, devices.NeedAnswer, func(d *driver) error {
		if n < 1 || n > devices.Cassette {
			return fmt.Errorf("%w: no recycler %d", cash.ErrInvalid, n)
		}
		module := moduleRecycler1 + n - 1
		if n == devices.Cassette {
			module = moduleCassette
		}
		levels, capacity, err = d.moduleLevels(module)
		return devices.Refusal(err)
	})
	return levels, capacity, err
}

// SetPayToBezel implements devices.Recyclers. cash.ErrBusy while an operation runs.
func (v *Device) SetPayToBezel(ctx context.Context, on bool) error {
	return v.doParts(ctx, devices.NeedReady, func(d *driver) error {
		if d.core.Picture().Operation != "" {
			return cash.ErrBusy
		}
		if _, err := d.core.Tx(payToBezel(on)); err != nil {
			return devices.Refusal(err)
		}
		d.core.Set.ToBezel = &on
		d.core.Edit(func(s *devices.Snapshot) { s.PayToBezel = on })
		return nil
	})
}

// CassetteMode implements devices.Recyclers.
func (v *Device) CassetteMode(ctx context.Context) (mode devices.CassetteMode, err error) {
	err = v.doParts(ctx, devices.NeedAnswer, func(d *driver) error {
		rest, err := d.core.Tx(ssp.Expand(ssp.ExpGetCassetteMode))
		if err != nil {
			return devices.Refusal(err)
		}
		if len(rest) != 1 || rest[0] > byte(devices.CassettePayout) {
			return fmt.Errorf("%w: cassette mode % X", devices.ErrUnreadable, rest)
		}
		mode = devices.CassetteMode(rest[0])
		return nil
	})
	return mode, err
}

// SetCassetteMode implements devices.Recyclers.
func (v *Device) SetCassetteMode(ctx context.Context, mode devices.CassetteMode) error {
	return v.doParts(ctx, devices.NeedReady, func(d *driver) error {
		if mode > devices.CassettePayout {
			return fmt.Errorf("%w: cassette mode %d", cash.ErrInvalid, mode)
		}
		_, err := d.core.Tx(ssp.Expand(ssp.ExpSetCassetteMode, byte(mode)))
		return devices.Refusal(err)
	})
}

// StartEmpty implements devices.Emptier. An NV4000 that understands our coding empties one of its recyclers, 1 to 4, or
// its cassette, too.
func (v *Device) StartEmpty(ctx context.Context, module byte) error {
	switch {
	case module == 0, v.Snapshot().Model != modelNV4000:
	case !v.driver.core.Extended():
		return cash.ErrUnsupported
	case module > devices.Cassette:
		return fmt.Errorf("%w: no module %d", cash.ErrInvalid, module)
	}
	return v.Store.StartEmpty(ctx, module)
}

var _ devices.Recyclers = (*Device)(nil)

package note

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// replenishEnd is how long a machine may say nothing of a replenishment before it counts as ended.
const replenishEnd = 5 * time.Second

// cassette follows the replenishment cassette of an NV4000 (ssp.md section 16.4).
type cassette struct {
	left  int         // notes that may still come out of it
	seen  time.Time   // when the last one did
	store cash.Counts // while notes come out of it: what the whole store holds as far as was told
	away  bool        // it is removed
	holds cash.Counts // what was in it when it was removed
}

// busy says whether notes are on their way from it into the recyclers.
func (c *cassette) busy() bool { return c.left > 0 }

// Resting implements devices.Rester: between two notes of a replenishment the machine shows nothing, and never of its
// card.
func (d *driver) Resting() (cash.State, bool) {
	if d.cassette.busy() {
		return cash.StateReplenishing, true
	}
	return d.card.unready()
}

// moduleLevels reads what is in one of the parts, and how many notes it can hold.
func (d *driver) moduleLevels(module byte) (cash.Counts, int, error) {
	rest, err := d.core.Tx(ssp.Expand(ssp.ExpModuleLevels, module))
	if err != nil {
		return nil, 0, err
	}
	list, capacity, err := ssp.ParseModuleLevels(rest)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: levels of a part: %w", devices.ErrUnreadable, err)
	}
	levels := cash.Counts{}
	for _, l := range list {
		if l.Level > 0 {
			levels[cash.Denom{Value: int64(l.Value), Currency: cash.Currency(l.Currency)}] += int(l.Level)
		}
	}
	return levels, int(capacity), nil
}

// Replenish implements devices.Replenisher. cash.ErrDisabled while the cassette is there to be paid from, or the store
// is off.
func (v *Device) Replenish(ctx context.Context, n int) error {
	return v.doParts(ctx, devices.NeedReady, func(d *driver) error {
		switch {
		case n < 1 || n > math.MaxUint16:
			return fmt.Errorf("%w: %d notes, 1 to %d", cash.ErrInvalid, n, math.MaxUint16)
		case d.Busy() || d.core.Picture().Operation != "":
			return cash.ErrBusy
		}
		most, err := d.replenishable(n)
		if err != nil {
			return devices.Refusal(err)
		}
		_, err = d.core.Tx(ssp.Replenish(uint16(n)))
		switch {
		case err == nil:
			d.cassette.left, d.cassette.seen, d.cassette.store = most, time.Now(), d.core.Picture().Levels
			d.core.PollNow()
			return nil
		case devices.MaybeSent(err):
			return fmt.Errorf("%w: no answer to the replenishment: %w", cash.ErrOutcomeUnknown, err)
		}
		return replenishRefusal(err)
	})
}

// replenishable returns how many of n notes can come out of the cassette: as many as are in it and fit into the
// recyclers. The picture shows the levels afterwards.
func (d *driver) replenishable(n int) (int, error) {
	if _, err := d.core.ReadLevels(); err != nil {
		return 0, err
	}
	inside, _, err := d.moduleLevels(moduleCassette)
	if err != nil {
		return 0, err
	}
	room := 0
	for i := range byte(recyclerCount) {
		held, capacity, err := d.moduleLevels(moduleRecycler1 + i)
		if err != nil {
			return 0, err
		}
		room += max(capacity-held.Pieces(), 0)
	}
	return min(n, inside.Pieces(), room), nil
}

// replenishRefusal gives the error byte of a replenishment its meaning.
func replenishRefusal(err error) error {
	var r *ssp.StatusError
	if !errors.As(err, &r) || r.Reply != ssp.CannotProcess {
		return devices.Refusal(err)
	}
	kind := cash.ErrBusy
	switch r.Code() {
	case 0, 1: // there is no cassette, or nothing in it for which there is room
		kind = cash.ErrNothing
	case 4:
		kind = cash.ErrDisabled
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// takeCassette translates the events of a replenishment cassette; false for others.
func (d *driver) takeCassette(e ssp.Event) ([]cash.Event, bool, error) {
	c := &d.cassette
	switch e.Code {
	case ssp.EvStoredFromCassette:
		c.left, c.seen = max(c.left-1, 0), time.Now()
		return []cash.Event{cash.Replenish{Step: cash.ReplenishStored, Amount: d.core.Amount(e)}}, true, nil
	case ssp.EvSentToCassetteTray:
		c.left, c.seen = max(c.left-1, 0), time.Now()
		events, err := d.sentToTray()
		return events, true, err
	case ssp.EvCassetteRemoved:
		if c.away {
			return nil, true, nil
		}
		c.away, c.left, c.store = true, 0, nil
		holds, _, err := d.moduleLevels(moduleCassette)
		c.holds = holds
		return []cash.Event{cash.Replenish{Step: cash.CassetteRemoved, Amount: d.none()}}, true, unlessRefused(err)
	case ssp.EvCassetteReplaced:
		events, err := d.cassetteBack()
		return events, true, err
	case ssp.EvCassetteFull:
		if d.wasShown(e.Code) {
			return nil, true, nil
		}
		return []cash.Event{cash.Replenish{Step: cash.CassetteFull, Amount: d.none()}}, true, nil
	}
	return nil, false, nil
}

// sentToTray finds the note that was no good by what the levels miss: it lies where only a person takes it from. The
// picture may miss it already, if somebody has read the levels since it left.
func (d *driver) sentToTray() ([]cash.Event, error) {
	before := d.cassette.store
	if before == nil {
		before = d.core.Picture().Levels
	}
	now, err := d.core.ReadLevels()
	if err != nil {
		d.core.AuditSoon()
		return nil, unlessRefused(err)
	}
	d.cassette.store = now
	events := d.byHand(now.Minus(before))
	if len(events) != 1 {
		d.core.AuditSoon()
		events = nil
	}
	sent := d.none()
	for _, row := range before.Minus(now).Rows() {
		sent = row.Denom().Amount(1)
	}
	return append(events, cash.Replenish{Step: cash.ReplenishTray, Amount: sent}), nil
}

// cassetteBack books what a person has put into the cassette or taken out of it while it was away.
func (d *driver) cassetteBack() ([]cash.Event, error) {
	was, known := d.cassette.holds, d.cassette.away && d.cassette.holds != nil
	d.cassette.away, d.cassette.holds = false, nil
	told := cash.Replenish{Step: cash.CassetteReplaced, Amount: d.none()}
	holds, _, err := d.moduleLevels(moduleCassette)
	if err != nil || !known {
		d.core.AuditSoon()
		return []cash.Event{told}, unlessRefused(err)
	}
	events := d.byHand(holds.Minus(was))
	if _, err := d.core.ReadLevels(); err != nil {
		return nil, unlessRefused(err)
	}
	return append(events, told), nil
}

// byHand tells what a person has put in, or taken out.
func (d *driver) byHand(change cash.Counts) (events []cash.Event) {
	for _, row := range change.Rows() {
		events = append(events, cash.Filled{Coin: row.Denom(), Count: row.Count})
	}
	return events
}

// unlessRefused drops an error by which a machine that is there refuses.
func unlessRefused(err error) error {
	if devices.Refused(err) || errors.Is(err, cash.ErrUnsupported) || errors.Is(err, cash.ErrInvalid) || errors.Is(err, cash.ErrBusy) {
		return nil
	}
	return err
}

// watchCassette gives a replenishment up of which nothing is told any more, and remembers whether the cassette is there.
func (d *driver) watchCassette(answer []ssp.Event) {
	c := &d.cassette
	shown := func(code ssp.EventCode) bool {
		return slices.ContainsFunc(answer, func(e ssp.Event) bool { return e.Code == code })
	}
	if c.away && !shown(ssp.EvCassetteRemoved) { // the event of its return was lost
		c.away, c.holds = false, nil
		d.core.AuditSoon()
	}
	switch {
	case !c.busy():
		c.store = nil
	case d.core.Picture().Jammed:
		c.seen = time.Now()
	case time.Since(c.seen) > replenishEnd:
		d.core.Log.WithField("left", c.left).Info("the replenishment has ended")
		c.left, c.store = 0, nil
	}
}

// RefillMode implements devices.Refiller.
func (v *Device) RefillMode(ctx context.Context) (on bool, err error) {
	err = v.do(ctx, devices.NeedAnswer, func(d *driver) error {
		rest, err := d.core.Tx(ssp.GetRefillMode())
		if err != nil {
			return devices.Refusal(err)
		}
		if len(rest) != 1 || rest[0] > 1 {
			return fmt.Errorf("%w: refill mode % X", devices.ErrUnreadable, rest)
		}
		on = rest[0] == 1
		return nil
	})
	return on, err
}

// SetRefillMode implements devices.Refiller. It is set again after a restart, which forgets it.
func (v *Device) SetRefillMode(ctx context.Context, on bool) error {
	return v.do(ctx, devices.NeedReady, func(d *driver) error {
		if !d.core.Identity().HasPayout {
			return cash.ErrUnsupported // its notes have one place to go to
		}
		if _, err := d.core.Tx(ssp.SetRefillMode(on)); err != nil {
			return devices.Refusal(err)
		}
		d.core.Set.Refill = &on
		return nil
	})
}

// refill sets the refill mode again, if somebody has said what it is to be.
func (d *driver) refill() error {
	if on := d.core.Set.Refill; on != nil {
		_, _, err := d.core.Try(ssp.SetRefillMode(*on))
		return err
	}
	return nil
}

// SetBezel implements devices.Bezel.
func (v *Device) SetBezel(ctx context.Context, red, green, blue byte, store bool, kind byte) error {
	return v.do(ctx, devices.NeedReady, func(d *driver) error {
		if kind > 2 {
			return fmt.Errorf("%w: bezel kind %d, 0 to 2", cash.ErrInvalid, kind)
		}
		_, err := d.core.Tx(ssp.ConfigureBezel(ssp.Bezel{Red: red, Green: green, Blue: blue, Store: store, Type: kind}))
		return devices.Refusal(err)
	})
}

var (
	_ devices.Replenisher = (*Device)(nil)
	_ devices.Refiller    = (*Device)(nil)
	_ devices.Bezel       = (*Device)(nil)
	_ devices.Rester      = (*driver)(nil)
)

package devices_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"coffer/devices"
	"coffer/devices/note"
	"coffer/internal/cash"
)

// A clock is asked and set with our own bytes, and only where the machine is known to understand them.
func TestClockDialogue(t *testing.T) {
	inBubble(t, devices.DeviceConfig{Extensions: true}, func(m *machine) {
		asRecycler(m)
		m.table("79", "F0 00")
	}, func(b *bench) {
		b.ready()
		d := b.dev.Device().(devices.Clock)
		at := time.Date(2026, 2, 28, 23, 59, 58, 500, time.Local)
		b.m.table("64 1A 02 1C 17 3B 3A", "F0")
		b.ok(d.SetTime(b.Context(), at))
		b.m.table("63", "F0 1A 02 1C 17 3B 3B")
		if got, err := d.Time(b.Context()); err != nil || !got.Equal(at.Truncate(time.Second).Add(time.Second)) {
			b.Errorf("the clock says %v, %v", got, err)
		}
		for _, year := range []int{1999, 2100} {
			b.is(d.SetTime(b.Context(), time.Date(year, 6, 1, 0, 0, 0, 0, time.Local)), cash.ErrInvalid)
		}
		b.m.table("63", "F0 1A 02 1E 00 00 00") // 30 February
		if _, err := d.Time(b.Context()); err == nil {
			b.Error("a day that is none was read")
		}
		b.m.table("63", "F2")
		_, err := d.Time(b.Context())
		b.is(err, cash.ErrUnsupported)
	})
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		d := b.dev.Device().(devices.Clock)
		_, err := d.Time(b.Context())
		b.is(errors.Join(err, d.SetTime(b.Context(), time.Now())), cash.ErrUnsupported)
		b.want([]string{"t 6", "? "})
	})
}

// Counters are cleared between two comparisons of the books, with the acceptor off.
func TestResetCountersDialogue(t *testing.T) {
	const zero = "00 00 00 00 "
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		d := b.dev.Device().(devices.CounterResetter)
		b.m.becomes("F0")
		b.ok(b.dev.Device().Enable(b.Context()))
		b.m.table("58", "F0 05 07 00 00 00 "+zero+zero+zero+zero)
		b.m.table("59", "F0")
		b.m.hush(true)
		b.h.clear()
		b.ok(d.ResetCounters(b.Context()))
		b.order("t 09", "t 58", "reconcile", "t 59 > F0", "t 58", "reconcile", "t 0A")
		b.want([]string{"t 59"}, "t 59 > F0")
		b.want([]string{"reconcile"}, "reconcile", "reconcile")
		b.m.table("59", "F2")
		b.is(d.ResetCounters(b.Context()), cash.ErrUnsupported)
		if s := b.snapshot(); !s.Ready || !s.AcceptorEnabled {
			b.Errorf("picture %+v", s)
		}
		b.m.becomes("F0 EF 00")
		time.Sleep(time.Second)
		b.is(d.ResetCounters(b.Context()), cash.ErrBusy)
	})
}

// Whatever is called while counters are reset, nothing can come in before that is over; then what was wanted is in force.
func TestCallsWhileCountersAreReset(t *testing.T) {
	calls := map[string]func(ctx context.Context, d *note.Device) error{
		"enable":   func(ctx context.Context, d *note.Device) error { return d.Enable(ctx) },
		"inhibits": func(ctx context.Context, d *note.Device) error { return d.SetInhibits(ctx, nil, false) },
		"payout":   func(ctx context.Context, d *note.Device) error { return d.EnablePayout(ctx) },
		"disable":  func(ctx context.Context, d *note.Device) error { return d.Disable(ctx) },
	}
	for name, c := range calls {
		for wait := time.Duration(0); wait < 150*time.Millisecond; wait += 7 * time.Millisecond {
			inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
				b.m.table("59", "F0")
				b.ready()
				b.ok(b.payer().EnablePayout(b.Context()))
				b.m.becomes("F0")
				if name != "enable" {
					b.ok(b.dev.Device().Enable(b.Context()))
				}
				time.Sleep(time.Second)
				b.h.clear()
				reset := make(chan error)
				go func() { reset <- b.payer().ResetCounters(b.Context()) }()
				time.Sleep(wait)
				b.ok(c(b.Context(), b.payer()))
				b.ok(<-reset)
				time.Sleep(time.Second)
				open, called := name != "enable", 0
				for _, cmd := range b.sent() {
					switch {
					case cmd[:2] == "59":
						called++
						if open {
							b.Errorf("%s after %v: counters are reset with channels open: %q", name, wait, b.sent())
						}
					case cmd == "02 00":
						open = false
					case cmd[:2] == "02":
						open = true
					}
				}
				if want := name != "disable"; called != 1 || b.snapshot().AcceptorEnabled != want {
					b.Errorf("%s after %v: reset %d times, picture %+v", name, wait, called, b.snapshot())
				}
			})
		}
	}
}

// A machine that refuses to be polled is not calm.
func TestResetCountersOfAMachineThatRefusesPolls(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.m.table("59", "F0")
		b.ready()
		b.m.becomes("F5")
		if err := b.payer().ResetCounters(b.Context()); err == nil || len(b.h.list("t 59")) > 0 {
			b.Errorf("error %v, sent %q", err, b.sent())
		}
		b.m.becomes("F0 E8")
	})
}

// Limits are sent at once and after every connection.
func TestCashboxLimitDialogue(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		d := b.payer()
		b.is(d.SetCashboxPayoutLimit(b.Context(), nil), cash.ErrInvalid)
		b.is(d.SetCashboxPayoutLimit(b.Context(), euros(700)), cash.ErrInvalid)
		b.is(d.SetCashboxPayoutLimit(b.Context(), cash.Counts{{Value: 500, Currency: "EUR"}: -1}), cash.ErrInvalid)
		b.is(d.SetCashboxPayoutLimit(b.Context(), cash.Counts{{Value: 500, Currency: "EUR"}: 65536}), cash.ErrInvalid)
		b.want([]string{"h 4E", "t 4E", "? "})
		b.m.table("4E", "F0")
		b.ok(d.SetCashboxPayoutLimit(b.Context(), cash.Counts{{Value: 500, Currency: "EUR"}: 2, {Value: 1000, Currency: "EUR"}: 300}))
		b.ok(d.SetCashboxPayoutLimit(b.Context(), cash.Counts{{Value: 500, Currency: "EUR"}: 0}))
		b.want([]string{"t 4E"}, "t 4E 02 02 00 "+eur5+" 2C 01 "+eur10+" > F0", "t 4E 01 00 00 "+eur5+" > F0")
		b.h.clear()
		b.m.die(true)
		time.Sleep(5 * time.Second)
		b.m.die(false)
		b.until("ready again", func(s *devices.Snapshot) bool { return s.Ready })
		b.want([]string{"t 4E"}, "t 4E 02 00 00 "+eur5+" 2C 01 "+eur10+" > F0")
		b.m.table("4E", "F2")
		b.is(d.SetCashboxPayoutLimit(b.Context(), euros(500)), cash.ErrUnsupported)
	})
	for name, setUp := range map[string]func(*machine){"validator": asValidator, "NV4000": asNV4000} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{}, setUp, func(b *bench) {
				b.ready()
				b.is(b.dev.Device().(devices.CashboxLimiter).SetCashboxPayoutLimit(b.Context(), euros(500)), cash.ErrUnsupported)
				b.want([]string{"h 4E", "t 4E", "? 4E"})
			})
		})
	}
}

// The option byte goes out once; what is sent later has the usual one.
func TestPayoutOptionDialogue(t *testing.T) {
	for name, tc := range map[string]struct {
		setUp func(*machine)
		usual string
	}{"recycler": {asRecycler, "5C"}, "note float": {asFloat, "5C 01"}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{}, tc.setUp, func(b *bench) {
				b.ready()
				d := b.dev.Device().(devices.PayoutOptioner)
				b.ok(d.EnablePayoutWith(b.Context(), 0x06))
				if s := b.snapshot(); !s.PayoutEnabled {
					b.Errorf("picture %+v", s)
				}
				b.want([]string{"t 5C"}, "t 5C 06 > F0")
				b.h.clear()
				b.m.die(true)
				time.Sleep(5 * time.Second)
				b.m.die(false)
				b.until("ready again", func(s *devices.Snapshot) bool { return s.Ready && s.PayoutEnabled })
				b.want([]string{"t 5C"}, "t "+tc.usual+" > F0")
				b.m.table("5C", "F5 03")
				b.is(d.EnablePayoutWith(b.Context(), 1), cash.ErrBusy)
			})
		})
	}
	inBubble(t, devices.DeviceConfig{}, asValidator, func(b *bench) {
		b.ready()
		b.is(b.dev.Device().(devices.PayoutOptioner).EnablePayoutWith(b.Context(), 1), cash.ErrUnsupported)
		b.want([]string{"t 5C", "? "})
	})
}

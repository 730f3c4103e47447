package devices_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/devices"
	"coffer/devices/coin"
	"coffer/internal/cash"
)

// Coins as SSP carries them.
const (
	c20  = "14 00 00 00 45 55 52"
	c50  = "32 00 00 00 45 55 52"
	c200 = "C8 00 00 00 45 55 52"
)

var fifty = cash.Denom{Value: 50, Currency: "EUR"}

// TestModels: what the REST dialects call a machine follows from unit type and firmware.
func TestModels(t *testing.T) {
	for want, setUp := range map[cash.DeviceID]func(*machine){
		"SMART_COIN_SYSTEM-COM5": asCoinSystem, "SMART_HOPPER_4-COM5": asHopper4, "SMART_HOPPER_3-COM5": asHopper3,
		"TWIN_SMART_COIN_SYSTEM-COM5": asTwin,
	} {
		t.Run(string(want), func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{}, setUp, func(b *bench) {
				b.ready()
				if got := b.snapshot().ID; got != want {
					b.Errorf("called %s", got)
				}
				kind := cash.CountersCoin
				if want == "SMART_HOPPER_3-COM5" {
					kind = cash.CountersHopper
				}
				if acc, err := b.dev.Device().Account(b.Context()); err != nil || acc.Kind != kind {
					b.Errorf("account %+v, %v", acc, err)
				}
			})
		})
	}
}

// TestHopperAtVersion5: values have two bytes and no currency (ssp.md section 17).
func TestHopperAtVersion5(t *testing.T) {
	inBubble(t, devices.DeviceConfig{Currency: "EUR"}, func(m *machine) {
		asHopper4(m)
		m.table("0608", "F8")
		m.table("0605", "F0")
		m.table("05", "F0 03 30313236 455552 05 03 1400 3200 C800")
	}, func(b *bench) {
		b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
		sent := b.sent()
		want := []string{"51", "50 26 00", "3C 14 00", "3C 32 00", "3C C8 00", "40 01 14 00", "40 01 32 00", "40 01 C8 00", "5A 01"}
		if i := slices.Index(sent, "51"); i < 0 || !slices.Equal(sent[i:i+len(want)], want) {
			b.Errorf("sent %q\nwant %q", sent, want)
		}
		b.h.clear()
		d := b.dev.Device().(*coin.Device)
		b.m.table("34", "F0")
		b.m.table("3B", "F0")
		b.ok(d.AddLevel(b.Context(), fifty, 3))
		b.ok(d.SetRoute(b.Context(), fifty, false))
		b.order("t 34 03 00 32 00", "record Filled", "t 3B 01 32 00")
	})
}

// TestCoinCommands: each call as it goes out.
func TestCoinCommands(t *testing.T) {
	inBubble(t, devices.DeviceConfig{Extensions: true, Poll: time.Minute}, asTwin, func(b *bench) {
		b.ready()
		b.m.hush(true)
		time.Sleep(time.Second)
		d := b.dev.Device().(*coin.Device)
		ctx := b.Context()
		b.h.clear()
		sends := func(script ...string) {
			b.played()
			b.m.say(script...)
		}
		sends("34 0A 00 " + c50 + " > F0")
		b.ok(d.AddLevel(ctx, fifty, 10))
		sends("22 > "+coinLevels("32", "3C", "32"), "34 00 00 "+c50+" > F0")
		b.ok(d.AddLevel(ctx, fifty, 0))
		sends("34 FF FF " + c50 + " > F4")
		b.is(d.AddLevel(ctx, fifty, 65535), cash.ErrInvalid)
		sends("51 > F0 26 01")
		o, err := d.Options(ctx)
		if b.ok(err); o != (devices.Options{Reg0: 0x26, Reg1: 1}) {
			b.Errorf("options %+v", o)
		}
		sends("50 A6 03 > F0")
		b.ok(d.SetOptions(ctx, devices.Options{Reg0: 0xA6, Reg1: 3}))
		sends("30 05 85 01 " + c50 + " > F0")
		b.ok(d.SetSorterRoute(ctx, fifty, 1))
		sends("30 05 87 02 > F0")
		b.ok(d.SetTwinMode(ctx, 2))
		sends("30 05 87 03 > F5")
		b.is(d.SetTwinMode(ctx, 3), cash.ErrBusy)
		sends("30 E0 11 > F0 05")
		l, err := d.LifterStatus(ctx)
		if b.ok(err); l != (devices.LifterStatus{Connected: true, Jammed: true}) {
			b.Errorf("lifter %+v", l)
		}
		sends("30 E0 11 > F2")
		_, err = d.LifterStatus(ctx)
		b.is(err, cash.ErrUnsupported)
		b.played()
		b.want([]string{"record Filled"}, "record Filled {50 EUR 10}", "record Filled {50 EUR -60}")
		if s := b.snapshot(); s.Channels[1].Hopper != 1 || s.Channels[2].Hopper != 1 || s.Channels[0].Hopper != 0 || s.TwinMode != 2 {
			b.Errorf("picture %+v", s)
		}
		b.h.clear()
		b.m.table("3B", "F0")
		b.m.becomes("F0 F1")
		time.Sleep(time.Minute + time.Second)
		b.m.becomes("F0 E8")
		b.until("ready again", func(s *devices.Snapshot) bool { return s.Ready })
		b.order("t 50 A6 03", "t 30 05 87 02", "t 30 05 85 00 "+c20, "t 30 05 85 01 "+c50, "t 30 05 85 01 "+c200)
	})
}

// TestCoinHealthCommands: each call of our own coding as it goes out (ssp.md sections 16.5 and 16.6), and again what a
// machine forgets with its power.
func TestCoinHealthCommands(t *testing.T) {
	inBubble(t, devices.DeviceConfig{Extensions: true, Poll: time.Minute}, asCoinSystem, func(b *bench) {
		b.ready()
		b.m.hush(true)
		time.Sleep(time.Second)
		d := b.dev.Device().(*coin.Device)
		ctx := b.Context()
		b.h.clear()
		sends := func(script ...string) {
			b.played()
			b.m.say(script...)
		}
		sends("30 E0 12 01 > F0 63 64 00 00 00 63 00 00 00")
		a, err := d.CoinAcceptance(ctx, 1)
		if b.ok(err); a != (devices.CoinAcceptance{Percent: 99, Seen: 100, Accepted: 99}) {
			b.Errorf("acceptance %+v", a)
		}
		sends("30 E0 12 02 > F4")
		_, err = d.CoinAcceptance(ctx, 2)
		b.is(err, cash.ErrInvalid)
		sends("30 E0 13 > F0 02 03")
		code, err := d.GlobalError(ctx)
		if b.ok(err); code != [2]byte{2, 3} {
			b.Errorf("error %v", code)
		}
		sends("30 E0 13 > F0 02")
		if _, err := d.GlobalError(ctx); err == nil {
			b.Error("half an error code was read")
		}
		sends("30 E0 14 E8 03 > F0")
		b.ok(d.SetPayoutLimit(ctx, 1000))
		b.is(d.SetPayoutLimit(ctx, 65536), cash.ErrInvalid)
		b.is(d.SetPayoutLimit(ctx, -1), cash.ErrInvalid)
		sends("30 E0 15 > F0 02 01")
		if n, err := d.PayoutCount(ctx); err != nil || n != 258 {
			b.Errorf("%d coins, %v", n, err)
		}
		sends("30 E0 19 03 > F0")
		b.ok(d.SetNoPayinCount(ctx, 3))
		sends("30 E0 16 > F0 02 05 00 " + c50 + " 00 00 " + c200 + " 01 00 00 00")
		levels, unknown, err := d.CashboxLevels(ctx)
		if b.ok(err); len(levels) != 1 || levels[fifty] != 5 || unknown != 1 {
			b.Errorf("levels %v, unknown %d", levels, unknown)
		}
		sends("30 E0 17 0A 00 " + c50 + " > F0")
		b.ok(d.AddCashboxLevel(ctx, fifty, 10))
		sends("30 E0 17 00 00 " + c50 + " > F0")
		b.ok(d.AddCashboxLevel(ctx, fifty, 0))
		b.is(d.AddCashboxLevel(ctx, fifty, -1), cash.ErrInvalid)
		b.is(d.AddCashboxLevel(ctx, cash.Denom{Value: 7, Currency: "EUR"}, 1), cash.ErrInvalid)
		sends("30 E0 18 > F0")
		b.ok(d.ClearCashboxLevels(ctx))
		sends("30 E0 18 > F2")
		b.is(d.ClearCashboxLevels(ctx), cash.ErrUnsupported)
		sends("30 E0 21 00 03 > F0 03 64 00 00 00 63 00 00 00 02 00 00 00 01 00 00 00")
		fields, err := d.ModuleServiceInformation(ctx, 0, 3)
		if b.ok(err); !slices.Equal(fields, []uint32{100, 99, 2, 1}) {
			b.Errorf("service %v", fields)
		}
		sends("30 E0 22 30 37 32 35 > F0")
		b.ok(d.SetMaintenanceReset(ctx, 7, 25))
		b.is(d.SetMaintenanceReset(ctx, 54, 25), cash.ErrInvalid)
		_, err = d.ServiceInformation(ctx, 0)
		b.is(err, cash.ErrUnsupported)
		b.played()
		b.want([]string{"record CashboxSet"}, "record CashboxSet {50 EUR 10}", "record CashboxSet {50 EUR 0}", "record CashboxSet {0  0}")
		b.h.clear()
		b.m.table("3B", "F0")
		b.m.table("30", "F0")
		b.m.becomes("F0 F1")
		time.Sleep(time.Minute + time.Second)
		b.m.becomes("F0 E8")
		b.until("ready again", func(s *devices.Snapshot) bool { return s.Ready })
		b.order("t 30 E0 14 E8 03", "t 30 E0 19 03")
	})
}

// TestCoinHealthOfRealMachines: one that is not said to know our coding gets no byte of it.
func TestCoinHealthOfRealMachines(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asCoinSystem, func(b *bench) {
		b.ready()
		d, ctx := b.dev.Device().(*coin.Device), b.Context()
		b.h.clear()
		for name, call := range map[string]func() error{
			"acceptance":    func() error { _, err := d.CoinAcceptance(ctx, 0); return err },
			"error":         func() error { _, err := d.GlobalError(ctx); return err },
			"limit":         func() error { return d.SetPayoutLimit(ctx, 5) },
			"count":         func() error { _, err := d.PayoutCount(ctx); return err },
			"no pay-in":     func() error { return d.SetNoPayinCount(ctx, 1) },
			"cashbox":       func() error { _, _, err := d.CashboxLevels(ctx); return err },
			"cashbox add":   func() error { return d.AddCashboxLevel(ctx, fifty, 1) },
			"cashbox clear": func() error { return d.ClearCashboxLevels(ctx) },
			"service":       func() error { _, err := d.ModuleServiceInformation(ctx, 0, 0); return err },
			"maintained":    func() error { return d.SetMaintenanceReset(ctx, 1, 25) },
		} {
			if err := call(); !errors.Is(err, cash.ErrUnsupported) {
				b.Errorf("%s: %v", name, err)
			}
		}
		for _, s := range b.sent() {
			if strings.HasPrefix(s, "30") {
				b.Errorf("sent %s", s)
			}
		}
	})
}

// TestCreditAfterAReading: coins that one credit sums up are told apart by what the levels have grown by, also where
// somebody has read the levels since they fell.
func TestCreditAfterAReading(t *testing.T) {
	for _, reads := range []int{0, 1, 2} {
		inBubble(t, devices.DeviceConfig{}, asCoinSystem, func(b *bench) {
			b.m.table("3C", "F0 00")
			b.accepting(false)
			b.m.hush(true)
			b.h.clear()
			b.m.table("22", coinLevels("34", "33", "32")) // two of 20 and one of 50 more
			for range reads {
				if _, err := b.dev.Device().Account(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.m.say("56 > F0 DF 01 5A 00 00 00 45 55 52", "57 > F0")
			b.played()
			b.want([]string{"record CoinCredited"}, "record CoinCredited 2x 20 EUR payout", "record CoinCredited 1x 50 EUR payout")
		})
	}
}

// TestFilledWhileTheLedgerRefuses: what a person has put in is written as soon as it can be.
func TestFilledWhileTheLedgerRefuses(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asHopper4, func(b *bench) {
		b.ready()
		b.m.hush(true)
		time.Sleep(time.Second)
		b.h.clear()
		b.m.table("34", "F0")
		b.sink.refuse(cash.ErrJournal)
		b.ok(b.dev.Device().(*coin.Device).AddLevel(b.Context(), fifty, 4))
		time.Sleep(2 * time.Second)
		b.sink.refuse(nil)
		time.Sleep(2 * time.Second)
		b.want([]string{"record Filled"}, "record Filled {50 EUR 4}")
	})
}

// TestFilledBeforeTheMachineGoes: what a person has put in is written also where the machine goes away while the ledger
// refuses.
func TestFilledBeforeTheMachineGoes(t *testing.T) {
	for _, how := range []string{"dead", "restarted"} {
		inBubble(t, devices.DeviceConfig{}, asHopper4, func(b *bench) {
			b.ready()
			b.m.hush(true)
			b.h.clear()
			b.m.table("34", "F0")
			b.m.table("3B", "F0")
			b.sink.refuse(cash.ErrJournal)
			b.ok(b.dev.Device().(*coin.Device).AddLevel(b.Context(), fifty, 4))
			if how == "dead" {
				b.m.die(true)
			} else {
				b.m.say("56 > F0 F1")
			}
			time.Sleep(10 * time.Second)
			b.sink.refuse(nil)
			b.m.die(false)
			time.Sleep(10 * time.Second)
			b.want([]string{"record Filled", "reconcile"}, "record Filled {50 EUR 4}", "reconcile")
		})
	}
}

// TestStatesOfCoinMachines: the events of section 11.3 that only these machines have.
func TestStatesOfCoinMachines(t *testing.T) {
	for _, c := range []struct {
		answer string
		want   []string
	}{
		{"C4", []string{"state COIN_MECH_JAMMED", "state IDLE"}},
		{"C5", []string{"CoinReturnPressed {}"}},
		{"BD", []string{"state COIN_MECH_DISABLED", "state IDLE"}},
		{"BE", []string{"state COIN_MECH_ENABLED", "state IDLE"}},
		{"B7 03", []string{"state ERROR", "state IDLE"}},
		{"B7", []string{"state ERROR", "state IDLE"}},
		{"9F 01", []string{"state LIFTER_EVENT", "state IDLE"}},
		{"CF", []string{"state DEVICE_FULL", "state IDLE"}},
		{"C0", []string{"state MAINTENANCE_REQUIRED", "state IDLE"}},
		{"BA", []string{"CoinRejected {}"}},
		{"E3", []string{"state CASHBOX_REMOVED"}},
		{"E6 01 " + c50, []string{"state FRAUD_ATTEMPT", "Fraud {0.50 EUR}", "state IDLE"}},
		{"83 02", []string{"state CALIBRATION_FAILED", "CalibrationFailed {2}", "state IDLE"}},
		{"C4 D5 01 00 00 00 00 45 55 52", []string{"state ERROR", "Jammed {0.00 EUR}", "state IDLE"}},
	} {
		t.Run(c.answer, func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{}, asHopper4, func(b *bench) {
				b.accepting(false)
				b.m.becomes("F0")
				time.Sleep(time.Second)
				b.h.clear()
				b.m.hush(true)
				b.m.say("56 > F0 " + c.answer)
				b.played()
				time.Sleep(time.Second)
				var want []string
				for _, w := range c.want {
					want = append(want, "record "+w)
				}
				b.want([]string{"record"}, want...)
			})
		})
	}
}

package devices_test

import (
	"slices"
	"testing"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
)

// asNV4000 is an NV4000 with 5, 10 and 20 EUR, four of each. Only where a driver may, it is asked in our coding.
func asNV4000(m *machine) {
	asRecycler(m)
	m.table("20", "F0 4E5653323030343238313033394E5634") // NVS2004281039NV4
	for _, part := range []string{"11", "12", "13", "14", "15", "16", "17", "18"} {
		m.table("0C"+part, "F0 00 5E 00 "+part)
	}
	m.table("30 E0 01", "F0")
	m.table("30 E0 02", "F0 01")
	m.table("30 E0 06", "F0")
	m.table("79", "F0 00")
}

// The start-up of ssp.md section 15.5: what a real machine gets, and what one gets beyond that which understands our
// coding.
func TestNV4000StartUp(t *testing.T) {
	head := []string{"11", "06 08", "keys", "05", "0C", "20", "21", "4F", "18", "09", "56", "56", "56", "22", "58", "56",
		"0C 11", "0C 12", "0C 13", "0C 14", "0C 15"}
	routes := []string{"3C " + eur5, "3C " + eur10, "3C " + eur20}
	tests := map[string]struct {
		cfg   devices.DeviceConfig
		want  []string
		parts int
	}{
		"real": {devices.DeviceConfig{}, slices.Concat(head, routes, []string{"02 07", "5B", "56"}), 5},
		"simulated": {devices.DeviceConfig{Extensions: true}, slices.Concat(head, []string{"0C 16", "0C 17", "0C 18"}, routes,
			[]string{"30 E0 02 " + eur5, "30 E0 02 " + eur10, "30 E0 02 " + eur20, "02 07", "79", "5B", "56"}), 8},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, tc.cfg, asNV4000, func(b *bench) {
				b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
				time.Sleep(50 * time.Millisecond)
				if got := b.sent(); !slices.Equal(got, tc.want) {
					b.Errorf("sent %q\nwant %q", got, tc.want)
				}
				if s := b.snapshot(); s.Model != "NV4000" || len(s.ModuleSerials) != tc.parts || s.ModuleSerials[0x11] != "6160401" {
					b.Errorf("the picture shows %+v", s)
				}
			})
		})
	}
}

// What only our coding can do is asked of no real machine.
func TestNV4000WithoutExtensions(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asNV4000, func(b *bench) {
		b.ready()
		b.h.clear()
		d := b.payer()
		five := cash.Denom{Value: 500, Currency: "EUR"}
		b.is(d.SetRecycler(b.Context(), five, 2), cash.ErrUnsupported)
		_, _, err := d.RecyclerLevels(b.Context(), 1)
		b.is(err, cash.ErrUnsupported)
		b.is(d.SetPayToBezel(b.Context(), true), cash.ErrUnsupported)
		_, err = d.CassetteMode(b.Context())
		b.is(err, cash.ErrUnsupported)
		b.is(d.SetCassetteMode(b.Context(), devices.CassettePayout), cash.ErrUnsupported)
		b.is(b.payer().StartEmpty(b.Context(), 1), cash.ErrUnsupported)
		for _, cmd := range b.sent() {
			if cmd[:2] != "56" {
				b.Errorf("sent %q", cmd)
			}
		}
		b.ok(b.payer().SetRoute(b.Context(), five, false))
		if ch, _ := b.snapshot().Channel(five); ch.ToPayout {
			b.Errorf("the picture shows %+v", ch)
		}
	})
}

// What was set is set again after a restart; a denomination that was sent to the cashbox since stays there.
func TestNV4000RestartKeepsRoutes(t *testing.T) {
	inBubble(t, devices.DeviceConfig{Extensions: true}, asNV4000, func(b *bench) {
		b.ready()
		d := b.payer()
		five, ten := cash.Denom{Value: 500, Currency: "EUR"}, cash.Denom{Value: 1000, Currency: "EUR"}
		b.ok(d.SetRecycler(b.Context(), five, 3))
		b.ok(d.SetRecycler(b.Context(), ten, 4))
		b.ok(d.SetRoute(b.Context(), ten, false))
		b.ok(d.SetPayToBezel(b.Context(), true))
		b.is(d.SetRecycler(b.Context(), five, 6), cash.ErrInvalid)
		b.is(d.SetRecycler(b.Context(), five, 0), cash.ErrInvalid)
		b.is(d.SetRecycler(b.Context(), cash.Denom{Value: 7, Currency: "EUR"}, 1), cash.ErrInvalid)
		b.h.clear()
		b.ok(d.Reset(b.Context()))
		b.until("restarting", func(s *devices.Snapshot) bool { return !s.Ready })
		b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
		b.order("t 01", "t 3B 00 "+eur5, "t 3B 01 "+eur10, "t 3B 00 "+eur20, "t 30 E0 06 01", "t 30 E0 01 04 "+eur5, "t 02 07")
		for _, cmd := range b.sent() {
			if cmd == "30 E0 01 05 "+eur10 {
				b.Error("a note that goes to the cashbox is sent to a recycler")
			}
		}
		if ch, _ := b.snapshot().Channel(five); ch.Recycler != 3 || !ch.ToPayout {
			b.Errorf("the picture shows %+v", ch)
		}
	})
}

// A note that a replenishment sends to the tray is booked as taken out, also where somebody reads the levels after it has
// left and before the machine says so.
func TestTrayAfterAReading(t *testing.T) {
	part := func(n string) string { return "F0 01 " + n + " 00 " + eur5 + " 3C 00" }
	for _, reads := range []int{0, 1, 2} {
		inBubble(t, devices.DeviceConfig{Extensions: true}, asNV4000, func(b *bench) {
			b.m.table("30 E0 05", "F0")
			b.m.table("30 E0 07", part("00"))
			b.m.table("30 E0 07 17", part("04"))
			b.ready()
			b.ok(b.payer().Replenish(b.Context(), 2))
			b.m.say("56 > F0 9A 01 "+eur5, "57 > F0")
			b.played()
			b.m.table("22", levels("03", "04", "04"))
			for range reads {
				if _, err := b.payer().Account(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.m.say("56 > F0 9B", "57 > F0")
			b.played()
			b.order("record Replenish {stored", "record Filled {500 EUR -1}", "record Replenish {sent to tray 5.00 EUR}")
			if got := b.h.list("record Filled", "reconcile"); got[0] != "record Filled {500 EUR -1}" || slices.Contains(got[1:], got[0]) {
				b.Errorf("%d readings: %v", reads, got)
			}
		})
	}
}

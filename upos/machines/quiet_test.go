package machines_test

import (
	"testing"
	"time"

	"coffer/devices"
	"coffer/internal/till"
)

// What a program of another kind holds in escrow when the machines are claimed for UnifiedPOS is its customer's: it goes
// back. A machine that is away is turned off when it is back.
func TestQuiet(t *testing.T) {
	held := notes
	held.escrow = true
	onBench(t, 4096, func(b *realBench) {
		d, _ := b.station.Device("SPECTRAL_PAYOUT-COM5")
		b.must(b.till.Enable(b.Context(), till.Call{Actor: "rest"}, d))
		b.Insert(bill(1000))
		b.await("held", func() bool { return d.Snapshot().Escrow != nil })
		b.must(b.m.Claim("pos"))
		b.must(b.m.Quiet(b.Context(), mine))
		b.await("given back", func() bool { s := d.Snapshot(); return s.Escrow == nil && !s.Moving })
		if d.Snapshot().AcceptorEnabled {
			t.Error("it still takes notes")
		}
		if store, box := b.Truth(0); store[bill(1000)] != 4 || box[bill(1000)] != 0 {
			t.Errorf("the note was kept: %v %v", store, box)
		}
		if d.Snapshot().AutoAccept {
			t.Error("it was set to take notes at once")
		}
		b.m.Release("pos")

		b.must(b.till.Enable(b.Context(), till.Call{Actor: "rest"}, d))
		b.Plug(0, false)
		b.await("away", func() bool { return !b.m.Parts()[0].Online })
		b.must(b.m.Claim("pos"))
		b.must(b.m.Quiet(b.Context(), mine))
		b.Plug(0, true)
		b.online()
		b.await("off", func() bool { return !accepts(d) })
		time.Sleep(time.Minute)
		if accepts(d) || b.machines[0].Truth().Enabled {
			t.Error("it is on again")
		}
	}, held)
}

func accepts(d devices.Device) bool { return d.Snapshot().AcceptorEnabled }

package devicetest

import (
	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

// replenishment: notes go from the cassette into the recyclers, and the books stay as they are.
func replenishment(b *bench) {
	d := b.dev.(devices.Replenisher)
	if b.dev.Snapshot().Model != modelNV4000 {
		b.is(d.Replenish(b.ctx(), 1), cash.ErrUnsupported)
		return
	}
	b.filled()
	r := b.dev.(devices.Recyclers)
	b.is(d.Replenish(b.ctx(), 0), cash.ErrInvalid)
	b.is(d.Replenish(b.ctx(), 65536), cash.ErrInvalid)
	b.is(d.Replenish(b.ctx(), 5), cash.ErrNothing)

	b.ok(r.SetRecycler(b.ctx(), piece(500), devices.Cassette)) // that fills it
	if ch, _ := b.dev.Snapshot().Channel(piece(500)); ch.Recycler != devices.Cassette {
		b.Errorf("the picture shows %+v", ch)
	}
	b.went(b.insert(500, 3), sim.InPayout)
	b.rest()
	b.holds(devices.Cassette, 60, cash.Counts{piece(500): 3})
	b.till.forget()
	b.ok(b.World.SetSpeed(4))
	b.ok(d.Replenish(b.ctx(), 2))
	b.is(d.Replenish(b.ctx(), 1), cash.ErrBusy)
	b.is(b.dev.(devices.Payer).StartPayout(b.ctx(), money(500)), cash.ErrBusy)
	b.event("state REPLENISHING")
	b.ok(b.World.SetSpeed(100))
	b.until("two notes told", func() bool { return b.till.count("Replenish stored 500") == 2 })
	b.event("state IDLE")
	b.rest()
	b.holds(devices.Cassette, 60, cash.Counts{piece(500): 1})
	b.holds(1, 60, cash.Counts{piece(500): 6, piece(1000): 4, piece(2000): 8})

	b.till.forget()
	b.fault(sim.Fault{Kind: sim.FaultDivert}) // the last one is no good
	b.ok(d.Replenish(b.ctx(), 5))
	b.event("Replenish sent to tray 500")
	b.rest()
	b.inOrder("Filled -1x 500 EUR", "Replenish sent to tray 500")
	b.is(d.Replenish(b.ctx(), 1), cash.ErrNothing)
}

func (b *bench) holds(n byte, capacity int, want cash.Counts) {
	b.Helper()
	got, room, err := b.dev.(devices.Recyclers).RecyclerLevels(b.ctx(), n)
	b.ok(err)
	if !same(got, want) || room != capacity {
		b.Errorf("part %d of %d holds %v, want %v", n, room, got.Rows(), want.Rows())
	}
}

// cassetteSwap: a person takes the cassette out and brings it back with something else in it.
func cassetteSwap(b *bench) {
	if b.dev.Snapshot().Model != modelNV4000 {
		return
	}
	b.ok(b.Machine.SetCassette(1000, "EUR", 3))
	b.ok(b.dev.(devices.Auditor).Audit(b.ctx()))
	p := b.filled()
	r := b.dev.(devices.Recyclers)
	b.fault(sim.Fault{Kind: sim.FaultCassetteOut})
	b.event("Replenish cassette removed 0")
	b.is(b.dev.(devices.Replenisher).Replenish(b.ctx(), 1), cash.ErrNothing)
	b.is(r.SetCassetteMode(b.ctx(), devices.CassettePayout), cash.ErrBusy)
	b.fault(sim.Fault{Kind: sim.FaultCassetteBack, Empty: true})
	b.event("Replenish cassette replaced 0")
	b.inOrder("Replenish cassette removed 0", "Filled -3x 1000 EUR", "Replenish cassette replaced 0")
	b.rest()

	b.ok(b.Machine.SetCassette(1000, "EUR", 60))
	b.event("Replenish cassette full 0")
	b.ok(b.dev.(devices.Auditor).Audit(b.ctx()))
	b.ok(r.SetCassetteMode(b.ctx(), devices.CassettePayout))
	b.is(b.dev.(devices.Replenisher).Replenish(b.ctx(), 1), cash.ErrDisabled)
	b.till.forget()
	b.ok(b.dev.(devices.Emptier).StartEmpty(b.ctx(), 1)) // the recycler that has all the others
	b.event("Ended empty done")
	b.rest()
	b.ok(p.StartPayout(b.ctx(), money(2000)))
	b.event("Ended dispense done 2000")
	b.rest()
	b.ok(b.dev.(devices.Emptier).StartEmpty(b.ctx(), devices.Cassette))
	b.event("Ended empty done 58000")
	b.rest()
	b.holds(devices.Cassette, 60, nil)
}

// refill: a note that the store does not take goes back instead of into the cashbox, also after a restart.
func refill(b *bench) {
	d := b.dev.(devices.Refiller)
	if b.float() || !b.hasPayout() {
		b.is(d.SetRefillMode(b.ctx(), true), cash.ErrUnsupported)
		return
	}
	b.accept()
	mode := func(want bool) {
		b.Helper()
		if on, err := d.RefillMode(b.ctx()); err != nil || on != want {
			b.Errorf("refill mode %t, %v; want %t", on, err, want)
		}
	}
	mode(false)
	b.ok(b.dev.(devices.Router).SetRoute(b.ctx(), piece(500), false))
	b.ok(d.SetRefillMode(b.ctx(), true))
	b.ok(b.dev.Reset(b.ctx()))
	b.lostAndBack()
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled && b.dev.Snapshot().PayoutEnabled })
	mode(true)
	b.went(b.insert(500, 1), sim.IsReturned)
	b.ok(d.SetRefillMode(b.ctx(), false))
	mode(false)
	b.went(b.insert(500, 1), sim.InCashbox)
	b.rest()
}

// bezel: its light can be set on machines that have one.
func bezel(b *bench) {
	d := b.dev.(devices.Bezel)
	b.is(d.SetBezel(b.ctx(), 1, 2, 3, false, 3), cash.ErrInvalid)
	b.ok(d.SetBezel(b.ctx(), 255, 0, 0, true, 1))
	b.ok(d.SetBezel(b.ctx(), 0, 0, 0, false, 2))
}

package devicetest

import (
	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

// modelNV4000 is the machine with several recyclers.
const modelNV4000 = "NV4000"

// recyclers: a note goes to the recycler of its route, stays there over a restart, and one recycler is emptied alone, by
// the coding that simulated machines understand.
func recyclers(b *bench) {
	if b.dev.Snapshot().Model != modelNV4000 {
		return
	}
	b.filled()
	d := b.dev.(devices.Recyclers)
	holds := func(n byte, want cash.Counts) {
		b.Helper()
		got, capacity, err := d.RecyclerLevels(b.ctx(), n)
		b.ok(err)
		if !same(got, want) || capacity != 60 {
			b.Errorf("recycler %d of %d holds %v, want %v", n, capacity, got.Rows(), want.Rows())
		}
	}
	b.is(d.SetRecycler(b.ctx(), piece(7), 1), cash.ErrInvalid)
	b.is(d.SetRecycler(b.ctx(), piece(500), 6), cash.ErrInvalid)
	_, _, err := d.RecyclerLevels(b.ctx(), 6)
	b.is(err, cash.ErrInvalid)
	b.ok(d.SetRecycler(b.ctx(), piece(500), 3))
	b.ok(b.dev.Reset(b.ctx()))
	b.lostAndBack()
	if ch, _ := b.dev.Snapshot().Channel(piece(500)); ch.Recycler != 3 || !ch.ToPayout {
		b.Errorf("the picture shows %+v", ch)
	}
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled && b.dev.Snapshot().PayoutEnabled })
	b.went(b.insert(500, 2), sim.InPayout)
	b.rest()
	holds(1, cash.Counts{piece(500): 4, piece(1000): 4, piece(2000): 8})
	holds(3, cash.Counts{piece(500): 2})

	e := b.dev.(devices.Emptier)
	b.is(e.StartEmpty(b.ctx(), 6), cash.ErrInvalid)
	b.ok(e.StartEmpty(b.ctx(), 3))
	b.event("Ended empty done 1000")
	b.rest()
	holds(3, nil)
	holds(1, cash.Counts{piece(500): 4, piece(1000): 4, piece(2000): 8})

	b.ok(b.dev.(devices.Router).SetRoute(b.ctx(), piece(500), false))
	b.went(b.insert(500, 1), sim.InCashbox)
	b.ok(b.dev.(devices.Router).SetRoute(b.ctx(), piece(500), true))
	b.went(b.insert(500, 1), sim.InPayout)
	b.rest()
	holds(3, nil)

	b.ok(d.SetCassetteMode(b.ctx(), devices.CassettePayout))
	if mode, err := d.CassetteMode(b.ctx()); err != nil || mode != devices.CassettePayout {
		b.Errorf("cassette mode %v, %v", mode, err)
	}
}

// trayAndBezel: a note that is paid waits in the bezel if that is wanted, also after a restart.
func trayAndBezel(b *bench) {
	if b.dev.Snapshot().Model != modelNV4000 {
		return
	}
	p := b.filled()
	d := b.dev.(devices.Recyclers)
	b.ok(p.StartPayout(b.ctx(), money(500)))
	b.event("Ended dispense done 500")
	b.rest()
	if b.till.heard("NoteInBezel") {
		b.Error("a note has waited in the bezel")
	}
	b.ok(d.SetPayToBezel(b.ctx(), true))
	b.ok(b.dev.Reset(b.ctx()))
	b.lostAndBack()
	b.until("payout on", func() bool { return b.dev.Snapshot().PayoutEnabled })
	b.ok(b.World.SetSpeed(4))
	b.ok(p.StartPayout(b.ctx(), money(500)))
	b.event("NoteInBezel")
	b.is(d.SetPayToBezel(b.ctx(), false), cash.ErrBusy)
	b.ok(b.World.SetSpeed(100))
	b.event("Ended dispense done 500")
	b.rest()
}

// realRecyclers: without bytes that are known, and on every machine with one store, there are no parts to be chosen.
func realRecyclers(b *bench) {
	d, ok := b.dev.(devices.Recyclers)
	if !ok {
		return
	}
	b.is(d.SetRecycler(b.ctx(), piece(500), 1), cash.ErrUnsupported)
	b.is(d.SetPayToBezel(b.ctx(), true), cash.ErrUnsupported)
	_, _, err := d.RecyclerLevels(b.ctx(), 1)
	b.is(err, cash.ErrUnsupported)
	_, err = d.CassetteMode(b.ctx())
	b.is(err, cash.ErrUnsupported)
	b.is(d.SetCassetteMode(b.ctx(), devices.CassetteReplenish), cash.ErrUnsupported)
	if b.dev.Snapshot().Model == modelNV4000 {
		b.is(b.dev.(devices.Emptier).StartEmpty(b.ctx(), 2), cash.ErrUnsupported)
	}
}

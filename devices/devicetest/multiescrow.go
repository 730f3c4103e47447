package devicetest

import (
	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

// several makes the machine hold up to twenty notes in its store; false if it cannot.
func (b *bench) several() (devices.MultiEscrow, bool) {
	b.Helper()
	d := b.dev.(devices.MultiEscrow)
	if model := b.dev.Snapshot().Model; model != modelNV4000 && b.Machine.Profile() != "spectral-payout" {
		_, err := d.MultiEscrowSize(b.ctx())
		b.is(err, cash.ErrUnsupported)
		b.is(d.SetMultiEscrowSize(b.ctx(), 5), cash.ErrUnsupported)
		b.is(d.SetMultiEscrowSize(b.ctx(), 0), cash.ErrUnsupported)
		b.is(d.CommitMultiEscrow(b.ctx()), cash.ErrUnsupported)
		return nil, false
	}
	b.accept()
	b.ok(d.SetMultiEscrowSize(b.ctx(), 20))
	return d, true
}

// hold feeds notes in until the store holds them all for the customer.
func (b *bench) hold(values ...int64) (ids []string) {
	b.Helper()
	want := cash.Counts{}
	for _, v := range values {
		id := b.insert(v, 1)
		want[piece(v)]++
		b.until("held", func() bool { return b.dev.Snapshot().MultiHeld[piece(v)] == want[piece(v)] })
		ids = append(ids, id)
	}
	return ids
}

// multiEscrow: notes are held one by one, and then taken or given back together.
func multiEscrow(b *bench) {
	d, ok := b.several()
	if !ok {
		return
	}
	b.is(d.SetMultiEscrowSize(b.ctx(), 21), cash.ErrInvalid)
	b.is(d.SetMultiEscrowSize(b.ctx(), -1), cash.ErrInvalid)
	b.is(d.CommitMultiEscrow(b.ctx()), cash.ErrNothing)
	b.is(d.CancelMultiEscrow(b.ctx()), cash.ErrNothing)
	b.worth(d, 0)

	ids := b.hold(500, 2000, 500)
	b.worth(d, 3000)
	if n := b.till.count("NoteHeld"); n != 3 || b.till.heard("NoteCredited") || b.till.heard("NotePlaced") {
		b.Errorf("%d notes were told of as held; events %v", n, b.till.all())
	}
	p := b.dev.(devices.Payer)
	b.is(p.StartPayout(b.ctx(), money(500)), cash.ErrBusy)
	b.is(p.DisablePayout(b.ctx()), cash.ErrBusy)
	b.is(d.SetMultiEscrowSize(b.ctx(), 5), cash.ErrBusy)
	for _, id := range ids {
		b.went(id, sim.InEscrow)
	}

	b.ok(d.CommitMultiEscrow(b.ctx()))
	b.is(d.CancelMultiEscrow(b.ctx()), cash.ErrBusy)
	b.event("MultiEscrow committing 0")
	b.event("MultiEscrow committed 3000")
	b.rest()
	b.inOrder("MultiEscrow committing 0", "NoteCredited 500 EUR payout", "NoteCredited 2000 EUR payout", "MultiEscrow committed 3000")
	if n := b.till.count("NoteCredited"); n != 3 || b.till.count("NotePlaced") != 3 || b.till.count("MultiEscrow") != 2 {
		b.Errorf("%d notes were credited; events %v", n, b.till.all())
	}

	b.till.forget()
	ids = b.hold(500, 1000)
	b.ok(d.CancelMultiEscrow(b.ctx()))
	b.event("MultiEscrow cancelled 1500")
	b.inOrder("MultiEscrow cancelling 0", "NoteReturned 500 EUR 8", "NoteReturned 1000 EUR 8", "MultiEscrow cancelled 1500")
	for _, id := range ids {
		b.went(id, sim.IsReturned)
	}
	b.rest()
	b.worth(d, 0)

	b.ok(d.SetMultiEscrowSize(b.ctx(), 0))
	b.lostAndBack()
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled && b.dev.Snapshot().PayoutEnabled })
	if n, err := d.MultiEscrowSize(b.ctx()); err != nil || n != 0 {
		b.Errorf("size %d, %v", n, err)
	}
	b.went(b.insert(500, 1), sim.InPayout)
	b.rest()
}

func (b *bench) worth(d devices.MultiEscrow, want int64) {
	b.Helper()
	if got, err := d.MultiEscrowValue(b.ctx()); err != nil || got != money(want) {
		b.Errorf("%v are held, %v; want %d", got, err, want)
	}
}

// multiEscrowFull: what comes in beyond the size goes back, and the size outlives a restart.
func multiEscrowFull(b *bench) {
	d, ok := b.several()
	if !ok {
		return
	}
	b.ok(d.SetMultiEscrowSize(b.ctx(), 2))
	b.ok(b.dev.Reset(b.ctx()))
	b.lostAndBack()
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled && b.dev.Snapshot().PayoutEnabled })
	b.hold(500, 500)
	b.went(b.insert(2000, 1), sim.IsReturned)
	b.ok(d.CommitMultiEscrow(b.ctx()))
	b.event("MultiEscrow committed 1000")
	b.rest()
	if n, err := d.MultiEscrowSize(b.ctx()); err != nil || n != 2 {
		b.Errorf("size %d, %v", n, err)
	}
}

// multiEscrowUnplugged: what was held when the connection was lost goes back.
func multiEscrowUnplugged(b *bench) {
	if _, ok := b.several(); !ok {
		return
	}
	ids := b.hold(500, 2000)
	b.fault(sim.Fault{Kind: sim.FaultUnplug})
	b.event("state NOT_CONNECTED")
	b.fault(sim.Fault{Kind: sim.FaultPlug})
	b.back()
	for _, id := range ids {
		b.went(id, sim.IsReturned)
	}
	b.settled()
	if b.till.heard("NoteCredited") || b.till.heard("evidence NoteCredited") {
		b.Error("held notes were taken without a decision")
	}
}

// multiEscrowCut: a commit that the power has cut is finished, and a cancellation likewise.
func multiEscrowCut(b *bench) {
	d, ok := b.several()
	if !ok {
		return
	}
	for _, c := range []struct {
		commit bool
		step   int
	}{{true, 1}, {true, 3}, {false, 2}, {false, 3}} {
		b.until("accepting", func() bool {
			return b.Machine.Truth().Enabled && b.dev.Snapshot().PayoutEnabled && b.dev.Snapshot().Ready
		})
		b.till.forget()
		ids := b.hold(500, 2000)
		decide, end := d.CommitMultiEscrow, sim.InPayout
		if !c.commit {
			decide, end = d.CancelMultiEscrow, sim.IsReturned
		}
		b.fault(sim.Fault{Kind: sim.FaultPowerOff, AtStep: c.step})
		b.ok(decide(b.ctx()))
		b.until("power is off", func() bool { return !b.Machine.Truth().Power })
		b.event("state NOT_CONNECTED")
		b.fault(sim.Fault{Kind: sim.FaultPowerOn})
		b.back()
		for _, id := range ids {
			b.went(id, end)
		}
		b.settled()
	}
}

// realMultiEscrow: without bytes that are known nothing is held in the store.
func realMultiEscrow(b *bench) {
	d, ok := b.dev.(devices.MultiEscrow)
	if !ok {
		return
	}
	_, err := d.MultiEscrowSize(b.ctx())
	b.is(err, cash.ErrUnsupported)
	_, err = d.MultiEscrowValue(b.ctx())
	b.is(err, cash.ErrUnsupported)
	b.is(d.SetMultiEscrowSize(b.ctx(), 5), cash.ErrUnsupported)
	b.is(d.CommitMultiEscrow(b.ctx()), cash.ErrUnsupported)
	b.is(d.CancelMultiEscrow(b.ctx()), cash.ErrUnsupported)
}

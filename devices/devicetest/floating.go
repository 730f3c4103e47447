package devicetest

import (
	"slices"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

// pile reads the notes of a float, the next one out last.
func (b *bench) pile() (values []int64) {
	b.Helper()
	notes, err := b.dev.(devices.NoteFloat).Notes(b.ctx())
	b.ok(err)
	for _, n := range notes {
		values = append(values, n.Value)
	}
	return values
}

// piled makes the pile of the machine under test: 500s, on them a 1000, on that a 500.
func (b *bench) piled(fives int) {
	b.Helper()
	for _, l := range []struct {
		value int64
		count int
	}{{500, fives}, {1000, 1}, {500, fives + 1}} {
		b.ok(b.Machine.SetLevel(l.value, "EUR", l.count))
	}
	if got, want := b.pile(), append(slices.Repeat([]int64{500}, fives), 1000, 500); !slices.Equal(got, want) {
		b.Fatalf("the pile is %v, want %v", got, want)
	}
}

// topNotes: only what lies on top can be paid, and what cannot is not begun.
func topNotes(b *bench) {
	p := b.filled()
	b.piled(3)
	for want, err := range map[int64]error{1000: cash.ErrNotExact, 2500: nil, 3500: cash.ErrNotEnough, 501: cash.ErrNotExact} {
		b.is(p.TestPayout(b.ctx(), money(want)), err)
		if err != nil {
			b.is(p.StartPayout(b.ctx(), money(want)), err)
		}
	}
	if got := b.Machine.Truth(); len(rows(got.Dispensed)) > 0 || got.Moving {
		b.Errorf("a payout that cannot be made has begun: %+v", got)
	}
	b.ok(p.StartPayout(b.ctx(), money(2000)))
	b.is(p.TestPayout(b.ctx(), money(500)), cash.ErrBusy)
	b.event("Ended dispense done 2000")
	b.rest()
	b.inOrder("Progress dispense 500", "Progress dispense 1500", "Ended dispense done 2000")
	if n := b.till.count("Ended"); n != 1 {
		b.Errorf("one payout of three notes ended %d times", n)
	}
	states := slices.DeleteFunc(b.till.all(), func(s string) bool { return s != "state IDLE" })
	if len(states) != 1 {
		b.Errorf("idle %d times, want once, at the end: %v", len(states), b.till.all())
	}
	if got := rows(b.Machine.Truth().Dispensed); !same(got, cash.Counts{piece(500): 2, piece(1000): 1}) {
		b.Errorf("paid %v", got.Rows())
	}
}

// stacking: a float takes notes off the pile until what is to be kept is left, if that lies below all the others.
func stacking(b *bench) {
	b.filled()
	b.piled(3)
	f := b.dev.(devices.Floater)
	b.is(f.StartFloat(b.ctx(), cash.Counts{piece(500): 5}), cash.ErrNotEnough)
	b.is(f.StartFloat(b.ctx(), cash.Counts{piece(500): 4}), cash.ErrNotExact)
	b.is(f.StartFloat(b.ctx(), cash.Counts{piece(500): 2, piece(1000): 1}), cash.ErrNotExact)
	b.ok(f.StartFloat(b.ctx(), cash.Counts{piece(500): 2}))
	b.event("Ended float done 2000")
	b.event("state IDLE")
	b.inOrder("state FLOATING", "Progress float 500", "Progress float 1500", "Ended float done 2000", "state IDLE")
	b.till.forget()
	b.ok(f.StartFloat(b.ctx(), cash.Counts{piece(500): 2})) // nothing to be done
	b.event("Ended float done 0")
	if got := b.pile(); !slices.Equal(got, []int64{500, 500}) {
		b.Errorf("the pile is %v", got)
	}
}

// recycled: one denomination at a time; the others go to the cashbox.
func recycled(b *bench) {
	b.accept()
	small, large := b.values()
	b.ok(b.dev.(devices.Router).SetRoute(b.ctx(), piece(large), true))
	for _, ch := range b.dev.Snapshot().Channels {
		if ch.ToPayout != (ch.Denom == piece(large)) {
			b.Errorf("route of %+v", ch)
		}
	}
	b.went(b.insert(large, 1), sim.InPayout)
	b.went(b.insert(small, 1), sim.InCashbox)
	b.rest()
	b.ok(b.dev.Reset(b.ctx()))
	b.lostAndBack()
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled })
	b.went(b.insert(large, 1), sim.InPayout)
	b.rest()
}

// floatAway: a float that is taken off and put back keeps its notes, and is set up again.
func floatAway(b *bench) {
	p := b.filled()
	small, _ := b.values()
	b.fault(sim.Fault{Kind: sim.FaultFloatRemoved})
	b.event("state NOTE_FLOAT_REMOVED")
	b.until("payout off", func() bool { return !b.dev.Snapshot().PayoutEnabled })
	b.is(p.StartPayout(b.ctx(), money(small)), cash.ErrDisabled)
	b.went(b.insert(small, 1), sim.IsReturned)
	b.ok(b.dev.Disable(b.ctx()))
	b.ok(b.dev.Enable(b.ctx()))
	b.fault(sim.Fault{Kind: sim.FaultReset})
	b.until("ready without it", func() bool { return b.till.heard("state NOT_CONNECTED") && b.dev.Snapshot().Ready })
	b.fault(sim.Fault{Kind: sim.FaultFloatAttached})
	b.event("state NOTE_FLOAT_ATTACHED")
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled && b.dev.Snapshot().PayoutEnabled })
	b.went(b.insert(small, 1), sim.InPayout)
	b.rest()
	b.ok(p.StartPayout(b.ctx(), money(2*small)))
	b.event("Ended dispense done")
	b.rest()
}

// cutBetweenNotes: whatever note of a payout the power is cut at, nobody goes on with it when the machine is back.
func cutBetweenNotes(b *bench) {
	p := b.filled()
	for step, paid := range map[int]int{5: 1, 7: 1, 8: 2} { // of the second note
		b.until("enabled", func() bool { s := b.dev.Snapshot(); return s.Ready && s.PayoutEnabled })
		b.ok(b.Machine.SetLevel(500, "EUR", 8))
		b.till.forget()
		before := rows(b.Machine.Truth().Dispensed)
		b.fault(sim.Fault{Kind: sim.FaultPowerOff, AtStep: step})
		b.ok(p.StartPayout(b.ctx(), money(1500)))
		b.until("power is off", func() bool { return !b.Machine.Truth().Power })
		b.event("state NOT_CONNECTED")
		b.fault(sim.Fault{Kind: sim.FaultPowerOn})
		b.back()
		b.event("evidence Ended dispense incomplete")
		b.settled()
		if got := rows(b.Machine.Truth().Dispensed).Minus(before).Pieces(); got != paid {
			b.Errorf("step %d: %d notes were paid, want %d", step, got, paid)
		}
		if b.till.heard("Ended dispense done") {
			b.Errorf("step %d: the payout is told to be done", step)
		}
	}
}

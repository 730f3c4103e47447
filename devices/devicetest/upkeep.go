package devicetest

import (
	"fmt"
	"time"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

// clock: a machine keeps the time that it is told, over a restart too. Some have none.
func clock(b *bench) {
	d := b.dev.(devices.Clock)
	at := time.Date(2031, 2, 3, 4, 5, 6, 0, time.Local)
	if err := d.SetTime(b.ctx(), at); err != nil {
		b.is(err, cash.ErrUnsupported)
		_, err = d.Time(b.ctx())
		b.is(err, cash.ErrUnsupported)
		return
	}
	b.ok(b.dev.Reset(b.ctx()))
	b.lostAndBack()
	got, err := d.Time(b.ctx())
	if b.ok(err); got.Before(at) || got.After(at.Add(time.Minute)) {
		b.Errorf("the clock says %v, it was set to %v", got, at)
	}
}

// noClock: a real machine gets none of our bytes.
func noClock(b *bench) {
	_, err := b.dev.(devices.Clock).Time(b.ctx())
	b.is(err, cash.ErrUnsupported)
	b.is(b.dev.(devices.Clock).SetTime(b.ctx(), time.Now()), cash.ErrUnsupported)
}

// countersReset: what was counted is cleared, and no money with it.
func countersReset(b *bench) {
	b.accept()
	small, _ := b.amounts()
	b.went(b.insert(small, 2), b.stores(small))
	b.rest()
	b.ok(b.dev.(devices.CounterResetter).ResetCounters(b.ctx()))
	for name, n := range b.Machine.Truth().Counters {
		if n != 0 {
			b.Errorf("counter %s is %d", name, n)
		}
	}
	for _, n := range b.dev.Snapshot().Counters {
		if n != 0 {
			b.Errorf("the picture shows %v", b.dev.Snapshot().Counters)
			break
		}
	}
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled && b.dev.Snapshot().State == cash.StateIdle })
	b.went(b.insert(small, 1), b.stores(small))
	b.rest()
}

// limited: above its limit a denomination goes to the cashbox, over a restart too, until there is no limit any more.
func limited(b *bench) {
	b.accept()
	small, large := b.amounts()
	l := b.dev.(devices.CashboxLimiter)
	b.is(l.SetCashboxPayoutLimit(b.ctx(), cash.Counts{}), cash.ErrInvalid)
	b.is(l.SetCashboxPayoutLimit(b.ctx(), cash.Counts{piece(7): 1}), cash.ErrInvalid)
	b.is(l.SetCashboxPayoutLimit(b.ctx(), cash.Counts{piece(small): 65536}), cash.ErrInvalid)
	have := b.dev.Snapshot().Levels[piece(small)]
	b.ok(l.SetCashboxPayoutLimit(b.ctx(), cash.Counts{piece(small): have + 1, piece(large): 60000}))
	for _, where := range []string{sim.InPayout, sim.InCashbox} {
		b.went(b.insert(small, 1), where)
		b.rest()
	}
	b.ok(b.dev.Reset(b.ctx()))
	b.lostAndBack()
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled && b.dev.Snapshot().PayoutEnabled })
	b.went(b.insert(small, 1), sim.InCashbox)
	b.rest()
	b.ok(l.SetCashboxPayoutLimit(b.ctx(), cash.Counts{piece(small): 0}))
	b.went(b.insert(small, 1), sim.InPayout)
	b.rest()
}

// payoutOptions: a store that is enabled with options pays as any other.
func payoutOptions(b *bench) {
	p, ok := b.dev.(devices.PayoutOptioner)
	if !ok {
		b.Fatalf("%T takes no options", b.dev)
	}
	b.accept()
	b.ok(p.EnablePayoutWith(b.ctx(), 0x06))
	small, _ := b.amounts()
	b.went(b.insert(small, 1), b.stores(small))
	b.rest()
	b.ok(b.dev.(devices.Payer).StartPayout(b.ctx(), money(small)))
	b.event(fmt.Sprintf("Ended dispense done %d", small))
	b.rest()
}

// sensors: a note machine that knows no note says that it wants maintenance, and gives back what comes in.
func sensors(b *bench) {
	b.accept()
	small, _ := b.amounts()
	b.fault(sim.Fault{Kind: sim.FaultCalibrationFail})
	b.event("state MAINTENANCE_REQUIRED")
	b.went(b.insert(small, 1), sim.IsReturned)
	b.event("NoteRejected {10}")
	b.ok(b.dev.Reset(b.ctx()))
	b.lostAndBack()
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled && b.dev.Snapshot().State == cash.StateIdle })
	b.went(b.insert(small, 1), b.stores(small))
	b.rest()
}

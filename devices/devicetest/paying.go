package devicetest

import (
	"fmt"
	"slices"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

// filled enables the store and returns the device as one that pays.
func (b *bench) filled() devices.Payer {
	b.Helper()
	b.accept()
	return b.dev.(devices.Payer)
}

func payout(b *bench) {
	p := b.filled()
	small, large := b.amounts()
	want := money(small + large)
	b.ok(p.TestPayout(b.ctx(), want))
	b.ok(p.StartPayout(b.ctx(), want))
	b.event(fmt.Sprintf("Ended dispense done %d", want.Value))
	b.event("state DISPENSING")
	b.event("state IDLE")
	b.rest()
	if got := rows(b.Machine.Truth().Dispensed).Total("EUR"); got != want {
		b.Errorf("paid %v, want %v", got, want)
	}
	if n := b.till.count("Ended"); n != 1 {
		b.Errorf("ended %d times", n)
	}
}

// payoutAcceptorOff: disabling the acceptor leaves the machine able to pay, and not to take.
func payoutAcceptorOff(b *bench) {
	p := b.filled()
	small, _ := b.amounts()
	b.ok(b.dev.Disable(b.ctx()))
	b.until("disabled", func() bool { return b.dev.Snapshot().State == cash.StateDisabled })
	b.ok(p.StartPayout(b.ctx(), money(small)))
	b.event(fmt.Sprintf("Ended dispense done %d", small))
	b.event("state DISABLED")
	b.went(b.insert(small, 1), sim.IsReturned)
	b.rest()
}

func refusals(b *bench) {
	small, large := b.amounts()
	p := b.dev.(devices.Payer)
	if !b.coins() {
		b.is(p.StartPayout(b.ctx(), money(small)), cash.ErrDisabled)
		b.is(p.TestPayout(b.ctx(), money(small)), cash.ErrDisabled)
	}
	p = b.filled()
	total := rows(b.Machine.Truth().Payout).Total("EUR").Value
	b.is(p.StartPayout(b.ctx(), money(total+large)), cash.ErrNotEnough)
	b.is(p.StartPayout(b.ctx(), cash.Amount{Value: small, Currency: "GBP"}), cash.ErrInvalid)
	b.is(p.StartPayout(b.ctx(), money(0)), cash.ErrInvalid)
	if !b.coins() {
		b.is(p.StartPayout(b.ctx(), money(small+1)), cash.ErrNotExact)
		b.is(p.TestPayout(b.ctx(), money(small+1)), cash.ErrNotExact)
		b.is(p.TestPayout(b.ctx(), money(1<<31)), cash.ErrNotEnough)
	}
	b.is(p.Halt(b.ctx()), cash.ErrNothing)
	b.ok(p.StartPayout(b.ctx(), money(large+small)))
	b.is(p.StartPayout(b.ctx(), money(small)), cash.ErrBusy)
	b.is(b.dev.(devices.Emptier).StartEmpty(b.ctx(), 0), cash.ErrBusy)
	b.is(b.dev.Reset(b.ctx()), cash.ErrBusy)
	b.event("Ended dispense done")
	b.rest()
}

func float(b *bench) {
	b.filled()
	small, large := b.amounts()
	keep := cash.Counts{piece(small): 2}
	keep[piece(large)] = 1
	b.ok(b.dev.(devices.Floater).StartFloat(b.ctx(), keep))
	b.event("state FLOATING")
	b.event("Ended float done")
	b.rest()
	if got := rows(b.Machine.Truth().Payout); len(got.Minus(keep)) > 0 {
		b.Errorf("%v are left, want %v", got.Rows(), keep.Rows())
	}
	b.is(b.dev.(devices.Floater).StartFloat(b.ctx(), cash.Counts{piece(7): 1}), cash.ErrInvalid)
}

func empty(b *bench) {
	b.filled()
	b.ok(b.dev.(devices.Emptier).StartEmpty(b.ctx(), 0))
	b.event("state EMPTYING")
	b.event("Ended empty done")
	b.rest()
	if got := rows(b.Machine.Truth().Payout); len(got) > 0 {
		b.Errorf("%v are left", got.Rows())
	}
}

func halt(b *bench) {
	p := b.filled()
	_, large := b.amounts()
	b.ok(b.World.SetSpeed(4))
	b.ok(p.StartPayout(b.ctx(), money(4*large)))
	b.event("Progress dispense")
	b.ok(p.Halt(b.ctx()))
	b.ok(b.World.SetSpeed(100))
	b.event("Ended dispense halted")
	b.rest()
	if got := rows(b.Machine.Truth().Dispensed).Total("EUR").Value; got == 0 || got >= 4*large {
		b.Errorf("paid %d of %d before the halt", got, 4*large)
	}
}

func diverted(b *bench) {
	p := b.filled()
	_, large := b.amounts()
	b.fault(sim.Fault{Kind: sim.FaultDivert})
	b.ok(p.StartPayout(b.ctx(), money(large)))
	if b.coins() {
		b.event("MovedToCashbox {2.00 EUR}")
		b.event(fmt.Sprintf("Ended dispense done %d", large))
	} else {
		b.event("PayoutError")
		b.event("Ended dispense error 0")
	}
	b.rest()
}

func payoutJam(b *bench) {
	p := b.filled()
	small, large := b.amounts()
	b.ok(b.World.SetSpeed(10))
	b.ok(p.StartPayout(b.ctx(), money(large+small)))
	b.event("state DISPENSING")
	b.fault(sim.Fault{Kind: sim.FaultPayoutJam})
	b.event("Jammed")
	b.event("state ERROR")
	if n := b.till.count("Ended"); n != 0 {
		b.Error("a jam that may be repaired has ended the payout")
	}
	b.ok(b.World.SetSpeed(100))
	b.fault(sim.Fault{Kind: sim.FaultUnjam})
	b.event("Ended dispense done")
	b.rest()
}

// inOrder checks that the events were told in this order, others between them allowed.
func (b *bench) inOrder(want ...string) {
	b.Helper()
	all := b.till.all()
	for _, w := range want {
		i := slices.Index(all, w)
		if i < 0 {
			b.Errorf("no %q behind what came before it, in %v", w, b.till.all())
			return
		}
		all = all[i+1:]
	}
}

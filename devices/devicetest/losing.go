package devicetest

import (
	"fmt"
	"slices"
	"time"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

// lostAndBack waits until the device shows that it lost the machine, and then that it has it again.
func (b *bench) lostAndBack() {
	b.Helper()
	b.event("state NOT_CONNECTED")
	b.back()
}

func (b *bench) back() {
	b.Helper()
	b.until("ready again", func() bool { return b.dev.Snapshot().Ready })
	b.event("state STARTED")
	b.inOrder("state NOT_CONNECTED", "state CONNECTING", "state CONNECTED", "state STARTING", "reconciled", "state STARTED")
}

// settled waits for rest after a loss. What came into the cashbox meanwhile only the machine's counters know; that they
// say so is checked, and the till believes it.
func (b *bench) settled() {
	b.Helper()
	b.until("rest", func() bool { return !b.Machine.Truth().Moving && b.dev.Snapshot().Ready })
	acc, err := b.dev.Account(b.ctx())
	if err != nil {
		b.Fatal(err)
	}
	truth := b.Machine.Truth()
	if !b.coins() {
		want := []uint32{truth.Counters["stacked"], truth.Counters["stored"], truth.Counters["dispensed"],
			truth.Counters["transferred"], truth.Counters["rejected"]}
		if !slices.Equal(acc.Counters, want) || acc.Kind != cash.CountersNote {
			b.Errorf("the account has counters %v %q, in truth they are %v", acc.Counters, acc.Kind, want)
		}
	}
	b.till.trust(rows(truth.Cashbox))
	b.rest()
}

func reset(b *bench) {
	b.accept()
	b.ok(b.dev.Reset(b.ctx()))
	b.lostAndBack()
	b.event("state RESET")
	small, _ := b.values()
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled })
	b.went(b.insert(small, 1), b.stores(small))
	b.rest()
}

func jam(b *bench) {
	b.accept()
	small, _ := b.values()
	b.fault(sim.Fault{Kind: sim.FaultJam})
	b.event("Jammed")
	b.event("state ERROR")
	if n := b.till.count("Jammed"); n != 1 {
		b.Errorf("one jam was told %d times", n)
	}
	b.fault(sim.Fault{Kind: sim.FaultUnjam})
	b.event("state IDLE")
	b.went(b.insert(small, 1), b.stores(small))
	b.rest()
}

func unplug(b *bench) {
	b.accept()
	small, _ := b.values()
	start := time.Now()
	b.fault(sim.Fault{Kind: sim.FaultUnplug})
	b.until("lost", func() bool { return !b.dev.Snapshot().Connected })
	if d := time.Since(start); b.bubble && d > 3*time.Second {
		b.Errorf("shown after %v", d)
	}
	b.event("state NOT_CONNECTED")
	b.is(b.dev.Enable(b.ctx()), cash.ErrNotConnected)
	start = time.Now()
	b.fault(sim.Fault{Kind: sim.FaultPlug})
	b.until("back", func() bool { return b.dev.Snapshot().Connected })
	if d := time.Since(start); b.bubble && d > 6*time.Second {
		b.Errorf("back after %v", d)
	}
	b.back()
	b.went(b.insert(small, 1), b.stores(small))
	b.rest()
}

// disabledWhileAway: nobody wants money from a machine that was to be off when it comes back.
func disabledWhileAway(b *bench) {
	b.accept()
	small, _ := b.values()
	b.fault(sim.Fault{Kind: sim.FaultUnplug})
	b.until("lost", func() bool { return !b.dev.Snapshot().Connected })
	b.is(b.dev.Disable(b.ctx()), cash.ErrNotConnected)
	b.is(b.dev.Enable(b.ctx()), cash.ErrNotConnected) // was not carried out, and does not count
	b.fault(sim.Fault{Kind: sim.FaultPlug})
	b.back()
	if b.dev.Snapshot().AcceptorEnabled {
		b.Error("it came back accepting")
	}
	b.went(b.insert(small, 1), sim.IsReturned)
	b.accept()
	b.went(b.insert(small, 1), b.stores(small))
	b.rest()
}

func unplugInEscrow(b *bench) {
	b.accept()
	id := b.insert(500, 1)
	b.event("NoteHeld 500 EUR")
	b.fault(sim.Fault{Kind: sim.FaultUnplug})
	b.event("state NOT_CONNECTED")
	b.fault(sim.Fault{Kind: sim.FaultPlug})
	b.back()
	b.went(id, sim.IsReturned) // found with HOLD before the first poll
	b.settled()
	if b.till.count("NoteCredited") > 0 {
		b.Error("a held note was taken without a decision")
	}
}

func unplugInPayout(b *bench) {
	p := b.filled()
	small, large := b.amounts()
	b.ok(b.World.SetSpeed(0.2)) // the first piece is under way still, however late the cable is pulled
	b.ok(p.StartPayout(b.ctx(), money(large+small)))
	b.event("state DISPENSING")
	b.fault(sim.Fault{Kind: sim.FaultUnplug})
	b.ok(b.World.SetSpeed(4))
	b.event("state NOT_CONNECTED")
	b.fault(sim.Fault{Kind: sim.FaultPlug})
	b.ok(b.World.SetSpeed(100))
	b.back()
	total := large + small
	if b.float() { // nobody went on behind the first note
		total = large
	}
	b.event(fmt.Sprintf("evidence Ended dispense done %d", total))
	b.settled()
}

func cutWhileAccepting(b *bench) {
	b.accept()
	small, _ := b.values()
	for step := 1; step <= 4; step++ {
		b.till.forget()
		b.fault(sim.Fault{Kind: sim.FaultPowerOff, AtStep: step})
		id := b.insert(small, 1)
		b.until("power is off, or the piece is through", func() bool {
			s, err := b.World.InsertState(id)
			return !b.Machine.Truth().Power || err == nil && s.State != sim.InPath && s.State != sim.InEscrow
		})
		b.fault(sim.Fault{Kind: sim.FaultPowerOff})
		b.event("state NOT_CONNECTED")
		b.fault(sim.Fault{Kind: sim.FaultPowerOn})
		b.back()
		b.settled()
		b.until("accepting again", func() bool { return b.Machine.Truth().Enabled })
		if n := b.till.count("NoteCredited") + b.till.count("CoinCredited"); n > 1 {
			b.Errorf("step %d: one piece was credited %d times", step, n)
		}
	}
}

func cutInPayout(b *bench) {
	p := b.filled()
	_, large := b.amounts()
	for step := 1; step <= 5; step++ {
		b.till.forget()
		b.fault(sim.Fault{Kind: sim.FaultPowerOff, AtStep: step})
		b.ok(p.StartPayout(b.ctx(), money(large)))
		b.until("power is off, or the payout is over", func() bool {
			return !b.Machine.Truth().Power || b.till.heard("Ended")
		})
		b.fault(sim.Fault{Kind: sim.FaultPowerOff})
		b.event("state NOT_CONNECTED")
		b.fault(sim.Fault{Kind: sim.FaultPowerOn})
		b.back()
		if !b.till.heard("Ended dispense done") {
			b.event("evidence Ended dispense incomplete")
		}
		b.settled()
	}
}

func loseKey(b *bench) {
	b.accept()
	small, _ := b.values()
	b.fault(sim.Fault{Kind: sim.FaultLoseKey})
	b.lostAndBack()
	b.went(b.insert(small, 1), b.stores(small))
	b.rest()
}

// noise: bytes are damaged and lost in both directions, and still every piece is told once.
func noise(b *bench) {
	b.accept()
	small, _ := b.values()
	b.fault(sim.Fault{Kind: sim.FaultBitFlips, Rate: 0.003})
	b.fault(sim.Fault{Kind: sim.FaultDropBytes, Rate: 0.003})
	in := 0
	for range 5 {
		b.until("accepting", func() bool { return b.Machine.Truth().Enabled && b.dev.Snapshot().Ready })
		b.insert(small, 1)
		b.until("at rest", func() bool { return !b.Machine.Truth().Moving })
		in++
	}
	b.fault(sim.Fault{Kind: sim.FaultClear})
	b.settled()
	if n := b.till.count("NoteCredited") + b.till.count("CoinCredited"); n > in {
		b.Errorf("%d credits for %d pieces", n, in)
	}
}

var _ devices.Sink = (*till)(nil)

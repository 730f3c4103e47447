package machines_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/upos"
	"coffer/upos/machines"
)

// A machine that was away when acceptance went off does not accept when it is back, whoever has the claim then.
func TestOffWhileAway(t *testing.T) {
	for _, released := range []bool{false, true} {
		onBench(t, 4096, func(b *realBench) {
			b.must(b.m.Claim("pos"))
			b.must(b.m.Accept(b.Context(), mine, true))
			b.Plug(0, false)
			b.await("away", func() bool { return !b.m.Parts()[0].Online })
			b.fails("off", b.m.Accept(b.Context(), mine, false), cash.ErrNotConnected)
			b.fails("settled", b.m.Settle(b.Context(), mine), cash.ErrNotConnected)
			if released {
				b.m.Release("pos")
			}
			b.Plug(0, true)
			b.online()
			time.Sleep(time.Second)
			if b.machines[0].Truth().Enabled {
				t.Errorf("released %v: it accepts", released)
			}
		}, notes)
	}
}

// A deposit that begins while a machine that is back is being turned off for the one before has it on.
func TestOnWhileTurnedOff(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		slow := &slowness{asked: make(chan struct{}), carryOut: make(chan struct{})}
		station := dressed{b.station, func(d devices.Device) devices.Device { return slowOff{d, slow} }}
		m, err := machines.New(machines.Deps{Station: station, Till: b.till, Bus: b.bus, Log: quiet()}, "notes")
		b.must(err)
		defer m.Close()
		b.must(m.Claim("pos"))
		b.must(m.Accept(b.Context(), mine, true))
		b.Plug(0, false)
		b.await("away", func() bool { return !b.m.Parts()[0].Online })
		b.fails("off", m.Accept(b.Context(), mine, false), cash.ErrNotConnected)
		slow.on.Store(true)
		b.Plug(0, true)
		<-slow.asked
		begun := make(chan error, 1)
		go func() { begun <- m.Accept(b.Context(), mine, true) }()
		time.Sleep(2 * time.Second)
		close(slow.carryOut)
		b.must(<-begun)
		if time.Sleep(time.Second); !b.machines[0].Truth().Enabled {
			t.Error("a deposit runs, and nothing is accepted")
		}
	}, notes)
}

// slowOff is a machine with which it takes a while from the decision to turn it off to the command.
type slowOff struct {
	devices.Device
	wait *slowness
}

type slowness struct {
	on              atomic.Bool
	asked, carryOut chan struct{}
}

func (d slowOff) Disable(ctx context.Context) error {
	if d.wait.on.CompareAndSwap(true, false) {
		close(d.wait.asked)
		<-d.wait.carryOut
	}
	return d.Device.Disable(ctx)
}

// A machine that appears after the claim is under it.
func TestClaimedLater(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		var here atomic.Bool
		station := dressed{b.station, func(d devices.Device) devices.Device {
			if here.Load() {
				return d
			}
			return nameless{d}
		}}
		deps := machines.Deps{Station: station, Till: b.till, Bus: b.bus, Log: quiet()}
		m, err := machines.New(deps, "notes")
		b.must(err)
		defer m.Close()
		if p := m.Parts()[0]; p.Online || len(p.Accepts) != 0 || p.ID != "notes" {
			t.Errorf("part %+v", p)
		}
		b.must(m.Claim("pos"))
		b.fails("acceptance", m.Accept(b.Context(), mine, true), cash.ErrNotConnected)
		_, err = m.Dispense(b.Context(), upos.Request{Owner: "pos", Amount: cash.Amount{Value: 500, Currency: "EUR"}})
		b.fails("payout", err, cash.ErrNotConnected)
		_, _, err = m.Counts(b.Context(), mine, cash.Payout)
		b.fails("counts", err, cash.ErrNotConnected)
		b.fails("adjusting", m.Adjust(b.Context(), mine, cash.Cashbox), cash.ErrNotConnected)
		here.Store(true)
		b.await("leased", func() bool { return b.till.Leased("SPECTRAL_PAYOUT-COM5") == "pos" })
		b.must(m.Accept(b.Context(), mine, true))
		b.fails("the other mechanism", b.m.Claim("other"), cash.ErrClaimed)
		m.Release("pos")
		b.must(b.m.Claim("other"))
	}, notes)
}

// nameless is a machine that has not said who it is yet.
type nameless struct{ devices.Device }

func (n nameless) Snapshot() *devices.Snapshot {
	s := n.Device.Snapshot()
	return &devices.Snapshot{ConfigID: s.ConfigID, Port: s.Port, Address: s.Address}
}

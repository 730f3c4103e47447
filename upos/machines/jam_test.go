package machines_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/upos"
	"coffer/upos/machines"
)

// A jam is told once and its end once, when it has ended: a connection that is lost and made anew, or a restart, in a jam is
// no end of it.
func TestJamIsToldOnce(t *testing.T) {
	pay := upos.Request{Owner: "pos", Exit: 1, Amount: cash.Amount{Value: 13500, Currency: "EUR"}}
	events := map[string][]sim.Fault{
		"quiet":   nil,
		"lost":    {{Kind: sim.FaultUnplug}, {Kind: sim.FaultPlug}, {Kind: sim.FaultUnplug}, {Kind: sim.FaultPlug}},
		"key":     {{Kind: sim.FaultLoseKey}, {Kind: sim.FaultLoseKey}, {Kind: sim.FaultLoseKey}},
		"restart": {{Kind: sim.FaultReset}, {Kind: sim.FaultLoseKey}, {Kind: sim.FaultReset}},
		"noise":   {{Kind: sim.FaultBitFlips, Rate: 0.01, ForMS: 3000}, {Kind: sim.FaultLoseKey}},
		"mute":    {{Kind: sim.FaultMute, ForMS: 5000}, {Kind: sim.FaultMute, ForMS: 5000}},
	}
	for name, faults := range events {
		for _, kind := range []string{sim.FaultJam, sim.FaultPayoutJam} {
			for _, away := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/%v", name, kind, away), func(t *testing.T) {
					onBench(t, 4096, func(b *realBench) {
						var told []bool
						last := false
						defer b.m.Watch(func(upos.Change) {
							if now := b.m.Parts()[0].Jammed; now != last {
								told, last = append(told, now), now
							}
						})()
						b.must(b.m.Claim("pos"))
						_, err := b.m.Dispense(b.Context(), pay)
						b.must(err)
						time.Sleep(400 * time.Millisecond)
						if away { // it is back only in the jam
							b.Plug(0, false)
							time.Sleep(5 * time.Second)
						}
						b.must(b.machines[0].Fault(sim.Fault{Kind: kind}))
						b.Plug(0, true)
						time.Sleep(3 * time.Second)
						for _, f := range faults {
							b.must(b.machines[0].Fault(f))
							time.Sleep(8 * time.Second)
						}
						b.fault(0, false, "", sim.FaultUnjam)
						b.online()
						time.Sleep(20 * time.Second)
						synctest.Wait() // what was told is written
						if got := fmt.Sprint(told); got != "[true false]" {
							t.Errorf("told %s", got)
						}
					}, notes)
				})
			}
		}
	}
}

// A jam of the coin mech alone is a jam: nothing comes in. The hopper pays on.
func TestCoinMechJam(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		station := dressed{b.station, func(d devices.Device) devices.Device { return withMechJam{d.(payer)} }}
		m, err := machines.New(machines.Deps{Station: station, Till: b.till, Bus: b.bus, Log: quiet()}, "coins")
		b.must(err)
		defer m.Close()
		if !m.Parts()[0].Jammed {
			t.Error("no jam")
		}
		b.must(m.Claim("pos"))
		b.fails("acceptance", m.Accept(b.Context(), mine, true), cash.ErrJam)
		job, err := m.Dispense(b.Context(), upos.Request{Owner: "pos", Exit: 1, Amount: cash.Amount{Value: 100, Currency: "EUR"}})
		b.must(err)
		if _, err := job.Wait(b.Context()); err != nil {
			t.Error(err)
		}
	}, coins)
}

type payer interface {
	devices.Device
	devices.Payer
}

// withMechJam is a machine that says that its coin mech is jammed.
type withMechJam struct{ payer }

func (d withMechJam) Snapshot() *devices.Snapshot {
	s := *d.payer.Snapshot()
	s.State = cash.StateCoinMechJammed
	return &s
}

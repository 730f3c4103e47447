package machines_test

import (
	"fmt"
	"testing"
	"time"

	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/upos"
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
						if got := fmt.Sprint(told); got != "[true false]" {
							t.Errorf("told %s", got)
						}
					}, notes)
				})
			}
		}
	}
}

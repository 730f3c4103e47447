package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

var coinLevels = map[int64]int{10: 3, 20: 3, 50: 3, 100: 3, 200: 7}

// coinMachines are the machines with coins, each with counters or mechanics of its own.
var coinMachines = []model{
	{"scs", "SMART_COIN_SYSTEM-" + recyclerPort, coinLevels, true, nil},
	{"hopper3", "SMART_HOPPER_3-" + recyclerPort, coinLevels, true, nil},
	{"hopper4", "SMART_HOPPER_4-" + recyclerPort, coinLevels, true, nil},
	{"twin", "TWIN_SMART_COIN_SYSTEM-" + recyclerPort, coinLevels, true, nil},
}

// coinJobs are what machines with coins do.
var coinJobs = []job{
	{"coins taken", true, func(tt *tabletop, _ devices.Device) {
		if _, err := tt.machine.Insert(sim.Insert{Value: 50, Currency: "EUR", Count: 3}); err != nil {
			tt.t.Fatal(err)
		}
	}},
	{"coin into the cashbox", true, func(tt *tabletop, d devices.Device) {
		ten := cash.Denom{Value: 10, Currency: "EUR"}
		if err := d.(devices.Router).SetRoute(context.Background(), ten, false); err != nil {
			tt.t.Logf("route: %v", err)
		}
		for _, v := range []int64{10, 200} {
			if _, err := tt.machine.Insert(sim.Insert{Value: v, Currency: "EUR"}); err != nil {
				tt.t.Logf("coin: %v", err) // the power or the cable is gone already
			}
		}
	}},
	{"payout", true, jobNamed("payout").run},
	{"empty", true, jobNamed("empty").run},
	{"float", true, func(tt *tabletop, d devices.Device) {
		keep := cash.Counts{{Value: 200, Currency: "EUR"}: 4, {Value: 10, Currency: "EUR"}: 3, {Value: 50, Currency: "EUR"}: 3}
		if _, err := tt.till.Float(context.Background(), me, d, keep); err != nil {
			tt.t.Logf("float: %v", err)
		}
	}},
	{"payout behind coins", true, func(tt *tabletop, d devices.Device) {
		tt.put(50)
		tt.put(50)
		tt.pass(10*time.Second, func() bool { return !tt.machine.Truth().Moving })
		if _, err := tt.till.Dispense(context.Background(), me, d, eur(payoutValue)); err != nil {
			tt.t.Logf("payout: %v", err)
		}
	}},
	{"filled by hand", true, func(tt *tabletop, d devices.Device) {
		tt.loose = true // a hand that nobody could write down
		if err := d.(devices.Filler).AddLevel(context.Background(), cash.Denom{Value: 50, Currency: "EUR"}, 5); err != nil {
			tt.t.Logf("fill: %v", err)
		}
	}},
}

func jobNamed(name string) job {
	for _, j := range jobs {
		if j.name == name {
			return j
		}
	}
	panic("no job " + name)
}

// perCoinJob is how many moments of a job with coins are tried without KILLS=all.
const perCoinJob = 4

// untold are jobs that cannot be told after a disturbance: nothing moves at a step, or the machine has forgotten with its
// power which coin it counted into the cashbox, so that the ledger has a piece of an unknown denomination.
func untold(x disturb, j job) bool {
	power := x.name == powerAtMoments.name
	steps := strings.HasPrefix(x.name, "power cut at a step")
	return steps && j.name == "filled by hand" || (steps || power) && j.name == "coin into the cashbox"
}

// TestDisturbedCoins is TestDisturbed for machines with coins.
func TestDisturbedCoins(t *testing.T) {
	for _, m := range coinMachines {
		t.Run(m.profile, func(t *testing.T) {
			for _, x := range []disturb{powerAtSteps(100 * time.Millisecond), powerAtMoments, cableAtMoments, crashAtMoments} {
				for _, j := range coinJobs {
					if untold(x, j) {
						continue
					}
					t.Run(x.name+"/"+j.name, func(t *testing.T) {
						t.Parallel()
						everyMoment(t, m, x, j, perCoinJob)
					})
				}
			}
		})
	}
}

// TestCoinsOfJammedHopper: coins that a jammed hopper does not take fall into the cashbox, and are booked there while the
// jam lasts, where the machine has a counter of them.
func TestCoinsOfJammedHopper(t *testing.T) {
	for _, m := range coinMachines {
		t.Run(m.profile, func(t *testing.T) {
			onTabletop(t, m, func(tt *tabletop) {
				tt.enable(tt.device())
				if err := tt.machine.Fault(sim.Fault{Kind: sim.FaultPayoutJam}); err != nil {
					t.Fatal(err)
				}
				tt.await("jam", func() bool { return tt.device().Snapshot().Jammed })
				for _, v := range []int64{50, 20, 50, 200} {
					if _, err := tt.machine.Insert(sim.Insert{Value: v, Currency: "EUR", Count: 3}); err != nil {
						t.Fatal(err)
					}
				}
				tt.settled()
				if n := count(tt.truth().Cashbox, 50); n != 6 {
					t.Errorf("%d coins of 0.50 fell into the cashbox", n)
				}
				if err := tt.machine.Fault(sim.Fault{Kind: sim.FaultUnjam}); err != nil {
					t.Fatal(err)
				}
				tt.audit()
			})
		})
	}
}

package e2e

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

// A day has so many operations; KILLS=all makes it a longer one.
const (
	shortDay = 100
	longDay  = 500
)

// TestMixedDay lets one machine of each kind do what comes, with whatever goes wrong in between, and compares the books
// whenever nothing moves. SEED picks another day.
func TestMixedDay(t *testing.T) {
	for _, kind := range []model{recycler, nv22, noteFloat, nv4000} {
		t.Run(kind.profile, func(t *testing.T) {
			t.Parallel()
			h := fnv.New64a()
			_, _ = h.Write([]byte(kind.profile))
			seed, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
			rnd := rand.New(rand.NewPCG(h.Sum64(), seed))
			onTabletop(t, kind, func(tt *tabletop) {
				for range day() {
					x := troubles[rnd.IntN(len(troubles))]
					tt.do(errand(rnd, kind), x, rnd.IntN(60))
					tt.audit()
				}
				tr := tt.truth()
				t.Logf("in %v, out %v", counts(tr.Inserted), counts(tr.Dispensed))
			})
		})
	}
}

func day() int {
	if all() {
		return longDay
	}
	return shortDay
}

// troubles are what can go wrong with an operation; the first is nothing.
var troubles = []disturb{
	{"nothing", func(*tabletop, int) func() int { return func() int { return 0 } }, func(*tabletop) {}},
	powerAtSteps(time.Second), powerAtMoments, cableAtMoments, crashAtMoments,
	faultAtMoments(sim.FaultPayoutJam), faultAtMoments(sim.FaultJam), faultAtMoments(sim.FaultDivert),
	faultAtMoments(sim.FaultReset), faultAtMoments(sim.FaultCashboxRemoved), faultAtMoments(sim.FaultFloatRemoved),
}

// faultAtMoments lets a fault begin between frames and writes; one that lasts is repaired after a while.
func faultAtMoments(kind string) disturb {
	return disturb{kind, func(tt *tabletop, n int) func() int {
		return tt.at(n, func() { _ = tt.machine.Fault(sim.Fault{Kind: kind, ForMS: 3000}) })
	}, func(*tabletop) { time.Sleep(4 * time.Second) }}
}

// errand is one thing that somebody wants of a machine. Most are possible.
func errand(rnd *rand.Rand, kind model) job {
	ctx := context.Background()
	value := []int64{500, 500, 1000, 2000}[rnd.IntN(4)]
	switch n := rnd.IntN(10); {
	case n < 5:
		auto := rnd.IntN(3) > 0
		in := sim.Insert{Value: value, Currency: "EUR", Count: 1}
		if auto {
			in.Count += rnd.IntN(3)
		}
		return job{"notes", auto, func(tt *tabletop, d devices.Device) {
			_, _ = tt.machine.Insert(in)
			if !auto {
				tt.pass(5*time.Second, func() bool { return d.Snapshot().Escrow != nil })
				_ = tt.till.AcceptEscrow(ctx, me, d)
			}
		}}
	case n < 8:
		return job{"payout", true, func(tt *tabletop, d devices.Device) {
			_, _ = tt.till.Dispense(ctx, me, d, eur(value+500*rnd.Int64N(3)))
		}}
	case n == 8:
		keep := cash.Counts{{Value: 500, Currency: "EUR"}: 1 + rnd.IntN(3)}
		return job{"float", true, func(tt *tabletop, d devices.Device) { _, _ = tt.till.Float(ctx, me, d, keep) }}
	case kind.profile == noteFloat.profile && rnd.IntN(2) == 0:
		return job{"route", true, func(_ *tabletop, d devices.Device) {
			_ = d.(devices.Router).SetRoute(ctx, cash.Denom{Value: value, Currency: "EUR"}, true)
		}}
	case kind.profile == nv4000.profile && rnd.IntN(2) == 0:
		n := byte(rnd.IntN(4)) + 1
		return job{"recycler", true, func(tt *tabletop, d devices.Device) { tt.toRecycler(d, value, n) }}
	case kind.profile == nv4000.profile:
		n := byte(rnd.IntN(5))
		return job{"empty", true, func(tt *tabletop, d devices.Device) { _, _ = tt.till.Empty(ctx, me, d, n) }}
	}
	return job{"empty", true, func(tt *tabletop, d devices.Device) { _, _ = tt.till.Empty(ctx, me, d, 0) }}
}

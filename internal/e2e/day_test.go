package e2e

import (
	"hash/fnv"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"coffer/devices/sim"
)

// shortDay is how many operations a day has; DAY=N makes it another one.
const shortDay = 500

// auditEvery is after how many operations the whole ledger is looked at, and not its balance alone.
const auditEvery = 50

// dayMachines are one machine of each family; those of long days differ from one of them in their profile alone.
var (
	dayMachines  = slices.Concat([]model{recycler, nv22, noteFloat, nv4000, nv9, nv200, scu}, coinMachines)
	longDayExtra = []model{nv10, nv22only}
)

// TestMixedDay lets one machine of each kind do what comes, with whatever goes wrong in between, and compares the books
// whenever nothing moves. SEED picks another day.
func TestMixedDay(t *testing.T) {
	length := shortDay
	kinds := dayMachines
	if n, err := strconv.Atoi(os.Getenv("DAY")); err == nil && n > 0 {
		length, kinds = n, slices.Concat(dayMachines, longDayExtra)
	}
	for _, kind := range kinds {
		t.Run(kind.profile, func(t *testing.T) {
			t.Parallel()
			h := fnv.New64a()
			_, _ = h.Write([]byte(kind.profile))
			seed, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
			rnd := rand.New(rand.NewPCG(h.Sum64(), seed))
			onTabletop(t, kind, func(tt *tabletop) { tt.live(rnd, length) })
		})
	}
}

// live lets the machine do n things.
func (tt *tabletop) live(rnd *rand.Rand, n int) {
	done, struck := map[string]int{}, 0
	for i := range n {
		x, j := tt.kind.trouble(rnd), tt.kind.errand(rnd)
		if j.calm {
			x = noTrouble
		}
		at := rnd.IntN(60)
		if moments := tt.do(j.job, x, at); at > 0 && moments >= at {
			struck++
		}
		tt.bury()
		done[j.name]++
		if tt.seen = nil; i%auditEvery == auditEvery-1 {
			tt.audit()
		} else {
			tt.settled()
		}
		if tt.t.Failed() {
			tt.t.Fatalf("operation %d: %s, with %s", i+1, j.name, x.name)
		}
	}
	tr := tt.audit()
	if struck < n/10 {
		tt.t.Errorf("of %d operations only %d were disturbed", n, struck)
	}
	tt.t.Logf("%v, %d disturbed; in %v, out %v, back %v", done, struck, counts(tr.Inserted), counts(tr.Dispensed), counts(tr.Returned))
}

// noTrouble is what most operations meet.
var noTrouble = disturb{"nothing", func(*tabletop, int) func() int { return func() int { return 0 } }, func(*tabletop) {}}

// troubles are what can go wrong with an operation on any machine; then those of notes, and those of coins.
var (
	troubles = []disturb{
		noTrouble, powerAtSteps(time.Second), powerAtMoments, cableAtMoments, crashAtMoments,
		faultAtMoments(sim.FaultPayoutJam), faultAtMoments(sim.FaultJam), faultAtMoments(sim.FaultDivert),
		faultAtMoments(sim.FaultReset), faultAtMoments(sim.FaultCashboxRemoved), faultAtMoments(sim.FaultLoseKey),
		faultAtMoments(sim.FaultMute), faultAtMoments(sim.FaultPathOpen), faultAtMoments(sim.FaultStackerFull),
		faultAtMoments(sim.FaultDuplicates), faultAtMoments(sim.FaultHaltPayoutAfter),
	}
	noteTroubles = []disturb{faultAtMoments(sim.FaultFloatRemoved)}
	coinTroubles = []disturb{
		faultAtMoments(sim.FaultCalibrationFail), faultAtMoments(sim.FaultMechError), faultAtMoments(sim.FaultMechOff),
		faultAtMoments(sim.FaultMechReturn),
	}
)

func (m model) trouble(rnd *rand.Rand) disturb {
	own := noteTroubles
	if m.coins {
		own = coinTroubles
	}
	if n := rnd.IntN(len(troubles) + len(own)); n < len(own) {
		return own[n]
	} else {
		return troubles[n-len(own)]
	}
}

// faultAtMoments lets a fault begin between frames and writes; one that lasts is repaired after a while. A machine that
// does not know it has nothing to suffer.
func faultAtMoments(kind string) disturb {
	return disturb{kind, func(tt *tabletop, n int) func() int {
		return tt.at(n, func() { _ = tt.machine.Fault(sim.Fault{Kind: kind, ForMS: 3000, Paid: 20}) })
	}, func(*tabletop) { time.Sleep(4 * time.Second) }}
}

// errand is a job and whether nothing may disturb it, since nobody could say afterwards what happened.
type errand struct {
	job
	calm bool
}

// errand is one thing that somebody wants of a machine. Most are possible.
func (m model) errand(rnd *rand.Rand) errand {
	value := []int64{500, 500, 1000, 2000}[rnd.IntN(4)]
	switch n := rnd.IntN(10); {
	case m.coins:
		return coinErrand(rnd, n)
	case n == 0 && (m.profile == recycler.profile || m.profile == nv4000.profile):
		return errand{job: heldTogether(rnd, value)}
	case n == 1 && m.profile == nv4000.profile:
		return replenishing(rnd)
	case n < 5 || !m.hasPayout():
		return noteErrand(rnd, value)
	case n < 8:
		return errand{job: dispense(value + 500*rnd.Int64N(3))}
	case n == 8:
		return errand{job: floatTo(500, 1+rnd.IntN(3))}
	}
	if j := m.ownErrand(rnd, value); j != nil {
		return errand{job: *j}
	}
	return errand{job: emptyAll}
}

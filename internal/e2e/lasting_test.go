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

// lasting are the faults that last, with what ends them.
var lasting = []struct{ kind, end string }{
	{sim.FaultJam, sim.FaultUnjam}, {sim.FaultPayoutJam, sim.FaultUnjam}, {sim.FaultCashboxRemoved, sim.FaultCashboxReplaced},
	{sim.FaultStackerFull, sim.FaultStackerOK}, {sim.FaultPathOpen, sim.FaultPathClosed}, {sim.FaultPayoutOut, sim.FaultPayoutBack},
	{sim.FaultFloatRemoved, sim.FaultFloatAttached}, {sim.FaultMechOff, sim.FaultMechOn}, {sim.FaultMechError, sim.FaultMechOK},
	{sim.FaultCalibrationFail, sim.FaultReset},
}

// TestFaultsThatLast: as long as a fault lasts the books are right whenever nothing moves, and not only once it has
// ended. DAY=N does N things under each fault.
func TestFaultsThatLast(t *testing.T) {
	things := 1
	if n, err := strconv.Atoi(os.Getenv("DAY")); err == nil && n > 0 {
		things = n
	}
	seed, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	for _, kind := range slices.Concat(dayMachines, longDayExtra) {
		t.Run(kind.profile, func(t *testing.T) {
			t.Parallel()
			h := fnv.New64a()
			_, _ = h.Write([]byte(kind.profile))
			rnd := rand.New(rand.NewPCG(h.Sum64(), seed))
			onTabletop(t, kind, func(tt *tabletop) {
				for _, f := range lasting {
					for range things {
						tt.under(rnd, f.kind, f.end)
					}
				}
				tt.audit()
			})
		})
	}
}

// under does something while a fault begins, and compares the books before it ends and after.
func (tt *tabletop) under(rnd *rand.Rand, kind, end string) {
	t := tt.t
	j := tt.kind.errand(rnd)
	for j.calm {
		j = tt.kind.errand(rnd)
	}
	tt.do(j.job, disturb{kind, func(tt *tabletop, n int) func() int {
		return tt.at(n, func() { _ = tt.machine.Fault(sim.Fault{Kind: kind}) })
	}, func(*tabletop) {}}, 1+rnd.IntN(30))
	var diff string
	for range 50 {
		d := tt.device()
		if tr := tt.truth(); !tr.Moving && d.Snapshot().Escrow == nil {
			if diff = tt.differs(tr); diff == "" {
				break
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	if diff != "" {
		t.Errorf("%s, and as long as %s lasts: %s", j.name, kind, diff)
	}
	for _, k := range []string{sim.FaultUnjam, end} {
		_ = tt.machine.Fault(sim.Fault{Kind: k})
	}
	time.Sleep(4 * time.Second)
	tt.seen = nil
	tt.settled()
}

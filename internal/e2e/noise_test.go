package e2e

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"coffer/devices/sim"
	"coffer/internal/cash"
)

const noiseExchanges = 10_000

// TestNoise flips 1 % of the bytes and drops 1 %, both ways, for 10,000 exchanges, while notes go in and payouts are
// asked for: work goes on, nothing is credited that was not taken, nothing paid that is not on the books, and when the
// noise ends the line works as before. The list of an NV11's full reel is the longest answer, and the most often damaged.
func TestNoise(t *testing.T) {
	for _, kind := range []model{recycler, noteFloat} {
		t.Run(kind.profile, func(t *testing.T) { noise(t, kind) })
	}
}

func noise(t *testing.T, kind model) {
	const pay = 500 // the denomination that a note float stores
	onTabletop(t, kind, func(tt *tabletop) {
		t := tt.t
		d := tt.device()
		tt.enable(d)
		tt.noise(0.01)
		rnd := rand.New(rand.NewPCG(7, 7))
		wire, _ := tt.station.Trace(recyclerPort)
		start, inserted, asked, owed := wire.State().Exchanges, 0, 0, int64(0)
		for wire.State().Exchanges-start < noiseExchanges {
			if tt.machine.Truth().Enabled && rnd.IntN(3) == 0 {
				value := []int64{500, 1000, 2000}[rnd.IntN(3)]
				if _, err := tt.machine.Insert(sim.Insert{Value: value, Currency: "EUR"}); err == nil {
					inserted++
				}
			}
			if d.Snapshot().Ready && rnd.IntN(5) == 0 {
				_, err := tt.till.Dispense(context.Background(), me, d, eur(pay))
				if err == nil || errors.Is(err, cash.ErrOutcomeUnknown) {
					asked, owed = asked+1, owed+pay
				}
			}
			tt.read()
			time.Sleep(time.Second)
		}
		st := wire.State()
		t.Logf("%d exchanges, %d repeats, %d given up, %d frames damaged; %d notes in, %d payouts",
			st.Exchanges-start, st.Retries, st.Timeouts, st.CRCErrors, inserted, asked)
		if inserted < 100 || asked < 10 || st.CRCErrors < 1000 {
			t.Errorf("too little happened for a test")
		}
		tt.noise(0)
		tr := tt.audit()
		if paid := worth(tr.Dispensed); paid > owed {
			t.Errorf("paid %d, asked for %d", paid, owed)
		}
		time.Sleep(2 * time.Second) // what was under way when the noise ended
		before := wire.State()
		time.Sleep(10 * time.Second)
		if after := wire.State(); after.Retries != before.Retries || after.Exchanges < before.Exchanges+40 {
			t.Errorf("the line did not recover: %+v, then %+v", before, after)
		}
	})
}

// noise sets how many bytes are flipped and how many dropped; 0 is a clean line.
func (tt *tabletop) noise(rate float64) {
	tt.t.Helper()
	faults := []sim.Fault{{Kind: sim.FaultBitFlips, Rate: rate}, {Kind: sim.FaultDropBytes, Rate: rate}}
	if rate == 0 {
		faults = []sim.Fault{{Kind: sim.FaultClear}}
	}
	for _, f := range faults {
		if err := tt.machine.Fault(f); err != nil {
			tt.t.Fatal(err)
		}
	}
}

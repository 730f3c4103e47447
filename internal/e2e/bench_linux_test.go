package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkWireToREST measures from the moment the reply that carries a note's READ event leaves the machine to the moment
// a REST client that asks all the time is told ESCROW. The ledger row for the held note is on disk in between.
func BenchmarkWireToREST(b *testing.B) {
	r := newRig(b, built(b, binary))
	if err := r.start(true); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		id := r.note.insert(500, "EUR", 1)
		at := r.toldAt("ESCROW 500")
		took = append(took, at.Sub(r.note.insertion(id).WireAt["ESCROW"]))
		r.toldAt("STORED 500")
		if len(took)%8 == 0 {
			r.payBack(8 * 500)
		}
	}
	slices.Sort(took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(milliseconds(took[len(took)/2]), "ms-median")
	b.ReportMetric(milliseconds(took[len(took)*95/100]), "ms-p95")
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// toldAt asks without a pause until the client is told word, and returns when that was.
func (r *rig) toldAt(word string) time.Time {
	r.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		list := r.rest.events(recyclerID)
		now := time.Now()
		if tally(list, word) > 0 {
			return now
		}
	}
	r.t.Fatalf("never told %q", word)
	return time.Time{}
}

// payBack empties the store of what went in.
func (r *rig) payBack(value int64) {
	r.t.Helper()
	if err := r.post("DispenseValue", map[string]any{"Value": value, "CountryCode": "EUR"}); err != nil {
		r.t.Fatal(err)
	}
	r.toldAt("transaction COMPLETED")
}

// BenchmarkColdStart measures from the start of the process to a /readyz that answers 200, with the demo's machines.
func BenchmarkColdStart(b *testing.B) {
	bin, config := built(b, binary), demoConfig(b)
	var took []time.Duration
	for b.Loop() {
		c := newCoffer(b, bin, config)
		begin := time.Now()
		c.start()
		c.ready()
		took = append(took, time.Since(begin))
		c.proc.kill()
	}
	slices.Sort(took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(milliseconds(took[len(took)/2]), "ms-median")
}

// BenchmarkMemory measures the resident memory of the demo when nothing happens: after the start, and after a client has
// logged in (whose password hash needs memory for a moment) and gone.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		c := newCoffer(b, built(b, binary), demoConfig(b))
		c.start()
		c.ready()
		b.ReportMetric(c.atRest(b), "MB-resident")
		c.client().open(recyclerPort, 0, true)
		b.ReportMetric(c.atRest(b), "MB-resident-after-login")
		c.proc.kill()
	}
	b.ReportMetric(0, "ns/op")
}

// atRest returns the least resident memory, in megabytes, in three seconds of peace.
func (c *coffer) atRest(b *testing.B) float64 {
	b.Helper()
	low := resident(b, c.proc.cmd.Process.Pid)
	_ = waitFor(3*time.Second, func() error {
		low = min(low, resident(b, c.proc.cmd.Process.Pid))
		return errNotYet
	})
	return low
}

// resident returns the resident memory of a process in megabytes.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kb float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kb); n == 1 {
			return kb / 1024
		}
	}
	b.Fatal("no VmRSS")
	return 0
}

package e2e

import (
	"slices"
	"testing"
	"time"

	"coffer/upos/uposclient"
)

// uposBench is the coffer of the benchmarks with Till1 open, claimed and enabled, and the recycler of it.
func uposBench(b *testing.B) (*uposWorld, *uposclient.Handle, *machine) {
	b.Helper()
	w := newUposWorld(b, uposConfig)
	return w, w.uposTill("Till1"), controlled(b, w.ends.Main, "COM5", 0)
}

// report writes median and 95th percentile.
func report(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(milliseconds(took[len(took)/2]), "ms-median")
	b.ReportMetric(milliseconds(took[len(took)*95/100]), "ms-p95")
}

// BenchmarkUposProperty measures the read of one property over HTTP, with its token checked.
func BenchmarkUposProperty(b *testing.B) {
	_, till, _ := uposBench(b)
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		if _, err := till.Get(b.Context(), "DepositAmount"); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin))
	}
	report(b, took)
}

// BenchmarkUposDataEvent measures from the moment the reply that carries a note's credit leaves the machine to the moment
// a WebSocket client has its DataEvent. The ledger row is on disk in between.
func BenchmarkUposDataEvent(b *testing.B) {
	_, till, note := uposBench(b)
	note.speed(200)
	ctx := b.Context()
	events, err := till.Stream(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer events.Close()
	must := func(_ any, err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	must(nil, till.Set(ctx, "RealTimeDataEnabled", true))
	var took []time.Duration
	for b.Loop() {
		must(till.Call(ctx, "BeginDeposit", nil))
		must(nil, till.Set(ctx, "DataEventEnabled", true))
		id := note.insert(500, "EUR", 1)
		for {
			e, err := events.Next(ctx)
			at := time.Now()
			must(nil, err)
			must(nil, events.Ack(ctx, e.Seq))
			if e.Kind == "DataEvent" {
				took = append(took, at.Sub(note.insertion(id).WireAt["CREDIT"]))
				break
			}
		}
		must(till.Call(ctx, "FixDeposit", nil))
		must(till.Call(ctx, "EndDeposit", uposclient.Args{"success": 3})) // and back out
	}
	report(b, took)
}

// BenchmarkUposDispense measures what a call of DispenseChange takes beyond the machine's own time: from the end of its
// work, as the machine shows it, to the answer at the client. The rows of the payout are on disk in between.
func BenchmarkUposDispense(b *testing.B) {
	w, till, _ := uposBench(b)
	coins := controlled(b, w.ends.Main, "COM9", 16)
	coins.speed(10)
	if _, err := call("POST", coins.base+"/levels", map[string]any{"value": 100, "currency": "EUR", "count": 1500}, nil); err != nil {
		b.Fatal(err)
	}
	pay := func() time.Time {
		if _, err := till.Call(b.Context(), "DispenseChange", uposclient.Args{"amount": 100}); err != nil {
			b.Error(err)
		}
		return time.Now()
	}
	pay() // which also compares the books with what was filled in
	var took []time.Duration
	for b.Loop() {
		_ = coins.still()
		answered := make(chan time.Time, 1)
		begin := time.Now()
		go func() { answered <- pay() }()
		started, ended := moving(b, coins, begin)
		took = append(took, (<-answered).Sub(begin)-ended.Sub(started))
	}
	report(b, took)
}

// moving watches the machine for its work, and returns when that was.
func moving(b *testing.B, m *machine, since time.Time) (started, ended time.Time) {
	b.Helper()
	for deadline := since.Add(patience); time.Now().Before(deadline); {
		switch now := m.truth().Moving; {
		case now && started.IsZero():
			started = time.Now()
		case !now && !started.IsZero():
			return started, time.Now()
		}
	}
	b.Fatal("the machine did not work")
	return
}

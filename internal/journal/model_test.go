package journal

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coffer/internal/cash"
)

// TestBalanceAgainstModel writes random rows, some of them refused, and compares the balance with a map that is kept
// beside it.
func TestBalanceAgainstModel(t *testing.T) {
	j := openTest(t, t.TempDir())
	runs, total := 0, int64(0)
	allPlaces := []cash.Place{cash.Customer, cash.Escrow, cash.Payout, cash.Cashbox, cash.Operator, cash.Unknown}
	rapid.Check(t, func(t *rapid.T) {
		runs++
		d := cash.DeviceID(fmt.Sprintf("D%06d", runs)) // one ledger for all runs, a device for each
		genLine := rapid.Custom(func(t *rapid.T) cash.Line {
			l := cash.Line{
				Device: d, Kind: rapid.SampledFrom([]cash.Kind{cash.KindCredit, cash.KindMove, cash.KindDiscrepancy}).Draw(t, "kind"),
				Value: rapid.SampledFrom([]int64{1, 500, 1000}).Draw(t, "value"), Count: rapid.IntRange(1, 5).Draw(t, "count"),
				Currency: rapid.SampledFrom([]cash.Currency{"EUR", "USD"}).Draw(t, "currency"),
			}
			ends := rapid.Permutation(allPlaces).Draw(t, "places")
			l.From, l.To = ends[0], ends[1]
			switch rapid.IntRange(0, 29).Draw(t, "fault") {
			case 0:
				l.Value = 0
			case 1:
				l.Count = 0
			case 2:
				l.To = l.From
			}
			return l
		})
		model := map[cash.BalanceRow]int{}
		for _, lines := range rapid.SliceOfN(rapid.SliceOfN(genLine, 1, 6), 1, 8).Draw(t, "writes") {
			rows, err := j.Write(t.Context(), cash.LedgerWrite{Lines: lines})
			if allowed := modelAllows(lines); (err == nil) != allowed {
				t.Fatalf("write %v: %v", lines, err)
			}
			total += int64(len(rows))
			for _, e := range rows {
				modelMove(model, e.Line)
			}
		}
		got, err := j.Balance(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		have := map[cash.BalanceRow]int{}
		for _, b := range got {
			n := b.Count
			b.Count = 0
			have[b] = n
		}
		if diff := cmp.Diff(model, have); diff != "" {
			t.Fatal(diff)
		}
	})
	verified(t, j, total)
}

// modelAllows says whether a write may succeed, in other words than check.go.
func modelAllows(lines []cash.Line) bool {
	for _, l := range lines {
		money := l.Value > 0 && l.Count > 0
		unknown := l.Kind == cash.KindDiscrepancy && l.Value == 0
		if !money && !unknown || l.From == l.To && l.Kind != cash.KindDiscrepancy {
			return false
		}
	}
	return true
}

func modelMove(model map[cash.BalanceRow]int, l cash.Line) {
	for _, leg := range []struct {
		p cash.Place
		n int
	}{{l.From, -l.Count}, {l.To, l.Count}} {
		if l.Value == 0 || leg.p == cash.Customer || leg.p == cash.Operator || leg.p == cash.Unknown {
			continue
		}
		key := cash.BalanceRow{Device: l.Device, Place: leg.p, Value: l.Value, Currency: l.Currency}
		if model[key] += leg.n; model[key] == 0 {
			delete(model, key)
		}
	}
}

// TestManyCallers: whatever shares a commit, each caller's rows stand together, in order, and are readable at once.
func TestManyCallers(t *testing.T) {
	j := openTest(t, t.TempDir())
	feed, _ := j.Subscribe(10_000)
	const callers, writes = 8, 50
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			d := cash.DeviceID(fmt.Sprint("D", c))
			l := credit(500, 1, cash.Payout)
			l.Device = d
			for n := range writes {
				rows, err := j.Write(t.Context(), cash.LedgerWrite{Lines: []cash.Line{l, l, l}})
				if err != nil || len(rows) != 3 || rows[2].Seq != rows[0].Seq+2 {
					t.Errorf("%s: %v, %v", d, rows, err)
					return
				}
				b, err := j.Balance(t.Context(), d)
				if err != nil || len(b) != 1 || b[0].Count != 3*(n+1) {
					t.Errorf("%s after %d writes: %v, %v", d, n+1, b, err)
					return
				}
			}
		})
	}
	wg.Wait()
	verified(t, j, 3*callers*writes)
	for want := int64(1); want <= 3*callers*writes; want++ {
		if e := <-feed; e.Seq != want {
			t.Fatalf("subscription: row %d, want %d", e.Seq, want)
		}
	}
}

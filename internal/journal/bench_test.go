package journal

import (
	"fmt"
	"sync"
	"testing"

	"coffer/internal/cash"
)

// BenchmarkCommit measures durable writes of one credit row.
func BenchmarkCommit(b *testing.B) {
	for _, callers := range []int{1, 8} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			j := openTest(b, b.TempDir())
			w := cash.LedgerWrite{Lines: []cash.Line{credit(500, 1, cash.Payout)}}
			b.ResetTimer()
			var wg sync.WaitGroup
			for c := range callers {
				n := b.N / callers
				if c < b.N%callers {
					n++
				}
				wg.Go(func() {
					for range n {
						if _, err := j.Write(b.Context(), w); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

// BenchmarkBalance reads the balance of a ledger of many rows.
func BenchmarkBalance(b *testing.B) {
	j := openTest(b, b.TempDir())
	lines := make([]cash.Line, 1000)
	for i := range lines {
		lines[i] = credit(int64(i%7+1)*100, 1, cash.Payout)
	}
	for range 20 {
		if _, err := j.Write(b.Context(), cash.LedgerWrite{Lines: lines}); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for range b.N {
		if _, err := j.Balance(b.Context(), ""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify checks a chain of 20,000 rows.
func BenchmarkVerify(b *testing.B) {
	j := openTest(b, b.TempDir())
	lines := make([]cash.Line, 1000)
	for i := range lines {
		lines[i] = credit(int64(i%7+1)*100, 1, cash.Payout)
	}
	for range 20 {
		if _, err := j.Write(b.Context(), cash.LedgerWrite{Lines: lines}); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for range b.N {
		if _, err := j.Verify(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(20_000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

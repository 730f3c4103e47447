package journal

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/cash"
)

const dev = cash.DeviceID("SPECTRAL_PAYOUT-COM5")

// children are what this test binary does when it is started anew with childEnv set; see crash_test.go.
var children = map[string]func() error{}

const childEnv = "COFFER_JOURNAL_CHILD"

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		if err := children[name](); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// openTest opens the ledger in dir for one test.
func openTest(t testing.TB, dir string) *Journal {
	t.Helper()
	j, err := Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func credit(value int64, count int, to cash.Place) cash.Line {
	return cash.Line{Device: dev, Kind: cash.KindCredit, Value: value, Currency: "EUR", Count: count, From: cash.Customer, To: to}
}

// write commits lines and fails the test if that is impossible.
func write(t testing.TB, j *Journal, lines ...cash.Line) []cash.Entry {
	t.Helper()
	rows, err := j.Write(t.Context(), cash.LedgerWrite{Lines: lines})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// verified fails the test unless the ledger holds n sound rows.
func verified(t testing.TB, r interface {
	Verify(context.Context) (int64, error)
}, n int64) {
	t.Helper()
	if got, err := r.Verify(t.Context()); err != nil || got != n {
		t.Errorf("verify: %d, %v; want %d rows", got, err, n)
	}
}

func fixedClock() time.Time {
	return time.Date(2026, 11, 7, 10, 15, 2, 123456789, time.FixedZone("", 3600))
}

func TestWriteReadsBack(t *testing.T) {
	dir := t.TempDir()
	j := openTest(t, dir)
	first := write(t, j, credit(500, 2, cash.Payout), cash.Line{
		Device: "B", Op: "x", Kind: cash.KindDiscrepancy, From: cash.Unknown, To: cash.Cashbox, Count: 1, Detail: "a note <unknown> \xff",
	})
	second := write(t, j, credit(1000, 1, cash.Cashbox))
	want := append(first, second...)
	for i, e := range want {
		if e.Seq != int64(i+1) {
			t.Errorf("row %d has seq %d", i+1, e.Seq)
		}
	}
	if got := want[1].Detail; got != "a note <unknown> \uFFFD" {
		t.Errorf("detail %q: not made valid UTF-8", got)
	}

	beside, err := OpenReadOnly(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	for name, r := range map[string]*Reader{"own": j.Reader, "beside": beside} {
		got, err := r.Entries(t.Context(), 0, 100)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: entries: %v\n%s", name, err, diff)
		}
		if got, err = r.Entries(t.Context(), 1, 1); err != nil || len(got) != 1 || got[0].Seq != 2 {
			t.Errorf("%s: entries after 1, at most 1: %v, %v", name, got, err)
		}
		if got, err = r.LinesSince(t.Context(), dev, 1); err != nil || len(got) != 1 || got[0].Seq != 3 {
			t.Errorf("%s: lines of %s since 1: %v, %v", name, dev, got, err)
		}
		if got, err = r.OpLines(t.Context(), "x"); err != nil || len(got) != 1 || got[0].Seq != 2 {
			t.Errorf("%s: lines of operation x: %v, %v", name, got, err)
		}
		if got, err = r.OpLines(t.Context(), ""); err != nil || len(got) != 0 {
			t.Errorf("%s: lines of no operation: %v, %v", name, got, err)
		}
		verified(t, r, 3)
	}
	if _, err := j.Entries(t.Context(), 0, 0); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("limit 0: %v", err)
	}
}

func TestReopenGoesOnWithTheChain(t *testing.T) {
	dir := t.TempDir()
	j := openTest(t, dir)
	write(t, j, credit(500, 1, cash.Payout))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := OpenReadOnly(t.Context(), dir); err != nil {
		t.Errorf("reading while stopped: %v", err)
	} else {
		verified(t, r, 1)
		_ = r.Close()
	}
	j = openTest(t, dir)
	if rows := write(t, j, credit(500, 1, cash.Payout)); rows[0].Seq != 2 {
		t.Errorf("next row is %d, want 2", rows[0].Seq)
	}
	verified(t, j, 2)
}

func TestBalance(t *testing.T) {
	j := openTest(t, t.TempDir())
	line := func(d cash.DeviceID, k cash.Kind, value int64, n int, from, to cash.Place) cash.Line {
		return cash.Line{Device: d, Kind: k, Value: value, Currency: "EUR", Count: n, From: from, To: to}
	}
	write(t, j,
		line("B", cash.KindAdjust, 1000, 4, cash.Operator, cash.Payout),
		line("A", cash.KindHold, 2000, 1, cash.Customer, cash.Escrow),
		line("A", cash.KindHold, 500, 1, cash.Customer, cash.Escrow),
		line("A", cash.KindCredit, 2000, 1, cash.Escrow, cash.Cashbox),
		line("B", cash.KindPayout, 1000, 1, cash.Payout, cash.Customer),
		line("B", cash.KindMove, 1000, 3, cash.Payout, cash.Cashbox),
		line("B", cash.KindCredit, 500, 2, cash.Customer, cash.Payout),
		line("B", cash.KindDiscrepancy, 50, 1, cash.Cashbox, cash.Unknown),
		cash.Line{Device: "B", Kind: cash.KindDiscrepancy, Count: 7, From: cash.Unknown, To: cash.Cashbox},
	)
	want := []cash.BalanceRow{
		{Device: "A", Place: cash.Escrow, Value: 500, Currency: "EUR", Count: 1},
	}
	want = []cash.BalanceRow{
		{Device: "A", Place: cash.Cashbox, Value: 2000, Currency: "EUR", Count: 1},
		want[0],
		{Device: "B", Place: cash.Payout, Value: 500, Currency: "EUR", Count: 2},
		{Device: "B", Place: cash.Cashbox, Value: 50, Currency: "EUR", Count: -1},
		{Device: "B", Place: cash.Cashbox, Value: 1000, Currency: "EUR", Count: 3},
	}
	got, err := j.Balance(t.Context(), "")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("balance: %v\n%s", err, diff)
	}
	got, err = j.Balance(t.Context(), "A")
	if diff := cmp.Diff(want[:2], got); err != nil || diff != "" {
		t.Errorf("balance of A: %v\n%s", err, diff)
	}
	if got, err = j.Balance(t.Context(), "C"); err != nil || got == nil || len(got) != 0 {
		t.Errorf("balance of C: %v, %v", got, err)
	}
}

func TestBaselineAndEvidence(t *testing.T) {
	j := openTest(t, t.TempDir())
	ctx := t.Context()
	if _, ok, err := j.Baseline(ctx, dev); ok || err != nil {
		t.Fatalf("baseline of a new device: %v, %v", ok, err)
	}
	five := cash.Denom{Value: 500, Currency: "EUR"}
	for _, account := range []cash.Account{
		{Serial: "1", Levels: nil, Counters: []uint32{1, 2, 3}, Kind: cash.CountersNote},
		{Serial: "2", Levels: cash.Counts{}},
		{Serial: "3", Levels: cash.Counts{five: 4}, Moved: cash.Counts{five: 1}, MovedUnknown: 2},
	} {
		rows, err := j.Write(ctx, cash.LedgerWrite{
			Lines: []cash.Line{credit(500, 1, cash.Payout)}, Baseline: &cash.Baseline{Device: dev, Account: account, Seq: 99},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := cash.Baseline{Device: dev, Account: account, Seq: rows[0].Seq, At: rows[0].At}
		got, ok, err := j.Baseline(ctx, dev)
		if diff := cmp.Diff(want, got); !ok || err != nil || diff != "" {
			t.Errorf("baseline: %v, %v\n%s", ok, err, diff)
		}
	}

	at := stamp(fixedClock())
	keep := func(clear cash.DeviceID, names ...string) {
		t.Helper()
		w := cash.LedgerWrite{ClearEvidence: clear}
		for _, n := range names {
			w.Evidence = append(w.Evidence, cash.Evidence{Device: dev, At: at, Type: n, Data: []byte(`{"n":1}`)})
		}
		if rows, err := j.Write(ctx, w); err != nil || len(rows) != 0 {
			t.Fatal(rows, err)
		}
	}
	names := func() (s string) {
		t.Helper()
		list, err := j.Evidence(ctx, dev)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if !e.At.Equal(at) || string(e.Data) != `{"n":1}` {
				t.Errorf("evidence %+v", e)
			}
			s += e.Type
		}
		return s
	}
	keep("", "a", "b")
	keep("other", "c")
	if got := names(); got != "abc" {
		t.Errorf("evidence %q, want abc", got)
	}
	keep(dev, "d") // forget, then keep
	if got := names(); got != "d" {
		t.Errorf("evidence %q, want d", got)
	}
}

func TestSubscribe(t *testing.T) {
	j := openTest(t, t.TempDir())
	fast, _ := j.Subscribe(10)
	slow, _ := j.Subscribe(1)
	gone, cancel := j.Subscribe(10)
	cancel()
	cancel()
	if _, ok := <-gone; ok {
		t.Error("a cancelled subscription got a row")
	}
	write(t, j, credit(500, 1, cash.Payout), credit(1000, 1, cash.Payout))
	if _, err := j.Begin(t.Context(), cash.Op{Kind: cash.OpEmpty, Device: dev}); err != nil {
		t.Fatal(err)
	}
	for want := int64(1); want <= 3; want++ {
		if e := <-fast; e.Seq != want {
			t.Errorf("row %d, want %d", e.Seq, want)
		}
	}
	if e, ok := <-slow; !ok || e.Seq != 1 {
		t.Errorf("slow: first row %v, %v", e, ok)
	}
	if _, ok := <-slow; ok {
		t.Error("a full subscription goes on after a gap")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok := <-fast; ok {
		t.Error("a subscription outlives the ledger")
	}
	late, _ := j.Subscribe(1)
	if _, ok := <-late; ok {
		t.Error("a subscription after Close")
	}
}

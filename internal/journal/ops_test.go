package journal

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"coffer/internal/cash"
)

var (
	five = cash.Denom{Value: 500, Currency: "EUR"}
	ten  = cash.Denom{Value: 1000, Currency: "EUR"}
)

func TestOperation(t *testing.T) {
	j := openTest(t, t.TempDir())
	ctx := t.Context()
	ask := cash.Op{
		ID: "ignored", Key: "till-1", Kind: cash.OpDispense, Device: dev, Actor: "admin", State: cash.OpDone,
		Asked: cash.Amount{Value: 1500, Currency: "EUR"},
	}
	op, err := j.Begin(ctx, ask)
	if err != nil {
		t.Fatal(err)
	}
	if op.ID == "" || op.ID == "ignored" || !op.Open() || op.Started.IsZero() || !op.Ended.IsZero() {
		t.Errorf("begun: %+v", op)
	}
	stored := func(want cash.Op) {
		t.Helper()
		got, ok, err := j.Op(ctx, op.ID)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); !ok || err != nil || diff != "" {
			t.Errorf("stored: %v, %v\n%s", ok, err, diff)
		}
		if got, ok, err = j.OpByKey(ctx, "till-1"); !ok || err != nil || got.ID != op.ID {
			t.Errorf("by key: %+v, %v, %v", got, ok, err)
		}
	}
	stored(op)

	again, err := j.Begin(ctx, cash.Op{Key: "till-1", Kind: cash.OpFloat, Device: "other"})
	if !errors.Is(err, cash.ErrKeySeen) || errors.Is(err, cash.ErrJournal) || again.ID != op.ID {
		t.Errorf("same key: %+v, %v", again, err)
	}

	rows, err := j.Write(ctx, cash.LedgerWrite{
		Lines: []cash.Line{{Device: dev, Op: op.ID, Kind: cash.KindPayout, Value: 1000, Currency: "EUR", Count: 1, From: cash.Payout, To: cash.Customer}},
		Close: []cash.OpClose{{ID: op.ID, Result: cash.OpUnknown, Paid: cash.Counts{ten: 1}, Detail: "answer lost"}},
	})
	if err != nil || len(rows) != 2 || rows[0].Kind != cash.KindPayout || rows[1].Kind != cash.KindOperation {
		t.Fatalf("close as unknown: %v, %v", rows, err)
	}
	op.State, op.Paid, op.Detail = cash.OpUnknown, cash.Counts{ten: 1}, "answer lost"
	stored(op)
	if open, err := j.OpenOps(ctx, dev); err != nil || len(open) != 1 || open[0].ID != op.ID {
		t.Errorf("open: %v, %v", open, err)
	}

	rows, err = j.Write(ctx, cash.LedgerWrite{Close: []cash.OpClose{{ID: op.ID, Result: cash.OpDone, Paid: cash.Counts{ten: 1, five: 1}}}})
	if err != nil || len(rows) != 1 {
		t.Fatalf("close: %v, %v", rows, err)
	}
	op.State, op.Paid, op.Detail, op.Ended = cash.OpDone, cash.Counts{ten: 1, five: 1}, "", rows[0].At
	stored(op)
	if open, err := j.OpenOps(ctx, ""); err != nil || len(open) != 0 {
		t.Errorf("open: %v, %v", open, err)
	}

	lines, err := j.OpLines(ctx, op.ID)
	var details []string
	for _, l := range lines {
		details = append(details, l.Detail)
	}
	want := []string{
		"opened: dispense 15.00 EUR by admin, key till-1", "",
		"to be settled: unknown, moved 1 x 10.00 EUR; answer lost", "closed: done, moved 1 x 5.00 EUR, 1 x 10.00 EUR",
	}
	if diff := cmp.Diff(want, details); err != nil || diff != "" {
		t.Errorf("rows of the operation: %v\n%s", err, diff)
	}
	verified(t, j, 4)
}

func TestOpenOpsOfOneDevice(t *testing.T) {
	j := openTest(t, t.TempDir())
	var ids []string
	for _, o := range []cash.Op{
		{Kind: cash.OpFloat, Device: "A", Keep: cash.Counts{five: 3}},
		{Kind: cash.OpEmpty, Device: "B", Module: 2},
		{Kind: cash.OpEmpty, Device: "A"},
	} {
		op, err := j.Begin(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, op.ID)
	}
	got, err := j.OpenOps(t.Context(), "A")
	if err != nil || len(got) != 2 || got[0].ID != ids[0] || got[1].ID != ids[2] || got[0].Keep[five] != 3 {
		t.Errorf("open on A: %+v, %v", got, err)
	}
	if got, err = j.OpenOps(t.Context(), "B"); err != nil || len(got) != 1 || got[0].Module != 2 {
		t.Errorf("open on B: %+v, %v", got, err)
	}
	for _, key := range []string{"", "no such key"} {
		if _, ok, err := j.OpByKey(t.Context(), key); ok || err != nil {
			t.Errorf("key %q: %v, %v", key, ok, err)
		}
	}
	if _, ok, err := j.Op(t.Context(), "no such op"); ok || err != nil {
		t.Errorf("unknown id: %v, %v", ok, err)
	}
}

func TestRefused(t *testing.T) {
	j := openTest(t, t.TempDir())
	ctx := t.Context()
	closed, err := j.Begin(ctx, cash.Op{Kind: cash.OpEmpty, Device: dev})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Write(ctx, cash.LedgerWrite{Close: []cash.OpClose{{ID: closed.ID, Result: cash.OpFailed}}}); err != nil {
		t.Fatal(err)
	}
	open, err := j.Begin(ctx, cash.Op{Kind: cash.OpEmpty, Device: dev})
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*cash.Line)) cash.LedgerWrite {
		l := credit(500, 1, cash.Payout)
		change(&l)
		return cash.LedgerWrite{Lines: []cash.Line{credit(500, 1, cash.Payout), l}}
	}
	closing := func(c ...cash.OpClose) cash.LedgerWrite {
		return cash.LedgerWrite{Lines: []cash.Line{credit(500, 1, cash.Payout)}, Close: c}
	}
	for name, w := range map[string]cash.LedgerWrite{
		"no ledger kind":     with(func(l *cash.Line) { l.Kind = "gift" }),
		"no such place":      with(func(l *cash.Line) { l.To = "pocket" }),
		"same place":         with(func(l *cash.Line) { l.To = l.From }),
		"without a device":   with(func(l *cash.Line) { l.Device = "" }),
		"begin at 1":         with(func(l *cash.Line) { l.Value = 0 }),
		"of 0 x 500":         with(func(l *cash.Line) { l.Count = 0 }),
		"of -1 x 500":        with(func(l *cash.Line) { l.Count = -1 }),
		`"eur"`:              with(func(l *cash.Line) { l.Currency = "eur" }),
		"carries no money":   with(func(l *cash.Line) { l.Kind = cash.KindOperation }),
		"no operation \"x\"": closing(cash.OpClose{ID: "x", Result: cash.OpDone}),
		"closed already":     closing(cash.OpClose{ID: closed.ID, Result: cash.OpDone}),
		"no result":          closing(cash.OpClose{ID: open.ID}),
		"twice":              closing(cash.OpClose{ID: open.ID, Result: cash.OpDone}, cash.OpClose{ID: open.ID, Result: cash.OpDone}),
	} {
		rows, err := j.Write(ctx, w)
		if !errors.Is(err, cash.ErrInvalid) || !errors.Is(err, cash.ErrJournal) || rows != nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
	for _, op := range []cash.Op{{Kind: cash.OpEmpty}, {Device: dev}, {Kind: cash.OpDispense, Device: dev, Asked: cash.Amount{Value: -1, Currency: "EUR"}}} {
		if _, err := j.Begin(ctx, op); !errors.Is(err, cash.ErrInvalid) || !errors.Is(err, cash.ErrJournal) {
			t.Errorf("begin %+v: %v", op, err)
		}
	}
	verified(t, j, 3) // two begun, one closed: what was refused left nothing
	if b, err := j.Balance(ctx, ""); err != nil || len(b) != 0 {
		t.Errorf("balance %v, %v: something of a refused write is there", b, err)
	}
}

// TestGroupSharesOneCommit hands the writer one group with a refused member and a key used twice.
func TestGroupSharesOneCommit(t *testing.T) {
	j, err := open(t.Context(), t.TempDir(), fixedClock)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Reader.Close()
	var first, second cash.Op
	group := []*job{
		{run: func(b *batch) (err error) {
			first, err = b.begin(cash.Op{Key: "k", Kind: cash.OpEmpty, Device: dev})
			return err
		}},
		{run: func(b *batch) error { return b.write(cash.LedgerWrite{Close: []cash.OpClose{{ID: "none"}}}) }},
		{run: func(b *batch) (err error) {
			second, err = b.begin(cash.Op{Key: "k", Kind: cash.OpEmpty, Device: dev})
			return err
		}},
		{run: func(b *batch) error {
			return b.write(cash.LedgerWrite{Lines: []cash.Line{credit(500, 1, cash.Payout)}})
		}},
	}
	for _, jb := range group {
		jb.done = make(chan error, 1)
	}
	j.handle(group)
	for i, want := range []error{nil, cash.ErrInvalid, cash.ErrKeySeen, nil} {
		if err := <-group[i].done; !errors.Is(err, want) {
			t.Errorf("member %d: %v, want %v", i, err, want)
		}
	}
	if first.ID == "" || second.ID != first.ID {
		t.Errorf("operations %q and %q of one key", first.ID, second.ID)
	}
	verified(t, j, 2)
}

package till

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"coffer/internal/cash"
)

// fakeJournal is a ledger in memory that fails and crashes on demand. It keeps what a disk would keep: everything goes
// through JSON, as it does in the real one.
type fakeJournal struct {
	mu       sync.Mutex
	rows     []cash.Entry
	ops      []cash.Op
	base     map[cash.DeviceID]cash.Baseline
	evidence []cash.Evidence
	fail     error             // the next writes return it
	crash    func(when string) // called before and after each commit; a panic is a kill
	commits  int
	shown    int // rows that a test has seen
}

func newFakeJournal() *fakeJournal { return &fakeJournal{base: map[cash.DeviceID]cash.Baseline{}} }

func (j *fakeJournal) commit(f func() error) error {
	if j.crash != nil {
		j.crash("before")
	}
	j.mu.Lock()
	err := j.fail
	if err == nil {
		err = f()
	}
	if err == nil {
		j.commits++
	}
	j.mu.Unlock()
	if err == nil && j.crash != nil {
		j.crash("after")
	}
	return err
}

func (j *fakeJournal) add(l cash.Line) cash.Entry {
	e := cash.Entry{Seq: int64(len(j.rows) + 1), Line: l}
	j.rows = append(j.rows, e)
	return e
}

func (j *fakeJournal) Begin(_ context.Context, op cash.Op) (cash.Op, error) {
	var seen error
	err := j.commit(func() error {
		for _, old := range j.ops {
			if op.Key != "" && old.Key == op.Key {
				op, seen = old, cash.ErrKeySeen
				return nil
			}
		}
		op.ID, op.State, op.Started = fmt.Sprintf("op-%d", len(j.ops)+1), "", time.Unix(int64(len(j.ops)), 0)
		j.ops = append(j.ops, op)
		j.add(cash.Line{Device: op.Device, Op: op.ID, Kind: cash.KindOperation, Detail: "opened"})
		return nil
	})
	if err != nil {
		return cash.Op{}, err
	}
	return op, seen
}

func (j *fakeJournal) BeginLegs(_ context.Context, whole cash.Op, legs []cash.Op) (cash.Op, []cash.Op, error) {
	var seen error
	var out []cash.Op
	err := j.commit(func() error {
		for _, old := range j.ops {
			if whole.Key != "" && old.Key == whole.Key {
				whole, seen = old, cash.ErrKeySeen
				return nil
			}
		}
		whole.ID, whole.Started = fmt.Sprintf("op-%d", len(j.ops)+1), time.Unix(int64(len(j.ops)), 0)
		j.ops = append(j.ops, whole)
		j.add(cash.Line{Device: whole.Device, Op: whole.ID, Kind: cash.KindOperation, Detail: "opened"})
		for _, leg := range legs {
			leg.ID, leg.State, leg.Whole = fmt.Sprintf("op-%d", len(j.ops)+1), "", whole.ID
			j.ops = append(j.ops, leg)
			out = append(out, leg)
			j.add(cash.Line{Device: leg.Device, Op: leg.ID, Kind: cash.KindOperation, Detail: "opened"})
		}
		return nil
	})
	if err != nil {
		return cash.Op{}, nil, err
	}
	return whole, out, seen
}

func (j *fakeJournal) Legs(_ context.Context, id string) (out []cash.Op, _ error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.legs(id), j.fail
}

func (j *fakeJournal) legs(id string) (out []cash.Op) {
	for _, op := range j.ops {
		if id != "" && op.Whole == id {
			out = append(out, op)
		}
	}
	return out
}

func (j *fakeJournal) LastSeq(_ context.Context, dev cash.DeviceID, kind cash.Kind) (int64, error) {
	rows, err := j.filter(func(e cash.Entry) bool { return e.Device == dev && (kind == "" || e.Kind == kind) })
	if len(rows) == 0 {
		return 0, err
	}
	return rows[len(rows)-1].Seq, err
}

func (j *fakeJournal) Write(_ context.Context, w cash.LedgerWrite) (out []cash.Entry, err error) {
	err = j.commit(func() error {
		for _, l := range w.Lines {
			if err := checkRow(l); err != nil {
				return err
			}
		}
		for _, c := range w.Close {
			i := slices.IndexFunc(j.ops, func(op cash.Op) bool { return op.ID == c.ID && op.Open() })
			if i < 0 || c.Result == "" {
				return fmt.Errorf("%w: %w: closing %v", cash.ErrJournal, cash.ErrInvalid, c)
			}
			j.ops[i].State, j.ops[i].Paid, j.ops[i].Detail = c.Result, c.Paid, c.Detail
			w := slices.IndexFunc(j.ops, func(op cash.Op) bool { return op.ID == j.ops[i].Whole })
			if w < 0 {
				continue
			}
			if end, ended := cash.CloseWhole(j.ops[w], j.legs(j.ops[w].ID)); ended {
				j.ops[w].State, j.ops[w].Paid, j.ops[w].Detail = end.Result, end.Paid, end.Detail
			}
		}
		for _, l := range w.Lines {
			out = append(out, j.add(l))
		}
		for _, c := range w.Close {
			out = append(out, j.add(cash.Line{Op: c.ID, Kind: cash.KindOperation, Detail: string(c.Result)}))
		}
		if w.ClearEvidence != "" {
			j.evidence = slices.DeleteFunc(j.evidence, func(e cash.Evidence) bool { return e.Device == w.ClearEvidence })
		}
		j.evidence = append(j.evidence, w.Evidence...)
		if w.Baseline != nil {
			b := *w.Baseline
			b.Seq = int64(len(j.rows))
			j.base[b.Device] = throughJSON(b)
		}
		return nil
	})
	return out, err
}

// checkRow refuses what the real ledger refuses.
func checkRow(l cash.Line) error {
	if l.Kind == cash.KindOperation && l.Device != "" && l.Value == 0 && l.Count == 0 {
		return nil
	}
	ok := l.Value > 0 && l.Count > 0 && l.Currency.Valid() && (l.From != l.To || l.Kind == cash.KindDiscrepancy)
	if l.Kind == cash.KindDiscrepancy && l.Value == 0 && l.Count >= 0 {
		ok = true
	}
	if !ok || l.Device == "" || l.From == "" || l.To == "" {
		return fmt.Errorf("%w: %w: row %+v", cash.ErrJournal, cash.ErrInvalid, l)
	}
	return nil
}

func (j *fakeJournal) OpenOps(_ context.Context, dev cash.DeviceID) (out []cash.Op, _ error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, op := range j.ops {
		if op.Open() && op.Device == dev {
			out = append(out, op)
		}
	}
	return out, j.fail
}

func (j *fakeJournal) find(ok func(cash.Op) bool) (cash.Op, bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i := slices.IndexFunc(j.ops, ok); i >= 0 {
		return j.ops[i], true, nil
	}
	return cash.Op{}, false, nil
}

func (j *fakeJournal) Op(_ context.Context, id string) (cash.Op, bool, error) {
	return j.find(func(op cash.Op) bool { return op.ID == id })
}

func (j *fakeJournal) OpByKey(_ context.Context, key string) (cash.Op, bool, error) {
	return j.find(func(op cash.Op) bool { return key != "" && op.Key == key })
}

func (j *fakeJournal) OpLines(_ context.Context, id string) (out []cash.Entry, _ error) {
	return j.filter(func(e cash.Entry) bool { return e.Op == id })
}

func (j *fakeJournal) LinesSince(_ context.Context, dev cash.DeviceID, seq int64) ([]cash.Entry, error) {
	return j.filter(func(e cash.Entry) bool { return e.Device == dev && e.Seq > seq })
}

func (j *fakeJournal) filter(ok func(cash.Entry) bool) (out []cash.Entry, _ error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.rows {
		if ok(e) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (j *fakeJournal) Balance(_ context.Context, dev cash.DeviceID) (out []cash.BalanceRow, _ error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, p := range []cash.Place{cash.Payout, cash.Cashbox, cash.Escrow} {
		c := cash.Counts{}
		for _, e := range j.rows {
			if e.Value <= 0 || e.Device != dev {
				continue
			}
			if e.From == p {
				c[denomOf(e.Line)] -= e.Count
			}
			if e.To == p {
				c[denomOf(e.Line)] += e.Count
			}
		}
		for _, r := range c.Rows() {
			out = append(out, cash.BalanceRow{Device: dev, Place: p, Value: r.Value, Currency: r.Currency, Count: r.Count})
		}
	}
	return out, j.fail
}

func (j *fakeJournal) Baseline(_ context.Context, dev cash.DeviceID) (cash.Baseline, bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	b, ok := j.base[dev]
	return b, ok, j.fail
}

func (j *fakeJournal) Evidence(_ context.Context, dev cash.DeviceID) (out []cash.Evidence, _ error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.evidence {
		if e.Device == dev {
			out = append(out, e)
		}
	}
	return out, j.fail
}

// in returns the balance of one place.
func (j *fakeJournal) in(dev cash.DeviceID, p cash.Place) cash.Counts {
	c := cash.Counts{}
	rows, _ := j.Balance(context.Background(), dev)
	for _, r := range rows {
		if r.Place == p {
			c[cash.Denom{Value: r.Value, Currency: r.Currency}] = r.Count
		}
	}
	return c
}

// money lists the rows that carry money, as text.
func (j *fakeJournal) money() (out []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.rows {
		if e.Kind != cash.KindOperation {
			out = append(out, rowText(e.Line))
		} else if os.Getenv("TRACE_MODEL") != "" {
			out = append(out, "["+e.Op+" "+e.Detail+"]")
		}
	}
	return out
}

// rowText prints a row for comparison: "credit 1x500 customer>payout".
func rowText(l cash.Line) string {
	s := fmt.Sprintf("%s %dx%d %s>%s", l.Kind, l.Count, l.Value, l.From, l.To)
	if l.Op != "" {
		s += " " + l.Op
	}
	return s
}

func throughJSON[T any](v T) (out T) {
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		panic(err)
	}
	return out
}

var errDisk = fmt.Errorf("%w: %w", cash.ErrJournal, errors.New("disk full"))

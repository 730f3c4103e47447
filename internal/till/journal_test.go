package till

import (
	"testing"
	"time"

	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/journal"
)

// The ledger and the bus that service wires in.
var (
	_ Journal   = (*journal.Journal)(nil)
	_ Publisher = (*bus.Bus)(nil)
)

// TestOnDisk plays a day on the real ledger, with a new process at every step.
func TestOnDisk(t *testing.T) {
	dir, dev := t.TempDir(), newFakeDevice()
	var closed cash.OpResult
	step := func(f func(*Till) error) {
		t.Helper()
		j, err := journal.Open(t.Context(), dir, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		b := bus.New(64)
		c := b.Cursor(testDev)
		if err := f(New(j, b, quiet(), time.Now)); err != nil {
			t.Error(err)
		}
		told, err := c.Take(0)
		if err != nil {
			t.Error(err)
		}
		for _, e := range told {
			if done, ok := e.Event.(cash.OpClosed); ok {
				closed = done.Result
			}
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
	record := func(events ...cash.Event) func(*Till) error {
		return func(till *Till) error { return till.Record(t.Context(), testDev, events...) }
	}
	reconcile := func(acc cash.Account) func(*Till) error {
		return func(till *Till) error { return till.Reconcile(t.Context(), testDev, acc) }
	}
	step(reconcile(full))
	step(record(cash.NoteHeld{Note: eur(2000)}))
	step(record(credited(2000, cash.Payout)))
	step(func(till *Till) error { return till.Evidence(t.Context(), testDev, credited(2000, cash.Payout)) })
	step(reconcile(notes(pieces(500, 4, 1000, 4), 1, 0, 0, 0, 0)))
	step(func(till *Till) error {
		_, err := till.Dispense(t.Context(), Call{Actor: "admin", Key: "k"}, dev, amount(1500))
		return err
	})
	step(record(progress(1000, pieces(1000, 1))))
	step(reconcile(notes(pieces(500, 3, 1000, 3), 1, 0, 2, 0, 0)))
	if closed != cash.OpDone {
		t.Errorf("payout closed as %q", closed)
	}
	step(func(till *Till) error {
		o, err := till.Dispense(t.Context(), Call{Key: "k"}, dev, amount(1500))
		if err != nil {
			return err
		}
		out, err := o.Wait(t.Context())
		if out.Paid != amount(1500) || countsText(out.Pieces) != "1x500 1x1000" {
			t.Errorf("outcome %+v", out)
		}
		return err
	})
	step(func(till *Till) error { return till.ClearCashbox(t.Context(), Call{Actor: "admin"}, testDev) })

	j, err := journal.Open(t.Context(), dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	balance, err := j.Balance(t.Context(), "")
	if err != nil || len(balance) != 2 || balance[0].Count != 3 || balance[1].Count != 3 {
		t.Errorf("balance %+v, %v", balance, err)
	}
	if _, err := j.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if dev.started != 1 {
		t.Errorf("%d commands", dev.started)
	}
}

package till

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
)

var full = notes(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0)

// end is the end event of a payout after which the machine's books are acc.
func end(result cash.OpResult, total int64, acc cash.Account) cash.Event {
	return cash.Ended{Op: cash.OpDispense, Result: result, Total: amount(total), Account: &acc}
}

func progress(total int64, moved cash.Counts) cash.Event {
	return cash.Progress{Op: cash.OpDispense, Total: amount(total), Pieces: moved}
}

func TestDispense(t *testing.T) {
	r := newRig(t, full)
	o, err := r.till.Dispense(t.Context(), Call{Actor: "admin"}, r.dev, amount(1500))
	r.must(err)
	if r.till.Running(testDev) == nil || r.till.Running(testDev).ID != o.ID {
		t.Error("not running")
	}
	if _, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(500)); !errors.Is(err, cash.ErrBusy) {
		t.Errorf("second payout: %v", err)
	}
	r.record(progress(1000, pieces(1000, 1)))
	r.record(progress(1500, nil))
	r.record(end(cash.OpDone, 1500, notes(pieces(500, 3, 1000, 3), 0, 0, 2, 0, 0)))
	out, err := o.Wait(t.Context())
	r.must(err)
	if out.Result != cash.OpDone || out.Ended != cash.OpDone || out.Paid != amount(1500) || countsText(out.Pieces) != "1x500 1x1000" {
		t.Errorf("outcome %+v", out)
	}
	r.rows("payout 1x1000 payout>customer op-1", "payout 1x500 payout>customer op-1")
	r.heard("started op-1", "progress 1000 @4", "progress 1500", "ended done", "closed op-1 done 1500 @5")
	if r.till.Running(testDev) != nil {
		t.Error("still running")
	}
}

func TestOutcomes(t *testing.T) {
	for _, tc := range []struct {
		name   string
		events []cash.Event
		result cash.OpResult
		paid   int64
		err    error
	}{
		{"halted", []cash.Event{progress(1000, pieces(1000, 1)), end(cash.OpHalted, 1000, notes(pieces(500, 4, 1000, 3), 0, 0, 1, 0, 0))}, cash.OpPartial, 1000, nil},
		{"timed out with nothing", []cash.Event{end(cash.OpTimedOut, 0, full)}, cash.OpFailed, 0, nil},
		{"says more than it did", []cash.Event{end(cash.OpDone, 1500, notes(pieces(500, 4, 1000, 3), 0, 0, 1, 0, 0))}, cash.OpPartial, 1000, nil},
		{"nobody knows", []cash.Event{end(cash.OpErrored, 0, notes(pieces(500, 3, 1000, 3), 0, 0, 0, 0, 0))}, cash.OpUnknown, 0, cash.ErrOutcomeUnknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, full)
			o, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(1500))
			r.must(err)
			for _, ev := range tc.events {
				r.record(ev)
			}
			out, err := o.Wait(t.Context())
			if out.Result != tc.result || out.Paid.Value != tc.paid {
				t.Errorf("outcome %+v", out)
			}
			var partial *cash.PartialError
			if tc.err != nil && !errors.Is(err, tc.err) || tc.err == nil && (!errors.As(err, &partial) || partial.Paid.Value != tc.paid) {
				t.Errorf("error %v", err)
			}
			if tc.err != nil {
				return
			}
			if _, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(500)); err != nil {
				t.Errorf("the next payout: %v", err)
			}
		})
	}
}

func TestFloatAndEmpty(t *testing.T) {
	r := newRig(t, full)
	o, err := r.till.Float(t.Context(), Call{}, r.dev, pieces(500, 2))
	r.must(err)
	if o.Asked != amount(5000) {
		t.Errorf("asked %v", o.Asked)
	}
	acc := notes(pieces(500, 2), 0, 0, 0, 6, 0)
	r.record(cash.Progress{Op: cash.OpFloat, Total: amount(1000), Pieces: pieces(500, 2)})
	r.record(cash.Ended{Op: cash.OpFloat, Result: cash.OpDone, Total: amount(5000), Account: &acc})
	out, err := o.Wait(t.Context())
	r.must(err)
	if out.Paid != amount(5000) {
		t.Errorf("outcome %+v", out)
	}
	r.rows("move 2x500 payout>cashbox op-1", "move 4x1000 payout>cashbox op-1")
	r.forget()
	e, err := r.till.Empty(t.Context(), Call{}, r.dev, 0)
	r.must(err)
	r.must(r.till.Reconcile(t.Context(), testDev, notes(cash.Counts{}, 0, 0, 0, 8, 0))) // the link broke meanwhile
	_, err = e.Wait(t.Context())
	r.must(err)
	r.rows("move 2x500 payout>cashbox op-2")
}

// The machine may be faster than its answer to the command.
func TestProgressBeforeTheAnswer(t *testing.T) {
	r := newRig(t, full)
	r.dev.start = func(context.Context) error {
		r.record(progress(1500, pieces(500, 1, 1000, 1)))
		r.record(end(cash.OpDone, 1500, notes(pieces(500, 3, 1000, 3), 0, 0, 2, 0, 0)))
		return nil
	}
	o, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(1500))
	r.must(err)
	_, err = o.Wait(t.Context())
	r.must(err)
	r.heard("started op-1", "progress 1500 @5", "ended done", "closed op-1 done 1500")
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name  string
		setup func(*fakeDevice)
		err   error
		ops   int // operations in the ledger
	}{
		{"not enough, by the test", func(d *fakeDevice) { d.test = cash.ErrNotEnough }, cash.ErrNotEnough, 0},
		{"not exact, by the command", func(d *fakeDevice) { d.start = func(context.Context) error { return cash.ErrNotExact } }, cash.ErrNotExact, 1},
		{"not connected", func(d *fakeDevice) { d.snap.Connected = false }, cash.ErrNotConnected, 0},
		{"not identified yet", func(d *fakeDevice) { d.snap.ID = "" }, cash.ErrNotConnected, 0},
		{"not reconciled yet", func(d *fakeDevice) { d.snap.Ready = false }, cash.ErrBusy, 0},
		{"jammed", func(d *fakeDevice) { d.snap.Ready, d.snap.Jammed = false, true }, cash.ErrJam, 0},
		{"busy with something else", func(d *fakeDevice) { d.snap.Operation = cash.OpEmpty }, cash.ErrBusy, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, full)
			tc.setup(r.dev)
			o, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(1500))
			var op *cash.OpError
			if o != nil || !errors.Is(err, tc.err) || !errors.As(err, &op) || op.Op != "dispense" {
				t.Errorf("%v, %v; want %v", o, err, tc.err)
			}
			r.rows()
			r.heard()
			if len(r.j.ops) != tc.ops || tc.ops > 0 && r.j.ops[0].State != cash.OpFailed {
				t.Errorf("operations %+v", r.j.ops)
			}
			if r.till.Running(testDev) != nil {
				t.Error("running")
			}
		})
	}
	r := newRig(t, full)
	for _, want := range []cash.Amount{amount(0), amount(-5), {Value: 5}} {
		if _, err := r.till.Dispense(t.Context(), Call{}, r.dev, want); !errors.Is(err, cash.ErrInvalid) {
			t.Errorf("%v: %v", want, err)
		}
	}
	if _, err := r.till.Float(t.Context(), Call{}, r.dev, pieces(500, -1)); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("negative float: %v", err)
	}
	_, err := r.till.Dispense(t.Context(), Call{}, plainDevice{}, amount(500))
	_, err2 := r.till.Float(t.Context(), Call{}, plainDevice{}, nil)
	_, err3 := r.till.Empty(t.Context(), Call{}, plainDevice{}, 0)
	for _, err := range []error{err, err2, err3} {
		if !errors.Is(err, cash.ErrUnsupported) {
			t.Errorf("%v; want unsupported", err)
		}
	}
}

func TestIntentFirst(t *testing.T) {
	r := newRig(t, full)
	r.j.fail = errDisk
	if _, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(500)); !errors.Is(err, cash.ErrJournal) {
		t.Errorf("%v", err)
	}
	if r.dev.started != 0 {
		t.Error("the command went out without an intent on disk")
	}
	r.j.fail = nil
	if _, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(500)); err != nil {
		t.Errorf("with the disk back: %v", err)
	}
}

// A caller that hangs up undoes nothing once the command is out.
func TestCallerHangsUp(t *testing.T) {
	r := newRig(t, full)
	ctx, cancel := context.WithCancel(t.Context())
	r.dev.start = func(context.Context) error { cancel(); return nil }
	o, err := r.till.Dispense(ctx, Call{}, r.dev, amount(500))
	r.must(err)
	if _, err := o.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	r.record(end(cash.OpDone, 500, notes(pieces(500, 3, 1000, 4), 0, 0, 1, 0, 0)))
	_, err = o.Wait(t.Context())
	r.must(err)

	r.dev.start = nil // and before the command is out, nothing has begun
	_, err = r.till.Dispense(ctx, Call{}, r.dev, amount(500))
	if !errors.Is(err, context.Canceled) || r.j.ops[1].State != cash.OpFailed {
		t.Errorf("%v, %+v", err, r.j.ops[1])
	}
}

func TestKeys(t *testing.T) {
	r := newRig(t, full)
	key := Call{Key: "k"}
	first, err := r.till.Dispense(t.Context(), key, r.dev, amount(500))
	r.must(err)
	second, err := r.till.Dispense(t.Context(), key, r.dev, amount(500)) // while it runs
	r.must(err)
	if first.Repeat || !second.Repeat || second.ID != first.ID {
		t.Errorf("%+v, then %+v", first, second)
	}
	r.record(end(cash.OpDone, 500, notes(pieces(500, 3, 1000, 4), 0, 0, 1, 0, 0)))
	for _, o := range []*Operation{first, second} {
		if out, err := o.Wait(t.Context()); err != nil || out.Paid != amount(500) {
			t.Errorf("%+v, %v", out, err)
		}
	}
	r.restart()
	third, err := r.till.Dispense(t.Context(), key, r.dev, amount(500))
	r.must(err)
	if out, err := third.Wait(t.Context()); err != nil || out.Paid != amount(500) || third.ID != first.ID {
		t.Errorf("after a restart: %+v, %v", out, err)
	}
	if _, err := r.till.Dispense(t.Context(), key, r.dev, amount(1000)); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("another amount under the key: %v", err)
	}
	if _, err := r.till.Empty(t.Context(), key, r.dev, 0); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("another operation under the key: %v", err)
	}
	if r.dev.started != 1 {
		t.Errorf("%d commands", r.dev.started)
	}
}

func TestKeyOfARefusal(t *testing.T) {
	r := newRig(t, full)
	r.dev.test = cash.ErrNotExact
	for range 2 {
		if _, err := r.till.Dispense(t.Context(), Call{Key: "k"}, r.dev, amount(700)); !errors.Is(err, cash.ErrNotExact) {
			t.Errorf("%v", err)
		}
		r.restart()
		r.dev.test = nil
	}
	if r.dev.started != 0 || len(r.j.ops) != 1 {
		t.Errorf("%d commands, %d operations", r.dev.started, len(r.j.ops))
	}
}

// An operation that was open when the process died is settled when the machine is back, for those who wait as well.
func TestKeyOfAnOpenOperation(t *testing.T) {
	r := newRig(t, full)
	_, err := r.till.Dispense(t.Context(), Call{Key: "k"}, r.dev, amount(1500))
	r.must(err)
	r.restart()
	o, err := r.till.Dispense(t.Context(), Call{Key: "k"}, r.dev, amount(1500))
	r.must(err)
	if _, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(500)); !errors.Is(err, cash.ErrBusy) {
		t.Errorf("another payout: %v", err)
	}
	r.record(progress(1000, pieces(1000, 1))) // it still runs
	r.record(end(cash.OpDone, 1500, notes(pieces(500, 3, 1000, 3), 0, 0, 2, 0, 0)))
	out, err := o.Wait(t.Context())
	if err != nil || out.Paid != amount(1500) || r.dev.started != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	r.rows("payout 1x1000 payout>customer op-1", "payout 1x500 payout>customer op-1")
}

func TestTheSameKeyAtOnce(t *testing.T) {
	r := newRig(t, full)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := r.till.Dispense(t.Context(), Call{Key: "k"}, r.dev, amount(500)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if r.dev.started != 1 || len(r.j.ops) != 1 {
		t.Errorf("%d commands, %d operations", r.dev.started, len(r.j.ops))
	}
}

func TestUnknownOutcome(t *testing.T) {
	r := newRig(t, full)
	r.dev.start = func(context.Context) error { return cash.ErrOutcomeUnknown }
	o, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(1500))
	if o == nil || !errors.Is(err, cash.ErrOutcomeUnknown) {
		t.Fatalf("%v, %v", o, err)
	}
	r.heard()
	r.must(r.till.Reconcile(t.Context(), testDev, notes(pieces(500, 3, 1000, 3), 0, 0, 2, 0, 0)))
	if out, err := o.Wait(t.Context()); err != nil || out.Result != cash.OpDone {
		t.Errorf("%+v, %v", out, err)
	}
	r.heard("started op-1", "closed op-1 done 1500 @5")

	r.forget()
	o, err = r.till.Dispense(t.Context(), Call{}, r.dev, amount(500))
	if !errors.Is(err, cash.ErrOutcomeUnknown) {
		t.Fatal(err)
	}
	r.must(r.till.Reconcile(t.Context(), testDev, notes(pieces(500, 3, 1000, 3), 0, 0, 2, 0, 0)))
	if out, _ := o.Wait(t.Context()); out.Result != cash.OpFailed {
		t.Errorf("%+v", out)
	}
	r.heard("closed op-2 failed 0")
}

// The driver compares books because the answer was lost, before the caller has taken in that it was.
func TestReconcileWaitsForTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, full)
		compared := make(chan error, 1)
		r.dev.start = func(context.Context) error {
			go func() { compared <- r.till.Reconcile(context.Background(), testDev, full) }()
			time.Sleep(r.till.grace / 2) // costs nothing in here
			return cash.ErrOutcomeUnknown
		}
		o, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(500))
		if !errors.Is(err, cash.ErrOutcomeUnknown) {
			t.Fatal(err)
		}
		r.must(<-compared)
		if out, _ := o.Wait(t.Context()); out.Result != cash.OpFailed {
			t.Errorf("%+v", out)
		}
	})
}

// An audit that comes between intent and command must not close the operation.
func TestAuditBeforeTheCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, full)
		r.dev.start = func(context.Context) error { return r.till.Reconcile(context.Background(), testDev, full) }
		o, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(500))
		r.must(err)
		r.record(end(cash.OpDone, 500, notes(pieces(500, 3, 1000, 4), 0, 0, 1, 0, 0)))
		_, err = o.Wait(t.Context())
		r.must(err)
	})
}

// Books that cannot be read, or say too little while coins come in, leave the operation open until the machine rests.
func TestEndWithoutBooks(t *testing.T) {
	busy := coins(pieces(500, 4, 1000, 3), 2, 1, 0, 0, 0, 0, 0, 0) // a coin of 500 came in and one went out, or none
	for name, acc := range map[string]*cash.Account{"none": nil, "coins are coming in": &busy} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, coins(pieces(500, 4, 1000, 4), 0, 0, 0, 0, 0, 0, 0, 0))
			o, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(1500))
			r.must(err)
			r.record(cash.Ended{Op: cash.OpDispense, Result: cash.OpDone, Total: amount(1500), Account: acc})
			select {
			case <-o.Done():
				t.Fatal("closed")
			default:
			}
			r.record(coin(500, 1, cash.Payout))
			r.must(r.till.Reconcile(t.Context(), testDev, busy))
			_, err = o.Wait(t.Context())
			r.must(err)
			r.heard("started op-1", "ended done", "cash.CoinCredited @4", "closed op-1 done 1500 @6")
		})
	}
}

// A note too many at the end of a payout is none of the payout's business.
func TestEndWithAPieceTooMany(t *testing.T) {
	r := newRig(t, full)
	o, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(500))
	r.must(err)
	odd := notes(pieces(500, 3, 1000, 5), 0, 0, 1, 0, 0)
	r.record(end(cash.OpDone, 500, odd))
	r.rows()
	r.must(r.till.Reconcile(t.Context(), testDev, odd))
	_, _ = o.Wait(t.Context())
	r.rows("payout 1x500 payout>customer op-1", "discrepancy 1x1000 unknown>payout")
}

func TestForeignOperations(t *testing.T) {
	r := newRig(t, full)
	r.record(progress(500, pieces(500, 1)))
	r.record(end(cash.OpDone, 1500, notes(pieces(500, 3, 1000, 3), 0, 0, 2, 0, 0)))
	r.rows("discrepancy 1x500 payout>customer", "discrepancy 1x1000 payout>customer")
	r.forget()
	acc := notes(pieces(500, 3), 0, 0, 2, 3, 0)
	r.record(cash.Ended{Op: cash.OpEmpty, Result: cash.OpDone, Total: amount(3000), Account: &acc})
	r.rows("move 3x1000 payout>cashbox")
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, full)
		_, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(500))
		r.must(err)
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		begun := time.Now()
		if err := r.till.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 15*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		go func() {
			time.Sleep(time.Second)
			r.record(end(cash.OpDone, 500, notes(pieces(500, 3, 1000, 4), 0, 0, 1, 0, 0)))
		}()
		r.must(r.till.Close(t.Context()))
		if _, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(500)); !errors.Is(err, cash.ErrBusy) {
			t.Errorf("a payout after closing: %v", err)
		}
		r.must(r.till.Close(t.Context()))
	})
	r := newRig(t, full)
	r.must(r.till.Close(t.Context()))
}

var _ devices.Device = (*fakeDevice)(nil)

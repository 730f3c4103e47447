package till

import (
	"context"
	"errors"
	"strings"
	"testing"

	"coffer/devices"
	"coffer/internal/cash"
)

func TestLeases(t *testing.T) {
	r := newRig(t, full)
	both := []cash.DeviceID{testDev, "other"}
	r.must(r.till.Lease(both, "pos"))
	r.must(r.till.Lease(both[:1], "pos"))
	if err := r.till.Lease([]cash.DeviceID{"third", testDev}, "session"); !errors.Is(err, cash.ErrClaimed) {
		t.Errorf("second owner: %v", err)
	}
	if r.till.Leased("third") != "" || r.till.Leased(testDev) != "pos" {
		t.Error("a refused lease bound something")
	}
	if err := r.till.Lease(both, ""); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("nobody: %v", err)
	}
	calls := map[string]func(Call) error{
		"enable":  func(c Call) error { return r.till.Enable(t.Context(), c, r.dev) },
		"disable": func(c Call) error { return r.till.Disable(t.Context(), c, r.dev) },
		"halt":    func(c Call) error { return r.till.Halt(t.Context(), c, r.dev) },
		"accept":  func(c Call) error { return r.till.AcceptEscrow(t.Context(), c, r.dev) },
		"return":  func(c Call) error { return r.till.ReturnEscrow(t.Context(), c, r.dev) },
		"clear":   func(c Call) error { return r.till.ClearCashbox(t.Context(), c, testDev) },
		"payout": func(c Call) error {
			_, err := r.till.Dispense(t.Context(), c, r.dev, amount(500))
			return err
		},
	}
	for name, call := range calls {
		if err := call(Call{}); !errors.Is(err, cash.ErrClaimed) {
			t.Errorf("%s by nobody: %v", name, err)
		}
		if err := call(Call{Owner: "session"}); !errors.Is(err, cash.ErrClaimed) {
			t.Errorf("%s by another: %v", name, err)
		}
	}
	if len(r.dev.calls) != 0 || r.dev.started != 0 {
		t.Errorf("calls %v", r.dev.calls)
	}
	for name, call := range calls {
		if err := call(Call{Owner: "pos"}); err != nil {
			t.Errorf("%s by the owner: %v", name, err)
		}
	}
	if err := r.till.Unlease(both, "session"); !errors.Is(err, cash.ErrNotClaimed) {
		t.Errorf("freed by another: %v", err)
	}
	r.must(r.till.Unlease(both, "pos"))
	r.must(r.till.Enable(t.Context(), Call{}, r.dev))
}

func TestDo(t *testing.T) {
	r := newRig(t, full)
	r.dev.err = cash.ErrNothing
	err := r.till.Halt(t.Context(), Call{}, r.dev)
	var op *cash.OpError
	if !errors.As(err, &op) || op.Op != "halt" || op.Device != testDev || !errors.Is(err, cash.ErrNothing) {
		t.Errorf("%v", err)
	}
	for _, f := range []func(context.Context, Call) error{
		func(ctx context.Context, c Call) error { return r.till.Halt(ctx, c, plainDevice{}) },
		func(ctx context.Context, c Call) error { return r.till.AcceptEscrow(ctx, c, plainDevice{}) },
		func(ctx context.Context, c Call) error { return r.till.ReturnEscrow(ctx, c, plainDevice{}) },
	} {
		if err := f(t.Context(), Call{}); !errors.Is(err, cash.ErrUnsupported) {
			t.Errorf("%v", err)
		}
	}
}

func TestClearCashbox(t *testing.T) {
	r := newRig(t, full)
	r.record(credited(2000, cash.Cashbox), credited(500, cash.Cashbox), credited(500, cash.Payout))
	r.forget()
	r.must(r.till.ClearCashbox(t.Context(), Call{Actor: "admin"}, testDev))
	r.rows("adjust 1x500 cashbox>operator", "adjust 1x2000 cashbox>operator")
	r.must(r.till.ClearCashbox(t.Context(), Call{}, testDev))
	if rows, err := r.till.Balance(t.Context(), ""); err != nil || len(rows) != 0 {
		t.Errorf("balance of no device: %v, %v", rows, err)
	}
	rows, err := r.till.Balance(t.Context(), testDev)
	if err != nil || len(rows) != 2 {
		t.Errorf("balance %v, %v", rows, err)
	}
}

// lost leaves a payout of 15.00 as unknown: a note of 5 and one of 10 are gone, and nobody knows where to.
func lost(t *testing.T) *rig {
	r := newRig(t, full)
	_, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(1500))
	r.must(err)
	r.record(end(cash.OpErrored, 0, notes(pieces(500, 3, 1000, 3), 0, 0, 0, 0, 0)))
	r.forget()
	return r
}

func TestSettle(t *testing.T) {
	for _, tc := range []struct {
		name   string
		paid   cash.Counts
		rows   []string
		result cash.OpResult
	}{
		{"all was paid", pieces(500, 1, 1000, 1), []string{"payout 1x500 unknown>customer op-1", "payout 1x1000 unknown>customer op-1"}, cash.OpDone},
		{"one note was paid", pieces(1000, 1), []string{"payout 1x1000 unknown>customer op-1"}, cash.OpPartial},
		{"nothing was paid", nil, nil, cash.OpFailed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := lost(t)
			r.must(r.till.Settle(t.Context(), Call{Actor: "admin"}, "op-1", tc.paid))
			r.rows(tc.rows...)
			if op := r.j.ops[0]; op.State != tc.result || op.Detail != "settled by admin" {
				t.Errorf("%+v", op)
			}
			if err := r.till.Settle(t.Context(), Call{}, "op-1", tc.paid); !errors.Is(err, cash.ErrInvalid) {
				t.Errorf("settled twice: %v", err)
			}
		})
	}
}

func TestSettleRefusals(t *testing.T) {
	r := lost(t)
	if err := r.till.Settle(t.Context(), Call{}, "op-9", nil); !errors.Is(err, cash.ErrNothing) {
		t.Errorf("no such operation: %v", err)
	}
	if err := r.till.Settle(t.Context(), Call{}, "op-1", pieces(500, -1)); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("negative: %v", err)
	}
	if err := r.till.Settle(t.Context(), Call{}, "op-1", pieces(500, 2, 1000, 1)); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("more than was asked: %v", err)
	}
	if err := r.till.Settle(t.Context(), Call{}, "op-1", cash.Counts{{Value: 500, Currency: "GBP"}: 1}); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("another currency: %v", err)
	}
	r.rows()
	r.must(r.till.Lease([]cash.DeviceID{testDev}, "pos"))
	if err := r.till.Settle(t.Context(), Call{}, "op-1", nil); !errors.Is(err, cash.ErrClaimed) {
		t.Errorf("claimed: %v", err)
	}
	r = newRig(t, full)
	o, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(500))
	r.must(err)
	if err := r.till.Settle(t.Context(), Call{}, o.ID, nil); !errors.Is(err, cash.ErrBusy) {
		t.Errorf("running: %v", err)
	}
	r.record(cash.StateChanged{State: cash.StateNotConnected}) // and it never comes back
	r.must(r.till.Settle(t.Context(), Call{}, o.ID, pieces(500, 1)))
	if out, err := o.Wait(t.Context()); err != nil || out.Paid != amount(500) {
		t.Errorf("settled: %+v, %v", out, err)
	}
}

// A person may settle before the machine is back; its books then find nothing more to write.
func TestSettleBeforeTheMachineIsBack(t *testing.T) {
	r := newRig(t, full)
	_, err := r.till.Dispense(t.Context(), Call{}, r.dev, amount(1500))
	r.must(err)
	r.record(progress(500, pieces(500, 1)))
	r.restart()
	r.must(r.till.Settle(t.Context(), Call{}, "op-1", pieces(1000, 1)))
	r.rows("payout 1x500 payout>customer op-1", "adjust 1x500 customer>unknown op-1", "payout 1x1000 payout>customer op-1")
	r.forget()
	r.must(r.till.Reconcile(t.Context(), testDev, notes(pieces(500, 3, 1000, 3), 0, 0, 2, 0, 0)))
	r.rows()
}

// TestWhoMovedTheNote: who decided about a held note is in the ledger, before the machine is told; a refused decision is not.
func TestWhoMovedTheNote(t *testing.T) {
	r := newRig(t, full)
	r.dev.snap.Escrow = &cash.Denom{Value: 500, Currency: "EUR"}
	before := len(r.j.rows)
	r.must(r.till.AcceptEscrow(t.Context(), Call{Actor: "anna via nv9coin"}, r.dev))
	r.must(r.till.ReturnEscrow(t.Context(), Call{Actor: "anna via nv9coin"}, r.dev))
	r.dev.snap.Escrow = nil
	r.must(r.till.AcceptEscrow(t.Context(), Call{Actor: "anna via nv9coin"}, r.dev))
	var got []string
	for _, e := range r.j.rows[before:] {
		if e.Kind != cash.KindOperation || e.Device != testDev || e.Value != 0 {
			t.Errorf("row %+v", e)
		}
		got = append(got, e.Detail)
	}
	want := "accept from escrow by anna via nv9coin; return from escrow by anna via nv9coin"
	if strings.Join(got, "; ") != want {
		t.Errorf("rows %q, want %q", got, want)
	}
}

// holding is a machine with a multi escrow.
type holding struct {
	*fakeDevice
	devices.MultiEscrow
	held cash.Amount
}

func (h *holding) MultiEscrowValue(context.Context) (cash.Amount, error) { return h.held, nil }

func (h *holding) CommitMultiEscrow(context.Context) error {
	if h.held.Value == 0 {
		return cash.ErrNothing
	}
	return nil
}

func (h *holding) CancelMultiEscrow(ctx context.Context) error { return h.CommitMultiEscrow(ctx) }

func TestWhoMovedHeldNotes(t *testing.T) {
	r := newRig(t, full)
	h := &holding{fakeDevice: r.dev, held: cash.Amount{Value: 1500, Currency: "EUR"}}
	before, eva := len(r.j.rows), Call{Actor: "eva via cashdevice"}
	r.must(r.till.CommitMultiEscrow(t.Context(), eva, h))
	r.must(r.till.CancelMultiEscrow(t.Context(), eva, h))
	h.held.Value = 0
	if err := r.till.CommitMultiEscrow(t.Context(), eva, h); !errors.Is(err, cash.ErrNothing) {
		t.Errorf("error %v, want ErrNothing", err)
	}
	if err := r.till.CommitMultiEscrow(t.Context(), eva, r.dev); !errors.Is(err, cash.ErrUnsupported) {
		t.Errorf("error %v, want ErrUnsupported", err)
	}
	var got []string
	for _, e := range r.j.rows[before:] {
		got = append(got, e.Detail)
	}
	want := "commit multi escrow by eva via cashdevice; cancel multi escrow by eva via cashdevice"
	if strings.Join(got, "; ") != want {
		t.Errorf("rows %q, want %q", got, want)
	}
}

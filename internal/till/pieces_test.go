package till

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"coffer/internal/cash"
)

func TestDispensePieces(t *testing.T) {
	r := newRig(t, full)
	want := pieces(500, 1, 1000, 1)
	o, err := r.till.DispensePieces(t.Context(), Call{Actor: "admin", Key: "k"}, r.dev, want)
	r.must(err)
	if o.Asked != amount(1500) || r.j.ops[0].Actor != "admin" || countsText(r.j.ops[0].Pieces) != "1x500 1x1000" {
		t.Errorf("asked %v, ledger %+v", o.Asked, r.j.ops[0])
	}
	r.record(end(cash.OpDone, 1500, notes(pieces(500, 3, 1000, 3), 0, 0, 2, 0, 0)))
	out, err := o.Wait(t.Context())
	if r.must(err); out.Paid != amount(1500) {
		t.Errorf("outcome %+v", out)
	}
	again, err := r.till.DispensePieces(t.Context(), Call{Key: "k"}, r.dev, want)
	if r.must(err); !again.Repeat || again.ID != o.ID || r.dev.started != 1 {
		t.Errorf("repeated: %+v, started %d", again, r.dev.started)
	}
	for name, call := range map[string]func() error{
		"other pieces worth the same": func() error {
			_, err := r.till.DispensePieces(t.Context(), Call{Key: "k"}, r.dev, pieces(500, 3))
			return err
		},
		"an amount": func() error {
			_, err := r.till.Dispense(t.Context(), Call{Key: "k"}, r.dev, amount(1500))
			return err
		},
	} {
		if err := call(); !errors.Is(err, cash.ErrInvalid) {
			t.Errorf("same key for %s: %v", name, err)
		}
	}
}

func TestPiecesRefused(t *testing.T) {
	r := newRig(t, full)
	for name, want := range map[string]cash.Counts{
		"nothing":        {},
		"none of one":    pieces(500, 0),
		"fewer than 0":   pieces(500, -1, 1000, 1),
		"two currencies": {{Value: 500, Currency: "EUR"}: 1, {Value: 500, Currency: "GBP"}: 1},
		"no currency":    {{Value: 500}: 1},
		"no value":       {{Currency: "EUR"}: 1},
	} {
		if _, err := r.till.DispensePieces(t.Context(), Call{}, r.dev, want); !errors.Is(err, cash.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.till.DispensePieces(t.Context(), Call{}, plainDevice{}, pieces(500, 1)); !errors.Is(err, cash.ErrUnsupported) {
		t.Errorf("a machine that cannot: %v", err)
	}
	if r.dev.test = cash.ErrNotEnough; len(r.j.ops) != 0 || r.dev.started != 0 {
		t.Errorf("%d operations, started %d", len(r.j.ops), r.dev.started)
	}
	if _, err := r.till.DispensePieces(t.Context(), Call{}, r.dev, pieces(500, 9)); !errors.Is(err, cash.ErrNotEnough) {
		t.Errorf("more than there is: %v", err)
	}
}

func TestFloatAmount(t *testing.T) {
	r := newRig(t, full)
	call := Call{Actor: "admin", Key: "night"}
	o, err := r.till.FloatAmount(t.Context(), call, r.dev, amount(2000), 500)
	r.must(err)
	if o.Asked != amount(4000) {
		t.Errorf("asked %v", o.Asked)
	}
	acc := notes(pieces(500, 2, 1000, 1), 0, 0, 0, 5, 0)
	r.record(cash.Ended{Op: cash.OpFloat, Result: cash.OpDone, Total: amount(4000), Account: &acc})
	_, err = o.Wait(t.Context())
	r.must(err)
	r.rows("move 2x500 payout>cashbox op-1", "move 3x1000 payout>cashbox op-1")
	if again, err := r.till.FloatAmount(t.Context(), call, r.dev, amount(2000), 500); err != nil || !again.Repeat {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	if _, err := r.till.FloatAmount(t.Context(), call, r.dev, amount(2000), 1000); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("same key for another minimum: %v", err)
	}
	for _, bad := range []struct {
		keep  cash.Amount
		least int64
	}{{amount(-1), 0}, {amount(0), -1}, {cash.Amount{Value: 5}, 0}} {
		if _, err := r.till.FloatAmount(t.Context(), Call{}, r.dev, bad.keep, bad.least); !errors.Is(err, cash.ErrInvalid) {
			t.Errorf("keep %v down to %d: %v", bad.keep, bad.least, err)
		}
	}
	if _, err := r.till.FloatAmount(t.Context(), Call{}, plainDevice{}, amount(0), 0); !errors.Is(err, cash.ErrUnsupported) {
		t.Errorf("a machine that cannot: %v", err)
	}
}

// A float by amount that was cut is done where no more is left than was to be kept.
func TestFloatAmountCut(t *testing.T) {
	for name, tc := range map[string]struct {
		left cash.Account
		want cash.OpResult
	}{
		"at the end": {notes(pieces(1000, 2), 0, 0, 0, 6, 0), cash.OpDone},
		"before":     {notes(pieces(1000, 3), 0, 0, 0, 5, 0), cash.OpPartial},
	} {
		r := newRig(t, full)
		o, err := r.till.FloatAmount(t.Context(), Call{}, r.dev, amount(2000), 0)
		r.must(err)
		r.must(r.till.Reconcile(t.Context(), testDev, tc.left))
		if out, _ := o.Wait(t.Context()); out.Result != tc.want {
			t.Errorf("cut %s: %+v", name, out)
		}
	}
}

func TestSetCashbox(t *testing.T) {
	r := newRig(t, full)
	r.record(cash.NoteCredited{Note: euro[false][0], To: cash.Cashbox}, cash.NoteCredited{Note: euro[false][1], To: cash.Cashbox})
	r.forget()
	r.must(r.till.SetCashbox(t.Context(), Call{Actor: "eva"}, testDev, pieces(500, 3, 2000, 0, 1000, 0)))
	r.rows("adjust 2x500 operator>cashbox", "adjust 1x1000 cashbox>operator")
	if got := r.j.rows[len(r.j.rows)-1].Detail; got != "cashbox counted by eva" {
		t.Errorf("detail %q", got)
	}
	if got := countsText(r.j.in(testDev, cash.Cashbox)); got != "3x500" {
		t.Errorf("cashbox %s", got)
	}
	r.forget()
	r.must(r.till.SetCashbox(t.Context(), Call{}, testDev, pieces(500, 3)))
	r.rows()
	if err := r.till.SetCashbox(t.Context(), Call{}, testDev, pieces(500, -1)); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("fewer than none: %v", err)
	}
	r.must(r.till.Lease([]cash.DeviceID{testDev}, "pos"))
	if err := r.till.SetCashbox(t.Context(), Call{}, testDev, pieces(500, 1)); !errors.Is(err, cash.ErrClaimed) {
		t.Errorf("under another's lease: %v", err)
	}
}

func TestSetStore(t *testing.T) {
	r := newRig(t, full)
	r.dev.account = &full
	if err := r.till.SetStore(t.Context(), Call{}, r.dev, pieces(500, 1)); !errors.Is(err, cash.ErrUnsupported) {
		t.Errorf("a machine that counts itself: %v", err)
	}
	r.dev.snap.Coins = true
	r.must(r.till.SetStore(t.Context(), Call{Actor: "eva"}, r.dev, pieces(500, 6, 1000, 3, 2000, 0)))
	want := []string{"account", "level 500 EUR +2", "level 1000 EUR +0", "level 1000 EUR +3"}
	if got := r.dev.calls[len(r.dev.calls)-len(want):]; !slices.Equal(got, want) {
		t.Errorf("calls %q; want %q", got, want)
	}
	if err := r.till.SetStore(t.Context(), Call{}, plainDevice{}, pieces(500, 1)); !errors.Is(err, cash.ErrUnsupported) {
		t.Errorf("a machine that cannot: %v", err)
	}
	if err := r.till.SetStore(t.Context(), Call{}, r.dev, pieces(500, -1)); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("fewer than none: %v", err)
	}
}

// The rows of what a person does with a store say who it was.
func TestFill(t *testing.T) {
	r := newRig(t, full)
	r.dev.snap.Coins = true
	told := fillDevice{r.dev, func(e cash.Filled) { r.record(e) }}
	r.must(r.till.Fill(t.Context(), Call{Actor: "eva"}, told, euro[false][1], 2))
	r.record(cash.Filled{Coin: euro[false][0], Count: -1})
	r.rows("adjust 2x1000 operator>payout", "adjust 1x500 payout>operator")
	for i, want := range []string{"filled by eva", "level cleared by hand"} {
		if got := r.j.rows[r.j.shown+i].Detail; got != want {
			t.Errorf("detail %q; want %q", got, want)
		}
	}
	if err := r.till.Fill(t.Context(), Call{}, plainDevice{}, euro[false][1], 1); !errors.Is(err, cash.ErrUnsupported) {
		t.Errorf("a machine that cannot: %v", err)
	}
}

// What a person was telling a machine of its store when the machine, the connection or this computer was lost is booked
// as that person's when the levels show that the machine took it, and only once. A full disk keeps it from being told.
func TestFillLost(t *testing.T) {
	lost := func(levels ...int) (acc cash.Account) {
		acc = full
		acc.Levels = pieces(levels...)
		return acc
	}
	for name, tc := range map[string]struct {
		after cash.Account
		rows  []string
	}{
		"taken":             {lost(500, 9, 1000, 4), []string{"adjust 5x500 operator>payout"}},
		"not taken":         {full, nil},
		"cleared":           {lost(1000, 4), []string{"adjust 4x500 payout>operator"}},
		"cleared and set":   {lost(500, 2, 1000, 4), []string{"adjust 2x500 payout>operator"}},
		"another's as well": {lost(500, 9, 1000, 5), []string{"adjust 5x500 operator>payout", "discrepancy 1x1000 unknown>payout"}},
		"more":              {lost(500, 10, 1000, 4), []string{"discrepancy 6x500 unknown>payout"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, full)
			r.dev.snap.Coins, r.dev.err = true, cash.ErrNotConnected
			n := 5
			if strings.HasPrefix(name, "cleared") {
				n = 0
			}
			if err := r.till.Fill(t.Context(), Call{Actor: "eva"}, r.dev, euro[false][0], n); !errors.Is(err, cash.ErrNotConnected) {
				t.Errorf("error %v", err)
			}
			r.rows()
			r.restart()
			r.must(r.till.Reconcile(t.Context(), testDev, tc.after))
			r.rows(tc.rows...)
			if len(tc.rows) > 0 && r.j.rows[r.j.shown].Kind == cash.KindAdjust && r.j.rows[r.j.shown].Detail != "filled by eva" {
				t.Errorf("detail %q", r.j.rows[r.j.shown].Detail)
			}
			r.forget()
			r.must(r.till.Reconcile(t.Context(), testDev, lost(500, tc.after.Levels[euro[false][0]]+5, 1000, tc.after.Levels[euro[false][1]])))
			r.rows("discrepancy 5x500 unknown>payout")
		})
	}
	r := newRig(t, full)
	r.dev.snap.Coins, r.j.fail = true, cash.ErrJournal
	before := len(r.dev.calls)
	if err := r.till.Fill(t.Context(), Call{}, r.dev, euro[false][0], 5); !errors.Is(err, cash.ErrJournal) || len(r.dev.calls) > before {
		t.Errorf("on a full disk: %v, calls %q", err, r.dev.calls[before:])
	}
}

// Books that are compared while the machine is being told, before it takes it, forget nothing.
func TestFillCompared(t *testing.T) {
	r := newRig(t, full)
	r.dev.snap.Coins = true
	compared := fillDevice{r.dev, func(cash.Filled) { r.must(r.till.Reconcile(t.Context(), testDev, full)) }}
	r.must(r.till.Fill(t.Context(), Call{Actor: "eva"}, compared, euro[false][0], 5))
	r.restart()
	acc := full
	acc.Levels = pieces(500, 9, 1000, 4)
	r.must(r.till.Reconcile(t.Context(), testDev, acc))
	r.rows("adjust 5x500 operator>payout")
}

// fillDevice tells what it is filled with.
type fillDevice struct {
	*fakeDevice
	tell func(cash.Filled)
}

func (d fillDevice) AddLevel(_ context.Context, coin cash.Denom, n int) error {
	d.tell(cash.Filled{Coin: coin, Count: n})
	return nil
}

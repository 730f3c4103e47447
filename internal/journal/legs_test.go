package journal

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"coffer/internal/cash"
)

const coins cash.DeviceID = "SMART_COIN_SYSTEM-COM9"

var wholeAsked = cash.Op{
	Key: "sale", Kind: cash.OpDispense, Device: dev, Actor: "pos", Asked: cash.Amount{Value: 1050, Currency: "EUR"},
	Across: []cash.DeviceID{dev, coins},
}

var legsAsked = []cash.Op{
	{Kind: cash.OpDispense, Device: dev, Actor: "pos", Asked: cash.Amount{Value: 1000, Currency: "EUR"}},
	{Kind: cash.OpDispense, Device: coins, Actor: "pos", Asked: cash.Amount{Value: 50, Currency: "EUR"}, Pieces: cash.Counts{{Value: 50, Currency: "EUR"}: 1}},
}

func TestLegs(t *testing.T) {
	paid := cash.Counts{ten: 1}
	for _, tc := range []struct {
		name   string
		closes []cash.OpClose // of leg 0, then 1, then 0 or 1 again
		legs   []int
		states []cash.OpResult // of the whole after each
		detail string
	}{
		{"both done", []cash.OpClose{{Result: cash.OpDone, Paid: paid}, {Result: cash.OpDone, Paid: cash.Counts{{Value: 50, Currency: "EUR"}: 1}}},
			[]int{0, 1}, []cash.OpResult{"", cash.OpDone}, ""},
		{"second failed", []cash.OpClose{{Result: cash.OpDone, Paid: paid}, {Result: cash.OpFailed}},
			[]int{0, 1}, []cash.OpResult{"", cash.OpPartial}, "owed: 0.50 EUR"},
		{"nothing moved", []cash.OpClose{{Result: cash.OpFailed}, {Result: cash.OpFailed}},
			[]int{1, 0}, []cash.OpResult{"", cash.OpFailed}, "owed: 10.50 EUR"},
		{"first unknown, then settled", []cash.OpClose{{Result: cash.OpUnknown}, {Result: cash.OpFailed}, {Result: cash.OpPartial, Paid: cash.Counts{five: 1}}},
			[]int{0, 1, 0}, []cash.OpResult{"", cash.OpUnknown, cash.OpPartial}, "owed: 5.50 EUR"},
		{"both unknown", []cash.OpClose{{Result: cash.OpUnknown}, {Result: cash.OpUnknown}, {Result: cash.OpDone, Paid: paid}, {Result: cash.OpFailed}},
			[]int{0, 1, 0, 1}, []cash.OpResult{"", cash.OpUnknown, cash.OpUnknown, cash.OpPartial}, "owed: 0.50 EUR"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j := openTest(t, t.TempDir())
			whole, legs, err := j.BeginLegs(t.Context(), wholeAsked, legsAsked)
			if err != nil || len(legs) != 2 || legs[0].Whole != whole.ID || legs[0].ID == legs[1].ID || !whole.Open() {
				t.Fatalf("begun: %+v, %+v, %v", whole, legs, err)
			}
			if got, err := j.Legs(t.Context(), whole.ID); err != nil || cmp.Diff(legs, got, cmpopts.EquateEmpty()) != "" {
				t.Errorf("legs %+v, %v", got, err)
			}
			if got, ok, err := j.OpByKey(t.Context(), "sale"); !ok || err != nil || cmp.Diff(whole, got, cmpopts.EquateEmpty()) != "" {
				t.Errorf("by key: %+v, %v, %v", got, ok, err)
			}
			for i, c := range tc.closes {
				c.ID = legs[tc.legs[i]].ID
				if _, err := j.Write(t.Context(), cash.LedgerWrite{Close: []cash.OpClose{c}}); err != nil {
					t.Fatal(err)
				}
				if got, _, err := j.Op(t.Context(), whole.ID); err != nil || got.State != tc.states[i] {
					t.Errorf("whole after %v: %+v, %v", c, got, err)
				}
			}
			if got, _, _ := j.Op(t.Context(), whole.ID); got.Detail != tc.detail {
				t.Errorf("detail %q; want %q", got.Detail, tc.detail)
			}
			if _, err := j.Verify(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLegsOpened(t *testing.T) {
	j := openTest(t, t.TempDir())
	whole, _, err := j.BeginLegs(t.Context(), wholeAsked, legsAsked)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	rows, _ := j.Entries(t.Context(), 0, 10)
	for _, e := range rows {
		got = append(got, e.Detail)
	}
	want := []string{
		"opened: dispense 10.50 EUR over " + string(dev) + " and " + string(coins) + " by pos, key sale",
		"opened: dispense 10.00 EUR, leg of " + whole.ID + " by pos",
		"opened: dispense 0.50 EUR as 1 x 0.50 EUR, leg of " + whole.ID + " by pos",
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows %q; want %q", got, want)
	}
	again, legs, err := j.BeginLegs(t.Context(), wholeAsked, legsAsked)
	if !errors.Is(err, cash.ErrKeySeen) || again.ID != whole.ID || len(legs) != 0 {
		t.Errorf("same key: %+v, %+v, %v", again, legs, err)
	}
	if last, err := j.LastSeq(t.Context(), coins, ""); err != nil || last != 3 {
		t.Errorf("last row %d, %v", last, err)
	}
	if last, err := j.LastSeq(t.Context(), coins, cash.KindCredit); err != nil || last != 0 {
		t.Errorf("last credit %d, %v", last, err)
	}
}

// A whole that was refused has no legs, and is closed with the row that opens it.
func TestLegsRefused(t *testing.T) {
	j := openTest(t, t.TempDir())
	refused := wholeAsked
	refused.State, refused.Detail = cash.OpFailed, "refused: not enough"
	whole, legs, err := j.BeginLegs(t.Context(), refused, nil)
	if err != nil || len(legs) != 0 || whole.Open() {
		t.Fatalf("refused: %+v, %v", whole, err)
	}
	if got, ok, err := j.Op(t.Context(), whole.ID); !ok || err != nil || got.State != cash.OpFailed || got.Detail != refused.Detail || got.Ended.IsZero() {
		t.Errorf("stored %+v, %v", got, err)
	}
	keyed := []cash.Op{{Key: "k", Kind: cash.OpDispense, Device: dev}}
	for name, call := range map[string]func() error{
		"no machines": func() error {
			_, _, err := j.BeginLegs(t.Context(), cash.Op{Kind: cash.OpDispense, Device: dev}, legsAsked)
			return err
		},
		"no legs": func() error { _, _, err := j.BeginLegs(t.Context(), wholeAsked, nil); return err },
		"a key":   func() error { _, _, err := j.BeginLegs(t.Context(), wholeAsked, keyed); return err },
		"no device": func() error {
			_, _, err := j.BeginLegs(t.Context(), wholeAsked, []cash.Op{{Kind: cash.OpDispense}})
			return err
		},
	} {
		if err := call(); !errors.Is(err, cash.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

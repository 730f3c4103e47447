package cash_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/cash"
)

func TestAmountString(t *testing.T) {
	for _, tc := range []struct {
		in   cash.Amount
		want string
	}{
		{cash.Amount{Value: 1250, Currency: "EUR"}, "12.50 EUR"},
		{cash.Amount{Value: 5, Currency: "GBP"}, "0.05 GBP"},
		{cash.Amount{Value: -205, Currency: "USD"}, "-2.05 USD"},
		{cash.Amount{Value: math.MinInt64, Currency: "USD"}, "-92233720368547758.08 USD"},
		{cash.Amount{Value: math.MaxInt64, Currency: "USD"}, "92233720368547758.07 USD"},
	} {
		if got := tc.in.String(); got != tc.want {
			t.Errorf("%#v prints %q, want %q", tc.in, got, tc.want)
		}
	}
}

func TestAmountArithmetic(t *testing.T) {
	eur := func(v int64) cash.Amount { return cash.Amount{Value: v, Currency: "EUR"} }
	for _, tc := range []struct {
		name string
		got  func() (cash.Amount, error)
		want cash.Amount
		err  error
	}{
		{"sum", func() (cash.Amount, error) { return eur(500).Add(eur(750)) }, eur(1250), nil},
		{"nothing plus some", func() (cash.Amount, error) { return cash.Amount{}.Add(eur(5)) }, eur(5), nil},
		{"some plus nothing", func() (cash.Amount, error) { return eur(5).Add(cash.Amount{}) }, eur(5), nil},
		{"difference", func() (cash.Amount, error) { return eur(500).Sub(eur(750)) }, eur(-250), nil},
		{"nothing minus some", func() (cash.Amount, error) { return cash.Amount{}.Sub(eur(5)) }, eur(-5), nil},
		{"two currencies", func() (cash.Amount, error) { return eur(1).Add(cash.Amount{Value: 1, Currency: "USD"}) }, cash.Amount{}, cash.ErrInvalid},
		{"overflow", func() (cash.Amount, error) { return eur(math.MaxInt64).Add(eur(1)) }, cash.Amount{}, cash.ErrInvalid},
		{"underflow", func() (cash.Amount, error) { return eur(math.MinInt64).Sub(eur(1)) }, cash.Amount{}, cash.ErrInvalid},
		{"lowest subtrahend", func() (cash.Amount, error) { return eur(0).Sub(eur(math.MinInt64)) }, cash.Amount{}, cash.ErrInvalid},
	} {
		got, err := tc.got()
		if got != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, %v; want %v, %v", tc.name, got, err, tc.want, tc.err)
		}
	}
}

func TestParseDenom(t *testing.T) {
	for in, want := range map[string]cash.Denom{
		"500 EUR":     {Value: 500, Currency: "EUR"},
		"  20  gbp\n": {Value: 20, Currency: "GBP"},
	} {
		if got, err := cash.ParseDenom(in); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "500", "EUR 500", "0 EUR", "-5 EUR", "5.0 EUR", "500 EURO", "500 E1R", "500 EUR x", "99999999999999999999 EUR"} {
		if got, err := cash.ParseDenom(in); !errors.Is(err, cash.ErrInvalid) {
			t.Errorf("%q: %v, %v; want ErrInvalid", in, got, err)
		}
	}
}

func TestCounts(t *testing.T) {
	five, ten := cash.Denom{Value: 500, Currency: "EUR"}, cash.Denom{Value: 1000, Currency: "EUR"}
	quid := cash.Denom{Value: 100, Currency: "GBP"}
	have := cash.Counts{five: 4, ten: 2, quid: 1}

	if diff := cmp.Diff([]cash.Row{{Value: 500, Currency: "EUR", Count: 4}, {Value: 1000, Currency: "EUR", Count: 2}, {Value: 100, Currency: "GBP", Count: 1}}, have.Rows()); diff != "" {
		t.Error("rows:", diff)
	}
	if diff := cmp.Diff(cash.Counts{five: 3, ten: -1, quid: 1}, have.Minus(cash.Counts{five: 1, ten: 3})); diff != "" {
		t.Error("minus:", diff)
	}
	if diff := cmp.Diff(cash.Counts{ten: 5, quid: 1}, have.Plus(cash.Counts{five: -4, ten: 3})); diff != "" {
		t.Error("plus leaves zero rows out:", diff)
	}
	if got, want := have.Total("EUR"), (cash.Amount{Value: 4000, Currency: "EUR"}); got != want {
		t.Errorf("total %v, want %v", got, want)
	}
	if got := have.Pieces(); got != 7 {
		t.Errorf("pieces %d, want 7", got)
	}
	b, err := json.Marshal(have)
	if err != nil {
		t.Fatal(err)
	}
	var back cash.Counts
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(have, back); diff != "" {
		t.Errorf("through JSON %s: %s", b, diff)
	}
	clone := have.Clone()
	clone[five] = 0
	if have[five] != 4 {
		t.Error("changing a clone changed its source")
	}
}

func TestStateNamesFollowTheManual(t *testing.T) {
	// Cash Device REST manual, DeviceStatusResponse; the two numbers of its samples, and the last of the list.
	for state, want := range map[cash.State]string{1: "CONNECTING", 15: "CONNECTED", 45: "SCSTATUS_DATASET_READY", 46: "STATE_46", -1: "STATE_-1"} {
		if got := state.String(); got != want {
			t.Errorf("state %d prints %q, want %q", int(state), got, want)
		}
	}
	if cash.StateNoteHeldInBezel != 34 || cash.StateSCDatasetReady != 45 {
		t.Error("the constants have slipped against the list of the manual")
	}
}

package sim

import (
	"testing"
	"time"
)

// TestCoinInserts: places, refusals and options of the feeder.
func TestCoinInserts(t *testing.T) {
	for _, c := range []struct {
		name     string
		prepare  []string
		in       Insert
		told     string
		payout   int // more than the fifty at the start
		cashbox  int
		returned int
	}{
		{"taken", nil, Insert{Value: 50, Currency: "EUR", Count: 2}, "DF:50 DF:50", 2, 0, 0},
		{"value added", []string{"50 A6 00", "F0"}, Insert{Value: 50, Currency: "EUR"}, "BF:50", 1, 0, 0},
		{"off", []string{"09", "F0"}, Insert{Value: 50, Currency: "EUR", Count: 2}, "", 0, 0, 2},
		{"feeder off", []string{"49 00", "F0"}, Insert{Value: 50, Currency: "EUR"}, "", 0, 0, 1},
		{"inhibited", []string{"40 00 32 00 " + eur, "F0"}, Insert{Value: 50, Currency: "EUR"}, "", 0, 0, 1},
		{"inhibited, told", []string{"50 26 01", "F0", "40 00 32 00 " + eur, "F0"}, Insert{Value: 50, Currency: "EUR"}, "BA", 0, 0, 1},
		{"foreign", nil, Insert{Value: 25, Currency: "USD"}, "", 0, 0, 1},
		{"fraud", nil, Insert{Value: 50, Currency: "EUR", Fraud: true}, "E6:50", 0, 0, 1},
		{"to the cashbox", []string{"3B 01 32 00 00 00 " + eur, "F0"}, Insert{Value: 50, Currency: "EUR"}, "DF:50", 0, 1, 0},
		{"limit", []string{"4E 01 32 00 32 00 00 00 " + eur, "F0"}, Insert{Value: 50, Currency: "EUR"}, "DF:50", 0, 1, 0},
	} {
		t.Run(c.name, bubble(func(t *testing.T) {
			m, h := startCoins(t, Options{})
			h.talk(c.prepare...)
			if _, err := m.Insert(c.in); err != nil {
				t.Fatal(err)
			}
			if got := h.drain(); got != c.told {
				t.Errorf("told %q, want %q", got, c.told)
			}
			tr := m.Truth()
			check(t, tr)
			checkCounters(t, m)
			if sum(tr.Payout) != 400+c.payout || sum(tr.Cashbox) != c.cashbox || sum(tr.Returned) != c.returned {
				t.Errorf("truth: %+v", tr)
			}
		}))
	}
	t.Run("nobody polls", bubble(func(t *testing.T) {
		m, h := startCoins(t, Options{})
		if _, err := m.Insert(Insert{Value: 1, Currency: "EUR", Count: 200}); err != nil {
			t.Fatal(err)
		}
		h.talk("07", "F0 C1")
		pause(time.Minute)
		tr := m.Truth()
		if n := sum(tr.Transit); n < 105 || n > 115 || !tr.Moving { // ten seconds' worth is in
			t.Errorf("%d coins wait", n)
		}
		if _, err := m.Insert(Insert{Value: 1, Currency: "EUR"}); err != nil || sum(m.Truth().Returned) != 1 {
			t.Errorf("a feeder that stands still takes coins: %v", err)
		}
		h.talk("49 00", "F0") // now the rest falls out again
		h.drain()
		h.talk("09", "F0")
		check(t, m.Truth())
		checkCounters(t, m)
	}))
}

package till

import (
	"testing"

	"coffer/internal/cash"
)

// coinBooks are books whose baseline is all zero but for a hundred coins in the store.
func coinBooks(kind cash.CounterKind, counters int, since tally) *books {
	return &books{since: since, base: &cash.Baseline{Account: cash.Account{
		Levels: cash.Counts{{Value: 50, Currency: "EUR"}: 100}, Counters: make([]uint32, counters), Kind: kind,
	}}}
}

// TestHopperFlows: the six counters of the SMART Hopper 3, past sensors, in, out, to cashbox, and two of requests, in
// both readings of out.
func TestHopperFlows(t *testing.T) {
	for _, c := range []struct {
		name     string
		counters []uint32
		level    int
		since    tally
		want     flows
	}{
		{"nothing", []uint32{0, 0, 0, 0, 0, 0}, 100, tally{}, flows{}},
		{"coins into the store", []uint32{3, 3, 0, 0, 0, 0}, 103, tally{}, flows{stored: 3}},
		{"the same, booked", []uint32{3, 3, 0, 0, 0, 0}, 103, tally{stored: 3}, flows{}},
		{"coins into the cashbox", []uint32{2, 2, 0, 2, 0, 0}, 100, tally{}, flows{stacked: 2}},
		{"one of each", []uint32{2, 2, 0, 1, 0, 0}, 101, tally{}, flows{stored: 1, stacked: 1}},
		{"booked into the store, and in the cashbox", []uint32{1, 1, 0, 1, 0, 0}, 100, tally{stored: 1}, flows{stored: -1, stacked: 1}},
		{"paid", []uint32{5, 0, 5, 0, 1, 0}, 95, tally{}, flows{paid: 5}},
		{"paid, in part booked", []uint32{5, 0, 5, 0, 1, 0}, 95, tally{paid: 3}, flows{paid: 2}},
		{"float", []uint32{40, 0, 40, 40, 0, 1}, 60, tally{}, flows{shifted: 40}},
		{"float after coins", []uint32{43, 3, 40, 40, 0, 1}, 63, tally{stored: 3}, flows{shifted: 40}},
		{"paid with one diverted", []uint32{5, 0, 5, 1, 1, 0}, 95, tally{}, flows{paid: 4, shifted: 1}},
		{"filled by hand", []uint32{2, 0, 2, 0, 1, 0}, 108, tally{adjusted: 10}, flows{paid: 2}},
		{"everything", []uint32{14, 6, 8, 5, 1, 1}, 96, tally{}, flows{stored: 4, stacked: 2, paid: 5, shifted: 3}},

		{"a coin, and a hand took one", []uint32{1, 1, 0, 0, 0, 0}, 100, tally{stored: 1}, flows{}},
		{"a coin, and a hand put in ten", []uint32{1, 1, 0, 0, 0, 0}, 111, tally{stored: 1}, flows{}},
		{"a coin into the cashbox, and a hand took three", []uint32{1, 1, 0, 1, 0, 0}, 97, tally{stacked: 1}, flows{}},
		{"paid, and a hand put in ten", []uint32{2, 0, 2, 0, 1, 0}, 108, tally{}, flows{paid: 2}},

		{"out without cashbox: float", []uint32{40, 0, 0, 40, 0, 1}, 60, tally{}, flows{shifted: 40}},
		{"out without cashbox: float, booked", []uint32{40, 0, 0, 40, 0, 1}, 60, tally{shifted: 40}, flows{}},
		{"out without cashbox: float, in part booked", []uint32{40, 0, 0, 40, 0, 1}, 60, tally{shifted: 30}, flows{shifted: 10}},
		{"out without cashbox: empty after coins", []uint32{105, 5, 0, 105, 0, 0}, 0, tally{stored: 5}, flows{shifted: 105}},
		{"out without cashbox: empty after a coin into it", []uint32{101, 1, 0, 101, 0, 0}, 0, tally{stacked: 1}, flows{shifted: 100}},
		{"out without cashbox: paid with one diverted", []uint32{5, 0, 4, 1, 1, 0}, 95, tally{}, flows{paid: 4, shifted: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.known, c.want.apart = true, true
			acc := cash.Account{Levels: cash.Counts{{Value: 50, Currency: "EUR"}: c.level}, Counters: c.counters, Kind: cash.CountersHopper}
			if got := unbooked(coinBooks(cash.CountersHopper, 6, c.since), acc); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

// TestFlowsUnknown: counters that cannot be compared say nothing.
func TestFlowsUnknown(t *testing.T) {
	level := cash.Counts{{Value: 50, Currency: "EUR"}: 100}
	for name, acc := range map[string]cash.Account{
		"cleared":       {Levels: level, Kind: cash.CountersHopper, Counters: []uint32{0, 0xFFFFFFF0, 0, 0, 0, 0}},
		"too few":       {Levels: level, Kind: cash.CountersHopper, Counters: []uint32{0, 0, 0}},
		"another kind":  {Levels: level, Kind: cash.CountersCoin, Counters: []uint32{0, 0, 0, 0, 0, 0}},
		"none any more": {Levels: level},
	} {
		if got := unbooked(coinBooks(cash.CountersHopper, 6, tally{}), acc); got != (flows{}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestCoinFlows: eight counters leave open what of the coins that left the store went to the cashbox, nine do not.
func TestCoinFlows(t *testing.T) {
	for _, c := range []struct {
		name     string
		counters []uint32
		level    int
		since    tally
		want     flows
	}{
		{"nine", []uint32{8, 6, 0, 0, 0, 0, 0, 0, 5}, 96, tally{}, flows{stored: 4, stacked: 2, paid: 5, shifted: 3, apart: true}},
		{"eight", []uint32{8, 6, 0, 0, 0, 0, 0, 0}, 96, tally{}, flows{stored: 4, stacked: 2, paid: 8}},
		{"nine, a coin, and a hand took one", []uint32{0, 1, 0, 0, 0, 0, 0, 0, 0}, 100, tally{stored: 1}, flows{apart: true}},
		{"nine, a coin into the cashbox, and a hand took three", []uint32{0, 1, 0, 0, 0, 0, 0, 0, 1}, 97, tally{stacked: 1}, flows{apart: true}},
		{"nine, a float, and a hand put in ten", []uint32{5, 0, 0, 0, 0, 0, 0, 0, 5}, 105, tally{}, flows{shifted: 5, apart: true}},
		{"eight, and a hand put in ten", []uint32{2, 1, 0, 0, 0, 0, 0, 0}, 109, tally{stored: 1}, flows{paid: 2}},
	} {
		c.want.known = true
		acc := cash.Account{Levels: cash.Counts{{Value: 50, Currency: "EUR"}: c.level}, Counters: c.counters, Kind: cash.CountersCoin}
		if got := unbooked(coinBooks(cash.CountersCoin, len(c.counters), c.since), acc); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

package sim

import (
	"errors"
	"testing"
	"time"
)

// TestCoinMech: a coin mech takes coins one by one, without a feeder that would run, and what is wrong with it shows.
func TestCoinMech(t *testing.T) {
	for _, profile := range []string{"hopper3", "hopper4"} {
		t.Run(profile, bubble(func(t *testing.T) {
			m, h := startHopper(t, profile, Options{})
			in := func(n int) {
				t.Helper()
				if _, err := m.Insert(Insert{Value: 50, Currency: "EUR", Count: n}); err != nil {
					t.Fatal(err)
				}
			}
			in(1)
			h.talk("07", "F0")
			pause(coinInTime)
			h.talk("07", "F0 DF 32 00 00 00 "+eur, "09", "F0", "07", "F0 E8", "0A", "F0")

			in(3)
			pause(coinInTime)
			m.Fault(Fault{Kind: FaultMechReturn})
			h.talk("07", "F0 DF 32 00 00 00 "+eur+" C5")
			if tr := m.Truth(); sum(tr.Returned) != 2 || tr.Moving {
				t.Errorf("the return lever gives back %v", tr.Returned)
			}

			h.talk("5A 01", "F0", "5A", "F3")
			m.Fault(Fault{Kind: FaultMechError})
			h.talk("07", "F0 B7 03")
			in(1)
			m.Fault(Fault{Kind: FaultMechOK})
			m.Fault(Fault{Kind: FaultMechOff})
			in(1)
			h.talk("07", "F0 BD")
			m.Fault(Fault{Kind: FaultMechOn})
			m.Fault(Fault{Kind: FaultMechOn})
			h.talk("07", "F0 BE", "07", "F0", "49 00", "F0")
			in(1)
			tr := m.Truth()
			check(t, tr)
			checkCounters(t, m)
			if sum(tr.Returned) != 5 || sum(tr.Payout) != 402 {
				t.Errorf("truth: %+v", tr)
			}
		}))
	}
}

// TestFillByHand: 34 adds, and 0 clears; below version 6 values have two bytes (ssp.md 17).
func TestFillByHand(t *testing.T) {
	bubble(func(t *testing.T) {
		m, h := startHopper(t, "hopper4", Options{})
		h.talk("34 0A 00 32 00 00 00 "+eur, "F0", "35 32 00 00 00 "+eur, "F0 3C 00", "34 00 00 32 00 00 00 "+eur, "F0",
			"35 32 00 00 00 "+eur, "F0 00 00", "34 FF FF 32 00 00 00 "+eur, "F4", "34 01 00 03 00 00 00 "+eur, "F4",
			"06 05", "F0", "34 02 00 32 00", "F0", "35 32 00", "F0 02 00", "3B 01 32 00", "F0", "3C 32 00", "F0 01",
			"40 00 32 00", "F0")
		if got := count(m.Truth().Payout, 50); got != 2 {
			t.Errorf("%d coins", got)
		}
	})(t)
}

// TestHopper3Counters: six, without a count byte (ssp.md 10.12).
func TestHopper3Counters(t *testing.T) {
	bubble(func(t *testing.T) {
		m, h := startHopper(t, "hopper3", Options{})
		h.talk("3B 01 32 00 00 00 "+eur, "F0")
		m.Insert(Insert{Value: 50, Currency: "EUR"})
		m.Insert(Insert{Value: 20, Currency: "EUR"})
		h.drain()
		h.talk("33 2C 01 00 00 "+eur+" 58", "F0")
		h.drain()
		m.SetLevel(100, "EUR", 50)
		coinFloat(m, h)
		h.drain()
		h.talk("58", "F0 07 00 00 00 02 00 00 00 05 00 00 00 04 00 00 00 01 00 00 00 01 00 00 00", "59", "F0",
			"58", "F0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00")
		check(t, m.Truth())
	})(t)
}

// TestTwin: sorter routes and modes decide which hopper fills, payouts take from both (ssp.md 16.5).
func TestTwin(t *testing.T) {
	bubble(func(t *testing.T) {
		m, h := startHopper(t, "twin", Options{})
		c50 := "32 00 00 00 " + eur
		h.talk("0C 02", h.tell("0C 02"), "30 05 88", "F0 01", "30 05 86 "+c50, "F0 00",
			"30 05 85 01 "+c50, "F0", "30 05 86 "+c50, "F0 01",
			"30 05 85 02 "+c50, "F4", "30 05 85 01 33 00 00 00 "+eur, "F4", "30 05 85 01", "F3", "30 05 87 04", "F4", "30 05 99", "F4",
			"30 05 87", "F3", "30 05 88 00", "F3")
		feed := func(want ...int) {
			t.Helper()
			m.Insert(Insert{Value: 50, Currency: "EUR", Count: 4})
			h.drain()
			m.Insert(Insert{Value: 1, Currency: "EUR", Count: 4})
			h.drain()
			if got := m.nv.twin.second; got[denom{50, "EUR"}] != want[0] || got[denom{1, "EUR"}] != want[1] {
				t.Errorf("in the secondary hopper: %v, want %v", got, want)
			}
		}
		feed(4, 0)
		h.talk("30 05 87 00", "F0")
		feed(4, 0)
		h.talk("30 05 87 03", "F0")
		feed(8, 4)
		h.talk("30 05 87 01", "F0", "46 01 0A 00 "+c50+" 58", "F0")
		h.drain()
		if got := m.nv.twin.second[denom{50, "EUR"}]; got != 0 {
			t.Errorf("%d of eight and ten paid are in the secondary hopper", got)
		}
		check(t, m.Truth())
		checkCounters(t, m)
	})(t)
}

// TestTwinFull: a coin whose hopper is full goes to the cashbox, and the machine says that it is full.
func TestTwinFull(t *testing.T) {
	bubble(func(t *testing.T) {
		m, h := startHopper(t, "twin", Options{})
		h.talk("30 05 85 01 C8 00 00 00 "+eur, "F0")
		m.SetLevel(200, "EUR", 3050)
		h.talk("07", "F0 CF")
		for _, v := range []int64{200, 100} {
			m.Insert(Insert{Value: v, Currency: "EUR"})
		}
		h.drain()
		if tr := m.Truth(); count(tr.Cashbox, 200) != 1 || count(tr.Payout, 100) != 51 {
			t.Errorf("truth: %+v", tr)
		}
		checkCounters(t, m)
	})(t)
}

// TestLifter: it is told to a host that uses our coding, and to no other.
func TestLifter(t *testing.T) {
	bubble(func(t *testing.T) {
		m, h := startHopper(t, "twin", Options{})
		pay := "33 C8 00 00 00 " + eur + " 58"
		h.talk(pay, "F0")
		if got := h.drain(); got != "D2:200" {
			t.Errorf("told %s", got)
		}
		h.talk("30 E0 11", "F0 03", pay, "F0", "07", "F0 DA 01 00 00 00 00 "+eur+" 9F 01", "30 E0 11", "F0 01")
		m.Fault(Fault{Kind: FaultPayoutJam})
		h.talk("30 E0 11", "F0 05", "07", "F0 D5 01 00 00 00 00 "+eur+" 9F 02")
		m.Fault(Fault{Kind: FaultUnjam})
		h.talk("07", "F0 DA 01 00 00 00 00 "+eur+" 9F 01")
		pause(time.Second)
		h.talk("07", "F0 D2 01 C8 00 00 00 "+eur+" 9F 00")
		m.Fault(Fault{Kind: FaultLifterBlocked})
		h.talk("07", "F0 9F 03", "30 E0 11", "F0 01", pay, "F0")
		pause(time.Minute)
		h.talk("07", "F0 DA 01 00 00 00 00 "+eur)
		m.Fault(Fault{Kind: FaultLifterClear})
		h.talk("07", "F0 9F 01 D2 01 C8 00 00 00 "+eur+" 9F 00")
		m.Fault(Fault{Kind: FaultPayoutJam, ForMS: 1000})
		h.talk("07", "F0 D5 01 00 00 00 00 "+eur+" 9F 02")
		pause(time.Second)
		h.talk("07", "F0 9F 00")
		_, h = startHopper(t, "scs-lifter", Options{})
		h.talk("30 E0 11", "F0 03", "30 05 88", "F4", pay, "F0", "07", "F0 DA 01 00 00 00 00 "+eur+" 9F 01")
		_, h = startHopper(t, "hopper4", Options{})
		h.talk("30 E0 11", "F4")
		other, h := startHopper(t, "scs", Options{})
		h.talk("30 E0 11", "F0 00", pay, "F0", "07", "F0 DA 01 00 00 00 00 "+eur)
		if err := other.Fault(Fault{Kind: FaultLifterBlocked}); !errors.Is(err, ErrInvalid) {
			t.Errorf("a lifter where there is none: %v", err)
		}
	})(t)
}

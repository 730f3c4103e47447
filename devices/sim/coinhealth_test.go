package sim

import (
	"fmt"
	"testing"
	"time"
)

// coinMachines are the profiles that hold coins.
var coinMachines = []string{"hopper3", "hopper4", "scs", "scs-lifter", "twin"}

// onCoinMachines runs f for each, in a bubble.
func onCoinMachines(t *testing.T, f func(t *testing.T, m *Machine, h *host)) {
	for _, profile := range coinMachines {
		t.Run(profile, bubble(func(t *testing.T) {
			m, h := startHopper(t, profile, Options{})
			f(t, m, h)
			check(t, m.Truth())
		}))
	}
}

// counted is count u16, value and currency.
func countedCoins(n, value int) string {
	return fmt.Sprintf("%02X 00 %s %s", n, u32(uint32(value)), eur)
}

// cashboxOf is the answer to CASHBOX LEVELS with so many of 0.50 and of 2.00.
func cashboxOf(fifty, two int) string {
	s := "F0 08"
	for _, v := range []int{1, 2, 5, 10, 20, 50, 100, 200} {
		n := 0
		switch v {
		case 50:
			n = fifty
		case 200:
			n = two
		}
		s += " " + countedCoins(n, v)
	}
	return s + " 00 00 00 00"
}

// TestCashboxLevels: 30 E0 16 to 18 count what falls in, and a hand sets and clears the count.
func TestCashboxLevels(t *testing.T) {
	onCoinMachines(t, func(t *testing.T, m *Machine, h *host) {
		const fifty = "32 00 00 00 " + eur
		h.talk("30 E0 16", cashboxOf(0, 0), "3B 01 "+fifty, "F0")
		if _, err := m.Insert(Insert{Value: 50, Currency: "EUR", Count: 3}); err != nil {
			t.Fatal(err)
		}
		h.drain()
		h.talk("30 E0 16", cashboxOf(3, 0), "30 E0 17 04 00 C8 00 00 00 "+eur, "F0", "30 E0 16", cashboxOf(3, 4))
		if tr := m.Truth(); count(tr.Cashbox, 200) != 4 || count(tr.Cashbox, 50) != 3 || count(tr.Start, 200) != 54 {
			t.Errorf("truth %+v", tr)
		}
		// What a person carries away the machine does not see, until somebody says so.
		m.Fault(Fault{Kind: FaultCashboxRemoved})
		m.Fault(Fault{Kind: FaultCashboxReplaced, Empty: true})
		h.talk("30 E0 16", cashboxOf(3, 4), "30 E0 17 00 00 "+fifty, "F0", "30 E0 16", cashboxOf(0, 4), "30 E0 18", "F0",
			"30 E0 16", cashboxOf(0, 0))
		h.talk("30 E0 17 01 00 03 00 00 00 "+eur, "F4", "30 E0 17 01 00", "F3", "30 E0 18 00", "F3", "30 E0", "F4", "30 E0 99", "F4")
		// What goes from the hopper into the cashbox counts as well, and the count outlasts the power.
		h.talk("44 06 32 00 01 00 00 00 "+eur+" 32 00 02 00 00 00 "+eur+" 32 00 05 00 00 00 "+eur+" 32 00 0A 00 00 00 "+eur+
			" 32 00 14 00 00 00 "+eur+" 32 00 64 00 00 00 "+eur+" 58", "F0")
		h.drain()
		box := count(m.Truth().Cashbox, 50)
		m.Fault(Fault{Kind: FaultReset})
		pause(bootTime + initTime)
		h.connect()
		if h.talk("30 E0 16", cashboxOf(box, count(m.Truth().Cashbox, 200))); box == 0 {
			t.Error("the float moved nothing")
		}
	})
}

// TestPayoutLimits: 30 E0 14, 15 and 19.
func TestPayoutLimits(t *testing.T) {
	onCoinMachines(t, func(t *testing.T, m *Machine, h *host) {
		pay := func(value uint32, option string) string { return "33 " + u32(value) + " " + eur + " " + option }
		h.talk("30 E0 15", "F0 00 00", pay(370, "19"), "F0", "30 E0 15", "F0 04 00", pay(99999999, "19"), "F5 01",
			"30 E0 15", "F0 00 00", "30 E0 14 03 00", "F0", pay(370, "19"), "F5 02", pay(370, "58"), "F5 02",
			"46 01 04 00 32 00 00 00 "+eur+" 19", "F5 02", pay(350, "19"), "F0", "30 E0 15", "F0 03 00",
			"30 E0 14 00 00", "F0", pay(370, "19"), "F0", "30 E0 14 01", "F3")
		h.talk("30 E0 19 02", "F0", "30 E0 19", "F3")
		for range 2 {
			h.talk(pay(50, "58"), "F0")
			h.drain()
		}
		h.talk(pay(50, "19"), "F5 04", pay(50, "58"), "F5 04")
		m.Insert(Insert{Value: 50, Currency: "EUR"})
		h.drain()
		h.talk(pay(50, "58"), "F0")
		h.drain()
		h.talk("30 E0 19 00", "F0", pay(50, "19"), "F0")
	})
}

// TestAcceptanceAndErrors: 30 E0 12 and 13.
func TestAcceptanceAndErrors(t *testing.T) {
	onCoinMachines(t, func(t *testing.T, m *Machine, h *host) {
		m.Insert(Insert{Value: 50, Currency: "EUR", Count: 3})
		m.Insert(Insert{Value: 50, Currency: "EUR", Unreadable: true})
		h.drain()
		m.Fault(Fault{Kind: FaultDivert})
		h.talk("33 "+u32(150)+" "+eur+" 58", "F0")
		h.drain()
		h.talk("30 E0 12 00", "F0 42 03 00 00 00 02 00 00 00", "30 E0 12 03", "F4", "30 E0 12", "F3")
		feeder, second := "F4", "F4"
		if m.prof.has(featureFeeder) {
			feeder = "F0 4B 04 00 00 00 03 00 00 00"
		}
		if m.prof.has(featureTwin) {
			second = "F0 64 00 00 00 00 00 00 00 00"
		}
		h.talk("30 E0 12 01", feeder, "30 E0 12 02", second, "30 E0 13", "F0 00 00")
		in, out := "01 01", "02 00"
		if m.prof.has(featureCoinMech) {
			in = "01 04"
		}
		if m.prof.has(featureLifter) {
			out = "02 03"
		}
		for _, c := range []struct{ fault, end, shows string }{
			{FaultJam, FaultUnjam, in}, {FaultPayoutJam, FaultUnjam, out}, {FaultCalibrationFail, FaultClear, "03 00"},
		} {
			m.Fault(Fault{Kind: c.fault})
			h.talk("30 E0 13", "F0 "+c.shows)
			m.Fault(Fault{Kind: c.end})
		}
		h.talk("48", "F0", "30 E0 13", "F0 00 00")
	})
}

// TestServiceBook: 30 E0 21 and 22 (ssp.md 16.6).
func TestServiceBook(t *testing.T) {
	onCoinMachines(t, func(t *testing.T, m *Machine, h *host) {
		last := func(weeks ...string) string {
			s := "F0 02"
			for _, w := range append(weeks, "00 00", "00 00", "00 00")[:3] {
				s += " " + w[:2] + " 00 00 00 " + w[3:] + " 00 00 00 "
				if w == "00 00" {
					s += "00 00 00 00"
				} else {
					s += "01 00 00 00"
				}
			}
			return s
		}
		h.talk("33 "+u32(100)+" "+eur+" 58", "F0")
		h.drain()
		m.Fault(Fault{Kind: FaultCalibrationFail})
		h.talk("30 E0 21 00 03", "F0 03 01 00 00 00 64 00 00 00 00 00 00 00 01 00 00 00",
			"30 E0 21 00 04", "F0 04 02 00 00 00", "48", "F0", "30 E0 21 00 04", "F0 04 00 00 00 00",
			"30 E0 21 00 00", "F0 00 00 00 00 00", "30 E0 21 00 01", "F0 01 "+u32(serviceEvery-1), "30 E0 21 00 02", last())
		time.Sleep(3*time.Hour - time.Since(m.ram.since))
		h.talk("30 E0 21 00 05", "F0 05 01 00 00 00 01 00 00 00 03 00 00 00")
		h.talk("30 E0 22 30 37 32 35", "F0", "30 E0 21 00 02", last("07 19"), "30 E0 22 31 30 32 35", "F0",
			"30 E0 21 00 02", last("0A 19", "07 19"), "30 E0 21 00 03", "F0 03 00 00 00 00 64 00 00 00 00 00 00 00 00 00 00 00")
		h.talk("30 E0 22 35 34 32 35", "F4", "30 E0 22 30 30 32 35", "F4", "30 E0 22 41 31 32 35", "F4", "30 E0 22 30 30 30 30", "F0", "30 E0 22 30", "F3",
			"30 E0 21 00 06", "F4", "30 E0 21 04 00", "F4", "30 E0 21 00", "F3")
		for unit, feature := range map[string]string{"01": featureFeeder, "02": featureTwin, "03": featureLifter} {
			want := "F4"
			if m.prof.has(feature) {
				want = "F0 00 00 00 00 00"
			}
			h.talk("30 E0 21 "+unit+" 00", want)
		}
	})
}

// TestSplitPayout: 39 pays one value in large coins and one in small ones.
func TestSplitPayout(t *testing.T) {
	onCoinMachines(t, func(t *testing.T, m *Machine, h *host) {
		split := func(high, low, at uint32, option string) string {
			return "39 " + u32(high) + " " + u32(low) + " " + u32(at) + " " + eur + " " + option
		}
		h.talk(split(200, 200, 50, "19"), "F0", split(220, 200, 50, "19"), "F5 02", split(99999, 0, 50, "19"), "F5 01",
			split(0, 0, 50, "19"), "F4", split(100, 0, 3, "19"), "F4", split(100, 0, 50, "20"), "F4", "39 00", "F3",
			split(200, 200, 50, "58"), "F0")
		h.drain()
		tr := m.Truth()
		if count(tr.Dispensed, 200) != 1 || count(tr.Dispensed, 20) != 10 || sum(tr.Dispensed) != 11 {
			t.Errorf("paid %v", tr.Dispensed)
		}
	})
}

// TestStir: 5D keeps the hopper from paying while it turns.
func TestStir(t *testing.T) {
	onCoinMachines(t, func(t *testing.T, m *Machine, h *host) {
		h.talk("5D", "F3", "5D 00", "F4", "5D 03", "F0", "33 "+u32(50)+" "+eur+" 58", "F5 03", "5D 01", "F5 03")
		pause(3 * time.Second)
		h.talk("33 "+u32(50)+" "+eur+" 58", "F0", "5D 01", "F5 03")
		h.drain()
	})
}

// TestFeederHold: 3A keeps coins before the sensors, where nobody has taken them yet.
func TestFeederHold(t *testing.T) {
	for _, profile := range []string{"scs", "twin"} {
		t.Run(profile, bubble(func(t *testing.T) {
			m, h := startHopper(t, profile, Options{})
			h.talk("3A", "F3", "3A 02", "F4", "3A 01", "F0")
			m.Insert(Insert{Value: 50, Currency: "EUR", Count: 2})
			pause(time.Second)
			h.talk("56", "F0")
			if tr := m.Truth(); count(tr.Transit, 50) != 2 {
				t.Errorf("held: %+v", tr)
			}
			h.talk("33 "+u32(50)+" "+eur+" 58", "F0") // the hopper is free
			h.drain()
			h.talk("3A 00", "F0")
			h.drain()
			if tr := m.Truth(); count(tr.Payout, 50) != 51 || tr.Moving {
				t.Errorf("released: %+v", tr)
			}
			m2, h2 := newMachineOnPipe(t, "hopper4", 0x10, Options{})
			h2.talk("3A 01", "F2")
			check(t, m2.Truth())
			check(t, m.Truth())
		}))
	}
}

// TestCalibrationOnCommand: 47 with 1 lets a machine that was switched on wait for 48.
func TestCalibrationOnCommand(t *testing.T) {
	onCoinMachines(t, func(t *testing.T, m *Machine, h *host) {
		h.talk("47 01", "F0", "47 02", "F4", "47", "F3")
		m.Fault(Fault{Kind: FaultReset})
		pause(bootTime + initTime)
		h.connect()
		h.talk("07", "F0 F1 E8 83 07", "33 "+u32(50)+" "+eur+" 58", "F5 04", "48", "F0", "07", "F0 E8",
			"33 "+u32(50)+" "+eur+" 19", "F0", "47 00", "F0")
		m.Fault(Fault{Kind: FaultReset})
		pause(bootTime + initTime)
		h.connect()
		h.talk("07", "F0 F1 E8")
	})
}

package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestReplenish: notes go from the cassette into the recyclers, and the machine's levels stay (ssp.md 16.4).
func TestReplenish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startNV4000(t, Options{Cassette: map[int64]int{500: 2, 1000: 1}})
		five := "F4 01 00 00 " + eur
		h.talk("30 E0 07 17", levelsOf("02", "01", "00"), "30 E0 07 11", levelsOf("04", "04", "04"), "35 "+five, "F0 06 00",
			"30 E0 03", "F0 00", "30 E0 05 00 00", "F4", "30 E0 05 02 00", "F0", "30 E0 05 02 00", "F5 03", "38", "F5", "56", "F0")
		pause(startTime + notePickTime)
		h.talk("35 E8 03 00 00 "+eur, "F0 05 00", "30 E0 07 17", levelsOf("02", "00", "00"), "56", "F0")
		pause(noteMoveTime)
		h.talk("56", "F0 9A 01 E8 03 00 00 "+eur)
		pause(2 * time.Second)
		h.talk("56", "F0 9A 01 F4 01 00 00 "+eur, "56", "F0", "30 E0 07 17", levelsOf("01", "00", "00"),
			"30 E0 07 11", levelsOf("05", "05", "04"), "35 "+five, "F0 06 00")
		checkRecyclers(t, m)
		checkCounters(t, m)
		check(t, m.Truth())

		if err := m.Fault(Fault{Kind: FaultDivert}); err != nil { // the next one is no good
			t.Fatal(err)
		}
		h.talk("30 E0 05 FF 00", "F0")
		if got := h.drain(); got != "" {
			t.Errorf("told %s", got)
		}
		pause(2 * time.Second)
		h.talk("56", "F0 9B", "35 "+five, "F0 05 00", "30 E0 05 01 00", "F5 01")
		checkRecyclers(t, m)
		check(t, m.Truth())
	})
}

// TestCassettePays: in payout mode it is paid from, and emptied alone; routed notes go into it.
func TestCassettePays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startNV4000(t, Options{Levels: map[int64]int{}, Cassette: map[int64]int{500: 59}})
		pay := "33 F4 01 00 00 " + eur + " 58"
		h.talk(pay, "F5 01", "30 E0 04 01", "F0", "30 E0 05 01 00", "F5 04", pay, "F0")
		if got := h.drain(); got != "D2:500" {
			t.Errorf("told %s", got)
		}
		h.talk("30 E0 01 06 E8 03 00 00 "+eur, "F0", "30 E0 02 E8 03 00 00 "+eur, "F0 06")
		for _, told := range []string{"EE/2 DB", "EE/2 DB", "EE/2 EB"} {
			insert(m, 1000)
			if got := h.drain(); got != told {
				t.Errorf("told %s, want %s", got, told)
			}
		}
		h.talk("30 E0 07 17", levelsOf("3A", "02", "00"), "56", "F0 9E", "52 05", "F0")
		if got := h.drain(); got != "B4:31000" {
			t.Errorf("told %s", got)
		}
		h.talk("30 E0 07 17", levelsOf("00", "00", "00"), "56", "F0")
		checkRecyclers(t, m)
		checkCounters(t, m)
		check(t, m.Truth())
	})
}

// TestCassetteAway: what a machine without its cassette can do, and what a hand brings back.
func TestCassetteAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startNV4000(t, Options{Cassette: map[int64]int{500: 2}})
		fault := func(f Fault) {
			t.Helper()
			if err := m.Fault(f); err != nil {
				t.Fatal(err)
			}
		}
		fault(Fault{Kind: FaultCassetteOut})
		h.talk("56", "F0", "30 E0 03", "F5", "30 E0 04 01", "F5", "30 E0 05 01 00", "F5", "52 05", "F5", "56", "F0 9C",
			"46 01 05 00 F4 01 00 00 "+eur+" 58", "F5 01")
		fault(Fault{Kind: FaultCassetteBack, Empty: true})
		h.talk("56", "F0 9D", "56", "F0", "35 F4 01 00 00 "+eur, "F0 04 00")
		fault(Fault{Kind: FaultCassetteOut})
		if err := m.SetCassette(1000, "EUR", 60); err != nil {
			t.Fatal(err)
		}
		for value, n := range map[int64]int{7: 1, 500: 1, 1000: -1} {
			if err := m.SetCassette(value, "EUR", n); err == nil {
				t.Errorf("%d of %d fit", n, value)
			}
		}
		fault(Fault{Kind: FaultCassetteBack})
		h.talk("35 E8 03 00 00 "+eur, "F0 40 00")
		checkRecyclers(t, m)
		check(t, m.Truth())
	})
	synctest.Test(t, func(t *testing.T) {
		m, _ := startRecycler(t, Options{})
		if m.Fault(Fault{Kind: FaultCassetteOut}) == nil || m.SetCassette(500, "EUR", 1) == nil {
			t.Error("a Spectral Payout has a cassette")
		}
	})
}

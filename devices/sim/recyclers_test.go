package sim

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"
)

// startNV4000 connects a host to an NV4000 with four each of 5, 10 and 20 EUR, by ssp.md 15.5.
func startNV4000(t *testing.T, opt Options) (*Machine, *host) {
	t.Helper()
	if opt.Levels == nil {
		opt.Levels = map[int64]int{500: 4, 1000: 4, 2000: 4}
	}
	m, h := newMachineOnPipe(t, "nv4000", 0, opt)
	h.connect()
	h.talk("56", "F0 F1 E8", "02 7F", "F0", "5C", "F0", "0A", "F0", "56", "F0")
	return m, h
}

// checkRecyclers compares what is in the recyclers with what is in the store.
func checkRecyclers(t *testing.T, m *Machine) {
	t.Helper()
	if m.prof.Recyclers == 0 {
		return
	}
	got := map[denom]int{}
	for i, held := range m.nv.recyclers.held {
		for d, n := range held {
			if got[d] += n; n < 0 || m.recyclerRoom(i) < 0 {
				t.Errorf("%d of %v in recycler %d", n, d, i+1)
			}
		}
	}
	want := map[denom]int{}
	for _, d := range m.data {
		want[d] = m.stock.count(d, inPayout)
		got[d] += 0
	}
	if !maps.Equal(got, want) {
		t.Errorf("the recyclers hold %v, the store %v", got, want)
	}
}

// TestNV4000Parts: what it says of itself.
func TestNV4000Parts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, h := startNV4000(t, Options{Serial: 0x01000000})
		h.talk("20", "F0 4E 56 53 32 30 30 34 32 38 31 30 33 39 4E 56 34", // NVS2004281039NV4
			"21", "F0 45 55 52 34 31 30 30 37", "4F", "F0 00 0A 09",
			"0C 11", "F0 01 00 04 4D", "0C 14", "F0 01 00 04 50", "0C 15", "F0 01 00 08 99", "0C 16", "F0 01 00 0C E5",
			"0C 17", "F0 01 00 11 31", "0C 18", "F0 01 00 15 7D", "0C 10", "F4", "0C 01", "F4",
			"4E 00", "F2")
	})
}

// levelsOf is the answer to 30 E0 07 of a machine with the usual seven denominations.
func levelsOf(five, ten, twenty string) string {
	return "F0 07 " + five + " 00 F4 01 00 00 " + eur + " " + ten + " 00 E8 03 00 00 " + eur + " " + twenty + " 00 D0 07 00 00 " + eur +
		" 00 00 88 13 00 00 " + eur + " 00 00 10 27 00 00 " + eur + " 00 00 20 4E 00 00 " + eur + " 00 00 50 C3 00 00 " + eur + " 3C 00"
}

// TestRecyclers: routes to single recyclers, their levels, and emptying one of them (ssp.md 16.4).
func TestRecyclers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startNV4000(t, Options{})
		five, ten := "F4 01 00 00 "+eur, "E8 03 00 00 "+eur
		h.talk("30 E0 02 "+five, "F0 01", "30 E0 07 11", levelsOf("04", "04", "04"), "30 E0 07 12", levelsOf("00", "00", "00"),
			"30 E0 01 03 "+five, "F0", "30 E0 02 "+five, "F0 03", "3C "+five, "F0 00",
			"30 E0 01 00 "+ten, "F0", "30 E0 02 "+ten, "F0 00", "3C "+ten, "F0 01")
		insert(m, 500)
		if got := h.drain(); got != "EE/1 DB" {
			t.Errorf("told %s", got)
		}
		insert(m, 1000)
		if got := h.drain(); got != "EE/2 EB" {
			t.Errorf("told %s", got)
		}
		h.talk("30 E0 07 11", levelsOf("04", "04", "04"), "30 E0 07 12", levelsOf("01", "00", "00"),
			"52 02", "F0", "52 01", "F5 03")
		if got := h.drain(); got != "B4:500" {
			t.Errorf("told %s", got)
		}
		h.talk("30 E0 07 11", levelsOf("04", "04", "04"), "30 E0 07 12", levelsOf("00", "00", "00"))
		h.talk("3B 00 "+five, "F0", "30 E0 02 "+five, "F0 01")
		if tr := m.Truth(); count(tr.Cashbox, 500) != 1 || count(tr.Payout, 500) != 4 {
			t.Errorf("truth: %+v", tr)
		}
		check(t, m.Truth())
		checkRecyclers(t, m)
		checkCounters(t, m)
	})
}

// TestFullRecycler: notes for a full recycler go to the cashbox, others into one that has room.
func TestFullRecycler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startNV4000(t, Options{Levels: map[int64]int{500: 60}})
		h.talk("30 E0 01 02 F4 01 00 00 "+eur, "F0")
		for value, told := range map[int64]string{500: "EE/1 EB", 1000: "EE/2 DB"} {
			insert(m, value)
			if got := h.drain(); got != told {
				t.Errorf("%d: told %s, want %s", value, got, told)
			}
		}
		h.talk("30 E0 07 12", levelsOf("00", "01", "00"), "56", "F0")
		if err := m.SetLevel(1000, "EUR", 180); err != nil {
			t.Fatal(err)
		}
		h.talk("56", "F0 CF")
		if err := m.SetLevel(1000, "EUR", 181); err == nil {
			t.Error("241 notes fit")
		}
		checkRecyclers(t, m)
		if err := m.line.world.SetSpeed(100); err != nil {
			t.Fatal(err)
		}
		h.talk("3F", "F0")
		if got := h.drain(); got != "C3" {
			t.Errorf("told %s", got)
		}
		checkRecyclers(t, m)
		check(t, m.Truth())
	})
}

// TestTrayAndBezel: notes fall into the tray unless they are wanted in the bezel, until the next start.
func TestTrayAndBezel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startNV4000(t, Options{HoldBezel: true})
		pay := func() { h.talk("33 E8 03 00 00 "+eur+" 58", "F0") }
		pay()
		if got := h.drain(); got != "D2:1000" {
			t.Errorf("told %s", got)
		}
		h.talk("30 E0 06 01", "F0")
		pay()
		pause(2 * time.Second)
		h.talk("56", "F0 DA 01 00 00 00 00 "+eur+" CE E8 03 00 00 "+eur)
		if err := m.Take(); err != nil {
			t.Fatal(err)
		}
		if got := h.drain(); got != "D2:1000" {
			t.Errorf("told %s", got)
		}
		m.Fault(Fault{Kind: FaultReset})
		h.reconnect()
		h.drain()
		h.talk("5C", "F0")
		pay()
		if got := h.drain(); got != "D2:1000" {
			t.Errorf("told %s", got)
		}
		check(t, m.Truth())
	})
}

// TestRecyclerRefusals: what a machine says to parameters that make no sense, and one that has no parts to any.
func TestRecyclerRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, h := startNV4000(t, Options{})
		h.talk("30 E0 01 07 F4 01 00 00 "+eur, "F4", "30 E0 01 02 F5 01 00 00 "+eur, "F4", "30 E0 01 02", "F3", "30 E0 02", "F3",
			"30 E0 02 F5 01 00 00 "+eur, "F4", "30 E0 06 02", "F4", "30 E0 06", "F3", "30 E0 07 15", "F4", "30 E0 07", "F3",
			"30 E0 77", "F4", "30 E0 01 02 F4 01 00 00 "+eur+" 00", "F3", "52 06", "F4", "52 01 02", "F3",
			"30 E0 05 0A 00", "F5 01", "30 E0 05 0A", "F3",
			"30 E0 03", "F0 00", "30 E0 04 01", "F0", "30 E0 03", "F0 01", "30 E0 04 02", "F4", "30 E0 05 0A 00", "F5 04",
			"30 E0 07 17", levelsOf("00", "00", "00"), "30 05 81 10 01", "F0 00")
		h.talk("52 05", "F0")
		if got := h.drain(); got != "B4:0" {
			t.Errorf("told %s", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		_, h := startRecycler(t, Options{})
		h.talk("30 E0 03", "F4", "52 01", "F4")
	})
}

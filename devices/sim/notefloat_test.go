package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

// Values as positions list them.
const (
	five = " F4 01 00 00"
	ten  = " E8 03 00 00"
)

// TestNoteFloat is a day of an NV11 by ssp.md 9.5 and 15.4: what came in last goes out first.
func TestNoteFloat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startFloat(t, Options{HoldBezel: true})
		h.talk("41", "F0 00", "42", "F5 02", "43", "F5 02", "33 F4 01 00 00 "+eur+" 58", "F2", "22", "F2", "38", "F2", "44", "F2")
		take := func(value int64, told string) {
			t.Helper()
			insert(m, value)
			if got := h.drain(); got != told {
				t.Errorf("%d: told %s, want %s", value, got, told)
			}
		}
		take(500, "EE/1 DB:500") // 5C 01: with its value
		take(1000, "EE/2 EB")    // another denomination than the recycled one
		h.talk("3B 00"+ten+" "+eur, "F0", "3C"+five+" "+eur, "F0 01", "3C"+ten+" "+eur, "F0 00")
		take(1000, "EE/2 DB:1000")
		h.talk("41", "F0 02"+five+ten, "45 01", "F0", "41", "F0 02 01 02", "45 02", "F4", "45", "F3", "45 00", "F0")

		h.talk("42", "F0", "42", "F5 03", "56", "F0 DA 01 00 00 00 00 "+eur)
		pause(2 * time.Second)
		h.talk("41", "F0 01"+five, "56", "F0 DA 01 00 00 00 00 "+eur+" CE"+ten+" "+eur)
		if err := m.Take(); err != nil {
			t.Fatal(err)
		}
		h.talk("56", "F0 D2 01"+ten+" "+eur, "57", "F0", "56", "F0")

		h.talk("43", "F0", "56", "F0 CC", "41", "F0 01"+five)
		pause(startTime + notePickTime)
		h.talk("56", "F0 CC", "41", "F0 01"+five)
		pause(noteMoveTime)
		h.talk("41", "F0 00", "56", "F0 C9"+five+" "+eur, "57", "F0", "56", "F0")
		h.talk("53", "F0 07 01 00"+five+" "+eur+levelsHex(1000, 2000, 5000, 10000, 20000, 50000)+" 00 00 00 00")
		tr := m.Truth()
		check(t, tr)
		checkCounters(t, m)
		if count(tr.Dispensed, 1000) != 1 || count(tr.Cashbox, 500) != 1 || count(tr.Cashbox, 1000) != 1 || sum(tr.Payout) != 0 {
			t.Errorf("truth: %+v", tr)
		}
	})
}

// TestNoteFloatOptions: 5C, 5B, 3F and the plain refusals.
func TestNoteFloatOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startFloat(t, Options{HoldBezel: true, Levels: map[int64]int{500: 3}})
		h.talk("5C 03", "F0", "42", "F0")
		if got := h.drain(); got != "D2:500" { // nobody has to take it
			t.Errorf("told %s", got)
		}
		h.talk("5C", "F0")
		insert(m, 500)
		if got := h.drain(); got != "EE/1 DB" { // without its value
			t.Errorf("told %s", got)
		}
		h.talk("5B", "F0", "42", "F5 04", "43", "F5 04", "41", "F0 03"+five+five+five, "5C 01", "F0", "3F", "F0")
		if got := h.drain(); got != "C3" {
			t.Errorf("told %s", got)
		}
		m.SetLevel(500, "EUR", 2)
		m.SetLevel(1000, "EUR", 2)
		m.SetLevel(500, "EUR", 3)
		m.SetLevel(1000, "EUR", 1) // by hand, from as near to the top as it lies
		h.talk("41", "F0 04"+five+five+ten+five)
		check(t, m.Truth())
	})
	synctest.Test(t, func(t *testing.T) {
		m, h := startFloat(t, Options{Levels: map[int64]int{500: 29}})
		m.Insert(Insert{Value: 500, Currency: "EUR", Count: 2})
		if got := h.drain(); got != "EE/1 DB:500 EE/1 EB" {
			t.Errorf("told %s", got)
		}
		h.talk("56", "F0 CF")
		checkCounters(t, m)
	})
	synctest.Test(t, func(t *testing.T) { // plain, where keys are wanted
		_, h := startFloat(t, Options{})
		h.session = nil
		h.talk("42", "FA", "43", "FA", "41", "F0 00")
	})
}

// TestFloatRemoved: what a validator without its float refuses, and that the notes in it are not lost.
func TestFloatRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startFloat(t, Options{Levels: map[int64]int{500: 3}})
		m.Fault(Fault{Kind: FaultFloatRemoved})
		h.talk("56", "F0 C7", "42", "F5 01", "43", "F5 01", "5C 01", "F5 01", "3B 00"+five+" "+eur, "F5 01", "09", "F5", "0A", "F5",
			"41", "F0 03"+five+five+five)
		insert(m, 500)
		if tr := m.Truth(); tr.Enabled || sum(tr.Returned) != 1 {
			t.Errorf("it takes notes without its float: %+v", tr)
		}
		m.Fault(Fault{Kind: FaultFloatAttached})
		h.talk("56", "F0 C8", "42", "F5 04", "5C 01", "F0", "42", "F0")
		pause(time.Second)
		m.Fault(Fault{Kind: FaultFloatRemoved}) // with a note on its way
		pause(time.Minute)
		h.talk("56", "F0 C7 DA 01 00 00 00 00 "+eur)
		m.Fault(Fault{Kind: FaultFloatAttached})
		if got := h.drain(); got != "C8 D2:500" {
			t.Errorf("told %s", got)
		}
		check(t, m.Truth())
		checkCounters(t, m)
	})
}

// TestHaltAfterOnFloat: the fault counts over several notes, since each is a payout of its own.
func TestHaltAfterOnFloat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startFloat(t, Options{Levels: map[int64]int{500: 3}})
		m.Fault(Fault{Kind: FaultHaltPayoutAfter, Paid: 700})
		for _, told := range []string{"D2:500", "D2:500", "D6:0"} {
			h.talk("42", "F0")
			if got := h.drain(); got != told {
				t.Errorf("told %s, want %s", got, told)
			}
			if told == "D2:500" {
				m.Fault(Fault{Kind: FaultHaltPayoutAfter, Paid: 700}) // again: changes nothing
			}
		}
	})
}

// TestReels: an NV22 takes two denominations at a time into its store, and sixty notes.
func TestReels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startNV22(t, Options{Levels: map[int64]int{500: 2}})
		for _, c := range []struct {
			value int64
			told  string
		}{{2000, "EE/3 DB"}, {1000, "EE/2 EB"}, {500, "EE/1 DB"}, {2000, "EE/3 DB"}} {
			insert(m, c.value)
			if got := h.drain(); got != c.told {
				t.Errorf("%d: told %s, want %s", c.value, got, c.told)
			}
		}
		h.talk("33 DC 05 00 00 "+eur+" 58", "F0") // 15 EUR: the reel of 5 EUR gets free
		if got := h.drain(); got != "D2:1500" {
			t.Errorf("told %s", got)
		}
		insert(m, 1000)
		if got := h.drain(); got != "EE/2 DB" {
			t.Errorf("told %s", got)
		}
		m.SetLevel(2000, "EUR", 58)
		m.Insert(Insert{Value: 2000, Currency: "EUR", Count: 2})
		if got := h.drain(); got != "EE/3 DB EE/3 EB" {
			t.Errorf("told %s", got)
		}
		h.talk("56", "F0 CF")
		check(t, m.Truth())
	})
}

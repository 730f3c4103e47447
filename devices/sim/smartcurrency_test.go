package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSmartCurrency: the bytes of ssp.md 16.7, and READ and CREDIT at protocol 9.
func TestSmartCurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := newMachineOnPipe(t, "scu", 0, Options{Currency: "EUR", Dataset: []int64{500, 1000}})
		h.connect()
		const gbp = "47 42 50"
		h.talk("56", "F0 F1 E8", "02 7F", "F0", "06 0A", "F8", "06 09", "F0", "0A", "F0",
			"21", "F0 45 55 52 30 31 30 34 35", "30 E0 30", "F0 05", "30 E0 30 01", "F3",
			"30 E0 31 00", "F0 01 45 55 52 45 55 52 30 31 30 34 35 02", "30 E0 31 01", "F0 00 "+gbp+" 47 42 50 30 37 30 35 37 04",
			"30 E0 31 02", "F0 00 55 53 44 55 53 44 30 32 30 34 31 07", "30 E0 31 03", "F4", "30 E0 31", "F3",
			"30 E0 32 47 42 50", "F3", "30 E0 32 47 42 50 30 37 30 35 38", "F4", "30 E0 01", "F3", "30 E0 77", "F4")
		insert(m, 1000)
		pause(100 * time.Millisecond)
		h.talk("56", "F0 EF 45 55 52 00 00 00 00", "30 E0 32 47 42 50 30 37 30 35 37", "F5 03")
		pause(noteReadTime)
		h.talk("56", "F0 EF 45 55 52 E8 03 00 00", "56", "F0 CC")
		pause(noteStackTime)
		h.talk("56", "F0 CC EE 45 55 52 E8 03 00 00", "57", "F0")
		pause(time.Second)
		h.talk("56", "F0 EB", "30 E0 32 47 42 50 30 37 30 35 37", "F0", "30 E0 30", "F0 04", "56", "F0")
		insert(m, 500) // not now
		pause(cardChangeTime)
		h.reconnect()
		h.talk("30 E0 30", "F0 01")
		h.drain()
		pause(time.Second)
		h.talk("30 E0 30", "F0 05", "21", "F0 47 42 50 30 37 30 35 37", "30 E0 31 00", "F0 00 45 55 52 45 55 52 30 31 30 34 35 02",
			"30 E0 31 01", "F0 01 "+gbp+" 47 42 50 30 37 30 35 37 04", "02 7F", "F0", "0A", "F0")
		if _, err := m.Insert(Insert{Value: 2000, Currency: "GBP"}); err != nil {
			t.Fatal(err)
		}
		if got := h.drain(); got != "EE/3 EB" {
			t.Errorf("told %s", got)
		}
		tr := m.Truth()
		check(t, tr)
		if sum(tr.Cashbox) != 2 || sum(tr.Returned) != 1 {
			t.Errorf("truth: %+v", tr)
		}
	})
}

// TestCardAway: a machine without its card takes nothing.
func TestCardAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startProfile(t, "scu")
		if err := m.Fault(Fault{Kind: FaultCardOut}); err != nil {
			t.Fatal(err)
		}
		h.talk("30 E0 30", "F0 00", "30 E0 31 00", "F5", "30 E0 32 47 42 50 30 37 30 35 37", "F5")
		insert(m, 500)
		h.drain()
		if err := m.Fault(Fault{Kind: FaultCardBack}); err != nil {
			t.Fatal(err)
		}
		h.talk("30 E0 30", "F0 02")
		pause(time.Second)
		h.talk("30 E0 30", "F0 05")
		if tr := m.Truth(); sum(tr.Returned) != 1 {
			t.Errorf("truth: %+v", tr)
		}
		n, _ := startProfile(t, "nv200")
		if n.Fault(Fault{Kind: FaultCardOut}) == nil {
			t.Error("an NV200 has a card")
		}
	})
}

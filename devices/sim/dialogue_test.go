package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

// startRecycler connects a host to a Spectral Payout with four each of 5, 10 and 20 EUR, by ssp.md 15.3.
func startRecycler(t *testing.T, opt Options) (*Machine, *host) {
	t.Helper()
	if opt.Levels == nil {
		opt.Levels = map[int64]int{500: 4, 1000: 4, 2000: 4}
	}
	m, h := newMachineOnPipe(t, "spectral-payout", 0, opt)
	h.connect()
	h.talk("56", "F0 F1 E8", "02 7F", "F0", "5C", "F0", "0A", "F0", "56", "F0")
	return m, h
}

// startNV22 connects a host to an NV22 Spectral with four of 5 EUR, as startRecycler.
func startNV22(t *testing.T, opt Options) (*Machine, *host) {
	t.Helper()
	if opt.Levels == nil {
		opt.Levels = map[int64]int{500: 4}
	}
	m, h := newMachineOnPipe(t, "nv22", 0, opt)
	h.connect()
	h.talk("56", "F0 F1 E8", "02 7F", "F0", "5C", "F0", "0A", "F0", "56", "F0")
	return m, h
}

// startFloat connects a host to an NV11 that recycles 5 EUR and waits with a note in its bezel only for a moment, by
// ssp.md 15.4.
func startFloat(t *testing.T, opt Options) (*Machine, *host) {
	t.Helper()
	m, h := newMachineOnPipe(t, "nv11", 0, opt)
	h.connect()
	h.talk("56", "F0 F1 E8", "45 00", "F0", "3C F4 01 00 00 "+eur, "F0 00", "3C E8 03 00 00 "+eur, "F0 01", "02 7F", "F0",
		"5C 01", "F0", "0A", "F0", "56", "F0")
	return m, h
}

// startCoins connects a host to a coin system with fifty of each coin, by ssp.md 15.7.
func startCoins(t *testing.T, opt Options) (*Machine, *host) {
	t.Helper()
	return startHopper(t, "scs", opt)
}

// startHopper is startCoins for any coin machine.
func startHopper(t *testing.T, profile string, opt Options) (*Machine, *host) {
	t.Helper()
	opt.Levels = map[int64]int{1: 50, 2: 50, 5: 50, 10: 50, 20: 50, 50: 50, 100: 50, 200: 50}
	m, h := newMachineOnPipe(t, profile, 0x10, opt)
	h.connect()
	for _, value := range []string{"01", "02", "05", "0A", "14", "32", "64", "C8"} {
		h.talk("40 01 "+value+" 00 "+eur, "F0")
	}
	h.talk("56", "F0 F1 E8", "49 01", "F0", "0A", "F0", "56", "F0")
	return m, h
}

// pause lets mechanics run.
func pause(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestNoteIntoStore is the first dialogue of ssp.md 23.
func TestNoteIntoStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		id, err := m.Insert(Insert{Value: 1000, Currency: "EUR"})
		if err != nil {
			t.Fatal(err)
		}
		h.talk("56", "F0 EF 00")
		pause(noteReadTime)
		h.talk("56", "F0 EF 02", "18", "F0")
		pause(5 * time.Second)
		h.talk("18", "F0")
		pause(9 * time.Second)
		h.talk("56", "F0 CC")
		pause(noteStackTime)
		h.talk("56", "F0 CC EE 02", "56", "F0 CC EE 02")
		pause(time.Minute)
		if tr := m.Truth(); count(tr.Transit, 1000) != 1 || !tr.Moving {
			t.Fatalf("the machine goes on before the acknowledgement: %+v", tr)
		}
		h.talk("56", "F0 CC EE 02", "57", "F0")
		pause(notePlaceTime)
		h.talk("56", "F0 DB", "57", "F5", "56", "F0")
		tr := m.Truth()
		check(t, tr)
		if count(tr.Payout, 1000) != 5 || tr.Counters["stored"] != 1 || tr.Moving {
			t.Errorf("truth: %+v", tr)
		}
		s, err := m.line.world.InsertState(id)
		if err != nil || s.State != InPayout || len(s.WireAt) != 3 ||
			!s.WireAt["ESCROW"].Before(s.WireAt["CREDIT"]) || !s.WireAt["CREDIT"].Before(s.WireAt["STORED"]) {
			t.Errorf("insert: %+v, %v", s, err)
		}
	})
}

// TestPayout is the second dialogue of ssp.md 23.
func TestPayout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startRecycler(t, Options{HoldBezel: true})
		list := "02 01 00 F4 01 00 00 " + eur + " 01 00 E8 03 00 00 " + eur
		h.talk("46 "+list+" 19", "F0", "46 "+list+" 58", "F0", "46 "+list+" 58", "F5 03",
			"56", "F0 DA 01 00 00 00 00 "+eur)
		pause(2 * time.Second)
		h.talk("56", "F0 DA 01 00 00 00 00 "+eur+" CE E8 03 00 00 "+eur)
		if err := m.Take(); err != nil {
			t.Fatal(err)
		}
		h.talk("56", "F0 DA 01 E8 03 00 00 "+eur)
		pause(2 * time.Second)
		if err := m.Take(); err != nil {
			t.Fatal(err)
		}
		h.talk("56", "F0 D2 01 DC 05 00 00 "+eur, "57", "F0", "56", "F0")
		h.talk("33 10 27 00 00 "+eur+" 58", "F0", "38", "F0")
		pause(time.Second)
		h.talk("56", "F0 D6 01 00 00 00 00 "+eur, "57", "F0")
		for _, v := range []int64{500, 1000, 2000} {
			m.SetLevel(v, "EUR", 0)
		}
		h.talk("33 10 27 00 00 "+eur+" 58", "F5 01")
		m.SetLevel(20000, "EUR", 1)
		h.talk("33 10 27 00 00 "+eur+" 58", "F5 02")
		check(t, m.Truth())
		if err := m.Take(); err == nil {
			t.Error("an empty bezel gives something")
		}
	})
}

// TestPowerCutInPayout is the fourth dialogue of ssp.md 23.
func TestPowerCutInPayout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startRecycler(t, Options{HoldBezel: true})
		h.talk("33 DC 05 00 00 "+eur+" 58", "F0")
		pause(2 * time.Second)
		if err := m.Fault(Fault{Kind: FaultReset}); err != nil {
			t.Fatal(err)
		}
		if got := h.tell("11"); got != "" {
			t.Fatalf("a machine that starts answers %s", got)
		}
		pause(bootTime - time.Second)
		h.connect()
		h.talk("56", "F0 F1 B6 E8")
		pause(initTime)
		h.talk("56", "F0 E8 CD E8 03 00 00 "+eur, "57", "F0",
			"56", "F0 E8 DC 01 E8 03 00 00 DC 05 00 00 "+eur, "56", "F0 E8 DC 01 E8 03 00 00 DC 05 00 00 "+eur,
			"57", "F0", "56", "F0 E8")
		tr := m.Truth()
		check(t, tr)
		if count(tr.Dispensed, 1000) != 1 || tr.Counters["dispensed"] != 1 || tr.Moving {
			t.Errorf("truth: %+v", tr)
		}
	})
}

// TestCoins is the last two dialogues of ssp.md 23.
func TestCoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startCoins(t, Options{})
		for _, v := range []int64{200, 50} {
			if _, err := m.Insert(Insert{Value: v, Currency: "EUR"}); err != nil {
				t.Fatal(err)
			}
		}
		h.talk("07", "F0 C1", "09", "F5")
		pause(coinInTime)
		h.talk("07", "F0 C1 DF C8 00 00 00 "+eur)
		pause(coinInTime)
		h.talk("07", "F0 C1 DF 32 00 00 00 "+eur)
		pause(coinTailTime)
		h.talk("07", "F0")

		m.Fault(Fault{Kind: FaultHaltPayoutAfter, Paid: 1e6})
		h.talk("33 0E 01 00 00 "+eur+" 19", "F0", "33 0E 01 00 00 "+eur+" 58", "F0", "09", "F0")
		pause(startTime + coinOutTime)
		h.talk("07", "F0 E8 DA 01 C8 00 00 00 "+eur)
		pause(coinOutTime)
		m.Fault(Fault{Kind: FaultDivert})
		h.talk("0A", "F0")
		pause(2 * coinOutTime)
		h.talk("07", "F0 D2 01 0E 01 00 00 "+eur+" DE 01 14 00 00 00 "+eur)
		tr := m.Truth()
		check(t, tr)
		if tr.Counters["paid_out"] != 4 || tr.Counters["paid_in"] != 2 || tr.Counters["to_cashbox"] != 1 {
			t.Errorf("counters: %v", tr.Counters)
		}
		h.talk("53", "F0 08 00 00 01 00 00 00 "+eur+" 00 00 02 00 00 00 "+eur+" 00 00 05 00 00 00 "+eur+
			" 00 00 0A 00 00 00 "+eur+" 01 00 14 00 00 00 "+eur+" 00 00 32 00 00 00 "+eur+
			" 00 00 64 00 00 00 "+eur+" 00 00 C8 00 00 00 "+eur+" 00 00 00 00")
	})
}

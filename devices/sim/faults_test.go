package sim

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestFaultsShow: how each condition looks in an answer, that repeating it changes nothing, and what ends it.
func TestFaultsShow(t *testing.T) {
	for _, c := range []struct {
		profile string
		fault   Fault
		shows   string
		end     Fault
		after   string
	}{
		{"spectral-payout", Fault{Kind: FaultJam}, "F0 E9", Fault{Kind: FaultUnjam}, "F0"},
		{"nv200", Fault{Kind: FaultJam}, "F0 E9", Fault{Kind: FaultUnjam}, "F0"},
		{"scs", Fault{Kind: FaultJam}, "F0 D5 01 00 00 00 00 " + eur, Fault{Kind: FaultUnjam}, "F0"},
		{"spectral-payout", Fault{Kind: FaultPayoutJam}, "F0 D5 01 00 00 00 00 " + eur, Fault{Kind: FaultUnjam}, "F0"},
		{"spectral-payout", Fault{Kind: FaultCashboxRemoved}, "F0 E3", Fault{Kind: FaultCashboxReplaced}, "F0 E4"},
		{"spectral-payout", Fault{Kind: FaultStackerFull}, "F0 E7", Fault{Kind: FaultStackerOK}, "F0"},
		{"spectral-payout", Fault{Kind: FaultStackerFull}, "F0 E7", Fault{Kind: FaultCashboxReplaced, Empty: true}, "F0"},
		{"scs", Fault{Kind: FaultStackerFull}, "F0 CF", Fault{Kind: FaultStackerOK}, "F0"},
		{"hopper4", Fault{Kind: FaultJam}, "F0 C4 D5 01 00 00 00 00 " + eur, Fault{Kind: FaultUnjam}, "F0"},
		{"hopper3", Fault{Kind: FaultMechOff}, "F0 BD", Fault{Kind: FaultMechOn}, "F0 BE"},
		{"hopper4", Fault{Kind: FaultMechError}, "F0", Fault{Kind: FaultMechOK}, "F0"},
		{"hopper4", Fault{Kind: FaultStackerFull}, "F0 CF", Fault{Kind: FaultStackerOK}, "F0"},
		{"hopper4", Fault{Kind: FaultCashboxRemoved}, "F0 E3", Fault{Kind: FaultCashboxReplaced}, "F0 E4"},
		{"hopper3", Fault{Kind: FaultCalibrationFail}, "F0 83 07", Fault{Kind: FaultReset}, ""},
		{"twin", Fault{Kind: FaultPayoutJam}, "F0 D5 01 00 00 00 00 " + eur, Fault{Kind: FaultUnjam}, "F0"},
		{"scs", Fault{Kind: FaultCalibrationFail}, "F0 83 07", Fault{Kind: FaultReset}, ""},
		{"spectral-payout", Fault{Kind: FaultPathOpen}, "F0 E0", Fault{Kind: FaultPathClosed}, "F0"},
		{"nv22", Fault{Kind: FaultPayoutJam}, "F0 D5 01 00 00 00 00 " + eur, Fault{Kind: FaultUnjam}, "F0"},
		{"nv11", Fault{Kind: FaultFloatRemoved}, "F0 C7", Fault{Kind: FaultFloatAttached}, "F0 C8"},
		{"nv11", Fault{Kind: FaultPayoutJam}, "F0 D5 01 00 00 00 00 " + eur, Fault{Kind: FaultUnjam}, "F0"},
		{"hopper3", Fault{Kind: FaultPathOpen}, "F0 BD", Fault{Kind: FaultPathClosed}, "F0 BE"},
		{"scs", Fault{Kind: FaultPathOpen}, "F0 BD", Fault{Kind: FaultPathClosed}, "F0 BE"},
		{"twin", Fault{Kind: FaultServiceDue}, "F0 C0", Fault{Kind: FaultServiceDone}, "F0"},
		{"nv200", Fault{Kind: FaultPayoutJam}, "F0 E9", Fault{Kind: FaultUnjam}, "F0"},
		{"nv200", Fault{Kind: FaultCalibrationFail}, "F0 C0", Fault{Kind: FaultReset}, ""},
		{"spectral-payout", Fault{Kind: FaultCalibrationFail}, "F0 C0", Fault{Kind: FaultReset}, ""},
		{"nv200", Fault{Kind: FaultServiceDue}, "F0 C0", Fault{Kind: FaultServiceDone}, "F0"},
		{"nv11", Fault{Kind: FaultPayoutOut}, "F0 C6", Fault{Kind: FaultPayoutBack}, "F0"},
		{"spectral-payout", Fault{Kind: FaultPayoutOut}, "F0 C6", Fault{Kind: FaultPayoutBack}, "F0"},
		{"spectral-payout", Fault{Kind: FaultUnplug}, "", Fault{Kind: FaultPlug}, "F0"},
		{"spectral-payout", Fault{Kind: FaultMute}, "", Fault{Kind: FaultClear}, "F0"},
		{"spectral-payout", Fault{Kind: FaultPowerOff}, "", Fault{Kind: FaultPowerOn}, ""},
		{"spectral-payout", Fault{Kind: FaultLoseKey}, "FA", Fault{Kind: FaultClear}, "FA"},
	} {
		t.Run(c.profile+" "+c.fault.Kind, bubble(func(t *testing.T) {
			m, h := startProfile(t, c.profile)
			for range 2 {
				if err := m.Fault(c.fault); err != nil {
					t.Fatal(err)
				}
				if got := h.tell("56"); got != c.shows {
					t.Fatalf("shows %q, want %q", got, c.shows)
				}
			}
			if err := m.Fault(c.end); err != nil {
				t.Fatal(err)
			}
			if got := h.tell("56"); got != c.after {
				t.Errorf("after %s: %q, want %q", c.end.Kind, got, c.after)
			}
		}))
	}
}

// TestFaultFor: a fault with a time ends by itself, in real time and whatever the speed.
func TestFaultFor(t *testing.T) {
	for _, kind := range []string{FaultJam, FaultStackerFull, FaultPathOpen, FaultUnplug, FaultMute, FaultCashboxRemoved} {
		t.Run(kind, bubble(func(t *testing.T) {
			m, h := startRecycler(t, Options{})
			m.line.world.SetSpeed(1000)
			m.Fault(Fault{Kind: kind, ForMS: 2000})
			pause(1900 * time.Millisecond)
			if got := h.tell("57"); got == "F5" && (kind == FaultUnplug || kind == FaultMute) {
				t.Fatal("ended early")
			}
			pause(2 * time.Second)
			h.tell("56")
			h.talk("56", "F0")
		}))
	}
	t.Run("delay", bubble(func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		m.Fault(Fault{Kind: FaultDelay, ForMS: 300})
		before := time.Now()
		h.talk("56", "F0")
		if took := time.Since(before); took != 300*time.Millisecond {
			t.Errorf("answered after %v", took)
		}
	}))
	t.Run("power", bubble(func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		m.Fault(Fault{Kind: FaultPowerOff, AtStep: 2, ForMS: 5000})
		insert(m, 500)
		if got := h.drain(); got != "" {
			t.Fatalf("told %s", got)
		}
		if m.Truth().Power {
			t.Fatal("the second step did not cut the power")
		}
		h.reconnect()
		if got := h.drain(); got != "F1 E1/1" {
			t.Errorf("told %s", got)
		}
	}))
}

func TestFaultRefusals(t *testing.T) {
	w := NewWorld(nil)
	defer w.Close()
	l := w.AddLine("COM1")
	notes, _ := l.AddMachine(0, "nv200", Options{})
	coins, _ := l.AddMachine(16, "scs", Options{})
	for _, c := range []struct {
		m *Machine
		f Fault
	}{
		{notes, Fault{}}, {notes, Fault{Kind: "fire"}},
		{notes, Fault{Kind: FaultFloatRemoved}}, {coins, Fault{Kind: FaultFloatAttached}}, {notes, Fault{Kind: FaultPayoutOut}},
		{coins, Fault{Kind: FaultJamRecovery}}, {coins, Fault{Kind: FaultPayoutOut}}, {coins, Fault{Kind: FaultMechOff}},
		{coins, Fault{Kind: FaultBitFlips, Rate: 1.1}}, {coins, Fault{Kind: FaultBitFlips, Rate: -1}},
		{coins, Fault{Kind: FaultJam, ForMS: -1}}, {coins, Fault{Kind: FaultHaltPayoutAfter, Paid: -1}}, {coins, Fault{Kind: FaultPowerOff, AtStep: -1}},
	} {
		if err := c.m.Fault(c.f); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s %+v: %v", c.m.Profile(), c.f, err)
		}
	}
}

// TestCashboxTaken: an emptied cashbox leaves start behind, a full one comes back as it was.
func TestCashboxTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		h.talk("52", "F0")
		if got := h.drain(); got != "B4:14000" {
			t.Fatalf("told %s", got)
		}
		h.talk("53", "F0 07 04 00 F4 01 00 00 "+eur+" 04 00 E8 03 00 00 "+eur+" 04 00 D0 07 00 00 "+eur+levelsHex(5000, 10000, 20000, 50000)+" 00 00 00 00")
		for _, f := range []Fault{{Kind: FaultCashboxReplaced, Empty: true}, {Kind: FaultCashboxRemoved}, {Kind: FaultCashboxReplaced}} {
			m.Fault(f)
			if tr := m.Truth(); sum(tr.Cashbox) != 12 {
				t.Fatalf("after %+v: %+v", f, tr)
			}
		}
		m.Fault(Fault{Kind: FaultCashboxRemoved})
		m.Fault(Fault{Kind: FaultCashboxReplaced, Empty: true})
		tr := m.Truth()
		check(t, tr)
		if sum(tr.Cashbox) != 0 || sum(tr.Start) != 0 {
			t.Errorf("truth: %+v", tr)
		}
		m.Fault(Fault{Kind: FaultCashboxRemoved})
		if insert(m, 500); sum(m.Truth().Returned) != 1 {
			t.Error("a note went where no cashbox is")
		}
	})
}

// TestPayoutFaults: jam, halt, a note that is lost on its way, and a store that a hand has emptied.
func TestPayoutFaults(t *testing.T) {
	pay := "33 DC 05 00 00 " + eur + " 58"
	t.Run("jam", bubble(func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		h.talk(pay, "F0")
		pause(1500 * time.Millisecond)
		m.Fault(Fault{Kind: FaultPayoutJam})
		pause(time.Hour)
		h.talk("56", "F0 D5 01 E8 03 00 00 "+eur, "33 F4 01 00 00 "+eur+" 58", "F5 03")
		m.Fault(Fault{Kind: FaultUnjam})
		if got := h.drain(); got != "D2:1500" {
			t.Errorf("told %s", got)
		}
		checkCounters(t, m)
	}))
	t.Run("halt by host", bubble(func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		h.talk(pay, "F0", "38", "F0")
		if got := h.drain(); got != "D6:0" || m.Truth().Moving {
			t.Errorf("told %s", got)
		}
	}))
	t.Run("halt at an amount", bubble(func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		m.Fault(Fault{Kind: FaultHaltPayoutAfter, Paid: 1})
		h.talk(pay, "F0")
		if got := h.drain(); got != "D6:1000" {
			t.Errorf("told %s", got)
		}
		h.talk(pay, "F0")
		if got := h.drain(); got != "D2:1500" {
			t.Errorf("told %s", got)
		}
		checkCounters(t, m)
	}))
	t.Run("note lost", bubble(func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		m.Fault(Fault{Kind: FaultDivert})
		h.talk(pay, "F0")
		if got := h.drain(); got != "B1:0" {
			t.Errorf("told %s", got)
		}
		checkCounters(t, m)
	}))
	t.Run("emptied by hand", bubble(func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		h.talk(pay, "F0")
		m.SetLevel(500, "EUR", 0)
		if got := h.drain(); got != "D9:1000" {
			t.Errorf("told %s", got)
		}
	}))
	t.Run("calibration", bubble(func(t *testing.T) {
		m, h := startCoins(t, Options{})
		m.Fault(Fault{Kind: FaultCalibrationFail})
		h.talk("33 C8 00 00 00 "+eur+" 58", "F5 04", "48", "F0", "33 C8 00 00 00 "+eur+" 58", "F0")
		if got := h.drain(); got != "D2:200" || m.Truth().Counters["calibration_fails"] != 1 {
			t.Errorf("told %s", got)
		}
	}))
}

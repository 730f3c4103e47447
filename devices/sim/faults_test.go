package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coffer/ssp"
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

// TestJamRecovery: a recycler clears a jam by itself, at the cost of five notes (ssp.md 13.4).
func TestJamRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		for range 2 {
			if err := m.Fault(Fault{Kind: FaultJamRecovery}); err != nil {
				t.Fatal(err)
			}
		}
		h.talk("56", "F0 B0", "33 F4 01 00 00 "+eur+" 58", "F5 03")
		pause(recoverTime)
		h.talk("56", "F0", "53", "F0 07 00 00 F4 01 00 00 "+eur+" 01 00 E8 03 00 00 "+eur+" 04 00 D0 07 00 00 "+eur+
			" 00 00 88 13 00 00 "+eur+" 00 00 10 27 00 00 "+eur+" 00 00 20 4E 00 00 "+eur+" 00 00 50 C3 00 00 "+eur+" 00 00 00 00")
		tr := m.Truth()
		check(t, tr)
		if count(tr.Cashbox, 2000) != 4 || count(tr.Cashbox, 1000) != 1 || tr.Counters["transferred"] != 5 {
			t.Errorf("truth %+v", tr)
		}
	})
}

// TestPayoutOutOfService: nothing is paid, and nothing goes into the store, as long as it lasts.
func TestPayoutOutOfService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		m.Fault(Fault{Kind: FaultPayoutOut})
		h.talk("33 F4 01 00 00 "+eur+" 58", "F5 04")
		m.Insert(Insert{Value: 500, Currency: "EUR"})
		h.drain()
		if tr := m.Truth(); count(tr.Cashbox, 500) != 1 {
			t.Errorf("truth %+v", tr)
		}
	})
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

// TestNothingIsEverLost does at random what hosts, customers, technicians and bad luck do, and looks after every step.
func TestNothingIsEverLost(t *testing.T) {
	machines := []string{"spectral-payout", "scs", "nv9", "nv11", "nv22", "hopper3", "hopper4", "twin", "nv4000"}
	for seed := range uint64(108) {
		profile := machines[seed%9]
		t.Run(fmt.Sprintf("%s %d", profile, seed), bubble(func(t *testing.T) {
			w := NewWorld(nil)
			defer w.Close()
			l := w.AddLine("COM1")
			addr := ssp.Address(0)
			if isCoins(profile) {
				addr = 16
			}
			m, err := l.AddMachine(addr, profile, Options{HoldBezel: seed%2 == 0})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range m.data[:4] {
				m.SetLevel(d.value, "EUR", 7)
			}
			r := rand.New(rand.NewPCG(seed, 1))
			h := dial(t, l, addr)
			h.bringUp(profile)
			for range 600 {
				h.misadventure(m, r)
				check(t, m.Truth())
			}
			for _, f := range []string{FaultClear, FaultUnjam, FaultPathClosed, FaultPlug, FaultPowerOn, FaultStackerOK, FaultCashboxReplaced, FaultFloatAttached, FaultReset} {
				m.Fault(Fault{Kind: f})
			}
			for range 20 {
				pause(10 * time.Second)
				m.Take()
			}
			h.reconnect()
			h.drain()
			tr := m.Truth()
			check(t, tr)
			if tr.Moving || sum(tr.Transit)+sum(tr.Escrow) > 0 {
				t.Fatalf("something is still on its way: %+v", tr)
			}
			checkCounters(t, m)
			checkRecyclers(t, m)
			t.Logf("%v in, %v out, %v back: %v", sum(tr.Inserted), sum(tr.Dispensed), sum(tr.Returned), tr.Counters)
		}))
	}
}

func isCoins(profile string) bool {
	p, err := findProfile(profile)
	return err == nil && p.Family == familyCoin
}

// bringUp connects and lets the machine accept everything.
func (h *host) bringUp(profile string) {
	h.t.Helper()
	h.reconnect()
	h.drain()
	if isCoins(profile) {
		for _, v := range []string{"01", "02", "05", "0A", "14", "32", "64", "C8"} {
			h.tell("40 01 " + v + " 00 " + eur)
		}
		h.tell("49 01")
	} else {
		h.tell("02 7F")
		h.tell("5C")
		if profile == "nv11" {
			h.tell("45 00")
		}
	}
	h.tell("0A")
}

// misadventure does one thing at random.
func (h *host) misadventure(m *Machine, r *rand.Rand) {
	h.t.Helper()
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	d := m.data[r.IntN(min(4, len(m.data)))]
	u := u32(uint32(d.value)) + " " + eur
	switch n := r.IntN(100); {
	case n < 20:
		m.Insert(Insert{Value: d.value, Currency: "EUR", Count: r.IntN(3), Fraud: r.IntN(20) == 0, Unreadable: r.IntN(20) == 0})
	case n < 70:
		data := h.tell(pick("56", "56", "56", "07"))
		switch {
		case data == "" || data == "FA":
			h.repair(m, r)
		case strings.Contains(data, "E8") && r.IntN(3) == 0:
			h.bringUp(m.prof.Name)
		}
		h.tell(pick("57", "57", "57", "57", "18", "08", "22"))
		pause(time.Duration(r.IntN(1000)) * time.Millisecond)
	case n < 80:
		h.tell(pick("33 "+u+" 58", "33 "+u+" 58", "46 01 02 00 "+u+" 58", "44 01 01 00 "+u+" 58", "52", "3F", "38", "42", "42", "43", "43",
			"3B 01 "+u, "3B 00 "+u, "30 05 85 01 "+u, "30 05 85 00 "+u,
			pick("30 05 87 00", "30 05 87 03", "5A 01", "34 02 00 "+u, "34 00 00 "+u),
			pick("30 E0 01 02 ", "30 E0 01 05 ", "30 E0 01 00 ", "30 E0 01 01 ")+u, pick("52 01", "52 04", "30 E0 06 01", "30 E0 06 00")))
	case n < 90:
		pause(time.Duration(r.IntN(3000)) * time.Millisecond)
		m.Take()
	case n < 94:
		m.Fault(Fault{Kind: FaultPowerOff, AtStep: r.IntN(6), ForMS: int64(r.IntN(2000) + 1)})
	default:
		m.Fault(Fault{Kind: pick(FaultJam, FaultUnjam, FaultPayoutJam, FaultReset, FaultCashboxRemoved, FaultLoseKey, FaultDivert,
			FaultUnplug, FaultPathOpen, FaultHaltPayoutAfter, FaultMute, FaultFloatRemoved, FaultFloatAttached, FaultCalibrationFail,
			FaultMechOff, FaultMechOn, FaultMechError, FaultMechReturn), Paid: 700, ForMS: int64(r.IntN(5000) + 1)})
	}
}

// repair is the technician, and then a host that connects.
func (h *host) repair(m *Machine, r *rand.Rand) {
	h.t.Helper()
	for _, f := range []string{FaultClear, FaultPlug, FaultPowerOn, FaultUnjam, FaultPathClosed, FaultCashboxReplaced, FaultFloatAttached} {
		m.Fault(Fault{Kind: f})
	}
	for _, ok := h.hear(); ok; _, ok = h.hear() { // what is still under way
	}
	h.bringUp(m.prof.Name)
}

// TestNoteFaults: every kind of fault that simulator control names is one of every note machine, and what is not ended
// by itself ends by its opposite or a restart.
func TestNoteFaults(t *testing.T) {
	kinds := []Fault{
		{Kind: "jam"}, {Kind: "unjam"}, {Kind: "cashbox_removed"}, {Kind: "cashbox_replaced", Empty: true}, {Kind: "stacker_full"},
		{Kind: "cashbox_replaced", Empty: true}, {Kind: "payout_jam"}, {Kind: "unjam"}, {Kind: "calibration_fail"}, {Kind: "reset"},
		{Kind: "note_path_open", ForMS: 100}, {Kind: "unplug"}, {Kind: "plug"}, {Kind: "power_off"}, {Kind: "power_on"},
		{Kind: "bit_flips", Rate: 0.01}, {Kind: "drop_bytes", Rate: 0.01}, {Kind: "duplicate_replies"}, {Kind: "delay", ForMS: 5},
		{Kind: "mute"}, {Kind: "clear"}, {Kind: "lose_key"}, {Kind: "halt_payout_after", Paid: 500},
	}
	for _, name := range Profiles() {
		if p, err := findProfile(name); err != nil || p.Family != familyNote {
			continue
		}
		t.Run(name, bubble(func(t *testing.T) {
			m, h := newMachineOnPipe(t, name, 0, Options{Currency: "EUR"})
			for _, f := range kinds {
				if err := m.Fault(f); err != nil {
					t.Errorf("%+v: %v", f, err)
				}
			}
			pause(5 * time.Second)
			h.connect()
			h.talk("02 7F", "F0", "0A", "F0", "56", "F0 F1", "56", "F0")
			if _, err := m.Insert(Insert{Value: 500, Currency: "EUR"}); err != nil {
				t.Error(err)
			}
			h.drain()
			if got := count(m.Truth().Cashbox, 500); got != 1 {
				t.Errorf("%d notes came in", got)
			}
		}))
	}
}

// TestBlindNoteMachine: with its sensors out of order a note machine knows no note, and wants maintenance until it is
// started again.
func TestBlindNoteMachine(t *testing.T) {
	bubble(func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		m.Fault(Fault{Kind: FaultCalibrationFail})
		id, err := m.Insert(Insert{Value: 500, Currency: "EUR"})
		if err != nil {
			t.Fatal(err)
		}
		pause(noteReadTime)
		h.talk("56", "F0 C0 ED", "33 F4 01 00 00 "+eur+" 58", "F5 03")
		pause(noteReturnTime)
		h.talk("56", "F0 C0 EC", "17", "F0 0A", "33 F4 01 00 00 "+eur+" 58", "F5 04")
		if s, err := m.line.world.InsertState(id); err != nil || s.State != IsReturned {
			t.Errorf("the note: %+v, %v", s, err)
		}
		m.Fault(Fault{Kind: FaultReset})
		pause(5 * time.Second)
		h.connect()
		h.talk("56", "F0 F1 E8", "56", "F0 E8")
	})(t)
}

package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

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

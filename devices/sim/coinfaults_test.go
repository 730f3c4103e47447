package sim

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestContractFaultsOnCoinMachines: every kind of fault of the control API's contract means something to every coin
// machine: what its host sees of it, and what becomes of coins.
func TestContractFaultsOnCoinMachines(t *testing.T) {
	const fifty = "32 00 00 00 " + eur
	pay := "33 " + u32(100) + " " + eur + " 58"
	for kind, run := range map[string]func(t *testing.T, m *Machine, h *host, does func(Fault)){
		"jam": func(t *testing.T, m *Machine, h *host, does func(Fault)) {
			does(Fault{Kind: "jam"})
			shows(t, h, "D5 01 00 00 00 00 "+eur)
			if _, err := m.Insert(Insert{Value: 50, Currency: "EUR"}); !errors.Is(err, ErrRefused) {
				t.Errorf("a coin into the jam: %v", err)
			}
			h.talk(pay, "F5 03")
			does(Fault{Kind: "unjam"})
			h.talk("56", "F0")
		},
		"cashbox_removed": func(t *testing.T, m *Machine, h *host, does func(Fault)) {
			h.talk("3B 01 "+fifty, "F0")
			does(Fault{Kind: "cashbox_removed"})
			shows(t, h, "E3")
			m.Insert(Insert{Value: 50, Currency: "EUR"})
			h.drain()
			h.talk("52", "F0")
			pause(10 * time.Second)
			if tr := m.Truth(); count(tr.Returned, 50) != 1 || sum(tr.Cashbox) != 0 || !tr.Moving {
				t.Errorf("without a cashbox: %+v", tr)
			}
			does(Fault{Kind: "cashbox_replaced"})
			shows(t, h, "E4")
			h.drain()
			if tr := m.Truth(); sum(tr.Payout) != 0 || sum(tr.Cashbox) != 400 {
				t.Errorf("with its cashbox: %+v", tr)
			}
		},
		"stacker_full": func(t *testing.T, m *Machine, h *host, does func(Fault)) {
			h.talk("3B 01 "+fifty, "F0")
			does(Fault{Kind: "stacker_full"})
			shows(t, h, "CF")
			m.Insert(Insert{Value: 50, Currency: "EUR"})
			m.Insert(Insert{Value: 20, Currency: "EUR"})
			h.drain()
			if tr := m.Truth(); count(tr.Returned, 50) != 1 || count(tr.Payout, 20) != 51 {
				t.Errorf("with a full cashbox: %+v", tr)
			}
			does(Fault{Kind: "cashbox_replaced", Empty: true})
			h.talk("56", "F0")
		},
		"payout_jam": func(t *testing.T, m *Machine, h *host, does func(Fault)) {
			h.talk(pay, "F0")
			does(Fault{Kind: "payout_jam"})
			pause(time.Minute)
			shows(t, h, "D5 01 00 00 00 00 "+eur)
			does(Fault{Kind: "unjam"})
			h.drain()
			if tr := m.Truth(); count(tr.Dispensed, 100) != 1 {
				t.Errorf("repaired: %+v", tr)
			}
		},
		"calibration_fail": func(t *testing.T, m *Machine, h *host, does func(Fault)) {
			does(Fault{Kind: "calibration_fail"})
			shows(t, h, "83 07")
			m.Insert(Insert{Value: 50, Currency: "EUR"})
			h.talk(pay, "F5 04", "48", "F0", "56", "F0", pay, "F0")
			h.drain()
			if tr := m.Truth(); count(tr.Returned, 50) != 1 {
				t.Errorf("not calibrated: %+v", tr)
			}
		},
		"note_path_open": func(t *testing.T, m *Machine, h *host, does func(Fault)) {
			does(Fault{Kind: "note_path_open"})
			shows(t, h, "BD")
			if _, err := m.Insert(Insert{Value: 50, Currency: "EUR"}); !errors.Is(err, ErrRefused) {
				t.Errorf("a coin into the open path: %v", err)
			}
			h.talk(pay, "F5 04")
			does(Fault{Kind: "note_path_closed"})
			h.talk("56", "F0 BE", pay, "F0")
			h.drain()
		},
		"unplug": func(_ *testing.T, _ *Machine, h *host, does func(Fault)) {
			does(Fault{Kind: "unplug"})
			h.talk("56", "")
			does(Fault{Kind: "plug"})
			h.talk("56", "F0")
		},
		"power_off": func(t *testing.T, m *Machine, h *host, does func(Fault)) {
			h.talk(pay, "F0")
			does(Fault{Kind: "power_off"})
			h.talk("56", "")
			if tr := m.Truth(); tr.Power || sum(tr.Payout) != 400 {
				t.Errorf("dark: %+v", tr)
			}
			does(Fault{Kind: "power_on"})
			pause(bootTime + initTime)
			h.connect()
			h.talk("07", "F0 F1 E8 DC 01 00 00 00 00 "+u32(100)+" "+eur)
		},
		"reset": func(_ *testing.T, _ *Machine, h *host, does func(Fault)) {
			does(Fault{Kind: "reset"})
			pause(bootTime + initTime)
			h.connect()
			h.talk("07", "F0 F1 E8")
		},
		"bit_flips": func(_ *testing.T, _ *Machine, h *host, does func(Fault)) {
			does(Fault{Kind: "bit_flips", Rate: 1})
			h.talk("56", "")
			does(Fault{Kind: "clear"})
			h.talk("56", "F0")
		},
		"drop_bytes": func(_ *testing.T, _ *Machine, h *host, does func(Fault)) {
			does(Fault{Kind: "drop_bytes", Rate: 1})
			h.talk("56", "")
			does(Fault{Kind: "clear"})
			h.talk("56", "F0")
		},
		"duplicate_replies": func(t *testing.T, _ *Machine, h *host, does func(Fault)) {
			does(Fault{Kind: "duplicate_replies"})
			h.talk("56", "F0")
			if _, again := h.hear(); !again {
				t.Error("the reply came once")
			}
			does(Fault{Kind: "clear"})
			h.talk("56", "F0")
		},
		"delay": func(t *testing.T, _ *Machine, h *host, does func(Fault)) {
			does(Fault{Kind: "delay", ForMS: 300})
			began := time.Now()
			h.talk("56", "F0")
			if d := time.Since(began); d < 300*time.Millisecond {
				t.Errorf("answered after %v", d)
			}
			does(Fault{Kind: "clear"})
		},
		"mute": func(t *testing.T, m *Machine, h *host, does func(Fault)) {
			does(Fault{Kind: "mute"})
			h.talk(pay, "") // heard, and done
			does(Fault{Kind: "clear"})
			h.talk(pay, "F0") // the same frame again: the stored answer
			h.drain()
			if tr := m.Truth(); count(tr.Dispensed, 100) != 1 {
				t.Errorf("paid %+v", tr.Dispensed)
			}
		},
		"lose_key": func(_ *testing.T, _ *Machine, h *host, does func(Fault)) {
			does(Fault{Kind: "lose_key"})
			h.talk("56", "FA")
			h.connect()
			h.talk("56", "F0")
		},
		"halt_payout_after": func(t *testing.T, m *Machine, h *host, does func(Fault)) {
			does(Fault{Kind: "halt_payout_after", Paid: 200})
			h.talk("33 "+u32(600)+" "+eur+" 58", "F0")
			told := h.drain()
			if !strings.Contains(told, "D6") || count(m.Truth().Dispensed, 200) != 1 {
				t.Errorf("told %s, paid %v", told, m.Truth().Dispensed)
			}
		},
	} {
		t.Run(kind, func(t *testing.T) {
			onCoinMachines(t, func(t *testing.T, m *Machine, h *host) {
				run(t, m, h, func(f Fault) {
					t.Helper()
					for range 2 { // repeating one changes nothing
						if err := m.Fault(f); err != nil {
							t.Fatal(err)
						}
						if f.Kind == "reset" {
							return
						}
					}
				})
			})
		})
	}
}

// shows checks that the next answer holds an event, given in hex, also when the acknowledgement of others is due.
func shows(t *testing.T, h *host, event string) {
	t.Helper()
	if got := h.tell("56"); !strings.Contains(got+" ", " "+event+" ") {
		t.Errorf("shows %q, want %s in it", got, event)
	}
	h.tell("57")
}

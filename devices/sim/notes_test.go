package sim

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestEscrow: who decides about a note, and when nobody does (ssp.md 3.2, 12.1).
func TestEscrow(t *testing.T) {
	inEscrow := func(t *testing.T) (*Machine, *host) {
		m, h := startRecycler(t, Options{})
		m.line.world.SetSpeed(100)
		insert(m, 500)
		pause(noteReadTime / 100)
		return m, h
	}
	cases := map[string]func(t *testing.T, m *Machine, h *host) (state string){
		"any poll accepts": func(t *testing.T, m *Machine, h *host) string {
			h.talk("56", "F0 EF 01", "22", h.tell("22"), "0C", h.tell("0C"), "07", "F0 CC")
			return InPayout
		},
		"host rejects": func(t *testing.T, m *Machine, h *host) string {
			h.talk("56", "F0 EF 01", "08", "F0", "08", "F5", "18", "F5", "56", "F0 ED")
			pause(time.Second)
			h.talk("56", "F0 EC", "17", "F0 08", "56", "F0", "57", "F5")
			return IsReturned
		},
		"held before the first poll, then rejected": func(t *testing.T, m *Machine, h *host) string {
			h.talk("11", "F0", "18", "F0", "08", "F0")
			return IsReturned
		},
		"ten seconds of silence": func(t *testing.T, m *Machine, h *host) string {
			h.talk("56", "F0 EF 01")
			pause(escrowTime - time.Millisecond)
			if tr := m.Truth(); count(tr.Escrow, 500) != 1 || tr.Moving {
				t.Fatalf("left escrow early: %+v", tr)
			}
			pause(time.Second)
			h.talk("56", "F0 EC", "17", "F0 13")
			return IsReturned
		},
		"nobody polls at all": func(t *testing.T, m *Machine, h *host) string {
			pause(escrowTime + time.Second)
			h.talk("56", "F0 EC", "17", "F0 13")
			return IsReturned
		},
		"held for a minute": func(t *testing.T, m *Machine, h *host) string {
			h.talk("56", "F0 EF 01")
			for range 12 {
				pause(5 * time.Second)
				h.talk("18", "F0")
			}
			h.talk("56", "F0 CC")
			return InPayout
		},
		"disabled while held": func(t *testing.T, m *Machine, h *host) string {
			h.talk("56", "F0 EF 01", "09", "F0", "18", "F0", "56", "F0 E8 CC")
			return InPayout
		},
		"jammed while held": func(t *testing.T, m *Machine, h *host) string {
			h.talk("56", "F0 EF 01")
			m.Fault(Fault{Kind: FaultJam})
			h.talk("56", "F0 E9 EF 01")
			m.Fault(Fault{Kind: FaultUnjam})
			h.talk("56", "F0 CC")
			return InPayout
		},
	}
	for name, play := range cases {
		t.Run(name, bubble(func(t *testing.T) {
			m, h := inEscrow(t)
			want := play(t, m, h)
			h.drain()
			s, err := m.line.world.InsertState("ins-000001")
			if err != nil || s.State != want {
				t.Errorf("the note is in %q, %v; want %q", s.State, err, want)
			}
			check(t, m.Truth())
			checkCounters(t, m)
		}))
	}
}

// TestInserts: what a machine takes, gives back and refuses.
func TestInserts(t *testing.T) {
	note := Insert{Value: 1000, Currency: "EUR"}
	for _, c := range []struct {
		name    string
		prepare []string // commands with their answers
		in      Insert
		told    string // one-shot events
		code    byte   // last reject code afterwards
		state   string
	}{
		{"taken", nil, note, "EE/2 DB", 0, InPayout},
		{"off", []string{"09", "F0"}, note, "", 0, IsReturned},
		{"inhibited", []string{"02 7D", "F0"}, note, "EC", rejectInhibited, IsReturned},
		{"all inhibited", []string{"02 00", "F0", "56", "F0 B5"}, note, "", 0, IsReturned},
		{"routed to the cashbox", []string{"3B 01 E8 03 00 00 " + eur, "F0"}, note, "EE/2 EB", 0, InCashbox},
		{"payout off", []string{"5B", "F0"}, note, "EE/2 EB", 0, InCashbox},
		{"limit reached", []string{"4E 01 04 00 E8 03 00 00 " + eur, "F0"}, note, "EE/2 EB", 0, InCashbox},
		{"limit not reached", []string{"4E 01 05 00 E8 03 00 00 " + eur, "F0"}, note, "EE/2 DB", 0, InPayout},
		{"refill refuses what the store does not take", []string{"30 05 81 10 11 01", "F0", "3B 01 E8 03 00 00 " + eur, "F0"},
			note, "EC", rejectUnableToStack, IsReturned},
		{"foreign", nil, Insert{Value: 1000, Currency: "USD"}, "EC", rejectUnknown, IsReturned},
		{"unreadable", nil, Insert{Value: 1000, Currency: "EUR", Unreadable: true}, "EC", rejectUnknown, IsReturned},
		{"unreadable paper", nil, Insert{Unreadable: true}, "EC", rejectUnknown, IsReturned},
		{"fraud", nil, Insert{Value: 1000, Currency: "EUR", Fraud: true}, "E6 EC", rejectStrimming, IsReturned},
		{"ticket, reader off", nil, Insert{Barcode: "123456789012345678"}, "EC", rejectBarcode, IsReturned},
		{"ticket", []string{"24 03 01 06", "F0", "26 FC", "F0"}, Insert{Barcode: "123456"}, "D1", 0, InCashbox},
		{"ticket too long", []string{"24 03 01 06", "F0", "26 FC", "F0"}, Insert{Barcode: "1234567"}, "EC", rejectBarcode, IsReturned},
		{"notes kept out by 26", []string{"26 FD", "F0"}, note, "EC", rejectInhibited, IsReturned},
		{"three in a row", nil, Insert{Value: 500, Currency: "EUR", Count: 3}, "EE/1 DB EE/1 DB EE/1 DB", 0, InPayout},
	} {
		t.Run(c.name, bubble(func(t *testing.T) {
			m, h := startRecycler(t, Options{})
			h.talk(c.prepare...)
			id, err := m.Insert(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := h.drain(); got != c.told {
				t.Errorf("told %q, want %q", got, c.told)
			}
			s, _ := m.line.world.InsertState(id)
			if s.State != c.state || s.State == IsReturned && len(c.told) > 0 && s.WireAt["REJECTED"].IsZero() {
				t.Errorf("insert: %+v, want %s", s, c.state)
			}
			if m.ram.lastReject != c.code {
				t.Errorf("last reject code %02X, want %02X", m.ram.lastReject, c.code)
			}
			check(t, m.Truth())
			if c.in.Value > 0 && c.in.Barcode == "" && !c.in.Unreadable && c.name != "off" && c.name != "all inhibited" {
				checkNoteFlow(t, m)
			}
		}))
	}
	t.Run("refused", bubble(func(t *testing.T) {
		m, h := startRecycler(t, Options{HoldBezel: true})
		refused := func(why string) {
			t.Helper()
			if _, err := m.Insert(note); !errors.Is(err, ErrRefused) {
				t.Errorf("%s: %v", why, err)
			}
		}
		insert(m, 500)
		refused("a note is in the path")
		h.drain()
		h.talk("33 F4 01 00 00 "+eur+" 58", "F0")
		refused("a payout runs")
		pause(2 * time.Second)
		refused("a note is in the bezel")
		m.Take()
		h.drain()
		for _, f := range [][2]string{{FaultJam, FaultUnjam}, {FaultPathOpen, FaultPathClosed}, {FaultUnplug, FaultPlug}, {FaultPowerOff, FaultPowerOn}} {
			m.Fault(Fault{Kind: f[0]})
			refused(f[0])
			m.Fault(Fault{Kind: f[1]})
		}
		refused("it starts")
		pause(time.Minute)
		insert(m, 500)
		if tr := m.Truth(); tr.Counters["stored"] != 1 || count(tr.Returned, 500) != 1 { // not enabled
			t.Errorf("truth: %+v", tr)
		}
		for _, in := range []Insert{{}, {Value: -1, Currency: "EUR"}, {Value: 500}, {Value: 500, Currency: "eur"}, {Value: 500, Currency: "EUR", Count: -1},
			{Value: 1 << 40, Currency: "EUR"}, {Barcode: "1", Value: 500, Currency: "EUR"}, {Value: 500, Currency: "EUR", Count: 1 << 40}} {
			if _, err := m.Insert(in); !errors.Is(err, ErrInvalid) {
				t.Errorf("%+v: %v", in, err)
			}
		}
		check(t, m.Truth())
	}))
}

// checkNoteFlow is checkCounters for a machine that may have rejected notes it never counted as inserted.
func checkNoteFlow(t *testing.T, m *Machine) {
	t.Helper()
	checkCounters(t, m)
}

// TestTicketAnswers: 27 along the way of a ticket.
func TestTicketAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		h.talk("24 03 01 06", "F0", "26 FC", "F0")
		if _, err := m.Insert(Insert{Barcode: "314159"}); err != nil {
			t.Fatal(err)
		}
		pause(noteReadTime)
		h.talk("56", "F0 E5", "27", "F0 01 06 33 31 34 31 35 39", "18", "F0", "56", "F0 CC")
		h.drain()
		h.talk("27", "F0 02 06 33 31 34 31 35 39")
		if tr := m.Truth(); sum(tr.Inserted) != 0 || tr.Counters["stacked"] != 0 {
			t.Errorf("a ticket counts as money: %+v", tr)
		}
	})
}

// TestStoreFull: what does not fit goes to the cashbox, and the machine says that it is full.
func TestStoreFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startRecycler(t, Options{Levels: map[int64]int{500: 79}})
		m.Insert(Insert{Value: 500, Currency: "EUR", Count: 2})
		if got := h.drain(); got != "EE/1 DB EE/1 EB" {
			t.Errorf("told %s", got)
		}
		h.talk("56", "F0 CF")
		checkCounters(t, m)
	})
}

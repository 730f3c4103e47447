package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestMultiEscrow: the bytes of ssp.md 16.3, and where the notes are meanwhile.
func TestMultiEscrow(t *testing.T) {
	for _, start := range []func(*testing.T, Options) (*Machine, *host){startRecycler, startNV4000} {
		synctest.Test(t, func(t *testing.T) {
			m, h := start(t, Options{})
			h.talk("79", "F0 00", "78", "F0 00 00 00 00 "+eur, "77", "F5", "76", "F5",
				"7A", "F3", "7A 00", "F4", "7A 15", "F4", "7A 14", "F0", "79", "F0 14", "7A 02", "F0")
			for _, value := range []int64{2000, 500} {
				insert(m, value)
				if got := h.drain(); got != "DB" {
					t.Errorf("told %s", got)
				}
			}
			if tr := m.Truth(); count(tr.Escrow, 2000) != 1 || count(tr.Escrow, 500) != 1 || tr.Moving || tr.Counters["stored"] != 0 {
				t.Errorf("held: %+v", tr)
			}
			h.talk("78", "F0 C4 09 00 00 "+eur, "56", "F0 8B", "35 D0 07 00 00 "+eur, "F0 04 00", "7A 03", "F5 03", "5B", "F5 03",
				"33 F4 01 00 00 "+eur+" 58", "F5 03", "52", "F5 03")
			insert(m, 1000) // more than the size
			if got := h.drain(); got != "EC" {
				t.Errorf("told %s", got)
			}
			h.talk("17", "F0 1D", "77", "F0", "77", "F5 03", "76", "F5 03", "56", "F0 8B 96 01 00 00 00 00 "+eur)
			pause(startTime + holdStepTime)
			h.talk("56", "F0 8B 96 01 D0 07 00 00 "+eur+" EE 03", "57", "F0")
			if got := h.drain(); got != "EE/1 97:2500" {
				t.Errorf("told %s", got)
			}
			h.talk("78", "F0 00 00 00 00 "+eur, "35 D0 07 00 00 "+eur, "F0 05 00", "56", "F0")
			checkRecyclers(t, m)
			checkCounters(t, m)

			insert(m, 500)
			h.drain()
			h.talk("76", "F0", "56", "F0 8B 94 01 00 00 00 00 "+eur)
			if got := h.drain(); got != "95:500" {
				t.Errorf("told %s", got)
			}
			h.talk("17", "F0 08", "56", "F0")
			check(t, m.Truth())
			checkCounters(t, m)
		})
	}
}

// TestMultiEscrowWithoutAcks: a host that polls plain is told everything once.
func TestMultiEscrowWithoutAcks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		h.talk("7A 05", "F0")
		insert(m, 500)
		h.drain()
		h.talk("07", "F0 8B", "77", "F0")
		pause(time.Minute)
		h.talk("07", "F0 EE 01 97 01 F4 01 00 00 "+eur, "07", "F0")
		check(t, m.Truth())
	})
}

// TestMultiEscrowOutlastsThePower: what is held stays held, the size is forgotten.
func TestMultiEscrowOutlastsThePower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := startRecycler(t, Options{})
		h.talk("7A 05", "F0")
		insert(m, 500)
		h.drain()
		if err := m.Fault(Fault{Kind: FaultReset}); err != nil {
			t.Fatal(err)
		}
		h.reconnect()
		h.drain()
		h.talk("79", "F0 00", "78", "F0 F4 01 00 00 "+eur, "56", "F0 E8 8B", "7A 05", "F5 03")
		if err := m.SetLevel(500, "EUR", 75); err == nil { // 4 of 10 and 20, 1 held
			t.Error("more notes than the store has room for")
		}
		h.talk("76", "F0")
		if got := h.drain(); got != "95:500" {
			t.Errorf("told %s", got)
		}
		check(t, m.Truth())
	})
}

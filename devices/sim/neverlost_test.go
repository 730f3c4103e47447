package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"coffer/ssp"
)

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

package sim

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coffer/ssp"
)

// scene is something a host lets a machine do, which is then cut at every one of its steps.
type scene struct {
	name    string
	profile string
	begin   func(*Machine, *host)
	// reports is what the machine tells after the restart by the step that was cut: event codes, and the values or
	// the channel of those that have one.
	reports map[string]string
}

var scenes = []scene{
	{"note into the store", "spectral-payout", func(m *Machine, h *host) {
		insert(m, 1000)
	}, map[string]string{
		"note:read": "E1/0", "note:accept": "E1/2", "note:credit": "E1/2", "note:place": "CB:1000",
	}},
	{"note into the cashbox", "spectral-payout", func(m *Machine, h *host) {
		h.tell("3B 01 E8 03 00 00 " + eur)
		insert(m, 1000)
	}, map[string]string{
		"note:read": "E1/0", "note:accept": "E1/2", "note:credit": "E1/2", "note:place": "CA:1000",
	}},
	{"note into a validator", "nv200", func(m *Machine, h *host) {
		insert(m, 2000)
	}, map[string]string{
		"note:read": "E1/0", "note:accept": "E1/3", "note:credit": "E1/3", "note:place": "E2/3",
	}},
	{"note rejected", "nv200", func(m *Machine, h *host) {
		m.Insert(Insert{Value: 2000, Currency: "EUR", Unreadable: true})
	}, map[string]string{"note:read": "E1/0", "note:rejected": "E1/0"}},
	{"payout", "spectral-payout", func(m *Machine, h *host) {
		h.tell("33 DC 05 00 00 " + eur + " 58")
	}, map[string]string{
		"op:start": "DC:0/1500", "op:pick": "DC:0/1500", "op:exit": "CA:1000 DC:0/1500", "op:take": "CD:1000 DC:1000/1500",
		"op:pick 2": "DC:1000/1500", "op:exit 2": "CA:500 DC:1000/1500", "op:take 2": "CD:500 DC:1500/1500",
	}},
	{"float", "spectral-payout", func(m *Machine, h *host) {
		h.tell("44 02 04 00 E8 03 00 00 " + eur + " 04 00 F4 01 00 00 " + eur + " 58")
	}, map[string]string{
		"op:start": "DD:0/8000", "op:pick": "DD:0/8000", "op:place": "CA:2000 DD:2000/8000",
		"op:pick 2": "DD:2000/8000", "op:place 2": "CA:2000 DD:4000/8000",
		"op:pick 3": "DD:4000/8000", "op:place 3": "CA:2000 DD:6000/8000",
		"op:pick 4": "DD:6000/8000", "op:place 4": "CA:2000 DD:8000/8000",
	}},
	{"smart empty", "spectral-payout", func(m *Machine, h *host) {
		m.SetLevel(500, "EUR", 0)
		m.SetLevel(1000, "EUR", 1)
		m.SetLevel(2000, "EUR", 1)
		h.tell("52")
	}, map[string]string{
		"op:start": "", "op:pick": "", "op:place": "CA:2000", "op:pick 2": "", "op:place 2": "CA:1000",
	}},
	{"note into the second reel", "nv22", func(m *Machine, h *host) {
		insert(m, 2000)
	}, map[string]string{
		"note:read": "E1/0", "note:accept": "E1/3", "note:credit": "E1/3", "note:place": "CB:2000",
	}},
	{"note that no reel takes", "nv22", func(m *Machine, h *host) {
		m.SetLevel(2000, "EUR", 1)
		insert(m, 1000)
	}, map[string]string{
		"note:read": "E1/0", "note:accept": "E1/2", "note:credit": "E1/2", "note:place": "CA:1000",
	}},
	{"note into the float", "nv11", func(m *Machine, h *host) {
		insert(m, 500)
	}, map[string]string{
		"note:read": "E1/0", "note:accept": "E1/1", "note:credit": "E1/1", "note:place": "CB:500",
	}},
	{"note past the float", "nv11", func(m *Machine, h *host) {
		insert(m, 1000)
	}, map[string]string{
		"note:read": "E1/0", "note:accept": "E1/2", "note:credit": "E1/2", "note:place": "CA:1000",
	}},
	{"payout of the top note", "nv11", func(m *Machine, h *host) {
		h.tell("42")
	}, map[string]string{
		"op:start": "DC:0/1000", "op:pick": "DC:0/1000", "op:exit": "CA:1000 DC:0/1000", "op:take": "CD:1000 DC:1000/1000",
	}},
	{"payout without the bezel", "nv11", func(m *Machine, h *host) {
		h.tell("5C 02")
		h.tell("42")
	}, map[string]string{"op:start": "DC:0/1000", "op:pick": "DC:0/1000", "op:exit": "CA:1000 DC:0/1000"}},
	{"stacking of the top note", "nv11", func(m *Machine, h *host) {
		h.tell("43")
	}, map[string]string{"op:start": "", "op:pick": "", "op:place": "CA:1000"}},
	{"emptying of a float", "nv11", func(m *Machine, h *host) {
		m.SetLevel(500, "EUR", 1)
		h.tell("52 00")
	}, map[string]string{"op:start": "", "op:pick": "", "op:place": "CA:1000", "op:pick 2": "", "op:place 2": "CA:500"}},
	{"note into a recycler", "nv4000", func(m *Machine, h *host) {
		h.tell("30 E0 01 03 E8 03 00 00 " + eur)
		insert(m, 1000)
	}, map[string]string{
		"note:read": "E1/0", "note:accept": "E1/2", "note:credit": "E1/2", "note:place": "CB:1000",
	}},
	{"payout into the tray", "nv4000", func(m *Machine, h *host) {
		h.tell("33 DC 05 00 00 " + eur + " 58")
	}, map[string]string{
		"op:start": "DC:0/1500", "op:pick": "DC:0/1500", "op:exit": "CA:1000 DC:0/1500",
		"op:pick 2": "DC:1000/1500", "op:exit 2": "CA:500 DC:1000/1500",
	}},
	{"payout into the bezel", "nv4000", func(m *Machine, h *host) {
		h.tell("30 E0 06 01")
		h.tell("33 E8 03 00 00 " + eur + " 58")
	}, map[string]string{
		"op:start": "DC:0/1000", "op:pick": "DC:0/1000", "op:exit": "CA:1000 DC:0/1000", "op:take": "CD:1000 DC:1000/1000",
	}},
	{"one recycler emptied", "nv4000", func(m *Machine, h *host) {
		h.tell("30 E0 01 03 D0 07 00 00 " + eur)
		m.SetLevel(2000, "EUR", 6)
		h.tell("52 02")
	}, map[string]string{
		"op:start": "", "op:pick": "", "op:place": "CA:2000", "op:pick 2": "", "op:place 2": "CA:2000",
	}},
	{"note into the multi escrow", "spectral-payout", func(m *Machine, h *host) {
		h.tell("7A 05")
		insert(m, 1000)
		h.drain()
		h.tell("76")
	}, map[string]string{
		"note:read": "E1/0", "note:accept": "E1/2", "note:keep": "E1/2", "escrow:start": "98:0", "escrow:pick": "98:0",
		"escrow:return": "E1/2 98:1000", "escrow:end": "98:1000",
	}},
	{"multi escrow committed", "nv4000", func(m *Machine, h *host) {
		h.tell("7A 05")
		insert(m, 1000)
		h.drain()
		h.tell("77")
	}, map[string]string{
		"note:read": "E1/0", "note:accept": "E1/2", "note:keep": "E1/2", "escrow:start": "99:0", "escrow:commit": "99:0",
		"escrow:end": "99:1000",
	}},
	{"replenishment", "nv4000", func(m *Machine, h *host) {
		if err := m.SetCassette(2000, "EUR", 2); err != nil {
			panic(err)
		}
		h.tell("30 E0 05 02 00")
		pause(5 * time.Second)
	}, map[string]string{"op:start": "", "op:pick": "", "op:place": "", "op:pick 2": "", "op:place 2": ""}},
	{"coins in", "scs", threeCoins, map[string]string{"coin:in": "", "coin:in 2": "", "coin:in 3": "", "coin:stop": ""}},
	{"coins out", "scs", payThree, payThreeReports},
	{"coins out", "hopper3", payThree, payThreeReports},
	{"coins out", "hopper4", payThree, payThreeReports},
	{"coins out", "twin", payThree, payThreeReports},
	{"coins out of both hoppers", "twin", func(m *Machine, h *host) {
		h.tell("30 05 85 01 64 00 00 00 " + eur)
		m.SetLevel(100, "EUR", 51)
		h.tell("33 2C 01 00 00 " + eur + " 58")
	}, payThreeReports},
	{"coins into a mech", "hopper3", threeCoins, map[string]string{"coin:in": "", "coin:in 2": "", "coin:in 3": ""}},
	{"coins into a mech", "hopper4", threeCoins, map[string]string{"coin:in": "", "coin:in 2": "", "coin:in 3": ""}},
	{"coins in", "twin", threeCoins, map[string]string{"coin:in": "", "coin:in 2": "", "coin:in 3": "", "coin:stop": ""}},
	{"coin float", "hopper3", coinFloat, coinFloatReports},
	{"coin float", "hopper4", coinFloat, coinFloatReports},
	{"coin float", "twin", coinFloat, coinFloatReports},
	{"coin empty", "hopper3", func(m *Machine, h *host) {
		for _, v := range []int64{1, 2, 5, 10, 20, 50, 100} {
			m.SetLevel(v, "EUR", 0)
		}
		m.SetLevel(200, "EUR", 2)
		h.tell("52")
	}, map[string]string{"op:start": "", "op:coin": "", "op:coin 2": ""}},
}

func threeCoins(m *Machine, _ *host) { m.Insert(Insert{Value: 50, Currency: "EUR", Count: 3}) }

func payThree(_ *Machine, h *host) { h.tell("33 2C 01 00 00 " + eur + " 58") }

var payThreeReports = map[string]string{"op:start": "DC:0/300", "op:coin": "DC:0/300", "op:coin 2": "DC:200/300"}

// coinFloat keeps all but three coins of 2 EUR.
func coinFloat(m *Machine, h *host) {
	list := "08"
	for _, d := range m.data {
		keep := "32"
		if d.value == 200 {
			keep = "2F"
		}
		list += " " + keep + " 00 " + u32(uint32(d.value)) + " " + eur
	}
	h.tell("44 " + list + " 58")
}

var coinFloatReports = map[string]string{"op:start": "DD:0/600", "op:coin": "DD:0/600", "op:coin 2": "DD:200/600", "op:coin 3": "DD:400/600"}

func insert(m *Machine, value int64) {
	if _, err := m.Insert(Insert{Value: value, Currency: "EUR"}); err != nil {
		panic(err)
	}
}

// TestPowerCutAtEveryStep: whatever the moment, no piece is lost, the counters tell the truth, and the host learns what
// became of the piece that was under way (ssp.md 14.4).
func TestPowerCutAtEveryStep(t *testing.T) {
	for _, s := range scenes {
		for at := 1; at <= len(s.reports)+1; at++ {
			t.Run(fmt.Sprintf("%s/%s/%d", s.name, s.profile, at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { cutScene(t, s, at) })
			})
		}
	}
}

func cutScene(t *testing.T, s scene, at int) {
	m, h := startProfile(t, s.profile)
	step, seen, steps := "", map[string]int{}, 0
	m.OnStep(func(name string) bool {
		if steps++; seen[name] == 0 {
			seen[name]++
		} else if seen[name]++; true {
			name = fmt.Sprintf("%s %d", name, seen[name])
		}
		if steps == at {
			step = name
		}
		return steps == at
	})
	s.begin(m, h)
	h.drain()
	m.OnStep(nil)
	check(t, m.Truth())
	if at > len(s.reports) {
		if step != "" {
			t.Fatalf("the table has no step %q", step)
		}
		checkCounters(t, m)
		return
	}
	want, ok := s.reports[step]
	if !ok {
		t.Fatalf("the table has no step %q", step)
	}
	before := m.Truth()
	if before.Power || m.Fault(Fault{Kind: FaultPowerOn}) != nil {
		t.Fatal("the power is on")
	}
	h.reconnect()
	got := h.drain()
	if h.tell("76") == "F0" { // what is held still goes back
		h.drain()
	}
	if got != strings.TrimSpace("F1 "+want) {
		t.Errorf("cut at %s: told %q, want %q", step, got, want)
	}
	tr := m.Truth()
	check(t, tr)
	checkCounters(t, m)
	if tr.Moving || sum(tr.Transit)+sum(tr.Escrow) > 0 {
		t.Errorf("cut at %s: something is still on its way: %+v", step, tr)
	}
}

// startProfile connects a host to a machine that accepts everything.
func startProfile(t *testing.T, profile string) (*Machine, *host) {
	switch profile {
	case "spectral-payout":
		return startRecycler(t, Options{})
	case "nv4000":
		return startNV4000(t, Options{})
	case "nv22":
		return startNV22(t, Options{})
	case "nv11":
		return startFloat(t, Options{Levels: map[int64]int{500: 2, 1000: 1}})
	case "scs", "hopper3", "hopper4", "twin":
		return startHopper(t, profile, Options{})
	}
	m, h := newMachineOnPipe(t, profile, 0, Options{})
	h.connect()
	h.talk("56", "F0 F1 E8", "02 7F", "F0", "0A", "F0", "56", "F0")
	return m, h
}

// drain polls with acknowledgement until nothing moves, and lists the one-shot events; it ends early when the machine
// falls silent.
func (h *host) drain() string {
	h.t.Helper()
	var told []string
	for quiet, polls := 0, 0; quiet < 3 && polls < 1000; polls++ {
		pause(100 * time.Millisecond)
		data := h.tell("56")
		if data == "" {
			break
		}
		events, err := ssp.ParsePoll(unhex(h.t, data)[1:], 8, h.addr == 0x10, nil)
		if err != nil {
			h.t.Fatalf("%s: %v", data, err)
		}
		ack, calm := false, true
		for _, e := range events {
			calm = calm && !e.Code.Moving()
			if e.Code.OneShot() {
				ack = true
				told = append(told, describe(e))
			}
		}
		if quiet++; ack || !calm {
			quiet = 0
		}
		if ack {
			h.tell("57")
		}
	}
	return strings.Join(told, " ")
}

func describe(e ssp.Event) string {
	s := fmt.Sprintf("%02X", byte(e.Code))
	for _, v := range e.Values {
		s += fmt.Sprintf(":%d", v.Paid)
		if e.Code == ssp.EvIncompletePayout || e.Code == ssp.EvIncompleteFloat {
			s += fmt.Sprintf("/%d", v.Requested)
		}
	}
	switch e.Code {
	case ssp.EvCredit, ssp.EvClearedFromFront, ssp.EvClearedIntoCashbox:
		s += fmt.Sprintf("/%d", e.Channel)
	}
	return s
}

// reconnect calls until the machine answers, then connects.
func (h *host) reconnect() {
	h.t.Helper()
	h.session = nil
	for range 60 {
		if h.tell("11") != "" {
			h.connect()
			return
		}
	}
	h.t.Fatal("the machine does not come back")
}

func sum(rows []Row) int {
	n := 0
	for _, r := range rows {
		n += r.Count
	}
	return n
}

// checkCounters compares the machine's counters with the truth of one that started with counters at zero, had its
// stock put in by hand before, and whose cashbox was never emptied.
func checkCounters(t *testing.T, m *Machine) {
	t.Helper()
	tr := m.Truth()
	c := func(name string) int { return int(tr.Counters[name]) }
	under := sum(tr.Transit) + sum(tr.Escrow)
	if under > 0 {
		return
	}
	var bad bool
	if _, coins := tr.Counters["paid_in"]; coins {
		bad = c("paid_in") != sum(tr.Inserted)-sum(tr.Returned) || c("to_cashbox") != sum(tr.Cashbox) ||
			c("paid_in")-c("paid_out") != sum(tr.Payout)-sum(tr.Start)+0+countedTwice(tr)
	} else {
		bad = c("stacked")+c("stored") != sum(tr.Inserted)-sum(tr.Returned) || c("dispensed") != sum(tr.Dispensed) ||
			c("stacked")+c("transferred") != sum(tr.Cashbox) ||
			c("stored")-c("dispensed")-c("transferred") != sum(tr.Payout)-sum(tr.Start)
	}
	if bad {
		t.Errorf("counters %v do not fit %+v", tr.Counters, tr)
	}
}

// countedTwice is how many coins went from the feeder straight into the cashbox: in, but not out of the hopper.
func countedTwice(tr Truth) int {
	return int(tr.Counters["to_cashbox"]) + sum(tr.Dispensed) - int(tr.Counters["paid_out"])
}

// TestPowerCutTwice: a start that is cut as well changes nothing about what the host is told.
func TestPowerCutTwice(t *testing.T) {
	for _, again := range []string{"boot:start", "boot:clear", "boot:report", ""} {
		t.Run("again at "+again, bubble(func(t *testing.T) {
			m, h := startRecycler(t, Options{})
			cuts := []string{"op:exit", again}
			m.OnStep(func(step string) bool {
				if len(cuts) == 0 || step != cuts[0] {
					return false
				}
				cuts = cuts[1:]
				return true
			})
			h.tell("33 DC 05 00 00 " + eur + " 58")
			h.drain()
			for !m.Truth().Power {
				if err := m.Fault(Fault{Kind: FaultPowerOn}); err != nil {
					t.Fatal(err)
				}
				pause(time.Minute)
			}
			h.reconnect()
			if again == "" { // told, and lost with the host before it could acknowledge
				h.talk("56", "F0 F1 E8 CA E8 03 00 00 "+eur)
				m.Fault(Fault{Kind: FaultReset})
				pause(time.Minute)
				h.reconnect()
			}
			if got := h.drain(); got != "F1 CA:1000 DC:0/1500" {
				t.Errorf("told %s", got)
			}
			m.Fault(Fault{Kind: FaultReset}) // acknowledged: not told again
			h.reconnect()
			if got := h.drain(); got != "F1" {
				t.Errorf("then told %s", got)
			}
			checkCounters(t, m)
		}))
	}
}

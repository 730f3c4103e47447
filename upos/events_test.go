package upos_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"coffer/upos"
	"coffer/upos/upostest"
)

// automaton is the event and deposit model of the standard for one instance of a CashChanger that nobody else claims,
// written from the fact sheet (2.1, 2.6, 2.7, 4.3, 4.4) and not from the code.
type automaton struct {
	strict bool // literal first-in first-out

	open, claimed, enabled, frozen, dataEnabled, realTime bool
	queue                                                 []expected
	sent                                                  *expected // delivered, handler not returned
	void                                                  bool      // discarded since

	deposit         int // number
	status          int32
	paused, latched bool // RealTimeDataEnabled as BeginDeposit found it
	amount, shown   int32
	untold          bool
	accepting       bool // what the machine was told last
	jam, offline    bool
	notify          bool // PowerNotify
}

// expected is an event in the queue of the automaton.
type expected struct {
	kind    string
	code    int32
	deposit int
	amount  int32
}

func (e expected) String() string { return fmt.Sprintf("%s %d", e.kind, e.code) }

// put: events may be enqueued only while the device is enabled.
func (a *automaton) put(e expected) {
	if a.enabled {
		a.queue = append(a.queue, e)
	}
}

func (a *automaton) power() {
	a.put(expected{kind: upos.StatusUpdateEvent, code: map[bool]int32{true: upos.SUE_POWER_OFF_OFFLINE, false: upos.SUE_POWER_ONLINE}[a.offline]})
}

func (a *automaton) data() {
	a.put(expected{kind: upos.DataEvent, deposit: a.deposit, amount: a.amount})
}

// next is the event that an application would get now: nothing while frozen, no DataEvent while DataEventEnabled is
// false, one at a time. DataEventEnabled turns false and the amounts are copied before the application has it.
func (a *automaton) next() *expected {
	if !a.open || a.frozen {
		return nil
	}
	if a.sent != nil && !a.void {
		return a.sent
	}
	for i, e := range a.queue {
		if e.kind == upos.DataEvent && !a.dataEnabled {
			if a.strict {
				return nil
			}
			continue
		}
		a.queue = append(append([]expected{}, a.queue[:i]...), a.queue[i+1:]...)
		if e.kind == upos.DataEvent {
			a.dataEnabled = false
			if a.latched && e.deposit == a.deposit && a.status == start && e.amount >= a.shown {
				a.shown = e.amount
			}
		}
		a.sent, a.void = &e, false
		return a.sent
	}
	return nil
}

// clear drops the DataEvents, or everything.
func (a *automaton) clear(all bool) {
	var keep []expected
	for _, e := range a.queue {
		if !all && e.kind != upos.DataEvent {
			keep = append(keep, e)
		}
	}
	a.queue = keep
	if a.sent != nil && (all || a.sent.kind == upos.DataEvent) {
		a.void = true
	}
}

// leave ends a deposit whose application goes: the money is kept.
func (a *automaton) leave() {
	if a.status == start {
		a.accepting = false
	}
	if a.status == start || a.status == counted {
		a.shown, a.status, a.paused = a.amount, end, false
	}
	a.enabled = false
}

func (a *automaton) dataCount() int32 {
	n := int32(0)
	for _, e := range a.queue {
		if e.kind == upos.DataEvent {
			n++
		}
	}
	return n
}

// depositStatus is DepositStatus with the jam over it.
func (a *automaton) depositStatus() int32 {
	if a.jam && (a.status == start || a.status == counted) {
		return upos.CHAN_STATUS_DEPOSIT_JAM
	}
	return a.status
}

const (
	start   = upos.CHAN_STATUS_DEPOSIT_START
	end     = upos.CHAN_STATUS_DEPOSIT_END
	counted = upos.CHAN_STATUS_DEPOSIT_COUNT
)

// pair is the automaton and the real thing side by side.
type pair struct {
	a *automaton
	h *upos.Handle
	m *upostest.Mechanism
}

// do calls a method and compares success with what the automaton says.
func (p *pair) do(t *rapid.T, method string, args map[string]any, ok bool) bool {
	err := call(p.h, method, args)
	if (err == nil) != ok {
		t.Fatalf("%s%v: %v, the standard says %v", method, args, err, ok)
	}
	return ok
}

func (p *pair) set(t *rapid.T, name string, value any, ok bool) bool {
	err := p.h.Set(name, value)
	if (err == nil) != ok {
		t.Fatalf("set %s: %v, the standard says %v", name, err, ok)
	}
	return ok
}

// steps are what may happen, in any order.
func (p *pair) steps() map[string]func(*rapid.T) {
	a := p.a
	return map[string]func(*rapid.T){
		"open": func(t *rapid.T) {
			if p.do(t, "Open", map[string]any{"deviceName": "Till2"}, !a.open) {
				*a = automaton{strict: a.strict, jam: a.jam, offline: a.offline, open: true}
			}
		},
		"close": func(t *rapid.T) {
			if p.do(t, "Close", nil, a.open) {
				a.leave()
				*a = automaton{strict: a.strict, jam: a.jam, offline: a.offline}
			}
		},
		"claim": func(t *rapid.T) {
			if p.do(t, "Claim", map[string]any{"timeout": 0}, a.open) {
				a.claimed = true
			}
		},
		"release": func(t *rapid.T) {
			if p.do(t, "Release", nil, a.claimed) {
				a.leave()
				a.claimed = false
				a.clear(true)
			}
		},
		"enable": func(t *rapid.T) {
			on := rapid.Bool().Draw(t, "on")
			dead := on && !a.enabled && a.offline && !a.notify // then enabling fails
			if !p.set(t, "DeviceEnabled", on, a.claimed && !dead) || on == a.enabled {
				return
			}
			if !on {
				a.leave()
				return
			}
			a.enabled, a.status = true, end
			if a.notify { // the first event is the state
				a.power()
			}
		},
		"power notify": func(t *rapid.T) {
			n := rapid.Int32Range(upos.PN_DISABLED, upos.PN_ENABLED).Draw(t, "n")
			if p.set(t, "PowerNotify", n, a.open && !a.enabled) {
				a.notify = n == upos.PN_ENABLED
			}
		},
		"plug": func(t *rapid.T) {
			in := rapid.Bool().Draw(t, "in")
			p.m.Online(0, in)
			if in == a.offline {
				a.offline = !in
				if a.notify {
					a.power()
				}
			}
		},
		"payout": func(t *rapid.T) {
			amount := rapid.SampledFrom([]int32{10, 100_000_000}).Draw(t, "amount")
			if !p.set(t, "AsyncMode", true, a.open) {
				return
			}
			// Missing stock is reported like the end of a payout, everything else at the call.
			p.do(t, "DispenseChange", map[string]any{"amount": amount}, a.enabled && a.status == end && !a.jam && !a.offline)
			synctest.Wait()
			if a.enabled && a.status == end && !a.jam && !a.offline {
				a.put(expected{kind: upos.StatusUpdateEvent, code: upos.CHAN_STATUS_ASYNC})
			}
		},
		"freeze": func(t *rapid.T) {
			on := rapid.Bool().Draw(t, "on")
			if p.set(t, "FreezeEvents", on, a.open) {
				a.frozen = on
			}
		},
		"data events": func(t *rapid.T) {
			on := rapid.Bool().Draw(t, "on")
			if p.set(t, "DataEventEnabled", on, a.open) {
				a.dataEnabled = on
			}
		},
		"real time": func(t *rapid.T) {
			on := rapid.Bool().Draw(t, "on")
			if p.set(t, "RealTimeDataEnabled", on, a.enabled) {
				a.realTime = on
			}
		},
		"begin": func(t *rapid.T) {
			ok := a.enabled && a.status == end && !a.jam && !a.offline
			may := a.enabled && a.status == end
			p.do(t, "BeginDeposit", nil, ok)
			if may { // the amounts are 0 at BeginDeposit, also of one that the machine then refuses
				a.deposit++
				a.latched, a.amount, a.shown, a.untold, a.paused = a.realTime, 0, 0, false, false
			}
			if ok {
				a.status, a.accepting = start, true
			}
		},
		"pause": func(t *rapid.T) {
			may := a.enabled && a.status == start && !a.paused && !a.jam
			if p.do(t, "PauseDeposit", map[string]any{"control": upos.CHAN_DEPOSIT_PAUSE}, may && !a.offline) {
				a.paused, a.shown = true, a.amount
			}
			a.accepting = a.accepting && !may
		},
		"restart": func(t *rapid.T) {
			may := a.enabled && a.status == start && a.paused && !a.jam
			if p.do(t, "PauseDeposit", map[string]any{"control": upos.CHAN_DEPOSIT_RESTART}, may && !a.offline) {
				a.paused, a.accepting = false, true
				if a.untold {
					a.data()
				}
				a.untold = false
			}
		},
		"fix": func(t *rapid.T) {
			may := a.enabled && (a.status == start || a.status == counted && a.jam)
			if p.do(t, "FixDeposit", nil, may && (!a.offline || a.jam)) {
				a.status, a.shown, a.paused = counted, a.amount, false
			}
			a.accepting = a.accepting && !may
		},
		"end": func(t *rapid.T) {
			if p.do(t, "EndDeposit", map[string]any{"success": upos.CHAN_DEPOSIT_CHANGE}, a.enabled && a.status == counted) {
				a.status = end
			}
		},
		"clear input": func(t *rapid.T) {
			if p.do(t, "ClearInput", nil, a.claimed) {
				a.clear(false)
			}
		},
		"insert": func(t *rapid.T) {
			n := int32(rapid.IntRange(1, 3).Draw(t, "n"))
			p.m.Insert(upostest.Coin(10), int(n))
			for range n {
				switch {
				case a.accepting && !a.jam:
					a.amount += 10
					a.data()
				default: // the acceptor is off: it comes back
					a.put(expected{kind: upos.DirectIOEvent, code: upos.DirectReturned})
				}
			}
		},
		"late credit": func(*rapid.T) {
			p.m.Credit(1, upostest.Coin(20), 1)
			switch {
			case a.status != start:
				a.put(expected{kind: upos.DirectIOEvent, code: upos.DirectLateCredit})
			case a.paused:
				a.amount += 20
				a.untold = true
			default:
				a.amount += 20
				a.data()
			}
		},
		"jam": func(t *rapid.T) {
			on := rapid.Bool().Draw(t, "on")
			p.m.Jam(1, on) // the coin machine, where the money goes in
			if on != a.jam {
				a.jam = on
				a.put(expected{kind: upos.StatusUpdateEvent, code: map[bool]int32{true: upos.CHAN_STATUS_JAM, false: upos.CHAN_STATUS_JAMOK}[on]})
			}
		},
		"next": p.next,
		"ack": func(t *rapid.T) {
			if a.sent == nil || !a.open {
				return
			}
			p.ack(t)
		},
		"": p.check,
	}
}

// next asks for an event without waiting.
func (p *pair) next(t *rapid.T) {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	want := p.a.next()
	ev, err := p.h.Next(now)
	switch {
	case want == nil && err == nil:
		t.Fatalf("%s %d was delivered, the standard says nothing may be", ev.Kind, ev.Status)
	case want == nil && p.a.open == errors.Is(err, upos.ErrClosed):
		t.Fatalf("%v while open is %v", err, p.a.open)
	case want == nil:
	case err != nil:
		t.Fatalf("nothing was delivered (%v), the standard says %s", err, want)
	case ev.Kind != want.kind || ev.Status+ev.Number != want.code:
		t.Fatalf("%s %d %d was delivered, the standard says %s", ev.Kind, ev.Status, ev.Number, want)
	}
}

// ack acknowledges what was delivered last.
func (p *pair) ack(t *rapid.T) {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	if !p.a.void && !p.a.frozen { // the same again, so that its number is known
		ev, err := p.h.Next(now)
		if err != nil {
			t.Fatalf("the event that was not acknowledged does not come again: %v", err)
		}
		if err := p.h.Ack(ev.Seq); err != nil {
			t.Fatal(err)
		}
		p.a.sent = nil
	}
}

// check compares every property that the event rules are about.
func (p *pair) check(t *rapid.T) {
	a := p.a
	if !a.open {
		return
	}
	want := map[string]any{"DataCount": a.dataCount(), "DepositAmount": a.shown, "DataEventEnabled": a.dataEnabled,
		"FreezeEvents": a.frozen, "DeviceEnabled": a.enabled, "Claimed": a.claimed}
	if a.enabled {
		want["DepositStatus"] = a.depositStatus()
	}
	for name, v := range want {
		if got, err := p.h.Get(name); err != nil || got != v {
			t.Fatalf("%s is %v (%v), the standard says %v", name, got, err, v)
		}
	}
}

// timeless keeps rapid from asking for a deadline, which there is none of in a bubble.
type timeless struct{ rapid.TB }

// TestEventRules drives random calls and money, and compares with the automaton after every step.
func TestEventRules(t *testing.T) {
	for _, strict := range []bool{false, true} {
		t.Run(fmt.Sprintf("strict FIFO %v", strict), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				rapid.Check(timeless{t}, func(rt *rapid.T) {
					w := newWorld(t, func(c *upos.Config) { c.StrictFIFO = strict })
					h, err := w.service.Handle(upos.CashChanger)
					if err != nil {
						rt.Fatal(err)
					}
					p := &pair{&automaton{strict: strict}, h, w.machines["Till2"]}
					p.ready(rt)
					rt.Repeat(p.steps())
					p.drain(rt)
					w.service.Close()
				})
			})
		})
	}
}

// drain takes all events that are left, so that every wrong one is seen.
func (p *pair) drain(t *rapid.T) {
	if !p.a.open {
		return
	}
	p.set(t, "FreezeEvents", false, true)
	p.a.frozen = false
	for more := true; more; {
		p.set(t, "DataEventEnabled", true, true)
		p.a.dataEnabled = true
		p.next(t)
		p.check(t)
		more = p.a.sent != nil && !p.a.void
		if more {
			p.ack(t)
		}
	}
}

// ready goes as far as the first deposit, so that most sequences have something to do.
func (p *pair) ready(t *rapid.T) {
	steps := p.steps()
	steps["open"](t)
	steps["claim"](t)
	if rapid.Bool().Draw(t, "power notification") {
		p.set(t, "PowerNotify", upos.PN_ENABLED, true)
		p.a.notify = true
	}
	p.set(t, "DeviceEnabled", true, true)
	p.a.enabled, p.a.status = true, end
	if p.a.notify {
		p.a.power()
	}
	p.set(t, "RealTimeDataEnabled", true, true)
	p.a.realTime = true
	p.set(t, "DataEventEnabled", true, true)
	p.a.dataEnabled = true
	steps["begin"](t)
}

package upostest

import (
	"slices"
	"time"

	"coffer/upos"
)

// What a test does to the machines.

// Insert puts n pieces in, one after the other. A part that accepts takes them; else they come back and it is false.
func (m *Mechanism) Insert(p upos.Piece, n int) bool {
	took := true
	for range n {
		m.tell(func() []upos.Change {
			for i, part := range m.parts {
				if !slices.Contains(part.Accepts, p) {
					continue
				}
				if m.wanted[i] && part.Online && !part.Jammed && !part.BoxOut && !part.Full {
					return []upos.Change{m.credit(i, p, 1)}
				}
				took = false
				return []upos.Change{{Part: i, Returned: true}}
			}
			took = false
			return nil
		})
	}
	return took
}

// InPath puts a piece into the path of the part that accepts it: it is credited when the mechanism is settled.
func (m *Mechanism) InPath(p upos.Piece) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, part := range m.parts {
		if slices.Contains(part.Accepts, p) {
			m.path[i] = append(m.path[i], p)
			return
		}
	}
}

// Credit makes part i take n pieces though nobody asked it to accept, as after a power cut.
func (m *Mechanism) Credit(i int, p upos.Piece, n int) {
	m.tell(func() []upos.Change { return []upos.Change{m.credit(i, p, n)} })
}

// set changes the state of a part and tells of it.
func (m *Mechanism) set(i int, c upos.Change, f func(*upos.Part)) {
	m.tell(func() []upos.Change {
		f(&m.parts[i])
		c.Part = i
		return []upos.Change{c}
	})
}

// Jam jams or clears part i.
func (m *Mechanism) Jam(i int, on bool) {
	m.set(i, upos.Change{Status: true}, func(p *upos.Part) { p.Jammed = on })
}

// Online connects or disconnects part i.
func (m *Mechanism) Online(i int, on bool) {
	m.set(i, upos.Change{Status: true}, func(p *upos.Part) { p.Online = on })
}

// Full fills part i, or makes room in it.
func (m *Mechanism) Full(i int, on bool) {
	m.set(i, upos.Change{Status: true}, func(p *upos.Part) { p.Full = on })
}

// Box takes the cashbox of part i out, or puts it back.
func (m *Mechanism) Box(i int, out bool) {
	m.set(i, upos.Change{Status: true, BoxOut: out, BoxIn: !out}, func(p *upos.Part) { p.BoxOut = out })
}

// Doubt writes a discrepancy of part i.
func (m *Mechanism) Doubt(i int) {
	m.set(i, upos.Change{Doubt: true}, func(p *upos.Part) { p.InDoubt = true })
}

// Fraud tries to cheat part i.
func (m *Mechanism) Fraud(i int) { m.set(i, upos.Change{Fraud: true}, func(*upos.Part) {}) }

// Stock says that part i has n of a piece in its store.
func (m *Mechanism) Stock(i int, piece upos.Piece, n int) {
	m.set(i, upos.Change{Status: true}, func(p *upos.Part) { p.Store[piece] = n })
}

// Hold keeps every payout from ending until the function that it returns is called.
func (m *Mechanism) Hold() (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	hold := make(chan struct{})
	m.hold = hold
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.hold == hold {
			m.hold = nil
			close(hold)
		}
	}
}

// PayTime makes every payout last.
func (m *Mechanism) PayTime(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pay = d
}

// Short makes the next payout end short.
func (m *Mechanism) Short(s Short) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.short = &s
}

// Fault makes every call of a method fail; nil ends that.
func (m *Mechanism) Fault(method string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault[method] = err
}

// Flash makes the next firmware update wait for the percentages that are sent, and end when the channel is closed.
func (m *Mechanism) Flash() chan<- int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flash = make(chan int)
	return m.flash
}

// Calls lists what was asked of the mechanism: "Accept true", "Dispense …".
func (m *Mechanism) Calls() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}

// InStore is the truth about what is in part i's store.
func (m *Mechanism) InStore(i int, p upos.Piece) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.parts[i].Store[p]
}

// InBox is the truth about what is in part i's cashbox.
func (m *Mechanism) InBox(i int, p upos.Piece) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.parts[i].Box[p]
}

// LeftOn turns acceptance on as a program of another kind does.
func (m *Mechanism) LeftOn() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, p := range m.parts {
		m.wanted[i] = len(p.Accepts) > 0
	}
}

// Count says what a counter of the machines stands at.
func (m *Mechanism) Count(name string, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.counters == nil {
		m.counters = map[string]int64{}
	}
	m.counters[name] = n
}

// CanUpdate makes part i take firmware.
func (m *Mechanism) CanUpdate(i int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parts[i].CanUpdate = true
}

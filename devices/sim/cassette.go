package sim

import (
	"fmt"
	"slices"

	"coffer/ssp"
)

// The replenishment cassette of a machine with recyclers (ssp.md 16.4): all of this file is our coding. What the fact
// sheet leaves open is decided so: the cassette is a part of the payout store in GET ALL LEVELS and in the truth; it is
// paid from in payout mode only, after the recyclers, and the recyclers are filled from it in the other mode only; a note
// on its way from it into a recycler stays in the levels, and no counter counts it.

// Modes of the cassette.
const (
	cassetteReplenish byte = 0
	cassettePayout    byte = 1
)

// cassetteCapacity is how many notes fit into the cassette.
const cassetteCapacity = 60

// inCassette is what is in it, by denomination; nil for a machine without one.
func (m *Machine) inCassette() map[denom]int {
	if m.prof.Recyclers == 0 {
		return nil
	}
	return m.nv.recyclers.held[m.prof.Recyclers]
}

func pieces(held map[denom]int) (n int) {
	for _, k := range held {
		n += k
	}
	return n
}

// toCassette reports whether notes of d are routed into the cassette.
func (m *Machine) toCassette(d denom) bool {
	return m.prof.Recyclers > 0 && int(m.nv.recyclers.routes[d]) > m.prof.Recyclers
}

// within is how many pieces of d an operation can move: not those of a cassette that is away, and a payout none of one
// that is not there to be paid from.
func (m *Machine) within(d denom, kind opKind) int {
	n := m.stock.count(d, inPayout)
	if m.faults.cassetteOut || kind == opPayout && m.nv.recyclers.cassette != cassettePayout {
		n -= m.inCassette()[d]
	}
	return n
}

// level is what the machine says that it has of d.
func (m *Machine) level(d denom) uint16 {
	n := m.stock.level(d)
	if p := m.replenishing(); p != nil && p.d == d {
		n++
	}
	return n
}

// replenishing returns the note on its way from the cassette into a recycler, nil for none.
func (m *Machine) replenishing() *piece {
	n, ok := m.mech.(*notePath)
	if !ok || m.nv.op == nil || m.nv.op.kind != opReplenish || n.phase != phaseMoving && n.lying != phaseMoving {
		return nil
	}
	return n.piece
}

// replenish is 30 E0 05.
func (m *Machine) replenish(p *params) answer {
	n := int(p.u16())
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case n == 0:
		return reply(ssp.OutOfRange)
	case m.faults.cassetteOut:
		return reply(ssp.CannotProcess)
	}
	if a, ok := m.ready(); !ok {
		return a
	}
	if m.nv.recyclers.cassette != cassetteReplenish {
		return refuse(disabled)
	}
	list, sum := m.fitting(n)
	if len(list) == 0 {
		return refuse(notEnough)
	}
	return m.begin(opReplenish, sum, list)
}

// fitting lists up to n notes of the cassette for which the recyclers have room, and what they are worth.
func (m *Machine) fitting(n int) (list []denom, sum int64) {
	r := &m.nv.recyclers
	room := make([]int, m.prof.Recyclers)
	for i := range room {
		room[i] = m.recyclerRoom(i)
	}
	for _, d := range slices.Backward(m.data) {
		for range m.inCassette()[d] {
			own := int(r.routes[d]) - 1
			i := slices.IndexFunc(room, func(k int) bool { return k > 0 })
			if own >= 0 && own < len(room) && room[own] > 0 {
				i = own
			}
			if i < 0 || len(list) == n {
				return list, sum
			}
			room[i]--
			list, sum = append(list, d), sum+d.value
		}
	}
	return list, sum
}

// replenished ends the way of a note from the cassette: in a recycler, or in the tray if it is no good.
func (n *notePath) replenished() {
	m, d := n.m, n.piece.d
	n.phase, n.piece = phaseClear, nil
	if m.faults.divert {
		m.faults.divert = false
		m.stock.fill(d, inTransit, -1) // a hand takes it from there
		m.tell(ssp.Event{Code: ssp.EvSentToCassetteTray})
		return
	}
	m.shelveFrom(d, inTransit)
	m.nv.op.paid += d.value
	m.tell(ssp.Event{Code: ssp.EvStoredFromCassette, Values: money(d.value, d.currency)})
}

// shelveFrom puts a note into a recycler, whatever its route.
func (m *Machine) shelveFrom(d denom, from place) {
	m.nv.recyclers.inward = true
	m.stock.move(d, from, inPayout)
	m.nv.recyclers.inward = false
}

// fillCassette lets a hand put n notes into the cassette, or take -n out.
func (m *Machine) fillCassette(d denom, n int) {
	m.nv.recyclers.byHand = true
	m.stock.fill(d, inPayout, n)
	m.nv.recyclers.byHand = false
}

// SetCassette makes count notes of a denomination lie in the replenishment cassette, as a hand that fills it or takes
// out. ErrInvalid for a machine without one, a denomination that is not in the dataset, or more than fit.
func (m *Machine) SetCassette(value int64, currency string, count int) (err error) {
	m.enter(func() {
		d := denom{value, currency}
		now := m.inCassette()[d]
		switch {
		case m.prof.Recyclers == 0:
			err = fmt.Errorf("%w: a %s has no replenishment cassette", ErrInvalid, m.prof.Name)
		case !slices.Contains(m.data, d):
			err = fmt.Errorf("%w: %v is not in the dataset", ErrInvalid, d)
		case count < 0 || pieces(m.inCassette())-now+count > cassetteCapacity:
			err = fmt.Errorf("%w: %d notes; the cassette holds %d", ErrInvalid, count, cassetteCapacity)
		default:
			m.fillCassette(d, count-now)
		}
	})
	return err
}

// replaceCassette puts the cassette back, with Empty an empty one.
func replaceCassette(m *Machine, f Fault) {
	if !m.faults.cassetteOut {
		return
	}
	m.faults.cassetteOut = false
	if f.Empty {
		for d, n := range m.inCassette() {
			m.fillCassette(d, -n)
		}
	}
	if m.power && m.booted && m.ram.extended {
		m.tell(ssp.Event{Code: ssp.EvCassetteReplaced})
	}
}

// cassetteStatus appends what the cassette shows in every answer to a host that knows of it.
func (m *Machine) cassetteStatus(out []ssp.Event) []ssp.Event {
	switch {
	case !m.ram.extended || m.prof.Recyclers == 0:
	case m.faults.cassetteOut:
		out = append(out, ssp.Event{Code: ssp.EvCassetteRemoved})
	case pieces(m.inCassette()) >= cassetteCapacity:
		out = append(out, ssp.Event{Code: ssp.EvCassetteFull})
	}
	return out
}

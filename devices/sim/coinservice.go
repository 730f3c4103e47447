package sim

import (
	"time"

	"coffer/ssp"
)

// The service book of a coin machine (ssp.md 16.6). All of it is our coding.

// What a unit is asked about, in the order of the REST manual's table.
const (
	serviceStatus byte = iota // 0 in order, 1 due
	serviceNext               // coins until it is due
	serviceLast               // the last three: week, year and who noted it, a byte each
	serviceSince              // since then: coins processed, acceptance in percent, jams, calibration failures
	serviceFlags              // 1 jammed, 2 not calibrated, 4 due
	serviceLife               // cycles, power-ons, hours with power
)

// serviceEvery is after how many coins a unit wants to be serviced.
const serviceEvery = 500000

// serviceDay is when a service was noted; Week 0 for never.
type serviceDay struct{ week, year byte }

// notedByHost is the third byte of a service.
const notedByHost = 1

func (m *Machine) serviceInfo(unit, about byte) answer {
	out := []byte{byte(ssp.OK), about}
	for _, field := range m.serviceFields(unit, about) {
		out = le.AppendUint32(out, field)
	}
	return answer{data: out}
}

func (m *Machine) serviceFields(unit, about byte) []uint32 {
	book := m.nv.health.units[unit]
	since := book.since()
	due := m.faults.serviceDue || since.seen >= serviceEvery
	switch about {
	case serviceStatus:
		return []uint32{bitIf(due, 1)}
	case serviceNext:
		return []uint32{serviceEvery - min(since.seen, serviceEvery)}
	case serviceLast:
		return m.lastServices()
	case serviceSince:
		return []uint32{since.seen, since.percent(), since.jams, since.calibrations}
	case serviceFlags:
		jammed := m.faults.payoutJam && m.jamUnit(true) == unit || m.faults.jam && m.jamUnit(false) == unit
		return []uint32{bitIf(jammed, 1) | bitIf(m.faults.calibration && unit == unitPrimary, 2) | bitIf(due, 4)}
	}
	up := m.nv.upBefore + time.Since(m.ram.since)
	return []uint32{book.life.seen, m.nv.powerOns, uint32(up / time.Hour)}
}

func (m *Machine) lastServices() []uint32 {
	var out []uint32
	for _, s := range m.nv.health.serviceDays {
		out = append(out, uint32(s.week), uint32(s.year), bitIf(s.week > 0, notedByHost))
	}
	return out
}

// bitIf is bit if on, else 0.
func bitIf(on bool, bit uint32) uint32 {
	if on {
		return bit
	}
	return 0
}

// maintained is 30 E0 22: a service was done in a week of a year, four ASCII digits. The books since then begin anew.
func (m *Machine) maintained(p *params) answer {
	week, okWeek := digits(p.take(2))
	year, okYear := digits(p.take(2))
	return m.checked(p, okWeek && okYear && week <= 53 && (week >= 1 || year == 0), func() answer {
		h := &m.nv.health
		m.faults.serviceDue = false
		copy(h.serviceDays[1:], h.serviceDays[:])
		h.serviceDays[0] = serviceDay{week, year}
		for i := range h.units {
			h.units[i].served = h.units[i].life
		}
		return reply(ssp.OK)
	})
}

// serviceDue reports whether the machine asks for its maintenance, in every answer.
func (m *Machine) serviceDue() bool {
	for _, u := range m.nv.health.units {
		if u.since().seen >= serviceEvery {
			return true
		}
	}
	return m.faults.serviceDue
}

// digits reads a number of two ASCII digits.
func digits(b []byte) (n byte, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + c - '0'
	}
	return n, true
}

package sim

import (
	"time"

	"coffer/ssp"
)

// How long a machine takes to come back, at speed 1.
const (
	bootTime = 1500 * time.Millisecond // silent
	initTime = 1000 * time.Millisecond // INITIALISING: it looks what lies in its path
)

// powerOff takes the power away in this moment: the RAM is gone, pieces stay where they are, and what the operation
// that ran had done is remembered.
func (m *Machine) powerOff() {
	if !m.power {
		return
	}
	m.epoch++
	m.nv.upBefore += time.Since(m.ram.since)
	m.power, m.booted, m.initialising = false, false, false
	keep := m.tasks[:0]
	for _, t := range m.tasks {
		if t.kind == outside {
			keep = append(keep, t)
		}
	}
	m.tasks = keep
	m.loader = nil
	m.mech.cut()
	if op := m.nv.op; op != nil {
		op.cut = true
	}
	if d := m.nv.escrow.decision; d != nil {
		d.cut = true
	}
	m.faults.calibration, m.faults.recovering = false, false
	m.ram = newVolatile(m)
	m.wire = receiver{}
}

// powerOn starts the machine: after a while it answers, and a while later it has sorted out what lay in its path.
func (m *Machine) powerOn() {
	if m.power {
		return
	}
	m.power = true
	m.count(resets, 1)
	m.nv.powerOns++
	m.nv.book.powerd = m.nv.book.life
	m.anyway("boot:start", bootTime, func() {
		if m.nv.erased {
			m.booted = true
			return
		}
		m.booted, m.initialising = true, true
		m.ram = newVolatile(m)
		m.faults.calibration = m.nv.health.onCommand
		m.after("boot:clear", initTime, m.clearPath)
	})
}

// clearPath ends the start: pieces that lay in the path go where they belong, and what is to be told of it and of an
// operation that was cut waits for the host.
func (m *Machine) clearPath() {
	m.mech.clear()
	if !m.step("boot:report") {
		return
	}
	m.initialising = false
	m.ram.cardUntil = m.at(cardReadTime)
	m.ram.queue = append(m.ram.queue, m.nv.reports...)
	m.reportDecision()
	op := m.nv.op
	switch {
	case op == nil:
	case op.kind == opPayout:
		m.tell(ssp.Event{Code: ssp.EvIncompletePayout, Values: op.outcome()})
	case op.kind == opFloat:
		m.tell(ssp.Event{Code: ssp.EvIncompleteFloat, Values: op.outcome()})
	default: // nobody is told that emptying was cut
		m.nv.op = nil
	}
}

// report remembers an event of the start until the host has it, whatever happens to the power.
func (m *Machine) report(e ssp.Event) { m.nv.reports = append(m.nv.reports, &queued{event: e}) }

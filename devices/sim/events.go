package sim

import (
	"slices"
	"time"

	"coffer/ssp"
)

// queued is a one-shot event that waits to be told.
type queued struct {
	event ssp.Event
	stamp *stamp // of the insert it is about, or nil
}

// Since which protocol version a machine reports an event (ssp.md 11.3); the others from the beginning.
var since = map[ssp.EventCode]int{
	ssp.EvCashboxReplaced: 5, ssp.EvCashboxRemoved: 5, ssp.EvClearedIntoCashbox: 5, ssp.EvCoinCredit: 5,
	ssp.EvFloatAttached: 5, ssp.EvFloatRemoved: 5, ssp.EvCashboxPaid: 5, ssp.EvIncompleteFloat: 5, ssp.EvDeviceFull: 5, ssp.EvCoinMechJammed: 5, ssp.EvEmptied: 5,
	ssp.EvEmptying: 5, ssp.EvNotePathOpen: 6, ssp.EvDispensedAtReset: 6, ssp.EvIntoStoreAtReset: 6,
	ssp.EvIntoStackerAtReset: 6, ssp.EvTransferredToStacker: 6, ssp.EvSmartEmptied: 6, ssp.EvSmartEmptying: 6,
	ssp.EvErrorDuringPayout: 6, ssp.EvValueAdded: 7, ssp.EvInitialising: 7, ssp.EvChannelDisable: 7,
	ssp.EvCalibrationFailed: 7, ssp.EvCoinReturnPressed: 5, ssp.EvCoinMechEnabled: 6, ssp.EvCoinMechDisabled: 6,
	ssp.EvCoinMechError: 7, ssp.EvJamRecovery: 7,
}

// needsAck is the list of ssp.md 11.5.
func needsAck(c ssp.EventCode) bool {
	switch c {
	case 0xEE, 0xE6, 0xE2, 0xE1, 0xDF, 0xDD, 0xDC, 0xD9, 0xD2, 0xD8, 0xD6, 0xCD, 0xCB, 0xCA, 0xC9, 0xBF, 0xB4, 0xB1,
		0x95, 0x97, 0x98, 0x99:
		return true
	}
	return false
}

// answerRoom is how many bytes the answer to a poll may have: they must fit an encrypted frame (ssp.md 2).
const answerRoom = 230

// tell queues a one-shot event.
func (m *Machine) tell(e ssp.Event) { m.tellOf(e, nil, "") }

// tellOf queues a one-shot event about an insert, which the API knows by a name.
func (m *Machine) tellOf(e ssp.Event, about *record, name string) *queued {
	q := &queued{event: e}
	if about != nil && name != "" {
		q.stamp = &stamp{rec: about, event: name}
	}
	m.ram.queue = append(m.ram.queue, q)
	return q
}

// known reports whether the host's protocol version has the event.
func (m *Machine) known(e ssp.Event) bool { return m.ram.version >= since[e.Code] }

// waitsForAck reports whether the host, who polls with acknowledgement, has one to give or to be asked for. The
// machine takes no further piece until then (ssp.md 11.1 rule 5).
func (m *Machine) waitsForAck() bool {
	if !m.ram.ackMode {
		return false
	}
	return m.ram.unacked != nil || slices.ContainsFunc(m.ram.queue, func(q *queued) bool {
		return needsAck(q.event.Code) && m.known(q.event)
	})
}

// poll answers POLL, or with ack POLL WITH ACK.
func (m *Machine) poll(ack bool) answer {
	m.ram.lastPoll, m.ram.ackMode = time.Now(), ack
	if u := m.ram.unacked; u != nil {
		if ack {
			return answer{data: u.data, stamps: u.stamps}
		}
		m.ram.queue = append(u.events, m.ram.queue...) // told again, this time once
		m.ram.unacked = nil
	}
	epoch := m.epoch
	if !m.waitsForAck() {
		m.mech.polled()
	}
	if m.epoch != epoch {
		return answer{}
	}
	a := m.tellAll(ack)
	if ack && slices.ContainsFunc(a.events, func(q *queued) bool { return needsAck(q.event.Code) }) {
		m.ram.unacked = &a
	} else {
		m.told(a.events)
	}
	return a
}

// tellAll makes the answer to a poll: the reset, the status events, then the one-shot events that fit. With ack it has
// at most one event to acknowledge, so that its host never has to take two halves of a story at once.
func (m *Machine) tellAll(ack bool) answer {
	a := reply(ssp.OK)
	add := func(e ssp.Event) {
		if m.known(e) {
			a.data = ssp.AppendEvent(a.data, m.valued(e), m.ram.version, m.prof.Family == familyCoin)
		}
	}
	if m.ram.resetToTell {
		m.ram.resetToTell = false
		add(ssp.Event{Code: ssp.EvSlaveReset})
	}
	for _, e := range m.statuses(ack) {
		add(e)
	}
	if n, ok := m.mech.(*notePath); ok && n.phase == phaseEscrow && n.announced != nil {
		a.stamps = append(a.stamps, n.announced)
	}
	acks := 0
	for len(m.ram.queue) > 0 {
		q := m.ram.queue[0]
		before := len(a.data)
		if needsAck(q.event.Code) && m.known(q.event) {
			if acks++; ack && acks > 1 {
				break
			}
		}
		if add(q.event); len(a.data) > answerRoom {
			a.data = a.data[:before]
			break
		}
		m.ram.queue = m.ram.queue[1:]
		a.events = append(a.events, q)
		if q.stamp != nil && len(a.data) > before {
			a.stamps = append(a.stamps, q.stamp)
		}
	}
	return a
}

// statuses lists the conditions of the moment.
func (m *Machine) statuses(ack bool) []ssp.Event {
	var out []ssp.Event
	status := func(on bool, c ssp.EventCode) {
		if on {
			out = append(out, ssp.Event{Code: c})
		}
	}
	status(m.initialising && ack, ssp.EvInitialising)
	status(!m.ram.enabled, ssp.EvDisabled)
	status(m.faults.cashboxOut, ssp.EvCashboxRemoved)
	status(m.serviceDue() || m.faults.calibration && m.prof.Family == familyNote, ssp.EvMaintenanceRequired)
	status(m.faults.payoutOut, ssp.EvPayoutOutOfService)
	status(m.faults.recovering, ssp.EvJamRecovery)
	out = m.escrowStatus(m.mech.statuses(out))
	return m.operationStatus(out)
}

// told forgets the power-up reports among events that the host has for good.
func (m *Machine) told(events []*queued) {
	for _, q := range events {
		m.nv.reports = slices.DeleteFunc(m.nv.reports, func(r *queued) bool { return r == q })
		if c := q.event.Code; m.nv.op != nil && m.nv.op.cut && (c == ssp.EvIncompletePayout || c == ssp.EvIncompleteFloat) {
			m.nv.op = nil
		}
		if c := q.event.Code; c == ssp.EvIncompleteCommit || c == ssp.EvIncompleteCancel {
			m.nv.escrow.decision = nil
		}
	}
}

// eventAck is EVENT ACK.
func (m *Machine) eventAck() answer {
	if m.ram.unacked == nil {
		return reply(ssp.CannotProcess)
	}
	m.told(m.ram.unacked.events)
	m.ram.unacked = nil
	return reply(ssp.OK)
}

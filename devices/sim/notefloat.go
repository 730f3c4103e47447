package sim

import "coffer/ssp"

// Error bytes of CANNOT BE PROCESSED for the commands of a note float (ssp.md 5.1).
const (
	floatGone  byte = 1
	floatEmpty byte = 2
)

// Bits of the option byte of 5C on a note float (ssp.md 10.8).
const (
	giveValueBit byte = 1 << 0
	noHoldBit    byte = 1 << 1
)

// recycle makes d the one denomination that a note float takes; the others go to the cashbox. What it holds already
// stays in it.
func (m *Machine) recycle(d denom) {
	for _, o := range m.data {
		m.nv.routes[o] = routeCashbox
	}
	m.nv.routes[d] = routeStore
}

// floatStuck reports whether a note float cannot be switched: it is removed, or jammed (ssp.md 5.1, 09 and 0A).
func (m *Machine) floatStuck() bool {
	return m.prof.has(featureFloat) && (m.faults.floatOut || m.faults.payoutJam)
}

// removeFloat takes the float off the validator, attachFloat puts it back. The host has to enable it again.
func (m *Machine) removeFloat() {
	m.faults.floatOut, m.ram.payoutEnabled = true, false
}

func (m *Machine) attachFloat() {
	if !m.faults.floatOut {
		return
	}
	m.faults.floatOut = false
	if m.power && m.booted {
		m.tell(ssp.Event{Code: ssp.EvFloatAttached})
	}
}

// enableFloat is 5C of a note float.
func enableFloat(m *Machine, p []byte) answer {
	if m.faults.floatOut {
		return refuse(floatGone)
	}
	option := byte(0)
	if len(p) == 1 {
		option = p[0]
	}
	m.ram.payoutEnabled = true
	m.ram.giveValue, m.ram.noHold = option&giveValueBit != 0, option&noHoldBit != 0
	return reply(ssp.OK)
}

// noteStored is what a machine says of a note that has arrived in its store.
func (m *Machine) noteStored(d denom) ssp.Event {
	e := ssp.Event{Code: ssp.EvNoteStored}
	if m.ram.giveValue {
		e.Values = money(d.value, d.currency)
	}
	return e
}

// notePositions is 41: the notes of the float, the next one out last. A note that is being stacked counts until it has
// arrived.
func notePositions(m *Machine) answer {
	notes := m.stock.pile
	if n, ok := m.mech.(*notePath); ok && n.phase == phaseMoving && m.nv.op != nil && m.nv.op.kind == opStack {
		notes = append(notes[:len(notes):len(notes)], n.piece.d)
	}
	out := []byte{byte(ssp.OK), byte(len(notes))}
	for _, d := range notes {
		if m.ram.byChannel {
			out = append(out, m.channel(d))
		} else {
			out = le.AppendUint32(out, uint32(d.value))
		}
	}
	return answer{data: out}
}

// setReportingType is 45: 0 by value, 1 by channel.
func setReportingType(m *Machine, p []byte) answer { return onOff(p, &m.ram.byChannel) }

// payoutNote is 42: the top note goes to the customer.
func payoutNote(m *Machine) answer { return m.top(opPayout) }

// stackNote is 43: the top note goes to the cashbox.
func stackNote(m *Machine) answer { return m.top(opStack) }

// top begins an operation on the top note.
func (m *Machine) top(kind opKind) answer {
	if m.faults.floatOut {
		return refuse(floatGone)
	}
	if a, ok := m.ready(); !ok {
		return a
	}
	if len(m.stock.pile) == 0 {
		return refuse(floatEmpty)
	}
	d := m.stock.pile[len(m.stock.pile)-1]
	return m.begin(kind, d.value, []denom{d})
}

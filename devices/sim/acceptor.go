package sim

import (
	"bytes"
	"slices"

	"coffer/ssp"
)

// enable is 0A.
func enable(m *Machine) answer {
	if m.floatStuck() {
		return reply(ssp.CannotProcess)
	}
	m.ram.enabled = true
	return reply(ssp.OK)
}

// disable is 09. A coin system refuses while coins run through.
func disable(m *Machine) answer {
	if c, ok := m.mech.(*coinPath); ok && c.running() {
		return reply(ssp.CannotProcess)
	}
	if m.floatStuck() {
		return reply(ssp.CannotProcess)
	}
	m.ram.enabled = false
	return reply(ssp.OK)
}

// setInhibits is 02: one bit a channel, 1 accepts; what is left out is inhibited.
func setInhibits(m *Machine, p []byte) answer {
	if len(p) < 1 || len(p) > 3 {
		return reply(ssp.WrongParameters)
	}
	for i := range m.ram.inhibits {
		m.ram.inhibits[i] = i/8 < len(p) && p[i/8]&(1<<(i%8)) != 0
	}
	return reply(ssp.OK)
}

// inEscrow returns the note path if something waits in its escrow.
func inEscrowOf(m *Machine) (*notePath, bool) {
	n, ok := m.mech.(*notePath)
	return n, ok && n.phase == phaseEscrow
}

// rejectNote is 08.
func rejectNote(m *Machine) answer {
	n, ok := inEscrowOf(m)
	if !ok {
		return reply(ssp.CannotProcess)
	}
	n.reject(rejectByHost)
	return reply(ssp.OK)
}

// hold is 18. It does not count as the poll that accepts, and it does not make the next one harmless.
func hold(m *Machine) answer {
	n, ok := inEscrowOf(m)
	if !ok {
		return reply(ssp.CannotProcess)
	}
	n.restartEscrow()
	return reply(ssp.OK)
}

// configureBezel is 54: three colours, store, and perhaps a type.
func configureBezel(m *Machine, p []byte) answer {
	switch {
	case !m.prof.has(featureBezelLight):
		return reply(ssp.UnknownCommand)
	case len(p) != 4 && len(p) != 5:
		return reply(ssp.WrongParameters)
	case p[3] > 1 || len(p) == 5 && p[4] > 2:
		return reply(ssp.OutOfRange)
	}
	return reply(ssp.OK)
}

// Bits of the barcode inhibit byte: 1 is disabled.
const (
	currencyOff byte = 1 << iota
	barcodeOff
)

const bothReaders byte = 3

func (m *Machine) barcodeHardware() byte {
	if m.prof.has(featureBarcode) {
		return bothReaders
	}
	return 0
}

// getBarcodeConfig is 23: hardware, enabled, format, characters.
func getBarcodeConfig(m *Machine) answer {
	return reply(ssp.OK, m.barcodeHardware(), m.ram.barcodeOn, 1, m.ram.barcodeChars)
}

// setBarcodeConfig is 24: enabled, format, characters.
func setBarcodeConfig(m *Machine, p []byte) answer {
	switch {
	case len(p) != 3:
		return reply(ssp.WrongParameters)
	case p[0] > m.barcodeHardware() || p[1] != 1 || p[2] < 6 || p[2] > 24:
		return reply(ssp.OutOfRange)
	}
	m.ram.barcodeOn, m.ram.barcodeChars = p[0], p[2]
	return reply(ssp.OK)
}

// setBarcodeInhibit is 26.
func setBarcodeInhibit(m *Machine, p []byte) answer {
	if len(p) != 1 {
		return reply(ssp.WrongParameters)
	}
	m.ram.barcodeBits, m.ram.currencyOff = p[0]|0xFC, p[0]&currencyOff != 0
	return reply(ssp.OK)
}

// getBarcodeData is 27.
func getBarcodeData(m *Machine) answer {
	n, ok := m.mech.(*notePath)
	if !ok || n.ticket.status == 0 {
		return reply(ssp.OK, 0, 0)
	}
	return reply(ssp.OK, append([]byte{n.ticket.status, byte(len(n.ticket.data))}, n.ticket.data...)...)
}

// readTicket decides about a ticket that has passed the sensors.
func (n *notePath) readTicket() {
	m := n.m
	n.ticket = ticket{status: 1, data: n.piece.barcode}
	off := !m.ram.enabled || m.ram.barcodeOn == 0 || m.ram.barcodeBits&barcodeOff != 0
	if off || len(n.piece.barcode) != int(m.ram.barcodeChars) {
		n.reject(rejectBarcode)
		return
	}
	n.toEscrow()
}

// Expansion commands, 30 (ssp.md 10.13).
var (
	refillRead = []byte{0x05, 0x81, 0x10, 0x01}
	refillSet  = []byte{0x05, 0x81, 0x10, 0x11}
)

// expansion is 30. Bytes behind a refill command are accepted: a host in daily use sends some.
func expansion(m *Machine, p []byte) answer {
	if m.prof.has(featureServiceBook) {
		if a, ours := m.noteServiceCommand(p); ours {
			return a
		}
	}
	switch {
	case m.prof.has(featureBooks):
		return m.coinExpansion(p)
	case m.prof.has(featureSmart):
		return m.smartExpansion(p)
	case !m.prof.has(featureRefill):
		return reply(ssp.UnknownCommand)
	case m.prof.has(featureCassette) && len(p) > 0 && p[0] == ownExpansions:
		return m.recyclerExpansion(p)
	case bytes.Equal(p, refillRead):
		if m.ram.refill {
			return reply(ssp.OK, 1)
		}
		return reply(ssp.OK, 0)
	case len(p) > len(refillSet) && bytes.HasPrefix(p, refillSet):
		if p[4] > 1 {
			return reply(ssp.OutOfRange)
		}
		m.ram.refill = p[4] == 1
		return reply(ssp.OK)
	case slices.Contains([]int{0, 1}, len(p)):
		return reply(ssp.WrongParameters)
	}
	return reply(ssp.OutOfRange)
}

// Bits of the option byte of 5C but for a note float (ssp.md 10.8). Bit 3, the value of notes that are validated on
// their way out, changes nothing here: no document says where that value would stand.
const (
	fullStartupBit  byte = 1 << 0 // refuse while initialising
	payInSpeedBit   byte = 1 << 1 // notes go into the store in half the time
	highestSplitBit byte = 1 << 2 // machines with reels: pay the highest first
)

// enablePayout is 5C, with or without an option byte.
func enablePayout(m *Machine, p []byte) answer {
	switch {
	case len(p) > 1:
		return reply(ssp.WrongParameters)
	case m.prof.has(featureFloat):
		return enableFloat(m, p)
	case len(p) == 1 && p[0]&fullStartupBit != 0 && m.initialising:
		return refuse(busy)
	}
	m.ram.payoutEnabled, m.ram.payoutOptions = true, 0
	if len(p) == 1 {
		m.ram.payoutOptions = p[0]
	}
	return reply(ssp.OK)
}

// disablePayout is 5B.
func disablePayout(m *Machine) answer {
	if m.nv.op != nil && !m.nv.op.cut || m.holding() {
		return refuse(busy)
	}
	m.ram.payoutEnabled = false
	return reply(ssp.OK)
}

// tellCashboxReplaced queues what a machine says when its cashbox is back.
func (m *Machine) tellCashboxReplaced() { m.tell(ssp.Event{Code: ssp.EvCashboxReplaced}) }

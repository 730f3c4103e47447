package sim

import (
	"bytes"
	"slices"
	"time"

	"coffer/ssp"
)

// Download of firmware and datasets as ssp.md 18.2 has it. What that leaves open is chosen here: a machine takes none
// while money moves; a loader that hears nothing for loaderGap begins anew with the update code, and keeps no block of
// before; a machine that has lost its power while it was erased answers SYNC and PROGRAM only. Payloads are those of
// ssp.Payload; any other is taken and changes nothing.

const (
	loaderGap = 2 * time.Second        // the host's pause before the update code is longer
	eraseTime = 400 * time.Millisecond // at speed 1
	blockTime = 60 * time.Millisecond
)

// programBlock is what the answer to PROGRAM names.
const programBlock = ssp.DefaultDownloadBlock

// loaderPhase is what a loader hears next.
type loaderPhase int

const (
	loaderRAM    loaderPhase = iota // itself, from the firmware
	loaderCode                      // the update code
	loaderHeader                    // the file's header
	loaderBlocks
	loaderBusy // nothing: it writes
)

// loader is what runs in a machine that takes a download. It is in the RAM, gone with the power.
type loader struct {
	phase   loaderPhase
	file    ssp.DownloadFile // what the header says
	ramSize int
	size    int // of the payload
	heard   []byte
	payload []byte
	send    func(outgoing)
}

// program is 0B: the next frame is the header of a file.
func program(m *Machine, p []byte) answer {
	switch {
	case len(p) != 1:
		return reply(ssp.WrongParameters)
	case p[0] != ssp.ProgramLoader:
		return reply(ssp.OutOfRange)
	case m.nv.op != nil, m.initialising, !m.mech.idle(), m.mech.busy(), m.stock.pieces(inEscrow) > 0, m.waitsForAck():
		return refuse(busy)
	}
	m.ram.program = true
	return reply(ssp.OK, le.AppendUint16(nil, programBlock)...)
}

// header takes the header of a file, in a frame: HEADER FAIL if it is another machine's.
func (m *Machine) header(b []byte) answer {
	m.ram.program = false
	l := newLoader(b)
	if l == nil || l.file.Device != m.prof.Download {
		return reply(ssp.HeaderFail)
	}
	a := reply(ssp.OK)
	a.loader = l
	return a
}

// newLoader reads a header. nil for one that is none.
func newLoader(header []byte) *loader {
	f, ram, size, err := ssp.ParseDownloadHeader(header)
	if err != nil {
		return nil
	}
	return &loader{file: f, ramSize: ram, size: size}
}

// beginLoader leaves the firmware: from here on only bare bytes are heard.
func (m *Machine) beginLoader(l *loader) {
	m.powerOff()
	m.power, m.loader, m.wire.last = true, l, time.Now()
	m.watchLoader(l)
	m.logf("takes a download: a RAM loader of %d bytes, %d bytes in blocks of %d", l.ramSize, l.size, l.file.BlockSize)
}

// watchLoader starts the firmware again if the RAM loader does not come, or stops coming.
func (m *Machine) watchLoader(l *loader) {
	m.inRealTime("download:wait", firmware, time.Until(m.wire.last.Add(loaderGap)), func() {
		switch {
		case m.loader != l || l.phase != loaderRAM:
		case time.Since(m.wire.last) < loaderGap:
			m.watchLoader(l)
		default:
			m.logf("the RAM loader does not come")
			m.powerOff()
			m.powerOn()
		}
	})
}

// hear takes bytes while the machine has no firmware running, and returns those that it did not use.
func (m *Machine) hear(b []byte, now time.Time, send func(outgoing)) []byte {
	l := m.loader
	l.send = send
	if now.Sub(m.wire.last) > loaderGap && l.phase != loaderBusy {
		l.heard, l.payload = nil, nil
		if l.phase != loaderRAM {
			l.phase = loaderCode
		}
	}
	m.wire.last = now
	switch l.phase {
	case loaderRAM:
		return l.gather(b, l.ramSize, m.loaderStarts)
	case loaderCode:
		return l.gather(b, 1, m.updateCode)
	case loaderHeader:
		return l.gather(b, ssp.DownloadHeaderSize, m.updateHeader)
	case loaderBlocks:
		return l.gather(b, min(l.file.BlockSize, l.size-len(l.payload))+1, m.block)
	}
	return nil
}

// gather collects n bytes and hands them to then.
func (l *loader) gather(b []byte, n int, then func([]byte)) (left []byte) {
	use := min(n-len(l.heard), len(b))
	l.heard = append(l.heard, b[:use]...)
	if len(l.heard) == n {
		heard := l.heard
		l.heard = nil
		then(heard)
	}
	return b[use:]
}

// say answers one bare byte.
func (m *Machine) say(b byte) { m.transmit(outgoing{wire: []byte{b}}, m.loader.send) }

// loaderStarts is called with the RAM loader. One that arrived damaged does not run: the firmware is still whole.
func (m *Machine) loaderStarts(ram []byte) {
	m.say(ssp.XOR(ram))
	if ssp.XOR(ram) != m.loader.file.RAMSum {
		m.logf("the RAM loader arrived damaged")
		m.powerOff()
		m.powerOn()
		return
	}
	m.loader.phase = loaderCode
}

func (m *Machine) updateCode(b []byte) {
	if b[0] == m.loader.file.Update {
		m.loader.phase = loaderHeader
		m.say(ssp.DownloadGoOn)
	}
}

// updateHeader takes the header again; a file that is repeated may be another one for the same machine. From here on
// the firmware is gone.
func (m *Machine) updateHeader(b []byte) {
	l := newLoader(b)
	if l == nil || l.file.Device != m.prof.Download {
		m.loader.phase = loaderCode
		return
	}
	l.send, l.phase = m.loader.send, loaderBusy
	m.loader, m.nv.erased = l, true
	m.anyway("download:erase", eraseTime, func() {
		l.phase = loaderBlocks
		m.say(ssp.DownloadGoOn)
	})
}

// block takes a block and the byte behind it, and answers what that byte should have been.
func (m *Machine) block(b []byte) {
	l, data, sum := m.loader, b[:len(b)-1], b[len(b)-1]
	l.phase = loaderBusy
	m.anyway("download:block", blockTime, func() {
		m.say(ssp.XOR(data))
		if ssp.XOR(data) != sum {
			m.logf("a block arrived damaged")
			l.phase, l.payload = loaderCode, nil
			return
		}
		l.payload = append(l.payload, data...)
		l.phase = loaderBlocks
		if len(l.payload) == l.size {
			m.downloaded(l.payload)
		}
	})
}

// downloaded makes the payload what the machine runs, and starts it.
func (m *Machine) downloaded(payload []byte) {
	m.loader, m.nv.erased = nil, false
	if err := m.install(payload); err != nil {
		m.logf("the download changes nothing: %v", err)
	}
	m.powerOff()
	m.powerOn()
}

// install takes firmware and dataset out of a payload. What is stored of denominations that the new dataset does not
// have stays where it is, and cannot be paid.
func (m *Machine) install(payload []byte) error {
	p, err := ssp.ParsePayload(payload)
	if err != nil {
		return err
	}
	if p.Dataset != "" {
		before := m.data
		m.data = nil
		for _, v := range p.Values {
			m.data = append(m.data, denom{v, p.Dataset[:3]})
		}
		if err := m.checkValues(); err != nil {
			m.data = before
			return err
		}
		m.nv.dataset = p.Dataset
		for _, d := range m.data {
			m.stock.row(d)
		}
		if m.prof.has(featureFloat) && !slices.ContainsFunc(m.data, func(d denom) bool { return m.nv.routes[d] == routeStore }) {
			m.recycle(m.data[0])
		}
	}
	if p.Firmware != "" {
		m.nv.firmware = p.Firmware
	}
	m.nv.book.downloaded = m.nv.book.life
	m.logf("runs firmware %s with dataset %s from now on", m.firmwareName(), m.datasetName())
	return nil
}

// isHeader reports whether the data of a frame are the header that PROGRAM announced.
func (m *Machine) isHeader(ask []byte) bool {
	return m.ram.program && len(ask) == ssp.DownloadHeaderSize && bytes.HasPrefix(ask, []byte(ssp.DownloadMagic))
}

// hearAll hears all of b, whatever it changes in between. Bytes behind the end of a download are lost: nothing listens.
func (m *Machine) hearAll(b []byte, now time.Time, send func(outgoing)) {
	for len(b) > 0 && m.loader != nil {
		b = m.hear(b, now, send)
	}
}

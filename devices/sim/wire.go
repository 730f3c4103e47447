package sim

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"time"

	"coffer/ssp"
)

// frameGap is the silence after which a half-received frame is forgotten (ssp.md 2.2).
const frameGap = 250 * time.Millisecond

// receiver is a machine's ear and its memory of the last exchange. Gone with the power.
type receiver struct {
	decoder  ssp.Decoder
	last     time.Time // when bytes came
	answered bool      // seq and reply hold an exchange that may be asked for again
	seq      bool
	reply    outgoing
	session  *ssp.Session // nil: no key
}

// noise is what becomes of bytes between a machine and its host. It is a fault of the cable: power does not matter.
type noise struct {
	rnd        *rand.Rand
	bitFlips   float64 // chance of a byte to have one bit turned
	dropBytes  float64 // chance of a byte to be lost
	duplicates bool
	mute       bool
	delay      time.Duration
}

// spoil returns b as it comes out of a bad cable; b itself if the cable is good.
func (n *noise) spoil(b []byte) []byte {
	if n.bitFlips == 0 && n.dropBytes == 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if n.dropBytes > 0 && n.rnd.Float64() < n.dropBytes {
			continue
		}
		if n.bitFlips > 0 && n.rnd.Float64() < n.bitFlips {
			c ^= 1 << n.rnd.IntN(8)
		}
		out = append(out, c)
	}
	return out
}

// receive takes bytes from the line and gives every frame for this machine its answer through send.
func (m *Machine) receive(b []byte, send func(outgoing)) {
	m.enter(func() {
		if !m.power || !m.plugged || m.stopped {
			m.wire.decoder.Reset()
			return
		}
		now := time.Now()
		if m.loader != nil {
			m.hearAll(m.noise.spoil(b), now, send)
			return
		}
		if now.Sub(m.wire.last) > frameGap {
			m.wire.decoder.Reset()
		}
		m.wire.last = now
		for b = m.noise.spoil(b); len(b) > 0; {
			n, f, ok := m.wire.decoder.Feed(b)
			b = b[n:]
			if ok && f.Addr == m.addr && m.booted && m.power && !m.ram.bridge {
				if reply, ok := m.exchange(f); ok {
					m.transmit(reply, send)
				}
			}
		}
	})
}

// transmit sends a reply, or what a bad cable leaves of it.
func (m *Machine) transmit(o outgoing, send func(outgoing)) {
	if m.noise.mute {
		return
	}
	o.delay = m.noise.delay
	times := 1
	if m.noise.duplicates {
		times = 2
	}
	good := o.wire
	for range times {
		o.wire = m.noise.spoil(good)
		send(o)
	}
}

// exchange answers one frame by the rules of ssp.md sections 3.1, 4.4 and 4.5. It reports false for silence.
func (m *Machine) exchange(f ssp.Frame) (outgoing, bool) {
	sync := len(f.Data) == 1 && ssp.Command(f.Data[0]) == ssp.CmdSync
	if m.wire.answered && f.Seq == m.wire.seq && !sync {
		return m.wire.reply, true // compared before decrypting: a repeat carries an old count
	}
	ask, encrypted, ok := m.open(f)
	if !ok {
		return outgoing{}, false
	}
	var a answer
	epoch, session := m.epoch, m.wire.session
	switch {
	case ask == nil:
		a.data = []byte{byte(ssp.KeyNotSet)}
	case !encrypted && !m.isHeader(ask) && m.wantsEncrypted(ssp.Command(ask[0])):
		a.data = []byte{byte(ssp.KeyNotSet)}
	default:
		a = m.execute(ask)
	}
	if m.epoch != epoch {
		return outgoing{}, false // the power went before the answer
	}
	if ask == nil || !encrypted {
		session = nil
	}
	out := outgoing{wire: m.seal(f, a.data, session), stamps: a.stamps}
	sync = sync || ask != nil && ssp.Command(ask[0]) == ssp.CmdSync
	m.wire.answered, m.wire.seq, m.wire.reply = !sync, f.Seq, out
	switch {
	case a.restart:
		m.powerOff()
		m.powerOn()
	case a.loader != nil:
		m.beginLoader(a.loader)
	}
	return out, true
}

// open returns the command that a frame carries: nil if it is encrypted and there is no key. It reports false for a
// frame that gets no answer.
func (m *Machine) open(f ssp.Frame) (ask []byte, encrypted, ok bool) {
	if !f.Encrypted() {
		return append([]byte(nil), f.Data...), false, true
	}
	s := m.wire.session
	if s == nil {
		return nil, true, true
	}
	ask, count, err := s.Decrypt(f.Data)
	switch {
	case err != nil:
		m.logf("an encrypted frame stays without answer: %v", err)
		return nil, true, false
	case count != s.Count():
		m.logf("an encrypted frame stays without answer: it counts %d, %d is due", count, s.Count())
		return nil, true, false
	}
	s.SetCount(count + 1)
	return ask, true, true
}

// seal makes the reply's bytes, encrypted if there is a session.
func (m *Machine) seal(f ssp.Frame, data []byte, session *ssp.Session) []byte {
	if session != nil {
		sealed, err := session.Encrypt(nil, data, m.opt.Random)
		if err != nil {
			m.logf("reply % X: %v", data, err)
			sealed = []byte{byte(ssp.SoftwareError)}
		}
		data = sealed
	}
	wire, err := ssp.AppendFrame(nil, ssp.Frame{Seq: f.Seq, Addr: f.Addr, Data: data})
	if err != nil {
		m.logf("reply % X: %v", data, err)
	}
	return wire
}

// wantsEncrypted reports whether the machine refuses the command in plain: it moves money or decides where it goes
// (ssp.md 4.5). A command the machine does not have gets its own answer.
func (m *Machine) wantsEncrypted(c ssp.Command) bool {
	if m.prof.Encryption != "required" || m.opt.NoEncryption || !m.prof.commands[c] {
		return c == ssp.CmdSetFixedKey && m.prof.commands[c]
	}
	switch c {
	case ssp.CmdPayoutAmount, ssp.CmdSetLevel, ssp.CmdHaltPayout, ssp.CmdSetRoute, ssp.CmdGetRoute, ssp.CmdFloatAmount,
		ssp.CmdEmptyAll, ssp.CmdFloatByDenomination, ssp.CmdPayoutByDenomination, ssp.CmdSmartEmpty,
		ssp.CmdSetFixedKey, ssp.CmdPayoutNote, ssp.CmdStackNote:
		return true
	case ssp.CmdSetCoinMechInhibit, ssp.CmdGlobalInhibit, ssp.CmdSetCashboxLimit, ssp.CmdSplitPayout:
		return m.prof.Family == familyCoin
	}
	return false
}

// Key negotiation, ssp.md 4.1. The machine insists on neither primes nor an order of size.

func setGenerator(m *Machine, p []byte) answer { return keyNumber(&m.ram.generator, p) }
func setModulus(m *Machine, p []byte) answer   { return keyNumber(&m.ram.modulus, p) }

func keyNumber(to *uint64, p []byte) answer {
	if len(p) != 8 {
		return reply(ssp.WrongParameters)
	}
	n := binary.LittleEndian.Uint64(p)
	if n < 2 {
		return reply(ssp.OutOfRange)
	}
	*to = n
	return reply(ssp.OK)
}

func requestKeyExchange(m *Machine, p []byte) answer {
	switch {
	case len(p) != 8:
		return reply(ssp.WrongParameters)
	case m.ram.generator == 0 || m.ram.modulus == 0:
		return reply(ssp.Fail)
	}
	b, err := m.secret()
	if err != nil {
		m.logf("key exchange: %v", err)
		return reply(ssp.SoftwareError)
	}
	inter, shared := ssp.SlaveKey(m.ram.generator, m.ram.modulus, binary.LittleEndian.Uint64(p), b)
	m.wire.session = ssp.NewSession(m.nv.fixedKey, shared)
	return reply(ssp.OK, binary.LittleEndian.AppendUint64(nil, inter)...)
}

// secret returns the machine's exponent of a key exchange.
func (m *Machine) secret() (uint64, error) {
	if m.opt.Random == nil {
		return rand.Uint64(), nil
	}
	var b [8]byte
	_, err := io.ReadFull(m.opt.Random, b[:])
	return binary.LittleEndian.Uint64(b[:]), err
}

func setFixedKey(m *Machine, p []byte) answer {
	if len(p) != 8 {
		return reply(ssp.WrongParameters)
	}
	m.nv.fixedKey = binary.LittleEndian.Uint64(p)
	return reply(ssp.OK)
}

// resetFixedKey is refused while there is money in the store.
func resetFixedKey(m *Machine) answer {
	if m.stock.pieces(inPayout) > 0 || m.nv.op != nil {
		return reply(ssp.CannotProcess)
	}
	m.nv.fixedKey = ssp.DefaultFixedKey
	return answer{data: []byte{byte(ssp.OK)}, restart: true}
}

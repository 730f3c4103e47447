package sim

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"coffer/ssp"
)

// host is the near end of a line, as somebody would type it by hand: it knows frames and keys, and nothing of drivers.
type host struct {
	t       *testing.T
	conn    net.Conn
	addr    ssp.Address
	seq     bool
	session *ssp.Session
	dec     ssp.Decoder
	rest    []byte
}

// newMachineOnPipe makes a world with one machine and a host at it. Both end with the test.
func newMachineOnPipe(t *testing.T, profile string, addr ssp.Address, opt Options) (*Machine, *host) {
	t.Helper()
	w := NewWorld(t.Logf)
	t.Cleanup(func() { w.Close() })
	l := w.AddLine("COM1")
	m, err := l.AddMachine(addr, profile, opt)
	if err != nil {
		t.Fatal(err)
	}
	return m, dial(t, l, addr)
}

func dial(t *testing.T, l *Line, addr ssp.Address) *host {
	t.Helper()
	conn, err := l.Pipe()(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &host{t: t, conn: conn, addr: addr, seq: true}
}

// wire sends bytes and returns the next good frame, or false after a second of silence.
func (h *host) wire(b []byte) (ssp.Frame, bool) {
	h.t.Helper()
	if _, err := h.conn.Write(b); err != nil {
		h.t.Fatalf("write: %v", err)
	}
	return h.hear()
}

func (h *host) hear() (ssp.Frame, bool) {
	h.t.Helper()
	h.conn.SetReadDeadline(time.Now().Add(time.Second))
	buf := make([]byte, 1024)
	for {
		for len(h.rest) > 0 {
			n, f, ok := h.dec.Feed(h.rest)
			h.rest = h.rest[n:]
			if ok {
				f.Data = bytes.Clone(f.Data)
				return f, true
			}
		}
		n, err := h.conn.Read(buf)
		h.rest = append(h.rest, buf[:n]...)
		if err != nil {
			return ssp.Frame{}, false
		}
	}
}

// frame makes the next frame with data, encrypted if there is a key.
func (h *host) frame(data []byte) []byte {
	h.t.Helper()
	if h.session != nil && data[0] != 0x11 && (data[0] < 0x4A || data[0] > 0x4C) {
		sealed, err := h.session.Encrypt(nil, data, nil)
		if err != nil {
			h.t.Fatal(err)
		}
		data = sealed
	}
	b, err := ssp.AppendFrame(nil, ssp.Frame{Seq: h.seq, Addr: h.addr, Data: data})
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

// tell sends a command given in hex and returns the answer's useful bytes in hex, "" for silence.
func (h *host) tell(command string) string {
	h.t.Helper()
	data := unhex(h.t, command)
	if data[0] == 0x11 {
		h.seq = true
	}
	f, ok := h.wire(h.frame(data))
	if !ok {
		return ""
	}
	if f.Seq != h.seq || f.Addr != h.addr {
		h.t.Fatalf("answer to %s from %v, flag %v", command, f.Addr, f.Seq)
	}
	h.seq = !h.seq
	return h.unseal(f)
}

func (h *host) unseal(f ssp.Frame) string {
	h.t.Helper()
	if !f.Encrypted() {
		return fmt.Sprintf("% X", f.Data)
	}
	plain, count, err := h.session.Decrypt(f.Data)
	if err != nil || count != h.session.Count()+1 {
		h.t.Fatalf("answer counts %d after %d: %v", count, h.session.Count(), err)
	}
	h.session.SetCount(count)
	return fmt.Sprintf("% X", plain)
}

// talk plays a dialogue: pairs of what the host says and what must be answered.
func (h *host) talk(lines ...string) {
	h.t.Helper()
	for i := 0; i < len(lines); i += 2 {
		if got := h.tell(lines[i]); got != lines[i+1] {
			h.t.Fatalf("line %d: %s is answered %q, want %q", i/2+1, lines[i], got, lines[i+1])
		}
	}
}

// negotiate does the key exchange.
func (h *host) negotiate() {
	h.t.Helper()
	h.session = nil
	k := ssp.NewKeyExchangeWith(0x5A7CCAB, 0x4C564CF, 0x4E9EFC7)
	u64 := func(c byte, n uint64) string {
		return fmt.Sprintf("% X", binary.LittleEndian.AppendUint64([]byte{c}, n))
	}
	h.talk(u64(0x4A, k.Generator), "F0", u64(0x4B, k.Modulus), "F0")
	answer := unhex(h.t, h.tell(u64(0x4C, k.HostInter)))
	if len(answer) != 9 || answer[0] != 0xF0 {
		h.t.Fatalf("key exchange answers % X", answer)
	}
	h.session = ssp.NewSession(ssp.DefaultFixedKey, k.Shared(binary.LittleEndian.Uint64(answer[1:])))
}

// connect is the head of ssp.md 15.1: SYNC, version 8, keys.
func (h *host) connect() {
	h.t.Helper()
	h.session = nil
	h.talk("11", "F0", "06 08", "F0")
	h.negotiate()
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// u32 is a value in hex as the wire has it.
func u32(v uint32) string { return fmt.Sprintf("% X", binary.LittleEndian.AppendUint32(nil, v)) }

const eur = "45 55 52"

// check fails the test if a piece is lost, doubled, or nowhere.
func check(t *testing.T, tr Truth) {
	t.Helper()
	for i := range tr.Start {
		in := tr.Start[i].Count + tr.Inserted[i].Count
		out := tr.Payout[i].Count + tr.Cashbox[i].Count + tr.Escrow[i].Count + tr.Transit[i].Count +
			tr.Dispensed[i].Count + tr.Returned[i].Count
		if in != out {
			t.Fatalf("%d %s: %d came, %d are there: %+v", tr.Start[i].Value, tr.Start[i].Currency, in, out, tr)
		}
	}
}

// count finds a row of a list of truth.
func count(rows []Row, value int64) int {
	for _, r := range rows {
		if r.Value == value {
			return r.Count
		}
	}
	return 0
}

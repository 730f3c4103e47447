package line

import (
	"bytes"
	"context"
	"crypto/aes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// negotiated returns a peer with a session key.
func negotiated(t *testing.T, l *Line, addr ssp.Address) *Peer {
	t.Helper()
	p := synced(t, l, addr)
	if err := p.Negotiate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEncryptedExchange: after the negotiation commands travel encrypted, SYNC and a new negotiation plain, and the packet
// counts of both sides agree through repeats.
func TestEncryptedExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slave{handle: func(cmd []byte) []byte { return append(ssp.OK.Data(), cmd...) }}
		b := newBus(s)
		b.fault = silence(5, 7) // 5 is the first encrypted command
		p := negotiated(t, start(t, Config{}, b), 0)
		for _, cmd := range []byte{0x0C, 0x05, 0x20} {
			reply, err := p.Tx(t.Context(), []byte{cmd})
			if err != nil || !bytes.Equal(reply, []byte{0xF0, cmd}) {
				t.Fatalf("%02X: % X, %v", cmd, reply, err)
			}
		}
		if n := s.session.Count(); n != 3 {
			t.Errorf("machine's packet count %d, want 3", n)
		}
		sealed := b.frames[4:]
		for _, f := range sealed {
			if !f.Encrypted() {
				t.Errorf("plain frame % X after the negotiation", f.Data)
			}
		}
		if !bytes.Equal(sealed[0].Data, sealed[1].Data) || sealed[0].Seq != sealed[1].Seq {
			t.Error("a repeat differs from the first try")
		}
		negotiated(t, p.line, 0) // plain again, and the counts start anew
		if s.session.Count() != 0 {
			t.Error("the machine was not asked for a new key")
		}
		p.ForgetKey()
		if reply, err := p.Tx(t.Context(), []byte{0x07}); err != nil || !bytes.Equal(reply, []byte{0xF0, 0x07}) {
			t.Errorf("after ForgetKey: % X, %v", reply, err)
		}
		if last := b.frames[len(b.frames)-1]; last.Encrypted() {
			t.Error("encrypted after ForgetKey")
		}
	})
}

// TestEncryptedFaults: what answers to an encrypted command are taken.
func TestEncryptedFaults(t *testing.T) {
	const first = 5 // frame number of the first encrypted command; its flag is 1
	var s *slave
	// sealed returns a fault: an answer whose packet count is off by delta, or with a wrong inner checksum.
	sealed := func(delta uint32, spoil bool) func([]byte) []byte {
		return func([]byte) []byte {
			count := s.session.Count()
			s.session.SetCount(count + delta)
			data, _ := s.session.Encrypt(nil, []byte{0xF0}, nil)
			s.session.SetCount(count)
			if spoil {
				data[3] ^= 0x10 // the outer checksum is made afterwards
			}
			return frame(true, 0, data...)
		}
	}
	tests := []struct {
		name  string
		fault func([]byte) []byte
		reply []byte
		took  time.Duration
	}{
		{"right count", sealed(0, false), []byte{0xF0}, 0},
		{"count too low", sealed(^uint32(0), false), []byte{0xF0}, tick},
		{"count too high", sealed(1, false), []byte{0xF0}, tick},
		{"inner checksum wrong", sealed(0, true), []byte{0xF0}, tick},
		{"plain OK", func([]byte) []byte { return frame(true, 0, 0xF0) }, []byte{0xF0}, tick},
		{"plain KEY NOT SET", func([]byte) []byte { return frame(true, 0, 0xFA) }, []byte{0xFA}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s = &slave{}
				b := newBus(s)
				b.fault = instead(first, tt.fault)
				p := negotiated(t, start(t, Config{}, b), 0)
				begin := time.Now()
				reply, err := p.Tx(t.Context(), []byte{0x0A})
				if err != nil || !bytes.Equal(reply, tt.reply) {
					t.Errorf("% X, %v; want % X", reply, err, tt.reply)
				}
				if took := time.Since(begin); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if len(s.executed) != 5 {
					t.Errorf("executed % X", s.executed)
				}
			})
		})
	}
}

// TestLostKey: a machine that forgot its key says so in plain, and after a lost exchange the line forgets its own.
func TestLostKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slave{}
		b := newBus(s)
		p := negotiated(t, start(t, Config{}, b), 0)
		b.mu.Lock()
		s.session = nil
		b.mu.Unlock()
		if reply, err := p.Tx(t.Context(), []byte{0x07}); err != nil || reply[0] != byte(ssp.KeyNotSet) {
			t.Fatalf("% X, %v; want FA", reply, err)
		}
		negotiated(t, p.line, 0)
		b.mu.Lock()
		b.fault = func(int, ssp.Frame, []byte) []byte { return nil }
		b.mu.Unlock()
		if _, err := p.Tx(t.Context(), []byte{0x07}); !errors.Is(err, ErrMaybeSent) {
			t.Fatal(err)
		}
		b.mu.Lock()
		b.fault = nil
		b.mu.Unlock()
		synced(t, p.line, 0)
		if _, err := p.Tx(t.Context(), []byte{0x07}); err != nil {
			t.Fatal(err)
		}
		if b.frames[len(b.frames)-1].Encrypted() {
			t.Error("the old key was used after a lost exchange")
		}
	})
}

// TestNegotiateRefused: a machine that refuses leaves the line plain and is reported with its own code.
func TestNegotiateRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(&slave{})
		b.fault = instead(2, func([]byte) []byte { return frame(false, 0, byte(ssp.UnknownCommand)) })
		p := synced(t, start(t, Config{}, b), 0)
		var refused *ssp.StatusError
		if err := p.Negotiate(t.Context()); !errors.As(err, &refused) || refused.Reply != ssp.UnknownCommand {
			t.Errorf("%v, want UNKNOWN COMMAND", err)
		}
		if errors.Is(p.Sync(t.Context()), cash.ErrNotConnected) {
			t.Error("line lost")
		}
	})
}

// session is a recorded conversation of vectors/ssp-frames.json.
type session struct {
	Name string
	Keys struct{ Generator, Modulus, HostRandom, HostInter, SlaveInterKey, Key uint64 }

	Exchanges []struct {
		HostHex   string `json:"host_hex"`
		DeviceHex string `json:"device_hex"`
		HostData  string `json:"host_data"`
		HostEData string `json:"host_e_data"`
		DevEData  string `json:"device_e_data"`
		DevData   string `json:"device_data"`
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRecordedSessions plays the encrypted conversations that others' libraries had: the line must put the very same
// bytes on the wire, filler included, and read the answers.
func TestRecordedSessions(t *testing.T) {
	raw, err := os.ReadFile("../../ssp/testdata/ssp-frames.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Sessions []session }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Sessions) != 2 {
		t.Fatalf("%d sessions, want 2", len(file.Sessions))
	}
	for _, s := range file.Sessions {
		t.Run(s.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { s.play(t) })
		})
	}
}

func (s session) play(t *testing.T) {
	host, device := net.Pipe()
	filler := new(bytes.Buffer)
	seen := make(chan []byte, 1)
	go func() {
		defer device.Close()
		for _, x := range s.Exchanges {
			got := make([]byte, len(unhex(t, x.HostHex)))
			if _, err := io.ReadFull(device, got); err != nil {
				return
			}
			seen <- got
			if _, err := device.Write(unhex(t, x.DeviceHex)); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, device)
	}()
	l := startOpener(t, Config{Random: filler}, func(context.Context) (Link, error) { return newConnLink(host), nil })
	p := l.Peer(0)
	key := ssp.NewSession(ssp.DefaultFixedKey, s.Keys.Key)
	for i, x := range s.Exchanges {
		j := &job{peer: p, data: unhex(t, x.HostData+x.HostEData)}
		if x.HostEData != "" {
			filler.Write(fillerOf(t, key, unhex(t, x.HostHex)))
		}
		if j.data[0] == byte(ssp.CmdRequestKeyExchange) {
			j.then = func([]byte) { p.wire.session = ssp.NewSession(ssp.DefaultFixedKey, s.Keys.Key) }
			if s.Keys.HostRandom != 0 {
				j.then = p.adopt(ssp.NewKeyExchangeWith(s.Keys.Generator, s.Keys.Modulus, s.Keys.HostRandom))
			}
		}
		reply, err := p.do(t.Context(), j)
		if err != nil {
			t.Fatalf("exchange %d: %v", i, err)
		}
		if got := <-seen; !bytes.Equal(got, unhex(t, x.HostHex)) {
			t.Errorf("exchange %d: sent % X, want %s", i, got, x.HostHex)
		}
		if want := unhex(t, x.DevData+x.DevEData); !bytes.Equal(reply, want) {
			t.Errorf("exchange %d: reply % X, want % X", i, reply, want)
		}
	}
}

// fillerOf returns the filler bytes inside an encrypted frame.
func fillerOf(t *testing.T, key *ssp.Session, wire []byte) []byte {
	t.Helper()
	frames := ssp.DecodeAll(wire)
	if len(frames) != 1 {
		t.Fatalf("% X holds %d frames", wire, len(frames))
	}
	k := key.Key()
	block, err := aes.NewCipher(k[:])
	if err != nil {
		t.Fatal(err)
	}
	data := frames[0].Data[1:]
	for i := 0; i < len(data); i += 16 {
		block.Decrypt(data[i:i+16], data[i:i+16])
	}
	return data[5+int(data[0]) : len(data)-2]
}

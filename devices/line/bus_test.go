package line

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"coffer/ssp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// slave is a machine that keeps the rules of ssp.md section 3 and 4 and nothing else.
type slave struct {
	addr   ssp.Address
	handle func(cmd []byte) []byte // nil: OK to everything

	flag, any bool // flag of the last executed frame; any: take either next
	last      []byte
	session   *ssp.Session
	gen, mod  uint64
	executed  [][]byte
}

// answer returns the wire bytes of the answer to f, nil for silence.
func (s *slave) answer(f ssp.Frame) []byte {
	sync := len(f.Data) > 0 && f.Data[0] == byte(ssp.CmdSync)
	if !s.any && f.Seq == s.flag && !sync {
		return s.last
	}
	cmd, sealed := f.Data, f.Encrypted()
	if sealed {
		if s.session == nil {
			return s.reply(f, ssp.KeyNotSet.Data())
		}
		data, count, err := s.session.Decrypt(f.Data)
		if err != nil || count != s.session.Count() {
			return nil
		}
		s.session.SetCount(count + 1)
		cmd = data
	}
	s.any, s.flag = false, f.Seq
	s.executed = append(s.executed, bytes.Clone(cmd))
	data := s.execute(cmd)
	if sealed {
		data, _ = s.session.Encrypt(nil, data, nil)
	}
	return s.reply(f, data)
}

func (s *slave) reply(f ssp.Frame, data []byte) []byte {
	s.last, _ = ssp.AppendFrame(nil, ssp.Frame{Seq: f.Seq, Addr: f.Addr, Data: data})
	return s.last
}

func (s *slave) execute(cmd []byte) []byte {
	ok := ssp.OK.Data()
	switch ssp.Command(cmd[0]) {
	case ssp.CmdSync:
		s.flag = true
		return ok
	case ssp.CmdSetGenerator:
		s.gen = binary.LittleEndian.Uint64(cmd[1:])
		return ok
	case ssp.CmdSetModulus:
		s.mod = binary.LittleEndian.Uint64(cmd[1:])
		return ok
	case ssp.CmdRequestKeyExchange:
		inter, shared := ssp.SlaveKey(s.gen, s.mod, binary.LittleEndian.Uint64(cmd[1:]), 12345)
		s.session = ssp.NewSession(ssp.DefaultFixedKey, shared)
		return binary.LittleEndian.AppendUint64(ok, inter)
	}
	if s.handle != nil {
		return s.handle(cmd)
	}
	return ok
}

// bus is the other end of a line: slaves, and what goes wrong on the way.
type bus struct {
	// fault changes the answer to the n-th frame that arrived since the start (from 1); nil bytes are silence.
	fault func(n int, f ssp.Frame, wire []byte) []byte
	delay time.Duration // of every answer

	mu     sync.Mutex
	slaves map[ssp.Address]*slave
	frames []ssp.Frame
	at     []time.Time
	conn   net.Conn
	dials  []time.Time
	refuse error // of the next dials
}

func newBus(slaves ...*slave) *bus {
	b := &bus{slaves: map[ssp.Address]*slave{}}
	for _, s := range slaves {
		s.any = true
		b.slaves[s.addr] = s
	}
	return b
}

// dial connects a host by a pipe.
func (b *bus) dial(context.Context) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dials = append(b.dials, time.Now())
	if b.refuse != nil {
		return nil, b.refuse
	}
	host, device := net.Pipe()
	b.conn = device
	go b.serve(device)
	return host, nil
}

// cut breaks the connection.
func (b *bus) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conn.Close()
}

func (b *bus) serve(conn io.ReadWriter) {
	var dec ssp.Decoder
	buf := make([]byte, 64)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		for in := buf[:n]; len(in) > 0; {
			used, f, ok := dec.Feed(in)
			in = in[used:]
			if !ok {
				continue
			}
			wire := b.receive(f)
			time.Sleep(b.delay)
			if len(wire) > 0 {
				if _, err := conn.Write(wire); err != nil {
					return
				}
			}
		}
	}
}

func (b *bus) receive(f ssp.Frame) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	f.Data = bytes.Clone(f.Data)
	b.frames = append(b.frames, f)
	b.at = append(b.at, time.Now())
	var wire []byte
	if s := b.slaves[f.Addr]; s != nil {
		wire = s.answer(f)
	}
	if b.fault != nil {
		wire = b.fault(len(b.frames), f, bytes.Clone(wire))
	}
	return wire
}

// start runs a line to b until the test, or the bubble, ends.
func start(t *testing.T, cfg Config, b *bus) *Line {
	t.Helper()
	return startOpener(t, cfg, ConnOpener(b.dial))
}

func startOpener(t testing.TB, cfg Config, open Opener) *Line {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "COM5"
	}
	l := New(cfg, open, quiet())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return l
}

func quiet() *logrus.Logger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}

// synced returns the peer at addr after SYNC.
func synced(t testing.TB, l *Line, addr ssp.Address) *Peer {
	t.Helper()
	p := l.Peer(addr)
	if err := p.Sync(t.Context()); err != nil {
		t.Fatalf("sync: %v", err)
	}
	return p
}

// silence is a fault: the frames whose numbers are listed get no answer.
func silence(numbers ...int) func(int, ssp.Frame, []byte) []byte {
	return func(n int, _ ssp.Frame, wire []byte) []byte {
		for _, x := range numbers {
			if x == n {
				return nil
			}
		}
		return wire
	}
}

// instead is a fault: the n-th frame gets these bytes for an answer.
func instead(n int, f func(wire []byte) []byte) func(int, ssp.Frame, []byte) []byte {
	return func(i int, _ ssp.Frame, wire []byte) []byte {
		if i == n {
			return f(wire)
		}
		return wire
	}
}

var errRefused = errors.New("connection refused")

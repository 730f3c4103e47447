package line

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/ssp"
)

const (
	traceSize  = 256 // frames kept
	traceAhead = 256 // frames a slow subscriber may be behind
)

// TraceEntry is one frame that went over the wire.
type TraceEntry struct {
	At    time.Time
	Tx    bool        // from the host to the machine
	Addr  ssp.Address // of the machine
	Raw   []byte      // as it travelled; nil for a frame that carries a key
	Plain []byte      // DATA, decrypted; of a frame that carries a key only the first byte
	Text  string      // for people
}

// record is a TraceEntry as the ring keeps it: its slices are used again, and the text is made when somebody asks.
type record struct {
	at         time.Time
	tx         bool
	addr       ssp.Address
	cmd        ssp.Command // the command, also of an answer
	raw, plain []byte
	version    int
	coins      bool
}

// trace keeps the last frames of a line, hands new ones to subscribers, and writes them to the log where that is wanted.
type trace struct {
	log   *logrus.Entry
	level logrus.Level

	mu   sync.Mutex
	ring [traceSize]record
	n    int // frames since the start
	subs map[chan TraceEntry]struct{}

	wire []byte // scratch of the owner goroutine
}

// newTrace returns a trace that logs at debug level, or at info level for verbose.
func newTrace(log *logrus.Entry, verbose bool) *trace {
	t := &trace{log: log, level: logrus.DebugLevel, subs: map[chan TraceEntry]struct{}{}}
	if verbose {
		t.level = logrus.InfoLevel
	}
	return t
}

// Trace returns the last 256 frames of the line, oldest first.
func (l *Line) Trace() []TraceEntry { return l.trace.all() }

// Subscribe returns a channel that gets every frame from now on, and a function that ends it and closes the channel. A
// reader that falls behind by more than 256 frames misses some.
func (l *Line) Subscribe() (<-chan TraceEntry, func()) { return l.trace.subscribe() }

// LogTrace writes the last frames of the line to its log at info level, so that the report of a fault comes with its
// evidence.
func (l *Line) LogTrace(reason string) {
	entries := l.Trace()
	l.log.WithField("frames", len(entries)).Info("wire trace: " + reason)
	for _, e := range entries {
		l.log.WithField("at", e.At.Format(time.RFC3339Nano)).Info(e.String())
	}
}

// String prints the entry in one line: direction, address, meaning, bytes.
func (e TraceEntry) String() string {
	dir := "<-"
	if e.Tx {
		dir = "->"
	}
	if e.Raw == nil {
		return fmt.Sprintf("%s %d %s", dir, e.Addr, e.Text)
	}
	return fmt.Sprintf("%s %d %s [% X]", dir, e.Addr, e.Text, e.Raw)
}

// command notes a frame that goes out.
func (t *trace) command(p *Peer, cmd, raw []byte) { t.add(p, true, ssp.Command(cmd[0]), raw, cmd) }

// reply notes the answer to cmd that came in f.
func (t *trace) reply(p *Peer, cmd []byte, f ssp.Frame, plain []byte) {
	t.wire, _ = ssp.AppendFrame(t.wire[:0], f) // as it came: a good frame has one wire form
	t.add(p, false, ssp.Command(cmd[0]), t.wire, plain)
}

// add is called by the owner goroutine, or by who has borrowed the line from it.
func (t *trace) add(p *Peer, tx bool, cmd ssp.Command, raw, plain []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.ring[t.n%traceSize]
	t.n++
	if secret(cmd, plain) {
		raw, plain = nil, plain[:1]
	}
	*r = record{
		at: time.Now(), tx: tx, addr: p.addr, cmd: cmd,
		raw:     append(r.raw[:0], raw...),
		plain:   append(r.plain[:0], plain...),
		version: int(p.version.Load()),
		coins:   p.coins.Load(),
	}
	logged := t.log.Logger.IsLevelEnabled(t.level)
	if !logged && len(t.subs) == 0 {
		return
	}
	e := r.entry()
	for ch := range t.subs {
		select {
		case ch <- e:
		default:
		}
	}
	if logged {
		t.log.Log(t.level, e.String())
	}
}

func (t *trace) all() []TraceEntry {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]TraceEntry, 0, min(t.n, traceSize))
	for i := max(0, t.n-traceSize); i < t.n; i++ {
		list = append(list, t.ring[i%traceSize].entry())
	}
	return list
}

func (t *trace) subscribe() (<-chan TraceEntry, func()) {
	ch := make(chan TraceEntry, traceAhead)
	t.mu.Lock()
	t.subs[ch] = struct{}{}
	t.mu.Unlock()
	return ch, sync.OnceFunc(func() {
		t.mu.Lock()
		delete(t.subs, ch)
		t.mu.Unlock()
		close(ch)
	})
}

// secret says whether a frame tells something of a key: the negotiation both ways, since its numbers are small enough
// to be solved, and the new fixed key.
func secret(cmd ssp.Command, plain []byte) bool {
	switch cmd {
	case ssp.CmdSetGenerator, ssp.CmdSetModulus, ssp.CmdRequestKeyExchange, ssp.CmdSetFixedKey:
		return len(plain) > 1
	}
	return false
}

// entry makes a copy for readers.
func (r *record) entry() TraceEntry {
	e := TraceEntry{At: r.at, Tx: r.tx, Addr: r.addr, Plain: bytes.Clone(r.plain)}
	if len(r.raw) > 0 {
		e.Raw = bytes.Clone(r.raw)
	}
	e.Text = r.text()
	return e
}

// text describes the frame. Only answers to polls hold events, so the others are given as code and bytes.
func (r *record) text() string {
	poll := r.cmd == ssp.CmdPoll || r.cmd == ssp.CmdPollWithAck
	switch {
	case len(r.raw) == 0 && r.tx:
		return r.cmd.String() + " ***"
	case len(r.raw) == 0:
		return ssp.Reply(r.plain[0]).String() + " ***"
	case r.tx || poll:
		return ssp.Describe(r.plain, r.tx, r.version, r.coins)
	case len(r.plain) == 1:
		return ssp.Reply(r.plain[0]).String()
	}
	return fmt.Sprintf("%s to %s % X", ssp.Reply(r.plain[0]), r.cmd, r.plain[1:])
}

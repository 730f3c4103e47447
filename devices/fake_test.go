package devices_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/devices/coin"
	"coffer/devices/line"
	"coffer/devices/note"
	"coffer/internal/cash"
	"coffer/ssp"
)

// history is what happened in a test, on the wire and on the disk, in one order.
type history struct {
	mu   sync.Mutex
	rows []string
}

func (h *history) add(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rows = append(h.rows, fmt.Sprintf(format, args...))
}

// list returns the rows that begin with one of the prefixes, all without prefixes.
func (h *history) list(prefixes ...string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, r := range h.rows {
		if len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(r, p) }) {
			out = append(out, r)
		}
	}
	return out
}

func (h *history) clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rows = nil
}

// sink is the till of a test: it writes everything into the history, or refuses.
type sink struct {
	h *history

	mu       sync.Mutex
	refusal  error
	slow     time.Duration // how long the next write takes
	accounts []cash.Account
}

// stall makes the next write take so long.
func (s *sink) stall(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = d
}

func (s *sink) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = err
}

func (s *sink) write(kind string, events []cash.Event) error {
	s.mu.Lock()
	slow := s.slow
	s.slow = 0
	s.mu.Unlock()
	time.Sleep(slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		if s.refusal != nil {
			s.h.add("refused %s %s", kind, show(e))
			continue
		}
		s.h.add("%s %s", kind, show(e))
	}
	return s.refusal
}

func (s *sink) Record(_ context.Context, _ cash.DeviceID, events ...cash.Event) error {
	return s.write("record", events)
}

func (s *sink) Evidence(_ context.Context, _ cash.DeviceID, events ...cash.Event) error {
	return s.write("evidence", events)
}

func (s *sink) Reconcile(_ context.Context, _ cash.DeviceID, acc cash.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusal != nil {
		s.h.add("refused reconcile")
		return s.refusal
	}
	s.h.add("reconcile")
	s.accounts = append(s.accounts, acc)
	return nil
}

// show prints an event in a form that tests can compare: "NoteHeld 1000 EUR".
func show(e cash.Event) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", e), "cash.")
	switch e := e.(type) {
	case cash.StateChanged:
		return "state " + e.State.String()
	case cash.NoteHeld:
		return name + " " + e.Note.String()
	case cash.NoteCredited:
		return fmt.Sprintf("%s %s %s", name, e.Note, e.To)
	case cash.NotePlaced:
		return fmt.Sprintf("%s %s %s", name, e.Note, e.To)
	case cash.NoteReturned:
		return fmt.Sprintf("%s %s %d", name, e.Note, e.Code)
	case cash.NoteInBezel:
		return name + " " + e.Note.String()
	case cash.CoinCredited:
		return fmt.Sprintf("%s %dx %s %s", name, e.Count, e.Coin, e.To)
	case cash.Progress:
		return fmt.Sprintf("%s %s %d %s", name, e.Op, e.Total.Value, counts(e.Pieces))
	case cash.Ended:
		s := fmt.Sprintf("%s %s %s %d", name, e.Op, e.Result, e.Total.Value)
		if e.Result == cash.OpCut {
			s += fmt.Sprintf(" of %d", e.Asked.Value)
		}
		if e.Account != nil {
			s += " levels " + counts(e.Account.Levels)
		}
		return s
	case cash.ClearedAtPowerUp:
		return fmt.Sprintf("%s %s %s to %s", name, e.Note, e.From, e.To)
	case cash.MovedToCashbox:
		return fmt.Sprintf("%s %d", name, e.Amount.Value)
	}
	return fmt.Sprintf("%s %v", name, e)
}

func counts(c cash.Counts) string {
	if c == nil {
		return "-"
	}
	var parts []string
	for _, r := range c.Rows() {
		parts = append(parts, fmt.Sprintf("%dx%d", r.Count, r.Value))
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// machine is the machine of a test: it answers what its script says, in the script's order, and what is not money out
// of its tables.
type machine struct {
	t *testing.T
	h *history

	mu         sync.Mutex
	script     []step
	idle       []byte            // answer to a poll beside the script
	tables     map[string][]byte // answers by command, hex; the longest that is a prefix counts
	dead       bool
	synced     int
	complained bool
	quiet      bool // polls that get the idle answer stay out of the history
}

// step is one line of a script: what the host must send next, and the answer to it.
type step struct {
	want, answer []byte
	lost         bool // carried out, and the answer lost
}

// say appends lines "56 > F0 EF 00" to the script.
func (m *machine) say(lines ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range lines {
		want, answer, ok := strings.Cut(l, ">")
		if !ok {
			m.t.Fatalf("script line %q has no answer", l)
		}
		s := step{want: bytesOf(m.t, want)}
		if s.lost = strings.TrimSpace(answer) == "lost"; !s.lost {
			s.answer = bytesOf(m.t, answer)
		}
		m.script = append(m.script, s)
	}
}

// left says how many lines of the script were not used yet.
func (m *machine) left() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.script)
}

func (m *machine) die(dead bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = dead
}

// hush leaves polls that get the idle answer out of the history.
func (m *machine) hush(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.quiet = on
}

func (m *machine) table(cmd, answer string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tables[strings.ReplaceAll(cmd, " ", "")] = bytesOf(m.t, answer)
}

func (m *machine) becomes(idle string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.idle = bytesOf(m.t, idle)
}

func bytesOf(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return b
}

var errDead = fmt.Errorf("%w: no answer (%w)", cash.ErrNotConnected, line.ErrMaybeSent)

// deadTime is how long a dead machine keeps the line busy: three tries.
const deadTime = 1500 * time.Millisecond

// Tx implements devices.Peer.
func (m *machine) Tx(_ context.Context, data []byte) ([]byte, error) {
	time.Sleep(5 * time.Millisecond)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		m.mu.Unlock()
		time.Sleep(deadTime)
		m.mu.Lock()
		return nil, errDead
	}
	if len(m.script) > 0 && slices.Equal(m.script[0].want, data) {
		s := m.script[0]
		m.script = m.script[1:]
		m.h.add("h % X > % X", data, s.answer)
		if s.lost {
			return nil, errDead
		}
		return slices.Clone(s.answer), nil
	}
	return m.beside(data)
}

// beside answers what the script does not hold. Polls, and commands that are not in the tables, must wait for it.
func (m *machine) beside(data []byte) ([]byte, error) {
	if data[0] == 0x56 || data[0] == 0x07 {
		if len(m.script) > 0 && !m.complained {
			m.complained = true
			m.t.Errorf("the host polls and must send %s first", m.next())
		}
		if !m.quiet {
			m.h.add("h % X > % X", data, m.idle)
		}
		return slices.Clone(m.idle), nil
	}
	key := strings.ToUpper(hex.EncodeToString(data))
	for n := len(key); n >= 2; n -= 2 {
		if a, ok := m.tables[key[:n]]; ok {
			m.h.add("t % X > % X", data, a)
			return slices.Clone(a), nil
		}
	}
	m.h.add("? % X", data)
	m.t.Errorf("the host sends % X, which nobody expects; next in the script: %s", data, m.next())
	return []byte{0xF2}, nil
}

func (m *machine) next() string {
	if len(m.script) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("% X", m.script[0].want)
}

// Poll implements devices.Peer.
func (m *machine) Poll(ctx context.Context, data []byte, _ time.Time) ([]byte, error) {
	return m.Tx(ctx, data)
}

// Sync implements devices.Peer.
func (m *machine) Sync(ctx context.Context) error {
	m.mu.Lock()
	dead := m.dead
	m.mu.Unlock()
	if dead {
		time.Sleep(500 * time.Millisecond)
		return errDead
	}
	m.h.add("h 11")
	m.synced++
	return nil
}

// Negotiate implements devices.Peer.
func (m *machine) Negotiate(ctx context.Context) error {
	if a, ok := m.tables["4A"]; ok {
		_, err := ssp.CheckReply(a)
		return err
	}
	m.h.add("h keys")
	return nil
}

func (m *machine) ForgetKey()           {}
func (m *machine) SetVersion(int, bool) {}

// bench is a device over a scripted machine, in a synctest bubble.
type bench struct {
	*testing.T
	h    *history
	m    *machine
	sink *sink
	dev  *devices.TestDevice
	stop context.CancelFunc
	done chan struct{}
}

var families = []devices.Family{note.Family(), note.FloatFamily(), coin.Family()}

// inBubble runs a test over a machine with the given tables.
func inBubble(t *testing.T, cfg devices.DeviceConfig, setUp func(*machine), test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &history{}
		m := &machine{t: t, h: h, tables: map[string][]byte{}, idle: []byte{0xF0}}
		setUp(m)
		b := &bench{T: t, h: h, m: m, sink: &sink{h: h}, done: make(chan struct{})}
		log := logrus.New()
		log.SetOutput(io.Discard)
		b.dev = devices.NewTestDevice(cfg, m, families, b.sink, log)
		ctx, stop := context.WithCancel(t.Context())
		b.stop = stop
		go func() {
			defer close(b.done)
			b.dev.Run(ctx)
		}()
		defer func() {
			stop()
			<-b.done
		}()
		test(b)
	})
}

// ready waits until the device is ready, and forgets what led there.
func (b *bench) ready() {
	b.Helper()
	b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
	time.Sleep(time.Second)
	b.h.clear()
}

func (b *bench) until(what string, ok func(*devices.Snapshot) bool) {
	b.Helper()
	ctx, stop := context.WithTimeout(b.Context(), time.Minute)
	defer stop()
	if err := b.dev.Wait(ctx, ok); err != nil {
		b.Fatalf("not %s: %v; %+v\n%s", what, err, b.dev.Device().Snapshot(), strings.Join(b.h.list(), "\n"))
	}
}

// played waits until the script is used up, and a little longer.
func (b *bench) played() {
	b.Helper()
	for i := 0; b.m.left() > 0; i++ {
		if i > 600 {
			b.Fatalf("the script stands at %s\n%s", b.m.next(), strings.Join(b.h.list(), "\n"))
		}
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(500 * time.Millisecond)
}

// want compares part of the history.
func (b *bench) want(prefixes []string, want ...string) {
	b.Helper()
	if got := b.h.list(prefixes...); !slices.Equal(got, want) {
		b.Errorf("history:\n  %s\nwant:\n  %s\nall:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "),
			strings.Join(b.h.list(), "\n  "))
	}
}

// order checks that rows with these prefixes came in this order, others between them allowed.
func (b *bench) order(want ...string) {
	b.Helper()
	rows := b.h.list()
	for _, w := range want {
		i := slices.IndexFunc(rows, func(r string) bool { return strings.HasPrefix(r, w) })
		if i < 0 {
			b.Errorf("no %q after what came before it; history:\n  %s", w, strings.Join(b.h.list(), "\n  "))
			return
		}
		rows = rows[i+1:]
	}
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) is(err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Errorf("error %v, want %v", err, want)
	}
}

// sent lists what the host sent, in hex.
func (b *bench) sent() (out []string) {
	for _, r := range b.h.list("h ", "t ", "? ") {
		cmd, _, _ := strings.Cut(r[2:], " >")
		out = append(out, cmd)
	}
	return out
}

func (b *bench) snapshot() *devices.Snapshot { return b.dev.Device().Snapshot() }

// payer returns the device with the capabilities of a recycler.
func (b *bench) payer() *note.Device {
	b.Helper()
	d, ok := b.dev.Device().(*note.Device)
	if !ok {
		b.Fatalf("the device is a %T", b.dev.Device())
	}
	return d
}

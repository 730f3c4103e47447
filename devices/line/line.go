package line

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/internal/cash"
	"coffer/ssp"
)

// ErrMaybeSent: at least one byte of the command went out before the exchange failed, so that the machine may have
// executed it. It comes together with cash.ErrNotConnected.
var ErrMaybeSent = errors.New("command may have been executed")

// ErrNotSynced: the address must be synchronised (Peer.Sync) before it takes commands: at the start, after an exchange
// that failed, and after the line was reopened. Without it a machine could take the next command for a repeat of the
// last one and answer with an old answer. It comes together with cash.ErrNotConnected.
var ErrNotSynced = errors.New("not synchronised")

// Defaults of Config.
const (
	DefaultReplyTimeout = 500 * time.Millisecond
	DefaultRetries      = 2
)

// Config are the settings of a line; the zero value of a field means its default.
type Config struct {
	Name         string        // the port name that callers use, for log and errors
	ReplyTimeout time.Duration // wait for an answer, each try; default 500 ms
	Retries      int           // repeats after the first try; default 2, negative for none
	FixedKey     uint64        // fixed half of the session keys; default ssp.DefaultFixedKey
	Trace        bool          // log every frame at info level, not only at debug level
	Random       io.Reader     // filler bytes and session keys; default crypto/rand
}

// Line is one port and the machines on it. Make it with New, start it with Run; every other method is safe for use from
// any goroutine, before, during and after Run.
type Line struct {
	cfg  Config
	open Opener
	log  *logrus.Entry

	jobs  chan *job
	done  chan struct{} // closed when Run has ended
	once  atomic.Bool   // Run was called
	trace *trace
	stats stats

	mu      sync.Mutex
	peers   map[ssp.Address]*Peer
	opened  chan struct{}   // closed while the link is open
	running context.Context // of Run
}

// State is a picture of a line for metrics and status pages. The counters begin with the process.
type State struct {
	Open      bool
	Err       error // why it is not open, nil if it is or was not tried yet
	Exchanges uint64
	Retries   uint64 // repeated frames
	Timeouts  uint64 // exchanges given up
	CRCErrors uint64 // frames dropped for their checksum
	Opens     uint64 // times the link was opened
}

func (c *Config) setDefaults() {
	if c.ReplyTimeout == 0 {
		c.ReplyTimeout = DefaultReplyTimeout
	}
	if c.Retries == 0 {
		c.Retries = DefaultRetries
	}
	c.Retries = max(c.Retries, 0)
	if c.FixedKey == 0 {
		c.FixedKey = ssp.DefaultFixedKey
	}
}

// New returns a line over the link that open gives. Nothing is opened before Run.
func New(cfg Config, open Opener, log logrus.FieldLogger) *Line {
	cfg.setDefaults()
	l := &Line{
		cfg:    cfg,
		open:   open,
		log:    log.WithField("line", cfg.Name),
		jobs:   make(chan *job),
		done:   make(chan struct{}),
		peers:  map[ssp.Address]*Peer{},
		opened: make(chan struct{}),
	}
	l.trace = newTrace(l.log, cfg.Trace)
	return l
}

// Name returns the port name of the configuration.
func (l *Line) Name() string { return l.cfg.Name }

// Run opens the link, serves the peers, and reopens the link with pauses of 100 ms doubling to 2 s when it breaks. It
// returns nil when ctx ends, after the exchange under way; calls to peers then answer cash.ErrNotConnected. A line runs
// once.
func (l *Line) Run(ctx context.Context) error {
	if l.once.Swap(true) {
		return fmt.Errorf("line %s: already run", l.cfg.Name)
	}
	defer close(l.done)
	l.mu.Lock()
	l.running = ctx
	l.mu.Unlock()
	o := &owner{line: l, log: l.log}
	o.run(ctx)
	return nil
}

// Peer returns the machine at addr. The same address always gives the same Peer.
func (l *Line) Peer(addr ssp.Address) *Peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.peers[addr]
	if p == nil {
		p = newPeer(l, addr)
		l.peers[addr] = p
	}
	return p
}

// State returns the line's counters and whether it is open. It never waits.
func (l *Line) State() State { return l.stats.state() }

// Opened returns a channel that is closed while the link is open, so that a driver can wait for the link instead of
// asking again and again. Take a fresh one after every loss.
func (l *Line) Opened() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opened
}

// setOpen tells the world that the link was opened (err nil) or is not open and why.
func (l *Line) setOpen(open bool, err error) {
	if l.stats.setOpen(open, err) == open {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if open {
		close(l.opened)
	} else {
		l.opened = make(chan struct{})
	}
}

// refusal builds the error of a job of which nothing was done.
func (l *Line) refusal(j *job, cause error) error {
	if j.loan != nil {
		return fmt.Errorf("line %s: %w: %w", l.cfg.Name, cash.ErrNotConnected, cause)
	}
	return l.fail(j.peer.addr, cause, false)
}

// fail builds the error of an exchange that got no answer.
func (l *Line) fail(addr ssp.Address, cause error, sent bool) error {
	err := fmt.Errorf("line %s address %d: %w: %w", l.cfg.Name, addr, cash.ErrNotConnected, cause)
	if sent {
		err = fmt.Errorf("%w (%w)", err, ErrMaybeSent)
	}
	return err
}

package ssptest

import (
	"io"
	"sync"
	"time"
)

// Peer is the other end of a line: it is called with every Write and returns what comes back, nil for nothing. Calls come
// one at a time.
type Peer func(written []byte) (answer []byte)

// Link is one end of a line in memory. Like a serial port, a Read that times out returns 0 and no error; the time-out is
// none until SetReadTimeout is called.
type Link struct {
	peer Peer

	mu      sync.Mutex
	in      []byte        // what came back and was not read
	wake    chan struct{} // closed when in grows or the link is closed, then replaced
	timeout time.Duration
	closed  bool
	broken  error // what Write and Read say after Break
	writes  [][]byte
}

// NewLink returns a link to peer.
func NewLink(peer Peer) *Link {
	return &Link{peer: peer, wake: make(chan struct{}), timeout: -1}
}

// Silent returns a link to a machine that never answers.
func Silent() *Link { return NewLink(func([]byte) []byte { return nil }) }

// Read waits for bytes, at most for the time-out.
func (l *Link) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var expired <-chan time.Time
	if l.timeout >= 0 {
		timer := time.NewTimer(l.timeout)
		defer timer.Stop()
		expired = timer.C
	}
	for len(l.in) == 0 {
		if err := l.state(); err != nil {
			return 0, err
		}
		wake := l.wake
		l.mu.Unlock()
		select {
		case <-wake:
			l.mu.Lock()
		case <-expired:
			l.mu.Lock()
			return 0, nil
		}
	}
	n := copy(p, l.in)
	l.in = l.in[n:]
	return n, nil
}

// Write hands p to the peer and puts its answer where Read finds it.
func (l *Link) Write(p []byte) (int, error) {
	l.mu.Lock()
	if err := l.state(); err != nil {
		l.mu.Unlock()
		return 0, err
	}
	written := append([]byte(nil), p...)
	l.writes = append(l.writes, written)
	l.mu.Unlock()
	l.Inject(l.peer(written))
	return len(p), nil
}

// Inject makes b come in, as if the machine had sent it.
func (l *Link) Inject(b []byte) {
	if len(b) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.in = append(l.in, b...)
	l.notify()
}

// InjectAfter is Inject after d has passed.
func (l *Link) InjectAfter(d time.Duration, b []byte) { time.AfterFunc(d, func() { l.Inject(b) }) }

// Break makes every later Read and Write fail with err, as when a USB plug is pulled.
func (l *Link) Break(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken, l.in = err, nil
	l.notify()
}

// Close ends the link: reads that wait return io.EOF.
func (l *Link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.notify()
	return nil
}

// SetReadTimeout sets how long Read waits: 0 not at all, below 0 for ever.
func (l *Link) SetReadTimeout(d time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timeout = d
	return nil
}

// ResetInputBuffer drops what came in and was not read.
func (l *Link) ResetInputBuffer() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.in = nil
	return nil
}

// Closed reports whether Close was called.
func (l *Link) Closed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// Writes returns what was written, a slice a Write.
func (l *Link) Writes() [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([][]byte(nil), l.writes...)
}

func (l *Link) state() error {
	switch {
	case l.closed:
		return io.EOF
	case l.broken != nil:
		return l.broken
	}
	return nil
}

func (l *Link) notify() {
	close(l.wake)
	l.wake = make(chan struct{})
}

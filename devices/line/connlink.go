package line

import (
	"net"
	"sync"
	"time"
)

// maxUnread is how much a connection may send unasked before the rest is dropped: many times the longest frame.
const maxUnread = 16 << 10

// connLink makes a Link of a connection. A goroutine reads all the time, so that stale bytes can be dropped without
// waiting and a closed connection is known at the next use.
type connLink struct {
	conn    net.Conn
	timeout time.Duration
	timer   *time.Timer
	more    chan struct{} // has one token when buf or err changed
	ended   chan struct{} // closed when the reader is gone

	mu  sync.Mutex
	buf []byte
	err error
}

func newConnLink(c net.Conn) *connLink {
	l := &connLink{
		conn:  c,
		timer: time.NewTimer(time.Hour),
		more:  make(chan struct{}, 1),
		ended: make(chan struct{}),
	}
	l.timer.Stop()
	go l.read()
	return l
}

// read moves bytes from the connection to buf until the connection ends.
func (l *connLink) read() {
	defer close(l.ended)
	tmp := make([]byte, 1024)
	for {
		n, err := l.conn.Read(tmp)
		l.mu.Lock()
		if len(l.buf)+n <= maxUnread {
			l.buf = append(l.buf, tmp[:n]...)
		}
		l.err = err
		l.mu.Unlock()
		select {
		case l.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// take copies what is there. It returns 0, nil for nothing yet.
func (l *connLink) take(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.buf) == 0 {
		return 0, l.err
	}
	n := copy(p, l.buf)
	l.buf = l.buf[:copy(l.buf, l.buf[n:])]
	return n, nil
}

func (l *connLink) Read(p []byte) (int, error) {
	if n, err := l.take(p); n > 0 || err != nil {
		return n, err
	}
	l.timer.Reset(l.timeout)
	defer l.timer.Stop()
	for {
		select {
		case <-l.more:
			if n, err := l.take(p); n > 0 || err != nil {
				return n, err
			}
		case <-l.timer.C:
			return l.take(p) // both may have come while this process stood still
		}
	}
}

func (l *connLink) Write(p []byte) (int, error) { return l.conn.Write(p) }

func (l *connLink) SetReadTimeout(d time.Duration) error {
	l.timeout = d
	return nil
}

// ResetInputBuffer drops what came so far. It reports a connection that ended meanwhile.
func (l *connLink) ResetInputBuffer() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = l.buf[:0]
	return l.err
}

// Close ends the connection and waits for the reader.
func (l *connLink) Close() error {
	err := l.conn.Close()
	<-l.ended
	return err
}

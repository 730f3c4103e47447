package devices

import (
	"fmt"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// Frame is one frame between the host and a machine, as a log of the wire shows it.
type Frame struct {
	At   time.Time
	Sent bool   // from the host
	Raw  []byte // as it travelled; nil for a frame that carries a key
	Text string // its meaning, for people
}

// Frames calls see with every frame of the machine at addr of a port from now on, from one goroutine of its own. A reader
// that falls far behind misses some. stop ends it and returns when see is called no more. cash.ErrUnknown for a port
// that is not open.
func (s *Station) Frames(port string, addr ssp.Address, see func(Frame)) (stop func(), err error) {
	l, ok := s.Trace(port)
	if !ok {
		return nil, fmt.Errorf("%w: port %s", cash.ErrUnknown, port)
	}
	entries, end := l.Subscribe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range entries {
			if e.Addr == addr {
				see(Frame{At: e.At, Sent: e.Tx, Raw: e.Raw, Text: e.Text})
			}
		}
	}()
	return func() {
		end()
		<-done
	}, nil
}

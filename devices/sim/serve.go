package sim

import (
	"io"
	"time"
)

// outgoing is one reply on its way to the wire.
type outgoing struct {
	wire   []byte
	delay  time.Duration
	stamps []*stamp // events that the reply carries
}

// stamp is an event of an insert whose leaving is to be noted, once.
type stamp struct {
	rec   *record
	event string
	done  bool // guarded by rec.mu
}

const sendQueue = 64 // replies that may wait for a host that does not read; more are lost

// serve lets the machines hear what comes from c and sends what they answer, until c ends. What was read is heard
// before serve returns.
func (l *Line) serve(c io.ReadWriteCloser) {
	out := make(chan outgoing, sendQueue)
	gone, written := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(written)
		writeReplies(c, out, gone)
	}()
	send := func(o outgoing) {
		put := func() {
			select {
			case out <- o:
			default:
				l.world.log("%s: a reply is lost: nobody reads", l.port)
			}
		}
		if o.delay > 0 {
			time.AfterFunc(o.delay, put)
			return
		}
		put()
	}
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		for _, m := range l.Machines() {
			m.receive(buf[:n], send)
		}
		if err != nil {
			break
		}
	}
	c.Close()
	close(gone)
	<-written
}

// writeReplies sends what comes from out until gone is closed. After an error of c it only empties out.
func writeReplies(c io.Writer, out <-chan outgoing, gone <-chan struct{}) {
	for {
		select {
		case o := <-out:
			now := time.Now()
			for _, s := range o.stamps {
				s.rec.onWire(s, now)
			}
			c.Write(o.wire)
		case <-gone:
			return
		}
	}
}

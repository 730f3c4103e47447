package line

import (
	"fmt"
	"sync/atomic"
	"time"
)

const (
	// writeTimeout is how long a write may hang before the port is given up: the longest frame takes 0.6 s at 9600 baud.
	writeTimeout = 2 * time.Second
	// closeTimeout is how long closing may hang before it is left alone.
	closeTimeout = time.Second
)

// brokenError: the link failed and must be opened again.
type brokenError struct {
	op  string
	err error
}

func (e *brokenError) Error() string { return e.op + ": " + e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// port is an open link with a watchdog: a serial Write has no time-out, and closing does not free one that hangs. Writes
// are done by a goroutine of their own; where one hangs, the port is given up and nothing is written to it again, since
// its descriptor may belong to another file by then.
type port struct {
	link    Link
	out     chan []byte
	written chan error
	given   atomic.Bool // given up
}

func newPort(link Link) *port {
	p := &port{link: link, out: make(chan []byte), written: make(chan error, 1)}
	go p.writer()
	return p
}

// writer writes frame by frame until out is closed.
func (p *port) writer() {
	for frame := range p.out {
		p.written <- p.writeAll(frame)
	}
}

func (p *port) writeAll(frame []byte) (err error) {
	defer rescue(&err)
	for len(frame) > 0 {
		if p.given.Load() {
			return fmt.Errorf("port given up")
		}
		n, err := p.link.Write(frame)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("nothing written")
		}
		frame = frame[n:]
	}
	return nil
}

// write sends frame. An error is a *brokenError; bytes may have gone out all the same, and frame must not be reused.
func (p *port) write(frame []byte) error {
	begin := time.Now()
	p.out <- frame
	t := time.NewTimer(writeTimeout)
	defer t.Stop()
	for late := 0; ; late++ {
		select {
		case err := <-p.written:
			if err != nil {
				return &brokenError{"write", err}
			}
			return nil
		case <-t.C:
		}
		if late == lateWaits || !stoodStill(begin, writeTimeout) {
			p.given.Store(true)
			return &brokenError{"write", fmt.Errorf("port hangs for %v", writeTimeout)}
		}
		begin = time.Now()
		t.Reset(writeTimeout)
	}
}

// read waits up to d for bytes; 0, nil is silence. An error is a *brokenError.
func (p *port) read(buf []byte, d time.Duration) (n int, err error) {
	defer broken("read", &err)
	defer rescue(&err)
	if err = p.link.SetReadTimeout(d); err != nil {
		return 0, err
	}
	return p.link.Read(buf)
}

// flush drops what was received and not read. An error is a *brokenError.
func (p *port) flush() (err error) {
	defer broken("flush", &err)
	defer rescue(&err)
	return p.link.ResetInputBuffer()
}

// close closes the link. It does not wait longer than closeTimeout for a driver that hangs.
func (p *port) close() {
	p.given.Store(true)
	close(p.out)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		var err error
		defer rescue(&err)
		_ = p.link.Close()
	}()
	t := time.NewTimer(closeTimeout)
	defer t.Stop()
	select {
	case <-closed:
	case <-t.C:
	}
}

// broken wraps an error that is set.
func broken(op string, err *error) {
	if *err != nil {
		*err = &brokenError{op, *err}
	}
}

// rescue turns a panic of the serial library (a descriptor number of 1024 or more does that) into an error.
func rescue(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("serial driver: %v", r)
	}
}

package sim

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"

	"coffer/ssp"
)

// Line is one cable: machines at the far end, and at most one host at the near end.
type Line struct {
	world *World
	port  string
	wg    sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	machines []*Machine
	open     map[io.Closer]struct{} // listeners, terminals, connections
	serving  chan struct{}          // closed when the connection served last has ended
}

// Port returns the line's name.
func (l *Line) Port() string { return l.port }

// Machines returns the machines of the line in the order in which they were added.
func (l *Line) Machines() []*Machine {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*Machine(nil), l.machines...)
}

// AddMachine puts a machine of the named profile on the line and switches it on. ErrInvalid for an unknown profile, an
// address in use, a dataset or levels that the profile cannot hold.
func (l *Line) AddMachine(addr ssp.Address, profile string, opt Options) (*Machine, error) {
	m, err := newMachine(l, addr, profile, opt)
	if err != nil {
		return nil, fmt.Errorf("%s address %d: %w", l.port, addr, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.machines {
		if o.addr == addr {
			return nil, fmt.Errorf("%w: %s has a machine at address %d", ErrInvalid, l.port, addr)
		}
	}
	l.machines = append(l.machines, m)
	return m, nil
}

// Pipe returns a dialler whose connections end at the line: a new one hangs up the one before.
func (l *Line) Pipe() func(ctx context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		if l.adopt(far, true) == nil {
			return nil, fmt.Errorf("%s: %w", l.port, net.ErrClosed)
		}
		return near, nil
	}
}

// ListenTCP serves the line at a TCP address ("127.0.0.1:0" takes a free port) and returns the address taken. One
// connection is served at a time, the next waits. A lost connection is a pulled cable: the machines go on.
func (l *Line) ListenTCP(addr string) (net.Addr, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.keep(ln) {
		return nil, fmt.Errorf("%s: %w", l.port, net.ErrClosed)
	}
	l.wg.Go(func() {
		defer l.forget(ln)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			if over := l.adopt(c, false); over != nil {
				<-over
			}
		}
	})
	return ln.Addr(), nil
}

// Close hangs up, closes listeners and terminals, stops the machines and waits for all of it.
func (l *Line) Close() error {
	l.mu.Lock()
	l.closed = true
	for c := range l.open {
		c.Close()
	}
	machines := l.machines
	l.mu.Unlock()
	for _, m := range machines {
		m.stop()
	}
	l.wg.Wait()
	return nil
}

// keep remembers c, to be closed with the line; if the line is closed, it closes c at once and returns false. The caller
// holds mu.
func (l *Line) keep(c io.Closer) bool {
	if l.closed {
		c.Close()
		return false
	}
	if l.open == nil {
		l.open = map[io.Closer]struct{}{}
	}
	l.open[c] = struct{}{}
	return true
}

func (l *Line) forget(c io.Closer) {
	c.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}

// adopt serves c in a goroutine of its own, after the connection before it has ended; hangUp ends that one. It returns a
// channel that is closed when c has ended, or nil, with c closed, when the line is closed.
func (l *Line) adopt(c io.ReadWriteCloser, hangUp bool) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if hangUp {
		for o := range l.open {
			if _, conn := o.(io.Writer); conn {
				o.Close()
			}
		}
	}
	if !l.keep(c) {
		return nil
	}
	before, over := l.serving, make(chan struct{})
	l.serving = over
	l.wg.Go(func() {
		defer close(over)
		defer l.forget(c)
		if before != nil {
			<-before
		}
		l.serve(c)
	})
	return over
}

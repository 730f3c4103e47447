package e2e

import (
	"context"
	"net"
	"sync"

	"coffer/internal/cash"
	"coffer/internal/journal"
)

// tap stands between a tabletop's host and everything that outlives it, its line and its ledger, and counts the moments at
// which it may die: before and after each frame that it sends, before and after each write to the ledger. An answer that
// came is the moment before the next frame.
type tap struct {
	*journal.Journal
	dial func(context.Context) (net.Conn, error)

	mu    sync.Mutex
	n     int
	hook  func(n int) // nil: nothing
	dead  bool
	conns []net.Conn
}

// moment is one of the moments; it says whether the host lives.
func (p *tap) moment() bool {
	p.mu.Lock()
	if p.hook == nil || p.dead {
		defer p.mu.Unlock()
		return !p.dead
	}
	p.n++
	n, hook := p.n, p.hook
	p.mu.Unlock()
	hook(n)
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.dead
}

// watch sets the hook and counts from 1.
func (p *tap) watch(hook func(n int)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n, p.hook = 0, hook
}

// kill makes the line dead and the ledger unwritable.
func (p *tap) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	for _, c := range p.conns {
		c.Close()
	}
}

// connect dials the machine.
func (p *tap) connect(ctx context.Context) (net.Conn, error) { return p.dialled(ctx, p.dial) }

// over is connect for one of several lines.
func (p *tap) over(dial func(context.Context) (net.Conn, error)) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) { return p.dialled(ctx, dial) }
}

func (p *tap) dialled(ctx context.Context, dial func(context.Context) (net.Conn, error)) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return nil, net.ErrClosed
	}
	c, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	p.conns = append(p.conns, c)
	return &tapConn{c, p}, nil
}

type tapConn struct {
	net.Conn
	tap *tap
}

// Write sends one frame: the line writes whole frames.
func (c *tapConn) Write(b []byte) (int, error) {
	if !c.tap.moment() {
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Write(b)
	if !c.tap.moment() {
		return n, net.ErrClosed
	}
	return n, err
}

// Begin is that of the ledger.
func (p *tap) Begin(ctx context.Context, op cash.Op) (cash.Op, error) {
	if !p.moment() {
		return cash.Op{}, cash.ErrJournal
	}
	got, err := p.Journal.Begin(ctx, op)
	if !p.moment() {
		return cash.Op{}, cash.ErrJournal
	}
	return got, err
}

// BeginLegs is that of the ledger.
func (p *tap) BeginLegs(ctx context.Context, whole cash.Op, legs []cash.Op) (cash.Op, []cash.Op, error) {
	if !p.moment() {
		return cash.Op{}, nil, cash.ErrJournal
	}
	got, begun, err := p.Journal.BeginLegs(ctx, whole, legs)
	if !p.moment() {
		return cash.Op{}, nil, cash.ErrJournal
	}
	return got, begun, err
}

// Write is that of the ledger.
func (p *tap) Write(ctx context.Context, w cash.LedgerWrite) ([]cash.Entry, error) {
	if !p.moment() {
		return nil, cash.ErrJournal
	}
	rows, err := p.Journal.Write(ctx, w)
	if !p.moment() {
		return nil, cash.ErrJournal
	}
	return rows, err
}

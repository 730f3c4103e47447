package apitest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
)

// Pipes is a net.Listener of this process: its connections are pipes, which a bubble of testing/synctest knows. To a
// server they come from this machine.
type Pipes struct {
	conns chan net.Conn
	shut  chan struct{}
	close func()
}

// NewPipes returns a listener that nobody has called yet.
func NewPipes() *Pipes {
	p := &Pipes{conns: make(chan net.Conn), shut: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.shut) })
	return p
}

// Transport calls the listener, whatever the address, and keeps up to idle connections.
func (p *Pipes) Transport(idle int) *http.Transport {
	return &http.Transport{DialContext: p.dial, MaxIdleConnsPerHost: idle}
}

func (p *Pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- local{far}:
		return near, nil
	case <-p.shut:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (p *Pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.shut:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *Pipes) Close() error {
	p.close()
	return nil
}

// Addr implements net.Listener.
func (p *Pipes) Addr() net.Addr { return loopback(80) }

// local is a pipe that looks like a connection from this machine.
type local struct{ net.Conn }

func (local) RemoteAddr() net.Addr { return loopback(40000) }
func (local) LocalAddr() net.Addr  { return loopback(80) }

func loopback(port int) net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port} }

// InBubble runs f in a bubble of testing/synctest. A test that is skipped in there is skipped out here, too, so that it
// proves nothing.
func InBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	skipped := false
	synctest.Test(t, func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		f(t)
	})
	if skipped {
		t.SkipNow()
	}
}

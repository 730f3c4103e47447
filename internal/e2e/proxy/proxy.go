package proxy

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"coffer/ssp"
)

// rest is the silence after which bytes that are no whole frame yet are passed on as they are. What completes the frame
// later, as on a computer that stood still in the middle, makes a point all the same.
const rest = 20 * time.Millisecond

// dialTimeout bounds the dialling of a machine on this computer, which should take no time.
const dialTimeout = time.Minute

// Point is a moment on the wire: a whole frame has arrived here, and is about to be passed on, or was.
type Point struct {
	N        int  // number of the frame, both ways together, from 1 since the hook was set
	ToDevice bool // direction
	Passed   bool // the frame was passed on
	Frame    ssp.Frame
}

// String names the point in one line.
func (p Point) String() string {
	dir, when := "answer", "before"
	if p.ToDevice {
		dir = "command"
	}
	if p.Passed {
		when = "after"
	}
	return fmt.Sprintf("%s %s %d", when, dir, p.N)
}

// Hook is called at every point, one at a time. Returning false breaks the connection: a frame that was not passed on
// never is.
type Hook func(Point) (goOn bool)

// Proxy is one line's listener. Connections come one after the other or at once, as they like; each gets a connection to
// the machine of its own.
type Proxy struct {
	target string
	ln     net.Listener
	all    sync.WaitGroup

	acting sync.Mutex // held while a hook runs

	mu    sync.Mutex
	hook  Hook
	n     int // since the hook was set
	total int
	conns map[net.Conn]struct{}
	shut  bool
	down  bool // pulled: nobody gets through
}

// Listen starts a proxy for the machine at target (host:port) on a free port of the loopback.
func Listen(target string) (*Proxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: target, ln: ln, conns: map[net.Conn]struct{}{}}
	p.all.Go(p.accept)
	return p, nil
}

// Addr returns host:port of the proxy.
func (p *Proxy) Addr() string { return p.ln.Addr().String() }

// SetHook sets what is called from now on, nil for nothing, and counts from 1 again.
func (p *Proxy) SetHook(h Hook) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hook, p.n = h, 0
}

// Count returns the frames since the hook was set, and since the start.
func (p *Proxy) Count() (sinceHook, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n, p.total
}

// Pull breaks every connection and refuses new ones until Plug.
func (p *Proxy) Pull() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	p.cut()
}

// Plug lets connections through again.
func (p *Proxy) Plug() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// Close ends the proxy and its connections and waits for them.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.shut = true
	p.ln.Close()
	p.cut()
	p.mu.Unlock()
	p.all.Wait()
}

// cut closes all connections. The caller holds the lock.
func (p *Proxy) cut() {
	for c := range p.conns {
		c.Close()
	}
}

func (p *Proxy) accept() {
	for {
		host, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.all.Go(func() { p.serve(host) })
	}
}

// serve carries one connection until either side ends it.
func (p *Proxy) serve(host net.Conn) {
	defer host.Close()
	device, err := net.DialTimeout("tcp", p.target, dialTimeout)
	if err != nil {
		return
	}
	defer device.Close()
	if !p.enter(host, device) {
		return
	}
	defer p.leave(host, device)
	var both sync.WaitGroup
	both.Go(func() { p.pump(host, device, true) })
	both.Go(func() { p.pump(device, host, false) })
	both.Wait()
}

func (p *Proxy) enter(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut || p.down {
		return false
	}
	for _, c := range conns {
		p.conns[c] = struct{}{}
	}
	return true
}

func (p *Proxy) leave(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

// pump carries one direction, whole frames at a time, and closes both ends when it stops.
func (p *Proxy) pump(from, to net.Conn, toDevice bool) {
	defer from.Close()
	defer to.Close()
	var dec ssp.Decoder
	var held []byte // not passed on yet
	buf := make([]byte, 1024)
	for {
		_ = from.SetReadDeadline(deadline(held))
		n, err := from.Read(buf)
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			if _, err := to.Write(held); err != nil {
				return
			}
			held = held[:0]
			continue
		}
		for in := buf[:n]; len(in) > 0; {
			used, f, ok := dec.Feed(in)
			held = append(held, in[:used]...)
			in = in[used:]
			if !ok {
				continue
			}
			if !p.pass(to, held, f, toDevice) {
				return
			}
			held = held[:0]
		}
		if err != nil {
			return
		}
	}
}

// deadline bounds the next read while something is held back.
func deadline(held []byte) time.Time {
	if len(held) == 0 {
		return time.Time{}
	}
	return time.Now().Add(rest)
}

// pass hands one frame on, with the hook before and after.
func (p *Proxy) pass(to net.Conn, wire []byte, f ssp.Frame, toDevice bool) bool {
	p.mu.Lock()
	p.n++
	p.total++
	hook, point := p.hook, Point{N: p.n, ToDevice: toDevice, Frame: f}
	p.mu.Unlock()
	if !p.act(hook, point) {
		return false
	}
	if _, err := to.Write(wire); err != nil {
		return false
	}
	point.Passed = true
	return p.act(hook, point)
}

// act calls the hook, if there is one.
func (p *Proxy) act(hook Hook, point Point) bool {
	if hook == nil {
		return true
	}
	p.acting.Lock()
	defer p.acting.Unlock()
	return hook(point)
}

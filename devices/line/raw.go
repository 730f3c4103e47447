package line

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"go.bug.st/serial"

	"coffer/internal/cash"
	"coffer/ssp"
)

// errLent is why a line answers nobody while somebody has borrowed it.
var errLent = errors.New("a download runs on it")

// Raw is a line that somebody has borrowed: frames to any address, bytes without frames, other speeds. It is used by
// one goroutine, between Borrow's call of its function and that function's return.
type Raw struct {
	line *Line
	ctx  context.Context
	port *port // nil while it is closed
	dec  ssp.Decoder
	in   [512]byte
}

// loan is how a line changes hands.
type loan struct {
	port chan *port    // the owner's port, once
	over chan struct{} // closed when it comes back
}

// Borrow gives the line to use for one job, a firmware download. While it lasts, calls to the peers of the line answer
// cash.ErrNotConnected at once. Afterwards the link is opened anew, at the line's own speed, and every address must be
// synchronised again.
//
// Errors: cash.ErrNotConnected if the line is not open or has ended, the context's error, and what use returns. The
// context that use gets also ends with the line, which waits for use to return.
func (l *Line) Borrow(ctx context.Context, use func(ctx context.Context, r *Raw) error) error {
	n := &loan{port: make(chan *port, 1), over: make(chan struct{})}
	j := &job{loan: n, answer: make(chan answer, 1)}
	select {
	case l.jobs <- j:
	case <-l.done:
		return fmt.Errorf("line %s: %w: %w", l.cfg.Name, cash.ErrNotConnected, errClosed)
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case a := <-j.answer: // it was refused
		return a.err
	case p := <-n.port:
		return l.lent(ctx, n, p, use)
	case <-ctx.Done():
		if j.state.CompareAndSwap(jobWaiting, jobCancelled) {
			return ctx.Err()
		}
		select {
		case a := <-j.answer:
			return a.err
		case p := <-n.port:
			return l.lent(ctx, n, p, use)
		}
	}
}

// lent runs use with the port.
func (l *Line) lent(ctx context.Context, n *loan, p *port, use func(context.Context, *Raw) error) error {
	defer close(n.over)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(l.ending(), stop)()
	r := &Raw{line: l, ctx: ctx, port: p}
	defer r.close()
	err := use(ctx, r)
	if err != nil && l.ending().Err() != nil {
		err = fmt.Errorf("line %s: %w: %w: %w", l.cfg.Name, cash.ErrNotConnected, errClosed, err)
	}
	return err
}

// ending returns a context that ends when the line is to end.
func (l *Line) ending() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running
}

// lend gives the port away and refuses everybody else until it comes back. The borrower has closed it by then.
func (o *owner) lend(n *loan) {
	o.line.setOpen(false, errLent)
	o.log.Info("line borrowed")
	n.port <- o.port
	o.port = nil
	for {
		select {
		case j := <-o.line.jobs:
			o.add(j)
			o.refuse(errLent)
		case <-n.over:
			o.log.Info("line given back")
			o.pause = 0
			return
		}
	}
}

func (r *Raw) close() {
	if r.port != nil {
		r.port.close()
		r.port = nil
	}
}

// errNoPort is the cause given when the link could not be opened again.
var errNoPort = errors.New("port closed")

func (r *Raw) fail(cause error) error {
	return fmt.Errorf("line %s: %w: %w", r.line.cfg.Name, cash.ErrNotConnected, cause)
}

// Wait passes d, or returns the context's error.
func (r *Raw) Wait(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.ctx.Done():
		return r.ctx.Err()
	case <-t.C:
		return nil
	}
}

// SetBaud changes the speed of the open link. A link without a speed, such as a network connection, is left alone.
func (r *Raw) SetBaud(baud int) error {
	if r.port == nil {
		return r.fail(errNoPort)
	}
	if err := setBaud(r.port.link, baud); err != nil {
		return r.fail(fmt.Errorf("set %d baud: %w", baud, err))
	}
	return nil
}

// setBaud gives a serial port the mode that SerialOpener gives, at another speed.
func setBaud(l Link, baud int) (err error) {
	p, ok := l.(interface{ SetMode(*serial.Mode) error })
	if !ok {
		return nil
	}
	defer rescue(&err)
	return p.SetMode(&serial.Mode{BaudRate: baud, DataBits: 8, Parity: serial.NoParity, StopBits: serial.TwoStopBits})
}

// Reopen closes the link, waits, and opens it at a speed: a USB machine may have gone meanwhile and come back. It tries
// for as long as limit.
func (r *Raw) Reopen(baud int, wait, limit time.Duration) error {
	r.close()
	if err := r.Wait(wait); err != nil {
		return err
	}
	for end := time.Now().Add(limit); ; {
		link, err := r.line.open(r.ctx)
		if err == nil {
			r.port = newPort(link)
			return r.SetBaud(baud)
		}
		if !time.Now().Before(end) {
			return r.fail(err)
		}
		if err := r.Wait(lastPause / 4); err != nil {
			return err
		}
	}
}

// Write sends bytes as they are.
func (r *Raw) Write(b []byte) error {
	switch {
	case r.port == nil:
		return r.fail(errNoPort)
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	}
	if err := r.port.write(b); err != nil {
		return r.fail(err)
	}
	return nil
}

// Flush drops what was received and not read.
func (r *Raw) Flush() error {
	if r.port == nil {
		return r.fail(errNoPort)
	}
	if err := r.port.flush(); err != nil {
		return r.fail(err)
	}
	return nil
}

// Byte waits up to limit for one byte; bytes behind it stay unread.
func (r *Raw) Byte(limit time.Duration) (byte, error) {
	for end := time.Now().Add(limit); r.ctx.Err() == nil; {
		left := time.Until(end)
		if left <= 0 {
			return 0, r.fail(errNoAnswer)
		}
		n, err := r.read(r.in[:1], min(left, lastPause/4))
		if err != nil {
			return 0, err
		}
		if n > 0 {
			return r.in[0], nil
		}
	}
	return 0, r.ctx.Err()
}

func (r *Raw) read(b []byte, d time.Duration) (int, error) {
	if r.port == nil {
		return 0, r.fail(errNoPort)
	}
	n, err := r.port.read(b, d)
	if err != nil {
		return 0, r.fail(err)
	}
	return n, nil
}

// Exchange does one plain exchange with the machine at addr, the sequence flag as given, tried as often as the line
// tries, and returns the whole answer. A frame that is not the answer is dropped. cash.ErrNotConnected without one.
func (r *Raw) Exchange(addr ssp.Address, flag bool, data []byte) ([]byte, error) {
	frame, err := ssp.AppendFrame(nil, ssp.Frame{Seq: flag, Addr: addr, Data: data})
	if err != nil {
		return nil, fmt.Errorf("line %s address %d: %w", r.line.cfg.Name, addr, err)
	}
	peer, cmd := r.line.Peer(addr), data
	if bytes.HasPrefix(data, []byte(ssp.DownloadMagic)) {
		cmd = ssp.CmdProgram.Data() // the header of a file is no command; the trace shows it as what it belongs to
	}
	for range 1 + r.line.cfg.Retries {
		if err := r.Flush(); err != nil {
			return nil, err
		}
		r.line.trace.command(peer, cmd, frame)
		if err := r.Write(frame); err != nil {
			return nil, err
		}
		f, err := r.frame(addr, flag)
		if err != nil {
			return nil, err
		}
		if f.Data != nil {
			r.line.trace.reply(peer, cmd, f, f.Data)
			return bytes.Clone(f.Data), nil
		}
	}
	return nil, r.line.fail(addr, errNoAnswer, true)
}

// frame waits for a plain frame of addr and flag; its Data are nil if none came in time.
func (r *Raw) frame(addr ssp.Address, flag bool) (ssp.Frame, error) {
	r.dec.Reset()
	for end := time.Now().Add(r.line.cfg.ReplyTimeout); ; {
		left := time.Until(end)
		if left <= 0 {
			return ssp.Frame{}, nil
		}
		n, err := r.read(r.in[:], left)
		if err != nil {
			return ssp.Frame{}, err
		}
		for b := r.in[:n]; len(b) > 0; {
			used, f, ok := r.dec.Feed(b)
			b = b[used:]
			if ok && f.Addr == addr && f.Seq == flag && !f.Encrypted() && len(f.Data) > 0 {
				return f, nil
			}
		}
	}
}

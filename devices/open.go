package devices

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// Limits of Open.
const (
	openReady  = 30 * time.Second // until a machine that answers must be ready
	openAnswer = 6 * time.Second  // until a machine must answer
)

// Open returns the device at addr of a port once it is ready. A port or address that is not configured is opened then
// (port is the name of a serial port or tcp://host:port) and driven until Release; one that was opened before is
// returned as it is.
//
// Errors: cash.ErrNotConnected if it does not answer within 6 s; cash.ErrJam, ErrBusy if it answers and is not ready
// within 30 s, because of a jam or because money is still moving; the context's error. What was opened ad hoc is
// released again.
func (s *Station) Open(ctx context.Context, port string, addr ssp.Address) (Device, error) {
	select {
	case <-s.running:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	b, err := s.obtain(ctx, port, addr, 0)
	if err != nil {
		return nil, err
	}
	return s.opened(ctx, b)
}

// obtain finds the device, or makes it with the fixed key given (0: the default) and starts it. One that is being released
// is waited for, and made anew. The caller claims it until settle: so long Release leaves it to him.
func (s *Station) obtain(ctx context.Context, port string, addr ssp.Address, key SessionKey) (*Base, error) {
	for {
		b, leaving, err := s.claim(port, addr, key)
		if leaving == nil {
			return b, err
		}
		select {
		case <-leaving:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// claim is obtain once; where the device is being released it claims nothing and returns what to wait for.
func (s *Station) claim(port string, addr ssp.Address, key SessionKey) (b *Base, leaving <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending || s.ctx.Err() != nil {
		return nil, nil, cash.ErrNotConnected
	}
	dc := DeviceConfig{Address: addr, FixedKey: key}
	l := s.find(port)
	if l == nil {
		l = s.addLine(LineConfig{Port: port, Devices: []DeviceConfig{dc}}, nil, true)
		s.start(l)
	} else if b = l.at(addr); b == nil && l.ending {
		return nil, nil, cash.ErrNotConnected
	} else if b == nil {
		b = s.newBase(l, dc, true)
		l.bases = append(l.bases, b)
		s.startBase(l, b)
	}
	if b = l.at(addr); b.leaving != nil {
		return nil, b.leaving, nil
	}
	b.claims++
	return b, nil, nil
}

// settle ends the claim of who has obtained the device; keep says that it was opened for a caller. One that is opened ad hoc
// is released when nobody wants it any more.
func (s *Station) settle(b *Base, keep bool) {
	s.mu.Lock()
	b.claims--
	b.kept = b.kept || keep
	s.mu.Unlock()
	s.release(b)
}

// awaitReady waits for the device under the limits of Open.
func (b *Base) awaitReady(ctx context.Context) error {
	answer, stop := context.WithTimeout(ctx, openAnswer)
	defer stop()
	ready, stop := context.WithTimeout(ctx, openReady)
	defer stop()
	if err := b.wait(answer, func(s *Snapshot) bool { return s.Connected }); err != nil {
		return b.whyNot(ctx, err)
	}
	if err := b.wait(ready, func(s *Snapshot) bool { return s.Ready }); err != nil {
		return b.whyNot(ctx, err)
	}
	return nil
}

// whyNot turns a wait that ran out into what is wrong with the machine.
func (b *Base) whyNot(ctx context.Context, err error) error {
	if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return err
	}
	if why := b.Snapshot().refuse(NeedReady); why != nil {
		return why
	}
	return cash.ErrNotConnected
}

// Release ends an ad hoc device as Run ends all of them, and closes its port if no other device is on it. While another
// call opens it, or a download to it runs, that is left to the end of that. A configured device, and one that is not there,
// is left alone.
func (s *Station) Release(id cash.DeviceID) {
	for _, b := range s.allBases() {
		if got := b.Snapshot().ID; got != "" && strings.EqualFold(string(got), string(id)) {
			s.mu.Lock()
			b.kept = false
			s.mu.Unlock()
			s.release(b)
			return
		}
	}
}

func (s *Station) allBases() (out []*Base) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lines {
		out = append(out, l.bases...)
	}
	return out
}

// release stops b, waits for its end, and takes it and its line away if they are ad hoc, unless somebody has claimed it or
// keeps it.
func (s *Station) release(b *Base) {
	if !b.cfg.adHoc {
		return
	}
	s.mu.Lock()
	leaving := b.leaving
	if leaving != nil || b.claims > 0 || b.kept {
		s.mu.Unlock()
		if leaving != nil {
			<-leaving
		}
		return
	}
	b.leaving = make(chan struct{})
	defer close(b.leaving)
	s.mu.Unlock()
	b.stop()
	<-b.done
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.names, func(_ cash.DeviceID, holder *Base) bool { return holder == b })
	for i, l := range s.lines {
		if !l.remove(b) {
			continue
		}
		if l.adHoc && len(l.bases) == 0 {
			l.stop()
			<-l.done
			s.lines = append(s.lines[:i:i], s.lines[i+1:]...)
		}
		return
	}
}

// remove takes b off the line and says whether it was there.
func (l *stationLine) remove(b *Base) bool {
	for i, have := range l.bases {
		if have == b {
			l.bases = append(l.bases[:i:i], l.bases[i+1:]...)
			return true
		}
	}
	return false
}

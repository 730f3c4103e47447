package upos

import (
	"context"
	"slices"
	"time"
)

// waiter is a claim that waits for its turn.
type waiter struct {
	h    *Handle
	turn chan struct{} // closed when it is the first and the device is free
}

// retry is how often a claim that has its turn asks for machines that something else, as a REST call, has for a moment.
const retry = 20 * time.Millisecond

// claim claims the device: milliseconds, FOREVER, or 0 to try once. Claims are served in the order in which they came. An
// instance that holds the claim already has it.
func (c *call) claim() (map[string]any, error) {
	h, s, timeout := c.h, c.h.service, c.int("timeout")
	if timeout < FOREVER {
		return nil, fail(E_ILLEGAL, "timeout %d: use milliseconds, 0 to try once, or FOREVER (%d)", timeout, FOREVER)
	}
	s.mu.Lock()
	d := h.dev
	if d == nil || d.holder == h {
		defer s.mu.Unlock()
		return nil, h.allowed(AfterOpen)
	}
	w := &waiter{h: h, turn: make(chan struct{})}
	d.waiting = append(d.waiting, w)
	d.advance()
	life := h.life
	s.mu.Unlock()

	err := d.await(c.ctx, life, w, timeout)

	s.mu.Lock()
	defer s.mu.Unlock()
	d.waiting = slices.DeleteFunc(d.waiting, func(x *waiter) bool { return x == w })
	defer d.advance()
	if err != nil {
		return nil, err
	}
	if h.dev != d || h.life != life { // closed at the last moment: nobody will release it
		go d.free(h.owner)
		return nil, ErrClosed
	}
	d.holder = h
	return nil, nil
}

// await waits for the turn of w and then binds the machines.
func (d *device) await(ctx, life context.Context, w *waiter, timeout int32) error {
	var late <-chan time.Time // nil: never
	switch {
	case timeout == 0:
		select {
		case <-w.turn:
		default:
			return fail(E_TIMEOUT, "%s is claimed by another instance", d.cfg.Name)
		}
	case timeout > 0:
		t := time.NewTimer(time.Duration(timeout) * time.Millisecond)
		defer t.Stop()
		late = t.C
	}
	turn := (<-chan struct{})(w.turn)
	for {
		select {
		case <-turn:
			err := d.bind(w.h.owner)
			switch {
			case err == nil:
				return nil
			case !elsewhere(err):
				return wrap(err)
			case timeout == 0:
				return &Error{Code: E_TIMEOUT, Message: err.Error(), cause: err}
			}
			turn = pause()
		case <-late:
			return fail(E_TIMEOUT, "%s was not free within %d ms", d.cfg.Name, timeout)
		case <-life.Done():
			return ErrClosed
		case <-ctx.Done():
			return fail(E_TIMEOUT, "the caller gave up waiting for %s", d.cfg.Name)
		}
	}
}

// pause returns a channel that is closed after the pause between two tries.
func pause() <-chan struct{} {
	c := make(chan struct{})
	time.AfterFunc(retry, func() { close(c) })
	return c
}

// bind and free bind the machines to a handle; a drawer needs no binding.
func (d *device) bind(owner string) error {
	if d.mech == nil {
		return nil
	}
	return d.mech.Claim(owner)
}

func (d *device) free(owner string) {
	if d.mech != nil {
		d.mech.Release(owner)
	}
}

// advance gives the first waiter its turn if the device is free. The caller holds mu.
func (d *device) advance() {
	if d.holder != nil || len(d.waiting) == 0 {
		return
	}
	select {
	case <-d.waiting[0].turn:
	default:
		close(d.waiting[0].turn)
	}
}

// release gives the claim back. An exclusive device is disabled first, and its events that wait are gone.
func (c *call) release() (map[string]any, error) {
	if c.h.class.exclusive() {
		if err := c.h.stop(c.d, false); err != nil {
			return nil, err
		}
	}
	c.h.letGo(c.d)
	return nil, nil
}

// letGo discards the events of an exclusive device and passes the claim on.
func (h *Handle) letGo(d *device) {
	if h.service.holds(d, h) {
		d.free(h.owner)
	}
	h.service.mu.Lock()
	defer h.service.mu.Unlock()
	if h.class.exclusive() {
		h.discard(false)
	}
	if d.holder == h {
		d.holder = nil
		d.advance()
	}
}

func (s *Service) holds(d *device, h *Handle) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return d.holder == h
}

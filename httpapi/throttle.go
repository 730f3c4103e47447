package httpapi

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Login attempts that may fail before a source has to wait, the first wait and the longest.
const (
	freeFailures = 10
	firstWait    = time.Second
	longestWait  = 30 * time.Second
	forgetAfter  = 5 * time.Minute
	maxSources   = 10_000
)

// Throttle slows guessing of passwords down: after ten failed logins a source waits one second before its next try
// counts, then two, four, … thirty. A successful login, or five quiet minutes, forgets. Safe for use from any goroutine.
type Throttle struct {
	now  func() time.Time
	turn chan struct{} // holds one element while a login is checked

	mu      sync.Mutex
	sources map[string]*source
}

type source struct {
	failures int
	last     time.Time // of the last failure
	until    time.Time // no try before
}

// NewThrottle returns a throttle that has seen nothing.
func NewThrottle(now func() time.Time) *Throttle {
	return &Throttle{now: now, turn: make(chan struct{}, 1), sources: map[string]*source{}}
}

// Turn waits until no other login is checked, so that many sent at once are not all let through before the first has failed.
// Whoever has the turn ends it with done. Errors: the context's alone.
func (t *Throttle) Turn(ctx context.Context) (done func(), err error) {
	select {
	case t.turn <- struct{}{}:
		return func() { <-t.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Wait returns how long the source has to wait, 0 for not at all.
func (t *Throttle) Wait(from string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.sources[from]
	if s == nil {
		return 0
	}
	return max(0, s.until.Sub(t.now()))
}

// Failed notes a failed login.
func (t *Throttle) Failed(from string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	t.forget(now)
	s := t.sources[from]
	if s == nil {
		s = &source{}
		t.sources[from] = s
	}
	s.failures++
	s.last = now
	if over := s.failures - freeFailures; over >= 0 {
		s.until = now.Add(min(longestWait, firstWait<<min(over, 10)))
	}
}

// Succeeded forgets the source's failures.
func (t *Throttle) Succeeded(from string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sources, from)
}

// forget drops sources that have been quiet, and all of them where there are too many to be honest. The caller holds mu.
func (t *Throttle) forget(now time.Time) {
	for k, s := range t.sources {
		if now.Sub(s.last) > forgetAfter {
			delete(t.sources, k)
		}
	}
	if len(t.sources) >= maxSources {
		clear(t.sources)
	}
}

// Source returns who a request comes from for the throttle: the address without its port.
func Source(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

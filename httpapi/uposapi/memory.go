package uposapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"coffer/upos"
)

// maxRemembered is how many calls an instance remembers by their request id. What is older is answered by the ledger,
// where it moved money.
const maxRemembered = 256

// memory holds the calls of an instance that had a request id, so that one which is repeated, because its answer was
// lost, is not carried out again. It also covers the time in which the first is still under way.
type memory struct {
	mu    sync.Mutex
	calls map[string]*remembered
	order []string // oldest first
}

// remembered is one call.
type remembered struct {
	print string        // method and arguments
	done  chan struct{} // closed once out and err are valid
	out   map[string]any
	err   error
}

// errReused: a request id that named another call before.
var errReused = &upos.Error{Code: upos.E_ILLEGAL, Message: "this request id was used for another call; make a new one for each new call"}

// once carries out f for id, or returns what the first call with id got. ctx bounds the waiting for a first call that is
// still under way.
func (m *memory) once(ctx context.Context, id string, in upos.Invocation, f func() (map[string]any, error)) (map[string]any, error) {
	args, err := json.Marshal(in.Args)
	if err != nil {
		return nil, err
	}
	print := in.Method + string(args)
	c, first := m.take(id, print)
	if first {
		defer m.settle(id, c)
		c.out, c.err = f()
		return c.out, c.err
	}
	if c.print != print {
		return nil, errReused
	}
	select {
	case <-c.done:
		return c.out, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// take returns the call of id, and whether it is new.
func (m *memory) take(id, print string) (c *remembered, first bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.calls[id]; c != nil {
		return c, false
	}
	if m.calls == nil {
		m.calls = map[string]*remembered{}
	}
	c = &remembered{print: print, done: make(chan struct{}), err: errors.New("the first call did not come to an end")}
	m.calls[id] = c
	m.order = append(m.order, id)
	for len(m.order) > maxRemembered {
		delete(m.calls, m.order[0])
		m.order = m.order[1:]
	}
	return c, true
}

// settle is the end of a first call. One that was refused by the state of the device has moved nothing: it may be tried
// again under the same id, by whoever has waited for it too.
func (m *memory) settle(id string, c *remembered) {
	defer close(c.done) // last: whoever learns the outcome may try again
	if !refusedByState(c.err) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls[id] == c {
		delete(m.calls, id)
		for n, other := range m.order {
			if other == id {
				m.order = append(m.order[:n:n], m.order[n+1:]...)
				break
			}
		}
	}
}

// refusedByState says whether err came before anything was begun.
func refusedByState(err error) bool {
	var known *upos.Error
	if !errors.As(err, &known) {
		return errors.Is(err, upos.ErrUnknownMember)
	}
	switch known.Code {
	case upos.E_FAILURE, upos.E_EXTENDED:
		return false
	}
	return true
}

// ledgerKey names a call of user on a device for ever.
func ledgerKey(device, user, id string) string { return fmt.Sprintf("upos:%s:%s:%s", device, user, id) }

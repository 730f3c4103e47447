package uposapi

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"coffer/upos"
)

// instance is an opened device with the lease that keeps it.
type instance struct {
	id, user string
	h        *upos.Handle
	expired  func(*instance)
	calls    memory

	mu     sync.Mutex
	name   string // that it was opened with last, "" for never
	lease  time.Duration
	busy   int       // requests under way that keep it
	until  time.Time // when it ends, unless it is used before; holds while busy is 0
	timer  *time.Timer
	gone   bool
	reader context.CancelCauseFunc // who reads its events, nil for nobody
}

// errTaken ends a reader of events whose place another has taken.
var errTaken = errors.New("another connection reads the events of this instance now")

// keep adds a new instance of user around h.
func (a *API) keep(h *upos.Handle, user string) (*instance, error) {
	i := &instance{id: rand.Text(), user: user, h: h, expired: a.lapse}
	a.adopt(i)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return nil, &upos.Error{Code: upos.E_CLOSED, Message: "coffer is stopping"}
	case len(a.open) >= maxInstances:
		return nil, &upos.Error{Code: upos.E_FAILURE, Message: "too many instances are open; close some, or wait until their leases end"}
	}
	a.open[i.id] = i
	i.mu.Lock()
	defer i.mu.Unlock()
	i.until = time.Now().Add(i.lease)
	i.timer = time.AfterFunc(i.lease, i.ring)
	return i, nil
}

// adopt takes over the name and the lease of the device that the instance has open.
func (a *API) adopt(i *instance) {
	name := i.h.Name()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.name, i.lease = name, a.Lease[name]
	if i.lease <= 0 {
		i.lease = DefaultLease
	}
}

// term is the length of its lease.
func (i *instance) term() time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.lease
}

// find returns the instance with the id, if it is user's.
func (a *API) find(id, user string) (*instance, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := a.open[id]
	return i, i != nil && i.user == user
}

// owned lists the instances of user.
func (a *API) owned(user string) []*instance {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []*instance
	for _, i := range a.open {
		if i.user == user {
			all = append(all, i)
		}
	}
	return all
}

// lapse ends an instance whose lease has ended: its client is dead.
func (a *API) lapse(i *instance) {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return // Close ends it
	}
	a.ending.Add(1)
	a.mu.Unlock()
	defer a.ending.Done()
	a.end(i, "its lease has ended")
}

// end removes an instance and closes its device: a deposit is settled and kept, the claim released.
func (a *API) end(i *instance, why string) {
	a.mu.Lock()
	delete(a.open, i.id)
	a.mu.Unlock()
	i.mu.Lock()
	i.gone = true
	i.timer.Stop()
	name := i.name
	i.mu.Unlock()
	err := i.h.Close()
	var known *upos.Error
	if errors.As(err, &known) && known.Code == upos.E_CLOSED {
		return // its client has closed it already
	}
	log := a.Log.WithField("device", name).WithField("user", i.user)
	if err != nil {
		log = log.WithError(err)
	}
	log.Info("instance closed: " + why)
}

// begin marks a use that lasts until end. false: the instance is gone.
func (i *instance) begin() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.gone {
		return false
	}
	i.busy++
	return true
}

// end is the end of a use; the lease begins anew.
func (i *instance) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.busy--
	i.renew()
}

// touch renews the lease. false: the instance is gone.
func (i *instance) touch() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.renew()
	return !i.gone
}

// renew is touch under the lock.
func (i *instance) renew() {
	if !i.gone {
		i.until = time.Now().Add(i.lease)
		i.timer.Reset(i.lease)
	}
}

// ring is the timer's.
func (i *instance) ring() {
	i.mu.Lock()
	left := time.Until(i.until)
	over := !i.gone && i.busy == 0 && left <= 0
	if over {
		i.gone = true
	} else if !i.gone && left > 0 {
		i.timer.Reset(left)
	}
	i.mu.Unlock()
	if over {
		i.expired(i)
	}
}

// read makes the caller the one reader of the instance's events until stop. The context ends with errTaken when another
// takes its place.
func (i *instance) read(ctx context.Context) (reading context.Context, stop func()) {
	reading, cancel := context.WithCancelCause(ctx)
	i.mu.Lock()
	if i.reader != nil {
		i.reader(errTaken)
	}
	i.reader = cancel
	i.mu.Unlock()
	return reading, func() { cancel(context.Canceled) }
}

// ack marks an event as dealt with; 0 is none. What was acknowledged before says nothing new.
func (i *instance) ack(seq uint64) error {
	if seq == 0 {
		return nil
	}
	return i.h.Ack(seq)
}

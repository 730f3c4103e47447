package cashdevice

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/ssp"
)

// view is what REST clients see of one machine between OpenConnection and DisconnectDevice: a deviceID, a life-cycle of
// its own, and the queue of events that GetDeviceStatus drains. The machine is driven with or without it.
type view struct {
	id     string        // as answered to clients
	chosen bool          // id is a name that the client has given it
	device cash.DeviceID // as the station and the ledger know it
	port   string        // line and address that it was opened by
	addr   ssp.Address
	queue  queue
	log    deviceLog

	gear   sync.Mutex // held by StopDevice and StartDevice: one at a time
	mu     sync.Mutex
	story  *story
	known  memory
	resume bool // the acceptor was on when StopDevice came
	cursor *bus.Cursor
	stop   context.CancelFunc
	done   chan struct{}
	lost   func(error) // told that the bus has overwritten what was not in the queue yet
}

// newView begins a view of d: the cursor stands at now.
func (a *api) newView(d devices.Device, at place, id string) *view {
	snap := d.Snapshot()
	return &view{id: id, device: snap.ID, port: at.port, addr: at.addr, story: newStory(), cursor: a.bus.Cursor(snap.ID), done: make(chan struct{})}
}

// arrive tells the way from CONNECTING to STARTED, or to CONNECTED for a view that is started later.
func (v *view) arrive(started bool) {
	v.story.running = started
	v.pass(cash.StateConnecting, cash.StateConnected)
	if started {
		v.pass(cash.StateStarting, cash.StateStarted)
	}
}

// pass tells states of the view's own life-cycle.
func (v *view) pass(states ...cash.State) {
	for _, s := range states {
		v.story.enter(s)
	}
	v.spread()
}

// spread puts what was told into the queue and the log. The caller holds mu or is alone.
func (v *view) spread() {
	told := v.story.take()
	v.queue.add(told...)
	for _, h := range told {
		v.log.line(time.Now(), "%s", h.message())
	}
}

// run fills the queue from the bus until ctx or the view ends. It begins with the state that the machine is set to, which
// the machine itself tells with its next answer only. What was published while it was opened counts by then, but for
// states of rest that contradict it: they are from before, and must not be told behind it.
func (v *view) run(ctx context.Context, accepts func() bool, log logrus.FieldLogger) {
	ctx, v.stop = context.WithCancel(ctx)
	v.lost = func(err error) {
		log.WithField("device", v.device).WithError(err).Error("events for GetDeviceStatus were lost; the ledger has the money")
	}
	v.mu.Lock()
	before, err := v.cursor.Take(0)
	if errors.Is(err, cash.ErrGap) {
		v.lost(err)
	}
	set := rest(accepts()) // after what was published, so that it is never older
	v.story.machine = set
	if v.story.running {
		v.pass(set)
	} else {
		v.story.silent = true // until StartDevice
	}
	for _, entry := range before {
		if e, ok := entry.Event.(cash.StateChanged); !ok || !atRest(e.State) || e.State == set {
			v.story.tell(entry.Event)
		}
	}
	v.spread()
	v.mu.Unlock()
	go func() {
		defer close(v.done)
		defer v.cursor.Close()
		defer v.log.close() // also where coffer stops and nobody closes the view
		for v.cursor.Wait(ctx) == nil {
			v.mu.Lock()
			open := v.catchUp()
			v.mu.Unlock()
			if !open {
				return
			}
		}
	}()
}

// catchUp puts into the queue what the bus has by now; false after the end of the view. Whoever shows the queue, or adds to
// it, calls it first: a client finds there what belongs to the answers that it has had. The caller holds mu.
func (v *view) catchUp() bool {
	for {
		entries, err := v.cursor.Take(0)
		for _, e := range entries {
			v.story.tell(e.Event)
		}
		v.spread()
		if !errors.Is(err, cash.ErrGap) {
			return err == nil
		}
		v.lost(err)
	}
}

// rested tells the state of rest that an Enable or Disable has brought. The machine itself tells what changed since its
// last answer, and that may be older than what the view was begun with: switched twice in between, it tells nothing.
func (v *view) rested(accepts func() bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.catchUp()
	if atRest(v.story.machine) && (atRest(v.story.shown) || v.story.silent) {
		v.story.tell(cash.StateChanged{State: rest(accepts())})
		v.spread()
	}
}

// rest is the state of a machine that does nothing.
func rest(accepting bool) cash.State {
	if accepting {
		return cash.StateIdle
	}
	return cash.StateDisabled
}

// hear puts an event into the queue that is not on the bus.
func (v *view) hear(e cash.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.catchUp()
	v.story.tell(e)
	v.spread()
}

// end stops filling the queue. It may be called more than once.
func (v *view) end() {
	if v.stop != nil {
		v.stop()
		<-v.done
	}
}

// views are the open views by deviceID, in any letter case. The zero value is empty. Safe for use from any goroutine.
type views struct {
	mu   sync.RWMutex
	byID map[string]*view
	gate sync.Map // of *sync.Mutex by line and address: one opening or closing at a time
}

// find returns the view that a client calls id: by the deviceID that it was answered, or by the machine's own.
func (vs *views) find(id string) *view {
	vs.mu.RLock()
	defer vs.mu.RUnlock()
	if v := vs.byID[strings.ToLower(id)]; v != nil {
		return v
	}
	for _, v := range vs.byID {
		if strings.EqualFold(string(v.device), id) {
			return v
		}
	}
	return nil
}

// put adds v in place of earlier views of the same machine, or of the same id, which it returns.
func (vs *views) put(v *view) (before []*view) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if vs.byID == nil {
		vs.byID = map[string]*view{}
	}
	for key, old := range vs.byID {
		if old.device == v.device || key == strings.ToLower(v.id) {
			before = append(before, old)
			delete(vs.byID, key)
		}
	}
	vs.byID[strings.ToLower(v.id)] = v
	return before
}

// remove takes v out and says whether it was there.
func (vs *views) remove(v *view) bool {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	key := strings.ToLower(v.id)
	if vs.byID[key] != v {
		return false
	}
	delete(vs.byID, key)
	return true
}

// all returns the open views in no order.
func (vs *views) all() []*view {
	vs.mu.RLock()
	defer vs.mu.RUnlock()
	out := make([]*view, 0, len(vs.byID))
	for _, v := range vs.byID {
		out = append(out, v)
	}
	return out
}

// lock lets one caller at a time open or close what is at a port and address.
func (vs *views) lock(port string, addr ssp.Address) (unlock func()) {
	type place struct {
		port string
		addr ssp.Address
	}
	m, _ := vs.gate.LoadOrStore(place{port, addr}, &sync.Mutex{})
	m.(*sync.Mutex).Lock()
	return m.(*sync.Mutex).Unlock
}

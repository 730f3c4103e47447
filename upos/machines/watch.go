package machines

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/till"
	"coffer/upos"
)

// arrival is one entry of the bus, or the news that some were overwritten before they were read; at is the last of them.
type arrival struct {
	bus.Entry
	gap bool
	at  uint64
}

// position is how far the bus was read, and told to every watcher.
type position struct {
	mu      sync.Mutex
	at      uint64
	changed chan struct{} // closed, and replaced, when at moves
}

func (p *position) reach(at uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at > p.at {
		p.at = at
		close(p.changed)
		p.changed = make(chan struct{})
	}
}

// await waits until everything up to at was told.
func (p *position) await(ctx context.Context, at uint64) error {
	for {
		p.mu.Lock()
		reached, changed := p.at >= at, p.changed
		p.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// caughtUp waits until what is on the bus by now was told.
func (m *Mechanism) caughtUp(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.ctx, cancel)() // nothing is told after Close
	return m.seen.await(ctx, m.Bus.Last())
}

// Watch implements upos.Mechanism.
func (m *Mechanism) Watch(f func(upos.Change)) (stop func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.next
	m.next++
	m.watchers[n] = f
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.watchers, n)
	}
}

// tell tells a change to everybody.
func (m *Mechanism) tell(c upos.Change) {
	m.mu.Lock()
	order := slices.Sorted(maps.Keys(m.watchers))
	m.mu.Unlock()
	for _, n := range order {
		m.mu.Lock()
		f := m.watchers[n]
		m.mu.Unlock()
		if f != nil {
			f(c)
		}
	}
}

// read hands the entries of the bus on.
func (m *Mechanism) read(cursor *bus.Cursor, to chan<- arrival) {
	defer cursor.Close()
	for {
		e, err := cursor.Next(m.ctx)
		a := arrival{Entry: e, at: e.Seq}
		switch {
		case errors.Is(err, cash.ErrGap):
			a = arrival{gap: true}
		case err != nil:
			return
		}
		select {
		case to <- a:
		case <-m.ctx.Done():
			return
		}
	}
}

// run tells what happens, in order, until Close.
func (m *Mechanism) run(from <-chan arrival) {
	defer close(m.ended)
	t := time.NewTicker(tick)
	defer t.Stop()
	m.look()
	for {
		select {
		case a := <-from:
			if a.gap {
				m.resync()
				continue
			}
			m.entry(a.Entry)
			m.seen.reach(a.at)
		case <-t.C:
			m.look()
		case f := <-m.work:
			f()
		case <-m.ctx.Done():
			return
		}
	}
}

// look tells what has changed without an event.
func (m *Mechanism) look() {
	m.identify()
	for i := range m.parts {
		m.turnOff(i)
		m.report(upos.Change{Part: i})
	}
}

// lookNow is look, and returns when it is done.
func (m *Mechanism) lookNow(ctx context.Context) {
	done := make(chan struct{})
	select {
	case m.work <- func() { m.look(); close(done) }:
		<-done
	case <-ctx.Done():
	case <-m.ctx.Done():
	}
}

// report tells c if there is anything in it, or the part does not look as it was told last.
func (m *Mechanism) report(c upos.Change) {
	now := m.part(c.Part)
	m.mu.Lock()
	c.Status = differs(m.parts[c.Part].told, now)
	m.parts[c.Part].told = now
	m.mu.Unlock()
	if c.Status || len(c.Taken) > 0 || c.Doubt || c.Fraud || c.Returned || c.BoxOut || c.BoxIn {
		m.tell(c)
	}
}

// entry tells of one event. What was taken is read from the ledger, whose rows are numbered: none is told twice.
func (m *Mechanism) entry(e bus.Entry) {
	i := m.partOf(e.Device)
	if i < 0 {
		return
	}
	c := upos.Change{Part: i}
	if taken := m.taken(i, e.Ledger); len(taken) > 0 {
		c.Taken = sum(taken)
	}
	switch ev := e.Event.(type) {
	case cash.Discrepancy:
		c.Doubt = true
		m.doubt(i, true)
	case cash.Fraud:
		c.Fraud = true
	case cash.NoteRejected, cash.NoteReturned, cash.CoinRejected:
		c.Returned = true
	case cash.StateChanged:
		c.BoxOut = ev.State == cash.StateCashboxRemoved
		c.BoxIn = ev.State == cash.StateCashboxReplace
	}
	m.report(c)
}

// resync tells what the ledger has of events that were overwritten before they were read, piece by piece.
func (m *Mechanism) resync() {
	last := m.Bus.Last()
	for i := range m.parts {
		for _, p := range m.taken(i, -1) {
			m.report(upos.Change{Part: i, Taken: p})
		}
		m.report(upos.Change{Part: i, Doubt: m.newDoubt(i)})
	}
	m.seen.reach(last)
}

// newDoubt says whether a discrepancy was written that was not told of.
func (m *Mechanism) newDoubt(i int) bool {
	m.mu.Lock()
	p := m.parts[i]
	dev, before := p.dev, p.doubt
	m.mu.Unlock()
	if dev == "" || before {
		return false
	}
	doubt, err := m.Till.InDoubt(m.ctx, dev)
	if err != nil || !doubt {
		return false
	}
	m.doubt(i, true)
	return true
}

func (m *Mechanism) doubt(i int, on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parts[i].doubt = on
}

// partOf returns the part that is the device, -1 for none.
func (m *Mechanism) partOf(dev cash.DeviceID) int {
	look := func() int {
		m.mu.Lock()
		defer m.mu.Unlock()
		return slices.IndexFunc(m.parts, func(p *part) bool { return p.dev == dev })
	}
	if i := look(); i >= 0 {
		return i
	}
	m.identify() // perhaps it has just said who it is
	return look()
}

// taken reads what was credited in rows that were not looked at, up to a row (below 0: all); one answer a row. Pieces that
// a machine has given back after all are negative.
func (m *Mechanism) taken(i int, upTo int64) []upos.Pieces {
	m.mu.Lock()
	p := m.parts[i]
	dev, mark := p.dev, p.mark
	m.mu.Unlock()
	if dev == "" || upTo >= 0 && upTo <= mark {
		return nil
	}
	rows, err := m.Till.Rows(m.ctx, dev, mark)
	if err != nil {
		m.Log.WithField("device", dev).WithError(err).Error("what was taken is told when the ledger can be read again")
		return nil
	}
	var out []upos.Pieces
	s := m.device(i).Snapshot()
	for _, e := range rows {
		if upTo >= 0 && e.Seq > upTo {
			break
		}
		mark = e.Seq
		if n := came(e.Line); n != 0 {
			out = append(out, upos.Pieces{piece(cash.Denom{Value: e.Value, Currency: e.Currency}, s): n})
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p.mark = mark
	return out
}

// came is how many pieces of a row came in for good.
func came(l cash.Line) int {
	switch {
	case l.Kind == cash.KindCredit:
		return l.Count
	case l.Kind == cash.KindReturn && (l.From == cash.Payout || l.From == cash.Cashbox):
		return -l.Count
	}
	return 0
}

func sum(list []upos.Pieces) upos.Pieces {
	out := upos.Pieces{}
	for _, p := range list {
		for k, n := range p {
			out[k] += n
		}
	}
	return out
}

// turnOff turns off acceptance in a machine that was away when it was asked to.
func (m *Mechanism) turnOff(i int) {
	select {
	case m.parts[i].way <- struct{}{}:
		defer func() { <-m.parts[i].way }()
	default:
		return // somebody says anew what it is to be
	}
	m.mu.Lock()
	pending, owner := m.parts[i].off, m.owner
	m.mu.Unlock()
	d := m.device(i)
	if !pending || !d.Snapshot().Ready {
		return
	}
	err := m.Till.Disable(m.ctx, till.Call{Actor: "upos", Owner: owner}, d)
	if err != nil && !errors.Is(err, cash.ErrClaimed) { // whoever has claimed it decides now
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parts[i].off = false
}

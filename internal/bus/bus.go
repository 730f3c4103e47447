package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"coffer/internal/cash"
)

// ErrClosed is what a closed cursor answers.
var ErrClosed = errors.New("cursor closed")

// Entry is one event as it was published.
type Entry struct {
	Seq    uint64 // from 1, without gaps over all devices
	At     time.Time
	Device cash.DeviceID
	Event  cash.Event
	Ledger int64 // seq of the last ledger row of this event, 0 for none
}

// Bus is the log. It keeps the last entries, as many as New was told. Safe for use from any goroutine.
type Bus struct {
	mu      sync.Mutex
	ring    []Entry
	last    uint64                   // Seq of the newest entry, 0 before the first
	evicted map[cash.DeviceID]uint64 // per device: Seq of the newest entry that was overwritten
	gone    uint64                   // the same over all devices
	changed chan struct{}            // closed by the next Publish; nil while nobody waits
}

// New returns a bus that keeps the last size entries (at least 1).
func New(size int) *Bus {
	return &Bus{ring: make([]Entry, max(size, 1)), evicted: map[cash.DeviceID]uint64{}}
}

// Publish appends ev in order. It never waits for a reader. ledger is the seq of the last ledger row that belongs to
// the events, 0 for none.
func (b *Bus) Publish(dev cash.DeviceID, at time.Time, ledger int64, ev ...cash.Event) {
	if len(ev) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range ev {
		b.last++
		slot := &b.ring[b.last%uint64(len(b.ring))]
		if slot.Seq != 0 {
			b.evicted[slot.Device], b.gone = slot.Seq, slot.Seq
		}
		*slot = Entry{Seq: b.last, At: at, Device: dev, Event: e, Ledger: ledger}
	}
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// Last returns the Seq of the newest entry, 0 before the first.
func (b *Bus) Last() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

// Cursor returns a reader of what is published from now on: of one device, or of all where dev is "".
func (b *Bus) Cursor(dev cash.DeviceID) *Cursor {
	b.mu.Lock()
	defer b.mu.Unlock()
	return &Cursor{bus: b, dev: dev, next: b.last + 1, closed: make(chan struct{})}
}

// wait returns a channel that the next Publish closes. The caller holds b.mu.
func (b *Bus) wait() <-chan struct{} {
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.changed
}

// Cursor is one reader's position. Safe for use from any goroutine; each entry goes to one of its callers.
type Cursor struct {
	bus    *Bus
	dev    cash.DeviceID
	next   uint64        // guarded by bus.mu: Seq of the first entry not looked at
	closed chan struct{} // closed by Close, under bus.mu
}

// Take returns what was published since the last call, at most n entries (all of it where n < 1), and never waits.
// It returns cash.ErrGap, and no entries, where entries of this cursor were overwritten before it came; the next call
// goes on at the oldest entry that is left. It returns ErrClosed after Close.
func (c *Cursor) Take(n int) ([]Entry, error) {
	c.bus.mu.Lock()
	defer c.bus.mu.Unlock()
	return c.take(n)
}

// Next waits for the next entry. Errors: the context's, cash.ErrGap as for Take, ErrClosed.
func (c *Cursor) Next(ctx context.Context) (Entry, error) {
	for {
		c.bus.mu.Lock()
		got, err := c.take(1)
		changed := c.bus.wait()
		c.bus.mu.Unlock()
		switch {
		case err != nil:
			return Entry{}, err
		case len(got) == 1:
			return got[0], nil
		}
		if err := c.sleep(ctx, changed); err != nil {
			return Entry{}, err
		}
	}
}

// Wait waits until Take has something to say, entries or an error, and takes nothing. Errors: the context's alone.
func (c *Cursor) Wait(ctx context.Context) error {
	for {
		c.bus.mu.Lock()
		from := c.next
		got, err := c.take(1)
		if changed := c.bus.wait(); len(got) == 0 && err == nil {
			c.bus.mu.Unlock()
			if err := c.sleep(ctx, changed); err != nil {
				return err
			}
			continue
		}
		c.next = from
		c.bus.mu.Unlock()
		return nil
	}
}

// sleep waits for the next Publish, or Close.
func (c *Cursor) sleep(ctx context.Context, changed <-chan struct{}) error {
	select {
	case <-changed:
	case <-c.closed:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// Close ends the cursor and wakes whoever waits in Next. Closing twice does nothing.
func (c *Cursor) Close() {
	c.bus.mu.Lock()
	defer c.bus.mu.Unlock()
	if !c.isClosed() {
		close(c.closed)
	}
}

func (c *Cursor) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// take is Take under the lock.
func (c *Cursor) take(n int) ([]Entry, error) {
	if c.isClosed() {
		return nil, ErrClosed
	}
	lost := c.bus.gone
	if c.dev != "" {
		lost = c.bus.evicted[c.dev]
	}
	if lost >= c.next {
		from := c.next
		c.next = c.bus.gone + 1
		return nil, fmt.Errorf("%w: events from %d to %d are no longer kept", cash.ErrGap, from, lost)
	}
	c.next = max(c.next, c.bus.gone+1) // what is gone belonged to other devices
	var out []Entry
	for ; c.next <= c.bus.last; c.next++ {
		if n > 0 && len(out) == n {
			break
		}
		if e := c.bus.ring[c.next%uint64(len(c.bus.ring))]; c.dev == "" || e.Device == c.dev {
			out = append(out, e)
		}
	}
	return out, nil
}

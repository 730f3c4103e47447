package till

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"coffer/internal/cash"
)

// desk is one device's place in the till. Its lock orders all that is written and published for the device.
type desk struct {
	dev     cash.DeviceID
	running atomic.Pointer[run] // changed under mu

	mu        sync.Mutex
	books     *books          // nil: to be read from the ledger
	runs      map[string]*run // by operation: who waits for an outcome
	autoClear bool
	byHand    string   // what a person is doing with the store, "" for nothing that the till knows
	filling   *filling // of which the machine is being told
	view
}

// view is what events have told so far and the ledger does not keep.
type view struct {
	boxOut   bool   // the cashbox was removed
	away     bool   // the machine does not answer, or its books were not compared since
	draining bool   // evidence of the present connection was kept
	unplaced *place // a credited note that was published, and its place was not
}

// desk returns dev's desk.
func (t *Till) desk(dev cash.DeviceID) *desk {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.desks[dev]
	if k == nil {
		k = &desk{dev: dev, runs: map[string]*run{}}
		t.desks[dev] = k
	}
	return k
}

// open returns the books of k, which the caller has locked.
func (t *Till) open(ctx context.Context, k *desk) (*books, error) {
	if k.books != nil {
		return k.books, nil
	}
	b, err := load(context.WithoutCancel(ctx), t.journal, k.dev)
	if err != nil {
		return nil, t.unhealthy(err)
	}
	k.books = b
	return b, nil
}

// commit writes d and then publishes what it tells. The caller has locked k. On an error nothing was written, and the
// books are read anew the next time.
func (t *Till) commit(ctx context.Context, k *desk, d *draft) error {
	var rows []cash.Entry
	if !d.empty() {
		var err error
		if rows, err = t.journal.Write(context.WithoutCancel(ctx), d.write()); err != nil {
			k.books = nil
			return t.unhealthy(err)
		}
		t.healthy()
	}
	k.books = d.books
	at := t.now()
	for _, n := range d.events {
		seq := int64(0)
		if n.line >= 0 && n.line < len(rows) {
			seq = rows[n.line].Seq
		}
		t.bus.Publish(k.dev, at, seq, n.event)
	}
	for _, l := range d.lines {
		if l.Kind == cash.KindDiscrepancy {
			t.log.WithField("device", k.dev).WithField("op", l.Op).Warnf("discrepancy: %d x %s from %s to %s: %s", l.Count, denomOf(l), l.From, l.To, l.Detail)
		}
	}
	for _, c := range d.outcomes {
		t.log.WithField("device", k.dev).WithField("op", c.id).Infof("%s: moved %s of %s", c.outcome.Result, c.outcome.Paid, c.outcome.Asked)
		if r := k.runs[c.id]; r != nil {
			t.finish(k, r, c.outcome)
		}
		if c.whole != "" {
			t.wholeMoved(c.whole, c.outcome.Ended)
		}
	}
	return nil
}

// unhealthy remembers that the ledger does not work, and returns err as cash.ErrJournal.
func (t *Till) unhealthy(err error) error {
	if !errors.Is(err, cash.ErrJournal) {
		err = fmt.Errorf("%w: %w", cash.ErrJournal, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.health == nil {
		t.log.WithError(err).Error("the ledger cannot be used: nothing is taken or paid until it can")
	}
	t.health = err
	return err
}

func (t *Till) healthy() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.health != nil {
		t.log.Info("the ledger can be used again")
	}
	t.health = nil
}

package nv9coin

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/internal/cash"
)

// Bounds of one reading of the ledger and of one answer. What does not fit comes with the next answer.
const (
	pageSize   = 500
	maxPending = 5000 // rows with items that wait
	maxAnswer  = 2000 // rows with items in one answer
	keepEvery  = 1000 // rows without items after which the place is kept all the same
)

// patience is how long a Status waits for another one whose answer is still being written.
const patience = 2 * time.Second

// item is a piece received, or an amount dispensed.
type item struct {
	WhenInserted moment
	Value        major
	Currency     cash.Currency
}

// entry is the items of one row of the ledger.
type entry struct {
	seq      int64
	received []item
	paid     []item
}

// bill is the note in escrow, by the ledger.
type bill struct {
	dev  cash.DeviceID
	note cash.Denom
	at   time.Time
}

// lists are what came in and went out since the last check, and the note in escrow, read from the ledger. What was
// delivered is marked in the ledger's file by the row up to which nothing is left, so that a restart goes on there; what
// was in an answer that did not get through comes again, the same and in the same order. Only a process that dies between
// the two gives an item twice.
//
// The first start of a configuration begins behind what the ledger holds then.
type lists struct {
	ledger Ledger
	name   string // of the cursor
	now    func() []cash.DeviceID
	log    logrus.FieldLogger

	turn chan struct{} // held by the Status whose answer carries items, until it is written

	mu      sync.Mutex
	loaded  bool
	kept    int64           // on disk: everything up to this row is delivered
	read    int64           // rows up to here were looked at
	known   []cash.DeviceID // names that our machines have or had
	pending []entry
	held    *bill
	last    time.Time // time of the last row with items, and how many of them had it
	same    int
}

func newLists(ledger Ledger, name string, now func() []cash.DeviceID, log logrus.FieldLogger) *lists {
	return &lists{ledger: ledger, name: name, now: now, log: log, turn: make(chan struct{}, 1)}
}

// delivery is the lists of one answer.
type delivery struct {
	escrow         *item
	received, paid []item
	done           func(delivered bool) // must be called once the answer is written, or is not
}

// take returns what is new. While another answer is on its way there is nothing new for this one. It never fails: a
// ledger that cannot be read has nothing new.
func (l *lists) take(ctx context.Context) delivery {
	mine := l.takeTurn(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.scan(ctx); err != nil {
		l.log.WithError(err).Warn("the lists are not up to date")
	}
	d := delivery{received: []item{}, paid: []item{}, done: func(bool) {}}
	if l.held != nil {
		d.escrow = &item{moment(l.held.at), major(l.held.note.Value), l.held.note.Currency}
	}
	if !mine {
		return d
	}
	n := min(len(l.pending), maxAnswer)
	if n == 0 {
		if l.read-l.kept > keepEvery {
			l.keep(ctx, l.read)
		}
		<-l.turn
		return d
	}
	for _, e := range l.pending[:n] {
		d.received, d.paid = append(d.received, e.received...), append(d.paid, e.paid...)
	}
	d.done = func(delivered bool) {
		if delivered {
			l.deliver(context.WithoutCancel(ctx), n)
		}
		<-l.turn
	}
	return d
}

func (l *lists) takeTurn(ctx context.Context) bool {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case l.turn <- struct{}{}:
		return true
	case <-ctx.Done():
	case <-limit.C:
	}
	return false
}

// deliver forgets the first n entries for ever.
func (l *lists) deliver(ctx context.Context, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	upTo := l.pending[n-1].seq
	l.pending = slices.Delete(l.pending, 0, n)
	if len(l.pending) == 0 {
		upTo = l.read
	}
	l.keep(ctx, upTo)
}

// keep puts the place on disk. The caller holds mu.
func (l *lists) keep(ctx context.Context, upTo int64) {
	note, _ := json.Marshal(l.known) // strings
	if err := l.ledger.KeepCursor(ctx, l.name, upTo, string(note)); err != nil {
		l.log.WithError(err).Error("what was delivered is not marked on disk; a restart delivers it again")
		return
	}
	l.kept = upTo
}

// load takes up the place where the last process was. The caller holds mu.
func (l *lists) load(ctx context.Context) error {
	if l.loaded {
		return nil
	}
	seq, note, found, err := l.ledger.Cursor(ctx, l.name)
	if err == nil && !found {
		if seq, err = l.ledger.Head(ctx); err == nil {
			err = l.ledger.KeepCursor(ctx, l.name, seq, "[]")
		}
	}
	if err != nil {
		return err
	}
	if note != "" {
		if err := json.Unmarshal([]byte(note), &l.known); err != nil {
			l.log.WithError(err).Error("the names of the machines are not understood; they are learnt anew")
		}
	}
	for _, dev := range l.known {
		if l.held, err = l.heldAt(ctx, dev, seq); err != nil {
			return err
		}
		if l.held != nil {
			break
		}
	}
	l.kept, l.read, l.loaded = seq, seq, true
	return nil
}

// heldAt returns the note that dev had in escrow when the ledger ended at seq, nil for none.
func (l *lists) heldAt(ctx context.Context, dev cash.DeviceID, seq int64) (*bill, error) {
	hold, found, err := l.ledger.LastLine(ctx, dev, cash.KindHold, seq)
	if err != nil || !found {
		return nil, err
	}
	after, err := l.ledger.LinesSince(ctx, dev, hold.Seq)
	if err != nil {
		return nil, err
	}
	for _, e := range after {
		if e.Seq <= seq && e.From == cash.Escrow {
			return nil, nil
		}
	}
	return billOf(hold), nil
}

func billOf(e cash.Entry) *bill {
	return &bill{e.Device, cash.Denom{Value: e.Value, Currency: e.Currency}, e.At}
}

// scan looks at the rows that are new. The caller holds mu.
func (l *lists) scan(ctx context.Context) error {
	if err := l.load(ctx); err != nil {
		return err
	}
	for len(l.pending) < maxPending {
		rows, err := l.ledger.Entries(ctx, l.read, pageSize)
		if err != nil {
			return err
		}
		for _, dev := range l.now() { // after the rows: a machine has its name before it has rows
			if dev != "" && !slices.Contains(l.known, dev) {
				l.known = append(l.known, dev)
			}
		}
		for _, e := range rows {
			if slices.Contains(l.known, e.Device) {
				if err := l.add(ctx, e); err != nil {
					return err
				}
			}
			l.read = e.Seq
		}
		if len(rows) < pageSize {
			return nil
		}
	}
	return nil
}

// add takes one row in. The caller holds mu.
func (l *lists) add(ctx context.Context, e cash.Entry) error {
	switch {
	case e.Kind == cash.KindHold:
		l.held = billOf(e)
	case e.Kind == cash.KindCredit:
		l.credit(e)
	case e.Kind == cash.KindPayout && e.Op == "": // a payout that nobody here asked for
		l.pending = append(l.pending, entry{seq: e.Seq, paid: []item{{moment(l.tick(e.At)), major(e.Value * int64(e.Count)), e.Currency}}})
	case e.Kind == cash.KindOperation && e.Op != "":
		return l.ended(ctx, e)
	}
	if e.From == cash.Escrow && l.held != nil && l.held.dev == e.Device {
		l.held = nil
	}
	return nil
}

// credit lists each piece that was taken for good. A note keeps the time at which it was put into escrow.
func (l *lists) credit(e cash.Entry) {
	out := entry{seq: e.Seq}
	for range e.Count {
		when := l.tick(e.At)
		if e.From == cash.Escrow && l.held != nil && l.held.dev == e.Device {
			when = l.held.at
		}
		out.received = append(out.received, item{moment(when), major(e.Value), e.Currency})
	}
	l.pending = append(l.pending, out)
}

// ended lists what a payout has paid, once it has ended. Its first row, and one that says that nobody knows, do not count;
// of a payout over several machines only the leg of ours does.
func (l *lists) ended(ctx context.Context, e cash.Entry) error {
	op, found, err := l.ledger.Op(ctx, e.Op)
	if err != nil {
		return err
	}
	paid := op.Paid.Total(op.Asked.Currency).Value
	if !found || op.Kind != cash.OpDispense || len(op.Across) > 0 || op.Open() || !op.Ended.Equal(e.At) || paid == 0 {
		return nil
	}
	l.pending = append(l.pending, entry{seq: e.Seq, paid: []item{{moment(l.tick(e.At)), major(paid), op.Asked.Currency}}})
	return nil
}

// tick returns the time of the next item of a row at this time. The ledger knows times to the microsecond; items of the
// same one are told apart by the seventh decimal.
func (l *lists) tick(at time.Time) time.Time {
	if !at.Equal(l.last) {
		l.last, l.same = at, 0
		return at
	}
	l.same++
	return at.Add(time.Duration(l.same) * 100 * time.Nanosecond)
}

package till

import (
	"cmp"
	"context"
	"slices"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
)

var _ devices.Sink = (*Till)(nil)

// Record implements devices.Sink.
func (t *Till) Record(ctx context.Context, dev cash.DeviceID, events ...cash.Event) error {
	k := t.desk(dev)
	k.mu.Lock()
	defer k.mu.Unlock()
	r := recorder{desk: k, view: k.view, now: t.now()}
	if slices.ContainsFunc(events, r.money) {
		b, err := t.open(ctx, k)
		if err != nil {
			return err
		}
		r.d = newDraft(b)
	} else {
		r.d = &draft{books: k.books}
	}
	for _, ev := range events {
		r.event(ev)
	}
	r.ends()
	if err := t.commit(ctx, k, r.d); err != nil {
		return err
	}
	k.view = r.view
	if r.started != nil {
		r.started.started = true
	}
	return nil
}

// recorder makes a draft of events.
type recorder struct {
	d    *draft
	desk *desk
	now  time.Time
	view
	ended   []cash.Ended
	started *run // its OpStarted is part of the draft
}

// money says whether an event needs the books.
func (r *recorder) money(ev cash.Event) bool {
	switch e := ev.(type) {
	case cash.NoteHeld, cash.NoteCredited, cash.NotePlaced, cash.NoteReturned, cash.CoinCredited, cash.Filled, cash.CashboxSet,
		cash.Progress, cash.Ended:
		return true
	case cash.StateChanged:
		return e.State == cash.StateCashboxReplace && r.desk.autoClear
	}
	return false
}

// event books one event and tells it.
func (r *recorder) event(ev cash.Event) {
	before := len(r.d.lines)
	switch e := ev.(type) {
	case cash.NoteHeld:
		r.d.move(cash.KindHold, e.Note, 1, cash.Customer, cash.Escrow, "", "")
	case cash.NoteCredited:
		r.credited(e)
	case cash.NotePlaced:
		r.placed(e)
	case cash.NoteReturned:
		r.returned(e)
	case cash.CoinCredited:
		r.d.credit(e.Coin, e.Count, store(e.To))
	case cash.Filled:
		r.filled(e)
	case cash.CashboxSet:
		r.cashboxSet(e)
	case cash.Progress:
		r.progress(e)
	case cash.Ended:
		r.begun(e.Op)
		r.ended = append(r.ended, e)
	case cash.StateChanged:
		r.state(e.State)
	}
	if len(r.d.lines) > before {
		r.d.tell(ev)
	} else {
		r.d.pass(ev)
	}
}

func (r *recorder) credited(e cash.NoteCredited) {
	to := store(e.To)
	r.d.credit(e.Note, 1, to)
	r.unplaced = &place{e.Note, to}
}

// placed corrects where the last credited note was expected to go.
func (r *recorder) placed(e cash.NotePlaced) {
	u := r.unplaced
	if u == nil || e.Note.Value != 0 && e.Note != u.piece {
		return // of a note that was not credited here: the machine's books will tell
	}
	r.unplaced = nil
	if e.To != u.in && u.piece.Value > 0 && (e.To == cash.Payout || e.To == cash.Cashbox) {
		r.d.move(cash.KindMove, u.piece, 1, u.in, e.To, "", placed)
	}
}

func (r *recorder) returned(e cash.NoteReturned) {
	note := e.Note
	if held := r.d.books.escrow.Rows(); note.Value == 0 && len(held) == 1 {
		note = held[0].Denom()
	}
	if r.d.books.escrow[note] > 0 {
		r.d.move(cash.KindReturn, note, 1, cash.Escrow, cash.Customer, "", "")
	}
}

// filled books what a person has put into the store or taken out of it.
func (r *recorder) filled(e cash.Filled) {
	if e.Count < 0 {
		r.d.move(cash.KindAdjust, e.Coin, -e.Count, cash.Payout, cash.Operator, "", cmp.Or(r.desk.byHand, "level cleared by hand"))
		return
	}
	r.d.move(cash.KindAdjust, e.Coin, e.Count, cash.Operator, cash.Payout, "", cmp.Or(r.desk.byHand, "filled by hand"))
}

// cashboxSet books what a person has put into the cashbox, or that it is empty.
func (r *recorder) cashboxSet(e cash.CashboxSet) {
	switch {
	case e.Count > 0:
		r.d.move(cash.KindAdjust, e.Coin, e.Count, cash.Operator, cash.Cashbox, "", "cashbox filled by hand")
	case e.Coin == cash.Denom{}:
		clearPlace(r.d, cash.Cashbox, "cashbox counts cleared by hand")
	default:
		clearCoin(r.d, cash.Cashbox, e.Coin, "cashbox count cleared by hand")
	}
}

// progress books what a running operation is known to have moved.
func (r *recorder) progress(e cash.Progress) {
	r.begun(e.Op)
	id := ""
	if op := r.operation(e.Op); op != nil {
		id = op.ID
	}
	for _, row := range e.Pieces.Rows() {
		switch {
		case e.Op != cash.OpDispense:
			r.d.move(cash.KindMove, row.Denom(), row.Count, cash.Payout, cash.Cashbox, id, "")
		case id != "":
			r.d.move(cash.KindPayout, row.Denom(), row.Count, cash.Payout, cash.Customer, id, "")
		default:
			r.d.move(cash.KindDiscrepancy, row.Denom(), row.Count, cash.Payout, cash.Customer, "", "handed out without a payout of ours")
		}
	}
}

// operation returns the open operation of this kind, nil for none.
func (r *recorder) operation(kind cash.OpKind) *cash.Op {
	if op := r.d.books.running(); op != nil && op.Kind == kind {
		return op
	}
	return nil
}

// begun tells that the running operation was accepted by the machine, before the first that the machine says of it.
func (r *recorder) begun(kind cash.OpKind) {
	o := r.desk.running.Load()
	if o == nil || o.started || o == r.started || r.operation(kind) == nil || r.operation(kind).ID != o.id {
		return
	}
	r.started = o
	r.d.pass(o.startedEvent())
}

// ends settles what the machine has ended, after everything else of the same answer was booked.
func (r *recorder) ends() {
	for _, e := range r.ended {
		op := r.endedOp(e)
		if d, ok := finish(r.d, op, e); ok {
			r.d = d
		} else {
			r.d.keep(e, told, r.now)
		}
	}
}

// endedOp returns the operation that e has ended, nil for none of ours. A machine names the kind where an operation ends
// well or was cut; else the driver may not know it.
func (r *recorder) endedOp(e cash.Ended) *cash.Op {
	op := r.d.books.running()
	if op == nil || op.Kind != e.Op && (r.desk.running.Load().starting() || e.Result == cash.OpDone || e.Result == cash.OpCut) {
		return nil
	}
	c := *op
	return &c
}

// state watches the cashbox and the connection.
func (r *recorder) state(s cash.State) {
	switch s {
	case cash.StateNotConnected, cash.StateConnecting:
		r.draining, r.away = false, true
	case cash.StateCashboxRemoved:
		r.boxOut = true
	case cash.StateCashboxReplace:
		if r.boxOut && r.desk.autoClear {
			clearPlace(r.d, cash.Cashbox, "the cashbox was removed and put back")
		}
		r.boxOut = false
	}
}

// store returns where a credited piece is booked: the cashbox, unless it is said to go into the store.
func store(p cash.Place) cash.Place {
	if p == cash.Payout {
		return p
	}
	return cash.Cashbox
}

// Evidence implements devices.Sink. What says nothing about money is published at once.
func (t *Till) Evidence(ctx context.Context, dev cash.DeviceID, events ...cash.Event) error {
	k := t.desk(dev)
	k.mu.Lock()
	defer k.mu.Unlock()
	b, err := t.open(ctx, k)
	if err != nil {
		return err
	}
	d := newDraft(b)
	m, now := plain, t.now()
	if !k.draining && repeats(b.evidence, money(events)) {
		m = again
	}
	for _, ev := range events {
		if _, keep := encodeEvent(dev, ev, m); keep {
			d.keep(ev, m, now)
		} else {
			d.pass(ev)
		}
	}
	if err := t.commit(ctx, k, d); err != nil {
		return err
	}
	k.draining = true
	return nil
}

// money returns the events that are worth keeping.
func money(events []cash.Event) []cash.Event {
	return slices.DeleteFunc(slices.Clone(events), func(ev cash.Event) bool {
		_, keep := encodeEvent("", ev, plain)
		return !keep
	})
}

// Reconcile implements devices.Sink.
func (t *Till) Reconcile(ctx context.Context, dev cash.DeviceID, acc cash.Account) error {
	k := t.desk(dev)
	t.awaitAnswer(k)
	k.mu.Lock()
	defer k.mu.Unlock()
	b, err := t.open(ctx, k)
	if err != nil {
		return err
	}
	d := newDraft(b)
	o := k.running.Load()
	reconcile(d, acc, o.starting())
	if k.filling != nil && d.clear { // the machine may take it yet
		if err := d.fill(*k.filling); err != nil {
			return err
		}
	}
	if o != nil && !o.started && movedBy(d, o.id) {
		d.events = append([]news{{o.startedEvent(), -1}}, d.events...)
	}
	if u := k.unplaced; u != nil && u.piece.Value > 0 && !replaced(d, u.piece) {
		d.pass(cash.NotePlaced{Note: u.piece, To: u.in})
	}
	if err := t.commit(ctx, k, d); err != nil {
		return err
	}
	k.unplaced, k.draining, k.away = nil, false, false
	return nil
}

// awaitAnswer gives the goroutine that has sent a command the time to take in its answer. A driver that compares books
// because the answer was lost has already given it up; one that compares them while the command still waits for its turn
// loses a moment.
func (t *Till) awaitAnswer(k *desk) {
	r := k.running.Load()
	if !r.starting() || t.grace == 0 {
		return
	}
	timer := time.NewTimer(t.grace)
	defer timer.Stop()
	select {
	case <-r.answered:
	case <-timer.C:
	}
}

// movedBy says whether the draft closes the operation as one that moved anything.
func movedBy(d *draft, id string) bool {
	return slices.ContainsFunc(d.outcomes, func(c closing) bool { return c.id == id && c.outcome.Result != cash.OpFailed })
}

// replaced says whether the draft tells of a note that was credited before where it is.
func replaced(d *draft, p cash.Denom) bool {
	for i, n := range d.events {
		if e, ok := n.event.(cash.NotePlaced); ok && e.Note == p {
			if i == 0 {
				return true
			}
			if c, ok := d.events[i-1].event.(cash.NoteCredited); !ok || c.Note != p {
				return true
			}
		}
	}
	return false
}

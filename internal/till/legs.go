package till

import (
	"context"
	"errors"
	"time"

	"coffer/internal/cash"
)

// intendLegs puts the intent of the whole and of its legs on disk. If the key was used in the meantime, that operation is
// returned.
func (t *Till) intendLegs(ctx context.Context, p *project, legs []*leg) (*Operation, error) {
	ops := make([]cash.Op, len(legs))
	for i, l := range legs {
		ops[i] = l.jobs[0].op
		ops[i].Device, ops[i].Actor = l.id, p.whole.Actor
		if ops[i].Kind != cash.OpDispense {
			ops[i].Asked = surplus(l.dev.Snapshot().Levels, ops[i].Keep, p.whole.Asked.Currency)
		}
	}
	for _, l := range ordered(legs) {
		l.desk.mu.Lock()
	}
	unlock := func() {
		for _, l := range legs {
			l.desk.mu.Unlock()
		}
	}
	whole, ops, err := t.journal.BeginLegs(context.WithoutCancel(ctx), p.whole, ops)
	if err != nil {
		unlock()
		t.releaseLegs(legs)
		if errors.Is(err, cash.ErrKeySeen) {
			return t.repeat(ctx, t.desk(p.whole.Device), job{op: p.whole})
		}
		return nil, t.unhealthy(err)
	}
	defer unlock()
	t.healthy()
	p.whole = whole
	t.mu.Lock()
	w := t.newRun(whole)
	w.legs = legs
	close(w.begun)
	t.wholes[whole.ID] = w
	t.mu.Unlock()
	for i, l := range legs {
		op, k := ops[i], l.desk
		l.run.id, l.run.asked, k.runs[op.ID] = op.ID, op.Asked, l.run
		l.run.waiting.Store(i > 0)
		if k.books != nil {
			k.books.ops = append(k.books.ops[:len(k.books.ops):len(k.books.ops)], op)
		}
		close(l.run.begun)
		t.log.WithField("device", l.id).WithField("op", op.ID).WithField("whole", whole.ID).Infof("%s %s begins", op.Kind, op.Asked)
	}
	return nil, nil
}

// intendRefused writes an operation that no machine has a part in, because it was refused.
func (t *Till) intendRefused(ctx context.Context, p *project, refused error) (*Operation, error) {
	op := p.whole
	op.State, op.Detail = cash.OpFailed, refusedDetail+refused.Error()
	_, _, err := t.journal.BeginLegs(context.WithoutCancel(ctx), op, nil)
	switch {
	case errors.Is(err, cash.ErrKeySeen):
		return t.repeat(ctx, t.desk(p.whole.Device), job{op: p.whole})
	case err != nil:
		return nil, errors.Join(wrapAcross(p, refused), t.unhealthy(err))
	}
	return nil, wrapAcross(p, refused)
}

// launchLegs gives the first command, and sees to the others.
func (t *Till) launchLegs(ctx context.Context, p *project, legs []*leg) (*Operation, error) {
	t.mu.Lock()
	w := t.wholes[p.whole.ID]
	t.mu.Unlock()
	_, err := t.startLeg(ctx, legs[0])
	if err != nil && !errors.Is(err, cash.ErrOutcomeUnknown) {
		t.dropLegs(legs[1:])
		return nil, refuse(legs[0].dev, p.whole.Kind, err)
	}
	go t.followLegs(context.WithoutCancel(ctx), legs)
	if err != nil {
		err = refuse(legs[0].dev, p.whole.Kind, err)
	}
	return w.handle(false), err
}

// startLeg gives the command of a leg.
func (t *Till) startLeg(ctx context.Context, l *leg) (*Operation, error) {
	return t.answered(ctx, l.desk, l.run, l.jobs[0].start(ctx))
}

// followLegs begins each leg when the one before has moved everything, and drops the others when one has not.
func (t *Till) followLegs(ctx context.Context, legs []*leg) {
	for i, l := range legs[1:] {
		before := legs[i].run
		select {
		case <-before.done:
		case <-t.quit:
			return // they stay open in the ledger
		}
		if before.outcome.Result != cash.OpDone {
			t.dropLegs(legs[i+1:])
			return
		}
		if !t.due(l) {
			t.dropLegs(legs[i+1:])
			return
		}
		if _, err := t.startLeg(ctx, l); err != nil && !errors.Is(err, cash.ErrOutcomeUnknown) {
			t.log.WithField("device", l.id).WithField("op", l.run.id).WithError(err).Warn("the leg was refused, and its part is owed")
			t.dropLegs(legs[i+2:])
			return
		}
	}
}

// due says whether a leg that has waited may begin: nobody has halted it, and it was not closed meanwhile, as when its
// machine was away.
func (t *Till) due(l *leg) bool {
	l.desk.mu.Lock()
	defer l.desk.mu.Unlock()
	return l.desk.runs[l.run.id] == l.run && l.run.waiting.CompareAndSwap(true, false)
}

// dropLegs closes legs that do not begin.
func (t *Till) dropLegs(legs []*leg) {
	for _, l := range legs {
		l.run.waiting.Store(false)
		if _, err := t.answered(context.Background(), l.desk, l.run, errHeld); !errors.Is(err, errHeld) || errors.Is(err, cash.ErrJournal) {
			t.log.WithField("device", l.id).WithField("op", l.run.id).WithError(err).Error("the leg that does not begin stays open in the ledger until the machine's books are compared")
		}
	}
}

// wholeMoved takes in that a leg of a whole has an outcome: with the last of them the whole has one, too.
func (t *Till) wholeMoved(id string, ended cash.OpResult) {
	t.mu.Lock()
	w := t.wholes[id]
	if w != nil && ended != "" && ended != cash.OpDone {
		w.ended = ended
	}
	t.mu.Unlock()
	if w == nil {
		return
	}
	if err := t.wholeClosed(w); err != nil { // its outcome may be written, and cannot be read
		go t.awaitWhole(w)
	}
}

// awaitWhole reads until the ledger can be read again.
func (t *Till) awaitWhole(w *run) {
	for {
		select {
		case <-time.After(time.Second):
		case <-t.quit:
			return
		}
		if t.wholeClosed(w) == nil {
			return
		}
	}
}

// wholeClosed finishes w if the ledger has its outcome and its machines are free: whoever learns it may begin the next
// operation. The leg that gives its machine back last comes here, too.
func (t *Till) wholeClosed(w *run) error {
	for _, l := range w.legs {
		if l.desk.running.Load() == l.run {
			return nil
		}
	}
	ctx := context.Background()
	op, _, err := t.journal.Op(ctx, w.id)
	if err != nil || op.State == "" {
		return err
	}
	out, err := t.wholeOutcome(ctx, op)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wholes[w.id] == w {
		out.Ended, w.outcome = w.ended, out
		delete(t.wholes, w.id)
		close(w.done)
		t.log.WithField("op", w.id).Infof("%s: moved %s of %s", out.Result, out.Paid, out.Asked)
	}
	return nil
}

// wholeOutcome reads the outcome of a whole.
func (t *Till) wholeOutcome(ctx context.Context, op cash.Op) (Outcome, error) {
	legs, err := t.journal.Legs(ctx, op.ID)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Result: op.State, Asked: op.Asked, Paid: op.Paid.Total(op.Asked.Currency), Pieces: op.Paid, By: map[cash.DeviceID]cash.Counts{}}
	for _, l := range legs {
		out.By[l.Device] = out.By[l.Device].Plus(l.Paid)
	}
	return out, nil
}

// attachWhole returns a handle on an operation over several machines.
func (t *Till) attachWhole(ctx context.Context, op cash.Op) (*Operation, error) {
	t.mu.Lock()
	w := t.wholes[op.ID]
	if w == nil && op.State == "" {
		w = t.newRun(op)
		close(w.begun)
		t.wholes[op.ID] = w
	}
	t.mu.Unlock()
	if w == nil {
		out, err := t.wholeOutcome(ctx, op)
		if err != nil {
			return nil, t.unhealthy(err)
		}
		w = t.newRun(op)
		w.outcome = out
		close(w.begun)
		close(w.done)
		return w.handle(true), nil
	}
	if err := t.wholeClosed(w); err != nil { // its last leg may just have been closed
		return nil, t.unhealthy(err)
	}
	return w.handle(true), nil
}

package till

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"coffer/devices"
	"coffer/internal/cash"
)

// job is an operation to be carried out.
type job struct {
	op    cash.Op
	test  func(context.Context) error // asks whether start would be refused; nil for no way to ask
	start func(context.Context) error
}

// run is an operation under way, or one that somebody waits for. It is changed under its desk's lock.
type run struct {
	id, key string
	kind    cash.OpKind
	dev     cash.DeviceID
	asked   cash.Amount

	started  bool          // OpStarted was published
	lost     bool          // the answer to its command never came
	begun    chan struct{} // closed once its intent is on disk, or will never be
	answered chan struct{} // closed once its command was answered, or the answer given up
	done     chan struct{} // closed once outcome is valid
	outcome  Outcome
	quit     <-chan struct{} // closed when the till has closed

	waiting atomic.Bool   // a leg that waits for the one before
	legs    []*leg        // of a whole that was begun in this life
	ended   cash.OpResult // of a whole, under Till.mu: how a machine said that a leg ended badly
}

func (t *Till) newRun(op cash.Op) *run {
	return &run{
		quit: t.quit,
		id:   op.ID, key: op.Key, kind: op.Kind, dev: op.Device, asked: op.Asked,
		begun: make(chan struct{}), answered: make(chan struct{}), done: make(chan struct{}),
	}
}

func (r *run) isBegun() bool {
	select {
	case <-r.begun:
		return r.id != ""
	default:
		return false
	}
}

// starting says whether the command of r was not answered yet.
func (r *run) starting() bool {
	if r == nil {
		return false
	}
	select {
	case <-r.answered:
		return false
	default:
		return true
	}
}

func (r *run) startedEvent() cash.Event { return cash.OpStarted{ID: r.id, Op: r.kind, Asked: r.asked} }

func (r *run) handle(repeat bool) *Operation {
	return &Operation{ID: r.id, Kind: r.kind, Device: r.dev, Asked: r.asked, Repeat: repeat, run: r}
}

// begin compares the books, puts the operation on disk and sends its command (docs/architecture.md, "A payout").
func (t *Till) begin(ctx context.Context, c Call, d devices.Device, j job) (*Operation, error) {
	j.op.Device, j.op.Key, j.op.Actor = d.Snapshot().ID, c.Key, c.Actor
	t.agree(ctx, d)
	o, err := t.reserve(ctx, c, d, &j)
	if o == nil && err == nil {
		o, err = t.launch(ctx, t.desk(j.op.Device), j)
	}
	if err != nil {
		return o, refuse(d, j.op.Kind, err)
	}
	return o, nil
}

// agree has the books compared first where the store is not what the ledger says, as after a person has put pieces in:
// an operation is booked by the difference that it makes. It is left out where the machine has no time for it.
func (t *Till) agree(ctx context.Context, d devices.Device) {
	a, ok := d.(devices.Auditor)
	s := d.Snapshot()
	if !ok || !s.Ready || s.Operation != "" || t.Running(s.ID) != nil {
		return
	}
	acc, err := d.Account(ctx)
	if err != nil || acc.Levels == nil {
		return
	}
	k := t.desk(s.ID)
	k.mu.Lock()
	b, err := t.open(ctx, k)
	same := err != nil || len(acc.Levels.Minus(b.payout)) == 0
	k.mu.Unlock()
	if same {
		return
	}
	if err := a.Audit(ctx); err != nil {
		t.log.WithField("device", s.ID).WithError(err).Debug("books not compared before an operation")
	}
}

// reserve takes the device for the operation, or returns the operation that the key names, or says why neither. All nil
// means that the device's running is j.
func (t *Till) reserve(ctx context.Context, c Call, d devices.Device, j *job) (*Operation, error) {
	if j.op.Device == "" {
		return nil, cash.ErrNotConnected
	}
	k := t.desk(j.op.Device)
	for {
		if err := t.bound(j.op.Device, c.Owner); err != nil {
			return nil, err
		}
		if o, err := t.repeat(ctx, k, *j); o != nil || err != nil {
			return o, err
		}
		before, err := t.take(ctx, k, d, j)
		if before == nil {
			return nil, err
		}
		select { // somebody else uses the same key right now
		case <-before.begun:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take makes j the running operation of k. Where the one that runs has the same key, it is returned.
func (t *Till) take(ctx context.Context, k *desk, d devices.Device, j *job) (*run, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r := k.running.Load(); r != nil && r.key != "" && r.key == j.op.Key {
		return r, nil
	}
	b, err := t.open(ctx, k)
	if err != nil {
		return nil, err
	}
	s := d.Snapshot()
	switch {
	case k.running.Load() != nil || b.running() != nil || s.Operation != "":
		return nil, fmt.Errorf("%w: an operation is running", cash.ErrBusy)
	case !s.Connected:
		return nil, cash.ErrNotConnected
	case !s.Ready && s.Jammed:
		return nil, cash.ErrJam
	case !s.Ready:
		return nil, fmt.Errorf("%w: still connecting", cash.ErrBusy)
	case !t.enter():
		return nil, fmt.Errorf("%w: shutting down", cash.ErrBusy)
	}
	switch {
	case j.op.Worth != (cash.Amount{}):
		j.op.Asked = cash.Amount{Value: max(b.payout.Total(j.op.Worth.Currency).Value-j.op.Worth.Value, 0), Currency: j.op.Worth.Currency}
	case j.op.Kind != cash.OpDispense:
		j.op.Asked = surplus(b.payout, j.op.Keep, s.Currency)
	}
	r := t.newRun(j.op)
	k.running.Store(r)
	return nil, nil
}

// surplus returns what is worth to be moved to keep only keep.
func surplus(have, keep cash.Counts, cur cash.Currency) cash.Amount {
	over := cash.Counts{}
	for d, n := range have {
		if cur == "" {
			cur = d.Currency
		}
		over[d] = max(n-keep[d], 0)
	}
	return over.Total(cur)
}

// launch writes the intent and gives the command.
func (t *Till) launch(ctx context.Context, k *desk, j job) (*Operation, error) {
	r := k.running.Load()
	refused := error(nil)
	if j.test != nil {
		refused = j.test(ctx)
	}
	if refused != nil && j.op.Key == "" {
		t.release(k, r)
		return nil, refused
	}
	o, err := t.intend(ctx, k, r, j.op)
	if o != nil || err != nil {
		return o, err
	}
	if refused == nil {
		refused = j.start(ctx)
	}
	return t.answered(ctx, k, r, refused)
}

// intend puts the intent of r on disk. If its key was used in the meantime, that operation is returned.
func (t *Till) intend(ctx context.Context, k *desk, r *run, op cash.Op) (*Operation, error) {
	k.mu.Lock()
	op, err := t.journal.Begin(context.WithoutCancel(ctx), op)
	if err == nil {
		defer k.mu.Unlock()
		t.healthy()
		r.id, k.runs[op.ID] = op.ID, r
		if k.books != nil {
			k.books.ops = append(k.books.ops[:len(k.books.ops):len(k.books.ops)], op)
		}
		close(r.begun)
		t.log.WithField("device", k.dev).WithField("op", op.ID).WithField("key", op.Key).Infof("%s %s begins", op.Kind, op.Asked)
		return nil, nil
	}
	k.mu.Unlock()
	t.release(k, r)
	if errors.Is(err, cash.ErrKeySeen) {
		return t.repeat(ctx, k, job{op: op})
	}
	return nil, t.unhealthy(err)
}

// answered takes in how the machine has answered the command.
func (t *Till) answered(ctx context.Context, k *desk, r *run, answer error) (*Operation, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(r.answered)
	switch {
	case errors.Is(answer, cash.ErrOutcomeUnknown):
		r.lost = true
		t.log.WithField("device", k.dev).WithField("op", r.id).WithError(answer).Warn("no answer to the command: the outcome is asked of the machine when it is back")
		return r.handle(false), answer
	case answer == nil:
		if !r.started {
			r.started = true
			t.bus.Publish(k.dev, t.now(), 0, r.startedEvent())
		}
		return r.handle(false), nil
	}
	b, err := t.open(ctx, k)
	if err != nil {
		return nil, errors.Join(answer, err)
	}
	if op := b.op(r.id); op != nil {
		d := newDraft(b)
		d.close(*op, cash.OpFailed, "", refusedDetail+answer.Error())
		d.events = nil // it never started
		if err := t.commit(ctx, k, d); err != nil {
			t.drop(k, r) // it stays open in the ledger, and is closed when the machine's books are compared next
			return nil, errors.Join(answer, err)
		}
	}
	t.drop(k, r)
	return nil, answer
}

// finish ends r with its outcome. Whoever learns it may begin the next operation: the device is free by then. The caller
// has locked k.
func (t *Till) finish(k *desk, r *run, o Outcome) {
	r.outcome = o
	free := k.forget(r)
	close(r.done)
	if free {
		t.leave()
	}
}

// drop forgets r without an outcome. The caller has locked k.
func (t *Till) drop(k *desk, r *run) {
	if k.forget(r) {
		t.leave()
	}
}

// forget takes r out, and says whether it had the device. The caller has locked k.
func (k *desk) forget(r *run) bool {
	delete(k.runs, r.id)
	return k.running.CompareAndSwap(r, nil)
}

// release gives the device back before there is an intent on disk.
func (t *Till) release(k *desk, r *run) {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(r.begun)
	close(r.answered)
	t.drop(k, r)
}

// enter counts an operation in; false while the till closes. leave counts it out.
func (t *Till) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing {
		return false
	}
	t.active++
	return true
}

func (t *Till) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active--; t.active == 0 && t.closing {
		close(t.idle)
	}
}

// repeat returns the operation that the job's key names: nil for no key, or one that was never used.
func (t *Till) repeat(ctx context.Context, k *desk, j job) (*Operation, error) {
	if j.op.Key == "" {
		return nil, nil
	}
	op, used, err := t.journal.OpByKey(context.WithoutCancel(ctx), j.op.Key)
	if err != nil {
		return nil, t.unhealthy(err)
	}
	if !used {
		return nil, nil
	}
	if !sameOp(op, j.op) {
		return nil, fmt.Errorf("%w: key %q was used for another operation", cash.ErrInvalid, op.Key)
	}
	if err := refusal(op); err != nil {
		return nil, err
	}
	if len(op.Across) > 0 {
		return t.attachWhole(ctx, op)
	}
	return t.attach(ctx, k, op)
}

// sameOp says whether two calls ask for the same. Of several machines one that was away may be missing in either.
func sameOp(a, b cash.Op) bool {
	if len(a.Across) > 0 && slices.ContainsFunc(a.Across, func(id cash.DeviceID) bool { return slices.Contains(b.Across, id) }) {
		a.Across, a.Device = b.Across, b.Device
	}
	return a.Kind == b.Kind && a.Device == b.Device && a.Module == b.Module && a.Worth == b.Worth && a.Least == b.Least &&
		maps.Equal(nonZero(a.Keep), nonZero(b.Keep)) && maps.Equal(nonZero(a.Pieces), nonZero(b.Pieces)) &&
		slices.Equal(a.Across, b.Across) && (a.Kind != cash.OpDispense && len(a.Across) == 0 || a.Asked == b.Asked)
}

// attach returns a handle on an operation of the ledger.
func (t *Till) attach(ctx context.Context, k *desk, op cash.Op) (*Operation, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r := k.runs[op.ID]; r != nil {
		return r.handle(true), nil
	}
	op, _, err := t.journal.Op(context.WithoutCancel(ctx), op.ID) // as it stands now
	if err != nil {
		return nil, t.unhealthy(err)
	}
	if err := refusal(op); err != nil {
		return nil, err
	}
	r := t.newRun(op)
	close(r.begun)
	if op.State == "" {
		k.runs[op.ID] = r
	} else {
		r.outcome = Outcome{Result: op.State, Asked: op.Asked, Paid: op.Paid.Total(op.Asked.Currency), Pieces: op.Paid}
		close(r.done)
	}
	return r.handle(true), nil
}

// refusedDetail begins the detail of an operation that the machine refused.
const refusedDetail = "refused: "

// refusals are the errors that a repeated key gives back.
var refusals = []error{
	cash.ErrNotEnough, cash.ErrNotExact, cash.ErrBusy, cash.ErrDisabled, cash.ErrInvalid, cash.ErrUnsupported,
	cash.ErrNotConnected, cash.ErrJam, cash.ErrFull, cash.ErrNoCashbox,
}

// refusal returns the error that op was refused with, nil if it was not refused.
func refusal(op cash.Op) error {
	text, refused := strings.CutPrefix(op.Detail, refusedDetail)
	if !refused || op.State != cash.OpFailed {
		return nil
	}
	for _, err := range refusals {
		if strings.Contains(text, err.Error()) {
			return fmt.Errorf("%w (key %q was used before)", err, op.Key)
		}
	}
	return fmt.Errorf("%w: key %q was used before, and refused: %s", cash.ErrInvalid, op.Key, text)
}

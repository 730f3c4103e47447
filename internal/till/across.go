package till

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"coffer/devices"
	"coffer/internal/cash"
)

// Share is what one machine is to move of an operation over several.
type Share struct {
	Device devices.Device
	Pieces cash.Counts
}

// errHeld ends a leg that was not begun because an earlier one did not move everything, or because it was halted.
var errHeld = errors.New("not begun")

// DispenseAcross pays want to the customer out of several machines, such as a note recycler and a coin machine, as one
// operation with a leg for each machine that has a part in it. The parts are planned over the stock of all, every
// machine is asked whether it could pay its part, and the intent of the whole is on disk, before the first begins. Legs
// follow one another in the order of ds. A leg that does not move everything ends the operation: later legs do not
// begin, and the ledger says what is owed.
//
// A machine that is not ready, or is jammed, is left out, and its error returned only where the others cannot pay. Keys,
// errors and the handle are otherwise those of Dispense; the outcome says what each machine has moved. After a kill the
// legs are settled when their machines are back, and with the last of them the whole; nothing is begun again.
func (t *Till) DispenseAcross(ctx context.Context, c Call, ds []devices.Device, want cash.Amount) (*Operation, error) {
	p, err := amountAcross(ds, want)
	if err != nil {
		return nil, err
	}
	return t.beginAcross(ctx, c, p)
}

// CanDispenseAcross says whether DispenseAcross would be refused now. Nothing moves.
func (t *Till) CanDispenseAcross(ctx context.Context, c Call, ds []devices.Device, want cash.Amount) error {
	p, err := amountAcross(ds, want)
	if err != nil {
		return err
	}
	return t.probeAcross(ctx, c, p)
}

// DispenseShares pays exactly these pieces, each machine its share, as DispenseAcross does.
func (t *Till) DispenseShares(ctx context.Context, c Call, shares []Share) (*Operation, error) {
	p, err := piecesAcross(shares)
	if err != nil {
		return nil, err
	}
	return t.beginAcross(ctx, c, p)
}

// CanDispenseShares says whether DispenseShares would be refused now. Nothing moves.
func (t *Till) CanDispenseShares(ctx context.Context, c Call, shares []Share) error {
	p, err := piecesAcross(shares)
	if err != nil {
		return err
	}
	return t.probeAcross(ctx, c, p)
}

// leg is one machine's part of an operation over several.
type leg struct {
	dev  devices.Device
	id   cash.DeviceID
	desk *desk
	run  *run
	jobs []job // ways to carry it out, the preferred first; after the tests the one that is taken
}

// project is an operation over several machines before it begins.
type project struct {
	whole cash.Op
	devs  []devices.Device
	all   bool // all machines are needed
	// ways calls try with sets of jobs by position in ready, until it returns false.
	ways func(ready []devices.Device, try func([][]job) bool) error
}

// amountAcross plans an amount.
func amountAcross(ds []devices.Device, want cash.Amount) (*project, error) {
	if want.Value < 1 || !want.Currency.Valid() || len(ds) == 0 {
		return nil, fmt.Errorf("dispense: %w: cannot pay %s", cash.ErrInvalid, want)
	}
	return &project{
		whole: cash.Op{Kind: cash.OpDispense, Asked: want}, devs: ds,
		ways: func(ready []devices.Device, try func([][]job) bool) error { return amountWays(ready, want, try) },
	}, nil
}

// amountWays tries what is routed to the stores first, then everything that is in them.
func amountWays(ready []devices.Device, want cash.Amount, try func([][]job) bool) error {
	var refused error // by the widest choice
	for _, every := range []bool{false, true} {
		have := make([]cash.Counts, len(ready))
		for i, d := range ready {
			have[i] = cash.Counts{}
			if _, pays := d.(devices.Payer); pays {
				have[i] = stock(d.Snapshot(), want.Currency, every)
			}
		}
		ways, err := splits(have, want)
		if err != nil {
			refused = err
			continue
		}
		for way := range ways {
			if !try(amountJobs(ready, way, want.Currency)) {
				return nil
			}
		}
		refused = nil
	}
	return refused
}

// amountJobs has each machine choose its pieces, or take those of the plan where its own choice fails.
func amountJobs(ready []devices.Device, way []cash.Counts, cur cash.Currency) [][]job {
	out := make([][]job, len(ready))
	for i, d := range ready {
		part := way[i].Total(cur)
		if part.Value == 0 {
			continue
		}
		out[i] = []job{amountJob(d.(devices.Payer), part)}
		if j, err := piecesJob(d, way[i]); err == nil {
			out[i] = append(out[i], j)
		}
	}
	return out
}

// amountJob is the payout of an amount in the machine's choice of pieces.
func amountJob(p devices.Payer, want cash.Amount) job {
	return job{
		op:    cash.Op{Kind: cash.OpDispense, Asked: want},
		test:  func(ctx context.Context) error { return p.TestPayout(ctx, want) },
		start: func(ctx context.Context) error { return p.StartPayout(ctx, want) },
	}
}

// piecesAcross plans given pieces.
func piecesAcross(shares []Share) (*project, error) {
	p := &project{whole: cash.Op{Kind: cash.OpDispense, Pieces: cash.Counts{}}, all: true}
	var jobs [][]job
	for _, s := range shares {
		if s.Pieces.Pieces() == 0 && len(nonZero(s.Pieces)) == 0 {
			continue
		}
		j, err := piecesJob(s.Device, s.Pieces)
		if err != nil {
			return nil, refuse(s.Device, cash.OpDispense, err)
		}
		if p.whole.Asked, err = p.whole.Asked.Add(j.op.Asked); err != nil {
			return nil, refuse(s.Device, cash.OpDispense, err)
		}
		p.devs, jobs = append(p.devs, s.Device), append(jobs, []job{j})
		p.whole.Pieces = p.whole.Pieces.Plus(s.Pieces)
	}
	if len(jobs) == 0 {
		return nil, fmt.Errorf("dispense: %w: no pieces to pay", cash.ErrInvalid)
	}
	p.ways = func(_ []devices.Device, try func([][]job) bool) error {
		try(jobs)
		return nil
	}
	return p, nil
}

// FloatShares moves exactly these pieces from the stores to the cashboxes, each machine its share, by floats that keep
// the rest. Otherwise as DispenseShares; no machine can be asked beforehand, so stock is checked by the levels.
func (t *Till) FloatShares(ctx context.Context, c Call, shares []Share) (*Operation, error) {
	p := &project{whole: cash.Op{Kind: cash.OpFloat, Pieces: cash.Counts{}}, all: true}
	var used []Share
	for _, s := range shares {
		if len(nonZero(s.Pieces)) == 0 {
			continue
		}
		worth, err := worthOf(s.Pieces)
		if err == nil {
			p.whole.Asked, err = p.whole.Asked.Add(worth)
		}
		if err != nil {
			return nil, refuse(s.Device, cash.OpFloat, err)
		}
		p.devs, used = append(p.devs, s.Device), append(used, s)
		p.whole.Pieces = p.whole.Pieces.Plus(s.Pieces)
	}
	if len(used) == 0 {
		return nil, fmt.Errorf("float: %w: no pieces to move", cash.ErrInvalid)
	}
	p.ways = func(_ []devices.Device, try func([][]job) bool) error {
		jobs := make([][]job, len(used))
		for i, s := range used {
			j, err := awayJob(s)
			if err != nil {
				return refuse(s.Device, cash.OpFloat, err)
			}
			jobs[i] = []job{j}
		}
		try(jobs)
		return nil
	}
	return t.beginAcross(ctx, c, p)
}

// awayJob moves pieces to the cashbox by a float that keeps the others.
func awayJob(s Share) (job, error) {
	f, ok := s.Device.(devices.Floater)
	if !ok {
		return job{}, cash.ErrUnsupported
	}
	levels := s.Device.Snapshot().Levels
	keep := levels.Minus(s.Pieces)
	for p, n := range keep {
		if n < 0 {
			return job{}, fmt.Errorf("%w: %d of %s asked for, %d there", cash.ErrNotEnough, s.Pieces[p], p, levels[p])
		}
	}
	return job{
		op:    cash.Op{Kind: cash.OpFloat, Keep: keep},
		start: func(ctx context.Context) error { return f.StartFloat(ctx, keep) },
	}, nil
}

// beginAcross carries out the steps of begin for several machines.
func (t *Till) beginAcross(ctx context.Context, c Call, p *project) (*Operation, error) {
	t.describe(c, p)
	o, legs, err := t.prepare(ctx, c, p)
	if o != nil || len(legs) == 0 {
		return o, wrapAcross(p, err)
	}
	if err != nil && p.whole.Key == "" {
		t.releaseLegs(legs)
		return nil, wrapAcross(p, err)
	}
	if err != nil { // the key is to give the same refusal for ever
		t.releaseLegs(legs)
		return t.intendRefused(ctx, p, err)
	}
	o, err = t.intendLegs(ctx, p, legs)
	if o != nil || err != nil {
		return o, wrapAcross(p, err)
	}
	return t.launchLegs(ctx, p, legs)
}

// describe completes the whole.
func (t *Till) describe(c Call, p *project) {
	p.whole.Key, p.whole.Actor = c.Key, c.Actor
	for _, d := range p.devs {
		if id := d.Snapshot().ID; id != "" {
			p.whole.Across = append(p.whole.Across, id)
		}
	}
	if len(p.whole.Across) > 0 {
		p.whole.Device = p.whole.Across[0]
	}
}

// probeAcross does all that beginAcross does before there is an intent.
func (t *Till) probeAcross(ctx context.Context, c Call, p *project) error {
	t.describe(Call{Owner: c.Owner, Actor: c.Actor}, p)
	_, legs, err := t.prepare(ctx, Call{Owner: c.Owner}, p)
	t.releaseLegs(legs)
	return wrapAcross(p, err)
}

// prepare takes the machines, plans, and asks them. It returns the operation that the key names; or the legs that are
// taken, with the error that the plan was refused with; or no legs, and why the machines cannot be taken.
func (t *Till) prepare(ctx context.Context, c Call, p *project) (*Operation, []*leg, error) {
	if len(p.whole.Across) == 0 {
		return nil, nil, cash.ErrNotConnected
	}
	for _, d := range p.devs {
		t.agree(ctx, d)
	}
	for {
		for _, id := range p.whole.Across {
			if err := t.bound(id, c.Owner); err != nil {
				return nil, nil, err
			}
		}
		if o, err := t.repeat(ctx, t.desk(p.whole.Device), job{op: p.whole}); o != nil || err != nil {
			return o, nil, err
		}
		legs, before, away, err := t.takeLegs(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		if before == nil {
			legs, err = t.planLegs(ctx, p, legs, away)
			return nil, legs, err
		}
		select { // somebody else uses the same key right now
		case <-before.begun:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// takeLegs takes the machines that are ready and not jammed; away is why another is not. before is an operation with the
// same key.
func (t *Till) takeLegs(ctx context.Context, p *project) (legs []*leg, before *run, away, err error) {
	for _, d := range p.devs {
		s := d.Snapshot()
		if !s.Connected || !s.Ready || s.Jammed { // one that answers in a jam would refuse to pay
			away = errors.Join(away, refuse(d, p.whole.Kind, notReady(s)))
			continue
		}
		l := &leg{dev: d, id: s.ID, desk: t.desk(s.ID)}
		j := job{op: cash.Op{Kind: p.whole.Kind, Device: s.ID, Key: p.whole.Key}}
		if before, err = t.take(ctx, l.desk, d, &j); before != nil || err != nil {
			t.releaseLegs(legs)
			if err != nil {
				err = refuse(d, p.whole.Kind, err)
			}
			return nil, before, nil, err
		}
		l.run = l.desk.running.Load()
		legs = append(legs, l)
	}
	if len(legs) == 0 || p.all && away != nil {
		t.releaseLegs(legs)
		return nil, nil, nil, away
	}
	return legs, nil, away, nil
}

// notReady says why a machine cannot be used now.
func notReady(s *devices.Snapshot) error {
	switch {
	case !s.Connected:
		return cash.ErrNotConnected
	case s.Jammed:
		return cash.ErrJam
	}
	return fmt.Errorf("%w: still connecting", cash.ErrBusy)
}

// planLegs finds the first way that no machine refuses, and gives back the machines without a part in it. Where there is
// none it returns all legs and the reason; or no legs and away, if that machine might have helped.
func (t *Till) planLegs(ctx context.Context, p *project, legs []*leg, away error) ([]*leg, error) {
	ready := make([]devices.Device, len(legs))
	for i, l := range legs {
		ready[i] = l.dev
	}
	var refused error
	var chosen [][]job
	tries := 0
	err := p.ways(ready, func(way [][]job) bool {
		if refused = testWay(ctx, p.whole.Kind, ready, way); refused == nil {
			chosen = way
			return false
		}
		tries++
		return tries < maxSplits && (errors.Is(refused, cash.ErrNotEnough) || errors.Is(refused, cash.ErrNotExact))
	})
	if chosen == nil {
		if err == nil {
			err = refused
		}
		if away != nil && (errors.Is(err, cash.ErrNotEnough) || errors.Is(err, cash.ErrNotExact)) {
			t.releaseLegs(legs)
			return nil, away // no machine has refused: the key may come again
		}
		return legs, err
	}
	var used []*leg
	for i, l := range legs {
		if len(chosen[i]) == 0 {
			t.releaseLegs(legs[i : i+1])
			continue
		}
		l.jobs = chosen[i]
		used = append(used, l)
	}
	return used, nil
}

// testWay asks every machine, and leaves each the first of its jobs that it would do.
func testWay(ctx context.Context, kind cash.OpKind, ready []devices.Device, way [][]job) error {
	for i, jobs := range way {
		var refused error
		for k, j := range jobs {
			if refused = nil; j.test != nil {
				refused = j.test(ctx)
			}
			if refused == nil {
				way[i] = jobs[k : k+1]
				break
			}
			if !errors.Is(refused, cash.ErrNotExact) && !errors.Is(refused, cash.ErrNotEnough) {
				return refuse(ready[i], kind, refused)
			}
		}
		if refused != nil {
			return refuse(ready[i], kind, refused)
		}
	}
	return nil
}

// releaseLegs gives machines back before there is an intent on disk.
func (t *Till) releaseLegs(legs []*leg) {
	for _, l := range legs {
		t.release(l.desk, l.run)
	}
}

// wrapAcross says what failed where no machine's error does.
func wrapAcross(p *project, err error) error {
	var named *cash.OpError
	if err == nil || errors.As(err, &named) {
		return err
	}
	return &cash.OpError{Device: p.whole.Device, Op: string(p.whole.Kind), Err: err}
}

// ordered returns the legs in the order in which their desks are locked.
func ordered(legs []*leg) []*leg {
	return slices.SortedFunc(slices.Values(legs), func(a, b *leg) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
}

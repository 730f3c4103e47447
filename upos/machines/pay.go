package machines

import (
	"context"
	"errors"
	"fmt"
	"math"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/internal/till"
	"coffer/upos"
)

// CanDispense implements upos.Mechanism.
func (m *Mechanism) CanDispense(ctx context.Context, r upos.Request) error {
	ds, shares, err := m.plan(ctx, r)
	switch {
	case err != nil:
	case r.Exit == 2:
		if shares, err = m.away(r, ds, shares); err == nil {
			err = m.mayMove(shares)
		}
	case r.Pieces != nil:
		err = m.Till.CanDispenseShares(ctx, by(r), shares)
	default:
		err = m.Till.CanDispenseAcross(ctx, by(r), ds, r.Amount)
	}
	return m.refine(r, err)
}

// Dispense implements upos.Mechanism.
func (m *Mechanism) Dispense(ctx context.Context, r upos.Request) (upos.Job, error) {
	ds, shares, err := m.plan(ctx, r)
	if err != nil {
		return nil, m.refine(r, err)
	}
	var op *till.Operation
	switch {
	case r.Exit == 2:
		op, err = m.putAway(ctx, r, ds, shares)
	case r.Pieces != nil && len(m.parts) == 1:
		op, err = m.Till.DispensePieces(ctx, by(r), ds[0], shares[0].Pieces)
	case r.Pieces != nil:
		op, err = m.Till.DispenseShares(ctx, by(r), shares)
	case len(m.parts) == 1:
		op, err = m.Till.Dispense(ctx, by(r), ds[0], r.Amount)
	default:
		op, err = m.Till.DispenseAcross(ctx, by(r), ds, r.Amount)
	}
	if op == nil {
		return nil, m.refine(r, err)
	}
	return &job{m, op}, nil // an answer that was lost shows in the outcome
}

// plan lists the machines of a request, notes first, and what each is to move of given pieces; of an amount nothing.
// Their stores are switched on.
func (m *Mechanism) plan(ctx context.Context, r upos.Request) ([]devices.Device, []till.Share, error) {
	if err := m.use(r); err != nil {
		return nil, nil, err
	}
	if r.Exit < 0 || r.Exit > 2 {
		return nil, nil, fmt.Errorf("%w: exit %d", cash.ErrInvalid, r.Exit)
	}
	var ds []devices.Device
	for _, coins := range []bool{false, true} {
		for _, i := range m.scope(r) {
			d := m.device(i)
			s := d.Snapshot()
			_, pays := d.(devices.Payer)
			if s.ID == "" || s.Coins != coins || !s.HasPayout || !pays {
				continue
			}
			if err := m.openStore(ctx, by(r), d); err != nil && s.Ready {
				return nil, nil, err
			}
			ds = append(ds, d)
		}
	}
	if len(ds) == 0 {
		return nil, nil, m.noPayer(r)
	}
	if r.Pieces == nil {
		return ds, nil, nil
	}
	shares, err := m.share(ds, r)
	return ds, shares, err
}

// noPayer says why no part of a request can pay.
func (m *Mechanism) noPayer(r upos.Request) error {
	for _, i := range m.scope(r) {
		if m.device(i).Snapshot().ID == "" {
			return fmt.Errorf("%s: %w", m.parts[i].id, cash.ErrNotConnected)
		}
	}
	return fmt.Errorf("%w: no machine here can pay", cash.ErrUnsupported)
}

// share deals given pieces to the machines that hold such pieces: as many as each has, the rest to the first of them,
// which then says that they are missing.
func (m *Mechanism) share(ds []devices.Device, r upos.Request) ([]till.Share, error) {
	out := make([]till.Share, len(ds))
	for i, d := range ds {
		out[i] = till.Share{Device: d, Pieces: cash.Counts{}}
	}
	for pc, n := range r.Pieces {
		denom, first := cash.Denom{Value: pc.Value, Currency: pc.Currency}, -1
		for i, d := range ds {
			s := d.Snapshot()
			ch, known := s.Channel(denom)
			if !known || !ch.Recyclable || pc.Bill == s.Coins {
				continue
			}
			if first < 0 {
				first = i
			}
			k := min(max(n, 0), s.Levels[denom])
			out[i].Pieces[denom] += k
			n -= k
		}
		if first < 0 {
			return nil, fmt.Errorf("%w: no machine here pays %s", cash.ErrInvalid, denom)
		}
		if n != 0 {
			out[first].Pieces[denom] += n
		}
	}
	return out, nil
}

// putAway moves pieces to the cashbox. Those of an amount are chosen anew each time, so its key is looked up first.
func (m *Mechanism) putAway(ctx context.Context, r upos.Request, ds []devices.Device, shares []till.Share) (*till.Operation, error) {
	if r.Pieces == nil && r.Key != "" {
		op, err := m.Till.ByKey(ctx, r.Key)
		if op != nil && (op.Kind != cash.OpFloat || op.Asked != r.Amount) {
			return nil, fmt.Errorf("%w: key %q was used for another operation", cash.ErrInvalid, r.Key)
		}
		if op != nil || err != nil {
			return op, err
		}
	}
	shares, err := m.away(r, ds, shares)
	if err != nil {
		return nil, err
	}
	return m.Till.FloatShares(ctx, by(r), shares)
}

// away says which pieces go to the cashbox: those that were asked for, or a plan for the amount over what the stores hold.
func (m *Mechanism) away(r upos.Request, ds []devices.Device, shares []till.Share) ([]till.Share, error) {
	if r.Pieces != nil {
		return shares, nil
	}
	have, all := cash.Counts{}, upos.Pieces{}
	for _, d := range ds {
		s := d.Snapshot()
		for denom, n := range s.Levels {
			have[denom] += n
			all[piece(denom, s)] += n
		}
	}
	plan, err := cash.Plan(have, r.Amount, cash.FewestPieces)
	if err != nil {
		return nil, err
	}
	r.Pieces = upos.Pieces{}
	for denom, n := range plan {
		for _, bill := range []bool{true, false} {
			pc := upos.Piece{Value: denom.Value, Currency: denom.Currency, Bill: bill}
			if k := min(n, all[pc]); k > 0 {
				r.Pieces[pc] = k
				n -= k
			}
		}
	}
	return m.share(ds, r)
}

// mayMove says why pieces cannot go to the cashbox now.
func (m *Mechanism) mayMove(shares []till.Share) error {
	for _, sh := range shares {
		s := sh.Device.Snapshot()
		for denom, n := range sh.Pieces {
			switch {
			case n == 0:
			case s.Jammed:
				return cash.ErrJam
			case !s.Ready:
				return cash.ErrNotConnected
			case s.Operation != "" || m.Till.Running(s.ID) != nil:
				return cash.ErrBusy
			case n > s.Levels[denom]:
				return fmt.Errorf("%w: %d of %s asked for", cash.ErrNotEnough, n, denom)
			}
		}
	}
	return nil
}

// refine tells stock that is missing from amounts that no stock could make, and a jam from an operation that runs: a
// machine refuses both as busy.
func (m *Mechanism) refine(r upos.Request, err error) error {
	var at *cash.OpError
	if errors.Is(err, cash.ErrBusy) && errors.As(err, &at) && m.jammed(at.Device) {
		return &cash.OpError{Device: at.Device, Op: at.Op, Err: cash.ErrJam}
	}
	if r.Pieces != nil || !errors.Is(err, cash.ErrNotExact) && !errors.Is(err, cash.ErrNotEnough) {
		return err
	}
	plenty := cash.Counts{}
	for _, i := range m.scope(r) {
		s := m.device(i).Snapshot()
		for _, ch := range s.Channels {
			if s.HasPayout && ch.Recyclable && (ch.ToPayout || r.Exit == 2) {
				plenty[ch.Denom] = int(min(r.Amount.Value/ch.Denom.Value+1, math.MaxInt32))
			}
		}
	}
	kind := cash.ErrNotEnough
	if _, never := cash.Plan(plenty, r.Amount, cash.FewestPieces); errors.Is(never, cash.ErrNotExact) || len(plenty) == 0 {
		kind = cash.ErrNotExact
	}
	if errors.Is(err, kind) {
		return err
	}
	return fmt.Errorf("%w: %v", kind, err)
}

// jammed says whether a machine that moves nothing for us is in a jam.
func (m *Mechanism) jammed(id cash.DeviceID) bool {
	for i := range m.parts {
		if s := m.device(i).Snapshot(); s.ID == id {
			return s.Jammed && m.Till.Running(id) == nil
		}
	}
	return false
}

// Halt implements upos.Mechanism.
func (m *Mechanism) Halt(ctx context.Context, r upos.Request) error {
	if err := m.use(r); err != nil {
		return err
	}
	halted, all := false, error(nil)
	for _, i := range m.scope(r) {
		err := m.Till.Halt(ctx, by(r), m.device(i))
		switch {
		case err == nil:
			halted = true
		case !errors.Is(err, cash.ErrNothing) && !errors.Is(err, cash.ErrUnsupported) && !errors.Is(err, cash.ErrNotConnected):
			all = errors.Join(all, err)
		}
	}
	if all == nil && !halted {
		return cash.ErrNothing
	}
	return all
}

// job is an operation of the till.
type job struct {
	m  *Mechanism
	op *till.Operation
}

// ID implements upos.Job.
func (j *job) ID() string { return j.op.ID }

// Wait implements upos.Job.
func (j *job) Wait(ctx context.Context) (upos.Paid, error) {
	out, err := j.op.Wait(ctx)
	if err != nil && ctx.Err() != nil && out.Result == "" {
		return upos.Paid{}, err
	}
	p := upos.Paid{Pieces: upos.Pieces{}, Amount: out.Paid, Sure: out.Result != cash.OpUnknown}
	moved := out.By
	if moved == nil {
		moved = map[cash.DeviceID]cash.Counts{j.op.Device: out.Pieces}
	}
	for i := range j.m.parts {
		s := j.m.device(i).Snapshot()
		for d, n := range moved[s.ID] {
			p.Pieces[piece(d, s)] += n
		}
	}
	if err != nil && out.Ended == cash.OpJammed {
		err = fmt.Errorf("%w: %w", cash.ErrJam, err)
	}
	return p, err
}

package upostest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"coffer/internal/cash"
	"coffer/upos"
)

// job is a payout of the fake.
type job struct {
	id     string
	plan   []upos.Pieces // by part
	halted chan struct{}
	done   chan struct{}
	paid   upos.Paid
	err    error
}

// ID implements upos.Job.
func (j *job) ID() string { return j.id }

// Wait implements upos.Job.
func (j *job) Wait(ctx context.Context) (upos.Paid, error) {
	select {
	case <-j.done:
		return j.paid, j.err
	case <-ctx.Done():
		return upos.Paid{}, ctx.Err()
	}
}

// CanDispense implements upos.Mechanism.
func (m *Mechanism) CanDispense(_ context.Context, r upos.Request) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.plan(r)
	return err
}

// plan shares a payout out over the parts. The caller holds mu.
func (m *Mechanism) plan(r upos.Request) ([]upos.Pieces, error) {
	if err := m.use(r, "Dispense", fmt.Sprint(r.Amount, r.Pieces)); err != nil {
		return nil, err
	}
	if m.running != nil {
		return nil, cash.ErrBusy
	}
	for _, p := range m.parts {
		if p.Jammed {
			return nil, fmt.Errorf("%w: %s", cash.ErrJam, p.ID)
		}
	}
	want := r.Pieces
	if want == nil {
		var err error
		if want, err = m.choose(r); err != nil {
			return nil, err
		}
	}
	plan := make([]upos.Pieces, len(m.parts))
	left := copyOf(want)
	for i, p := range m.parts {
		plan[i] = upos.Pieces{}
		for piece, n := range left {
			k := min(n, p.Store[piece])
			if k > 0 && slices.Contains(m.payable(i, r.Exit), piece) {
				plan[i][piece] = k
				left[piece] -= k
			}
		}
	}
	for piece, n := range left {
		if n > 0 {
			return nil, fmt.Errorf("%w: %d of %d are missing", cash.ErrNotEnough, n, piece.Value)
		}
	}
	return plan, nil
}

func (m *Mechanism) payable(i, exit int) []upos.Piece {
	if exit == 2 {
		return m.parts[i].Holds
	}
	return m.parts[i].Pays
}

// choose picks pieces for an amount; a value that exists as coin and as bill is paid as a bill first. The caller holds
// mu.
func (m *Mechanism) choose(r upos.Request) (upos.Pieces, error) {
	have, plenty, kinds := cash.Counts{}, cash.Counts{}, map[upos.Piece]int{}
	for i, p := range m.parts {
		for _, piece := range m.payable(i, r.Exit) {
			d := cash.Denom{Value: piece.Value, Currency: piece.Currency}
			have[d] += p.Store[piece]
			kinds[piece] += p.Store[piece]
			plenty[d] = int(r.Amount.Value/piece.Value) + 1
		}
	}
	if _, err := cash.Plan(plenty, r.Amount, cash.FewestPieces); err != nil {
		return nil, fmt.Errorf("%w: no pieces of this till make %s", cash.ErrNotExact, r.Amount)
	}
	plan, err := cash.Plan(have, r.Amount, cash.FewestPieces)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", cash.ErrNotEnough, r.Amount)
	}
	out := upos.Pieces{}
	for d, n := range plan {
		for _, bill := range []bool{true, false} {
			p := upos.Piece{Value: d.Value, Currency: d.Currency, Bill: bill}
			if k := min(n, kinds[p]); k > 0 {
				out[p] = k
				n -= k
			}
		}
	}
	return out, nil
}

// Dispense implements upos.Mechanism.
func (m *Mechanism) Dispense(_ context.Context, r upos.Request) (upos.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if j := m.keys[r.Key]; r.Key != "" && j != nil {
		return j, nil
	}
	plan, err := m.plan(r)
	if err != nil {
		return nil, err
	}
	m.ops++
	j := &job{id: "op" + strconv.Itoa(m.ops), plan: plan, halted: make(chan struct{}), done: make(chan struct{})}
	if r.Key != "" {
		m.keys[r.Key] = j
	}
	m.running = j
	go m.run(j, r, m.hold, m.pay, m.short)
	m.short = nil
	return j, nil
}

// run pays out, after the time or the word that the test gave.
func (m *Mechanism) run(j *job, r upos.Request, hold chan struct{}, pay time.Duration, short *Short) {
	halted := false
	if hold != nil {
		select {
		case <-hold:
		case <-j.halted:
			halted = true
		}
	}
	if pay > 0 {
		select {
		case <-time.After(pay):
		case <-j.halted:
			halted = true
		}
	}
	j.paid = upos.Paid{Pieces: upos.Pieces{}, Amount: cash.Amount{Currency: r.Amount.Currency}, Sure: true}
	m.tell(func() []upos.Change {
		m.running = nil
		if halted {
			j.err = &cash.PartialError{Asked: r.Amount}
			return nil
		}
		if short != nil {
			j.paid.Sure, j.err = short.Sure, short.Err
		}
		return m.payOut(j, r.Exit, short)
	})
	close(j.done)
}

// payOut moves the pieces of the plan, or of a short payout, and sums them up. The caller holds mu.
func (m *Mechanism) payOut(j *job, exit int, short *Short) []upos.Change {
	var out []upos.Change
	for i, pieces := range j.plan {
		for piece, n := range pieces {
			if short != nil {
				n = min(n, short.Pieces[piece])
			}
			if n == 0 {
				continue
			}
			m.parts[i].Store[piece] -= n
			if exit == 2 {
				m.parts[i].Box[piece] += n
			}
			j.paid.Pieces[piece] += n
			j.paid.Amount.Value += piece.Value * int64(n)
			j.paid.Amount.Currency = piece.Currency
		}
		out = append(out, upos.Change{Part: i, Status: true})
	}
	return out
}

// Halt implements upos.Mechanism.
func (m *Mechanism) Halt(context.Context, upos.Request) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.note("Halt", ""); err != nil {
		return err
	}
	if m.running == nil {
		return cash.ErrNothing
	}
	select {
	case <-m.running.halted:
	default:
		close(m.running.halted)
	}
	return nil
}

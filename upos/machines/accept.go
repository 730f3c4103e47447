package machines

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/internal/till"
	"coffer/upos"
)

// settlePause is the time between two looks at a machine in which money is under way.
const settlePause = 50 * time.Millisecond

// turnedOff is how long a deposit waits at its beginning for a machine whose multi escrow has to be turned off.
const turnedOff = 30 * time.Second

// Accept implements upos.Mechanism. While it is on, notes are taken at once, also by a machine that is configured to hold
// them; a payout store that is off is switched on, so that notes go where their route says.
func (m *Mechanism) Accept(ctx context.Context, r upos.Request, on bool) error {
	if err := m.use(r); err != nil {
		return err
	}
	list := m.acceptors(r)
	if !on {
		var all error
		for _, i := range list {
			all = errors.Join(all, m.refuse(ctx, r, i))
		}
		return all
	}
	for _, i := range list {
		if err := m.mayAccept(i); err != nil {
			return err
		}
	}
	for _, i := range list {
		if err := m.take(ctx, r, i); err != nil {
			return err
		}
	}
	return nil
}

// acceptors lists the parts of a request that can accept; one that was never identified counts as such.
func (m *Mechanism) acceptors(r upos.Request) (out []int) {
	for _, i := range m.scope(r) {
		s := m.device(i).Snapshot()
		accepts := s.ID == ""
		for _, ch := range s.Channels {
			accepts = accepts || !ch.Inhibited
		}
		if accepts {
			out = append(out, i)
		}
	}
	return out
}

// mayAccept says why part i cannot accept now.
func (m *Mechanism) mayAccept(i int) error {
	s := m.device(i).Snapshot()
	err := error(nil)
	switch {
	case s.Jammed, s.State == cash.StateCoinMechJammed:
		err = cash.ErrJam
	case !s.Connected || !s.Ready:
		err = cash.ErrNotConnected
	case s.CashboxRemoved:
		err = cash.ErrNoCashbox
	case s.StackerFull:
		err = cash.ErrFull
	}
	if err != nil {
		return fmt.Errorf("%s: %w", m.parts[i].id, err)
	}
	return nil
}

// take turns acceptance of part i on.
func (m *Mechanism) take(ctx context.Context, r upos.Request, i int) error {
	m.parts[i].way <- struct{}{}
	defer func() { <-m.parts[i].way }()
	d, call := m.device(i), by(r)
	m.mu.Lock()
	m.parts[i].off = false
	m.mu.Unlock()
	if err := m.oneByOne(ctx, call, d); err != nil {
		return err
	}
	if e, holds := d.(devices.Escrow); holds && !d.Snapshot().AutoAccept {
		err := m.Till.Do(ctx, call, d, "accept at once", func(ctx context.Context) error { return e.SetAutoAccept(ctx, true) })
		if err != nil && !errors.Is(err, cash.ErrUnsupported) {
			return err
		}
		m.mu.Lock()
		m.parts[i].manual = err == nil
		m.mu.Unlock()
	}
	if err := m.openStore(ctx, call, d); err != nil {
		return err
	}
	return m.Till.Enable(ctx, call, d)
}

// oneByOne turns a multi escrow off that another program has left on: a deposit takes each note as it comes. It stays
// off, for every turn restarts the machine, which is waited for.
func (m *Mechanism) oneByOne(ctx context.Context, call till.Call, d devices.Device) error {
	e, ok := d.(devices.MultiEscrow)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, turnedOff)
	defer cancel()
	t := time.NewTicker(settlePause)
	defer t.Stop()
	for told := false; ; {
		s := d.Snapshot()
		switch {
		case s.Ready && s.MultiEscrowSize == 0:
			return nil
		case s.MultiHeld.Pieces() > 0: // it goes back first
			err := m.Till.CancelMultiEscrow(ctx, call, d)
			if err != nil && !errors.Is(err, cash.ErrNothing) && !errors.Is(err, cash.ErrBusy) {
				return err
			}
		case s.Ready:
			err := m.Till.Do(ctx, call, d, "turn off multi escrow", func(ctx context.Context) error { return e.SetMultiEscrowSize(ctx, 0) })
			if err != nil && !errors.Is(err, cash.ErrBusy) {
				return err
			}
			told = told || err == nil
		case !told:
			return fmt.Errorf("%s: %w", s.ID, cash.ErrNotConnected)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: its multi escrow is not off yet: %w", s.ID, ctx.Err())
		}
	}
}

// openStore switches a payout store on that is off.
func (m *Mechanism) openStore(ctx context.Context, call till.Call, d devices.Device) error {
	s := d.Snapshot()
	p, pays := d.(devices.Payer)
	if !pays || !s.HasPayout || s.PayoutEnabled || s.Coins {
		return nil
	}
	err := m.Till.Do(ctx, call, d, "enable payout", p.EnablePayout)
	if errors.Is(err, cash.ErrUnsupported) {
		return nil
	}
	return err
}

// refuse turns acceptance of part i off. What is held is taken. A machine that is away is turned off when it is back.
func (m *Mechanism) refuse(ctx context.Context, r upos.Request, i int) error {
	m.parts[i].way <- struct{}{}
	defer func() { <-m.parts[i].way }()
	d, call := m.device(i), by(r)
	m.mu.Lock()
	manual := m.parts[i].manual
	m.parts[i].off, m.parts[i].manual = true, false
	m.mu.Unlock()
	if d.Snapshot().Escrow != nil {
		if err := m.Till.AcceptEscrow(ctx, call, d); err != nil && !errors.Is(err, cash.ErrNothing) {
			m.Log.WithField("device", d.Snapshot().ID).WithError(err).Warn("a note that is held could not be taken yet")
		}
	}
	if err := m.Till.Disable(ctx, call, d); err != nil {
		return err
	}
	m.mu.Lock()
	m.parts[i].off = false
	m.mu.Unlock()
	if e, holds := d.(devices.Escrow); holds && manual {
		return m.Till.Do(ctx, call, d, "hold", func(ctx context.Context) error { return e.SetAutoAccept(ctx, false) })
	}
	return nil
}

// Quiet implements upos.Mechanism.
func (m *Mechanism) Quiet(ctx context.Context, r upos.Request) error {
	if err := m.use(r); err != nil {
		return err
	}
	var all error
	for _, i := range m.acceptors(r) {
		all = errors.Join(all, m.quiet(ctx, r, i))
	}
	return all
}

// quiet turns acceptance of part i off if it is on. Of a machine that is away nobody knows: it goes off when it is back.
func (m *Mechanism) quiet(ctx context.Context, r upos.Request, i int) error {
	m.parts[i].way <- struct{}{}
	defer func() { <-m.parts[i].way }()
	d, call := m.device(i), by(r)
	s := d.Snapshot()
	if s.Ready && !s.AcceptorEnabled && s.Escrow == nil && s.MultiHeld.Pieces() == 0 {
		return nil
	}
	m.mu.Lock()
	m.parts[i].off = true
	m.mu.Unlock()
	if !s.Ready {
		return nil
	}
	if s.Escrow != nil {
		if err := m.Till.ReturnEscrow(ctx, call, d); err != nil && !errors.Is(err, cash.ErrNothing) {
			m.Log.WithField("device", s.ID).WithError(err).Warn("a note that is held could not be given back yet")
		}
	}
	if s.MultiHeld.Pieces() > 0 {
		if err := m.Till.CancelMultiEscrow(ctx, call, d); err != nil && !errors.Is(err, cash.ErrNothing) {
			m.Log.WithField("device", s.ID).WithError(err).Warn("the notes that are held could not be given back yet")
		}
	}
	if err := m.Till.Disable(ctx, call, d); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parts[i].off = false
	return nil
}

// Settle implements upos.Mechanism: a machine is at rest when its books were compared while nothing moved.
func (m *Mechanism) Settle(ctx context.Context, r upos.Request) error {
	if err := m.use(r); err != nil {
		return err
	}
	for _, i := range m.acceptors(r) {
		if err := m.settle(ctx, r, i); err != nil {
			return err
		}
	}
	return m.caughtUp(ctx)
}

// settle waits for part i.
func (m *Mechanism) settle(ctx context.Context, r upos.Request, i int) error {
	for {
		d := m.device(i)
		s := d.Snapshot()
		switch {
		case s.Jammed:
			return fmt.Errorf("%s: %w", m.parts[i].id, cash.ErrJam)
		case !s.Ready:
			return fmt.Errorf("%s: %w", m.parts[i].id, cash.ErrNotConnected)
		case s.Escrow != nil:
			if err := m.Till.AcceptEscrow(ctx, by(r), d); err != nil && !errors.Is(err, cash.ErrNothing) {
				return err
			}
		case !s.Moving:
			if a, ok := d.(devices.Auditor); ok {
				if err := a.Audit(ctx); err != nil {
					return err
				}
			}
			if now := d.Snapshot(); now.Ready && !now.Moving && now.Escrow == nil {
				return nil
			}
		}
		t := time.NewTimer(settlePause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("%s: money is still under way: %w", m.parts[i].id, ctx.Err())
		}
	}
}

package machines

import (
	"context"
	"errors"
	"fmt"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/upos"
)

// Counts implements upos.Mechanism: stores are read from the machines, cashboxes from the ledger.
func (m *Mechanism) Counts(ctx context.Context, r upos.Request, place cash.Place) (upos.Pieces, bool, error) {
	if err := m.use(r); err != nil {
		return nil, false, err
	}
	if err := m.caughtUp(ctx); err != nil { // a discrepancy that was told is a doubt
		return nil, false, err
	}
	out, doubt := upos.Pieces{}, false
	for _, i := range m.scope(r) {
		d := m.device(i)
		s := d.Snapshot()
		if s.ID == "" {
			return nil, false, fmt.Errorf("%s: %w", m.parts[i].id, cash.ErrNotConnected)
		}
		have, err := m.readPlace(ctx, d, s, place)
		if err != nil {
			return nil, false, err
		}
		for pc, n := range pieces(have, s) {
			out[pc] += n
		}
		m.mu.Lock()
		doubt = doubt || m.parts[i].doubt
		m.mu.Unlock()
	}
	return out, doubt, nil
}

// readPlace reads one place of one machine.
func (m *Mechanism) readPlace(ctx context.Context, d devices.Device, s *devices.Snapshot, place cash.Place) (cash.Counts, error) {
	switch {
	case place == cash.Cashbox:
		_, box, err := m.Till.Stock(ctx, s.ID)
		return box, err
	case place != cash.Payout:
		return nil, fmt.Errorf("%w: place %q", cash.ErrInvalid, place)
	case !s.HasPayout:
		return nil, nil
	}
	acc, err := d.Account(ctx)
	if err != nil {
		return nil, err
	}
	return acc.Levels, nil
}

// Adjust implements upos.Mechanism. Note machines count their stores themselves; the levels of coin machines are set.
func (m *Mechanism) Adjust(ctx context.Context, r upos.Request, place cash.Place) error {
	if err := m.use(r); err != nil {
		return err
	}
	if place != cash.Cashbox && place != cash.Payout {
		return fmt.Errorf("%w: place %q", cash.ErrInvalid, place)
	}
	if err := m.caughtUp(ctx); err != nil { // else a doubt from before would come up behind the count that ends it
		return err
	}
	list := m.scope(r)
	shares, err := m.shareCounted(ctx, r, list, place)
	if err != nil {
		return err
	}
	for k, i := range list {
		if err := m.adjust(ctx, r, i, shares[k], place); err != nil {
			return err
		}
		m.doubt(i, false)
	}
	m.lookNow(ctx)
	return nil
}

// shareCounted deals counted pieces to the machines that may have them: where several may, all but the first keep what
// the ledger has in them as far as that goes.
func (m *Mechanism) shareCounted(ctx context.Context, r upos.Request, list []int, place cash.Place) ([]cash.Counts, error) {
	out := make([]cash.Counts, len(list))
	have := make([]cash.Counts, len(list))
	for k, i := range list {
		s := m.device(i).Snapshot()
		if s.ID == "" {
			return nil, fmt.Errorf("%s: %w", m.parts[i].id, cash.ErrNotConnected)
		}
		store, box, err := m.Till.Stock(ctx, s.ID)
		if err != nil {
			return nil, err
		}
		out[k], have[k] = cash.Counts{}, box
		if place == cash.Payout {
			have[k] = store
		}
	}
	for pc, n := range r.Pieces {
		denom, left, first := cash.Denom{Value: pc.Value, Currency: pc.Currency}, n, -1
		for k := len(list) - 1; k >= 0; k-- {
			s := m.device(list[k]).Snapshot()
			ch, known := s.Channel(denom)
			if !known || pc.Bill == s.Coins || place == cash.Payout && (!s.HasPayout || !ch.Recyclable) {
				continue
			}
			first = k
			out[k][denom] = min(max(have[k][denom], 0), left)
			left -= out[k][denom]
		}
		if first < 0 {
			return nil, fmt.Errorf("%w: no machine here has %s", cash.ErrInvalid, denom)
		}
		out[first][denom] += left
	}
	return out, nil
}

// adjust says what is in one place of part i.
func (m *Mechanism) adjust(ctx context.Context, r upos.Request, i int, holds cash.Counts, place cash.Place) error {
	d := m.device(i)
	if len(holds) == 0 {
		return nil
	}
	if place == cash.Cashbox {
		return m.Till.SetCashbox(ctx, by(r), d.Snapshot().ID, holds)
	}
	err := m.Till.SetStore(ctx, by(r), d, holds)
	if errors.Is(err, cash.ErrUnsupported) {
		return nil // it counts itself
	}
	return err
}

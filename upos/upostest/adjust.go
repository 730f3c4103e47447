package upostest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"coffer/internal/cash"
	"coffer/upos"
)

// Adjust implements upos.Mechanism. The note machines count their stores themselves. A level of a coin machine can only be
// cleared, or added to, so that one which is lowered is 0 for a moment.
func (m *Mechanism) Adjust(_ context.Context, r upos.Request, place cash.Place) (err error) {
	m.tell(func() []upos.Change {
		if err = m.use(r, "Adjust", fmt.Sprint(place, r.Parts, r.Pieces)); err != nil || place == cash.Cashbox {
			return nil
		}
		return m.count(r, func(p *upos.Part) {
			for piece, n := range r.Pieces {
				if !p.Bills && n < p.Store[piece] {
					p.Store[piece] = 0
				}
			}
		})
	})
	if err != nil {
		return err
	}
	m.tell(func() []upos.Change {
		return m.count(r, func(p *upos.Part) {
			p.InDoubt = false
			if place == cash.Cashbox {
				maps.Copy(p.Box, r.Pieces)
			} else if !p.Bills {
				maps.Copy(p.Store, r.Pieces)
			}
		})
	})
	return nil
}

// count does f to the parts of a request. The caller holds mu.
func (m *Mechanism) count(r upos.Request, f func(*upos.Part)) (out []upos.Change) {
	for i := range m.parts {
		if r.Parts == nil || slices.Contains(r.Parts, i) {
			f(&m.parts[i])
			out = append(out, upos.Change{Part: i, Status: true})
		}
	}
	return out
}

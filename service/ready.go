package service

import (
	"context"
	"sync/atomic"
)

// gate is what /readyz is made of.
type gate struct {
	listening atomic.Bool
	tried     <-chan struct{}
	ledger    *ledger
	health    func() error // whether the last write of the till worked
}

// reasons says why work should not come yet; none means that it may.
func (g *gate) reasons(ctx context.Context) []string {
	var out []string
	if err := g.ledger.Check(ctx); err != nil {
		out = append(out, err.Error())
	} else if err := g.health(); err != nil {
		out = append(out, err.Error())
	}
	if !g.listening.Load() {
		out = append(out, "not every listener accepts yet")
	}
	select {
	case <-g.tried:
	default:
		out = append(out, "not every configured device was tried yet")
	}
	return out
}

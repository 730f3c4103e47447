package devices

import (
	"context"
	"errors"
	"fmt"
	"math"

	"coffer/internal/cash"
	"coffer/ssp"
)

// Store is the payout store that recyclers and coin systems have in common; a family's device embeds one. On a machine
// without a store every method answers cash.ErrUnsupported.
type Store struct {
	core   *Core
	driver Driver
}

// NewStore returns the store of driver d.
func NewStore(c *Core, d Driver) *Store { return &Store{core: c, driver: d} }

// do carries out work on a machine that has a store.
func (s *Store) do(ctx context.Context, need Need, work func(c *Core) error) error {
	return s.core.base.do(ctx, need, s.driver, func(c *Core) error {
		if !c.pic.HasPayout {
			return cash.ErrUnsupported
		}
		return work(c)
	})
}

// TestPayout implements Payer with PAYOUT AMOUNT, option test.
func (s *Store) TestPayout(ctx context.Context, want cash.Amount) error {
	return s.do(ctx, NeedReady, func(c *Core) error {
		cmd, err := c.payoutCommand(want, false)
		if err != nil {
			return err
		}
		if err := c.free(); err != nil {
			return err
		}
		_, err = c.Tx(cmd)
		return payoutRefusal(err)
	})
}

// StartPayout implements Payer with PAYOUT AMOUNT, option commit.
func (s *Store) StartPayout(ctx context.Context, want cash.Amount) error {
	return s.do(ctx, NeedReady, func(c *Core) error {
		cmd, err := c.payoutCommand(want, true)
		if err != nil {
			return err
		}
		return c.commit(cash.OpDispense, cmd)
	})
}

// payoutCommand builds PAYOUT AMOUNT.
func (c *Core) payoutCommand(want cash.Amount, commit bool) ([]byte, error) {
	if want.Value <= 0 || want.Value > math.MaxUint32 || !c.pic.hasCurrency(want.Currency) {
		return nil, fmt.Errorf("%w: payout of %s", cash.ErrInvalid, want)
	}
	return ssp.PayoutAmount(c.pic.Protocol, uint32(want.Value), string(want.Currency), commit), nil
}

// Halt implements Payer.
func (s *Store) Halt(ctx context.Context) error {
	return s.do(ctx, NeedAnswer, func(c *Core) error {
		if !c.op.running {
			return cash.ErrNothing
		}
		_, err := c.Tx(ssp.CmdHaltPayout.Data())
		var r *ssp.StatusError
		if errors.As(err, &r) && r.Reply == ssp.CannotProcess {
			return cash.ErrNothing
		}
		return refusal(err)
	})
}

// StartFloat implements Floater with FLOAT BY DENOMINATION.
func (s *Store) StartFloat(ctx context.Context, keep cash.Counts) error {
	return s.do(ctx, NeedReady, func(c *Core) error {
		list, err := c.denomCounts(keep)
		if err != nil {
			return err
		}
		return c.commit(cash.OpFloat, ssp.FloatByDenomination(list, true))
	})
}

// denomCounts lists the whole dataset with the pieces of want, in its order.
func (c *Core) denomCounts(want cash.Counts) ([]ssp.DenomCount, error) {
	list := make([]ssp.DenomCount, 0, len(c.pic.Channels))
	for d, n := range want {
		if _, ok := c.pic.Channel(d); !ok || n < 0 || n > math.MaxUint16 {
			return nil, fmt.Errorf("%w: %d pieces of %s", cash.ErrInvalid, n, d)
		}
	}
	for _, ch := range c.pic.Channels {
		list = append(list, ssp.DenomCount{
			Count: uint16(want[ch.Denom]), Value: uint32(ch.Denom.Value), Currency: string(ch.Denom.Currency),
		})
	}
	return list, nil
}

// StartEmpty implements Emptier with SMART EMPTY, the one that says what it moved.
func (s *Store) StartEmpty(ctx context.Context, module byte) error {
	return s.do(ctx, NeedReady, func(c *Core) error {
		if module == 0 {
			return c.commit(cash.OpEmpty, ssp.SmartEmpty(nil))
		}
		return c.commit(cash.OpEmpty, ssp.SmartEmpty(&module))
	})
}

// SetRoute implements Router.
func (s *Store) SetRoute(ctx context.Context, d cash.Denom, toPayout bool) error {
	return s.do(ctx, NeedReady, func(c *Core) error {
		return c.ChangeRoute(d, toPayout)
	})
}

// ChangeRoute is SetRoute for a driver: it sends one route to the machine, keeps it and shows it.
func (c *Core) ChangeRoute(d cash.Denom, toPayout bool) error {
	if _, ok := c.pic.Channel(d); !ok {
		return fmt.Errorf("%w: %s is not in the dataset", cash.ErrInvalid, d)
	}
	if err := c.SendRoute(d, toPayout); err != nil {
		return refusal(err)
	}
	c.showChannels()
	return nil
}

// SendRoute sends one route to the machine and keeps it.
func (c *Core) SendRoute(d cash.Denom, toPayout bool) error {
	cmd := ssp.SetRoute(c.pic.Protocol, !toPayout, uint32(d.Value), string(d.Currency), c.pic.UnitType == ssp.TypeHopper)
	if _, err := c.Tx(cmd); err != nil {
		return err
	}
	c.SetRoute(d, toPayout)
	return nil
}

// Routes brings the machine's routes and ours together: the first time its own are read, later ours are sent. What the
// machine refuses a route to cannot be recycled.
func (c *Core) Routes() error {
	ours := c.Set.Routes
	recyclable := map[cash.Denom]bool{}
	for _, ch := range c.pic.Channels {
		d := ch.Denom
		if to, known := ours[d]; known {
			if err := c.SendRoute(d, to); err == nil {
				recyclable[d] = true
				continue
			} else if c.lost != nil {
				return c.lost
			}
		}
		cmd := ssp.GetRoute(c.pic.Protocol, uint32(d.Value), string(d.Currency), c.pic.UnitType == ssp.TypeHopper)
		rest, ok, err := c.Try(cmd)
		if err != nil {
			return err
		}
		if ok && len(rest) > 0 {
			recyclable[d] = true
			c.SetRoute(d, rest[0] == 0)
		}
	}
	c.Edit(func(s *Snapshot) {
		channels := append([]Channel(nil), s.Channels...)
		for i := range channels {
			channels[i].Recyclable = recyclable[channels[i].Denom]
		}
		s.Channels = channels
	})
	c.showChannels()
	return nil
}

// commit sends a command that moves money. The levels are read before, so that progress can be told piece by piece.
func (c *Core) commit(kind cash.OpKind, cmd []byte) error {
	return payoutRefusal(c.CommitSteps(kind, cmd, nil))
}

// payoutRefusal gives the error byte of the commands that move money its meaning (ssp.md section 5.1).
func payoutRefusal(err error) error {
	var r *ssp.StatusError
	if !errors.As(err, &r) || r.Reply != ssp.CannotProcess {
		return refusal(err)
	}
	kind := cash.ErrBusy
	switch {
	case len(r.Detail) == 0:
	case r.Code() <= 1: // some old firmware counts from 0
		kind = cash.ErrNotEnough
	case r.Code() == 2:
		kind = cash.ErrNotExact
	case r.Code() == 4:
		kind = cash.ErrDisabled
	}
	return fmt.Errorf("%w: %w", kind, err)
}

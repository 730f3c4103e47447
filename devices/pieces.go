package devices

import (
	"context"
	"fmt"
	"math"

	"coffer/internal/cash"
	"coffer/ssp"
)

// listVersion is the protocol version from which there are commands with lists of denominations (ssp.md sections 7
// and 9.4).
const listVersion = 6

// TestPieces implements PiecePayer with PAYOUT BY DENOMINATION, option test.
func (s *Store) TestPieces(ctx context.Context, want cash.Counts) error {
	return s.do(ctx, NeedReady, func(c *Core) error {
		cmd, err := c.piecesCommand(want, false)
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

// StartPieces implements PiecePayer with PAYOUT BY DENOMINATION, option commit.
func (s *Store) StartPieces(ctx context.Context, want cash.Counts) error {
	return s.do(ctx, NeedReady, func(c *Core) error {
		cmd, err := c.piecesCommand(want, true)
		if err != nil {
			return err
		}
		return c.commit(cash.OpDispense, cmd)
	})
}

// piecesCommand builds PAYOUT BY DENOMINATION of the pieces of want, in the order of the dataset.
func (c *Core) piecesCommand(want cash.Counts, commit bool) ([]byte, error) {
	if err := CheckPieces(&c.pic, want); err != nil {
		return nil, err
	}
	if c.pic.Protocol < listVersion {
		return nil, fmt.Errorf("%w: payout by denomination needs protocol %d", cash.ErrUnsupported, listVersion)
	}
	all, err := c.denomCounts(want)
	if err != nil {
		return nil, err
	}
	var list []ssp.DenomCount
	for _, d := range all {
		if d.Count > 0 {
			list = append(list, d)
		}
	}
	return ssp.PayoutByDenomination(list, commit), nil
}

// CheckPieces refuses what cannot be a payout of given pieces (see PiecePayer), with cash.ErrInvalid.
func CheckPieces(s *Snapshot, want cash.Counts) error {
	if len(want) == 0 {
		return fmt.Errorf("%w: no pieces to pay", cash.ErrInvalid)
	}
	for d, n := range want {
		if _, ok := s.Channel(d); !ok || n < 1 || n > math.MaxUint16 {
			return fmt.Errorf("%w: payout of %d pieces of %s", cash.ErrInvalid, n, d)
		}
	}
	return nil
}

// StartFloatAmount implements AmountFloater with FLOAT AMOUNT.
func (s *Store) StartFloatAmount(ctx context.Context, keep cash.Amount, minimum int64) error {
	return s.do(ctx, NeedReady, func(c *Core) error {
		if err := CheckFloatAmount(&c.pic, keep, minimum); err != nil {
			return err
		}
		return c.commit(cash.OpFloat,
			ssp.FloatAmount(c.pic.Protocol, uint16(minimum), uint32(keep.Value), string(keep.Currency), true))
	})
}

// CheckFloatAmount refuses what FLOAT AMOUNT cannot carry: a currency that is not in the dataset, an amount that is not
// 0…2³²−1 or a minimum that is not 0…65535 minor units. cash.ErrInvalid.
func CheckFloatAmount(s *Snapshot, keep cash.Amount, minimum int64) error {
	switch {
	case !s.hasCurrency(keep.Currency), keep.Value < 0, keep.Value > math.MaxUint32:
		return fmt.Errorf("%w: float to %s", cash.ErrInvalid, keep)
	case minimum < 0, minimum > math.MaxUint16:
		return fmt.Errorf("%w: minimum payout of %d, want 0 to %d minor units", cash.ErrInvalid, minimum, math.MaxUint16)
	}
	return nil
}

func (s *Snapshot) hasCurrency(cur cash.Currency) bool {
	for _, ch := range s.Channels {
		if ch.Denom.Currency == cur {
			return true
		}
	}
	return false
}

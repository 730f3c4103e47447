package note

import (
	"context"
	"fmt"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

var (
	_ devices.PiecePayer    = (*FloatDevice)(nil)
	_ devices.AmountFloater = (*FloatDevice)(nil)
)

// pieces plans a payout of given notes.
func (f *floatDriver) pieces(want cash.Counts) (*plan, error) {
	if err := devices.CheckPieces(f.core.Picture(), want); err != nil {
		return nil, err
	}
	return &plan{kind: cash.OpDispense, cmd: ssp.CmdPayoutNote, pieces: want.Clone()}, nil
}

// TestPieces implements devices.PiecePayer: the notes on top must be those of want, in any order.
func (v *FloatDevice) TestPieces(ctx context.Context, want cash.Counts) error {
	return v.do(ctx, devices.NeedReady, func(f *floatDriver) error {
		p, err := f.pieces(want)
		if err != nil {
			return err
		}
		return f.start(p, true)
	})
}

// StartPieces implements devices.PiecePayer with one PAYOUT NOTE after the other. cash.ErrNotExact, with nothing moved,
// where the notes on top are others.
func (v *FloatDevice) StartPieces(ctx context.Context, want cash.Counts) error {
	return v.do(ctx, devices.NeedReady, func(f *floatDriver) error {
		p, err := f.pieces(want)
		if err != nil {
			return err
		}
		return f.start(p, false)
	})
}

// StartFloatAmount implements devices.AmountFloater with one STACK NOTE after the other. cash.ErrNotExact, with nothing
// moved, where no pile of the lowest notes is worth keep, or the note then on top is worth more than minimum.
func (v *FloatDevice) StartFloatAmount(ctx context.Context, keep cash.Amount, minimum int64) error {
	return v.do(ctx, devices.NeedReady, func(f *floatDriver) error {
		if err := devices.CheckFloatAmount(f.core.Picture(), keep, minimum); err != nil {
			return err
		}
		notes, err := f.notes()
		if err != nil {
			return floatRefusal(err)
		}
		n, err := bottomWorth(notes, keep.Value)
		if err != nil {
			return err
		}
		if n > 0 && minimum > 0 && notes[n-1].Value > minimum {
			return fmt.Errorf("%w: the note on top would be %s", cash.ErrNotExact, notes[n-1])
		}
		left := cash.Counts{}
		for _, d := range notes[:n] {
			left[d]++
		}
		return f.start(&plan{kind: cash.OpFloat, cmd: ssp.CmdStackNote, keep: left}, false)
	})
}

// bottomWorth returns how many of the lowest notes of a pile, the lowest being the first, are worth exactly keep.
func bottomWorth(notes []cash.Denom, keep int64) (n int, err error) {
	sum := int64(0)
	for ; n < len(notes) && sum < keep; n++ {
		sum += notes[n].Value
	}
	switch {
	case sum < keep:
		return 0, cash.ErrNotEnough
	case sum > keep:
		return 0, fmt.Errorf("%w: the lowest notes of the float do not add up to it", cash.ErrNotExact)
	}
	return n, nil
}

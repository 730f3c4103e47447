package note

import (
	"context"
	"errors"
	"fmt"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// plan is a payout or a float that is made of several commands on the top note. It is planned anew before every step,
// from what the machine says is in the float then.
type plan struct {
	kind   cash.OpKind
	cmd    ssp.Command
	left   int64       // minor units still to be moved
	pieces cash.Counts // to be paid, if given pieces are; what is left of them
	keep   cash.Counts // by a float
	note   cash.Denom  // that the last command was about
	due    bool        // the next command is to be given
	halted bool
}

// Ended implements devices.Steps. A machine that has moved another note than the one on top is not told to go on.
func (p *plan) Ended(step cash.OpResult, moved cash.Amount) cash.OpResult {
	p.left -= moved.Value
	if p.pieces != nil && moved.Value == p.note.Value {
		p.pieces = p.pieces.Minus(cash.Counts{p.note: 1})
	}
	switch {
	case step != cash.OpDone:
		return step
	case p.left == 0:
		return cash.OpDone
	case moved.Value != p.note.Value:
		return cash.OpErrored
	case p.halted:
		return cash.OpHalted
	}
	p.due = true
	return ""
}

// count returns how many of the top notes are still to be moved. Errors: cash.ErrNotEnough, ErrNotExact.
func (p *plan) count(notes []cash.Denom) (int, error) {
	switch {
	case p.pieces != nil:
		return topPieces(notes, p.pieces)
	case p.kind == cash.OpDispense:
		return topWorth(notes, p.left)
	}
	return topBeside(notes, p.keep)
}

// topPieces returns how many of the top notes are the given pieces, in any order.
func topPieces(notes []cash.Denom, want cash.Counts) (int, error) {
	all := cash.Counts{}
	for _, n := range notes {
		all[n]++
	}
	for d, n := range want {
		if all[d] < n {
			return 0, fmt.Errorf("%w: there are %d of %s", cash.ErrNotEnough, all[d], d)
		}
	}
	n, top := want.Pieces(), cash.Counts{}
	for _, d := range notes[len(notes)-n:] {
		top[d]++
	}
	if len(top.Minus(want)) > 0 {
		return 0, fmt.Errorf("%w: the notes on top of the float are others", cash.ErrNotExact)
	}
	return n, nil
}

// topWorth returns how many of the top notes are worth exactly want (minor units), the top being the last.
func topWorth(notes []cash.Denom, want int64) (int, error) {
	n, sum, total := 0, int64(0), int64(0)
	for i := len(notes) - 1; i >= 0; i-- {
		total += notes[i].Value
		if total <= want {
			n, sum = n+1, total
		}
	}
	switch {
	case sum == want:
		return n, nil
	case total < want:
		return 0, cash.ErrNotEnough
	}
	return 0, fmt.Errorf("%w: the notes on top of the float do not add up to it", cash.ErrNotExact)
}

// topBeside returns how many of the top notes have to go so that keep is left, what is not in keep being none.
func topBeside(notes []cash.Denom, keep cash.Counts) (int, error) {
	levels := cash.Counts{}
	for _, n := range notes {
		levels[n]++
	}
	for d, k := range keep {
		if levels[d] < k {
			return 0, fmt.Errorf("%w: there are %d of %s to keep", cash.ErrNotEnough, levels[d], d)
		}
	}
	for n := 0; ; n++ {
		if len(levels.Minus(keep)) == 0 {
			return n, nil
		}
		if n == len(notes) || levels[notes[len(notes)-1-n]] == keep[notes[len(notes)-1-n]] {
			return 0, fmt.Errorf("%w: a note to be kept lies on one that is not", cash.ErrNotExact)
		}
		levels[notes[len(notes)-1-n]]--
	}
}

// start begins an operation on the top notes, or with test only says whether it could. Nothing moves unless all of it
// can.
func (f *floatDriver) start(p *plan, test bool) error {
	switch {
	case f.core.Picture().Operation != "":
		return cash.ErrBusy
	case !f.core.Picture().PayoutEnabled:
		return fmt.Errorf("%w: enable the payout first", cash.ErrDisabled)
	}
	notes, err := f.notes()
	if err != nil {
		return floatRefusal(err)
	}
	n, err := p.count(notes)
	if err != nil || test {
		return err
	}
	if n == 0 {
		if err := f.core.CommitSteps(p.kind, nil, p); err != nil {
			return err
		}
		return f.core.EndSteps(cash.OpDone)
	}
	p.left = 0
	for _, note := range notes[len(notes)-n:] {
		p.left += note.Value
	}
	p.note = notes[len(notes)-1]
	if err := f.core.CommitSteps(p.kind, p.cmd.Data(), p); err != nil {
		return floatRefusal(err)
	}
	f.plan = p
	return nil
}

// goOn gives the next command of the running operation once the machine is free for it.
func (f *floatDriver) goOn() error {
	p := f.plan
	if p != nil && f.core.Picture().Operation == "" {
		f.plan, p = nil, nil
	}
	if p == nil || !p.due || f.Busy() {
		return nil
	}
	if p.halted {
		return f.core.EndSteps(cash.OpHalted)
	}
	notes, err := f.notes()
	if err != nil {
		return f.giveUp(err)
	}
	n, err := p.count(notes)
	switch {
	case err != nil:
		return f.giveUp(err)
	case n == 0:
		return f.core.EndSteps(cash.OpDone)
	}
	_, err = f.core.Tx(p.cmd.Data())
	switch {
	case err == nil:
		p.due, p.note = false, notes[len(notes)-1]
		f.core.PollNow()
		return nil
	case devices.Refused(err) && errors.Is(floatRefusal(err), cash.ErrBusy):
		return nil // again after the next answer, until the operation counts as lost
	}
	return f.giveUp(err)
}

// giveUp ends an operation whose next step cannot be given, unless the connection is lost: then it ends with that.
func (f *floatDriver) giveUp(why error) error {
	if errors.Is(why, cash.ErrNotConnected) {
		return why
	}
	f.core.Log.WithError(why).Warn("the float does not go on; the operation ends with what was moved")
	return f.core.EndSteps(cash.OpErrored)
}

// FloatDevice is a validator with a note float as callers see it.
type FloatDevice struct {
	*Device
	float *floatDriver
}

var (
	_ devices.Payer     = (*FloatDevice)(nil)
	_ devices.Floater   = (*FloatDevice)(nil)
	_ devices.Emptier   = (*FloatDevice)(nil)
	_ devices.Router    = (*FloatDevice)(nil)
	_ devices.NoteFloat = (*FloatDevice)(nil)
)

func (v *FloatDevice) do(ctx context.Context, need devices.Need, work func(f *floatDriver) error) error {
	return v.Device.do(ctx, need, func(*driver) error { return work(v.float) })
}

// payout plans a payout of want.
func (f *floatDriver) payout(want cash.Amount) (*plan, error) {
	for _, ch := range f.core.Picture().Channels {
		if want.Value > 0 && ch.Denom.Currency == want.Currency {
			return &plan{kind: cash.OpDispense, cmd: ssp.CmdPayoutNote, left: want.Value}, nil
		}
	}
	return nil, fmt.Errorf("%w: payout of %s", cash.ErrInvalid, want)
}

// TestPayout implements devices.Payer: the notes on top must add up to want.
func (v *FloatDevice) TestPayout(ctx context.Context, want cash.Amount) error {
	return v.do(ctx, devices.NeedReady, func(f *floatDriver) error {
		p, err := f.payout(want)
		if err != nil {
			return err
		}
		return f.start(p, true)
	})
}

// StartPayout implements devices.Payer with one PAYOUT NOTE after the other. cash.ErrNotExact, with nothing moved, where
// the notes on top do not add up to want.
func (v *FloatDevice) StartPayout(ctx context.Context, want cash.Amount) error {
	return v.do(ctx, devices.NeedReady, func(f *floatDriver) error {
		p, err := f.payout(want)
		if err != nil {
			return err
		}
		return f.start(p, false)
	})
}

// Halt implements devices.Payer: no further note follows the one that is under way. Emptying cannot be halted:
// cash.ErrUnsupported.
func (v *FloatDevice) Halt(ctx context.Context) error {
	return v.do(ctx, devices.NeedAnswer, func(f *floatDriver) error {
		switch {
		case f.core.Picture().Operation == "":
			return cash.ErrNothing
		case f.plan == nil:
			return cash.ErrUnsupported
		}
		f.plan.halted = true
		return nil
	})
}

// StartFloat implements devices.Floater with one STACK NOTE after the other. cash.ErrNotExact, with nothing moved, where
// a note to be kept lies on one that is not.
func (v *FloatDevice) StartFloat(ctx context.Context, keep cash.Counts) error {
	return v.do(ctx, devices.NeedReady, func(f *floatDriver) error {
		for d, n := range keep {
			if _, ok := f.core.Picture().Channel(d); !ok || n < 0 {
				return fmt.Errorf("%w: %d pieces of %s", cash.ErrInvalid, n, d)
			}
		}
		return f.start(&plan{kind: cash.OpFloat, cmd: ssp.CmdStackNote, keep: keep.Clone()}, false)
	})
}

// SetRoute implements devices.Router. The denomination that was recycled before goes to the cashbox from then on; what
// is in the float stays there.
func (v *FloatDevice) SetRoute(ctx context.Context, d cash.Denom, toPayout bool) error {
	return v.do(ctx, devices.NeedReady, func(f *floatDriver) error {
		var before []cash.Denom
		if _, known := f.core.Picture().Channel(d); known && toPayout {
			for _, ch := range f.core.Picture().Channels {
				if ch.ToPayout && ch.Denom != d {
					before = append(before, ch.Denom)
				}
			}
		}
		for _, o := range before {
			if err := f.core.ChangeRoute(o, false); err != nil {
				return err
			}
		}
		return f.core.ChangeRoute(d, toPayout)
	})
}

// Notes implements devices.NoteFloat.
func (v *FloatDevice) Notes(ctx context.Context) (notes []cash.Denom, err error) {
	err = v.do(ctx, devices.NeedAnswer, func(f *floatDriver) error {
		notes, err = f.notes()
		return err
	})
	return notes, err
}

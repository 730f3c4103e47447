package note

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Most of a multi escrow is the project's own coding (ssp.md section 16.3): without Core.Extended nothing of it is sent.

// maxEscrow is how many notes a machine can hold at most.
const maxEscrow = 20

// decidePause is the pause before a machine that could not give back what it holds is asked again.
const decidePause = 500 * time.Millisecond

// several follows the notes that the machine holds in its store until its host decides on all of them. The ledger has
// them in escrow.
type several struct {
	notes    []cash.Denom         // as they came in
	step     cash.MultiEscrowStep // committing or cancelling while that is under way, else ""
	shown    bool                 // the last answer showed that the machine holds something
	commit   bool                 // while the machine is drained: it was about to take what it holds
	giveBack bool                 // as soon as the machine can
	retry    time.Time            // when it may be asked to
}

// waits says whether anything is held.
func (s *several) waits() bool { return len(s.notes) > 0 || s.shown }

// busy says whether anything is held or being decided on.
func (s *several) busy() bool { return s.waits() || s.step != "" }

// take takes a note off the list; false if it is not there.
func (s *several) take(note cash.Denom) bool {
	i := slices.Index(s.notes, note)
	if i >= 0 {
		s.notes = slices.Delete(s.notes, i, i+1)
	}
	return i >= 0
}

// Waiting implements devices.Waiter.
func (d *driver) Waiting() bool { return d.several.waits() && d.several.step == "" }

// escrowSize brings the machine's size and ours together: the first time the machine's own is read, later ours is sent.
func (d *driver) escrowSize() error {
	if !d.core.Extended() {
		return nil
	}
	rest, ok, err := d.core.Try(ssp.CmdGetEscrowSize.Data())
	if err != nil || !ok || len(rest) != 1 {
		return err
	}
	size := int(rest[0])
	if want := d.core.Set.EscrowSize; want != nil && *want > 0 && *want != size {
		_, ok, err := d.core.Try(ssp.SetEscrowSize(byte(*want)))
		if err != nil {
			return err
		}
		if ok {
			size = *want
		}
	}
	d.setEscrowSize(size)
	return nil
}

func (d *driver) setEscrowSize(size int) {
	d.core.Set.EscrowSize = &size
	d.core.Edit(func(s *devices.Snapshot) { s.MultiEscrowSize = size })
}

// holdsSeveral says whether a note that comes in is held in the store.
func (d *driver) holdsSeveral() bool { return d.core.Picture().MultiEscrowSize > 0 }

// kept is called when the note that was recognised has arrived in the store, and is still the customer's.
func (d *driver) kept() []cash.Event {
	d.several.notes = append(d.several.notes, d.leave())
	d.several.shown = true
	d.showSeveral()
	return nil
}

// showSeveral puts the held notes into the picture.
func (d *driver) showSeveral() {
	held := cash.Counts{}
	for _, n := range d.several.notes {
		held[n]++
	}
	d.core.Edit(func(s *devices.Snapshot) { s.MultiHeld = held })
}

// committed is called for a CREDIT of a note that was held in the store: it lies where it is to be.
func (d *driver) committed(note cash.Denom) []cash.Event {
	events := d.deciding(cash.EscrowCommitting, d.none())
	d.several.take(note)
	d.showSeveral()
	d.stored(note)
	return append(events, cash.NoteCredited{Note: note, To: cash.Payout}, cash.NotePlaced{Note: note, To: cash.Payout})
}

// isCommitted says whether a CREDIT is of a note that was held in the store.
func (d *driver) isCommitted(note cash.Denom) bool {
	return d.several.step == cash.EscrowCommitting || slices.Contains(d.several.notes, note)
}

// none is no money, in the machine's currency.
func (d *driver) none() cash.Amount { return cash.Amount{Currency: d.core.Identity().Currency} }

// deciding tells once that a decision is under way.
func (d *driver) deciding(step cash.MultiEscrowStep, amount cash.Amount) []cash.Event {
	if d.several.step == step {
		return nil
	}
	d.several.step = step
	return []cash.Event{cash.MultiEscrow{Step: step, Amount: amount}}
}

// takeSeveral translates the events of a multi escrow; false for others.
func (d *driver) takeSeveral(e ssp.Event) ([]cash.Event, bool, error) {
	total := d.core.Amount(e)
	switch e.Code {
	case ssp.EvEscrowCommitting:
		return d.deciding(cash.EscrowCommitting, d.none()), true, nil
	case ssp.EvEscrowCancelling:
		return d.deciding(cash.EscrowCancelling, d.none()), true, nil
	case ssp.EvEscrowCommitted:
		events := d.deciding(cash.EscrowCommitting, d.none())
		d.decided("committed, and not all of it credited")
		return append(events, cash.MultiEscrow{Step: cash.EscrowCommitted, Amount: total}), true, nil
	case ssp.EvEscrowCancelled:
		events, err := d.cancelled(total)
		return events, true, err
	case ssp.EvIncompleteCommit, ssp.EvIncompleteCancel:
		return d.cutShort(e), true, nil
	}
	return nil, false, nil
}

// decided ends a decision. What is still on the list then, nobody has told of: the books are compared.
func (d *driver) decided(why string) {
	if len(d.several.notes) > 0 {
		d.core.Log.Warnf("multi escrow: %s; the books are compared", why)
		d.core.AuditSoon()
	}
	d.several = several{}
	d.showSeveral()
}

// cancelled is the end of a cancellation: all that was held is back with the customer.
func (d *driver) cancelled(total cash.Amount) ([]cash.Event, error) {
	events := d.deciding(cash.EscrowCancelling, d.none())
	code, err := d.lastReject()
	if err != nil && !devices.Refused(err) {
		return nil, err
	}
	sum := int64(0)
	for _, n := range d.several.notes {
		sum += n.Value
	}
	if sum == total.Value {
		for _, n := range d.several.notes {
			events = append(events, cash.NoteReturned{Note: n, Code: code})
		}
		d.several.notes = nil
	}
	d.decided("cancelled, and another sum given back than was held")
	return append(events, cash.MultiEscrow{Step: cash.EscrowCancelled, Amount: total}), nil
}

// cutShort is what a machine says after a power cut in the middle of a decision.
func (d *driver) cutShort(e ssp.Event) []cash.Event {
	step := cash.EscrowCancelIncomplete
	if d.several.commit = e.Code == ssp.EvIncompleteCommit; d.several.commit {
		step = cash.EscrowCommitIncomplete
	}
	return []cash.Event{cash.MultiEscrow{Step: step, Amount: d.core.Amount(e)}}
}

// severalEvidence is takeSeveral while the machine is drained: the books tell what became of each note.
func (d *driver) severalEvidence(e ssp.Event) ([]cash.Event, bool) {
	total := d.core.Amount(e)
	switch e.Code {
	case ssp.EvEscrowCommitting:
		d.several.step = cash.EscrowCommitting
	case ssp.EvEscrowCancelling:
		d.several.step = cash.EscrowCancelling
	case ssp.EvEscrowCommitted:
		d.several = several{}
		return []cash.Event{cash.MultiEscrow{Step: cash.EscrowCommitted, Amount: total}}, true
	case ssp.EvEscrowCancelled:
		d.several = several{}
		return []cash.Event{cash.MultiEscrow{Step: cash.EscrowCancelled, Amount: total}}, true
	case ssp.EvIncompleteCommit, ssp.EvIncompleteCancel:
		return d.cutShort(e), true
	default:
		return nil, false
	}
	return nil, true
}

// watchSeveral compares what the machine shows with what is believed of it, and gives back what is to go back. While
// the machine is drained that is all it holds, unless it was about to take it when its power was cut.
func (d *driver) watchSeveral(answer []ssp.Event, draining bool) error {
	has := func(code ssp.EventCode) bool {
		return slices.ContainsFunc(answer, func(e ssp.Event) bool { return e.Code == code })
	}
	s := &d.several
	s.shown = d.core.Extended() && has(ssp.EvEscrowActive)
	deciding := has(ssp.EvEscrowCommitting) || has(ssp.EvEscrowCancelling)
	if deciding {
		s.retry = time.Now().Add(vanished)
	}
	if !deciding && s.step != "" && time.Now().After(s.retry) {
		s.step = "" // it was never begun, or its end was lost
	}
	if !s.shown && !deciding && s.step == "" && len(s.notes) > 0 {
		d.decided("the machine no longer holds what it held")
	}
	if !s.shown || deciding || has(ssp.EvInitialising) || !draining && !s.giveBack || time.Now().Before(s.retry) {
		return nil
	}
	cmd := ssp.CmdCancelEscrow
	if s.commit {
		cmd = ssp.CmdCommitEscrow
	}
	s.retry = time.Now().Add(decidePause)
	_, _, err := d.core.Try(cmd.Data())
	return err
}

// decide sends a decision on all that is held.
func (v *Device) decide(ctx context.Context, cmd ssp.Command, step cash.MultiEscrowStep) error {
	return v.doOurs(ctx, devices.NeedReady, func(d *driver) error {
		if d.several.step != "" {
			return cash.ErrBusy
		}
		_, err := d.core.Tx(cmd.Data())
		var r *ssp.StatusError
		switch {
		case err == nil:
			d.several.retry = time.Now().Add(vanished)
			d.core.Tell(d.deciding(step, d.none())...)
			d.core.PollNow()
			return nil
		case errors.As(err, &r) && r.Reply == ssp.CannotProcess && len(r.Detail) == 0:
			return cash.ErrNothing
		case devices.MaybeSent(err):
			return fmt.Errorf("%w: no answer to %v: %w", cash.ErrOutcomeUnknown, cmd, err)
		}
		return devices.Refusal(err)
	})
}

// CommitMultiEscrow implements devices.MultiEscrow.
func (v *Device) CommitMultiEscrow(ctx context.Context) error {
	return v.decide(ctx, ssp.CmdCommitEscrow, cash.EscrowCommitting)
}

// CancelMultiEscrow implements devices.MultiEscrow.
func (v *Device) CancelMultiEscrow(ctx context.Context) error {
	return v.decide(ctx, ssp.CmdCancelEscrow, cash.EscrowCancelling)
}

// MultiEscrowSize implements devices.MultiEscrow.
func (v *Device) MultiEscrowSize(ctx context.Context) (size int, err error) {
	err = v.doOurs(ctx, devices.NeedAnswer, func(d *driver) error {
		rest, err := d.core.Tx(ssp.CmdGetEscrowSize.Data())
		if err != nil {
			return devices.Refusal(err)
		}
		if len(rest) != 1 {
			return fmt.Errorf("%w: escrow size % X", devices.ErrUnreadable, rest)
		}
		size = int(rest[0])
		return nil
	})
	return size, err
}

// SetMultiEscrowSize implements devices.MultiEscrow. No command turns a multi escrow off: for 0 the machine is restarted,
// which forgets the size.
func (v *Device) SetMultiEscrowSize(ctx context.Context, size int) error {
	restart := false
	err := v.doOurs(ctx, devices.NeedReady, func(d *driver) error {
		switch {
		case size < 0 || size > maxEscrow:
			return fmt.Errorf("%w: escrow size %d, 0 to %d", cash.ErrInvalid, size, maxEscrow)
		case d.Busy():
			return fmt.Errorf("%w: a note is held or on its way in", cash.ErrBusy)
		case size == 0:
			if _, err := d.core.Tx(ssp.CmdGetEscrowSize.Data()); err != nil {
				return devices.Refusal(err)
			}
			restart = d.holdsSeveral()
			d.setEscrowSize(0)
			return nil
		}
		if _, err := d.core.Tx(ssp.SetEscrowSize(byte(size))); err != nil {
			return devices.Refusal(err)
		}
		d.setEscrowSize(size)
		return nil
	})
	if err == nil && restart {
		return v.Reset(ctx)
	}
	return err
}

// MultiEscrowValue implements devices.MultiEscrow.
func (v *Device) MultiEscrowValue(ctx context.Context) (held cash.Amount, err error) {
	err = v.doOurs(ctx, devices.NeedAnswer, func(d *driver) error {
		rest, err := d.core.Tx(ssp.CmdReadEscrowValue.Data())
		if err != nil {
			return devices.Refusal(err)
		}
		value, currency, err := ssp.ParseMoney(rest)
		if err != nil {
			return fmt.Errorf("%w: escrow value % X", devices.ErrUnreadable, rest)
		}
		held = cash.Amount{Value: int64(value), Currency: cash.Currency(currency)}
		return nil
	})
	return held, err
}

// doOurs is do for what is known in bytes of our own only.
func (v *Device) doOurs(ctx context.Context, need devices.Need, work func(d *driver) error) error {
	return v.do(ctx, need, func(d *driver) error {
		if !d.core.Extended() {
			return cash.ErrUnsupported
		}
		return work(d)
	})
}

var (
	_ devices.MultiEscrow = (*Device)(nil)
	_ devices.Waiter      = (*driver)(nil)
)

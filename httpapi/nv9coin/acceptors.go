package nv9coin

import (
	"context"
	"errors"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
)

// escrowLimit is how long a note may take from escrow to the cashbox, or back to the customer.
const escrowLimit = 30 * time.Second

// enable: POST Enable. Notes go to escrow from now on, whatever another client of the reader has set.
func (c *call) enable(ctx context.Context, _ any) (any, error) {
	notes, n := c.api.machine(c.api.Notes)
	coins, m := c.api.machine(c.api.Coins)
	if n == nil || m == nil || !n.Connected || !m.Connected {
		return nil, errEnable.because(cash.ErrNotConnected)
	}
	err := c.toEscrow(ctx, notes)
	if err == nil {
		err = c.api.Till.Enable(ctx, c.by(""), notes)
	}
	if err != nil {
		return nil, orBusy(err, errEnable)
	}
	if err := c.api.Till.Enable(ctx, c.by(""), coins); err != nil {
		if !n.AcceptorEnabled { // both or none
			if undo := c.api.Till.Disable(ctx, c.by(""), notes); undo != nil {
				err = errors.Join(err, undo)
			}
		}
		return nil, orBusy(err, errEnable)
	}
	return nil, nil
}

// toEscrow has the reader hold every note until it is told what to do with it.
func (c *call) toEscrow(ctx context.Context, notes devices.Device) error {
	e, ok := notes.(devices.Escrow)
	if !ok {
		return cash.ErrUnsupported
	}
	return c.api.Till.Do(ctx, c.by(""), notes, "set auto-accept", func(ctx context.Context) error { return e.SetAutoAccept(ctx, false) })
}

// disable: POST Disable. A note in escrow stays there. What is connected is disabled also where the other is not, and
// what is away, for which the paper has a refusal, is off when it is back.
func (c *call) disable(ctx context.Context, _ any) (any, error) {
	var failed error
	for _, id := range []string{c.api.Notes, c.api.Coins} {
		d, _ := c.api.machine(id)
		if d == nil {
			failed = errors.Join(failed, cash.ErrNotConnected)
			continue
		}
		failed = errors.Join(failed, c.api.Till.Disable(ctx, c.by(""), d))
	}
	if failed != nil {
		return nil, orBusy(failed, errDisable)
	}
	return nil, nil
}

// orBusy leaves it to the caller to say busy, and words everything else as e.
func orBusy(err error, e *refusal) error {
	if !errors.Is(err, cash.ErrNotConnected) && (errors.Is(err, cash.ErrBusy) || errors.Is(err, cash.ErrClaimed)) {
		return err
	}
	return e.because(err)
}

// stackEscrow: POST StackEscrow. It answers when the note is in the cashbox.
func (c *call) stackEscrow(ctx context.Context, _ any) (any, error) {
	return c.decide(ctx, c.api.Till.AcceptEscrow, func(e cash.Event) verdict {
		switch e.(type) {
		case cash.NoteCredited:
			return credited
		case cash.NotePlaced:
			return arrived
		case cash.NoteReturned, cash.NoteRejected:
			return lost
		}
		return open
	})
}

// returnEscrow: POST ReturnEscrow. It answers when the note is back with the customer.
func (c *call) returnEscrow(ctx context.Context, _ any) (any, error) {
	return c.decide(ctx, c.api.Till.ReturnEscrow, func(e cash.Event) verdict {
		switch e.(type) {
		case cash.NoteReturned:
			return arrived
		case cash.NoteCredited:
			return lost
		}
		return open
	})
}

// verdict is what an event says of a note that was told to go somewhere.
type verdict int

const (
	open     verdict = iota
	credited         // it is ours, and still on its way to the cashbox
	arrived
	lost // it went elsewhere
)

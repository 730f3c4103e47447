package devices

import (
	"context"
	"fmt"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// awayQuiet is how many quiet answers in a row let a device leave its line.
const awayQuiet = 3

// leave is the wish that a device leaves its line alone for a while.
type leave struct {
	why    string
	over   <-chan struct{} // closed when it may come back
	answer chan error      // room for one: nil once it has left
	quiet  int
}

// awayError ends the connection of a device that leaves its line.
type awayError struct{ *leave }

func (e awayError) Error() string { return e.why }
func (e awayError) Unwrap() error { return cash.ErrNotConnected }

// sendAway has the device leave its line until over is closed: its acceptor is off, nothing moves, nothing waits to be
// acknowledged, and calls answer cash.ErrNotConnected. A device that is not connected is away in any case.
//
// Errors: cash.ErrBusy while an operation runs or a piece is inside; cash.ErrJam; cash.ErrNotConnected if it was lost
// meanwhile. After an error it stays where it is.
func (b *Base) sendAway(ctx context.Context, why string, over <-chan struct{}) error {
	l := &leave{why: why, over: over, answer: make(chan error, 1)}
	if err := b.do(ctx, NeedReady, nil, func(c *Core) error { return c.startLeave(l) }); err != nil {
		return err
	}
	select {
	case err := <-l.answer:
		return err
	case <-b.done:
		return cash.ErrNotConnected
	}
}

// startLeave closes the way in; the polls that follow show whether anything is inside.
func (c *Core) startLeave(l *leave) error {
	switch {
	case c.ledger != nil:
		return c.ledger
	case c.pic.Jammed:
		return fmt.Errorf("%w: clear the jam", cash.ErrJam)
	case c.leave != nil, len(c.pic.MultiHeld) > 0, !c.atRest(nil):
		return fmt.Errorf("%w: wait until nothing moves and nothing is held", cash.ErrBusy)
	}
	if err := c.driver.Accept(false); err != nil {
		return refusal(err)
	}
	c.leave = l
	c.PollNow()
	return nil
}

// goOnLeaving lets the device go once enough answers in a row were quiet; one that is not ends the attempt.
func (c *Core) goOnLeaving(answer []ssp.Event) error {
	l := c.leave
	switch {
	case l == nil:
		return nil
	case !c.atRest(answer):
		c.leave = nil
		l.answer <- fmt.Errorf("%w: wait until nothing moves and nothing is held", cash.ErrBusy)
		return c.driver.Accept(c.Set.Acceptor)
	}
	if l.quiet++; l.quiet < awayQuiet {
		c.due = time.Now().Add(drainPoll)
		return nil
	}
	c.leave = nil
	c.lost = awayError{l}
	l.answer <- nil
	return c.lost
}

// notLeft tells who waits for the device to leave that the connection was lost first.
func (c *Core) notLeft(err error) {
	if c.leave != nil {
		c.leave.answer <- fmt.Errorf("%w: %w", cash.ErrNotConnected, err)
		c.leave = nil
	}
}

// stayAway refuses calls until the device may come back. It returns false when ctx ends.
func (c *Core) stayAway(ctx context.Context, l *leave) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-l.over:
			return true
		case k := <-c.base.calls:
			k.refuse(c.pic.refuse(NeedAnswer))
		}
	}
}

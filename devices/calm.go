package devices

import (
	"context"
	"fmt"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// calmQuiet is how many quiet answers in a row make a machine calm.
const calmQuiet = 3

// calm is something to be done with a machine of which nothing moves: its acceptor is off then, and nothing waits to be
// acknowledged.
type calm struct {
	act    func(ctx context.Context) error // on the device's goroutine; its error goes to who asked
	answer chan error                      // room for one
	quiet  int
}

// awayError ends the connection of a device that leaves its line.
type awayError struct {
	why  string
	over <-chan struct{} // closed when it may come back
}

func (e awayError) Error() string { return e.why }
func (e awayError) Unwrap() error { return cash.ErrNotConnected }

// sendAway has the device leave its line until over is closed: its acceptor is off, nothing moves, nothing waits to be
// acknowledged, and calls answer cash.ErrNotConnected. A device that is not connected is away in any case. Errors as for
// whenCalm; with one of may it stays.
func (b *Base) sendAway(ctx context.Context, why string, over <-chan struct{}, may func(*Core) error) error {
	return b.whenCalm(ctx, func(c *Core, _ context.Context) error {
		if err := may(c); err != nil {
			return err
		}
		c.lost = awayError{why, over}
		return nil
	})
}

// whenCalm turns the acceptor off, waits until nothing moves, carries out work, and turns the acceptor on again where it
// was.
//
// Errors: cash.ErrBusy while an operation runs or a piece is inside; cash.ErrJam; cash.ErrNotConnected if it was lost
// meanwhile; what work returns.
func (b *Base) whenCalm(ctx context.Context, work func(c *Core, ctx context.Context) error) error {
	l := &calm{answer: make(chan error, 1)}
	err := b.do(ctx, NeedReady, nil, func(c *Core) error {
		l.act = func(ctx context.Context) error { return work(c, ctx) }
		return c.startCalm(l)
	})
	if err != nil {
		return err
	}
	select {
	case err := <-l.answer:
		return err
	case <-b.done:
		return cash.ErrNotConnected
	}
}

// startCalm closes the way in; the polls that follow show whether anything is inside.
func (c *Core) startCalm(l *calm) error {
	switch {
	case c.ledger != nil:
		return c.ledger
	case c.pic.Jammed:
		return fmt.Errorf("%w: clear the jam", cash.ErrJam)
	case c.calm != nil, len(c.pic.MultiHeld) > 0, !c.atRest(nil):
		return fmt.Errorf("%w: wait until nothing moves and nothing is held", cash.ErrBusy)
	}
	if err := c.driver.Accept(false); err != nil {
		return refusal(err)
	}
	c.calm = l
	c.PollNow()
	return nil
}

// calmDown lets the work be done once enough answers in a row were quiet; one that is not ends the attempt.
func (c *Core) calmDown(ctx context.Context, answer []ssp.Event) error {
	l := c.calm
	if l == nil {
		return nil
	}
	err := fmt.Errorf("%w: wait until nothing moves and nothing is held", cash.ErrBusy)
	if c.atRest(answer) {
		if l.quiet++; l.quiet < calmQuiet {
			c.due = time.Now().Add(drainPoll)
			return nil
		}
		err = l.act(ctx)
	}
	c.calm = nil
	var restored error
	if c.lost == nil {
		restored = c.driver.Accept(c.Set.Acceptor)
	} else { // whoever has the answer waits for the machine to come back, and does not find it as it was
		c.Edit(func(s *Snapshot) { s.Connected, s.Ready, s.Error = false, false, reason(c.lost) })
	}
	c.show()
	l.answer <- err
	if c.lost != nil {
		return c.lost
	}
	return restored
}

// notCalm tells who waits for a calm machine that the connection was lost first.
func (c *Core) notCalm(err error) {
	if c.calm != nil {
		c.calm.answer <- fmt.Errorf("%w: %w", cash.ErrNotConnected, err)
		c.calm = nil
	}
}

// stayAway refuses calls until the device may come back. It returns false when ctx ends.
func (c *Core) stayAway(ctx context.Context, over <-chan struct{}) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-over:
			return true
		case k := <-c.base.calls:
			k.refuse(c.pic.refuse(NeedAnswer))
		}
	}
}

package devices

import (
	"fmt"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// Steps is an operation that a driver makes of several commands, since its machine moves one piece a command. For
// everybody else it is one operation: each step is told as progress, and its end once.
//
// The driver gives the next command in its After, when the step before is on disk and acknowledged. A connection that
// is lost between two steps ends the operation: what it has moved is found by levels and counters, and nobody goes on.
type Steps interface {
	// Ended is told how the machine has ended a step, and what it says was moved in it. It says how the operation has
	// ended with it, "" while another step is to follow.
	Ended(step cash.OpResult, moved cash.Amount) cash.OpResult
}

// Leveller is a Driver that reads what is in its machine's store in a way of its own, instead of GET ALL LEVELS.
type Leveller interface {
	Levels() (cash.Counts, error)
}

// Grower is a Driver that tells by the levels which pieces have come in.
type Grower interface {
	// Grown is told of every growth that a reading of the levels shows, whoever it is for, while no operation runs.
	Grown(pieces cash.Counts)
}

// CommitSteps sends the first command of an operation made of steps; no command at all begins one that has nothing to
// move, which EndSteps then ends. Errors as for Payer.StartPayout; a refusal is the machine's *ssp.StatusError.
func (c *Core) CommitSteps(kind cash.OpKind, cmd []byte, s Steps) error {
	if err := c.free(); err != nil {
		return err
	}
	levels, err := c.ReadLevels()
	if err != nil {
		return err
	}
	if len(cmd) > 0 {
		_, err = c.Tx(cmd)
	}
	switch {
	case err == nil:
		c.begin(kind, levels)
		c.op.steps = s
		c.PollNow()
		return nil
	case c.lost != nil && maybeSent(err):
		c.begin(kind, levels)
		return fmt.Errorf("%w: no answer to %v: %w", cash.ErrOutcomeUnknown, ssp.Command(cmd[0]), err)
	}
	return err
}

// free says why no operation can begin now: cash.ErrBusy. Tests of a payout ask it too, so that they are refused what its
// start would be.
func (c *Core) free() error {
	switch {
	case c.op.running:
		return cash.ErrBusy
	case c.driver.Busy():
		return fmt.Errorf("%w: money waits or is on its way in", cash.ErrBusy)
	}
	return nil
}

// Stepping says whether an operation of this kind, made of steps, is running.
func (c *Core) Stepping(kind cash.OpKind) bool {
	return c.op.running && c.op.steps != nil && c.op.kind == kind
}

// StepEnded takes an event of the family's own that ends a step of the running operation well.
func (c *Core) StepEnded(e ssp.Event) ([]cash.Event, error) {
	return c.ended(c.op.kind, cash.OpDone, e)
}

// stepped is the end of a step behind which another follows.
func (c *Core) stepped(moved cash.Amount) ([]cash.Event, error) {
	c.op.done += moved.Value
	c.op.seen = time.Now()
	return c.advanced(cash.Amount{Value: c.op.done, Currency: moved.Currency})
}

// EndSteps ends the running operation between two steps; what they moved stands. The end is told with the next poll.
func (c *Core) EndSteps(result cash.OpResult) error {
	acc, err := c.ReadAccount(false)
	if c.lost != nil {
		return c.lost
	}
	if err != nil {
		c.Log.WithError(err).Warn("operation ended, its levels could not be read")
		c.AuditSoon()
	}
	total := cash.Amount{Value: c.op.done, Currency: c.pic.Currency}
	c.pending = append(c.pending, cash.Ended{Op: c.op.kind, Result: result, Total: total, Account: acc})
	c.op = operation{}
	c.Edit(func(s *Snapshot) { s.Operation = "" })
	c.PollNow()
	return nil
}

// stepState is the state of a device while a step may have ended and the next has not begun.
func (c *Core) stepState() (cash.State, bool) {
	switch {
	case !c.op.running || c.op.steps == nil:
		return 0, false
	case c.op.kind == cash.OpDispense:
		return cash.StateDispensing, true
	case c.op.kind == cash.OpFloat:
		return cash.StateFloating, true
	}
	return cash.StateEmptying, true
}

package devices

import (
	"context"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// Polling while a machine is drained.
const (
	drainPoll  = 25 * time.Millisecond // pause between polls
	drainQuiet = 3                     // quiet answers in a row that make a machine count as at rest
	drainLong  = 5 * time.Second       // after which the device counts as tried
)

// drainer polls a machine after a connection until it is at rest, and keeps what it tells as evidence: such an event
// may be one that was booked before the connection was lost.
type drainer struct {
	c     *Core
	began time.Time
	first bool // no answer was read yet, so that SLAVE RESET tells of a restart before this connection
	quiet int
	cut   bool // an operation has ended, or was cut short: its details are asked for
}

// drain brings the machine to rest and has its books reconciled.
func (c *Core) drain(ctx context.Context) error {
	d := &drainer{c: c, first: true, began: time.Now()}
	for {
		if err := d.toRest(ctx); err != nil {
			return err
		}
		acc, err := c.ReadAccount(d.cut)
		if err != nil {
			return err
		}
		// Nothing must have moved while the account was read.
		if quiet, err := d.step(ctx); err != nil {
			return err
		} else if quiet {
			return c.reconcile(ctx, acc)
		}
	}
}

// toRest polls until enough answers in a row were quiet.
func (d *drainer) toRest(ctx context.Context) error {
	d.c.PollNow()
	for d.quiet = 0; d.quiet < drainQuiet; {
		if time.Since(d.began) > drainLong {
			d.c.tried()
		}
		if err := d.c.idle(ctx); err != nil {
			return err
		}
		quiet, err := d.step(ctx)
		if err != nil {
			return err
		}
		if d.quiet++; !quiet {
			d.quiet = 0
		}
	}
	return nil
}

// step polls once: what the answer says is kept, then acknowledged.
func (d *drainer) step(ctx context.Context) (quiet bool, err error) {
	c := d.c
	a, err := c.ask()
	if err != nil {
		return false, err
	}
	c.due = time.Now().Add(min(drainPoll, c.base.cfg.device.poll()))
	if a.refused {
		return false, nil
	}
	if has(a.events, ssp.EvSlaveReset) && !d.first {
		return false, c.restarted(ctx, a)
	}
	if err := d.keep(ctx, a); err != nil {
		return false, err
	}
	d.first = false
	if _, err = c.driver.After(a.events, true); err != nil {
		return false, err
	}
	return !moving(a.events) && !oneShot(a.events) && !c.pic.Jammed && !c.waiting(), nil
}

// keep writes the answer down, shows it, and acknowledges it.
func (d *drainer) keep(ctx context.Context, a answer) error {
	c := d.c
	if err := c.keepEvidence(ctx, a); err != nil {
		return err
	}
	d.cut = d.cut || endsOperation(a.events)
	c.flags(a.events, d.first)
	c.showOperation(a.events)
	for _, s := range Walk(c.rule, c.pic.State, cash.StateStarting, a.events) {
		c.tell(s.State)
	}
	if err := c.takeUnknown(a); err != nil {
		return err
	}
	if err := c.record(ctx); err != nil {
		return err
	}
	return c.acknowledge(a)
}

// endsOperation says whether the answer tells the end of an operation, or what it moved.
func endsOperation(answer []ssp.Event) bool {
	for _, e := range answer {
		switch e.Code {
		case ssp.EvIncompletePayout, ssp.EvIncompleteFloat, ssp.EvDispensed, ssp.EvFloated, ssp.EvSmartEmptied,
			ssp.EvEmptied, ssp.EvHalted, ssp.EvTimeOut, ssp.EvErrorDuringPayout, ssp.EvCashboxPaid, ssp.EvJamRecovery:
			return true
		}
	}
	return false
}

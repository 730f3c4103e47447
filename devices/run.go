package devices

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"coffer/devices/line"
	"coffer/internal/cash"
)

// Pauses between attempts to connect double from the first to the last.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 1500 * time.Millisecond
)

// windDown is how long a device that is to stop waits for what is still moving.
const windDown = 15 * time.Second

// run drives the device until ctx ends.
func (b *Base) run(ctx context.Context) {
	defer close(b.done)
	c := &Core{base: b, peer: b.cfg.peer, Log: b.log, pic: *b.Snapshot()}
	c.tried = sync.OnceFunc(func() { close(b.tried) })
	defer c.tried()
	pause := firstPause
	for {
		err := c.session(ctx)
		if c.pic.Connected {
			pause = firstPause
		}
		c.disconnected(err)
		c.tried()
		if away, ok := errors.AsType[awayError](err); ok {
			if !c.stayAway(ctx, away.over) {
				return
			}
			pause = firstPause
			continue
		}
		if errors.Is(err, errStopped) || !c.rest(ctx, pause) {
			return
		}
		pause = min(2*pause, lastPause)
	}
}

// session is one connection from SYNC to its loss.
func (c *Core) session(ctx context.Context) error {
	if err := c.connect(); err != nil {
		return err
	}
	c.tell(cash.StateConnecting, cash.StateConnected)
	if err := c.record(ctx); err != nil {
		return err
	}
	if err := c.settle(ctx); err != nil {
		return err
	}
	c.tried()
	return c.loop(ctx)
}

// settle takes a machine that was just connected to where its books are right and it does what is wanted of it.
func (c *Core) settle(ctx context.Context) error {
	if err := c.driver.Secure(); err != nil {
		return err
	}
	c.tell(cash.StateStarting)
	if err := c.drain(ctx); err != nil {
		return err
	}
	if err := c.driver.Configure(); err != nil {
		return err
	}
	c.tell(cash.StateStarted)
	if err := c.record(ctx); err != nil { // before anyone who waits for Ready begins to listen
		return err
	}
	if c.base.off.Load() {
		c.Set.Acceptor = false
	}
	if err := c.driver.Accept(c.Set.Acceptor); err != nil {
		return err
	}
	c.Edit(func(s *Snapshot) {
		s.Ready, s.Running, s.Error, s.AcceptorEnabled = true, true, "", c.Set.Acceptor
	})
	c.show()
	c.Log.WithField("serial", c.pic.Serial).Info("ready")
	return nil
}

// disconnected shows the loss of the connection and tells it once.
func (c *Core) disconnected(err error) {
	was := c.pic.State != cash.StateNotConnected
	c.Edit(func(s *Snapshot) {
		s.Connected, s.Ready, s.Running, s.AcceptorEnabled = false, false, false, false
		s.Escrow, s.MultiHeld, s.Operation, s.Error = nil, nil, "", reason(err)
		s.attempts++
	})
	c.notCalm(err)
	if errors.Is(err, errReset) {
		c.tell(cash.StateReset)
	}
	c.tell(cash.StateNotConnected)
	c.show()
	if was && c.id != "" {
		if _, away := errors.AsType[awayError](err); away {
			c.Log.Info(err)
		} else if !errors.Is(err, errStopped) {
			c.Log.WithError(err).Warn("not connected")
			c.logWire("not connected")
		}
		c.tryRecord()
	}
}

// reason is why the device is not connected, for people: whether the last command went out says nothing to them.
func reason(err error) string {
	if err == nil {
		return "no answer"
	}
	return strings.TrimSuffix(err.Error(), " ("+line.ErrMaybeSent.Error()+")")
}

// rest waits between two attempts, and answers calls meanwhile. It returns false when ctx ends.
func (c *Core) rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-t.C:
			return true
		case k := <-c.base.calls:
			k.refuse(c.pic.refuse(NeedAnswer))
		}
	}
}

// serve carries out one call.
func (c *Core) serve(k *call) {
	if !k.state.CompareAndSwap(callWaiting, callTaken) {
		return
	}
	err := c.pic.refuse(k.need)
	switch {
	case err != nil:
	case c.closing && k.need == NeedReady:
		err = cash.ErrBusy
	case k.owner != nil && k.owner != c.driver:
		err = cash.ErrNotConnected
	default:
		err = k.work(c)
		c.show()
	}
	k.err <- err
}

// refuse answers a call that is not carried out.
func (k *call) refuse(err error) {
	if k.state.CompareAndSwap(callWaiting, callTaken) {
		k.err <- err
	}
}

// idle serves calls until the next poll is due. It returns errStopped when ctx ends, and the reason when a call has lost
// the connection.
func (c *Core) idle(ctx context.Context) error {
	t := time.NewTimer(time.Until(c.due))
	defer t.Stop()
	for c.lost == nil {
		if time.Until(c.due) <= 0 {
			select { // calls that already wait go first
			case k := <-c.base.calls:
				c.serve(k)
				continue
			default:
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errStopped
		case <-t.C:
			return nil
		case k := <-c.base.calls:
			c.serve(k)
		}
	}
	return c.lost
}

// loop polls a machine that is ready until the connection is lost, or ctx ends and nothing moves any more.
func (c *Core) loop(ctx context.Context) error {
	c.PollNow()
	c.audit.next = time.Now().Add(c.base.cfg.device.audit())
	for {
		err := c.idle(ctx)
		if errors.Is(err, errStopped) {
			return c.wind(ctx)
		}
		if err != nil {
			return err
		}
		if c.Set.Acceptor && c.base.off.Load() { // it was asked for while an answer was so late that the machine showed as away
			if err := c.accept(false); err != nil {
				return err
			}
		}
		if err := c.turn(ctx); err != nil {
			return err
		}
		if err := c.auditIfDue(ctx); err != nil {
			return err
		}
	}
}

// turn is one poll, or what the driver does in its place.
func (c *Core) turn(ctx context.Context) (err error) {
	if c.hold {
		c.hold, err = c.driver.After(nil, false)
		c.schedule(false)
		if !c.hold {
			c.PollNow()
		}
		c.show()
		if err == nil {
			err = c.calmDown(ctx, nil)
		}
		return err
	}
	answer, err := c.poll(ctx)
	if err != nil {
		return err
	}
	return c.calmDown(ctx, answer)
}

// wind brings a machine to rest: acceptor off, escrow given back, operations ended. Calls that change anything are
// refused meanwhile. It returns errStopped.
func (c *Core) wind(context.Context) error {
	c.closing = true
	ctx, stop := context.WithTimeout(context.Background(), windDown)
	defer stop()
	c.Log.Debug("stopping")
	if err := c.driver.Refused(); err != nil {
		return errStopped
	}
	c.hold = false
	for {
		answer, err := c.poll(ctx)
		if err != nil || ctx.Err() != nil {
			return errStopped
		}
		if !c.op.running && !c.driver.Busy() && !moving(answer) {
			break
		}
		if c.idle(ctx) != nil {
			return errStopped
		}
	}
	_, _, _ = c.Try(offCommand)
	return errStopped
}

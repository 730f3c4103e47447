package devices

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// fastPoll is the pause between polls while something is in motion.
const fastPoll = 25 * time.Millisecond

// badAnswers is how many polls in a row a machine may refuse before the connection is begun anew.
const badAnswers = 5

// retryRecord is the pause before the ledger is asked again.
const retryRecord = 500 * time.Millisecond

var offCommand = ssp.CmdDisable.Data()

// answer is a poll answer, read.
type answer struct {
	raw     []byte
	events  []ssp.Event
	unknown error // an *ssp.UnknownEventError if it could not be read to its end
	refused bool  // the machine did not answer OK, for once
}

// ask polls once. A machine without POLL WITH ACK is polled plain from then on.
func (c *Core) ask() (answer, error) {
	for {
		cmd := ssp.CmdPollWithAck
		if c.plainAck {
			cmd = ssp.CmdPoll
		}
		raw, err := c.watched(func() ([]byte, error) { return c.peer.Poll(context.Background(), cmd.Data(), c.due) })
		if err != nil {
			return answer{}, err
		}
		rest, err := ssp.CheckReply(raw)
		var r *ssp.StatusError
		if errors.As(err, &r) {
			if r.Reply == ssp.UnknownCommand && !c.plainAck {
				c.plainAck = true
				continue
			}
			if c.refused++; c.refused >= badAnswers {
				c.lost = fmt.Errorf("%w: poll: %w", cash.ErrNotConnected, err)
				return answer{}, c.lost
			}
			return answer{raw: raw, refused: true}, nil
		}
		c.refused = 0
		return c.read(raw, rest), nil
	}
}

// read takes the answer apart.
func (c *Core) read(raw, rest []byte) answer {
	c.before, c.events = c.events, c.before
	events, err := ssp.ParsePoll(rest, c.pic.Protocol, c.pic.Coins, c.events[:0])
	slices.SortStableFunc(events, divertedFirst)
	c.events = events
	return answer{raw: raw, events: events, unknown: err}
}

// divertedFirst puts CASHBOX PAID before the end of the operation that it belongs to (ssp.md section 23 has it behind).
func divertedFirst(a, b ssp.Event) int {
	rank := func(e ssp.Event) int {
		if e.Code == ssp.EvCashboxPaid {
			return 0
		}
		return 1
	}
	return rank(a) - rank(b)
}

// poll asks once and does all that the answer calls for: translate, record, acknowledge, let the driver go on. It
// returns the events of the answer.
func (c *Core) poll(ctx context.Context) ([]ssp.Event, error) {
	a, err := c.ask()
	if err != nil {
		return nil, err
	}
	switch {
	case a.refused:
		c.schedule(false)
		return nil, nil
	case has(a.events, ssp.EvSlaveReset):
		return nil, c.restarted(ctx, a)
	}
	if err := c.translate(a); err != nil {
		return nil, c.salvage(ctx, a, err)
	}
	if err := c.setAside(ctx); err != nil {
		return nil, err
	}
	if err := c.record(ctx); err != nil {
		return nil, err
	}
	if err := c.acknowledge(a); err != nil {
		return nil, err
	}
	if c.hold, err = c.driver.After(a.events, false); err != nil {
		return nil, err
	}
	inMotion := c.op.running || moving(a.events) || oneShot(a.events)
	c.schedule(inMotion || c.driver.Busy() && !c.hold && !c.waiting())
	if m := inMotion || c.driver.Busy() || c.hold; m != c.pic.Moving {
		c.Edit(func(s *Snapshot) { s.Moving = m })
	}
	c.show()
	return a.events, nil
}

// translate appends what the answer says to what is to be told, states in their places.
func (c *Core) translate(a answer) error {
	c.flags(a.events, false)
	c.logFault(a.events)
	steps := Walk(c.rule, c.pic.State, c.resting(a.events), a.events)
	for i, e := range a.events {
		for len(steps) > 0 && steps[0].At <= i {
			c.tell(steps[0].State)
			steps = steps[1:]
		}
		told, err := c.take(e)
		if err != nil {
			return err
		}
		c.pending = append(c.pending, told...)
	}
	for _, s := range steps {
		c.tell(s.State)
	}
	c.opQuiet(a.events)
	return c.takeUnknown(a)
}

// takeUnknown reports an answer that could not be read to its end, once while it stays the same, and calls for an audit.
func (c *Core) takeUnknown(a answer) error {
	if a.unknown == nil {
		c.unknown = ""
		return nil
	}
	if c.unknown == string(a.raw) {
		return nil
	}
	c.unknown = string(a.raw)
	c.Log.WithError(a.unknown).Errorf("poll answer % X is not fully known; the books are compared", a.raw)
	c.pending = append(c.pending, cash.UnknownEvent{Raw: a.raw})
	c.AuditSoon()
	return nil
}

// acknowledge sends EVENT ACK if the answer may wait for it. By then it is on disk.
func (c *Core) acknowledge(a answer) error {
	if c.plainAck || !(oneShot(a.events) || a.unknown != nil) {
		return nil
	}
	_, _, err := c.Try(ssp.CmdEventAck.Data()) // refused: nothing waited
	return err
}

// restarted keeps what stood beside SLAVE RESET as evidence, and ends the connection.
func (c *Core) restarted(ctx context.Context, a answer) error {
	c.pending = byHand(c.pending)
	if err := c.keepEvidence(ctx, a); err != nil {
		return err
	}
	if err := c.acknowledge(a); err != nil {
		return err
	}
	c.lost = errRestarted
	return c.lost
}

// salvage keeps as evidence an answer that could not be translated because the connection broke over it.
func (c *Core) salvage(ctx context.Context, a answer, cause error) error {
	c.pending = byHand(c.pending)
	if err := c.keepEvidence(ctx, a); err != nil {
		return err
	}
	return cause
}

// setAside keeps as evidence what a machine says it cleared from its path, which it may say without a restart that we
// saw, and calls for an audit.
func (c *Core) setAside(ctx context.Context) error {
	var found, rest []cash.Event
	for _, e := range c.pending {
		if _, ok := e.(cash.ClearedAtPowerUp); ok {
			found = append(found, e)
		} else {
			rest = append(rest, e)
		}
	}
	if len(found) == 0 {
		return nil
	}
	c.pending = rest
	c.AuditSoon()
	return c.persist(ctx, func() error { return c.base.cfg.sink.Evidence(context.Background(), c.id, found...) })
}

// keepEvidence hands what the answer says of money to the till without booking it.
func (c *Core) keepEvidence(ctx context.Context, a answer) error {
	var found []cash.Event
	for _, e := range a.events {
		found = append(found, c.evidence(e)...)
	}
	if len(found) == 0 {
		return nil
	}
	return c.persist(ctx, func() error { return c.base.cfg.sink.Evidence(context.Background(), c.id, found...) })
}

// tell notes states that the device goes into; they are told with the next record.
func (c *Core) tell(states ...cash.State) {
	for _, s := range states {
		if s == c.pic.State {
			continue
		}
		c.Edit(func(p *Snapshot) { p.State = s })
		c.pending = append(c.pending, cash.StateChanged{State: s})
	}
}

// record publishes the picture and hands all that is to be told to the till, as often as it takes.
func (c *Core) record(ctx context.Context) error {
	c.show()
	if len(c.pending) == 0 {
		return nil
	}
	err := c.persist(ctx, func() error { return c.base.cfg.sink.Record(context.Background(), c.id, c.pending...) })
	if err == nil {
		c.pending = nil
	}
	return err
}

// tryRecord is record for what may get lost: states of a machine that is gone. What a person has done with its money is
// kept for the next record.
func (c *Core) tryRecord() {
	err := c.base.cfg.sink.Record(context.Background(), c.id, c.pending...)
	if err == nil {
		c.pending = nil
		return
	}
	c.Log.WithError(err).Error("state not told")
	c.pending = byHand(c.pending)
}

// byHand picks what no machine will tell again, and no comparison of books finds out.
func byHand(events []cash.Event) (kept []cash.Event) {
	for _, e := range events {
		switch e.(type) {
		case cash.Filled, cash.CashboxSet:
			kept = append(kept, e)
		}
	}
	return kept
}

// persist writes until it works. While the ledger refuses, nothing is acknowledged and nothing polled, the acceptor is
// off, a note that is still the customer's goes back, and calls are refused. It ends with errStopped if ctx ends.
func (c *Core) persist(ctx context.Context, write func() error) error {
	err := write()
	if err == nil {
		return nil
	}
	c.Log.WithError(err).Error("acceptance goes off until the ledger can be written")
	c.ledger = err
	c.tried()
	defer func() { c.ledger = nil }()
	if c.lost == nil {
		_ = c.driver.Refused()
	}
	c.Edit(func(s *Snapshot) { s.AcceptorEnabled, s.Error = false, err.Error() })
	c.show()
	for err != nil {
		if !c.waitLedger(ctx, err) {
			return errStopped
		}
		c.probe()
		err = write()
	}
	c.ledger = nil
	c.Log.Info("the ledger can be written again")
	return c.resume()
}

// probe shows a machine that goes away while it cannot be polled.
func (c *Core) probe() {
	if c.lost != nil {
		return
	}
	if _, _, err := c.Try(ssp.CmdGetSerialNumber.Data()); err != nil {
		c.Edit(func(s *Snapshot) { s.Connected, s.Ready = false, false })
		c.show()
	}
}

// waitLedger waits before the next attempt. It returns false when ctx ends.
func (c *Core) waitLedger(ctx context.Context, why error) bool {
	t := time.NewTimer(retryRecord)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-t.C:
			return true
		case k := <-c.base.calls:
			if k.need == NeedReady {
				k.refuse(why)
			} else {
				c.serve(k)
			}
		}
	}
}

// resume turns acceptance on again where it was wanted, and nothing else keeps it off.
func (c *Core) resume() error {
	c.Edit(func(s *Snapshot) { s.Error = "" })
	if !c.pic.Ready || c.lost != nil || c.closing {
		return nil
	}
	if c.calm == nil {
		if err := c.driver.Accept(c.Set.Acceptor); err != nil {
			return err
		}
	}
	c.Edit(func(s *Snapshot) { s.AcceptorEnabled = c.Set.Acceptor })
	return nil
}

// schedule sets when the next poll is due.
func (c *Core) schedule(inMotion bool) {
	every := c.base.cfg.device.poll()
	if inMotion {
		every = min(every, fastPoll)
	}
	c.due = time.Now().Add(every)
}

// oneShot says whether the answer holds an event that is told once, and may wait for its acknowledgement. SLAVE RESET
// never does, and CALIBRATION FAILED stands until it is repaired.
func oneShot(answer []ssp.Event) bool {
	for _, e := range answer {
		if e.Code.OneShot() && e.Code != ssp.EvCalibrationFailed && e.Code != ssp.EvSlaveReset {
			return true
		}
	}
	return false
}

// moving says whether the answer shows money on its way.
func moving(answer []ssp.Event) bool {
	for _, e := range answer {
		if e.Code.Moving() {
			return true
		}
	}
	return false
}

// waiting says whether the driver's machine keeps pieces for a decision, and does nothing else.
func (c *Core) waiting() bool {
	w, ok := c.driver.(Waiter)
	return ok && w.Waiting()
}

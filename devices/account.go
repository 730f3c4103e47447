package devices

import (
	"context"
	"maps"
	"slices"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// ReadAccount reads levels and counters from the machine now, and with moved what its last operation moved to the
// cashbox. The picture shows them afterwards.
func (c *Core) ReadAccount(moved bool) (*cash.Account, error) {
	acc := &cash.Account{Serial: c.pic.Serial}
	if c.pic.HasPayout {
		levels, err := c.ReadLevels()
		if err != nil {
			return nil, err
		}
		acc.Levels = levels
	}
	if err := c.readCounters(acc); err != nil {
		return nil, err
	}
	if moved && c.pic.HasPayout {
		if err := c.readMoved(acc); err != nil {
			return nil, err
		}
	}
	return acc, nil
}

// ReadLevels reads what is in the payout store.
func (c *Core) ReadLevels() (cash.Counts, error) {
	if l, ok := c.driver.(Leveller); ok {
		levels, err := l.Levels()
		if err != nil {
			return nil, refusal(err)
		}
		c.grown(levels)
		c.ShowLevels(levels)
		return levels, nil
	}
	rest, err := c.Tx(ssp.CmdGetAllLevels.Data())
	if err != nil {
		return nil, refusal(err)
	}
	list, err := ssp.ParseLevels(rest)
	if err != nil {
		return nil, err
	}
	levels := cash.Counts{}
	for _, l := range list {
		if l.Level != 0 {
			levels[c.denom(l.Value, l.Currency)] += int(l.Level)
		}
	}
	c.grown(levels)
	c.ShowLevels(levels)
	return levels, nil
}

// grown tells a driver that asks for it what has come in since the levels were read before.
func (c *Core) grown(levels cash.Counts) {
	g, ok := c.driver.(Grower)
	if !ok || !c.pic.Ready || c.pic.Operation != "" || c.pic.Levels == nil {
		return
	}
	more := cash.Counts{}
	for d, n := range levels.Minus(c.pic.Levels) {
		if n > 0 {
			more[d] = n
		}
	}
	if len(more) > 0 {
		g.Grown(more)
	}
}

// ShowLevels puts levels into the picture.
func (c *Core) ShowLevels(levels cash.Counts) {
	if maps.Equal(levels, c.pic.Levels) && c.pic.Levels != nil {
		return
	}
	c.Edit(func(s *Snapshot) { s.Levels = levels.Clone() })
	c.showChannels()
}

// denom returns the denomination of a value as SSP gives it.
func (c *Core) denom(value uint32, currency string) cash.Denom {
	d := cash.Denom{Value: int64(value), Currency: cash.Currency(currency)}
	if d.Currency == "" {
		d.Currency = c.pic.Currency
	}
	return d
}

// ReadCounters reads the machine's counters into the picture.
func (c *Core) ReadCounters() error { return c.readCounters(new(cash.Account)) }

func (c *Core) readCounters(acc *cash.Account) error {
	rest, ok, err := c.Try(ssp.CmdGetCounters.Data())
	if err != nil || !ok {
		return err
	}
	counters, err := ssp.ParseCounters(rest)
	if err != nil {
		return c.tolerate(err)
	}
	acc.Counters, acc.Kind = counters, cash.CountersNote
	switch {
	case len(counters) == ssp.HopperCounters:
		acc.Kind = cash.CountersHopper
	case c.pic.Coins:
		acc.Kind = cash.CountersCoin
	}
	if !slices.Equal(counters, c.pic.Counters) {
		c.Edit(func(s *Snapshot) { s.Counters, s.CounterKind = slices.Clone(counters), acc.Kind })
	}
	return nil
}

func (c *Core) readMoved(acc *cash.Account) error {
	rest, ok, err := c.Try(ssp.CmdCashboxPayoutData.Data())
	if err != nil || !ok {
		return err
	}
	list, unknown, err := ssp.ParseCashboxData(rest)
	if err != nil {
		return c.tolerate(err)
	}
	acc.Moved, acc.MovedUnknown = cash.Counts{}, int(unknown)
	for _, l := range list {
		if l.Count != 0 {
			acc.Moved[c.denom(l.Value, l.Currency)] += int(l.Count)
		}
	}
	return nil
}

// auditor says when a machine's books are compared with the ledger while all goes well.
type auditor struct {
	next   time.Time
	soon   bool
	agree  *cash.Account   // as reconciled last, if nothing was recorded since
	awaits []chan struct{} // closed by the next reconcile
}

// auditWait is how long Audit waits for a machine that does not come to rest.
const auditWait = 2 * time.Second

// AuditSoon calls for an audit as soon as the machine is at rest.
func (c *Core) AuditSoon() { c.audit.soon = true }

// reconcile hands the machine's books to the till.
func (c *Core) reconcile(ctx context.Context, acc *cash.Account) error {
	err := c.persist(ctx, func() error { return c.base.cfg.sink.Reconcile(context.Background(), c.id, *acc) })
	if err != nil {
		return err
	}
	c.audit.agree, c.audit.soon = acc, false
	c.audit.next = time.Now().Add(c.base.cfg.device.audit())
	for _, done := range c.audit.awaits {
		close(done)
	}
	c.audit.awaits = nil
	return nil
}

// Audit implements Auditor.
func (b *Base) Audit(ctx context.Context) error {
	done := make(chan struct{})
	err := b.do(ctx, NeedReady, nil, func(c *Core) error {
		if !c.canRest() || moving(c.events) { // the end of something may still stand in the last answer: that passes
			close(done)
			return nil
		}
		c.AuditSoon()
		c.PollNow()
		c.audit.awaits = append(c.audit.awaits, done)
		return nil
	})
	if err != nil {
		return err
	}
	wait, stop := context.WithTimeout(ctx, auditWait)
	defer stop()
	select {
	case <-done:
	case <-b.done:
	case <-wait.Done():
	}
	return ctx.Err()
}

// auditIfDue compares the books if it is time to and the machine is at rest: the account is read, polled for quiet, and
// read again. Unless an event called for it, books that did not change since they agreed are left alone.
func (c *Core) auditIfDue(ctx context.Context) error {
	if !c.audit.soon && time.Now().Before(c.audit.next) || !c.atRest(c.events) {
		return nil
	}
	first, err := c.ReadAccount(false)
	if err != nil {
		return c.auditLater(err)
	}
	answer, err := c.poll(ctx)
	if err != nil {
		return err
	}
	if !c.atRest(answer) {
		return nil
	}
	second, err := c.ReadAccount(false)
	if err != nil {
		return c.auditLater(err)
	}
	switch {
	case !sameAccount(first, second):
		return nil
	case !c.audit.soon && c.audit.agree != nil && sameAccount(second, c.audit.agree):
		c.audit.next = time.Now().Add(c.base.cfg.device.audit())
		return nil
	}
	return c.reconcile(ctx, second)
}

// auditLater puts an audit off because the machine refuses a reading; a lost connection is returned.
func (c *Core) auditLater(err error) error {
	if c.lost != nil {
		return c.lost
	}
	c.Log.WithError(err).Warn("audit put off")
	c.audit.next = time.Now().Add(c.base.cfg.device.audit())
	c.audit.soon = false
	return nil
}

// atRest says whether nothing is on its way in this machine. One that has just refused a poll has not said so.
func (c *Core) atRest(answer []ssp.Event) bool {
	return c.canRest() && c.refused == 0 && !moving(answer) && !oneShot(answer)
}

// canRest is atRest but for what the machine has last answered.
func (c *Core) canRest() bool {
	return !c.hold && !c.op.running && !c.driver.Busy() && !c.pic.Jammed
}

func sameAccount(a, b *cash.Account) bool {
	return a.Serial == b.Serial && maps.Equal(a.Levels, b.Levels) && slices.Equal(a.Counters, b.Counters)
}

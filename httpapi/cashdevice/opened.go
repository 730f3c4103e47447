package cashdevice

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"coffer/devices"
	"coffer/internal/cash"
)

// opened is the course of an OpenConnection: each step through the till, and what it came to.
type opened struct {
	c   *call
	ctx context.Context
	d   devices.Device
	err error // ends the whole: machine lost, ledger lost

	asks    bool // the request names something to be changed
	claimed bool // by another: the view opens for reading, and nothing is changed

	inhibits, routes, feeder, boxLevels []string
	coinMech, clock                     string
	inCassette                          int
	cassetteMode                        string // RC_MODE_…, "" where the machine does not tell
	auto, payout, accepting             bool
	account                             *cash.Account
}

// apply sets the machine up as asked, in the order of the manual except that the acceptor comes last, when all that
// governs it is set.
func (c *call) apply(ctx context.Context, d devices.Device, ask setup) (*opened, error) {
	o := &opened{c: c, ctx: ctx, d: d, asks: ask.changes()}
	o.clockNow()
	o.deposits(ask)
	for _, e := range ask.routes {
		err := o.step("set route", func(ctx context.Context) error { return setRoute(ctx, d, e.denom, e.route) })
		o.routes = append(o.routes, sentence(err, "Set route for %s to %s.", "set route for %s to %s.", e.denom, e.route))
	}
	o.coins(ask)
	o.limit(ask.boxLimit)
	o.bezel(ask.bezel)
	snap := d.Snapshot()
	if _, notes := d.(devices.Escrow); notes && !snap.Coins {
		err := o.step("set auto-accept", func(ctx context.Context) error { return autoAccept(ctx, d, ask.auto) })
		o.auto = ask.auto && err == nil
	}
	if snap.HasPayout && !snap.Coins {
		err := o.step("switch payout", func(ctx context.Context) error { return payoutStore(ctx, d, ask.payout) })
		o.payout = ask.payout && err == nil
	}
	if o.err == nil {
		o.account, o.err = d.Account(ctx)
	}
	if o.err == nil {
		o.cassette()
	}
	o.accept(ask.accept)
	return o, o.err
}

// deposits sets what is taken.
func (o *opened) deposits(ask setup) {
	for _, e := range ask.inhibits {
		err := o.step("set inhibits", func(ctx context.Context) error {
			return o.d.SetInhibits(ctx, []cash.Denom{e.denom}, e.inhibit)
		})
		word := "ENABLED"
		if e.inhibit {
			word = "INHIBITED"
		}
		o.inhibits = append(o.inhibits, sentence(err, "%s %s.", "set inhibit for %s to %s.", e.denom, word))
	}
	m := ask.coinMech
	if m == nil || !o.d.Snapshot().Coins {
		return
	}
	o.coinMech = "Successfully set coin mech inhibits."
	if o.step("set inhibits", func(ctx context.Context) error { return o.d.SetInhibits(ctx, m.denoms, m.inhibit) }) != nil {
		o.coinMech = "FAILED: Could not set coin mech inhibits."
	}
}

// coins sets what coin machines have alone: options, what is in the cashbox, twin mode and sorter routes.
func (o *opened) coins(ask setup) {
	if !o.d.Snapshot().Coins {
		return
	}
	if ask.options != nil {
		if stepAs(o, "set hopper options", func(ctx context.Context, m devices.Optioner) error { return m.SetOptions(ctx, *ask.options) }) == nil {
			o.c.remember(func(k *memory) { k.options = ask.options })
		}
	}
	for _, e := range ask.boxLevels {
		err := stepAs(o, "set cashbox level", func(ctx context.Context, m devices.CashboxCounter) error {
			return m.AddCashboxLevel(ctx, e.denom, e.count)
		})
		o.boxLevels = append(o.boxLevels, sentence(err, "Set cashbox level for %s to %d.", "set cashbox level for %s to %d.", e.denom, e.count))
	}
	if ask.twin != nil {
		_ = stepAs(o, "set twin mode", func(ctx context.Context, m devices.Twin) error { return m.SetTwinMode(ctx, *ask.twin) }) // logged
	}
	for _, e := range ask.feeder {
		hopper, name := byte(0), "MASTER ROUTE"
		if e.route != 0 {
			hopper, name = 1, "SECONDARY ROUTE"
		}
		err := stepAs(o, "set sorter route", func(ctx context.Context, m devices.Twin) error { return m.SetSorterRoute(ctx, e.denom, hopper) })
		o.feeder = append(o.feeder, sentence(err, "Set feeder route for %s to %s.", "set feeder route for %s to %s.", e.denom, name))
	}
}

// limit sets the most pieces to keep in the store. The answer has no member for it: a refusal is logged.
func (o *opened) limit(counts []any) {
	if counts == nil {
		return
	}
	_ = stepAs(o, "set cashbox payout limit", func(ctx context.Context, m devices.CashboxLimiter) error {
		limit, err := perChannel(o.d.Snapshot(), counts)
		if err != nil {
			return err
		}
		return m.SetCashboxPayoutLimit(ctx, limit)
	})
}

// stepAs is step on a machine that can do T.
func stepAs[T any](o *opened, name string, f func(context.Context, T) error) error {
	return o.step(name, func(ctx context.Context) error {
		m, ok := o.d.(T)
		if !ok {
			return cash.ErrUnsupported
		}
		return f(ctx, m)
	})
}

// bezel says where an NV4000 leaves the notes that it pays. A machine that cannot be told pays as it always does.
func (o *opened) bezel(on bool) {
	p, ok := o.d.(devices.Recyclers)
	s := o.d.Snapshot()
	switch {
	case on == s.PayToBezel:
	case ok && s.Model == modelNV4000:
		_ = o.step("pay to bezel", func(ctx context.Context) error { return p.SetPayToBezel(ctx, on) }) // logged
	default:
		o.c.api.log.WithField("device", o.c.view.device).Warn("OpenConnection: DispenseToBezel is not carried out on this device")
	}
}

// accept turns the acceptor on or off.
func (o *opened) accept(on bool) {
	if o.err != nil {
		return
	}
	name, change := "disable", o.d.Disable
	if on {
		name, change = "enable", o.d.Enable
	}
	o.accepting = o.step(name, change) == nil && on
}

// step runs one call by way of the till, unless an earlier one has ended it all.
func (o *opened) step(name string, f func(context.Context) error) error {
	switch {
	case o.err != nil:
		return o.err
	case o.claimed: // also where the claim ends meanwhile, so that the answer is one
		return cash.ErrClaimed
	}
	err := o.c.api.till.Do(o.ctx, o.c.by(), o.d, name, f)
	o.note(err)
	return err
}

// note keeps an error that ends the opening, and logs one that does not.
func (o *opened) note(err error) {
	switch {
	case err == nil:
	case errors.Is(err, cash.ErrClaimed):
		o.claimed = true
		o.c.api.log.WithField("device", o.c.view.device).Info("OpenConnection: another program has claimed the machine; opened for reading only")
	case errors.Is(err, cash.ErrNotConnected), errors.Is(err, cash.ErrJournal), o.ctx.Err() != nil:
		o.err = err
	default:
		o.c.api.log.WithError(err).WithField("device", o.c.view.device).Warn("OpenConnection: a step was refused")
	}
}

// sentence words one step.
func sentence(err error, done, failed string, args ...any) string {
	if err != nil {
		return "FAILED: Could not " + fmt.Sprintf(failed, args...)
	}
	return "SUCCESS: " + fmt.Sprintf(done, args...)
}

// deviceError is NONE, or the word that clients look for where another program's claim has kept from the machine what
// the request asks for.
func (o *opened) deviceError() string {
	if o.claimed && o.asks {
		return rowOf(cash.ErrClaimed).word
	}
	return "NONE"
}

// answer is the body of a 200 (specs/itl-rest.md §8.2). Members that do not apply to the machine are nil.
func (o *opened) answer() object {
	s := o.d.Snapshot()
	out := object{
		{"deviceID", o.c.view.id}, {"isOpen", true}, {"deviceModel", s.Model}, {"sspProtocolVersion", s.Protocol},
		{"deviceError", o.deviceError()}, {"firmware", s.Firmware}, {"dataset", s.Dataset},
	}
	out = append(out, modules(s, o.parts(s))...)
	sep, end, routeEnd := "\n", "", "\r\n" // every family parts and ends its sentences in its own way
	if s.Model == modelNV4000 {
		end, routeEnd = "\n", "\n"
	}
	out = append(out,
		member{"realTimeClock", o.clock},
		member{"allLevels", levels(s, o.account.Levels)},
		member{"counters", orNil(countersText(o.account.Kind, o.account.Counters))},
		member{"inhibits", sentences(o.inhibits, sep, end)},
		member{"routes", sentences(o.routes, routeEnd, routeEnd)},
		member{"coinMechInhibits", orNil(o.coinMech)},
		member{"feederRoutes", sentences(o.feeder, "\r\n\n", "\r\n")},
		member{"cashBoxLevels", sentences(o.boxLevels, "\r\n\n", "\r\n")},
		member{"acceptorEnabled", o.accepting},
	)
	if s.Coins {
		return append(out, member{"autoAcceptEscrowEnabled", nil}, member{"payoutEnabled", nil})
	}
	return append(out, member{"autoAcceptEscrowEnabled", o.auto}, member{"payoutEnabled", o.payout})
}

// sentences joins one sentence for each step, nil for none.
func sentences(lines []string, sep, end string) any {
	if len(lines) == 0 {
		return nil
	}
	return strings.Join(lines, sep) + end
}

// orNil is s, or nil for "", so that the member is absent.
func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

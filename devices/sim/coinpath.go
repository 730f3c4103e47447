package sim

import (
	"fmt"
	"time"

	"coffer/ssp"
)

// How long a coin takes, at speed 1.
const (
	coinInTime   = 110 * time.Millisecond
	coinTailTime = 250 * time.Millisecond // the feeder runs on after the last one
	coinOutTime  = 120 * time.Millisecond
)

// pollPatience is how long the feeder runs without a poll, in real time (ssp.md 3.2).
const pollPatience = 10 * time.Second

// coinPath is the mechanics of a coin machine: a feeder or a coin mech that takes coins one by one, and a hopper, or
// two, that gives them out one by one. Only one side moves at a time.
type coinPath struct {
	m      *Machine
	feeder []*piece // before the sensors
	tail   bool     // empty, and still turning
	lying  []*piece // in the feeder when the power went
}

func (c *coinPath) enabled() bool {
	return c.m.ram.enabled && c.m.ram.feederOn && !c.m.faults.mechOff && !c.m.faults.mechError && !c.m.faults.pathOpen
}

func (c *coinPath) hasFeeder() bool { return c.m.prof.has(featureFeeder) }

func (c *coinPath) idle() bool { return len(c.feeder) == 0 && len(c.lying) == 0 && !c.tail }

// busy: a feeder that is held stands still, whatever is in it.
func (c *coinPath) busy() bool { return (len(c.feeder) > 0 || c.tail) && !c.m.ram.held }

// running reports whether the feeder runs: PAY-IN ACTIVE.
func (c *coinPath) running() bool { return c.hasFeeder() && c.busy() && c.m.nv.op == nil }

// accepts reports whether the feeder draws coins in.
func (c *coinPath) accepts() bool {
	return c.enabled() && !c.m.initialising && !c.m.faults.calibration && c.heard()
}

// heard reports whether the host polls, which a feeder insists on.
func (c *coinPath) heard() bool {
	return !c.hasFeeder() || time.Since(c.m.ram.lastPoll) <= pollPatience
}

func (c *coinPath) room(n int) error {
	switch {
	case len(c.feeder)+len(c.lying)+n > c.m.prof.Feeder:
		return fmt.Errorf("%w: the way in holds %d coins, %d are in it", ErrRefused, c.m.prof.Feeder, len(c.feeder))
	case c.m.faults.jam:
		return fmt.Errorf("%w: the way in is jammed; use fault unjam", ErrRefused)
	case c.m.faults.pathOpen:
		return fmt.Errorf("%w: the way in is open; use fault note_path_closed", ErrRefused)
	}
	return nil
}

func (c *coinPath) insert(pieces []*piece) {
	if !c.accepts() {
		for _, p := range pieces {
			c.giveBack(p)
		}
		return
	}
	c.m.cancel("coin:stop")
	c.tail = false
	c.feeder = append(c.feeder, pieces...)
	if len(c.feeder) == len(pieces) {
		c.feed()
	}
}

// giveBack lets a coin fall out at the front.
func (c *coinPath) giveBack(p *piece) {
	if p.isMoney {
		c.m.stock.move(p.d, inTransit, returned)
	}
	p.arrived(IsReturned)
}

// feed takes the next coin past the sensors, as long as the host polls and the hopper stands still.
func (c *coinPath) feed() {
	if len(c.feeder) == 0 {
		if c.tail = c.hasFeeder(); !c.tail {
			return
		}
		c.m.anyway("coin:stop", coinTailTime, func() { c.tail = false })
		return
	}
	c.m.afterIf("coin:in", coinInTime, func() bool { return c.heard() && c.m.nv.op == nil && !c.m.ram.held }, func() {
		p := c.feeder[0]
		c.feeder = c.feeder[1:]
		c.validate(p)
		c.feed()
	})
}

// validate decides about a coin at the sensors; an accepted one falls into hopper or cashbox at once.
func (c *coinPath) validate(p *piece) {
	m := c.m
	switch {
	case !c.enabled(): // switched off in the meantime: the feeder runs empty
		c.giveBack(p)
	case p.fraud:
		m.sees(unitFeeder, false)
		m.count(frauds, 1)
		m.tell(ssp.Event{Code: ssp.EvFraudAttempt, Values: money(p.d.value, m.data[0].currency)})
		c.giveBack(p)
	case p.unreadable || p.channel == 0 || !m.ram.coins[p.d] || !c.placeFor(p.d):
		m.sees(unitFeeder, !p.unreadable && p.channel > 0)
		m.count(feederRejects, 1)
		if m.ram.reg1&reportRejects != 0 {
			m.tellOf(ssp.Event{Code: ssp.EvCoinRejected}, p.rec, "REJECTED")
		}
		c.giveBack(p)
	default:
		c.accept(p)
	}
}

// stays reports whether a coin that comes in falls into the hopper, and not into the cashbox.
func (c *coinPath) stays(d denom) bool {
	zeroToCashbox := c.m.ram.reg0&emptyToCashbox != 0 && c.m.stock.count(d, inPayout) == 0
	return c.m.storeTakes(d) && !zeroToCashbox
}

// placeFor reports whether there is a place for a coin: a cashbox that is out or full takes none.
func (c *coinPath) placeFor(d denom) bool { return c.stays(d) || c.boxTakes() }

func (c *coinPath) boxTakes() bool { return !c.m.faults.cashboxOut && !c.m.faults.stackerFull }

func (c *coinPath) accept(p *piece) {
	m := c.m
	m.count(coinsIn, 1)
	m.count(pastSensors, 1)
	m.sees(unitFeeder, true)
	m.nv.health.unpaidFor = 0
	if c.stays(p.d) {
		m.stock.move(p.d, inTransit, inPayout)
		m.stow(p.d, 1)
		p.arrived(InPayout)
	} else {
		m.stock.move(p.d, inTransit, inCashbox)
		m.box(p.d)
		m.count(coinsToCashbox, 1)
		p.arrived(InCashbox)
	}
	code := ssp.EvCoinCredit
	if m.ram.reg0&valueAdded != 0 && m.ram.version >= since[ssp.EvValueAdded] {
		code = ssp.EvValueAdded
	}
	m.tellOf(ssp.Event{Code: code, Values: money(p.d.value, p.d.currency)}, p.rec, "CREDIT")
}

// next gives out the next coin of the running operation.
func (c *coinPath) next() {
	m := c.m
	front := m.nv.op.kind == opPayout || m.ram.reg1&emptyToFront != 0
	free := func() bool {
		return !m.faults.payoutJam && !m.faults.calibration && !m.faults.pathOpen && !m.faults.opto && (front || c.boxTakes())
	}
	m.afterIf("op:coin", coinOutTime, free, func() {
		op := m.nv.op
		d := op.left[0]
		if m.stock.count(d, inPayout) == 0 { // somebody has taken it out
			m.nextPiece()
			return
		}
		m.count(coinsOut, 1)
		m.count(pastSensors, 1)
		if front && m.faults.divert && c.boxTakes() {
			m.gaveOut(d, front, false)
			m.faults.divert = false
			op.diverted += d.value
			c.intoCashbox(d)
			m.nextPiece() // another one in its place, if there is one
			return
		}
		m.gaveOut(d, front, true)
		op.left = op.left[1:]
		op.paid += d.value
		if front {
			m.stock.move(d, inPayout, dispensed)
			m.stow(d, -1)
		} else {
			c.intoCashbox(d)
		}
		m.nextPiece()
	})
}

func (c *coinPath) intoCashbox(d denom) {
	c.m.stock.move(d, inPayout, inCashbox)
	c.m.box(d)
	c.m.stow(d, -1)
	c.m.count(coinsToCashbox, 1)
	c.m.toCashbox(d)
}

// giveAllBack is the return lever: what is still before the sensors falls out.
func (c *coinPath) giveAllBack() {
	c.m.cancel("coin:in")
	for _, p := range c.feeder {
		c.giveBack(p)
	}
	c.feeder = nil
	c.feed()
}

func (c *coinPath) polled() {}

// cut leaves the coins that were not past the sensors in the feeder.
func (c *coinPath) cut() { c.lying, c.feeder, c.tail = append(c.lying, c.feeder...), nil, false }

// clear runs the feeder empty: its coins fall out at the front.
func (c *coinPath) clear() {
	for _, p := range c.lying {
		c.giveBack(p)
	}
	c.lying = nil
}

func (c *coinPath) statuses(out []ssp.Event) []ssp.Event {
	m := c.m
	add := func(on bool, e ssp.Event) {
		if on {
			out = append(out, e)
		}
	}
	add(m.faults.stackerFull || m.storeFull(), ssp.Event{Code: ssp.EvDeviceFull})
	add(m.faults.calibration, ssp.Event{Code: ssp.EvCalibrationFailed, Error: mustCalibrate})
	mech := m.prof.has(featureCoinMech)
	add(m.faults.jam && (mech || len(c.feeder) > 0), ssp.Event{Code: ssp.EvCoinMechJammed})
	add(m.faults.mechOff || m.faults.pathOpen, ssp.Event{Code: ssp.EvCoinMechDisabled})
	add(m.faults.mechError && m.ram.mechErrors, ssp.Event{Code: ssp.EvCoinMechError, Error: faultyCreditSensor})
	add(c.running(), ssp.Event{Code: ssp.EvPayInActive})
	return out
}

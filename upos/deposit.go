package upos

import (
	"context"
	"errors"

	"coffer/internal/cash"
)

// deposit is the deposit cycle of a handle. A jam lies over it: DepositStatus is JAM while a machine is jammed in START
// or COUNT, and the phase stays as it was.
type deposit struct {
	id       int   // counts the deposits of the handle
	phase    int32 // CHAN_STATUS_DEPOSIT_END, _START or _COUNT; 0 before the first enabling
	paused   bool
	realTime bool   // RealTimeDataEnabled as it was at BeginDeposit
	taken    Pieces // all that was taken in it; a machine may take a piece back out of it
	comings  int    // how many changes made it up
	shown    Pieces // what DepositAmount and DepositCounts say
	upTo     int    // and how many of the changes that includes
	untold   bool   // money came while paused, and no DataEvent told of it
}

// running says whether a deposit is between BeginDeposit and EndDeposit.
func (d *deposit) running() bool {
	return d.phase == CHAN_STATUS_DEPOSIT_START || d.phase == CHAN_STATUS_DEPOSIT_COUNT
}

// steps is the whole deposit cycle: from which phase each method may be called, apart from the pause flag and from jams.
// What it does not list is E_ILLEGAL.
var steps = map[string]int32{
	"BeginDeposit": CHAN_STATUS_DEPOSIT_END,
	"PauseDeposit": CHAN_STATUS_DEPOSIT_START,
	"FixDeposit":   CHAN_STATUS_DEPOSIT_START,
	"EndDeposit":   CHAN_STATUS_DEPOSIT_COUNT,
}

// step checks that the deposit cycle allows the method now.
func (c *call) step() error {
	s, dep := c.h.service, &c.h.deposit
	s.mu.Lock()
	defer s.mu.Unlock()
	jam := c.d.look(c.parts, 0).jam
	ok := dep.phase == steps[c.Method]
	switch {
	case c.Method == "PauseDeposit" && jam:
		ok = false
	case c.Method == "FixDeposit" && jam && dep.phase == CHAN_STATUS_DEPOSIT_COUNT:
		ok = true // an application that sees only JAM may fix and end
	}
	if !ok {
		return fail(E_ILLEGAL, "%s is out of sequence: DepositStatus is %s", c.Method, depositNames[c.h.depositStatus(jam)])
	}
	return nil
}

var depositNames = map[int32]string{
	CHAN_STATUS_DEPOSIT_START: "START", CHAN_STATUS_DEPOSIT_END: "END", CHAN_STATUS_DEPOSIT_NONE: "NONE",
	CHAN_STATUS_DEPOSIT_COUNT: "COUNT", CHAN_STATUS_DEPOSIT_JAM: "JAM",
}

// depositStatus is the property DepositStatus. The caller holds mu.
func (h *Handle) depositStatus(jam bool) int32 {
	switch {
	case !h.caps.deposit:
		return CHAN_STATUS_DEPOSIT_NONE
	case jam && h.deposit.running():
		return CHAN_STATUS_DEPOSIT_JAM
	}
	return h.deposit.phase
}

// depositStatusRead is depositStatus of what CurrentService means. The caller holds mu.
func (h *Handle) depositStatusRead(parts []Part) int32 {
	if !h.now().deposit {
		return CHAN_STATUS_DEPOSIT_NONE
	}
	return h.depositStatus(h.dev.look(parts, h.part).jam)
}

// idle refuses with E_BUSY while a payout or a firmware update runs.
func (c *call) idle() error {
	c.h.service.mu.Lock()
	defer c.h.service.mu.Unlock()
	if c.d.job != nil {
		return fail(E_BUSY, "%s runs: wait for its end", c.d.job.method)
	}
	return nil
}

// beginDeposit starts acceptance. The deposit runs before the machines are told, so that their first piece is in it.
func (c *call) beginDeposit() (map[string]any, error) {
	if err := c.step(); err != nil {
		return nil, err
	}
	if err := c.idle(); err != nil {
		return nil, err
	}
	s, dep := c.h.service, &c.h.deposit
	s.mu.Lock()
	*dep = deposit{id: dep.id + 1, phase: CHAN_STATUS_DEPOSIT_START, realTime: c.h.realTime, taken: Pieces{}, shown: Pieces{}}
	s.mu.Unlock()
	ctx, cancel := s.patient(c.ctx)
	defer cancel()
	err := c.d.mech.Accept(ctx, c.request(), true)
	if err == nil {
		return nil, nil
	}
	c.h.abandonDeposit(c.d)
	return nil, wrap(err)
}

// pauseDeposit interrupts acceptance and takes it up again.
func (c *call) pauseDeposit() (map[string]any, error) {
	s, dep, control := c.h.service, &c.h.deposit, c.int("control")
	if control != CHAN_DEPOSIT_PAUSE && control != CHAN_DEPOSIT_RESTART {
		return nil, fail(E_ILLEGAL, "control %d: use PAUSE (%d) or RESTART (%d)", control, CHAN_DEPOSIT_PAUSE, CHAN_DEPOSIT_RESTART)
	}
	if err := c.step(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	paused := dep.paused
	s.mu.Unlock()
	ctx, cancel := s.patient(c.ctx)
	defer cancel()
	switch {
	case paused == (control == CHAN_DEPOSIT_PAUSE):
		return nil, fail(E_ILLEGAL, "the deposit is in this state already: paused is %v", paused)
	case paused:
		if err := c.d.mech.Accept(ctx, c.request(), true); err != nil {
			c.undoAccept(ctx)
			return nil, wrap(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		dep.paused = false
		if dep.untold {
			dep.untold = false
			c.h.dataEvent()
		}
		return nil, nil
	}
	if err := c.h.quiet(ctx, c.d, c.request()); err != nil {
		return nil, wrap(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	dep.paused = true
	dep.refresh()
	return nil, nil
}

// undoAccept turns off what a failed Accept may have turned on; the failure is what the caller hears of.
func (c *call) undoAccept(ctx context.Context) {
	if err := c.d.mech.Accept(ctx, c.request(), false); err != nil {
		c.h.service.opts.Log.Warnf("upos %s: stopping acceptance again: %v", c.d.cfg.Name, err)
	}
}

// quiet stops acceptance and waits until the money under way is in or out.
func (h *Handle) quiet(ctx context.Context, d *device, r Request) error {
	if err := d.mech.Accept(ctx, r, false); err != nil {
		return err
	}
	return d.mech.Settle(ctx, r)
}

// fixDeposit ends acceptance and makes the amounts final. A jam does not keep it from that: what is stuck is not in.
func (c *call) fixDeposit() (map[string]any, error) {
	if err := c.step(); err != nil {
		return nil, err
	}
	s, dep := c.h.service, &c.h.deposit
	ctx, cancel := s.patient(c.ctx)
	defer cancel()
	err := c.h.quiet(ctx, c.d, c.request())
	jam := c.d.anyJam()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && !jam {
		return nil, wrap(err)
	}
	if err != nil {
		s.opts.Log.Warnf("upos %s: fixed the deposit at %s while a machine is jammed: %v", c.d.cfg.Name, dep.taken, err)
	}
	dep.phase, dep.paused = CHAN_STATUS_DEPOSIT_COUNT, false
	dep.refresh()
	return nil, nil
}

// endDeposit closes the deposit; with REPAY the same pieces are paid out first.
func (c *call) endDeposit() (map[string]any, error) {
	success := c.int("success")
	switch {
	case c.h.class != CashChanger && success != BACC_DEPOSIT_COMPLETE:
		return nil, fail(E_ILLEGAL, "success %d: use COMPLETE (%d)", success, BACC_DEPOSIT_COMPLETE)
	case c.h.class == CashChanger && (success < CHAN_DEPOSIT_CHANGE || success > CHAN_DEPOSIT_REPAY):
		return nil, fail(E_ILLEGAL, "success %d: use CHANGE, NOCHANGE or REPAY (%d to %d)", success, CHAN_DEPOSIT_CHANGE, CHAN_DEPOSIT_REPAY)
	case success == CHAN_DEPOSIT_REPAY && !c.h.caps.repay:
		return nil, fail(E_ILLEGAL, "CapRepayDeposit is false: not all that %s takes can be given back", c.d.cfg.Name)
	}
	if err := c.step(); err != nil {
		return nil, err
	}
	s, dep := c.h.service, &c.h.deposit
	s.mu.Lock()
	taken := dep.taken.clone()
	s.mu.Unlock()
	if c.h.class == CashChanger && success == CHAN_DEPOSIT_REPAY && len(taken) > 0 {
		return nil, c.repay(taken)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.h.endDepositNow()
	return nil, nil
}

// endDepositNow makes the cycle ready for the next BeginDeposit, unless somebody else has. The caller holds mu.
func (h *Handle) endDepositNow() {
	if !h.deposit.running() {
		return
	}
	h.deposit.phase, h.deposit.paused = CHAN_STATUS_DEPOSIT_END, false
	h.dev.stats.add("DepositCount", 1)
}

// abandonDeposit ends a deposit that its application left: no more is accepted, what is inside is settled and kept.
func (h *Handle) abandonDeposit(d *device) {
	s := h.service
	s.mu.Lock()
	running, accepting := h.deposit.running(), h.deposit.phase == CHAN_STATUS_DEPOSIT_START
	s.mu.Unlock()
	if accepting {
		ctx, cancel := s.patient(context.Background())
		defer cancel()
		if err := h.quiet(ctx, d, Request{Owner: h.owner}); err != nil && !errors.Is(err, cash.ErrNothing) {
			s.opts.Log.Warnf("upos %s: ending a deposit: %v", d.cfg.Name, err)
		}
	}
	if !running {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Log.Infof("upos %s: a deposit was ended without EndDeposit; kept %s", d.cfg.Name, h.deposit.taken)
	h.deposit.refresh()
	h.endDepositNow()
}

// took puts money that the machines took into the deposit of the holder. What comes while there is a holder, and outside
// START, is told by a DirectIOEvent and the log; its place in the books does not depend on this. The caller holds mu.
func (d *device) took(c Change) {
	pieces := 0
	for _, n := range c.Taken {
		pieces += n
	}
	d.stats.add("PiecesTaken", int64(pieces))
	h := d.holder
	if h == nil {
		return // nobody's deposit: another API takes money with these machines, or a late credit was found
	}
	if h.deposit.phase != CHAN_STATUS_DEPOSIT_START {
		d.service.opts.Log.Warnf("upos %s: %s came in outside a deposit; it is in the ledger", d.cfg.Name, c.Taken)
		d.enabled(func(h *Handle) { h.direct(DirectLateCredit, int32(c.Part), h.piecesText(c.Taken)) })
		return
	}
	if before := h.deposit.add(c.Taken); before != nil {
		d.service.opts.Log.Warnf("upos %s: %s came in before the deposit and was given back in it; it is in the ledger", d.cfg.Name, before)
	}
	h.deposit.comings++
	if h.deposit.paused {
		h.deposit.untold = true
		return
	}
	h.dataEvent()
}

// dataEvent queues a DataEvent with all that was taken so far. The caller holds mu.
func (h *Handle) dataEvent() {
	h.enqueue(queued{Event: Event{Kind: DataEvent}, deposit: h.deposit.id, taken: h.deposit.taken.clone(), upTo: h.deposit.comings,
		about: []string{"DepositAmount", "DepositCounts", "DataEventEnabled", "DataCount"}})
}

// add takes money into the deposit. What was given back and is not in it is returned, nil for nothing.
func (d *deposit) add(more Pieces) (before Pieces) {
	for piece, n := range more {
		d.taken[piece] += n
		switch left := d.taken[piece]; {
		case left == 0:
			delete(d.taken, piece)
		case left < 0:
			delete(d.taken, piece)
			if before == nil {
				before = Pieces{}
			}
			before[piece] = -left
		}
	}
	return before
}

// refresh brings the amounts up to date.
func (d *deposit) refresh() { d.shown, d.upTo = d.taken.clone(), d.comings }

// show copies the data of a DataEvent into the properties, if its deposit still accepts and they are not ahead already.
// The caller holds mu.
func (h *Handle) show(q queued) {
	dep := &h.deposit
	if !dep.realTime || dep.id != q.deposit || dep.phase != CHAN_STATUS_DEPOSIT_START || q.upTo < dep.upTo {
		return
	}
	dep.shown, dep.upTo = q.taken, q.upTo
}

func count(p Pieces) int {
	n := 0
	for _, k := range p {
		n += k
	}
	return n
}

package upos

import (
	"context"
	"slices"
	"time"
)

// enable sets DeviceEnabled. The present value is no change.
func (h *Handle) enable(on bool) error {
	m, _ := find(h.class, "DeviceEnabled", false)
	free, err := h.turn(context.Background())
	if err != nil {
		return err
	}
	defer free()
	d, err := h.check(m.WriteAccess)
	if err != nil {
		return err
	}
	s := h.service
	s.mu.Lock()
	is := h.enabled
	s.mu.Unlock()
	switch {
	case is == on:
		return nil
	case !on:
		return h.stop(d, false)
	}
	return h.start(d, m.WriteAccess)
}

// start enables the device. Without power notification a machine that does not answer is an error; with it, its state
// is the first event. A deposit alone takes money: what another program left on goes off. The caller has the turn.
func (h *Handle) start(d *device, access Access) error {
	if d.mech != nil && h.class.accepts() {
		ctx, cancel := h.service.patient(context.Background())
		defer cancel()
		if err := d.mech.Quiet(ctx, Request{Owner: h.owner}); err != nil {
			h.service.opts.Log.Warnf("upos %s: acceptance that was on is turned off as soon as that can be: %v", d.cfg.Name, err)
		}
	}
	for {
		h.service.mu.Lock()
		before := d.changes
		h.service.mu.Unlock()
		parts := d.parts()
		done, err := h.startWith(d, parts, before, access)
		if done || err != nil {
			return err
		}
	}
}

// startWith enables with parts, unless something changed since they were read.
func (h *Handle) startWith(d *device, parts []Part, before int, access Access) (bool, error) {
	h.service.mu.Lock()
	defer h.service.mu.Unlock()
	if err := h.allowed(access); err != nil {
		return true, err
	}
	if d.changes != before {
		return false, nil
	}
	v := d.look(parts, 0)
	if h.powerNotify == PN_DISABLED && !v.online {
		return true, fail(E_OFFLINE, "a machine of %s does not answer: see to its power and cable, or set PowerNotify and wait for it", d.cfg.Name)
	}
	h.enabled = true
	d.last, d.seen = parts, v
	h.deposit.phase = CHAN_STATUS_DEPOSIT_END
	if h.powerNotify == PN_ENABLED {
		h.power(v.online)
	}
	return true, nil
}

// power sets PowerState and reports it. The caller holds mu.
func (h *Handle) power(online bool) {
	h.powerState = PS_OFF_OFFLINE
	code := SUE_POWER_OFF_OFFLINE
	if online {
		h.powerState, code = PS_ONLINE, SUE_POWER_ONLINE
	}
	h.status(code, "PowerState")
}

// stop ends what the handle does with the device and disables it: a payout is halted and its end waited for unless it is
// stuck, a deposit is ended and its money kept. A firmware update cannot be stopped: E_BUSY, unless detach, where it goes
// on without the handle. The caller has the turn.
func (h *Handle) stop(d *device, detach bool) error {
	s := h.service
	s.mu.Lock()
	j := d.job
	if j != nil && j.h != h {
		j = nil
	}
	s.mu.Unlock()
	if j != nil && j.firmware {
		if !detach {
			return fail(E_BUSY, "a firmware update runs: wait for its last event")
		}
	} else if j != nil {
		if err := d.mech.Halt(s.ctx, Request{Owner: h.owner}); err != nil {
			s.opts.Log.Infof("upos %s: waiting for a payout that was not halted: %v", d.cfg.Name, err)
		}
		d.awaitHalted(j)
	}
	h.abandonDeposit(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	h.enabled = false
	h.powerState = PS_UNKNOWN
	return nil
}

// How long a payout that was halted is waited for while a machine is jammed or away, and how often that is looked at.
const (
	stuckTime = 2 * time.Second
	stuckLook = 250 * time.Millisecond
)

// awaitHalted waits for the end of a payout that was halted. A jam lasts until a person has come, and a lost machine may
// stay away: such a payout is left to the machinery, which sees it to its end. The device is busy with it until then.
func (d *device) awaitHalted(j *job) {
	s := d.service
	look := time.NewTicker(stuckLook)
	defer look.Stop()
	for stuck := time.Duration(0); stuck < stuckTime; stuck += stuckLook {
		select {
		case <-j.done:
			return
		case <-s.ctx.Done(): // the operation stays open in the ledger
			return
		case <-look.C:
		}
		if v := d.look(d.parts(), 0); !v.jam && v.online {
			stuck = 0
		}
	}
	s.opts.Log.Warnf("upos %s: %s is stuck; it ends when its machine is cleared or back", d.cfg.Name, j.method)
}

// close closes the handle. The caller has the turn.
func (c *call) close() (map[string]any, error) {
	h, d, s := c.h, c.d, c.h.service
	if err := h.stop(d, true); err != nil {
		return nil, err
	}
	s.mu.Lock()
	flashing := d.job != nil && d.job.h == h && d.job.firmware // then the claim outlives the handle
	var done chan struct{}
	if flashing {
		done = d.job.done
	}
	s.mu.Unlock()
	if flashing {
		go func() {
			<-done
			h.letGo(d)
		}()
	} else {
		h.letGo(d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h.discard(false)
	d.handles = slices.DeleteFunc(d.handles, func(x *Handle) bool { return x == h })
	h.gone()
	h.dev = nil
	h.poke()
	return nil, nil
}

// setPowerNotify writes PowerNotify. The caller holds mu.
func (h *Handle) setPowerNotify(n int32) error {
	switch {
	case n != PN_DISABLED && n != PN_ENABLED:
		return fail(E_ILLEGAL, "PowerNotify %d: use PN_DISABLED (%d) or PN_ENABLED (%d)", n, PN_DISABLED, PN_ENABLED)
	case h.enabled:
		return fail(E_ILLEGAL, "set PowerNotify while DeviceEnabled is false")
	case n == PN_ENABLED && h.caps.power == PR_NONE:
		return fail(E_ILLEGAL, "CapPowerReporting is PR_NONE")
	}
	h.powerNotify = n
	return nil
}

package upos

import (
	"context"
	"slices"
)

// device is a configured device with everything that its handles share.
type device struct {
	service *Service
	cfg     Config
	mech    Mechanism // nil for a CashDrawer
	drawer  Drawer    // nil for the others
	unwatch func()

	// Guarded by service.mu.
	holder  *Handle
	waiting []*waiter
	handles []*Handle
	job     *job
	last    []Part // the machines as the last change or enabling found them
	seen    view   // what the last status events said
	changes int    // how many changes came in
	counts  int    // calls that set a person's counts now: what comes of them is told at the end
	stats   statistics
	opened  bool          // of a drawer
	moved   chan struct{} // closed and replaced when it moves
}

func newDevice(s *Service, d Device) *device {
	dev := &device{service: s, cfg: d.Config}
	dev.stats.start(s.opts.Now())
	if d.Config.Class == CashDrawer {
		dev.drawer, dev.moved = d.Drawer, make(chan struct{})
		dev.opened, _ = d.Drawer.Opened()
		dev.unwatch = d.Drawer.Watch(dev.drawerMoved)
		return dev
	}
	dev.mech = d.Mechanism
	dev.unwatch = d.Mechanism.Watch(dev.changed)
	return dev
}

// parts asks the machinery how things stand; nil for a drawer. The caller does not hold mu.
func (d *device) parts() []Part {
	if d.mech == nil {
		return nil
	}
	return d.mech.Parts()
}

// shut closes every handle and stops watching.
func (d *device) shut() {
	d.service.mu.Lock()
	open := slices.Clone(d.handles)
	d.service.mu.Unlock()
	for _, h := range open {
		_ = h.Close() // E_CLOSED where its owner was faster
	}
	d.unwatch()
}

func (d *device) info() Info {
	parts := d.parts()
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	v := d.look(parts, 0)
	in := Info{Name: d.cfg.Name, Class: d.cfg.Class, Config: d.cfg, State: S_CLOSED, Handles: len(d.handles),
		Claimed: d.holder != nil, Online: v.online, Jammed: v.jam, Physical: physicalName(d, parts)}
	in.Config.Devices = slices.Clone(d.cfg.Devices)
	for _, h := range d.handles {
		in.State = max(in.State, h.stateNow())
		in.Enabled = in.Enabled || h.enabled
	}
	return in
}

// enabled calls f for every handle that has the device enabled. The caller holds mu.
func (d *device) enabled(f func(*Handle)) {
	for _, h := range d.handles {
		if h.enabled {
			f(h)
		}
	}
}

// changed takes a change of the machinery: money into the deposit at once, for somebody waits for it; the rest into
// events when it is known how the machines stand.
func (d *device) changed(c Change) {
	if len(c.Taken) > 0 {
		d.service.mu.Lock()
		d.took(c)
		d.service.mu.Unlock()
	}
	parts := d.mech.Parts()
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	d.changes++
	d.last = parts
	d.unusual(c, parts)
	if d.counts == 0 {
		d.report(parts)
	}
}

// counting has status events wait until the function that it returns is called: a machine whose level is lowered is empty
// for a moment, which is no news. The caller does not hold mu.
func (d *device) counting() (end func()) {
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	d.counts++
	return func() {
		for !d.counted() {
		}
	}
}

// counted ends one counting, unless something changed since it looked at the machines: then the news may be lost in what it
// saw.
func (d *device) counted() bool {
	d.service.mu.Lock()
	before := d.changes
	d.service.mu.Unlock()
	parts := d.parts()
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	if d.changes != before {
		return false
	}
	if d.counts--; d.counts == 0 {
		d.last = parts
		d.report(parts)
	}
	return true
}

// open opens the handle on a configured device.
func (h *Handle) open(name string) error {
	if open := h.Name(); open != "" {
		return fail(E_ILLEGAL, "%s is open already: close it first", open)
	}
	d, err := h.service.lookup(h.class, name)
	if err != nil {
		return err
	}
	parts := d.parts()
	if err := d.usable(parts); err != nil {
		return err
	}
	s := h.service
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return fail(E_NOSERVICE, "the service is stopping")
	case h.dev != nil:
		return fail(E_ILLEGAL, "%s is open already: close it first", h.dev.cfg.Name)
	}
	h.reset()
	h.life, h.gone = context.WithCancel(context.Background())
	h.dev = d
	h.caps = d.capabilities(parts)
	h.each, h.bills = nil, nil
	for i, p := range parts {
		h.each, h.bills = append(h.each, d.capabilities(parts[i:i+1])), append(h.bills, p.Bills)
	}
	h.currency = d.firstCurrency(parts)
	h.realTime = d.cfg.RealTimeData && h.caps.realTime
	d.handles = append(d.handles, h)
	if len(d.handles) == 1 {
		d.last, d.seen = parts, d.look(parts, 0)
	}
	return nil
}

// reset gives everything the value it has at open. The caller holds mu.
func (h *Handle) reset() {
	h.enabled, h.frozen, h.dataEnabled = false, false, false
	h.powerNotify, h.powerState = PN_DISABLED, PS_UNKNOWN
	h.healthText, h.binary = "", BC_NONE
	h.exit, h.part, h.async = 1, 0, false
	h.asyncCode, h.asyncExt = SUCCESS, 0
	h.deposit = deposit{}
	h.last = outcome{}
	h.queue, h.flight, h.overrun = nil, nil, false
}

// stateNow is the property State. The caller holds mu.
func (h *Handle) stateNow() int32 {
	switch {
	case h.dev == nil:
		return S_CLOSED
	case h.dev.job != nil && h.dev.job.h == h:
		return S_BUSY
	}
	return S_IDLE
}

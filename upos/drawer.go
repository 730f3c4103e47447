package upos

import (
	"context"
	"time"
)

// drawerMoved takes what the drawer reports to every instance that has it enabled.
func (d *device) drawerMoved(open bool) {
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	if d.opened == open {
		return
	}
	d.opened = open
	code := CASH_SUE_DRAWERCLOSED
	if open {
		code = CASH_SUE_DRAWEROPEN
	}
	d.enabled(func(h *Handle) {
		if h.caps.status {
			h.status(code, "DrawerOpened")
		}
		h.poke()
	})
	close(d.moved)
	d.moved = make(chan struct{})
}

// openDrawer opens the drawer.
func (c *call) openDrawer() (map[string]any, error) {
	s := c.h.service
	err := c.d.drawer.Open(c.ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		c.d.stats.add("DrawerFailedOpenCount", 1)
		return nil, wrap(err)
	}
	c.d.stats.add("DrawerGoodOpenCount", 1)
	return nil, nil
}

// waitForDrawerClose waits until the drawer is closed; where the drawer cannot tell, it returns at once. There is nothing
// to beep with, so the beep arguments are only checked.
func (c *call) waitForDrawerClose() (map[string]any, error) {
	for _, p := range c.member.Params {
		if c.int(p.Name) < 0 {
			return nil, fail(E_ILLEGAL, "%s %d is below zero", p.Name, c.int(p.Name))
		}
	}
	s := c.h.service
	for {
		s.mu.Lock()
		err := c.h.allowed(c.member.Access)
		d := c.h.dev
		var moved chan struct{}
		var life context.Context
		open := false
		if err == nil {
			moved, life, open = d.moved, c.h.life, d.opened && c.h.caps.status
		}
		s.mu.Unlock()
		if err != nil || !open {
			return nil, err
		}
		select {
		case <-moved:
		case <-life.Done():
			return nil, ErrClosed
		case <-time.After(time.Second): // another instance may have claimed it, or this one was disabled
		case <-c.ctx.Done():
			return nil, fail(E_TIMEOUT, "the caller gave up waiting for the drawer")
		}
	}
}

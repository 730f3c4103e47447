package upostest

import (
	"context"
	"sync"

	"coffer/upos"
)

// Drawer is a cash drawer that a test pushes shut. Blind: it cannot tell whether it is open.
type Drawer struct {
	Blind bool
	Err   error // of the next Open

	mu       sync.Mutex
	open     bool
	watchers []func(bool)
}

var _ upos.Drawer = (*Drawer)(nil)

// Open implements upos.Drawer.
func (d *Drawer) Open(context.Context) error {
	if err := d.Err; err != nil {
		d.Err = nil
		return err
	}
	d.Move(true)
	return nil
}

// Move opens or shuts the drawer.
func (d *Drawer) Move(open bool) {
	d.mu.Lock()
	d.open = open
	fs := append([]func(bool){}, d.watchers...)
	d.mu.Unlock()
	for _, f := range fs {
		if f != nil && !d.Blind {
			f(open)
		}
	}
}

// Opened implements upos.Drawer.
func (d *Drawer) Opened() (open, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open && !d.Blind, !d.Blind
}

// Watch implements upos.Drawer.
func (d *Drawer) Watch(f func(bool)) func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := len(d.watchers)
	d.watchers = append(d.watchers, f)
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.watchers[i] = nil
	}
}

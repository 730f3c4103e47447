package devices

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/cash"
	"coffer/ssp"
)

// errRekeyed ends a connection whose key is to be agreed anew.
var errRekeyed = fmt.Errorf("%w: another session key", cash.ErrNotConnected)

// OpenKeyed is Open with the fixed half of the session key that the machine is known to have. A machine that is driven
// with that key already stays as it is; any other is connected anew with it, and goes back to the key from before where
// it does not answer to the new one. Errors: those of Open; cash.ErrBusy while an operation runs or money comes in;
// cash.ErrUnauthorized where the machine answered before and does not with that key. Of several calls each waits for the end
// of the one before.
func (s *Station) OpenKeyed(ctx context.Context, port string, addr ssp.Address, key uint64) (Device, error) {
	select {
	case <-s.running:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	b, err := s.obtain(ctx, port, addr, SessionKey(key))
	if err != nil {
		return nil, err
	}
	select {
	case b.keying <- struct{}{}: // else a key that another call tries would be taken for the one from before
	case <-ctx.Done():
		s.settle(b, false)
		return nil, fmt.Errorf("open %s address %d: %w", port, addr, ctx.Err())
	}
	before, answered := b.key(), b.Snapshot().Connected
	if before == key && !answered { // it may be away for long, and keeps nobody waiting
		<-b.keying
		return s.opened(ctx, b)
	}
	defer func() { <-b.keying }()
	if before == key {
		return s.opened(ctx, b)
	}
	if err := b.rekey(ctx, key); err != nil {
		s.settle(b, false)
		return nil, fmt.Errorf("open %s address %d: %w", port, addr, err)
	}
	d, err := s.opened(ctx, b)
	if err == nil {
		return d, nil
	}
	if back := b.rekey(context.WithoutCancel(ctx), before); back != nil {
		b.log.WithError(back).Error("the session key from before could not be taken up again")
	}
	if answered {
		found, stop := context.WithTimeout(context.WithoutCancel(ctx), openAnswer)
		defer stop()
		_ = b.wait(found, func(s *Snapshot) bool { return s.Connected }) // who asks next finds it as it was
		return nil, fmt.Errorf("%w: the machine does not have this session key: %w", cash.ErrUnauthorized, err)
	}
	return nil, err
}

// HasKey says whether the machine there is driven with key as the fixed half of its session key, so that OpenKeyed would
// leave it as it is.
func (s *Station) HasKey(port string, addr ssp.Address, key uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.find(port)
	if l == nil {
		return false
	}
	b := l.at(addr)
	return b != nil && b.key() == key
}

// opened waits for b, which the caller has obtained, under the limits of Open.
func (s *Station) opened(ctx context.Context, b *Base) (Device, error) {
	err := b.awaitReady(ctx)
	s.settle(b, err == nil)
	if err != nil {
		return nil, fmt.Errorf("open %s address %d: %w", b.cfg.port, b.cfg.device.Address, err)
	}
	return b.current(), nil
}

// keyed is a peer whose fixed key can be changed; *line.Peer is one.
type keyed interface{ SetFixedKey(key uint64) }

// key returns the fixed half of the session key in force.
func (b *Base) key() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fixedKey
}

// rekey makes key the fixed half of the session key. A machine that is connected is connected anew; it shows as not
// ready when rekey returns.
func (b *Base) rekey(ctx context.Context, key uint64) error {
	p, ok := b.cfg.peer.(keyed)
	if !ok {
		return cash.ErrUnsupported
	}
	set := func() {
		b.fixedKey = key
		b.rekeyed++
		p.SetFixedKey(key)
	}
	for {
		err := b.rekeyConnected(ctx, set)
		if !errors.Is(err, cash.ErrNotConnected) {
			return err
		}
		b.mu.Lock()
		away := !b.Snapshot().Connected
		if away { // the next attempt to connect takes it up, and one that runs is in vain
			set()
		}
		b.mu.Unlock()
		if away {
			return nil
		}
	}
}

// rekeyConnected ends the connection for another key, which set makes known while b.mu is held.
func (b *Base) rekeyConnected(ctx context.Context, set func()) error {
	return b.do(ctx, NeedAnswer, nil, func(c *Core) error {
		if c.op.running || (c.driver != nil && c.driver.Busy()) || c.pic.Escrow != nil {
			return cash.ErrBusy
		}
		b.mu.Lock()
		set()
		b.mu.Unlock()
		c.lost = errRekeyed
		c.Edit(func(s *Snapshot) { s.Connected, s.Ready, s.Error = false, false, "another session key" })
		return nil
	})
}

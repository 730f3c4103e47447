package devices

import (
	"context"

	"coffer/internal/cash"
)

// Core is a device as its own goroutine sees it, and what a Driver works with. It is used by that goroutine alone.
type Core struct{ base *Base }

func (c *Core) accept(on bool) error                           { return cash.ErrUnsupported }
func (c *Core) reset() error                                   { return cash.ErrUnsupported }
func (c *Core) setInhibits(d []cash.Denom, inhibit bool) error { return cash.ErrUnsupported }
func (c *Core) exchange(cmd []byte) ([]byte, error)            { return nil, cash.ErrUnsupported }

// ReadAccount reads levels and counters from the machine now, and with moved what its last operation moved.
func (c *Core) ReadAccount(moved bool) (*cash.Account, error) { return nil, cash.ErrUnsupported }

// StateRule says how an event code shows in the device's state.
type StateRule struct{ State cash.State }

func (b *Base) run(ctx context.Context) { defer close(b.done); <-ctx.Done() }

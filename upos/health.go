package upos

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"coffer/internal/cash"
)

// healthTime is how long a check waits for one machine.
const healthTime = 10 * time.Second

// checkHealth asks the machines for a sign of life (internal) or reads their stores (external). Sick machines are told in
// CheckHealthText, not by an error. There is nothing interactive.
func (c *call) checkHealth() (map[string]any, error) {
	level := c.int("level")
	var kind string
	var check func(ctx context.Context, part int) error
	switch {
	case level == CH_INTERNAL && c.d.mech != nil:
		kind, check = "Internal", c.d.mech.Ping
	case level == CH_EXTERNAL && c.d.mech != nil:
		kind, check = "External", c.readStore
	case level == CH_INTERNAL:
		kind = "Internal"
	default:
		return nil, fail(E_ILLEGAL, "level %d is not supported: use CH_INTERNAL (%d), or with machines CH_EXTERNAL (%d)", level, CH_INTERNAL, CH_EXTERNAL)
	}
	if err := c.idle(); err != nil {
		return nil, err
	}
	var sick []string
	for i, p := range c.parts {
		ctx, cancel := context.WithTimeout(c.ctx, healthTime)
		err := check(ctx, i)
		cancel()
		switch {
		case err != nil:
			sick = append(sick, fmt.Sprintf("%s: %v", cmp.Or(p.ID, p.Model), err))
		case p.Jammed:
			sick = append(sick, p.ID+": jammed")
		case p.BoxOut:
			sick = append(sick, p.ID+": cashbox removed")
		}
	}
	text := kind + " HCheck: Successful"
	if sick != nil {
		text = kind + " HCheck: Not Successful (" + strings.Join(sick, "; ") + ")"
	}
	s := c.h.service
	s.mu.Lock()
	defer s.mu.Unlock()
	c.h.healthText = text
	return nil, nil
}

// readStore reads the counts of one part. One without a store has nothing to read and answers to a ping.
func (c *call) readStore(ctx context.Context, part int) error {
	if len(c.parts[part].Holds) == 0 {
		return c.d.mech.Ping(ctx, part)
	}
	r := c.request()
	r.Parts = []int{part}
	_, _, err := c.d.mech.Counts(ctx, r, cash.Payout)
	return err
}

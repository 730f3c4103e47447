package cashdevice

import (
	"context"
	"fmt"
	"strings"

	"coffer/devices"
	"coffer/internal/cash"
)

// as returns the machine of the view as one that can do T: cash.ErrUnsupported where it cannot.
func as[T any](c *call) (T, error) {
	var none T
	d, err := c.device()
	if err != nil {
		return none, err
	}
	m, ok := d.(T)
	if !ok {
		return none, cash.ErrUnsupported
	}
	return m, nil
}

// tell runs f on a machine that can do T by way of the till, under the name, and answers text.
func tell[T any](c *call, name, text string, f func(context.Context, T) error) (any, error) {
	return c.change(name, text, func(ctx context.Context, d devices.Device) error {
		m, ok := d.(T)
		if !ok {
			return cash.ErrUnsupported
		}
		return f(ctx, m)
	})
}

// bareNumber reads the body as one integer of [low, high], or the first of the query parameters that is there: many
// programs cannot send a body with GET.
func (c *call) bareNumber(low, high int64, queries ...string) (int64, error) {
	v, err := c.bare()
	if err != nil {
		return 0, err
	}
	for _, q := range queries {
		if text := c.query[strings.ToLower(q)]; v == nil && text != "" {
			v = text
		}
	}
	if n, ok := asInt(v); ok && n >= low && n <= high {
		return n, nil
	}
	return 0, fault("$", fmt.Sprintf("An integer from %d to %d is expected.", low, high))
}

// bareFlag reads the body as one boolean; none is absent.
func (c *call) bareFlag(absent bool) (bool, error) {
	v, err := c.bare()
	if err != nil || v == nil {
		return absent, err
	}
	on, ok := asBool(v)
	if !ok {
		return false, fault("$", "A JSON boolean is expected.")
	}
	return on, nil
}

// bareCounts reads the body as one count a channel of the machine.
func (c *call) bareCounts() (cash.Counts, error) {
	v, err := c.bare()
	if err != nil {
		return nil, err
	}
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	return perChannel(d.Snapshot(), v)
}

// perChannel reads one count a channel, as 0 too. A denomination that has two channels gets the sum.
func perChannel(s *devices.Snapshot, v any) (cash.Counts, error) {
	n, ok := counts(v)
	if !ok || len(n) != len(s.Channels) {
		return nil, fault("$", fmt.Sprintf("An array of %d counts is expected, one for each channel of the device.", len(s.Channels)))
	}
	out := cash.Counts{}
	for i, ch := range s.Channels {
		out[ch.Denom] += n[i]
	}
	return out, nil
}

// required reads an integer of [low, high] that must be there.
func (f *form) required(low, high int64, names ...string) int64 {
	if v, name := f.get(names...); v == nil {
		f.wrong(name, fmt.Sprintf("An integer from %d to %d", low, high))
		return 0
	}
	return f.number(low, high, names...)
}

// memory is what endpoints have read of a machine since it was opened. GetCompleteCashDevice shows it.
type memory struct {
	options    *devices.Options
	fault      [2]byte // global error code
	lifter     devices.LifterStatus
	service    string
	noPayin    int
	acceptance string
	clock      string
	cashbox    string
	unknown    int // coins in the cashbox that the machine could not tell
	payout     int // coins of the payout that was tested last
	barcode    *devices.BarcodeConfig
	ticket     *devices.Ticket
	cassette   string // RC_MODE_…
	inCassette int
}

// remember changes what is kept of the machine.
func (c *call) remember(f func(*memory)) {
	c.view.mu.Lock()
	defer c.view.mu.Unlock()
	f(&c.view.known)
}

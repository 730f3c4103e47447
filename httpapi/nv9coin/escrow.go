package nv9coin

import (
	"context"
	"errors"

	"coffer/devices"
	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/till"
)

// decide tells the note in escrow where to go and waits until it is there.
func (c *call) decide(ctx context.Context, tell func(context.Context, till.Call, devices.Device) error, read func(cash.Event) verdict) (any, error) {
	d, s := c.api.machine(c.api.Notes)
	if s == nil || !s.Connected {
		return nil, errNote.because(cash.ErrNotConnected)
	}
	events := c.api.Bus.Cursor(s.ID)
	defer events.Close()
	switch err := tell(ctx, c.by(""), d); {
	case errors.Is(err, cash.ErrNothing):
		return nil, errNoEscrow
	case err != nil:
		return nil, orBusy(err, errNote)
	}
	ctx, cancel := context.WithTimeout(ctx, escrowLimit)
	defer cancel()
	if err := follow(ctx, events, read); err != nil {
		return nil, errNote.because(err)
	}
	return nil, nil
}

// follow reads events until the note has arrived. A note that is ours counts as arrived where nothing more is told of it.
func follow(ctx context.Context, events *bus.Cursor, read func(cash.Event) verdict) error {
	ours := false
	for {
		e, err := events.Next(ctx)
		if errors.Is(err, cash.ErrGap) {
			continue
		}
		if err == nil {
			err = ended(e.Event)
		}
		switch {
		case err != nil && ours:
			return nil
		case err != nil:
			return err
		}
		switch read(e.Event) {
		case credited:
			ours = true
			var stop context.CancelFunc
			ctx, stop = context.WithTimeout(ctx, escrowLimit/10)
			defer stop()
		case arrived:
			return nil
		case lost:
			return errElsewhere
		}
	}
}

var errElsewhere = errors.New("the note went the other way")

// ended says why nothing more is to be expected of a note, nil if something is.
func ended(e cash.Event) error {
	switch e := e.(type) {
	case cash.Jammed:
		return cash.ErrJam
	case cash.StateChanged:
		if e.State == cash.StateNotConnected {
			return cash.ErrNotConnected
		}
	}
	return nil
}

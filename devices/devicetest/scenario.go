package devicetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

// Play drives the machines of the rigs, which are on one world, with their acceptors on, plays the scenario to them, and
// fails the test unless it ends well and the books are the truth.
func Play(t *testing.T, story *sim.Scenario, rigs ...*Rig) {
	t.Helper()
	on := stage{Stage: rigs[0].World.Stage(), driven: map[sim.Target]*bench{}}
	for _, r := range rigs {
		b := drive(t, r, devices.DeviceConfig{}, false)
		b.accept()
		on.driven[sim.Target{Port: r.Machine.Line().Port(), Address: int(r.Machine.Address())}] = b
	}
	if err := story.Play(t.Context(), on, t.Logf); err != nil {
		t.Fatal(err)
	}
	for _, b := range on.driven {
		b.settled()
	}
}

// stage is the world, with somebody who pays.
type stage struct {
	sim.Stage
	driven map[sim.Target]*bench
}

// Clear implements sim.Stage.
func (s stage) Clear(_ context.Context, at sim.Target) error {
	b := s.driven[at]
	if b == nil {
		return fmt.Errorf("%w: nobody drives %s", sim.ErrUnknown, at.Port)
	}
	b.till.trust(nil)
	return nil
}

// Pay implements sim.Stage.
func (s stage) Pay(ctx context.Context, at sim.Target, value int64, currency string) error {
	b := s.driven[at]
	if b == nil {
		return fmt.Errorf("%w: nobody drives %s", sim.ErrUnknown, at.Port)
	}
	err := b.dev.(devices.Payer).StartPayout(ctx, cash.Amount{Value: value, Currency: cash.Currency(currency)})
	if errors.Is(err, cash.ErrBusy) || errors.Is(err, cash.ErrNotConnected) || errors.Is(err, cash.ErrDisabled) {
		return fmt.Errorf("%w: %w", sim.ErrRefused, err)
	}
	return err
}

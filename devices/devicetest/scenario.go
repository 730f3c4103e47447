package devicetest

import (
	"testing"

	"coffer/devices"
	"coffer/devices/sim"
)

// Play drives the machines of the rigs, which are on one world, with their acceptors on, plays the scenario to them, and
// fails the test unless it ends well and the books are the truth.
func Play(t *testing.T, story *sim.Scenario, rigs ...*Rig) {
	t.Helper()
	var driven []*bench
	for _, r := range rigs {
		b := drive(t, r, devices.DeviceConfig{})
		b.accept()
		driven = append(driven, b)
	}
	if err := story.Play(t.Context(), rigs[0].World.Stage(), t.Logf); err != nil {
		t.Fatal(err)
	}
	for _, b := range driven {
		b.settled()
	}
}

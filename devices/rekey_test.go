package devices_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/devices/line"
	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Three machines that have the maker's key: one configured right, one configured with another key, and one that is not
// configured.
func TestOpenKeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := sim.NewWorld(nil)
		defer world.Close()
		openers := map[string]line.Opener{}
		for _, port := range []string{"COM5", "COM6"} {
			l := world.AddLine(port)
			if _, err := l.AddMachine(0, "spectral-payout", sim.Options{Currency: "EUR"}); err != nil {
				t.Fatal(err)
			}
			if _, err := l.AddMachine(16, "scs", sim.Options{Currency: "EUR"}); err != nil {
				t.Fatal(err)
			}
			openers[port] = line.ConnOpener(l.Pipe())
		}
		log := logrus.New()
		log.SetOutput(io.Discard)
		station := devices.NewStation([]devices.LineConfig{
			{Port: "COM5", Devices: []devices.DeviceConfig{{}}},
			{Port: "COM6", Devices: []devices.DeviceConfig{{FixedKey: 4711}}},
		}, openers, families, &sink{h: &history{}}, log)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = station.Run(ctx)
		}()
		defer func() {
			stop()
			<-ended
		}()
		<-station.Tried()

		right, err := station.OpenKeyed(t.Context(), "COM5", 0, ssp.DefaultFixedKey)
		if err != nil || !right.Snapshot().Ready {
			t.Fatalf("the key in force: %v", err)
		}
		if _, err := station.OpenKeyed(t.Context(), "COM5", 0, 1<<63); !errors.Is(err, cash.ErrUnauthorized) {
			t.Errorf("a key that the machine does not have: %v", err)
		}
		if d, err := station.Open(t.Context(), "COM5", 0); err != nil || !d.Snapshot().Encrypted {
			t.Errorf("after a wrong key the machine is not driven with the right one: %v", err)
		}
		if _, err := station.Open(t.Context(), "COM6", 0); !errors.Is(err, cash.ErrNotConnected) {
			t.Errorf("configured with another key: %v", err)
		}
		if _, err := station.OpenKeyed(t.Context(), "COM6", 0, ssp.DefaultFixedKey); err != nil {
			t.Errorf("the right key in place of a configured one: %v", err)
		}
		if _, err := station.OpenKeyed(t.Context(), "COM6", 16, 12); !errors.Is(err, cash.ErrNotConnected) {
			t.Errorf("a machine that is not configured, with a key that it does not have: %v", err)
		}
		if d, err := station.OpenKeyed(t.Context(), "COM6", 16, ssp.DefaultFixedKey); err != nil || d.Snapshot().Model != "SMART_COIN_SYSTEM" {
			t.Errorf("a machine that is not configured: %v", err)
		}
	})
}

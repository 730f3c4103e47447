package devices_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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
		var wrong sync.WaitGroup // a try that begins within another does not take its key for the one from before
		for i := range uint64(3) {
			wrong.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				if _, err := station.OpenKeyed(t.Context(), "COM5", 0, 1<<62+i); !errors.Is(err, cash.ErrUnauthorized) {
					t.Errorf("wrong key %d of several: %v", i, err)
				}
			})
		}
		time.Sleep(500 * time.Millisecond)
		if _, err := station.OpenKeyed(t.Context(), "COM5", 0, ssp.DefaultFixedKey); err != nil {
			t.Errorf("the right key while another is tried: %v", err)
		}
		wrong.Wait()
		if _, err := station.Open(t.Context(), "COM5", 0); err != nil {
			t.Errorf("after several wrong keys: %v", err)
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

// keyedMachine notes the key that its session has.
type keyedMachine struct {
	*machine
	set, session atomic.Uint64
}

func (m *keyedMachine) SetFixedKey(key uint64) { m.set.Store(key) }

func (m *keyedMachine) Negotiate(ctx context.Context) error {
	m.session.Store(m.set.Load())
	return m.machine.Negotiate(ctx)
}

// A device that is given another key shows as connected with that key only, at whatever moment of a connection it comes.
func TestRekeyWhileConnecting(t *testing.T) {
	for wait := time.Duration(0); wait < 200*time.Millisecond; wait += time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			m := &keyedMachine{machine: &machine{t: t, h: &history{}, tables: map[string][]byte{}, idle: []byte{0xF0}}}
			asRecycler(m.machine)
			log := logrus.New()
			log.SetOutput(io.Discard)
			dev := devices.NewTestDevice(devices.DeviceConfig{}, m, families, &sink{h: m.h}, log)
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				dev.Run(ctx)
			}()
			defer func() {
				stop()
				<-ended
			}()
			time.Sleep(wait)
			if err := dev.Rekey(t.Context(), 4711); err != nil {
				t.Fatal(err)
			}
			err := dev.Wait(t.Context(), func(s *devices.Snapshot) bool { return s.Connected })
			if key := m.session.Load(); err != nil || key != 4711 {
				t.Errorf("after %v: connected with the key %d, %v", wait, key, err)
			}
		})
	}
}

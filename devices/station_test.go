package devices_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"coffer/devices"
	"coffer/devices/line"
	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/ssp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hall is a station and the world of its machines.
type hall struct {
	*testing.T
	world   *sim.World
	station *devices.Station
	lines   map[string]*sim.Line
	stop    context.CancelFunc
	ended   chan struct{}
	log     logText
}

// logText collects what is logged.
type logText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// count says how often a text was logged.
func (l *logText) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// place is a machine of a hall.
type place struct {
	port    string
	address ssp.Address
	profile string // "" for nothing
}

// newHall starts a station over the places, all configured.
func newHall(t *testing.T, places ...place) *hall {
	t.Helper()
	h := &hall{T: t, world: sim.NewWorld(nil), lines: map[string]*sim.Line{}, ended: make(chan struct{})}
	t.Cleanup(func() { _ = h.world.Close() })
	h.ok(h.world.SetSpeed(100))
	var cfg []devices.LineConfig
	openers := map[string]line.Opener{}
	for _, p := range places {
		l := h.lines[p.port]
		if l == nil {
			l = h.world.AddLine(p.port)
			h.lines[p.port], openers[p.port] = l, line.ConnOpener(l.Pipe())
			cfg = append(cfg, devices.LineConfig{Port: p.port, ReplyTimeout: 100 * time.Millisecond})
		}
		c := &cfg[len(cfg)-1]
		c.Devices = append(c.Devices, devices.DeviceConfig{Address: p.address, Poll: 20 * time.Millisecond})
		if p.profile != "" {
			_, err := l.AddMachine(p.address, p.profile, sim.Options{Currency: "EUR"})
			h.ok(err)
		}
	}
	log := logrus.New()
	log.SetOutput(&h.log)
	h.station = devices.NewStation(cfg, openers, families, &sink{h: &history{}}, log)
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	go func() {
		defer close(h.ended)
		_ = h.station.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-h.ended
	})
	return h
}

func (h *hall) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *hall) open(port string, addr ssp.Address) devices.Device {
	h.Helper()
	d, err := h.station.Open(h.Context(), port, addr)
	h.ok(err)
	return d
}

// until waits until ok holds for the device's picture, under a deadline.
func (h *hall) until(d devices.Device, what string, ok func(*devices.Snapshot) bool) {
	h.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !ok(d.Snapshot()) {
		select {
		case <-tick.C:
		case <-deadline:
			h.Fatalf("not %s: %+v", what, d.Snapshot())
		}
	}
}

func (h *hall) tried() {
	h.Helper()
	select {
	case <-h.station.Tried():
	case <-time.After(20 * time.Second):
		h.Fatal("the devices were not tried")
	}
}

func TestTwoMachinesOnOneLine(t *testing.T) {
	t.Parallel()
	h := newHall(t, place{"COM7", 0, "nv9"}, place{"COM7", 16, "scs"}, place{"COM5", 0, "spectral-payout"})
	h.tried()
	var names []string
	for _, l := range h.station.Lines() {
		for _, d := range l.Devices {
			names = append(names, string(d.Snapshot().ID))
		}
	}
	if got := strings.Join(names, " "); got != "NOTE_VALIDATOR-COM7 SMART_COIN_SYSTEM-COM7 SPECTRAL_PAYOUT-COM5" {
		t.Errorf("devices %s", got)
	}
	for _, id := range names {
		if d, ok := h.station.Device(cash.DeviceID(strings.ToLower(id))); !ok || !d.Snapshot().Ready {
			t.Errorf("%s: %v", id, ok)
		}
	}
	if _, ok := h.station.Device("NOTE_VALIDATOR-COM5"); ok {
		t.Error("found a device that is not there")
	}
	if _, ok := h.station.Device(""); ok {
		t.Error("found a device without a name")
	}
	h.ok(h.open("COM7", 16).Enable(t.Context()))
	if s := h.open("COM7", 0).Snapshot(); s.AcceptorEnabled {
		t.Error("enabling one machine of a line has enabled the other")
	}
	if l, ok := h.station.Trace("COM7"); !ok || len(l.Trace()) == 0 {
		t.Error("no trace")
	}
}

// The second machine of a model on a line has its address in its name.
func TestTwoMachinesOfOneModel(t *testing.T) {
	t.Parallel()
	h := newHall(t, place{"COM7", 16, "scs"}, place{"COM7", 17, "scs"})
	if id := h.open("COM7", 17).Snapshot().ID; id != "SMART_COIN_SYSTEM-COM7@17" {
		t.Errorf("the second is called %s", id)
	}
	if id := h.open("COM7", 16).Snapshot().ID; id != "SMART_COIN_SYSTEM-COM7" {
		t.Errorf("the first is called %s", id)
	}
}

func TestDeviceThatIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHall(t, place{"COM7", 0, "nv9"}, place{"COM7", 16, ""})
	h.tried()
	if _, err := h.station.Open(t.Context(), "COM7", 16); !errors.Is(err, cash.ErrNotConnected) {
		t.Errorf("opened: %v", err)
	}
	devs := h.station.Devices()
	if len(devs) != 2 || devs[1].Snapshot().ID != "" {
		t.Errorf("devices %v", devs)
	}
	if why := devs[1].Snapshot().Error; !strings.HasSuffix(why, "no answer, see to its power, cable and SSP address") {
		t.Errorf("why not: %s", why)
	}
	if err := devs[1].Enable(t.Context()); !errors.Is(err, cash.ErrNotConnected) {
		t.Errorf("enabled: %v", err)
	}
	if _, err := h.station.Open(t.Context(), "/dev/there-is-no-such-port", 0); !errors.Is(err, cash.ErrNotConnected) {
		t.Errorf("opened: %v", err)
	}
	if n := len(h.station.Lines()); n != 1 {
		t.Errorf("%d lines after a port that cannot be opened", n)
	}
	h.station.Release("NOTE_VALIDATOR-COM7") // configured: stays
	if _, ok := h.station.Device("NOTE_VALIDATOR-COM7"); !ok {
		t.Error("a configured device was released")
	}
}

func TestAdHoc(t *testing.T) {
	t.Parallel()
	h := newHall(t, place{"COM7", 0, "nv9"})
	l := h.world.AddLine("far")
	m, err := l.AddMachine(16, "scs", sim.Options{Currency: "EUR"})
	h.ok(err)
	addr, err := l.ListenTCP("127.0.0.1:0")
	h.ok(err)
	port := "tcp://" + addr.String()
	for range 2 {
		d := h.open(port, 16)
		if got, want := d.Snapshot().ID, cash.DeviceID("SMART_COIN_SYSTEM-"+port); got != want {
			t.Errorf("called %s, want %s", got, want)
		}
		if again := h.open(port, 16); again != d {
			t.Error("opened twice, two devices")
		}
		h.ok(d.Enable(t.Context()))
		h.station.Release(d.Snapshot().ID)
		if m.Truth().Enabled {
			t.Error("released with its acceptor on")
		}
		if n := len(h.station.Lines()); n != 1 {
			t.Errorf("%d lines after the release", n)
		}
		if err := d.Enable(t.Context()); !errors.Is(err, cash.ErrNotConnected) {
			t.Errorf("a released device: %v", err)
		}
	}
	// A machine beside the configured one, on its line.
	_, err = h.lines["COM7"].AddMachine(16, "scs", sim.Options{Currency: "EUR"})
	h.ok(err)
	d := h.open("COM7", 16)
	h.station.Release(d.Snapshot().ID)
	if n := len(h.station.Devices()); n != 1 {
		t.Errorf("%d devices after the release", n)
	}
}

// Whoever opens a machine while another client gives it up gets one that works, at whatever moment.
func TestOpenWhileReleased(t *testing.T) {
	for wait := time.Millisecond; wait < 300*time.Millisecond; wait += 3 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			h := newHall(t, place{"COM7", 0, "nv9"})
			_, err := h.lines["COM7"].AddMachine(16, "scs", sim.Options{Currency: "EUR"})
			h.ok(err)
			h.ok(h.open("COM7", 16).Enable(h.Context()))
			var all sync.WaitGroup
			all.Go(func() { h.station.Release("SMART_COIN_SYSTEM-COM7") })
			time.Sleep(wait)
			d := h.open("COM7", 16)
			all.Wait()
			if err := d.Enable(h.Context()); err != nil || d.Snapshot().ID != "SMART_COIN_SYSTEM-COM7" {
				t.Errorf("opened %v after the release: %v, %+v", wait, err, d.Snapshot())
			}
		})
	}
}

// A machine that somebody opens while a download to it runs stays open behind it, and one that is given up meanwhile is
// driven to the download's end.
func TestOpenAndReleaseAroundADownload(t *testing.T) {
	for wait := time.Duration(0); wait < 20*time.Second; wait += 730 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			h := newHall(t, place{"COM7", 0, "nv9"})
			_, err := h.lines["COM7"].AddMachine(16, "scs", sim.Options{Currency: "EUR"})
			h.ok(err)
			opened := make(chan error, 1)
			go func() {
				time.Sleep(wait)
				d, err := h.station.Open(h.Context(), "COM7", 16)
				for err == nil && !d.Snapshot().Ready {
					time.Sleep(10 * time.Millisecond)
				}
				opened <- err
			}()
			h.ok(h.station.Download(h.Context(), devices.Download{Port: "COM7", Address: 16, Image: anImage(kindCoins)}))
			err = <-opened
			time.Sleep(time.Second)
			if n := len(h.station.Devices()); err == nil && n != 2 {
				t.Errorf("opened after %v: %d devices behind the download", wait, n)
			}
			h.station.Release("SMART_COIN_SYSTEM-COM7")
			if n := len(h.station.Devices()); n != 1 {
				t.Errorf("opened after %v (%v): %d devices in the end", wait, err, n)
			}

			d := h.open("COM7", 16)
			go func() {
				time.Sleep(wait)
				h.station.Release("SMART_COIN_SYSTEM-COM7")
			}()
			err = h.station.Download(h.Context(), devices.Download{Port: "COM7", Address: 16, Image: anImage(kindCoins)})
			if err != nil {
				t.Errorf("released after %v: %v, %+v", wait, err, d.Snapshot())
			}
			time.Sleep(20 * time.Second)
			if n := len(h.station.Devices()); n != 1 {
				t.Errorf("released after %v: %d devices in the end", wait, n)
			}
		})
	}
}

// Stopping turns the acceptors off before the line closes.
func TestStationStops(t *testing.T) {
	t.Parallel()
	h := newHall(t, place{"COM5", 0, "spectral-payout"}, place{"COM7", 0, "nv9"})
	for _, port := range []string{"COM5", "COM7"} {
		h.ok(h.open(port, 0).Enable(t.Context()))
	}
	h.stop()
	<-h.ended
	for _, m := range h.world.Machines() {
		if m.Truth().Enabled {
			t.Errorf("%s is still accepting", m.Profile())
		}
	}
	if _, err := h.station.Open(t.Context(), "COM5", 0); err == nil {
		t.Error("opened after the end")
	}
}

func TestOpenGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	h := newHall(t, place{"COM5", 0, ""})
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := h.station.Open(ctx, "COM5", 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// TestFaultBringsItsFrames: the line's last frames go to the log with the first report of a fault, not with each.
func TestFaultBringsItsFrames(t *testing.T) {
	t.Parallel()
	h := newHall(t, place{"COM5", 0, "spectral-payout"})
	d := h.open("COM5", 0)
	if n := h.log.count("wire trace"); n != 0 {
		t.Fatalf("%d wire traces before anything went wrong", n)
	}
	m, _ := h.world.Machine("COM5", 0)
	for range 2 {
		h.ok(m.Fault(sim.Fault{Kind: "jam"}))
		h.until(d, "jammed", func(s *devices.Snapshot) bool { return s.Jammed })
		h.ok(m.Fault(sim.Fault{Kind: "unjam"}))
		h.until(d, "free", func(s *devices.Snapshot) bool { return !s.Jammed })
	}
	if n := h.log.count("wire trace"); n != 1 {
		t.Errorf("%d wire traces in the log for two jams within a minute, want 1", n)
	}
	if h.log.count("SETUP REQUEST") == 0 {
		t.Error("the trace does not hold the frames before the fault")
	}
}

// A jam that lasts does not look cleared while its machine connects again, and one that was cleared meanwhile does not
// look as if it lasted. A cashbox that came back meanwhile is back.
func TestConditionsOverReconnect(t *testing.T) {
	for _, lasts := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			h := newHall(t, place{"COM7", 0, "spectral-payout"})
			d := h.open("COM7", 0)
			for _, kind := range []string{sim.FaultPayoutJam, sim.FaultStackerFull, sim.FaultCashboxRemoved} {
				h.ok(h.machine(0).Fault(sim.Fault{Kind: kind}))
			}
			all := func(s *devices.Snapshot) bool { return s.Jammed && s.StackerFull && s.CashboxRemoved }
			h.until(d, "all of it", all)
			h.ok(h.machine(0).Fault(sim.Fault{Kind: sim.FaultUnplug}))
			h.until(d, "away", func(s *devices.Snapshot) bool { return !s.Connected })
			if !lasts {
				for _, kind := range []string{sim.FaultUnjam, sim.FaultStackerOK, sim.FaultCashboxReplaced} {
					h.ok(h.machine(0).Fault(sim.Fault{Kind: kind}))
				}
			}
			h.ok(h.machine(0).Fault(sim.Fault{Kind: sim.FaultDelay, ForMS: 5})) // so that a moment can be seen
			h.ok(h.machine(0).Fault(sim.Fault{Kind: sim.FaultPlug}))
			for range 10_000 {
				if s := d.Snapshot(); lasts && !all(s) {
					t.Fatalf("cleared for a moment: %+v", s)
				}
				time.Sleep(time.Millisecond)
			}
			if s := d.Snapshot(); !s.Connected || s.Jammed != lasts || s.StackerFull != lasts || s.CashboxRemoved != lasts {
				t.Errorf("lasts %v: %+v", lasts, s)
			}
		})
	}
}

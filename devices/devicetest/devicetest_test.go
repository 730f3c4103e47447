package devicetest_test

import (
	"flag"
	"runtime"
	"testing"

	"go.uber.org/goleak"

	"coffer/devices/devicetest"
	"coffer/devices/line"
	"coffer/devices/sim"
	"coffer/ssp"
)

// TestMain lets many cases run at a time: they wait for machines, and hardly compute.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("8")
	}
	goleak.VerifyTestMain(m)
}

// machines are the profiles that the drivers are for.
var machines = []struct {
	profile string
	address ssp.Address
	levels  map[int64]int
}{
	{"spectral-payout", 0, map[int64]int{500: 4, 1000: 4, 2000: 8}},
	{"nv22", 0, map[int64]int{500: 4, 2000: 8}},
	{"nv11", 0, map[int64]int{500: 8}},
	{"nv4000", 0, map[int64]int{500: 4, 1000: 4, 2000: 8}},
	{"nv200", 0, nil},
	{"scu", 0, nil},
	{"scs", 16, coins},
	{"hopper3", 16, coins},
	{"hopper4", 16, coins},
	{"twin", 16, coins},
}

var coins = map[int64]int{10: 50, 20: 50, 50: 50, 100: 50, 200: 50}

func rig(t *testing.T, profile string, address ssp.Address, levels map[int64]int) (*devicetest.Rig, *sim.Line) {
	t.Helper()
	world := sim.NewWorld(t.Logf)
	t.Cleanup(func() { _ = world.Close() })
	if err := world.SetSpeed(100); err != nil {
		t.Fatal(err)
	}
	l := world.AddLine("COM5")
	m, err := l.AddMachine(address, profile, sim.Options{Currency: "EUR", Levels: levels})
	if err != nil {
		t.Fatal(err)
	}
	return &devicetest.Rig{World: world, Machine: m}, l
}

func TestOverPipe(t *testing.T) {
	for _, m := range machines {
		t.Run(m.profile, func(t *testing.T) {
			devicetest.RunInBubble(t, func(t *testing.T) *devicetest.Rig {
				r, l := rig(t, m.profile, m.address, m.levels)
				r.Link = line.ConnOpener(l.Pipe())
				return r
			})
		})
	}
}

// TestOverTCP: downloads alone care what a line is made of.
func TestOverTCP(t *testing.T) {
	devicetest.Run(t, func(t *testing.T) *devicetest.Rig {
		r, l := rig(t, "nv11", 0, map[int64]int{500: 4})
		addr, err := l.ListenTCP("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		r.Link = line.TCPOpener(addr.String())
		return r
	}, "identify", "download", "download cut in the middle")
}

// TestOverPty: machines get hold of a terminal's bytes and of its losses; what they do with money is TestOverPipe's.
func TestOverPty(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("simulated machines have a pseudo-terminal on Linux only")
	}
	for _, m := range machines {
		t.Run(m.profile, func(t *testing.T) {
			t.Parallel()
			devicetest.Run(t, func(t *testing.T) *devicetest.Rig {
				r, l := rig(t, m.profile, m.address, m.levels)
				path, err := l.OpenPty()
				if err != nil {
					t.Fatal(err)
				}
				r.Link = line.SerialOpener(path, 9600)
				return r
			}, "identify", "accept", "escrow", "payout", "float", "smart empty", "reset", "download", "unplug and plug",
				"unplugged in a payout", "key lost", "noise")
		})
	}
}

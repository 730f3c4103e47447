package devicetest_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"coffer/devices/devicetest"
	"coffer/devices/line"
	"coffer/devices/sim"
	"coffer/ssp"
)

// demoMachines are the machines of the demo that scenarios are about.
var demoMachines = map[sim.Target]struct {
	profile string
	levels  map[int64]int
}{
	{Port: "COM5", Address: 0}:  {"spectral-payout", map[int64]int{500: 4, 1000: 4, 2000: 4}},
	{Port: "COM9", Address: 16}: {"scs", map[int64]int{1: 50, 2: 50, 5: 50, 10: 50, 20: 50, 50: 50, 100: 50, 200: 50}},
	{Port: "COM15", Address: 0}: {"nv200", nil},
}

// TestScenarios plays every scenario that comes with the program to the drivers.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("../../configs/scenarios/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d scenarios, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			story, err := sim.ParseScenario(text)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) { devicetest.Play(t, story, cast(t, story)...) })
		})
	}
}

// cast makes the machines that a scenario names.
func cast(t *testing.T, story *sim.Scenario) []*devicetest.Rig {
	t.Helper()
	world := sim.NewWorld(t.Logf)
	t.Cleanup(func() { _ = world.Close() })
	if err := world.SetSpeed(20); err != nil {
		t.Fatal(err)
	}
	var rigs []*devicetest.Rig
	for name, at := range story.Machines {
		m, known := demoMachines[at]
		if !known {
			t.Fatalf("%s is at %s, address %d, where the demo has no machine", name, at.Port, at.Address)
		}
		l := world.AddLine(at.Port)
		made, err := l.AddMachine(ssp.Address(at.Address), m.profile, sim.Options{Currency: "EUR", Levels: m.levels})
		if err != nil {
			t.Fatal(err)
		}
		rigs = append(rigs, &devicetest.Rig{World: world, Machine: made, Link: line.ConnOpener(l.Pipe())})
	}
	return rigs
}

package e2e

import (
	"context"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/devices/coin"
	"coffer/devices/line"
	"coffer/devices/note"
	"coffer/devices/sim"
	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/journal"
	"coffer/internal/till"
	"coffer/ssp"
	"coffer/upos"
	"coffer/upos/machines"
)

// seat is a machine of till1.
type seat struct {
	port    string
	address ssp.Address
	id      cash.DeviceID
	profile string
	dataset []int64
	levels  map[int64]int
}

// seats are the machines of Till1 of the demo: a note recycler on COM5, a coin system on COM9.
var seats = []seat{
	{"COM5", 0, "SPECTRAL_PAYOUT-COM5", "spectral-payout", []int64{500, 1000, 2000, 5000}, map[int64]int{500: 4, 1000: 4, 2000: 4}},
	{"COM9", 16, "SMART_COIN_SYSTEM-COM9", "scs", []int64{10, 20, 50, 100, 200}, map[int64]int{10: 10, 20: 10, 50: 10, 100: 10, 200: 10}},
}

// till1 is the two machines of Till1 and coffer above them up to the UnifiedPOS objects, in a synctest bubble. What stands
// for coffer can be crashed and set up again; the machines live on.
type till1 struct {
	t        *testing.T
	world    *sim.World
	cables   []*sim.Line
	machines []*sim.Machine
	dir      string // of the ledger
	old      []func()
	guests   []func() // end those who still use the machines
	down     atomic.Bool

	tap     *tap
	ledger  *journal.Journal
	till    *till.Till
	station *devices.Station
	mech    *machines.Mechanism
	service *upos.Service
	stop    func()
}

// onTill1 runs f in a bubble with a fresh till whose machines are ready.
func onTill1(t *testing.T, f func(*till1)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := &till1{t: t, world: sim.NewWorld(nil), dir: t.TempDir()}
		x.must(x.world.SetSpeed(10))
		for _, s := range seats {
			cable := x.world.AddLine(s.port)
			m, err := cable.AddMachine(s.address, s.profile, sim.Options{Currency: "EUR", Dataset: s.dataset, Levels: s.levels})
			x.must(err)
			x.cables, x.machines = append(x.cables, cable), append(x.machines, m)
		}
		x.setUp()
		defer func() {
			for _, end := range append(append(x.guests, x.old...), x.stop) {
				end()
			}
			if err := x.world.Close(); err != nil {
				t.Errorf("world: %v", err)
			}
		}()
		f(x)
	})
}

func (x *till1) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// setUp starts a coffer over the ledger in dir, and waits until its machines are ready.
func (x *till1) setUp() {
	x.t.Helper()
	ledger, err := journal.Open(context.Background(), x.dir, time.Now)
	x.must(err)
	log := logrus.New()
	log.SetOutput(io.Discard)
	events := bus.New(4096)
	x.ledger, x.tap = ledger, &tap{Journal: ledger}
	x.down.Store(false)
	x.till = till.New(x.tap, events, log, time.Now)
	openers := map[string]line.Opener{}
	var cfg []devices.LineConfig
	for i, s := range seats {
		openers[s.port] = line.ConnOpener(x.tap.over(x.cables[i].Pipe()))
		cfg = append(cfg, devices.LineConfig{Port: s.port, Devices: []devices.DeviceConfig{{ID: s.profile, Address: s.address, Currency: "EUR"}}})
	}
	x.station = devices.NewStation(cfg, openers, []devices.Family{note.Family(), coin.Family()}, x.till, log)
	x.mech, err = machines.New(machines.Deps{Station: x.station, Till: x.till, Bus: events, Log: log}, seats[0].profile, seats[1].profile)
	x.must(err)
	x.service, err = upos.New([]upos.Device{{
		Config:    upos.Config{Name: "Till1", Class: upos.CashChanger, Devices: []string{seats[0].profile, seats[1].profile}},
		Mechanism: x.mech,
	}}, upos.Options{})
	x.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func(s *devices.Station) { ended <- s.Run(ctx) }(x.station)
	service, mech, books := x.service, x.mech, x.till
	x.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			x.t.Errorf("station: %v", err)
		}
		brief, done := context.WithTimeout(context.Background(), 15*time.Second)
		defer done()
		_ = books.Close(brief) // it says so when an operation was cut
		service.Close()
		mech.Close()
		if err := ledger.Close(); err != nil {
			x.t.Errorf("ledger: %v", err)
		}
	}
	x.ready()
}

// crash takes the host away as kill -9 does: its lines are dead and its ledger stays as it is on disk now.
func (x *till1) crash() {
	x.tap.kill()
	dir := x.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(x.dir)); err != nil {
		x.t.Errorf("copy of the ledger: %v", err)
	}
	x.dir = dir
	x.old = append(x.old, x.stop)
	x.stop = func() {}
	x.down.Store(true)
}

// await lets time pass until cond holds, at most for an hour.
func (x *till1) await(what string, cond func() bool) {
	x.t.Helper()
	for range 36_000 {
		if cond() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	x.t.Fatalf("%s: not within an hour", what)
}

// ready waits until both machines are driven.
func (x *till1) ready() {
	x.t.Helper()
	x.await("the machines are ready", func() bool {
		for _, p := range x.mech.Parts() {
			if !p.Online {
				return false
			}
		}
		return true
	})
}

// view is one machine as a tabletop has it, for the comparison of its books.
func (x *till1) view(i int) *tabletop {
	return &tabletop{
		t: x.t, kind: model{profile: seats[i].profile, id: seats[i].id, coins: i == 1}, machine: x.machines[i],
		ledger: x.ledger, till: x.till, station: x.station, cursor: bus.New(1).Cursor(""),
	}
}

// audit waits until the machines are at rest, and holds the books against them.
func (x *till1) audit() (all []truth) {
	x.t.Helper()
	x.ready()
	for i := range seats {
		all = append(all, x.view(i).audit())
	}
	return all
}

// dispensed is what both machines have handed out.
func (x *till1) dispensed() (v int64) {
	for i := range seats {
		v += worth(x.view(i).truth().Dispensed)
	}
	return v
}

// still says whether nothing moves in either machine.
func (x *till1) still() bool {
	for _, m := range x.machines {
		if t := m.Truth(); t.Power && t.Moving {
			return false
		}
	}
	return true
}

// power gives power back to machines that lost it.
func (x *till1) power() {
	for _, m := range x.machines {
		if !m.Truth().Power {
			x.must(m.Fault(sim.Fault{Kind: sim.FaultPowerOn}))
		}
	}
}

package machines_test

import (
	"context"
	"io"
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

// machine describes a simulated machine on a line of its own.
type machine struct {
	port, id, profile string
	address           ssp.Address
	dataset           []int64
	levels            map[int64]int
	escrow            bool
}

var (
	notes = machine{"COM5", "notes", "spectral-payout", 0, []int64{500, 1000, 2000, 5000}, map[int64]int{500: 4, 1000: 4, 2000: 4}, false}
	coins = machine{"COM9", "coins", "scs", 16, []int64{10, 20, 50, 100, 200}, map[int64]int{10: 20, 20: 20, 50: 20, 100: 20, 200: 20}, false}
)

// realBench is simulated machines with everything above them, in a synctest bubble.
type realBench struct {
	*testing.T
	list     []machine
	machines []*sim.Machine
	bus      *bus.Bus
	ledger   *journal.Journal
	till     *till.Till
	station  *devices.Station
	m        *machines.Mechanism
}

// onBench runs f in a bubble with these machines, once they are ready.
func onBench(t *testing.T, busSize int, f func(*realBench), list ...machine) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &realBench{T: t, list: list, bus: bus.New(busSize)}
		world := sim.NewWorld(nil)
		log := logrus.New()
		log.SetOutput(io.Discard)
		var err error
		b.must(world.SetSpeed(10))
		var cfg []devices.LineConfig
		openers := map[string]line.Opener{}
		for _, x := range list {
			cable := world.AddLine(x.port)
			s, err := cable.AddMachine(x.address, x.profile, sim.Options{Currency: "EUR", Dataset: x.dataset, Levels: x.levels})
			b.must(err)
			b.machines = append(b.machines, s)
			openers[x.port] = line.ConnOpener(cable.Pipe())
			cfg = append(cfg, devices.LineConfig{Port: x.port, Devices: []devices.DeviceConfig{
				{ID: x.id, Address: x.address, Currency: "EUR", Extensions: true, Escrow: x.escrow},
			}})
		}
		b.ledger, err = journal.Open(context.Background(), t.TempDir(), time.Now)
		b.must(err)
		b.till = till.New(b.ledger, b.bus, log, time.Now)
		b.station = devices.NewStation(cfg, openers, []devices.Family{note.Family(), note.FloatFamily(), coin.Family()}, b.till, log)
		var ids []string
		for _, x := range list {
			ids = append(ids, x.id)
		}
		b.m, err = machines.New(machines.Deps{Station: b.station, Till: b.till, Bus: b.bus, Log: log}, ids...)
		b.must(err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- b.station.Run(ctx) }()
		defer func() {
			b.m.Close()
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			brief, done := context.WithTimeout(context.Background(), time.Minute)
			defer done()
			_ = b.till.Close(brief)
			if err := b.ledger.Close(); err != nil {
				t.Error(err)
			}
			if err := world.Close(); err != nil {
				t.Error(err)
			}
		}()
		b.online()
		f(b)
	})
}

func (b *realBench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// await waits until cond holds.
func (b *realBench) await(what string, cond func() bool) {
	b.Helper()
	for range 1200 {
		if cond() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.Fatalf("%s: not within two minutes; parts %+v", what, b.m.Parts())
}

// online waits until all machines are ready.
func (b *realBench) online() {
	b.Helper()
	b.await("online", func() bool {
		for _, p := range b.m.Parts() {
			if !p.Online {
				return false
			}
		}
		return true
	})
}

func (b *realBench) Mechanism() upos.Mechanism { return b.m }

func (b *realBench) Insert(p upos.Piece) {
	b.Helper()
	for i, x := range b.list {
		if p.Bill != (x.address == 0) {
			continue
		}
		err := error(nil)
		for range 600 { // a customer waits until the path is free
			if _, err = b.machines[i].Insert(sim.Insert{Value: p.Value, Currency: string(p.Currency)}); err == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		b.Fatal(err)
	}
}

func (b *realBench) Truth(part int) (store, box upos.Pieces) {
	t := b.machines[part].Truth()
	read := func(rows []sim.Row) upos.Pieces {
		out := upos.Pieces{}
		for _, r := range rows {
			out[upos.Piece{Value: r.Value, Currency: cash.Currency(r.Currency), Bill: b.list[part].address == 0}] += r.Count
		}
		return out
	}
	return read(t.Payout), read(t.Cashbox)
}

func (b *realBench) Slow() {} // they are machines

func (b *realBench) fault(part int, yes bool, kind, end string) {
	b.Helper()
	if !yes {
		kind = end
	}
	b.must(b.machines[part].Fault(sim.Fault{Kind: kind}))
}

func (b *realBench) Plug(part int, in bool) {
	b.fault(part, !in, sim.FaultUnplug, sim.FaultPlug)
}

func (b *realBench) Jam(part int, on bool) { b.fault(part, on, sim.FaultJam, sim.FaultUnjam) }

func (b *realBench) Box(part int, out bool) {
	b.fault(part, out, sim.FaultCashboxRemoved, sim.FaultCashboxReplaced)
}

// dressed is a station whose machines are seen through another device each.
type dressed struct {
	*devices.Station
	as func(devices.Device) devices.Device
}

func (s dressed) Lines() []devices.LineStatus {
	out := s.Station.Lines()
	for i := range out {
		for k, d := range out[i].Devices {
			out[i].Devices[k] = s.as(d)
		}
	}
	return out
}

package machines_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices/sim"
	"coffer/upos"
	"coffer/upos/machines"
	"coffer/upos/upostest"
)

// The machines of the standard's scenarios beside notes and coins.
var (
	bills  = machine{"COM15", "bills", "nv200", 0, []int64{500, 1000, 2000, 5000}, nil, false}
	coins2 = machine{"COM10", "coins2", "scs", 16, []int64{10, 20, 50, 100, 200}, map[int64]int{10: 20, 20: 20, 50: 20, 100: 20, 200: 20}, false}
)

// play is the world of the scenarios over simulated machines.
type play struct {
	b       *realBench
	service *upos.Service
	at      map[string][]int // machines of the bench by device
}

var cast = map[upostest.Role]string{upostest.Changer: "Till1", upostest.RepayChanger: "Till2", upostest.KeepChanger: "Till3",
	upostest.BillsIn: "Bills1", upostest.BillsOut: "Bills2", upostest.RegisterBox: "Drawer1"}

func newPlay(b *realBench) *play {
	b.Helper()
	log := logrus.New()
	log.SetOutput(io.Discard)
	p := &play{b: b, at: map[string][]int{"Till1": {0, 1}, "Till2": {3}, "Till3": {2, 3}, "Bills1": {2}, "Bills2": {0}}}
	devices := []upos.Device{{Config: upos.Config{Name: "Drawer1", Class: upos.CashDrawer, Devices: []string{"register"}}, Drawer: &upostest.Drawer{}}}
	for _, c := range []upos.Config{
		{Name: "Till1", Class: upos.CashChanger, Devices: []string{"notes", "coins"}},
		{Name: "Till2", Class: upos.CashChanger, Devices: []string{"coins2"}},
		{Name: "Till3", Class: upos.CashChanger, Devices: []string{"bills", "coins2"}}, // its notes go to the cashbox
		{Name: "Bills1", Class: upos.BillAcceptor, Devices: []string{"bills"}},
		{Name: "Bills2", Class: upos.BillDispenser, Devices: []string{"notes"}},
	} {
		m, err := machines.New(machines.Deps{Station: b.station, Till: b.till, Bus: b.bus, Log: log}, c.Devices...)
		b.must(err)
		b.Cleanup(m.Close)
		devices = append(devices, upos.Device{Config: c, Mechanism: m})
	}
	var err error
	p.service, err = upos.New(devices, upos.Options{Log: log})
	b.must(err)
	return p
}

func (p *play) Device(r upostest.Role) string { return cast[r] }
func (p *play) Patience() time.Duration       { return time.Minute }
func (p *play) Quiet() time.Duration          { return 5 * time.Second }

func (p *play) App(t testing.TB, class upos.Class) upostest.App {
	h, err := p.service.Handle(class)
	p.b.must(err)
	return player{h}
}

// Insert feeds one piece after the other, each when the path is free.
func (p *play) Insert(t testing.TB, device string, piece upos.Piece, n int) {
	t.Helper()
	for _, i := range p.at[device] {
		if piece.Bill != (p.b.list[i].address == 0) {
			continue
		}
		for range n {
			p.still(i)
			if _, err := p.b.machines[i].Insert(sim.Insert{Value: piece.Value, Currency: string(piece.Currency)}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		p.still(i)
		return
	}
}

// still waits until nothing moves in a machine, and what moved was polled.
func (p *play) still(i int) {
	p.b.Helper()
	p.b.await("still", func() bool { return !p.b.machines[i].Truth().Moving })
	time.Sleep(2 * time.Second)
}

func (p *play) Stock(t testing.TB, device string, piece upos.Piece) int {
	n := 0
	for _, i := range p.at[device] {
		store, _ := p.b.Truth(i)
		n += store[piece]
	}
	return n
}

// player is a handle.
type player struct{ h *upos.Handle }

func (a player) Get(name string) (any, error)                 { return a.h.Get(name) }
func (a player) Set(name string, v any) error                 { return a.h.Set(name, v) }
func (a player) Next(ctx context.Context) (upos.Event, error) { return a.h.Next(ctx) }
func (a player) Ack(seq uint64) error                         { return a.h.Ack(seq) }
func (a player) Open(name string) error {
	_, err := a.Call("Open", map[string]any{"deviceName": name})
	return err
}

func (a player) Call(method string, args map[string]any) (map[string]any, error) {
	return a.h.Call(context.Background(), upos.Invocation{Method: method, Args: args, Actor: "tester"})
}

// TestScenarios plays the forty scenarios of the standard on simulated machines, wire and ledger included.
func TestScenarios(t *testing.T) {
	for _, s := range upostest.Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			onBench(t, 4096, func(b *realBench) {
				p := newPlay(b)
				defer p.service.Close()
				s.Run(b.T, p)
			}, notes, coins, bills, coins2)
		})
	}
}

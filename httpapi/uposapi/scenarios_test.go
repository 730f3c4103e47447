package uposapi

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"coffer/upos"
	"coffer/upos/upostest"
)

// world is one device of every class, over fakes, on a listener.
type world struct {
	*served
	machines map[string]*upostest.Mechanism
	stream   bool // how events come
}

var roles = map[upostest.Role]string{upostest.Changer: "Till1", upostest.KeepChanger: "Till1", upostest.RepayChanger: "Till2",
	upostest.BillsIn: "Bills1", upostest.CoinsIn: "Coins1", upostest.BillsOut: "Bills2", upostest.CoinsOut: "Coins2",
	upostest.RegisterBox: "Drawer1"}

// fakes makes a service of one device of every class.
func fakes(t testing.TB) (*upos.Service, map[string]*upostest.Mechanism, *upostest.Drawer) {
	t.Helper()
	keep := upostest.Recycler()
	keep.CanRepay = false
	machines := map[string]*upostest.Mechanism{
		"Till1": upostest.New(keep, upostest.CoinSystem()), "Till2": upostest.Till(), "Bills1": upostest.New(upostest.Validator()),
		"Coins1": upostest.New(upostest.Hopper()), "Bills2": upostest.New(upostest.Recycler()), "Coins2": upostest.New(upostest.Hopper()),
	}
	drawer := &upostest.Drawer{}
	devices := []upos.Device{{Config: upos.Config{Name: "Drawer1", Class: upos.CashDrawer, Devices: []string{"register"}}, Drawer: drawer}}
	for name, class := range map[string]upos.Class{"Till1": upos.CashChanger, "Till2": upos.CashChanger, "Bills1": upos.BillAcceptor,
		"Coins1": upos.CoinAcceptor, "Bills2": upos.BillDispenser, "Coins2": upos.CoinDispenser} {
		c := upos.Config{Name: name, Class: class}
		for _, p := range machines[name].Parts() {
			c.Devices = append(c.Devices, p.ID)
		}
		devices = append(devices, upos.Device{Config: c, Mechanism: machines[name]})
	}
	s, err := upos.New(devices, upos.Options{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, machines, drawer
}

func newWorld(t testing.TB, stream bool) *world {
	t.Helper()
	s, machines, _ := fakes(t)
	return &world{serve(t, s, 0), machines, stream}
}

func (w *world) Device(r upostest.Role) string { return roles[r] }
func (w *world) Patience() time.Duration       { return testPatience }
func (w *world) Quiet() time.Duration          { return 50 * time.Millisecond }

func (w *world) App(t testing.TB, class upos.Class) upostest.App {
	return upostest.Remote(t, w.client("anna"), class, w.stream)
}

func (w *world) Insert(_ testing.TB, device string, p upos.Piece, n int) {
	w.machines[device].Insert(p, n)
}

func (w *world) Stock(_ testing.TB, device string, p upos.Piece) int {
	n := 0
	for i := range w.machines[device].Parts() {
		n += w.machines[device].InStore(i, p)
	}
	return n
}

// TestScenarios plays the forty over HTTP, with events by WebSocket and by long poll.
func TestScenarios(t *testing.T) {
	for _, stream := range []bool{true, false} {
		for _, s := range upostest.Scenarios() {
			t.Run(fmt.Sprintf("%d %s, stream %t", s.Number, s.Name, stream), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, stream)
					if s.Number == 25 || s.Number == 27 { // which look at a payout while it runs
						w.machines["Till1"].PayTime(time.Second)
					}
					s.Run(t, w)
				})
			})
		}
	}
}

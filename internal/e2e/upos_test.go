package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"coffer/upos"
	"coffer/upos/uposclient"
	"coffer/upos/upostest"
)

// uposConfig is a coffer with a UnifiedPOS device of every class that its machines can be.
const uposConfig = `version: 1
lines:
  - port: COM5
    devices:
      - {id: recycler, address: 0, sim: spectral-payout, currency: EUR, dataset: [500, 1000, 2000, 5000], levels: {500: 8, 1000: 4, 2000: 4}, poll: 40ms}
  - port: COM9
    devices:
      - {id: coins, address: 16, sim: scs, currency: EUR, dataset: [1, 2, 5, 10, 20, 50, 100, 200], levels: {1: 50, 2: 50, 5: 50, 10: 50, 20: 50, 50: 50, 100: 50, 200: 50}, poll: 40ms}
  - port: COM15
    devices:
      - {id: validator, address: 0, sim: nv200, currency: EUR, dataset: [500, 1000, 2000, 5000], poll: 40ms}
  - port: COM11
    devices:
      - {id: hopper, address: 16, sim: hopper4, currency: EUR, dataset: [10, 50], levels: {10: 100, 50: 100}, poll: 40ms}
  - port: COM12
    devices:
      - {id: small, address: 0, sim: nv22, currency: EUR, dataset: [500, 1000], poll: 40ms}
upos:
  - {name: Till1, class: CashChanger, devices: [recycler, coins]}
  - {name: Till2, class: CashChanger, devices: [validator, hopper]}
  - {name: Bills1, class: BillAcceptor, devices: [validator]}
  - {name: Coins1, class: CoinAcceptor, devices: [hopper]}
  - {name: Bills2, class: BillDispenser, devices: [small]}
  - {name: Coins2, class: CoinDispenser, devices: [hopper]}
http:
  - {listen: 127.0.0.1:0, serve: [cashdevice]}
  - {listen: 127.0.0.1:0, serve: [uposapi, journalapi, simapi, ops]}
`

// uposWorld is that coffer, its simulated machines, and a client of its UnifiedPOS API.
type uposWorld struct {
	*coffer
	client *uposclient.Client
	stream bool // how events come
	apps   []upostest.App
	hurry  func() // unless nil, called where an application begins to wait for an event
}

// patientApp is an application whose machines hurry up as soon as it waits for an event.
type patientApp struct {
	upostest.App
	hurry func()
}

func (a patientApp) Next(ctx context.Context) (upos.Event, error) {
	a.hurry()
	return a.App.Next(ctx)
}

// uposMachine is which machine of a device deals with notes, and which with coins.
var uposMachines = map[string]struct{ bills, coins string }{
	"Till1": {"COM5", "COM9"}, "Till2": {"COM15", "COM11"}, "Bills1": {bills: "COM15"}, "Coins1": {coins: "COM11"},
	"Bills2": {bills: "COM12"}, "Coins2": {coins: "COM11"},
}

func newUposWorld(t testing.TB, config string) *uposWorld {
	t.Helper()
	w := &uposWorld{coffer: newCoffer(t, built(t, binary), config)}
	w.start()
	w.ready()
	w.client = w.uposClient()
	return w
}

// uposClient returns a client that has signed in.
func (c *coffer) uposClient() *uposclient.Client {
	c.t.Helper()
	cl := &uposclient.Client{Base: c.ends.Main}
	if err := cl.SignIn(c.t.Context(), "admin", "password"); err != nil {
		c.t.Fatal(err)
	}
	return cl
}

func (w *uposWorld) Device(r upostest.Role) string {
	return map[upostest.Role]string{upostest.Changer: "Till1", upostest.RepayChanger: "Till1", upostest.KeepChanger: "Till2",
		upostest.BillsIn: "Bills1", upostest.CoinsIn: "Coins1", upostest.BillsOut: "Bills2", upostest.CoinsOut: "Coins2"}[r]
}

func (w *uposWorld) Patience() time.Duration { return patience }
func (w *uposWorld) Quiet() time.Duration    { return 200 * time.Millisecond }

func (w *uposWorld) App(t testing.TB, class upos.Class) upostest.App {
	a := upostest.Remote(t, w.client, class, w.stream)
	if w.hurry != nil {
		a = patientApp{a, w.hurry}
	}
	w.apps = append(w.apps, a)
	return a
}

// machine is the one of a device that deals with a piece.
func (w *uposWorld) machine(t testing.TB, device string, p upos.Piece) *machine {
	t.Helper()
	m := uposMachines[device]
	if p.Bill {
		return controlled(t, w.ends.Main, m.bills, 0)
	}
	return controlled(t, w.ends.Main, m.coins, 16)
}

// Insert feeds the pieces and waits until the machine has them, or has given them back, and the application that holds
// the claim has its event of each.
func (w *uposWorld) Insert(t testing.TB, device string, p upos.Piece, n int) {
	t.Helper()
	m := w.machine(t, device, p)
	eventually(t, "acceptance", func() error {
		if tr := m.truth(); !tr.Enabled {
			return fmt.Errorf("%s does not accept", m.base)
		}
		return nil
	})
	before := w.dataCounts()
	for range n {
		id := m.insert(p.Value, string(p.Currency), 1)
		eventually(t, "the machine has it", func() error {
			if s := m.insertion(id).State; s != "payout" && s != "cashbox" && s != "returned" {
				return fmt.Errorf("it is in the %s", s)
			}
			return nil
		})
	}
	eventually(t, "the application has it", func() error {
		if now := w.dataCounts(); now < before+n {
			return fmt.Errorf("%d events wait, before there were %d", now, before)
		}
		return nil
	})
}

// dataCounts is how many DataEvents wait for the applications of this test that have their device claimed.
func (w *uposWorld) dataCounts() (sum int) {
	for _, a := range w.apps {
		if claimed, err := a.Get("Claimed"); err != nil || claimed != true {
			continue
		}
		if n, err := a.Get("DataCount"); err == nil {
			sum += int(n.(int32))
		}
	}
	return sum
}

func (w *uposWorld) Stock(t testing.TB, device string, p upos.Piece) int {
	t.Helper()
	var tr truth
	m := w.machine(t, device, p)
	eventually(t, "the machine is at rest", func() error {
		if tr = m.truth(); tr.Moving {
			return errNotYet
		}
		return nil
	})
	return count(tr.Payout, p.Value)
}

// TestUposScenarios plays the forty scenarios over HTTP on simulated machines, their bytes on the wire included. The two
// of the CashDrawer have no machine here.
func TestUposScenarios(t *testing.T) {
	w := newUposWorld(t, uposConfig)
	m, coins := controlled(t, w.ends.Main, "COM5", 0), controlled(t, w.ends.Main, "COM9", 16)
	for n, s := range upostest.Scenarios() {
		t.Run(fmt.Sprintf("%d %s", s.Number, s.Name), func(t *testing.T) {
			m.speed(100)
			w.stream, w.apps, w.hurry = n%2 == 0, nil, nil
			if s.Number == 25 || s.Number == 27 { // which look at a payout while it runs, however late they come to it
				coins.still()
				m.speed(0.05)
				w.hurry = func() { m.speed(100) }
			}
			s.Run(t, w)
		})
	}
	m.speed(200)
	for id, at := range map[string]string{"SPECTRAL_PAYOUT-COM5": "COM5", "NOTE_VALIDATOR-COM15": "COM15"} {
		w.settled(id, controlled(t, w.ends.Main, at, 0))
	}
	w.settled("SMART_COIN_SYSTEM-COM9", coins)
}

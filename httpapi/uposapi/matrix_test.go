package uposapi

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"coffer/upos"
	"coffer/upos/upostest"
)

// direct is an App on the package itself.
type direct struct{ h *upos.Handle }

func (d direct) Open(name string) error {
	_, err := d.Call("Open", map[string]any{"deviceName": name})
	return err
}
func (d direct) Get(name string) (any, error)                 { return d.h.Get(name) }
func (d direct) Set(name string, v any) error                 { return d.h.Set(name, v) }
func (d direct) Next(ctx context.Context) (upos.Event, error) { return d.h.Next(ctx) }
func (d direct) Ack(seq uint64) error                         { return d.h.Ack(seq) }
func (d direct) Call(method string, args map[string]any) (map[string]any, error) {
	return d.h.Call(context.Background(), upos.Invocation{Method: method, Args: args})
}

// lives are the life-cycle states that an instance of every class can be brought to over HTTP.
var lives = []string{"closed", "open", "claimed by another", "claimed", "enabled", "depositing", "busy"}

var matrixNames = map[upos.Class]string{upos.CashChanger: "Till1", upos.BillAcceptor: "Bills1", upos.CoinAcceptor: "Coins1",
	upos.BillDispenser: "Bills2", upos.CoinDispenser: "Coins2", upos.CashDrawer: "Drawer1"}

// cannot says why a class is not brought to a state here, "" where it is.
func cannot(class upos.Class, life string) string {
	takes := class == upos.CashChanger || class == upos.BillAcceptor || class == upos.CoinAcceptor
	switch {
	case life == "depositing" && !takes:
		return "the class has no deposit"
	case life == "busy" && class != upos.CashChanger && class != upos.BillDispenser:
		return "the class has no AsyncMode"
	}
	return ""
}

// side is one of the two that are compared.
type side struct {
	app    func(t *testing.T, class upos.Class) upostest.App
	fakes  map[string]*upostest.Mechanism
	drawer *upostest.Drawer
}

// bring makes an instance of the class in the state, for the length of the test.
func (s side) bring(t *testing.T, class upos.Class, life string) upostest.App {
	t.Helper()
	ok := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	a, name := s.app(t, class), matrixNames[class]
	if life == "closed" {
		return a
	}
	ok(nil, a.Open(name))
	if life == "claimed by another" {
		b := s.app(t, class)
		ok(nil, b.Open(name))
		ok(b.Call("Claim", map[string]any{"timeout": 0}))
	}
	if life == "open" || life == "claimed by another" {
		return a
	}
	ok(a.Call("Claim", map[string]any{"timeout": 0}))
	if life == "claimed" {
		return a
	}
	ok(nil, a.Set("DeviceEnabled", true))
	switch life {
	case "depositing":
		ok(a.Call("BeginDeposit", nil))
	case "busy":
		t.Cleanup(s.fakes[name].Hold()) // let go when the instance is closed, at the latest
		ok(nil, a.Set("AsyncMode", true))
		ok(a.Call("DispenseCash", matrixArgs(class, "DispenseCash")))
	}
	return a
}

// matrixArgs are valid arguments of a method, nil where it needs none.
func matrixArgs(class upos.Class, method string) map[string]any {
	counts := "10:1"
	if class == upos.BillAcceptor || class == upos.BillDispenser {
		counts = ";500:1"
	}
	return map[string]map[string]any{
		"AdjustCashCounts": {"cashCounts": counts}, "CheckHealth": {"level": upos.CH_INTERNAL}, "Claim": {"timeout": 0},
		"CompareFirmwareVersion": {"firmwareFileName": "fw.bin"}, "DirectIO": {"command": upos.DirectParts},
		"DispenseCash": {"cashCounts": counts}, "DispenseChange": {"amount": 50}, "EndDeposit": {"success": 2},
		"Open": {"deviceName": matrixNames[class]}, "PauseDeposit": {"control": upos.CHAN_DEPOSIT_PAUSE},
		"ResetStatistics": {"statisticsBuffer": ""}, "UpdateStatistics": {"statisticsBuffer": "=0"},
		"RetrieveStatistics": {"statisticsBuffer": "U_"}, "UpdateFirmware": {"firmwareFileName": "fw.bin"},
		"WaitForDrawerClose": {"beepTimeout": 1, "beepFrequency": 1, "beepDuration": 1, "beepDelay": 1},
	}[method]
}

// result is an answer as both sides are compared by it.
func result(t *testing.T, v any, err error) string {
	t.Helper()
	var e *upos.Error
	switch {
	case err == nil:
		return fmt.Sprint(v)
	case errors.As(err, &e):
		return fmt.Sprintf("%d/%d", e.Code, e.Extended)
	}
	t.Errorf("%v is no result of UnifiedPOS", err)
	return err.Error()
}

// TestLifeCycleMatrix calls every getter, setter and method of the six classes in every life-cycle state, over HTTP and
// on the package beside it, and compares: what the package answers is held to the standard there.
func TestLifeCycleMatrix(t *testing.T) {
	local, fakesHere, drawerHere := fakes(t)
	remote, fakesThere, drawerThere := fakes(t)
	v := serve(t, remote, 0)
	client := v.client("anna")
	client.HTTP = v.plain // the documents are held to elsewhere
	sides := [2]side{
		{func(t *testing.T, class upos.Class) upostest.App {
			h, err := local.Handle(class)
			v.must(err)
			t.Cleanup(func() { _ = h.Close() })
			return direct{h}
		}, fakesHere, drawerHere},
		{func(t *testing.T, class upos.Class) upostest.App { return upostest.Remote(t, client, class, false) }, fakesThere, drawerThere},
	}
	cells := 0
	for _, class := range upos.Classes() {
		for _, life := range lives {
			if why := cannot(class, life); why != "" {
				t.Logf("%s %s: %s", class, life, why)
				continue
			}
			t.Run(fmt.Sprintf("%s/%s", class, life), func(t *testing.T) {
				t.Run("properties", func(t *testing.T) { cells += propertyCells(t, sides, class, life) })
				cells += methodCells(t, sides, class, life)
			})
		}
	}
	t.Logf("%d cells", cells)
	if cells < 2000 {
		t.Errorf("only %d cells", cells)
	}
}

// propertyCells reads and writes every property. Writing may change the state; it does so on both sides.
func propertyCells(t *testing.T, sides [2]side, class upos.Class, life string) (cells int) {
	apps := [2]upostest.App{sides[0].bring(t, class, life), sides[1].bring(t, class, life)}
	for _, m := range upos.Members(class) {
		if m.Method {
			continue
		}
		value := map[string]any{"int32": int32(1), "string": "EUR", "boolean": true}[m.Type]
		var got, set [2]string
		for n, a := range apps {
			v, err := a.Get(m.Name)
			got[n] = result(t, v, err)
			set[n] = result(t, nil, a.Set(m.Name, value))
		}
		if got[0] != got[1] || set[0] != set[1] {
			t.Errorf("%s: get %s over HTTP, %s beside it; set to %v %s and %s", m.Name, got[1], got[0], value, set[1], set[0])
		}
		cells += 2
	}
	return cells
}

// methodCells calls every method, each on an instance of its own.
func methodCells(t *testing.T, sides [2]side, class upos.Class, life string) (cells int) {
	for _, m := range upos.Members(class) {
		if !m.Method {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			var got [2]string
			for n, s := range sides {
				out, err := s.bring(t, class, life).Call(m.Name, matrixArgs(class, m.Name))
				if len(out) == 0 {
					out = nil
				}
				got[n] = result(t, out, err)
				s.drawer.Move(false)
			}
			if got[0] != got[1] {
				t.Errorf("over HTTP %s, beside it %s", got[1], got[0])
			}
		})
		cells++
	}
	return cells
}

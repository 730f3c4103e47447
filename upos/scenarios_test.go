package upos_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coffer/upos"
	"coffer/upos/upostest"
)

// world is a Service over fakes in a synctest bubble.
type world struct {
	service  *upos.Service
	machines map[string]*upostest.Mechanism
	drawer   *upostest.Drawer
	dir      string // for firmware, made when the first file is put there
	log      warnings
}

// warnings is a upos.Logger that keeps what it is warned of.
type warnings struct {
	mu  sync.Mutex
	all []string
}

func (*warnings) Infof(string, ...any) {}

func (w *warnings) Warnf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, fmt.Sprintf(format, args...))
}

func (w *warnings) list() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}

// file puts a firmware file where the service looks for it.
func (w *world) file(t testing.TB, name, text string) {
	t.Helper()
	must(t, os.MkdirAll(w.dir, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(w.dir) })
	must(t, os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o644))
}

// devices of the world, by role.
var roles = map[upostest.Role]string{upostest.Changer: "Till1", upostest.KeepChanger: "Till1", upostest.RepayChanger: "Till2",
	upostest.BillsIn: "Bills1", upostest.CoinsIn: "Coins1", upostest.BillsOut: "Bills2", upostest.CoinsOut: "Coins2",
	upostest.RegisterBox: "Drawer1"}

// newWorld makes one device of every class; change may alter their configurations.
func newWorld(t testing.TB, change ...func(*upos.Config)) *world {
	t.Helper()
	keep := upostest.Recycler()
	keep.CanRepay = false
	w := &world{drawer: &upostest.Drawer{}, dir: filepath.Join(firmwareDir, strings.ReplaceAll(t.Name(), "/", "_")), machines: map[string]*upostest.Mechanism{
		"Till1": upostest.New(keep, upostest.CoinSystem()), "Till2": upostest.Till(), "Bills1": upostest.New(upostest.Validator()),
		"Coins1": upostest.New(upostest.Hopper()), "Bills2": upostest.New(upostest.Recycler()), "Coins2": upostest.New(upostest.Hopper()),
	}}
	var devices []upos.Device
	for _, c := range []upos.Config{
		{Name: "Till1", Class: upos.CashChanger, Devices: []string{"notes", "coins"}, NearEmpty: 2, NearFull: 60},
		{Name: "Till2", Class: upos.CashChanger, Devices: []string{"notes", "coins"}},
		{Name: "Bills1", Class: upos.BillAcceptor, Devices: []string{"bills"}, NearFull: 5},
		{Name: "Coins1", Class: upos.CoinAcceptor, Devices: []string{"hopper"}},
		{Name: "Bills2", Class: upos.BillDispenser, Devices: []string{"notes"}, NearEmpty: 2},
		{Name: "Coins2", Class: upos.CoinDispenser, Devices: []string{"hopper"}, NearEmpty: 5},
		{Name: "Drawer1", Class: upos.CashDrawer, Devices: []string{"register"}},
	} {
		for _, f := range change {
			f(&c)
		}
		d := upos.Device{Config: c, Drawer: w.drawer}
		if m := w.machines[c.Name]; m != nil {
			d.Mechanism = m
		}
		devices = append(devices, d)
	}
	var err error
	w.service, err = upos.New(devices, upos.Options{Log: &w.log, Version: "1.2.3", FirmwareDir: w.dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.service.Close)
	return w
}

// serve makes a service of one device over a mechanism of the test's own.
func serve(t testing.TB, class upos.Class, name string, m upos.Mechanism) *upos.Service {
	t.Helper()
	s, err := upos.New([]upos.Device{{Config: upos.Config{Name: name, Class: class, Devices: []string{"x"}}, Mechanism: m}}, upos.Options{})
	must(t, err)
	t.Cleanup(s.Close)
	return s
}

func (w *world) Device(r upostest.Role) string { return roles[r] }
func (w *world) Patience() time.Duration       { return time.Minute }
func (w *world) Quiet() time.Duration          { return time.Second }

func (w *world) App(t testing.TB, class upos.Class) upostest.App {
	h, err := w.service.Handle(class)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return app{h}
}

func (w *world) Insert(t testing.TB, device string, p upos.Piece, n int) {
	w.machines[device].Insert(p, n)
}

func (w *world) Stock(t testing.TB, device string, p upos.Piece) int {
	n := 0
	for i := range w.machines[device].Parts() {
		n += w.machines[device].InStore(i, p)
	}
	return n
}

// app is a handle as the scenarios want it.
type app struct{ h *upos.Handle }

func (a app) Get(name string) (any, error)                 { return a.h.Get(name) }
func (a app) Set(name string, v any) error                 { return a.h.Set(name, v) }
func (a app) Next(ctx context.Context) (upos.Event, error) { return a.h.Next(ctx) }
func (a app) Ack(seq uint64) error                         { return a.h.Ack(seq) }
func (a app) Open(name string) error {
	_, err := a.Call("Open", map[string]any{"deviceName": name})
	return err
}

func (a app) Call(method string, args map[string]any) (map[string]any, error) {
	return a.h.Call(context.Background(), upos.Invocation{Method: method, Args: args, Actor: "tester"})
}

// firmwareDir is where the worlds of this run keep their firmware.
var firmwareDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "upos")
	if err != nil {
		panic(err)
	}
	firmwareDir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// bubble runs a test where time is virtual.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func TestScenarios(t *testing.T) {
	for _, s := range upostest.Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				for _, m := range w.machines {
					m.PayTime(time.Second)
				}
				s.Run(t, w)
			})
		})
	}
	seen := map[int]bool{}
	for _, s := range upostest.Scenarios() {
		if seen[s.Number] || s.Number < 1 || s.Number > 40 {
			t.Errorf("scenario %d stands there twice, or is none", s.Number)
		}
		seen[s.Number] = true
	}
	if len(seen) != 40 {
		t.Errorf("%d scenarios, want 40", len(seen))
	}
}

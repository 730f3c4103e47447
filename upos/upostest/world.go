package upostest

import (
	"context"
	"errors"
	"testing"
	"time"

	"coffer/upos"
)

// App is one application with one instance of a device, over whichever binding. Failures are *upos.Error.
type App interface {
	Open(name string) error
	Get(property string) (any, error)
	Set(property string, value any) error
	Call(method string, args map[string]any) (map[string]any, error)
	Next(ctx context.Context) (upos.Event, error)
	Ack(seq uint64) error
}

// Role names a kind of device that a scenario needs.
type Role string

// The roles. A changer takes and pays notes and coins of euros: 5, 10 and 20, and cents.
const (
	Changer      Role = "changer"
	RepayChanger Role = "changer that can repay"
	KeepChanger  Role = "changer that cannot repay"
	BillsIn      Role = "bill acceptor"
	CoinsIn      Role = "coin acceptor"
	BillsOut     Role = "bill dispenser"
	CoinsOut     Role = "coin dispenser"
	RegisterBox  Role = "cash drawer"
)

// World is where scenarios play: devices, and the hands of customers.
type World interface {
	// Device returns the configured name of a device in a role, "" where there is none.
	Device(Role) string
	// App makes an instance that is not open, and closes it at the end of the test.
	App(t testing.TB, class upos.Class) App
	// Insert feeds pieces to a device, and returns when the machine has taken them or given them back, and every
	// application that hears of it has it in its queue.
	Insert(t testing.TB, device string, p upos.Piece, n int)
	// Stock is how many of a piece are in the store of a device, in truth.
	Stock(t testing.TB, device string, p upos.Piece) int
	// Patience is how long an event may take, Quiet how long nothing must come to be sure that nothing does.
	Patience() time.Duration
	Quiet() time.Duration
}

var classOf = map[Role]upos.Class{Changer: upos.CashChanger, RepayChanger: upos.CashChanger, KeepChanger: upos.CashChanger,
	BillsIn: upos.BillAcceptor, CoinsIn: upos.CoinAcceptor, BillsOut: upos.BillDispenser, CoinsOut: upos.CoinDispenser,
	RegisterBox: upos.CashDrawer}

// user is an application in a scenario: every step that does not go as told ends the test.
type user struct {
	t    testing.TB
	w    World
	app  App
	name string
}

// user makes an application that has nothing open yet; the test is skipped where the world has no such device.
func newUser(t testing.TB, w World, role Role) *user {
	t.Helper()
	name := w.Device(role)
	if name == "" {
		t.Skipf("this world has no %s", role)
	}
	return &user{t: t, w: w, app: w.App(t, classOf[role]), name: name}
}

// opened, claimed and enabled make one that has come so far. An enabled one hears DataEvents.
func opened(t testing.TB, w World, role Role) *user {
	t.Helper()
	u := newUser(t, w, role)
	u.ok(u.app.Open(u.name))
	return u
}

func claimed(t testing.TB, w World, role Role) *user {
	t.Helper()
	u := opened(t, w, role)
	u.call("Claim", "timeout", 5000)
	return u
}

func enabled(t testing.TB, w World, role Role) *user {
	t.Helper()
	u := claimed(t, w, role)
	u.set("DeviceEnabled", true)
	return u
}

// listening is enabled, with data events and real-time amounts.
func listening(t testing.TB, w World, role Role) *user {
	t.Helper()
	u := enabled(t, w, role)
	u.set("RealTimeDataEnabled", true)
	u.set("DataEventEnabled", true)
	return u
}

func (u *user) ok(err error) {
	u.t.Helper()
	if err != nil {
		u.t.Fatal(err)
	}
}

func (u *user) insert(p upos.Piece, n int) {
	u.t.Helper()
	u.w.Insert(u.t, u.name, p, n)
}

func (u *user) get(property string) any {
	u.t.Helper()
	v, err := u.app.Get(property)
	u.ok(err)
	return plain(v)
}

// plain makes every number an int32, as bindings have their own.
func plain(v any) any {
	switch n := v.(type) {
	case float64:
		return int32(n)
	case int:
		return int32(n)
	case int64:
		return int32(n)
	}
	return v
}

// is checks the value of a property.
func (u *user) is(property string, want any) {
	u.t.Helper()
	if got := u.get(property); got != plain(want) {
		u.t.Fatalf("%s is %v, want %v", property, got, want)
	}
}

func (u *user) set(property string, value any) {
	u.t.Helper()
	u.ok(u.app.Set(property, value))
}

// args makes a map of names and values.
func args(pairs []any) map[string]any {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

func (u *user) call(method string, pairs ...any) map[string]any {
	u.t.Helper()
	out, err := u.app.Call(method, args(pairs))
	if err != nil {
		u.t.Fatalf("%s%v: %v", method, pairs, err)
	}
	return out
}

// code checks that a step failed in a certain way.
func (u *user) code(what string, err error, code, extended int32) {
	u.t.Helper()
	var e *upos.Error
	if !errors.As(err, &e) {
		u.t.Fatalf("%s: %v, want %d/%d", what, err, code, extended)
	}
	if e.Code != code || e.Extended != extended {
		u.t.Fatalf("%s: %d/%d (%s), want %d/%d", what, e.Code, e.Extended, e.Message, code, extended)
	}
}

func (u *user) getFails(code int32, property string) {
	u.t.Helper()
	_, err := u.app.Get(property)
	u.code("get "+property, err, code, 0)
}

func (u *user) setFails(code int32, property string, value any) {
	u.t.Helper()
	u.code("set "+property, u.app.Set(property, value), code, 0)
}

func (u *user) fails(code int32, method string, pairs ...any) {
	u.t.Helper()
	_, err := u.app.Call(method, args(pairs))
	u.code(method, err, code, 0)
}

func (u *user) failsExtended(extended int32, method string, pairs ...any) {
	u.t.Helper()
	_, err := u.app.Call(method, args(pairs))
	u.code(method, err, upos.E_EXTENDED, extended)
}

// event waits for an event of a kind and status and acknowledges it, and status events before it that are about
// something else.
func (u *user) event(kind string, status int32) upos.Event {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), u.w.Patience())
	defer cancel()
	for {
		ev, err := u.app.Next(ctx)
		if err != nil {
			u.t.Fatalf("waiting for %s %d: %v", kind, status, err)
		}
		u.ok(u.app.Ack(ev.Seq))
		if ev.Kind == kind && ev.Status == status {
			return ev
		}
		if ev.Kind == upos.DataEvent {
			u.t.Fatalf("a DataEvent came before %s %d", kind, status)
		}
	}
}

// silent checks that no event of a kind comes.
func (u *user) silent(kind string) {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), u.w.Quiet())
	defer cancel()
	for {
		ev, err := u.app.Next(ctx)
		if err != nil {
			return
		}
		if ev.Kind == kind {
			u.t.Fatalf("an event came: %+v", ev)
		}
		u.ok(u.app.Ack(ev.Seq))
	}
}

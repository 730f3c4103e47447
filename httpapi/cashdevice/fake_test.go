package cashdevice

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/devices/line"
	"coffer/internal/cash"
	"coffer/internal/till"
	"coffer/ssp"
)

// fakeDevice is a machine that does what it is told, notes it, and refuses with err where that is set.
type fakeDevice struct {
	mu     sync.Mutex
	snap   devices.Snapshot
	acc    cash.Account
	calls  []string
	err    error            // of every call
	errs   map[string]error // of one call
	reject byte
	tells  func() // what it tells from before a call
}

func (d *fakeDevice) did(call string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, call)
	if err := d.errs[strings.Fields(call)[0]]; err != nil {
		return err
	}
	return d.err
}

func (d *fakeDevice) edit(f func(*devices.Snapshot)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(&d.snap)
}

// took returns the calls since the last time, in one line.
func (d *fakeDevice) took() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := strings.Join(d.calls, "; ")
	d.calls = nil
	return s
}

func (d *fakeDevice) Snapshot() *devices.Snapshot {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.snap
	return &s
}

func (d *fakeDevice) Enable(context.Context) error {
	if d.tells != nil {
		d.tells()
	}
	d.edit(func(s *devices.Snapshot) { s.AcceptorEnabled = true })
	return d.did("enable")
}

func (d *fakeDevice) Disable(context.Context) error {
	d.edit(func(s *devices.Snapshot) { s.AcceptorEnabled = false })
	return d.did("disable")
}

func (d *fakeDevice) Reset(context.Context) error { return d.did("reset") }

func (d *fakeDevice) SetInhibits(_ context.Context, denoms []cash.Denom, inhibit bool) error {
	call := "inhibit"
	if !inhibit {
		call = "allow"
	}
	for _, x := range denoms {
		if _, known := d.Snapshot().Channel(x); !known {
			_ = d.did(call)
			return cash.ErrInvalid
		}
		call += " " + x.String()
	}
	return d.did(call)
}

func (d *fakeDevice) Account(context.Context) (*cash.Account, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.errs["account"]; err != nil {
		return nil, err
	}
	a := d.acc
	return &a, d.err
}

func (d *fakeDevice) Raw(context.Context, []byte) ([]byte, error) { return nil, cash.ErrUnsupported }

// fakeNotes adds what note machines with a store can do.
type fakeNotes struct{ *fakeDevice }

func (d fakeNotes) SetAutoAccept(_ context.Context, on bool) error {
	return d.did("auto-accept " + truth(on))
}
func (d fakeNotes) AcceptEscrow(context.Context) error { return d.did("accept-escrow") }
func (d fakeNotes) ReturnEscrow(context.Context) error { return d.did("return-escrow") }
func (d fakeNotes) LastReject(context.Context) (byte, error) {
	return d.reject, d.did("last-reject")
}
func (d fakeNotes) EnablePayout(context.Context) error             { return d.did("payout-on") }
func (d fakeNotes) DisablePayout(context.Context) error            { return d.did("payout-off") }
func (d fakeNotes) TestPayout(context.Context, cash.Amount) error  { return nil }
func (d fakeNotes) StartPayout(context.Context, cash.Amount) error { return nil }
func (d fakeNotes) Halt(context.Context) error                     { return d.did("halt") }
func (d fakeNotes) SetRoute(_ context.Context, x cash.Denom, toPayout bool) error {
	if _, known := d.Snapshot().Channel(x); !known {
		return cash.ErrInvalid
	}
	return d.did("route " + x.String() + " " + truth(toPayout))
}

// fakeCoins adds what coin machines can do.
type fakeCoins struct{ *fakeDevice }

func (d fakeCoins) SetRoute(_ context.Context, x cash.Denom, toPayout bool) error {
	return d.did("route " + x.String() + " " + truth(toPayout))
}

// fakeStation holds lines with one machine each, by port.
type fakeStation struct {
	mu       sync.Mutex
	ports    []string
	machines map[string]devices.Device
	err      error
	released []cash.DeviceID

	keys      []uint64 // asked for
	unplugged bool
	unwatched int // watches of frames that were ended
}

func (s *fakeStation) Open(ctx context.Context, port string, addr ssp.Address) (devices.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.machines[port]
	if s.err != nil {
		return nil, s.err
	}
	if d == nil || d.Snapshot().Address != addr {
		return nil, cash.ErrNotConnected
	}
	return d, nil
}

// The session key that fake machines are driven with, and one that none has.
const (
	ownKey   = 81985526925837671
	wrongKey = 666
)

func (s *fakeStation) OpenKeyed(ctx context.Context, port string, addr ssp.Address, key uint64) (devices.Device, error) {
	s.mu.Lock()
	s.keys = append(s.keys, key)
	wrong := key == wrongKey
	s.mu.Unlock()
	if wrong {
		return nil, cash.ErrUnauthorized
	}
	return s.Open(ctx, port, addr)
}

func (s *fakeStation) HasKey(_ string, _ ssp.Address, key uint64) bool { return key == ownKey }

func (s *fakeStation) Frames(_ string, _ ssp.Address, see func(devices.Frame)) (stop func(), err error) {
	see(devices.Frame{At: at(), Sent: true, Raw: []byte{0x7F, 0x80, 0x01, 0x07, 0x12, 0x02}, Text: "POLL"})
	see(devices.Frame{At: at(), Raw: []byte{0x7F, 0x80, 0x01, 0xF0, 0x23, 0x80}, Text: "OK"})
	see(devices.Frame{At: at(), Sent: true, Text: "SET GENERATOR"})
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unwatched++
	}, nil
}

func (s *fakeStation) Release(id cash.DeviceID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.released = append(s.released, id)
}

func (s *fakeStation) Device(id cash.DeviceID) (devices.Device, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.machines {
		if strings.EqualFold(string(d.Snapshot().ID), string(id)) {
			return d, true
		}
	}
	return nil, false
}

func (s *fakeStation) Lines() []devices.LineStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []devices.LineStatus
	for _, p := range s.ports {
		out = append(out, devices.LineStatus{Port: p, State: line.State{Open: !s.unplugged}, Devices: []devices.Device{s.machines[p]}})
	}
	return out
}

// fakeTill runs calls on the devices and notes the operations it is asked for.
type fakeTill struct {
	mu      sync.Mutex
	asked   []string
	actor   string
	err     error // of operations
	claimed bool
	outcome till.Outcome
	waitErr error
	balance []cash.BalanceRow
}

type fakeOperation struct{ t *fakeTill }

func (o fakeOperation) Wait(context.Context) (till.Outcome, error) { return o.t.outcome, o.t.waitErr }

func (t *fakeTill) operation(c till.Call, asked string) (operation, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return nil, t.err
	}
	t.asked, t.actor = append(t.asked, asked), c.Actor
	return fakeOperation{t}, nil
}

func (t *fakeTill) took() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := strings.Join(t.asked, "; ")
	t.asked = nil
	return s
}

func (t *fakeTill) Dispense(_ context.Context, c till.Call, _ devices.Device, want cash.Amount) (operation, error) {
	return t.operation(c, "dispense "+want.String())
}

func (t *fakeTill) DispensePieces(_ context.Context, c till.Call, _ devices.Device, want cash.Counts) (operation, error) {
	text := "pieces"
	for _, r := range want.Rows() {
		text += fmt.Sprintf(" %dx%s", r.Count, r.Denom())
	}
	return t.operation(c, text)
}

func (t *fakeTill) Float(_ context.Context, c till.Call, _ devices.Device, keep cash.Counts) (operation, error) {
	text := "float"
	for _, r := range keep.Rows() {
		text += " " + string(rune('0'+r.Count)) + "x" + r.Denom().String()
	}
	return t.operation(c, text)
}

func (t *fakeTill) Empty(_ context.Context, c till.Call, _ devices.Device, module byte) (operation, error) {
	return t.operation(c, "empty "+string(rune('0'+module)))
}

func (t *fakeTill) Do(ctx context.Context, _ till.Call, d devices.Device, name string, f func(context.Context) error) error {
	if t.claimed {
		return &cash.OpError{Device: d.Snapshot().ID, Op: name, Err: cash.ErrClaimed}
	}
	if err := f(ctx); err != nil {
		return &cash.OpError{Device: d.Snapshot().ID, Op: name, Err: err}
	}
	return nil
}

func (t *fakeTill) Enable(ctx context.Context, c till.Call, d devices.Device) error {
	return t.Do(ctx, c, d, "enable", d.Enable)
}

func (t *fakeTill) Disable(ctx context.Context, c till.Call, d devices.Device) error {
	return t.Do(ctx, c, d, "disable", d.Disable)
}

func (t *fakeTill) Halt(ctx context.Context, c till.Call, d devices.Device) error {
	p, ok := d.(interface{ Halt(context.Context) error })
	if !ok {
		return cash.ErrUnsupported
	}
	return t.Do(ctx, c, d, "halt", p.Halt)
}

func (t *fakeTill) AcceptEscrow(ctx context.Context, c till.Call, d devices.Device) error {
	e, ok := d.(devices.Escrow)
	if !ok {
		return cash.ErrUnsupported
	}
	return t.Do(ctx, c, d, "accept", e.AcceptEscrow)
}

func (t *fakeTill) CommitMultiEscrow(ctx context.Context, c till.Call, d devices.Device) error {
	return t.Do(ctx, c, d, "commit", func(ctx context.Context) error { return held(ctx, d, devices.MultiEscrow.CommitMultiEscrow) })
}

func (t *fakeTill) CancelMultiEscrow(ctx context.Context, c till.Call, d devices.Device) error {
	return t.Do(ctx, c, d, "cancel", func(ctx context.Context) error { return held(ctx, d, devices.MultiEscrow.CancelMultiEscrow) })
}

func held(ctx context.Context, d devices.Device, f func(devices.MultiEscrow, context.Context) error) error {
	m, ok := d.(devices.MultiEscrow)
	if !ok {
		return cash.ErrUnsupported
	}
	return f(m, ctx)
}

func (t *fakeTill) ReturnEscrow(ctx context.Context, c till.Call, d devices.Device) error {
	e, ok := d.(devices.Escrow)
	if !ok {
		return cash.ErrUnsupported
	}
	return t.Do(ctx, c, d, "return", e.ReturnEscrow)
}

func (t *fakeTill) Fill(ctx context.Context, c till.Call, d devices.Device, coin cash.Denom, n int) error {
	m, ok := d.(devices.Filler)
	if !ok {
		return cash.ErrUnsupported
	}
	return t.Do(ctx, c, d, "fill", func(ctx context.Context) error { return m.AddLevel(ctx, coin, n) })
}

func (t *fakeTill) ClearCashbox(_ context.Context, c till.Call, dev cash.DeviceID) error {
	_, err := t.operation(c, "clear cashbox of "+string(dev))
	return err
}

func (t *fakeTill) Balance(context.Context, cash.DeviceID) ([]cash.BalanceRow, error) {
	return t.balance, nil
}

// channels makes the channels of a dataset; those in toPayout go to the store.
func channels(currency cash.Currency, values []int64, toPayout ...int64) []devices.Channel {
	var out []devices.Channel
	for i, v := range values {
		ch := devices.Channel{Number: i + 1, Denom: cash.Denom{Value: v, Currency: currency}, Recyclable: true}
		for _, p := range toPayout {
			ch.ToPayout = ch.ToPayout || p == v
		}
		out = append(out, ch)
	}
	return out
}

// quiet is a logger that says nothing.
func quiet() logrus.FieldLogger {
	l := logrus.New()
	l.SetOutput(io.Discard)
	return l
}

// at is a fixed clock: the first token of the manual was issued then.
func at() time.Time { return time.Unix(1738055613, 0) }

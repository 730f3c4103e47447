package till

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
)

// fakeDevice answers as it is told to.
type fakeDevice struct {
	mu      sync.Mutex
	snap    devices.Snapshot
	test    error
	start   func(context.Context) error
	started int
	calls   []string
	err     error // of the simple calls
	account *cash.Account
}

func newFakeDevice() *fakeDevice {
	d := &fakeDevice{}
	d.snap.ID, d.snap.Connected, d.snap.Ready, d.snap.Currency = testDev, true, true, "EUR"
	return d
}

func (d *fakeDevice) Snapshot() *devices.Snapshot {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.snap
	return &s
}

func (d *fakeDevice) begin(ctx context.Context) error {
	d.mu.Lock()
	d.started++
	start := d.start
	d.mu.Unlock()
	if start == nil {
		return ctx.Err()
	}
	return start(ctx)
}

func (d *fakeDevice) call(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, name)
	return d.err
}

func (d *fakeDevice) TestPieces(context.Context, cash.Counts) error        { return d.test }
func (d *fakeDevice) StartPieces(ctx context.Context, _ cash.Counts) error { return d.begin(ctx) }
func (d *fakeDevice) StartFloatAmount(ctx context.Context, _ cash.Amount, _ int64) error {
	return d.begin(ctx)
}
func (d *fakeDevice) AddLevel(_ context.Context, coin cash.Denom, n int) error {
	return d.call(fmt.Sprintf("level %s %+d", coin, n))
}
func (d *fakeDevice) TestPayout(context.Context, cash.Amount) error        { return d.test }
func (d *fakeDevice) StartPayout(ctx context.Context, _ cash.Amount) error { return d.begin(ctx) }
func (d *fakeDevice) StartFloat(ctx context.Context, _ cash.Counts) error  { return d.begin(ctx) }
func (d *fakeDevice) StartEmpty(ctx context.Context, _ byte) error         { return d.begin(ctx) }
func (d *fakeDevice) Enable(context.Context) error                         { return d.call("enable") }
func (d *fakeDevice) Disable(context.Context) error                        { return d.call("disable") }
func (d *fakeDevice) Reset(context.Context) error                          { return d.call("reset") }
func (d *fakeDevice) EnablePayout(context.Context) error                   { return d.call("enable payout") }
func (d *fakeDevice) DisablePayout(context.Context) error                  { return d.call("disable payout") }
func (d *fakeDevice) Halt(context.Context) error                           { return d.call("halt") }
func (d *fakeDevice) SetAutoAccept(context.Context, bool) error            { return d.call("auto accept") }
func (d *fakeDevice) AcceptEscrow(context.Context) error                   { return d.call("accept") }
func (d *fakeDevice) ReturnEscrow(context.Context) error                   { return d.call("return") }
func (d *fakeDevice) Raw(context.Context, []byte) ([]byte, error)          { return nil, d.call("raw") }
func (d *fakeDevice) Account(context.Context) (*cash.Account, error) {
	return d.account, d.call("account")
}
func (d *fakeDevice) SetInhibits(context.Context, []cash.Denom, bool) error {
	return d.call("inhibit")
}

// plainDevice can do nothing but what every device can.
type plainDevice struct{ devices.Device }

func (plainDevice) Snapshot() *devices.Snapshot {
	return &devices.Snapshot{ID: testDev, Connected: true, Ready: true}
}

// rig is a till over a ledger in memory, with a machine that was seen once.
type rig struct {
	*testing.T
	j    *fakeJournal
	till *Till
	dev  *fakeDevice
	mu   sync.Mutex
	told []string
}

// newRig starts with the levels of account acc.
func newRig(t *testing.T, acc cash.Account) *rig {
	r := &rig{T: t, j: newFakeJournal(), dev: newFakeDevice()}
	r.restart()
	r.must(r.till.Reconcile(t.Context(), testDev, acc))
	r.forget()
	return r
}

// restart is a new process over the same ledger.
func (r *rig) restart() { r.till = New(r.j, r, quiet(), time.Now) }

func (r *rig) Publish(_ cash.DeviceID, _ time.Time, seq int64, ev ...cash.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range ev {
		text := eventText(e)
		if seq > 0 {
			text += fmt.Sprintf(" @%d", seq)
		}
		r.told = append(r.told, text)
	}
}

func eventText(ev cash.Event) string {
	switch e := ev.(type) {
	case cash.NoteCredited:
		return fmt.Sprintf("credited %d %s", e.Note.Value, e.To)
	case cash.NotePlaced:
		return fmt.Sprintf("placed %d %s", e.Note.Value, e.To)
	case cash.OpStarted:
		return "started " + e.ID
	case cash.OpClosed:
		return fmt.Sprintf("closed %s %s %d", e.ID, e.Result, e.Paid.Value)
	case cash.Progress:
		return fmt.Sprintf("progress %d", e.Total.Value)
	case cash.Ended:
		return "ended " + string(e.Result)
	case cash.StateChanged:
		return e.State.String()
	}
	return fmt.Sprintf("%T", ev)
}

// forget forgets rows and events so far.
func (r *rig) forget() { r.told = nil; r.j.shown = len(r.j.rows) }

// rows checks the money rows since forget.
func (r *rig) rows(want ...string) {
	r.Helper()
	var got []string
	for _, e := range r.j.rows[r.j.shown:] {
		if e.Kind != cash.KindOperation {
			got = append(got, rowText(e.Line))
		}
	}
	if !slices.Equal(got, want) {
		r.Errorf("rows %q; want %q", got, want)
	}
}

// heard checks the events since forget.
func (r *rig) heard(want ...string) {
	r.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.told, want) {
		r.Errorf("events %q; want %q", r.told, want)
	}
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) record(events ...cash.Event) {
	r.Helper()
	r.must(r.till.Record(r.Context(), testDev, events...))
}

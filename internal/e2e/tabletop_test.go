package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
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
)

// tabletop is a simulated recycler and all of coffer but its edges, in a synctest bubble: hours pass in a second, and
// nothing depends on how fast the test machine is. What stands for coffer can be crashed and set up again beside the
// machine, which lives on.
type tabletop struct {
	t       *testing.T
	kind    model
	world   *sim.World
	machine *sim.Machine
	loose   bool // nobody can know where some pieces came from
	cable   *sim.Line
	dir     string // of the ledger
	old     []func()
	down    atomic.Bool // the host has crashed, and its ledger is put aside

	tap     *tap
	ledger  *journal.Journal
	till    *till.Till
	station *devices.Station
	cursor  *bus.Cursor
	seen    []cash.Event
	stop    func() // ends the host
}

var eur = func(v int64) cash.Amount { return cash.Amount{Value: v, Currency: "EUR"} }

// model is a machine on a tabletop.
type model struct {
	profile string
	id      cash.DeviceID
	levels  map[int64]int
	coins   bool          // at address 16, with the dataset of coins
	spare   map[int64]int // in its replenishment cassette
}

// address and dataset follow from the kind of money.
func (m model) address() ssp.Address {
	if m.coins {
		return 16
	}
	return 0
}

func (m model) dataset() []int64 {
	if m.coins {
		return []int64{10, 20, 50, 100, 200}
	}
	return []int64{500, 1000, 2000, 5000}
}

var (
	recycler  = model{profile: "spectral-payout", id: recyclerID, levels: map[int64]int{500: 4, 1000: 4, 2000: 4}}
	nv22      = model{profile: "nv22", id: recyclerID, levels: map[int64]int{500: 4, 1000: 4}}
	noteFloat = model{profile: "nv11", id: "NV11-" + recyclerPort, levels: map[int64]int{500: 6}}
	nv4000    = model{profile: "nv4000", id: "NV4000-" + recyclerPort, levels: map[int64]int{500: 4, 1000: 4, 2000: 4},
		spare: map[int64]int{500: 2, 2000: 1}}
	nv9      = model{profile: "nv9", id: validatorID}
	nv10     = model{profile: "nv10", id: validatorID}
	nv200    = model{profile: "nv200", id: validatorID}
	scu      = model{profile: "scu", id: "SMART_CURRENCY_SYSTEM-" + recyclerPort}
	nv22only = model{profile: "nv22-validator", id: validatorID}
)

const validatorID cash.DeviceID = "NOTE_VALIDATOR-" + recyclerPort

// hasPayout says whether the machine has a store that it pays from.
func (m model) hasPayout() bool { return m.id != validatorID && m.id != scu.id }

// onTabletop runs f in a bubble with a fresh tabletop. before is done before anybody connects to the machine.
func onTabletop(t *testing.T, kind model, f func(*tabletop), before ...func(*tabletop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		world := sim.NewWorld(nil)
		if err := world.SetSpeed(10); err != nil { // fewer polls that see nothing
			t.Fatal(err)
		}
		tt := &tabletop{t: t, kind: kind, world: world, cable: world.AddLine(recyclerPort), dir: t.TempDir()}
		var err error
		tt.machine, err = tt.cable.AddMachine(kind.address(), kind.profile, sim.Options{
			Currency: "EUR", Dataset: kind.dataset(), Levels: kind.levels, Cassette: kind.spare,
		})
		if err != nil {
			t.Fatal(err)
		}
		tt.setUp(before...)
		defer func() {
			tt.bury()
			tt.stop()
			if err := world.Close(); err != nil {
				t.Errorf("world: %v", err)
			}
		}()
		f(tt)
	})
}

// setUp starts a coffer over the ledger in dir. before is done before it connects: once it runs, the first frames go out
// in the same moment of the bubble.
func (tt *tabletop) setUp(before ...func(*tabletop)) {
	t := tt.t
	t.Helper()
	ledger, err := journal.Open(context.Background(), tt.dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	tt.tap = &tap{dial: tt.cable.Pipe(), Journal: ledger}
	events := bus.New(4096)
	tt.cursor, tt.ledger = events.Cursor(""), ledger
	tt.down.Store(false)
	tt.till = till.New(tt.tap, events, log, time.Now)
	machine := devices.DeviceConfig{ID: "machine", Address: tt.kind.address(), Currency: "EUR", Extensions: true}
	cfg := []devices.LineConfig{{Port: recyclerPort, Devices: []devices.DeviceConfig{machine}}}
	openers := map[string]line.Opener{recyclerPort: line.ConnOpener(tt.tap.connect)}
	tt.station = devices.NewStation(cfg, openers, []devices.Family{note.Family(), note.FloatFamily(), coin.Family()}, tt.till, log)
	for _, f := range before {
		f(tt)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func(s *devices.Station) { ended <- s.Run(ctx) }(tt.station)
	cursor, books := tt.cursor, tt.till
	tt.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("station: %v", err)
		}
		cursor.Close()
		brief, done := context.WithTimeout(context.Background(), 15*time.Second)
		defer done()
		_ = books.Close(brief) // it says so when an operation was cut
		if err := ledger.Close(); err != nil {
			t.Errorf("ledger: %v", err)
		}
	}
}

// crash takes the host away as kill -9 does: its line is dead and its ledger stays as it is on disk now. setUp starts the
// next one. What is left of the old one is ended by bury.
func (tt *tabletop) crash() {
	tt.tap.kill()
	dir := tt.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(tt.dir)); err != nil {
		tt.t.Errorf("copy of the ledger: %v", err)
	}
	tt.dir = dir
	tt.old = append(tt.old, tt.stop)
	tt.stop = func() {}
	tt.down.Store(true)
}

// bury ends what is left of hosts that have crashed.
func (tt *tabletop) bury() {
	for _, end := range tt.old {
		end()
	}
	tt.old = nil
}

// await lets time pass until cond holds, at most for an hour.
func (tt *tabletop) await(what string, cond func() bool) {
	tt.t.Helper()
	for range 36_000 {
		tt.read()
		if cond() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	tt.t.Fatalf("%s: not within an hour; told %v", what, tail(fmt.Sprintf("%T", tt.seen), 2000))
}

// read takes what was published.
func (tt *tabletop) read() {
	tt.t.Helper()
	list, err := tt.cursor.Take(1000)
	if err != nil {
		tt.t.Fatal(err)
	}
	for _, e := range list {
		tt.seen = append(tt.seen, e.Event)
	}
}

// device waits until the recycler is ready and returns it.
func (tt *tabletop) device() (d devices.Device) {
	tt.t.Helper()
	tt.await("recycler is ready", func() bool {
		var ok bool
		d, ok = tt.station.Device(tt.kind.id)
		return ok && d.Snapshot().Ready
	})
	return d
}

// truth is the machine's truth, in the words of the control API.
func (tt *tabletop) truth() (tr truth) {
	tt.t.Helper()
	b, err := json.Marshal(tt.machine.Truth())
	if err == nil {
		err = json.Unmarshal(b, &tr)
	}
	if err != nil {
		tt.t.Fatal(err)
	}
	return tr
}

// differs compares ledger and machine; "" is agreement.
func (tt *tabletop) differs(tr truth) string {
	tt.t.Helper()
	books := map[string][]row{}
	list, err := tt.ledger.Balance(context.Background(), tt.kind.id)
	if err != nil {
		tt.t.Fatal(err)
	}
	for _, b := range list {
		books[string(b.Place)] = append(books[string(b.Place)], row{b.Value, string(b.Currency), b.Count})
	}
	var all string
	for place, want := range map[string][]row{"payout": tr.Payout, "cashbox": tr.Cashbox, "escrow": tr.Escrow} {
		if diff := cmp.Diff(counts(want), counts(books[place])); diff != "" {
			all += fmt.Sprintf("%s: truth (-) and ledger (+):\n%s", place, diff)
		}
	}
	return all
}

// audit is settled, and holds the whole ledger against what the machine took and gave.
func (tt *tabletop) audit() truth {
	tt.t.Helper()
	tr := tt.settled()
	if _, err := tt.ledger.Verify(context.Background()); err != nil {
		tt.t.Errorf("verify: %v", err)
	}
	tt.checkRows(tr)
	return tr
}

// settled waits until the machine is at rest and driven, and holds the balance against it.
func (tt *tabletop) settled() truth {
	tt.t.Helper()
	tt.device()
	var tr truth
	var diff string
	for range 600 {
		if tr = tt.truth(); !tr.Moving && tt.device().Snapshot().Escrow == nil {
			if diff = tt.differs(tr); diff == "" {
				break
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	if diff != "" || tr.Moving {
		tt.t.Fatalf("after a minute at rest (moving %v): %s", tr.Moving, diff)
	}
	tr.checkSum(tt.t)
	return tr
}

// checkRows holds credits and payouts of the ledger against what was taken and handed out.
func (tt *tabletop) checkRows(tr truth) {
	tt.t.Helper()
	rows, err := tt.ledger.LinesSince(context.Background(), tt.kind.id, 0)
	if err != nil {
		tt.t.Fatal(err)
	}
	var in, out, back []row
	for _, e := range rows {
		r := row{e.Value, string(e.Currency), e.Count}
		switch e.Kind {
		case cash.KindCredit:
			in = append(in, r)
		case cash.KindPayout:
			out = append(out, r)
		case cash.KindDiscrepancy:
			if !tt.loose {
				tt.t.Errorf("discrepancy: %+v", e)
			}
		}
	}
	for _, r := range append(slices.Clone(tr.Returned), tr.Escrow...) { // not taken
		back = append(back, row{r.Value, r.Currency, -r.Count})
	}
	if diff := cmp.Diff(counts(tr.Inserted, back), counts(in)); diff != "" {
		tt.t.Errorf("taken (-) and credited (+) differ:\n%s", diff)
	}
	if diff := cmp.Diff(counts(tr.Dispensed), counts(out)); diff != "" {
		tt.t.Errorf("handed out (-) and booked as paid (+) differ:\n%s", diff)
	}
}

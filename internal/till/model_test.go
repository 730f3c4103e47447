package till

import (
	"context"
	"flag"
	"io"
	"os"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"pgregory.net/rapid"

	"coffer/devices"
	"coffer/internal/cash"
)

var traceModel = os.Getenv("TRACE_MODEL") != ""

var foggy int

const testDev cash.DeviceID = "SPECTRAL_PAYOUT-COM5"

// killed is the panic that stands for kill -9.
type killed struct{}

// world is a machine, a ledger and a coffer that drives the one with the other, until it dies and another takes over.
type world struct {
	dice
	*rapid.T
	m       *machine
	j       *fakeJournal
	till    *Till
	ready   bool // connected and reconciled
	dying   int  // the commit at whose edge coffer dies; 0 for never
	levels  cash.Counts
	total   int64 // of the running operation, as last told
	pending []cash.Event
	sent    map[string]int // commands by operation
	news    []cash.Event
}

type rapidDice struct{ *rapid.T }

func (d rapidDice) roll(what string, n int) int { return rapid.IntRange(0, n-1).Draw(d.T, what) }

func quiet() logrus.FieldLogger {
	l := logrus.New()
	l.SetOutput(io.Discard)
	return l
}

func newWorld(t *rapid.T) *world {
	d := rapidDice{t}
	w := &world{dice: d, T: t, m: newMachine(d), j: newFakeJournal(), sent: map[string]int{}}
	w.j.crash = func(string) {
		if w.dying > 0 {
			if w.dying--; w.dying == 0 {
				panic(killed{})
			}
		}
	}
	w.start()
	return w
}

func (w *world) Publish(_ cash.DeviceID, _ time.Time, _ int64, ev ...cash.Event) {
	w.news = append(w.news, ev...)
}

func (w *world) start() {
	w.till = New(w.j, w, quiet(), time.Now)
	w.till.grace = 0 // driver and caller are one goroutine here
	w.ready, w.pending, w.dying = false, nil, 0
}

// alive runs f; if coffer dies in it, a new one starts.
func (w *world) alive(f func()) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case killed:
			w.Log("killed")
			w.start()
		default:
			panic(r)
		}
	}()
	f()
}

// connect is what a driver does with a machine that answers again.
func (w *world) connect() {
	w.pending = nil
	ctx := context.Background()
	if w.till.Record(ctx, testDev, cash.StateChanged{State: cash.StateConnecting}) != nil {
		return
	}
	w.m.giveBack()
	w.m.enabled = false
	for quietPolls := 0; quietPolls < 3; {
		answer := w.m.poll()
		if w.roll("link lost while draining", 40) == 0 {
			return
		}
		if len(answer) == 0 {
			if quietPolls++; !w.m.resting() {
				quietPolls = 0
			}
			continue
		}
		quietPolls = 0
		if w.till.Evidence(ctx, testDev, events(answer)...) != nil {
			return
		}
		if w.roll("acknowledgement lost", 20) == 0 {
			return
		}
		w.m.ack()
	}
	acc := w.m.account()
	if w.till.Reconcile(ctx, testDev, acc) != nil {
		return
	}
	w.ready, w.m.enabled, w.m.touched, w.m.strayed, w.levels, w.total = true, true, false, false, acc.Levels, 0
}

func events(answer []report) (out []cash.Event) {
	for _, r := range answer {
		out = append(out, r.event)
	}
	return out
}

// poll is one turn of a driver's loop.
func (w *world) poll() {
	if !w.ready {
		w.connect()
		return
	}
	if len(w.pending) == 0 {
		answer := w.m.poll()
		if w.roll("link lost", 30) == 0 {
			w.ready = false
			return
		}
		w.pending = w.translate(answer)
	}
	if len(w.pending) > 0 && w.till.Record(context.Background(), testDev, w.pending...) != nil {
		return
	}
	w.pending = nil
	if w.roll("acknowledgement lost", 30) == 0 {
		w.ready = false
		return
	}
	w.m.ack()
}

// translate completes events as a driver does.
func (w *world) translate(answer []report) (out []cash.Event) {
	for _, r := range answer {
		switch e := r.event.(type) {
		case cash.Progress:
			gone := w.levels.Minus(w.m.store)
			if gone.Total("EUR").Value == e.Total.Value-w.total && len(positive(gone)) == len(gone) && w.roll("levels read", 3) > 0 {
				e.Pieces = gone
			}
			w.levels, w.total = w.m.store.Clone(), e.Total.Value
			out = append(out, e)
		case cash.Ended:
			acc := w.m.account()
			if e.Account = &acc; w.roll("books unreadable", 15) == 0 {
				e.Account = nil
			}
			w.levels, w.total = acc.Levels, 0
			out = append(out, e)
		default:
			out = append(out, r.event)
		}
	}
	return out
}

// audit compares books at idle.
func (w *world) audit() {
	if w.ready && w.m.resting() && len(w.pending) == 0 {
		if w.till.Reconcile(context.Background(), testDev, w.m.account()) == nil {
			w.m.touched, w.m.strayed = false, false
		}
	}
}

// modelDevice is the machine as the till sees it.
type modelDevice struct {
	devices.Device
	w *world
}

func (d modelDevice) Snapshot() *devices.Snapshot {
	s := &devices.Snapshot{ID: testDev, Connected: d.w.ready, Ready: d.w.ready}
	s.Currency = "EUR"
	return s
}

func (d modelDevice) TestPayout(_ context.Context, want cash.Amount) error {
	return d.w.m.test(want.Value)
}
func (d modelDevice) EnablePayout(context.Context) error  { return nil }
func (d modelDevice) DisablePayout(context.Context) error { return nil }
func (d modelDevice) Halt(context.Context) error          { return nil }

func (d modelDevice) StartPayout(context.Context, cash.Amount) error { return d.command() }
func (d modelDevice) StartFloat(context.Context, cash.Counts) error  { return d.command() }
func (d modelDevice) StartEmpty(context.Context, byte) error         { return d.command() }

// command sends the command of the operation that the ledger has last opened.
func (d modelDevice) command() error {
	w := d.w
	op := w.j.ops[len(w.j.ops)-1]
	w.sent[op.ID]++
	switch w.roll("command", 12) {
	case 0: // lost on the way
		w.ready = false
		return cash.ErrOutcomeUnknown
	case 1: // its answer is lost
		_ = w.m.start(op)
		w.ready = false
		return cash.ErrOutcomeUnknown
	case 2:
		_ = w.m.start(op)
		panic(killed{})
	case 3:
		panic(killed{})
	case 4: // the machine is faster than its answer
		err := w.m.start(op)
		w.levels, w.total = w.m.store.Clone(), 0
		for range w.roll("polls", 20) {
			w.poll()
		}
		return err
	}
	err := w.m.start(op)
	if err == nil {
		w.levels, w.total = w.m.store.Clone(), 0
	}
	return err
}

// act does one random thing.
func (w *world) act() {
	ctx := context.Background()
	dev := modelDevice{w: w}
	call := Call{Actor: "model", Key: []string{"", "k1", "k2"}[w.roll("key", 3)]}
	switch w.roll("act", 16) {
	case 0, 1:
		w.m.insert(w.m.denoms()[w.roll("piece", 4)])
	case 2:
		_, _ = w.till.Dispense(ctx, call, dev, cash.Amount{Value: int64(1+w.roll("value", 12)) * w.m.denoms()[0].Value, Currency: "EUR"})
	case 3:
		if w.roll("which", 2) == 0 {
			_, _ = w.till.Float(ctx, call, dev, cash.Counts{w.m.denoms()[w.roll("kept", 4)]: w.roll("keep", 4)})
		} else {
			_, _ = w.till.Empty(ctx, call, dev, 0)
		}
	case 4:
		w.m.halt()
	case 5:
		w.m.giveBack()
	case 6:
		w.audit()
	case 7:
		w.dying = 1 + w.roll("dies at", 4)
	case 8:
		if w.roll("what breaks", 3) == 0 {
			panic(killed{})
		}
		if w.roll("what breaks", 2) == 0 {
			w.m.powerCut()
		}
		w.ready = false
	case 9:
		if w.j.fail = nil; w.roll("disk", 3) == 0 {
			w.j.fail = errDisk
		}
	default:
		w.poll()
	}
}

// settleDown lets everything come to rest without further trouble.
func (w *world) settleDown() {
	w.j.fail, w.dying = nil, 0
	for range 2000 {
		w.alive(w.poll)
		if w.ready && w.m.resting() && len(w.pending) == 0 {
			w.alive(w.audit)
			return
		}
	}
	w.Fatal("the machine does not come to rest")
}

// verify compares the ledger with the machine.
func (w *world) verify() {
	if d := w.j.in(testDev, cash.Payout).Minus(w.m.store); len(d) != 0 {
		w.Fatalf("payout is off by %v\n%v", d, w.j.money())
	}
	if d := w.j.in(testDev, cash.Escrow); len(d) != 0 {
		w.Fatalf("escrow holds %v\n%v", d, w.j.money())
	}
	credits, discrepancies := cash.Counts{}, 0
	for _, e := range w.j.rows {
		switch e.Kind {
		case cash.KindCredit:
			credits[denomOf(e.Line)] += e.Count
		case cash.KindDiscrepancy:
			discrepancies++
		}
	}
	unknown := 0
	for _, op := range w.j.ops {
		if op.State == "" {
			w.Fatalf("operation %s is open\n%v", op.ID, w.j.money())
		}
		if op.State == cash.OpUnknown {
			unknown++
		}
		if w.sent[op.ID] > 1 {
			w.Fatalf("operation %s was sent %d times", op.ID, w.sent[op.ID])
		}
	}
	w.verifyOps()
	if d := positive(credits.Minus(w.m.credited)); len(d) != 0 && !w.m.untold {
		w.Fatalf("invented credits: %v\n%v", d, w.j.money())
	}
	if len(w.m.fog) > 0 {
		if d := cash.Counts(nil); w.m.untold {
			// a repeated report may stand for the lost one
		} else if d = positive(w.j.in(testDev, cash.Cashbox).Minus(w.m.box)); len(d) != 0 {
			w.Fatalf("invented in the cashbox: %v\n%v", d, w.j.money())
		}
		foggy++
		return
	}
	if discrepancies > 0 || unknown > 0 {
		w.Fatalf("%d discrepancies, %d unknown outcomes\n%v", discrepancies, unknown, w.j.money())
	}
	if d := w.j.in(testDev, cash.Cashbox).Minus(w.m.box); len(d) != 0 {
		w.Fatalf("cashbox is off by %v\n%v", d, w.j.money())
	}
	if d := credits.Minus(w.m.credited); len(d) != 0 {
		w.Fatalf("credits are off by %v\n%v", d, w.j.money())
	}
}

func (w *world) verifyOps() {
	for _, op := range w.j.ops {
		if op.State == cash.OpUnknown {
			continue
		}
		truth := w.m.done[op.ID]
		moved, result := cash.Counts{}, cash.OpFailed
		if truth != nil {
			moved = truth.moved()
		}
		if moved.Pieces() > 0 {
			result = cash.OpPartial
		}
		if op.Kind == cash.OpDispense && moved.Total("EUR").Value == op.Asked.Value {
			result = cash.OpDone
		}
		if len(op.Paid.Minus(moved)) != 0 || op.Kind == cash.OpDispense && op.State != result {
			w.Fatalf("%s %s is %s, paid %v; the machine moved %v\n%v", op.Kind, op.ID, op.State, op.Paid, moved, w.j.money())
		}
	}
}

// told checks that every credit of the ledger was published at most once.
func (w *world) told() {
	credits, told := cash.Counts{}, cash.Counts{}
	for _, e := range w.j.rows {
		if e.Kind == cash.KindCredit {
			credits[denomOf(e.Line)] += e.Count
		}
	}
	for _, ev := range w.news {
		switch e := ev.(type) {
		case cash.NoteCredited:
			told[e.Note]++
		case cash.CoinCredited:
			told[e.Coin] += e.Count
		}
	}
	for p, n := range told.Minus(credits) {
		if n > 0 {
			w.Fatalf("%d of %s told more often than taken\n%v", n, p, w.j.money())
		}
	}
}

func modelRun(t *rapid.T) {
	w := newWorld(t)
	for range 5 + w.roll("length", 60) {
		w.alive(w.act)
		if traceModel {
			w.Logf("store %v box %v counters %v op %+v fog %v | ledger %v", w.m.store.Rows(), w.m.box.Rows(), w.m.counters, w.m.op, w.m.fog, w.j.money())
		}
	}
	w.settleDown()
	w.verify()
	w.told()
}

// TestModel lets coffer and a machine fail in every way the model knows, and compares ledger and machine at the end.
func TestModel(t *testing.T) {
	checks := "2000"
	if testing.Short() {
		checks = "300"
	}
	for name, value := range map[string]string{"rapid.checks": checks, "rapid.seed": "20260301", "rapid.nofailfile": "true"} {
		f := flag.Lookup(name)
		if f.Value.String() != f.DefValue {
			continue // asked for on the command line
		}
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = flag.Set(name, f.DefValue) }()
	}
	rapid.Check(t, modelRun)
	t.Logf("%d runs with something that nobody could know", foggy)
}

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/internal/till"
)

// job is a scenario on the tabletop. It ends by itself, whatever happens to the machine.
type job struct {
	name string
	auto bool
	run  func(tt *tabletop, d devices.Device)
}

var me = till.Call{Actor: "test"}

var jobs = []job{
	{"note taken at once", true, func(tt *tabletop, d devices.Device) {
		tt.put(2000)
	}},
	{"note held and accepted", false, func(tt *tabletop, d devices.Device) {
		tt.put(2000)
		tt.pass(10*time.Second, func() bool { return d.Snapshot().Escrow != nil })
		_ = tt.till.AcceptEscrow(context.Background(), me, d) // refused when the power was cut before
	}},
	{"note held and returned", false, func(tt *tabletop, d devices.Device) {
		tt.put(2000)
		tt.pass(10*time.Second, func() bool { return d.Snapshot().Escrow != nil })
		_ = tt.till.ReturnEscrow(context.Background(), me, d)
	}},
	{"payout", true, func(tt *tabletop, d devices.Device) {
		if _, err := tt.till.Dispense(context.Background(), me, d, eur(payoutValue)); err != nil {
			tt.t.Logf("payout: %v", err)
		}
	}},
	{"empty", true, func(tt *tabletop, d devices.Device) {
		if _, err := tt.till.Empty(context.Background(), me, d, 0); err != nil {
			tt.t.Logf("empty: %v", err)
		}
	}},
}

// float keeps two of 5 EUR. On a note float that is several commands.
func (tt *tabletop) float(d devices.Device) {
	keep := cash.Counts{cash.Denom{Value: 500, Currency: "EUR"}: 2}
	if _, err := tt.till.Float(context.Background(), me, d, keep); err != nil {
		tt.t.Logf("float: %v", err)
	}
}

// otherJobs are those in which a model differs from the recycler.
var otherJobs = map[string][]job{
	nv22.profile: {
		{"note that no reel takes", true, func(tt *tabletop, d devices.Device) { tt.put(2000) }},
		jobs[3],
	},
	nv4000.profile: {
		{"note into a recycler of its own", true, func(tt *tabletop, d devices.Device) {
			tt.toRecycler(d, 2000, 3)
			_, _ = tt.machine.Insert(sim.Insert{Value: 2000, Currency: "EUR"}) // refused when the power was cut before
		}},
		jobs[3],
		{"one recycler emptied", true, func(tt *tabletop, d devices.Device) {
			if _, err := tt.till.Empty(context.Background(), me, d, 1); err != nil {
				tt.t.Logf("empty: %v", err)
			}
		}},
		{"replenishment", true, func(tt *tabletop, d devices.Device) { tt.replenish(d, 3) }},
	},
	noteFloat.profile: {
		{"note into the float", true, func(tt *tabletop, d devices.Device) { tt.put(500) }},
		{"note past the float", true, func(tt *tabletop, d devices.Device) { tt.put(2000) }},
		{"payout of three notes", true, jobs[3].run},
		{"stacking of four notes", true, (*tabletop).float},
		jobs[4],
	},
}

// replenish moves notes from the cassette of an NV4000 into its recyclers, and waits until that is over.
func (tt *tabletop) replenish(d devices.Device, n int) {
	if err := d.(devices.Replenisher).Replenish(context.Background(), n); err != nil {
		tt.t.Logf("replenishment: %v", err)
		return
	}
	tt.pass(time.Minute, func() bool { return !tt.machine.Truth().Moving && d.Snapshot().State != cash.StateReplenishing })
}

// several lets the machine hold three notes in its store, and then take them or give them back.
func several(decide func(devices.MultiEscrow, context.Context) error) func(*tabletop, devices.Device) {
	return func(tt *tabletop, d devices.Device) {
		e := d.(devices.MultiEscrow)
		if err := e.SetMultiEscrowSize(context.Background(), 5); err != nil {
			tt.t.Logf("multi escrow: %v", err)
		}
		if _, err := tt.machine.Insert(sim.Insert{Value: 500, Currency: "EUR", Count: 3}); err != nil {
			tt.t.Logf("insert: %v", err) // the power was cut before
		}
		tt.pass(15*time.Second, func() bool { return d.Snapshot().MultiHeld.Pieces() == 3 })
		if err := decide(e, context.Background()); err != nil {
			tt.t.Logf("multi escrow: %v", err)
		}
	}
}

// severalJobs are those of machines that hold several notes.
var severalJobs = []job{
	{"multi escrow taken", true, several(devices.MultiEscrow.CommitMultiEscrow)},
	{"multi escrow given back", true, several(devices.MultiEscrow.CancelMultiEscrow)},
	{"multi escrow left alone", true, several(func(devices.MultiEscrow, context.Context) error { return nil })},
}

// toRecycler sends a denomination to one recycler of an NV4000.
func (tt *tabletop) toRecycler(d devices.Device, value int64, n byte) {
	err := d.(devices.Recyclers).SetRecycler(context.Background(), cash.Denom{Value: value, Currency: "EUR"}, n)
	if err != nil {
		tt.t.Logf("recycler: %v", err)
	}
}

func (tt *tabletop) put(value int64) {
	tt.t.Helper()
	if _, err := tt.machine.Insert(sim.Insert{Value: value, Currency: "EUR"}); err != nil {
		tt.t.Fatal(err)
	}
}

// enable turns payout and acceptor on.
func (tt *tabletop) enable(d devices.Device) {
	tt.t.Helper()
	if tt.kind.hasPayout() && !tt.kind.coins { // those of coins are always able to pay
		if err := d.(devices.Payer).EnablePayout(context.Background()); err != nil {
			tt.t.Fatal(err)
		}
	}
	if err := tt.till.Enable(context.Background(), me, d); err != nil {
		tt.t.Fatal(err)
	}
}

// pass lets time go by, until cond holds or limit has passed.
func (tt *tabletop) pass(limit time.Duration, cond func() bool) {
	tt.t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end) && !cond(); {
		tt.read()
		time.Sleep(20 * time.Millisecond)
	}
}

// disturb is what happens to a job: it is set up before the job begins and says how many moments there were for it.
type disturb struct {
	name string
	// arm prepares for moment n (0: never); moments counts them.
	arm func(tt *tabletop, n int) (moments func() int)
	// heal ends what arm began, when the job is over.
	heal func(tt *tabletop)
}

// powerAtSteps cuts the machine's power at each step of its mechanics.
func powerAtSteps(dark time.Duration) disturb {
	return disturb{fmt.Sprintf("power cut at a step, dark for %v", dark), func(tt *tabletop, n int) func() int {
		steps := 0
		tt.machine.OnStep(func(string) bool {
			steps++
			return steps == n
		})
		return func() int {
			tt.machine.OnStep(nil)
			return steps
		}
	}, func(tt *tabletop) { tt.powerOn(dark) }}
}

// powerAtMoments cuts the machine's power between frames and writes.
var powerAtMoments = disturb{"power cut between frames", func(tt *tabletop, n int) func() int {
	return tt.at(n, func() { _ = tt.machine.Fault(sim.Fault{Kind: sim.FaultPowerOff}) })
}, func(tt *tabletop) { tt.powerOn(time.Second) }}

// cableAtMoments breaks the connection between frames and writes; the machine goes on.
var cableAtMoments = disturb{"cable pulled between frames", func(tt *tabletop, n int) func() int {
	return tt.at(n, func() { _ = tt.machine.Fault(sim.Fault{Kind: sim.FaultUnplug, ForMS: 2000}) })
}, func(*tabletop) {}}

// crashAtMoments lets coffer die between frames and writes.
var crashAtMoments = disturb{"coffer killed between frames and writes", func(tt *tabletop, n int) func() int {
	return tt.at(n, tt.crash)
}, func(tt *tabletop) {
	if tt.down.Load() {
		tt.setUp()
	}
}}

// at does f at moment n.
func (tt *tabletop) at(n int, f func()) (moments func() int) {
	tap, all := tt.tap, 0
	tap.watch(func(i int) {
		all = i
		if i == n {
			f()
		}
	})
	return func() int {
		tap.watch(nil)
		return all
	}
}

func (tt *tabletop) powerOn(after time.Duration) {
	tt.t.Helper()
	if tt.machine.Truth().Power {
		return
	}
	time.Sleep(after)
	if err := tt.machine.Fault(sim.Fault{Kind: sim.FaultPowerOn}); err != nil {
		tt.t.Fatal(err)
	}
}

// do runs j, disturbed at moment n, until nothing moves any more, and returns how many moments there were.
func (tt *tabletop) do(j job, x disturb, n int) (moments int) {
	t := tt.t
	d := tt.device()
	tt.enable(d)
	if e, ok := d.(devices.Escrow); ok {
		if err := e.SetAutoAccept(context.Background(), j.auto); err != nil {
			t.Fatal(err)
		}
	}
	count := x.arm(tt, n)
	j.run(tt, d)
	still := time.Now() // since when nothing moves
	tt.pass(time.Minute, func() bool {
		tr, s := tt.machine.Truth(), d.Snapshot()
		if tr.Moving || s.Escrow != nil || s.Operation != "" {
			still = time.Now()
		}
		return !tr.Power || tt.down.Load() || time.Since(still) > 400*time.Millisecond
	})
	moments = count()
	x.heal(tt)
	tt.pass(3*time.Second, func() bool { return n == 0 || !d.Snapshot().Ready }) // until the loss is noticed
	return moments
}

// perJob is how many moments of a job are tried without KILLS=all.
const perJob = 10

// TestDisturbed runs every job with every disturbance, at every moment with KILLS=all, and compares the books when all is
// well again.
func TestDisturbed(t *testing.T) {
	for _, x := range []disturb{
		powerAtSteps(100 * time.Millisecond), powerAtSteps(time.Minute), powerAtMoments, cableAtMoments, crashAtMoments,
	} {
		t.Run(x.name, func(t *testing.T) {
			for _, j := range jobs {
				t.Run(j.name, func(t *testing.T) {
					t.Parallel()
					everyMoment(t, recycler, x, j, perJob)
				})
			}
			for _, j := range severalJobs {
				t.Run(j.name, func(t *testing.T) {
					t.Parallel()
					everyMoment(t, recycler, x, j, perJob/2)
				})
			}
			for _, kind := range []model{nv22, noteFloat, nv4000} {
				for _, j := range otherJobs[kind.profile] {
					t.Run(kind.profile+" "+j.name, func(t *testing.T) {
						t.Parallel()
						everyMoment(t, kind, x, j, perJob/2)
					})
				}
			}
		})
	}
}

func everyMoment(t *testing.T, kind model, x disturb, j job, most int) {
	moments := 0
	onTabletop(t, kind, func(tt *tabletop) {
		moments = tt.do(j, x, 0)
		tt.audit()
	})
	if moments == 0 {
		t.Fatal("nothing happened")
	}
	points := sample(t.Name(), moments, most)
	for _, n := range points {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			onTabletop(t, kind, func(tt *tabletop) {
				tt.do(j, x, n)
				tt.checkEnd(tt.audit())
			})
		})
	}
	t.Logf("%d moments of %d", len(points), moments)
}

// checkEnd: no payout beyond what was asked, and none that stays open while the machine's books are clear.
func (tt *tabletop) checkEnd(tr truth) {
	tt.t.Helper()
	if worth(tr.Dispensed) > payoutValue {
		tt.t.Errorf("dispensed %v", tr.Dispensed)
	}
	open, err := tt.ledger.OpenOps(context.Background(), tt.kind.id)
	if err != nil {
		tt.t.Fatal(err)
	}
	for _, op := range open {
		if op.State != cash.OpUnknown {
			tt.t.Errorf("operation still open: %+v", op)
		}
	}
}

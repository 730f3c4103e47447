package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/upos"
)

// twoLegs is paid by both machines of Till1: two notes and four coins.
const twoLegs = 1780

// sale is the payout of the two legs, under its key.
func sale(owner string) upos.Request {
	return upos.Request{Owner: owner, Actor: "pos", Key: "sale-1", Exit: 1, Amount: eur(twoLegs)}
}

// legTrouble is what happens during a payout over both machines. arm prepares it for moment n (0: never) and counts.
type legTrouble struct {
	name string
	most int
	arm  func(x *till1, n int) (moments func() int)
}

var legTroubles = []legTrouble{
	{"coffer killed between frames and writes", 16, func(x *till1, n int) func() int {
		tap, all := x.tap, 0
		tap.watch(func(i int) {
			if all = i; i == n {
				x.crash()
			}
		})
		return func() int {
			tap.watch(nil)
			return all
		}
	}},
	{"power cut of the note recycler", 8, func(x *till1, n int) func() int { return x.cutAtStep(0, n) }},
	{"power cut of the coin system", 8, func(x *till1, n int) func() int { return x.cutAtStep(1, n) }},
}

// cutAtStep cuts a machine's power at the n-th step of its mechanics.
func (x *till1) cutAtStep(i, n int) func() int {
	steps := 0
	x.machines[i].OnStep(func(string) bool {
		steps++
		return steps == n
	})
	return func() int {
		x.machines[i].OnStep(nil)
		return steps
	}
}

// payLegs pays over both machines, disturbed at moment n, until nothing moves, and returns how many moments there were.
func (x *till1) payLegs(trouble legTrouble, n int) int {
	x.t.Helper()
	x.must(x.mech.Claim("pos"))
	count := trouble.arm(x, n)
	if _, err := x.mech.Dispense(context.Background(), sale("pos")); err != nil {
		x.t.Logf("dispense: %v", err)
	}
	quiet := time.Now()
	x.await("nothing moves", func() bool {
		if !x.still() {
			quiet = time.Now()
		}
		return time.Since(quiet) > 3*time.Second
	})
	moments := count()
	x.power()
	if x.down.Load() {
		x.setUp()
		x.must(x.mech.Claim("pos"))
	}
	return moments
}

// TestTwoLegsDisturbed pays over both machines of Till1 and disturbs it at its moments: a sample of them, all with
// KILLS=all. Afterwards the books are true, the outcome is known, and the key gives it again without moving anything.
func TestTwoLegsDisturbed(t *testing.T) {
	for _, trouble := range legTroubles {
		t.Run(trouble.name, func(t *testing.T) {
			t.Parallel()
			moments := 0
			onTill1(t, func(x *till1) {
				moments = x.payLegs(trouble, 0)
				x.audit()
				if got := x.dispensed(); got != twoLegs {
					x.t.Fatalf("paid %d undisturbed", got)
				}
			})
			results := map[cash.OpResult]int{}
			for _, n := range sample(t.Name(), moments, trouble.most) {
				t.Run(fmt.Sprint(n), func(t *testing.T) {
					onTill1(t, func(x *till1) {
						x.payLegs(trouble, n)
						x.audit()
						results[x.checkWhole()]++
					})
				})
			}
			t.Logf("%d moments: %v", moments, results)
		})
	}
}

// checkWhole holds the operation over both machines against what they have paid.
func (x *till1) checkWhole() cash.OpResult {
	x.t.Helper()
	ctx, paid := context.Background(), x.dispensed()
	op, begun, err := x.ledger.OpByKey(ctx, "sale-1")
	x.must(err)
	if !begun {
		if paid != 0 {
			x.t.Errorf("paid %d without an intent", paid)
		}
		return "not begun"
	}
	if op.Open() {
		x.t.Errorf("open: %+v", op)
	}
	if got := op.Paid.Total("EUR").Value; got != paid || paid > twoLegs {
		x.t.Errorf("the ledger says %d paid, the machines %d: %+v", got, paid, op)
	}
	want := cash.OpPartial
	switch paid {
	case 0:
		want = cash.OpFailed
	case twoLegs:
		want = cash.OpDone
	}
	if op.State != want {
		x.t.Errorf("%s after %d; want %s", op.State, paid, want)
	}
	x.checkRepeat(op)
	if got := x.dispensed(); got != paid {
		x.t.Errorf("paid %d more", got-paid)
	}
	return op.State
}

// checkRepeat asks for the same again.
func (x *till1) checkRepeat(op cash.Op) {
	x.t.Helper()
	ctx := context.Background()
	job, err := x.mech.Dispense(ctx, sale("pos"))
	if err != nil {
		if op.State != cash.OpFailed {
			x.t.Errorf("again: %v", err)
		}
		return
	}
	got, err := job.Wait(ctx)
	var partial *cash.PartialError
	switch {
	case job.ID() != op.ID || got.Amount.Value != op.Paid.Total("EUR").Value || !got.Sure:
		x.t.Errorf("again: %s %+v; want that of %+v", job.ID(), got, op)
	case op.State == cash.OpDone && err != nil, op.State != cash.OpDone && !errors.As(err, &partial):
		x.t.Errorf("again: %v after %s", err, op.State)
	}
	time.Sleep(10 * time.Second)
}

// TestTwoLegsOwed: the coin system jams in the second leg; what is owed stands in the ledger, and can be paid later as
// another operation.
func TestTwoLegsOwed(t *testing.T) {
	onTill1(t, func(x *till1) {
		x.must(x.mech.Claim("pos"))
		x.must(x.machines[1].Fault(sim.Fault{Kind: sim.FaultHaltPayoutAfter, Paid: 200}))
		job, err := x.mech.Dispense(context.Background(), sale("pos"))
		x.must(err)
		paid, err := job.Wait(context.Background())
		var partial *cash.PartialError
		if !errors.As(err, &partial) || paid.Amount != partial.Paid || partial.Asked != eur(twoLegs) || paid.Amount.Value >= twoLegs {
			t.Fatalf("paid %+v, %v", paid, err)
		}
		op, _, err := x.ledger.Op(context.Background(), job.ID())
		x.must(err)
		owed := eur(twoLegs - paid.Amount.Value)
		if op.Detail != "owed: "+owed.String() || op.Actor != "pos via upos" {
			t.Errorf("ledger %+v; owed %s", op, owed)
		}
		rest := upos.Request{Owner: "pos", Key: "sale-1 rest", Exit: 1, Amount: owed}
		job, err = x.mech.Dispense(context.Background(), rest)
		x.must(err)
		if _, err := job.Wait(context.Background()); err != nil {
			t.Error(err)
		}
		x.audit()
		if got := x.dispensed(); got != twoLegs {
			t.Errorf("paid %d in all", got)
		}
	})
}

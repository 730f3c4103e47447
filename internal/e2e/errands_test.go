package e2e

import (
	"context"
	"math/rand/v2"
	"time"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

var emptyAll = emptyOf(0)

// emptyOf empties a module, 0 for all.
func emptyOf(module byte) job {
	return job{"empty", true, func(tt *tabletop, d devices.Device) {
		_, _ = tt.till.Empty(context.Background(), me, d, module)
	}}
}

func dispense(value int64) job {
	return job{"payout", true, func(tt *tabletop, d devices.Device) {
		_, _ = tt.till.Dispense(context.Background(), me, d, eur(value))
	}}
}

// floatTo keeps n pieces of one denomination.
func floatTo(value int64, n int) job {
	keep := cash.Counts{{Value: value, Currency: "EUR"}: n}
	return job{"float", true, func(tt *tabletop, d devices.Device) {
		_, _ = tt.till.Float(context.Background(), me, d, keep)
	}}
}

func routeTo(value int64, store bool) job {
	return job{"route", true, func(_ *tabletop, d devices.Device) {
		_ = d.(devices.Router).SetRoute(context.Background(), cash.Denom{Value: value, Currency: "EUR"}, store)
	}}
}

// noteErrand is a customer at a note machine, or one who tries something.
func noteErrand(rnd *rand.Rand, value int64) errand {
	auto := rnd.IntN(3) > 0
	in := sim.Insert{Value: value, Currency: "EUR", Count: 1}
	switch rnd.IntN(12) {
	case 0:
		in.Fraud = true
	case 1:
		in.Unreadable = true
	}
	if auto {
		in.Count += rnd.IntN(3)
	}
	back := rnd.IntN(4) == 0
	return errand{job: job{"notes", auto, func(tt *tabletop, d devices.Device) {
		_, _ = tt.machine.Insert(in)
		if auto {
			return
		}
		tt.pass(5*time.Second, func() bool { return d.Snapshot().Escrow != nil })
		if back {
			_ = tt.till.ReturnEscrow(context.Background(), me, d)
		} else {
			_ = tt.till.AcceptEscrow(context.Background(), me, d)
		}
	}}}
}

// ownErrand is what only machines of this model can do, nil for nothing this time.
func (m model) ownErrand(rnd *rand.Rand, value int64) *job {
	if rnd.IntN(2) > 0 {
		return nil
	}
	var j job
	switch m.profile {
	case noteFloat.profile:
		j = routeTo(value, true)
	case nv4000.profile:
		n := byte(rnd.IntN(5)) + 1
		if j = emptyOf(n); rnd.IntN(2) > 0 {
			j = job{"recycler", true, func(tt *tabletop, d devices.Device) { tt.toRecycler(d, value, n) }}
		}
	default:
		return nil
	}
	return &j
}

// boxed is the coin that goes into the cashbox. Of one that fell there while the power went, counters say no more than
// that it did: such coins come in undisturbed.
const boxed = 20

// coinErrand is a customer at a coin machine, or an attendant.
func coinErrand(rnd *rand.Rand, n int) errand {
	value := []int64{10, 10, 50, 100, 200}[rnd.IntN(5)]
	switch {
	case n < 4:
		in := sim.Insert{Value: value, Currency: "EUR", Count: 1 + rnd.IntN(6)}
		switch rnd.IntN(10) {
		case 0:
			in.Fraud = true
		case 1:
			in.Unreadable = true
		}
		return errand{job: coinsIn(in)}
	case n == 4:
		return errand{job: coinsIn(sim.Insert{Value: boxed, Currency: "EUR", Count: 1 + rnd.IntN(3)}), calm: true}
	case n < 8:
		return errand{job: dispense(value + 10*rnd.Int64N(12))}
	case n == 8:
		return errand{job: floatTo(value, rnd.IntN(6))}
	}
	switch rnd.IntN(5) {
	case 0:
		return errand{job: emptyAll}
	case 1:
		return errand{job: routeTo(boxed, false)}
	}
	return errand{job: byHand(rnd, value), calm: true}
}

func coinsIn(in sim.Insert) job {
	return job{"coins", true, func(tt *tabletop, _ devices.Device) { _, _ = tt.machine.Insert(in) }}
}

// byHand is an attendant who fills hopper or cashbox, or empties the cashbox, and says so.
func byHand(rnd *rand.Rand, value int64) job {
	coin, what, n := cash.Denom{Value: value, Currency: "EUR"}, rnd.IntN(4), 1+rnd.IntN(20)
	return job{"by hand", true, func(tt *tabletop, d devices.Device) {
		ctx, box := context.Background(), d.(devices.CashboxCounter)
		var err error
		switch what {
		case 0:
			err = box.ClearCashboxLevels(ctx)
		case 1:
			err = box.AddCashboxLevel(ctx, coin, n-1)
		default:
			err = d.(devices.Filler).AddLevel(ctx, coin, n)
		}
		if err != nil {
			tt.t.Errorf("by hand: %v", err)
		}
	}}
}

// replenishing fills the recyclers of an NV4000 from its cassette, or changes what that is for. Of a note that is no good
// while nobody listens, nobody can say where it is.
func replenishing(rnd *rand.Rand) errand {
	n, mode := 1+rnd.IntN(4), devices.CassetteMode(rnd.IntN(2))
	return errand{calm: true, job: job{"replenishment", true, func(tt *tabletop, d devices.Device) {
		tt.replenish(d, n)
		if err := d.(devices.Recyclers).SetCassetteMode(context.Background(), mode); err != nil {
			tt.t.Logf("cassette: %v", err)
		}
	}}}
}

// heldTogether lets the store hold some notes for a customer, and then take them, give them back, or keep them for the
// next errand. Now and then it is turned off again.
func heldTogether(rnd *rand.Rand, value int64) job {
	ctx := context.Background()
	decision, off := rnd.IntN(3), rnd.IntN(2) == 0
	in := sim.Insert{Value: value, Currency: "EUR", Count: 1 + rnd.IntN(3)}
	return job{"multi escrow", true, func(tt *tabletop, d devices.Device) {
		e := d.(devices.MultiEscrow)
		_ = e.SetMultiEscrowSize(ctx, 4)
		_, _ = tt.machine.Insert(in)
		tt.pass(15*time.Second, func() bool { return d.Snapshot().MultiHeld.Pieces() >= in.Count })
		switch decision {
		case 0:
			_ = e.CommitMultiEscrow(ctx)
		case 1:
			_ = e.CancelMultiEscrow(ctx)
		}
		if off {
			tt.pass(10*time.Second, func() bool { return d.Snapshot().MultiHeld.Pieces() == 0 })
			_ = e.SetMultiEscrowSize(ctx, 0)
		}
	}}
}

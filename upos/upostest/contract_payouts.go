package upostest

import (
	"context"
	"errors"
	"time"

	"coffer/internal/cash"
	"coffer/upos"
)

// pay pays and waits for the end.
func (x *bench) pay(r upos.Request) upos.Paid {
	x.Helper()
	j, err := x.m.Dispense(x.Context(), r)
	x.ok(err)
	paid, err := j.Wait(x.Context())
	x.ok(err)
	if j.ID() == "" || !paid.Sure {
		x.Errorf("job %q, paid %+v", j.ID(), paid)
	}
	return paid
}

// worth is the value of pieces.
func worth(p upos.Pieces) (v int64) {
	for pc, n := range p {
		v += pc.Value * int64(n)
	}
	return v
}

// stores is what is in both stores.
func (x *bench) stores() upos.Pieces {
	out := upos.Pieces{}
	for i := range x.m.Parts() {
		store, _ := x.Truth(i)
		for p, n := range store {
			out[p] += n
		}
	}
	return out
}

var contractPayouts = []contractCase{
	{"an amount out of both", func(x *bench) {
		x.claim()
		before := x.stores()
		x.ok(x.m.CanDispense(x.Context(), amount(1780)))
		paid := x.pay(amount(1780))
		if worth(paid.Pieces) != 1780 || paid.Amount.Value != 1780 || paid.Amount.Currency != "EUR" {
			x.Errorf("paid %+v", paid)
		}
		x.rest()
		after := x.stores()
		for p, n := range before {
			if n-after[p] != paid.Pieces[p] {
				x.Errorf("%v: %d are gone, %d paid", p, n-after[p], paid.Pieces[p])
			}
		}
	}},
	{"given pieces", func(x *bench) {
		x.claim()
		want := upos.Pieces{Bill(500): 2, Coin(20): 3}
		x.ok(x.m.CanDispense(x.Context(), given(want)))
		if paid := x.pay(given(want)); !same(paid.Pieces, want) || paid.Amount.Value != 1060 {
			x.Errorf("paid %+v", paid)
		}
		x.rest()
	}},
	{"refusals", func(x *bench) {
		x.claim()
		before := x.stores()
		for name, tc := range map[string]struct {
			r   upos.Request
			err error
		}{
			"more than there is":   {amount(999_000), cash.ErrNotEnough},
			"in no pieces":         {amount(1785), cash.ErrNotExact},
			"too many notes":       {given(upos.Pieces{Bill(500): 90}), cash.ErrNotEnough},
			"too many coins":       {given(upos.Pieces{Bill(500): 1, Coin(50): 90}), cash.ErrNotEnough},
			"more to the cashbox":  {exit2(given(upos.Pieces{Bill(500): 90})), cash.ErrNotEnough},
			"too much to put away": {exit2(amount(999_000)), cash.ErrNotEnough},
		} {
			x.fails(name+", asked", x.m.CanDispense(x.Context(), tc.r), tc.err)
			j, err := x.m.Dispense(x.Context(), tc.r)
			x.fails(name, err, tc.err)
			if j != nil {
				x.Errorf("%s: a job", name)
			}
		}
		x.fails("no payout to halt", x.m.Halt(x.Context(), asked()), cash.ErrNothing)
		x.rest()
		if after := x.stores(); !same(before, after) {
			x.Errorf("stores %v; before %v", after, before)
		}
	}},
	{"a key pays once", func(x *bench) {
		x.claim()
		r := amount(530)
		r.Key = "sale-1"
		j, err := x.m.Dispense(x.Context(), r)
		x.ok(err)
		again, err := x.m.Dispense(x.Context(), r)
		x.ok(err)
		first, err := j.Wait(x.Context())
		x.ok(err)
		x.rest()
		before := x.stores()
		later, err := x.m.Dispense(x.Context(), r)
		x.ok(err)
		for _, o := range []upos.Job{again, later} {
			paid, err := o.Wait(x.Context())
			if x.ok(err); o.ID() != j.ID() || !same(paid.Pieces, first.Pieces) || paid.Amount != first.Amount {
				x.Errorf("again: %s %+v; first %s %+v", o.ID(), paid, j.ID(), first)
			}
		}
		x.rest()
		if after := x.stores(); !same(before, after) {
			x.Errorf("paid again: %v; before %v", after, before)
		}
	}},
	{"one at a time", func(x *bench) {
		x.claim()
		x.Slow()
		j, err := x.m.Dispense(x.Context(), amount(1500))
		x.ok(err)
		_, err = x.m.Dispense(x.Context(), amount(500))
		x.fails("a second", err, cash.ErrBusy)
		x.fails("asked for a second", x.m.CanDispense(x.Context(), amount(500)), cash.ErrBusy)
		brief, cancel := context.WithTimeout(x.Context(), time.Millisecond)
		defer cancel()
		if _, err := j.Wait(brief); !errors.Is(err, context.DeadlineExceeded) {
			x.Errorf("a brief wait: %v", err)
		}
		if paid, err := j.Wait(x.Context()); err != nil || paid.Amount.Value != 1500 {
			x.Errorf("paid %+v, %v", paid, err)
		}
		x.pay(amount(500))
		x.rest()
	}},
	{"halt", func(x *bench) {
		x.claim()
		before := x.stores()
		x.Slow()
		j, err := x.m.Dispense(x.Context(), amount(5590))
		x.ok(err)
		time.Sleep(500 * time.Millisecond)
		x.ok(x.m.Halt(x.Context(), asked()))
		paid, err := j.Wait(x.Context())
		var partial *cash.PartialError
		if !errors.As(err, &partial) || !paid.Sure || paid.Amount.Value >= 5590 {
			x.Errorf("paid %+v, %v", paid, err)
		}
		x.rest()
		after := x.stores()
		if gone := worth(before) - worth(after); gone != worth(paid.Pieces) || gone != paid.Amount.Value {
			x.Errorf("%d are gone; paid %+v", gone, paid)
		}
	}},
	{"to the cashbox", func(x *bench) {
		x.claim()
		if paid := x.pay(exit2(given(upos.Pieces{Bill(1000): 1, Coin(10): 5}))); worth(paid.Pieces) != 1050 {
			x.Errorf("moved %+v", paid)
		}
		if paid := x.pay(exit2(amount(1030))); worth(paid.Pieces) != 1030 || paid.Amount.Value != 1030 {
			x.Errorf("moved %+v", paid)
		}
		x.rest()
		_, notes := x.Truth(0)
		_, coins := x.Truth(1)
		if worth(notes)+worth(coins) != 2080 {
			x.Errorf("in the cashboxes: %v and %v", notes, coins)
		}
	}},
	{"a key moves to the cashbox once", func(x *bench) {
		x.claim()
		for i, r := range []upos.Request{exit2(given(upos.Pieces{Bill(2000): 3})), exit2(amount(3550))} {
			r.Key = []string{"pieces", "amount"}[i]
			first := x.pay(r)
			x.rest()
			before := x.stores()
			if again := x.pay(r); !same(again.Pieces, first.Pieces) || again.Amount != first.Amount {
				x.Errorf("%s again: %+v; first %+v", r.Key, again, first)
			}
			x.rest()
			if after := x.stores(); !same(before, after) {
				x.Errorf("%s moved again: %v; before %v", r.Key, after, before)
			}
		}
	}},
	{"out of one part", func(x *bench) {
		x.claim()
		r := given(upos.Pieces{Coin(200): 2})
		r.Parts = []int{1}
		if paid := x.pay(r); !same(paid.Pieces, r.Pieces) {
			x.Errorf("paid %+v", paid)
		}
		x.rest()
	}},
}

func exit2(r upos.Request) upos.Request {
	r.Exit = 2
	return r
}

package upostest

import (
	"slices"

	"coffer/internal/cash"
	"coffer/upos"
)

var contractCounts = []contractCase{
	{"counts", func(x *bench) {
		x.claim()
		x.pay(exit2(given(upos.Pieces{Bill(1000): 1})))
		x.rest()
		for _, place := range []cash.Place{cash.Payout, cash.Cashbox} {
			for _, parts := range [][]int{nil, {0}, {1}} {
				want := upos.Pieces{}
				for i := range 2 {
					if parts != nil && !slices.Contains(parts, i) {
						continue
					}
					store, box := x.Truth(i)
					if place == cash.Cashbox {
						store = box
					}
					for p, n := range store {
						want[p] += n
					}
				}
				r := asked()
				r.Parts = parts
				got, doubt, err := x.m.Counts(x.Context(), r, place)
				if x.ok(err); !same(got, want) || doubt {
					x.Errorf("%s of %v: %v, %v; want %v", place, parts, got, doubt, want)
				}
			}
		}
	}},
	{"a cashbox is counted", func(x *bench) {
		x.claim()
		x.pay(exit2(given(upos.Pieces{Bill(1000): 2})))
		x.rest()
		r := given(upos.Pieces{Bill(1000): 1, Bill(500): 3})
		x.ok(x.m.Adjust(x.Context(), onlyNotes(r), cash.Cashbox))
		got, doubt, err := x.m.Counts(x.Context(), asked(), cash.Cashbox)
		if x.ok(err); got[Bill(1000)] != 1 || got[Bill(500)] != 3 || doubt {
			x.Errorf("counts %v, %v", got, doubt)
		}
		if p := x.m.Parts()[0]; p.Box[Bill(1000)] != 1 || p.Box[Bill(500)] != 3 || p.InDoubt {
			x.Errorf("part %+v", p)
		}
		x.ok(x.m.Adjust(x.Context(), onlyNotes(given(upos.Pieces{Bill(1000): 0})), cash.Cashbox))
		if p := x.m.Parts()[0]; p.Box[Bill(1000)] != 0 || p.Box[Bill(500)] != 3 {
			x.Errorf("part %+v: what is not listed stays", p)
		}
	}},
	{"a note store counts itself", func(x *bench) {
		x.claim()
		store, _ := x.Truth(0)
		x.ok(x.m.Adjust(x.Context(), onlyNotes(given(upos.Pieces{Bill(500): 99})), cash.Payout))
		got, _, err := x.m.Counts(x.Context(), asked(), cash.Payout)
		if x.ok(err); got[Bill(500)] != store[Bill(500)] {
			x.Errorf("counts %v; in truth %v", got, store)
		}
		x.rest()
	}},
}

func onlyNotes(r upos.Request) upos.Request {
	r.Parts = []int{0}
	return r
}

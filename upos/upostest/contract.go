package upostest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"coffer/internal/cash"
	"coffer/upos"
)

// Bench is a mechanism and the hands that move its machines: part 0 is a note recycler for 5, 10, 20 and 50 euros with
// four of each of the first three in its store, part 1 a coin machine for 10 cents to 2 euros with twenty of each. All
// pieces but those of 50 go into the stores. Times are those of a synctest bubble.
type Bench interface {
	Mechanism() upos.Mechanism
	// Insert feeds one piece; it may be on its way when it returns.
	Insert(p upos.Piece)
	// Truth is what is in a machine, whatever anybody's books say.
	Truth(part int) (store, box upos.Pieces)
	// Slow makes the next payout last some seconds at least.
	Slow()
	Plug(part int, in bool)
	Jam(part int, on bool)
	Box(part int, out bool)
}

// contractCase is one thing that every mechanism does.
type contractCase struct {
	name string
	run  func(*bench)
}

// Contract holds a mechanism against what upos.Mechanism promises. on runs f in a bubble with a fresh bench whose machines
// are ready.
func Contract(t *testing.T, on func(t *testing.T, f func(*testing.T, Bench))) {
	for _, c := range slices.Concat(contractBasics, contractDeposits, contractPayouts, contractCounts) {
		t.Run(c.name, func(t *testing.T) {
			on(t, func(t *testing.T, b Bench) {
				x := &bench{T: t, Bench: b, m: b.Mechanism()}
				stop := x.m.Watch(x.heard)
				defer stop()
				c.run(x)
			})
		})
	}
}

// bench is a bench with what was told of it.
type bench struct {
	*testing.T
	Bench
	m upos.Mechanism

	mu      sync.Mutex
	changes []upos.Change
}

const holder = "contract"

// asked is a request of the owner of the claim.
func asked() upos.Request { return upos.Request{Owner: holder, Actor: "eva", Exit: 1} }

func amount(v int64) upos.Request {
	r := asked()
	r.Amount = cash.Amount{Value: v, Currency: "EUR"}
	return r
}

func given(p upos.Pieces) upos.Request {
	r := asked()
	r.Pieces = p
	return r
}

func (x *bench) heard(c upos.Change) {
	parts := x.m.Parts() // must not block
	x.mu.Lock()
	defer x.mu.Unlock()
	x.changes = append(x.changes, c)
	for p, n := range c.Taken {
		if part := parts[c.Part]; part.Store[p]+part.Box[p] < n {
			x.Errorf("%d of %v taken, and Parts shows %d and %d", n, p, part.Store[p], part.Box[p])
		}
	}
}

// taken sums up what was told to be taken.
func (x *bench) taken() upos.Pieces {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := upos.Pieces{}
	for _, c := range x.changes {
		for p, n := range c.Taken {
			out[p] += n
		}
	}
	return out
}

// told says whether a change was told that f knows.
func (x *bench) told(f func(upos.Change) bool) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.ContainsFunc(x.changes, f)
}

func (x *bench) ok(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

func (x *bench) fails(what string, err, want error) {
	x.Helper()
	if !errors.Is(err, want) {
		x.Errorf("%s: %v; want %v", what, err, want)
	}
}

func (x *bench) claim() { x.Helper(); x.ok(x.m.Claim(holder)) }

// eventually waits until cond holds.
func (x *bench) eventually(what string, cond func() bool) {
	x.Helper()
	for range 600 {
		if cond() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	x.Fatalf("%s: not within a minute", what)
}

// rest waits until nothing moves, then compares the parts with the machines.
func (x *bench) rest() {
	x.Helper()
	x.eventually("at rest, and the counts are true", func() bool {
		for i, p := range x.m.Parts() {
			store, box := x.Truth(i)
			if p.Moving || !same(p.Store, store) || !same(p.Box, box) {
				return false
			}
		}
		return true
	})
}

// same compares pieces, zeros left out.
func same(a, b upos.Pieces) bool {
	trim := func(p upos.Pieces) upos.Pieces {
		out := maps.Clone(p)
		maps.DeleteFunc(out, func(_ upos.Piece, n int) bool { return n == 0 })
		return out
	}
	return maps.Equal(trim(a), trim(b))
}

// inserted waits until a piece that was fed was told to be taken.
func (x *bench) inserted(p upos.Piece) {
	x.Helper()
	before := x.taken()[p]
	x.Insert(p)
	x.eventually("taken", func() bool { return x.taken()[p] > before })
}

var contractBasics = []contractCase{
	{"parts", func(x *bench) {
		parts := x.m.Parts()
		if len(parts) != 2 || !parts[0].Bills || parts[1].Bills {
			x.Fatalf("parts %+v", parts)
		}
		for i, p := range parts {
			store, box := x.Truth(i)
			if !p.Online || p.Jammed || p.Full || p.BoxOut || p.Moving || p.InDoubt || p.ID == "" || p.Model == "" || p.Serial == "" {
				x.Errorf("part %+v", p)
			}
			if !same(p.Store, store) || !same(p.Box, box) {
				x.Errorf("part %d holds %v and %v; in truth %v and %v", i, p.Store, p.Box, store, box)
			}
			if !p.CanPause || !p.CanFloat || len(p.Accepts) < 4 || len(p.Holds) < 3 || len(p.Pays) < 3 {
				x.Errorf("part %+v", p)
			}
			for _, list := range [][]upos.Piece{p.Accepts, p.Holds, p.Pays} {
				if !slices.IsSortedFunc(list, func(a, b upos.Piece) int { return int(a.Value - b.Value) }) {
					x.Errorf("part %d lists %v", i, list)
				}
			}
			for _, pc := range p.Pays {
				if !slices.Contains(p.Holds, pc) || pc.Bill != p.Bills {
					x.Errorf("part %d pays %v and holds %v", i, pc, p.Holds)
				}
			}
			clear(p.Store)
			p.Pays[0].Value = 1
		}
		if again := x.m.Parts(); len(again[0].Store) == 0 || again[0].Pays[0].Value == 1 {
			x.Error("the answer is not the caller's own")
		}
	}},
	{"claim", func(x *bench) {
		x.claim()
		x.ok(x.m.Claim(holder))
		x.fails("a second owner", x.m.Claim("other"), cash.ErrClaimed)
		stranger := asked()
		stranger.Owner, stranger.Amount = "other", cash.Amount{Value: 500, Currency: "EUR"}
		ctx := x.Context()
		x.fails("acceptance by another", x.m.Accept(ctx, stranger, true), cash.ErrClaimed)
		_, err := x.m.Dispense(ctx, stranger)
		x.fails("payout by another", err, cash.ErrClaimed)
		x.fails("asked by another", x.m.CanDispense(ctx, stranger), cash.ErrClaimed)
		_, _, err = x.m.Counts(ctx, stranger, cash.Payout)
		x.fails("counts by another", err, cash.ErrClaimed)
		x.fails("adjusting by another", x.m.Adjust(ctx, stranger, cash.Cashbox), cash.ErrClaimed)
		x.m.Release("other")
		x.fails("after a release by another", x.m.Claim("other"), cash.ErrClaimed)
		x.m.Release(holder)
		x.ok(x.m.Claim("other"))
	}},
	{"away and back", func(x *bench) {
		x.claim()
		x.Plug(0, false)
		x.eventually("offline", func() bool { return !x.m.Parts()[0].Online })
		x.eventually("told", func() bool { return x.told(func(c upos.Change) bool { return c.Part == 0 && c.Status }) })
		if !x.m.Parts()[1].Online {
			x.Error("the other is away too")
		}
		x.fails("acceptance", x.m.Accept(x.Context(), asked(), true), cash.ErrNotConnected)
		x.fails("ping", x.m.Ping(x.Context(), 0), cash.ErrNotConnected)
		x.ok(x.m.Ping(x.Context(), 1))
		x.Plug(0, true)
		x.eventually("online", func() bool { return x.m.Parts()[0].Online })
		x.ok(x.m.Ping(x.Context(), 0))
		x.ok(x.m.Accept(x.Context(), asked(), true))
		x.inserted(Bill(500))
	}},
	{"watching ends", func(x *bench) {
		n := 0
		stop := x.m.Watch(func(upos.Change) { n++ })
		stop()
		x.claim()
		x.ok(x.m.Accept(x.Context(), asked(), true))
		x.inserted(Bill(500))
		if n != 0 {
			x.Errorf("told %d times after stop", n)
		}
	}},
}

var contractDeposits = []contractCase{
	{"notes and coins are taken", func(x *bench) {
		x.claim()
		x.ok(x.m.Accept(x.Context(), asked(), true))
		want := upos.Pieces{}
		for _, p := range []upos.Piece{Bill(500), Coin(50), Bill(5000), Coin(200), Bill(500)} {
			x.inserted(p)
			want[p]++
		}
		x.ok(x.m.Accept(x.Context(), asked(), false))
		x.ok(x.m.Settle(x.Context(), asked()))
		if got := x.taken(); !same(got, want) {
			x.Errorf("taken %v; want %v", got, want)
		}
		x.rest()
		if p := x.m.Parts()[0]; p.Store[Bill(500)] != 6 || p.Store[Bill(5000)]+p.Box[Bill(5000)] != 1 {
			x.Errorf("notes %v and %v", p.Store, p.Box)
		}
	}},
	{"settled means credited", func(x *bench) {
		x.claim()
		store0, box0 := x.Truth(0)
		x.ok(x.m.Accept(x.Context(), asked(), true))
		x.Insert(Bill(1000))
		time.Sleep(300 * time.Millisecond)
		x.ok(x.m.Accept(x.Context(), asked(), false))
		x.ok(x.m.Settle(x.Context(), asked()))
		got := x.taken()[Bill(1000)]
		store, box := x.Truth(0)
		if in := store[Bill(1000)] + box[Bill(1000)] - store0[Bill(1000)] - box0[Bill(1000)]; in != got {
			x.Errorf("the machine has taken %d, told %d", in, got)
		}
		time.Sleep(time.Minute)
		if later := x.taken()[Bill(1000)]; later != got {
			x.Errorf("%d taken after it was settled", later-got)
		}
	}},
	{"nothing is taken while acceptance is off", func(x *bench) {
		x.claim()
		x.Insert(Bill(500))
		time.Sleep(time.Minute)
		if got := x.taken(); len(got) != 0 {
			x.Errorf("taken %v", got)
		}
		x.ok(x.m.Accept(x.Context(), asked(), true))
		x.ok(x.m.Accept(x.Context(), asked(), true))
		x.ok(x.m.Accept(x.Context(), asked(), false))
		x.ok(x.m.Accept(x.Context(), asked(), false))
		x.Insert(Bill(500))
		time.Sleep(time.Minute)
		if got := x.taken(); len(got) != 0 {
			x.Errorf("taken %v", got)
		}
		x.rest()
	}},
	{"one part accepts", func(x *bench) {
		x.claim()
		r := asked()
		r.Parts = []int{1}
		x.ok(x.m.Accept(x.Context(), r, true))
		x.inserted(Coin(100))
		x.ok(x.m.Accept(x.Context(), r, false))
		x.ok(x.m.Settle(x.Context(), r))
	}},
	{"cashbox out", func(x *bench) {
		x.claim()
		x.Box(0, true)
		x.eventually("out", func() bool { return x.m.Parts()[0].BoxOut })
		x.eventually("told", func() bool { return x.told(func(c upos.Change) bool { return c.BoxOut && c.Part == 0 }) })
		x.fails("acceptance", x.m.Accept(x.Context(), asked(), true), cash.ErrNoCashbox)
		x.ok(x.m.Accept(x.Context(), asked(), false))
		x.Box(0, false)
		x.eventually("back", func() bool { return !x.m.Parts()[0].BoxOut })
		x.eventually("told of", func() bool { return x.told(func(c upos.Change) bool { return c.BoxIn && c.Part == 0 }) })
		x.ok(x.m.Accept(x.Context(), asked(), true))
		x.inserted(Bill(500))
	}},
	{"jam", func(x *bench) {
		x.claim()
		x.Jam(0, true)
		x.eventually("jammed", func() bool { return x.m.Parts()[0].Jammed })
		x.eventually("told", func() bool { return x.told(func(c upos.Change) bool { return c.Status && c.Part == 0 }) })
		x.fails("acceptance", x.m.Accept(x.Context(), asked(), true), cash.ErrJam)
		x.ok(x.m.Accept(x.Context(), asked(), false))
		x.Jam(0, false)
		x.eventually("clear", func() bool { p := x.m.Parts()[0]; return !p.Jammed && p.Online })
		x.ok(x.m.Accept(x.Context(), asked(), true))
		x.inserted(Bill(500))
	}},
}

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

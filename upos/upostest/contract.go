package upostest

import (
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
	{"what somebody else left on is turned off", func(x *bench) {
		x.fails("without the claim", x.m.Quiet(x.Context(), asked()), cash.ErrClaimed)
		x.claim()
		x.ok(x.m.Quiet(x.Context(), asked()))
		x.ok(x.m.Accept(x.Context(), asked(), true))
		x.ok(x.m.Quiet(x.Context(), asked()))
		x.Insert(Bill(500))
		x.Insert(Coin(50))
		time.Sleep(time.Minute)
		if got := x.taken(); len(got) != 0 {
			x.Errorf("taken %v", got)
		}
		x.ok(x.m.Accept(x.Context(), asked(), true))
		x.inserted(Bill(500))
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

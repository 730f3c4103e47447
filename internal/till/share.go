package till

import "coffer/internal/cash"

// anyNumber is a figure that is not known.
const anyNumber = -1

// shareBudget bounds the search of share.
const shareBudget = 200_000

// puzzle asks how pieces that have left the store are to be shared out: paid to the customer, shifted to the cashbox,
// or never in it (wrong: the ledger believed a credited piece in the store that went to the cashbox). What is left over
// in a solution is what nobody can explain.
type puzzle struct {
	kinds []kind

	wrong         int // how many pieces in all
	paid, shifted int // how many in all, or anyNumber
	left          int // how many are left over in all, or anyNumber

	paidWorth, shiftedWorth int64 // what they are worth in all, or anyNumber
}

// kind is one denomination of a puzzle.
type kind struct {
	denom    cash.Denom
	gone     int // pieces missing from the store
	wrongCap int // how many of them may be wrong
	leastPay int // at least so many are paid
	leastMov int // at least so many are shifted
	mostMov  int // at most so many are shifted
}

// share is how one denomination was shared out. boxed pieces are in the cashbox for sure, be they wrong or shifted.
type share struct{ wrong, paid, shifted, boxed int }

// solution is what all solutions of a puzzle have in common.
type solution struct {
	sure   []share // by kind: as many as in every solution
	found  bool    // there is a solution
	placed bool    // all solutions say the same of where every piece is
	unique bool    // there is exactly one
}

// solve finds what all solutions have in common. A search beyond the budget counts as found, with nothing sure.
func (p *puzzle) solve() solution {
	s := &search{puzzle: p, now: make([]share, len(p.kinds)), budget: shareBudget}
	s.rest = make([]int, len(p.kinds)+1)
	for i := len(p.kinds) - 1; i >= 0; i-- {
		s.rest[i] = s.rest[i+1] + p.kinds[i].gone
	}
	s.step(0, todo{p.wrong, p.paid, p.shifted, p.left, p.paidWorth, p.shiftedWorth})
	if s.budget <= 0 {
		return solution{sure: make([]share, len(p.kinds)), found: true}
	}
	return s.best
}

// search walks through all ways to share out, kind by kind.
type search struct {
	*puzzle
	now    []share
	rest   []int // pieces of the kinds from i on
	budget int
	best   solution
}

// todo is what is still to be shared out of all kinds; anyNumber where it does not matter.
type todo struct {
	wrong, paid, shifted, left int
	paidWorth, shiftedWorth    int64
}

// step shares out the kinds from i on.
func (s *search) step(i int, t todo) {
	if s.budget--; s.budget <= 0 {
		return
	}
	if i == len(s.kinds) {
		if t.wrong == 0 && max(t.paid, t.shifted, t.left) <= 0 && max(t.paidWorth, t.shiftedWorth) <= 0 {
			s.record()
		}
		return
	}
	if t.wrong+max(t.paid, 0)+max(t.shifted, 0)+max(t.left, 0) > s.rest[i] {
		return
	}
	k := s.kinds[i]
	for w := 0; w <= min(t.wrong, k.wrongCap, k.gone); w++ {
		u := t
		u.wrong -= w
		s.outflows(i, w, u)
	}
}

// outflows tries every split of kind i between paid, shifted and left once w pieces of it are wrong.
func (s *search) outflows(i, w int, t todo) {
	k := s.kinds[i]
	value := k.denom.Value
	for m := k.leastMov; m <= upTo(min(k.gone-w, k.mostMov), t.shifted, t.shiftedWorth, value); m++ {
		free := k.gone - w - m
		for p := k.leastPay; p <= upTo(free, t.paid, t.paidWorth, value); p++ {
			if t.left != anyNumber && free-p > t.left {
				continue
			}
			s.now[i] = share{w, p, m, w + m}
			s.step(i+1, todo{
				t.wrong, less(t.paid, p), less(t.shifted, m), less(t.left, free-p),
				lessWorth(t.paidWorth, p, value), lessWorth(t.shiftedWorth, m, value),
			})
		}
	}
}

// record adds a solution to what all of them have in common.
func (s *search) record() {
	if !s.best.found {
		s.best = solution{append([]share(nil), s.now...), true, true, true}
		return
	}
	s.best.unique = false
	for i, n := range s.now {
		b := &s.best.sure[i]
		s.best.placed = s.best.placed && b.paid == n.paid && b.boxed == n.boxed
		b.wrong, b.paid, b.shifted = min(b.wrong, n.wrong), min(b.paid, n.paid), min(b.shifted, n.shifted)
		b.boxed = min(b.boxed, n.boxed)
	}
}

// upTo returns how many pieces of a value can still be placed at most.
func upTo(have, count int, worth, value int64) int {
	if count != anyNumber {
		have = min(have, count)
	}
	if worth != anyNumber {
		have = min(have, int(worth/value))
	}
	return have
}

func less(count, n int) int {
	if count == anyNumber {
		return anyNumber
	}
	return count - n
}

func lessWorth(worth int64, n int, value int64) int64 {
	if worth == anyNumber {
		return anyNumber
	}
	return worth - int64(n)*value
}

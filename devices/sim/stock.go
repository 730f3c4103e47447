package sim

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// denom is one kind of note or coin.
type denom struct {
	value    int64 // minor units
	currency string
}

func (d denom) String() string { return fmt.Sprintf("%d %s", d.value, d.currency) }

// place is where pieces can be.
type place int

const (
	inPayout place = iota
	inCashbox
	inEscrow
	inTransit
	dispensed
	returned
	places
)

// stock is where every piece is: as counts, one row a denomination. Pieces change place only by its methods, so that
// none can be lost or doubled: start + inserted is always the sum over all places.
type stock struct {
	order []denom // the dataset, then what else was fed in
	rows  map[denom]*stockRow
	piled bool    // the payout store is a pile
	pile  []denom // what is in it then, the top last

	// follow is told of n pieces that the payout store has gained, or -n that it has lost, where somebody has to know.
	follow func(d denom, n int)
}

type stockRow struct {
	start, inserted int
	at              [places]int
}

func newStock(dataset []denom) *stock {
	s := &stock{rows: map[denom]*stockRow{}, follow: func(denom, int) {}}
	for _, d := range dataset {
		s.row(d)
	}
	return s
}

func (s *stock) row(d denom) *stockRow {
	r := s.rows[d]
	if r == nil {
		r = &stockRow{}
		s.rows[d] = r
		s.order = append(s.order, d)
	}
	return r
}

// feed takes n pieces from a customer into the path.
func (s *stock) feed(d denom, n int) {
	r := s.row(d)
	r.inserted += n
	r.at[inTransit] += n
}

// move takes one piece from a place to another. A piece that is not there is a mistake of the simulator.
func (s *stock) move(d denom, from, to place) {
	r := s.row(d)
	if r.at[from] < 1 {
		panic(fmt.Sprintf("sim: no %v at %d to move to %d", d, from, to))
	}
	r.at[from]--
	r.at[to]++
	s.heap(d, from, -1)
	s.heap(d, to, 1)
}

// heap keeps the pile, and what else follows the store, in step with what comes into a place (1) or leaves it (-1): on
// top, and from as near to the top as it lies.
func (s *stock) heap(d denom, at place, n int) {
	if at != inPayout {
		return
	}
	s.follow(d, n)
	if !s.piled {
		return
	}
	for ; n > 0; n-- {
		s.pile = append(s.pile, d)
	}
	for ; n < 0; n++ {
		for i, o := range slices.Backward(s.pile) {
			if o == d {
				s.pile = slices.Delete(s.pile, i, i+1)
				break
			}
		}
	}
}

// fill lets a hand put n pieces into a place, or take -n out.
func (s *stock) fill(d denom, to place, n int) {
	r := s.row(d)
	r.start += n
	r.at[to] += n
	s.heap(d, to, n)
}

// emptyCashbox lets a hand take the cashbox's content away.
func (s *stock) emptyCashbox() {
	for _, r := range s.rows {
		r.start -= r.at[inCashbox]
		r.at[inCashbox] = 0
	}
}

func (s *stock) count(d denom, at place) int {
	if r := s.rows[d]; r != nil {
		return r.at[at]
	}
	return 0
}

// pieces returns how many pieces of all denominations are at a place.
func (s *stock) pieces(at place) int {
	n := 0
	for _, r := range s.rows {
		n += r.at[at]
	}
	return n
}

// kinds returns of how many denominations there is something at a place.
func (s *stock) kinds(at place) int {
	n := 0
	for _, r := range s.rows {
		if r.at[at] > 0 {
			n++
		}
	}
	return n
}

// level is a count as the protocol can carry it.
func (s *stock) level(d denom) uint16 {
	return uint16(max(0, min(math.MaxUint16, s.count(d, inPayout))))
}

// list returns one row a denomination, by currency, then value.
func (s *stock) list(count func(*stockRow) int) []Row {
	out := make([]Row, 0, len(s.order))
	for _, d := range s.order {
		out = append(out, Row{d.value, d.currency, count(s.rows[d])})
	}
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Value, b.Value))
	})
	return out
}

func (s *stock) truth(t *Truth) {
	at := func(p place) []Row { return s.list(func(r *stockRow) int { return r.at[p] }) }
	t.Start = s.list(func(r *stockRow) int { return r.start })
	t.Inserted = s.list(func(r *stockRow) int { return r.inserted })
	t.Payout, t.Cashbox, t.Escrow = at(inPayout), at(inCashbox), at(inEscrow)
	t.Transit, t.Dispensed, t.Returned = at(inTransit), at(dispensed), at(returned)
}

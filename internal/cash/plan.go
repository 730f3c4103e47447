package cash

import (
	"fmt"
	"math"
	"sort"
)

// Preference says which of several exact combinations Plan picks.
type Preference int

// The preferences.
const (
	FewestPieces Preference = iota // as few pieces as possible; among those, high values first
	HighestFirst                   // as many of the highest denomination as possible, then of the next, and so on
)

// maxPlanUnits is the largest amount, in smallest common units, that Plan looks at as a whole; maxPlanCells bounds its
// work and memory: amounts times denominations, two bytes each.
const (
	maxPlanUnits = 1 << 20
	maxPlanCells = 1 << 26
)

// maxPile is the highest pile that fill can count.
const maxPile = math.MaxUint16 - 1

// Plan picks pieces out of have that are worth exactly want, of want's currency. It finds a combination if and only if
// there is one. The preference is kept exactly for amounts up to maxPlanUnits (more than 10,000.00 with cents in have);
// above that, part of the amount is taken in large denominations first.
//
// Errors: ErrInvalid for an amount below 1, a negative count, a value below 1, or denominations so odd that a plan
// would not fit into memory; ErrNotEnough where all of have is worth less than want; ErrNotExact where no combination
// exists.
func Plan(have Counts, want Amount, by Preference) (Counts, error) {
	if want.Value < 1 {
		return nil, fmt.Errorf("%w: amount %s is not above zero", ErrInvalid, want)
	}
	stock, err := piles(have, want)
	if err != nil {
		return nil, err
	}
	unit := int64(0)
	for _, p := range stock {
		unit = gcd(unit, p.value)
	}
	if unit == 0 || want.Value%unit != 0 {
		return nil, notExact(want)
	}
	out := Counts{}
	rest := want.Value / unit
	for i := range stock {
		stock[i].value /= unit
	}
	if rest > maxPlanUnits {
		rest = takeGroups(stock, rest, out, unit, want.Currency)
	}
	if rest >= maxPlanCells {
		return nil, tooLarge(want)
	}
	if stock = split(stock, rest); (rest+1)*int64(len(stock)) > maxPlanCells {
		return nil, tooLarge(want)
	}
	if !fill(stock, rest, by, func(p pile, n int) { out[Denom{p.value * unit, want.Currency}] += n }) {
		return nil, notExact(want)
	}
	return out, nil
}

func tooLarge(want Amount) error {
	return fmt.Errorf("%w: %s is too much to plan with these denominations, ask for less", ErrInvalid, want)
}

func notExact(want Amount) error { return fmt.Errorf("%w: %s", ErrNotExact, want) }

// pile is the stock of one denomination, its value in planning units.
type pile struct {
	value int64
	count int
}

// piles lists what of have can be part of want, lowest value first.
func piles(have Counts, want Amount) ([]pile, error) {
	var stock []pile
	enough := int64(0)
	for d, n := range have {
		switch {
		case n < 0 || d.Value < 1:
			return nil, fmt.Errorf("%w: %d pieces of %s", ErrInvalid, n, d)
		case d.Currency != want.Currency || n == 0:
			continue
		}
		if fits := (want.Value - enough) / d.Value; fits >= int64(n) {
			enough += d.Value * int64(n) // cannot overflow: at most want.Value
		} else {
			enough = want.Value
		}
		if fits := want.Value / d.Value; fits > 0 {
			stock = append(stock, pile{d.Value, int(min(int64(n), fits))})
		}
	}
	sort.Slice(stock, func(i, j int) bool { return stock[i].value < stock[j].value })
	switch {
	case enough < want.Value:
		return nil, fmt.Errorf("%w: %s asked for", ErrNotEnough, want)
	case len(stock) == 0:
		return nil, notExact(want)
	}
	return stock, nil
}

// takeGroups makes a large amount small without losing a solution. Let L be the least common multiple of all values; a
// group is L/v pieces of value v. If a solution exists, it can be seen as groups and fewer than L/v single pieces of
// each value, worth less than n*L in all. So groups may be taken from any pile that keeps L/v-1 pieces, as long as n*L
// are left: the single pieces are still there, and groups only change places. Highest values go first.
func takeGroups(stock []pile, rest int64, out Counts, unit int64, cur Currency) int64 {
	l := int64(1)
	for _, p := range stock {
		l = l / gcd(l, p.value) * p.value
		if l > maxPlanCells {
			return rest
		}
	}
	spare := rest/l - int64(len(stock))
	for i := len(stock) - 1; i >= 0 && spare > 0; i-- {
		p := &stock[i]
		size := l / p.value
		n := min(spare, (int64(p.count)-(size-1))/size)
		if n <= 0 {
			continue
		}
		out[Denom{p.value * unit, cur}] += int(n * size)
		p.count -= int(n * size)
		rest -= n * l
		spare -= n
	}
	return rest
}

// split caps every pile at what can be part of want, and cuts those that are too high for fill into several.
func split(stock []pile, want int64) []pile {
	var out []pile
	for _, p := range stock {
		for n := min(int64(p.count), want/p.value); n > 0; n -= maxPile {
			out = append(out, pile{p.value, int(min(n, maxPile))})
		}
	}
	return out
}

// fill finds pieces worth exactly want and hands them to take, or returns false. It is exact: used[i][a] is how many
// pieces of pile i the best combination of piles 0..i worth a uses, or none where there is no such combination.
func fill(stock []pile, want int64, by Preference, take func(pile, int)) bool {
	const none = maxPile + 1
	pieces := make([]int32, want+1) // of the best combination of the piles so far; -1 for none
	for a := range pieces {
		pieces[a] = -1
	}
	pieces[0] = 0
	used := make([][]uint16, len(stock))
	for i := range stock {
		used[i] = make([]uint16, want+1)
		for a := range used[i] {
			used[i][a] = none
		}
		next := make([]int32, want+1)
		window := newWindow(by, stock[i].count)
		for class := int64(0); class < min(stock[i].value, want+1); class++ {
			window.clear()
			for n, a := int32(0), class; a <= want; n, a = n+1, a+stock[i].value {
				if pieces[a] >= 0 {
					window.push(n, pieces[a])
				}
				from, best, ok := window.best(n)
				if !ok {
					next[a] = -1
					continue
				}
				next[a], used[i][a] = best+n-from, uint16(n-from)
			}
		}
		pieces = next
	}
	if pieces[want] < 0 {
		return false
	}
	for i := len(stock) - 1; i >= 0; i-- {
		if n := used[i][want]; n > 0 {
			take(stock[i], int(n))
			want -= int64(n) * stock[i].value
		}
	}
	return true
}

// window is a sliding minimum: of the amounts a, a-v, a-2v, … that the piles before can make and that are at most width
// steps away, the one to start from. Step n stands for amount class+n*v.
type window struct {
	by    Preference
	width int32
	queue []start // steps rising, costs rising
	head  int
}

type start struct {
	step   int32
	pieces int32
	cost   int32
}

func newWindow(by Preference, width int) *window { return &window{by: by, width: int32(width)} }

func (w *window) clear() { w.queue, w.head = w.queue[:0], 0 }

func (w *window) push(step, pieces int32) {
	s := start{step, pieces, 0} // HighestFirst: the furthest start is the best
	if w.by == FewestPieces {
		s.cost = pieces - step // the cost at step n is pieces + n - step; equal cost: the further start
	}
	for len(w.queue) > w.head && w.queue[len(w.queue)-1].cost > s.cost {
		w.queue = w.queue[:len(w.queue)-1]
	}
	w.queue = append(w.queue, s)
}

func (w *window) best(step int32) (from, pieces int32, ok bool) {
	for w.head < len(w.queue) && w.queue[w.head].step < step-w.width {
		w.head++
	}
	if w.head == len(w.queue) {
		return 0, 0, false
	}
	s := w.queue[w.head]
	return s.step, s.pieces, true
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

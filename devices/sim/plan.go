package sim

import (
	"cmp"
	"slices"
)

// searchLimit bounds the search for an exact split; beyond it the machine says that there is none, as a small
// processor would.
const searchLimit = 200000

// split chooses pieces that are worth exactly want, the highest values first, levels permitting (ssp.md 13.7). have
// says how many pieces there are of each denomination; all are of one currency. The pieces come highest first. It
// reports false if there is no such choice.
func split(want int64, have map[denom]int) ([]denom, bool) {
	return splitBy(want, have, byValue)
}

// byValue puts the highest denomination first.
func byValue(_ map[denom]int, a, b denom) int { return cmp.Compare(b.value, a.value) }

// byLevel puts the denomination first of which there is most.
func byLevel(have map[denom]int, a, b denom) int {
	return cmp.Or(cmp.Compare(have[b], have[a]), byValue(have, a, b))
}

// splitBy is split with another order of preference.
func splitBy(want int64, have map[denom]int, prefer func(have map[denom]int, a, b denom) int) ([]denom, bool) {
	values := make([]denom, 0, len(have))
	for d, n := range have {
		if n > 0 {
			values = append(values, d)
		}
	}
	slices.SortFunc(values, func(a, b denom) int { return prefer(have, a, b) })
	s := splitter{have: have, values: values, take: make([]int, len(values)), failed: map[splitState]bool{}}
	if !s.search(0, want) {
		return nil, false
	}
	var out []denom
	for i, d := range values {
		for range s.take[i] {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b denom) int { return byValue(have, a, b) })
	return out, true
}

type splitState struct {
	i    int
	want int64
}

type splitter struct {
	have   map[denom]int
	values []denom
	take   []int
	failed map[splitState]bool
	steps  int
}

// search fills take from i on so that the pieces are worth want.
func (s *splitter) search(i int, want int64) bool {
	if want == 0 {
		for j := i; j < len(s.take); j++ {
			s.take[j] = 0
		}
		return true
	}
	at := splitState{i, want}
	if s.steps++; i == len(s.values) || s.failed[at] || s.steps > searchLimit {
		return false
	}
	d := s.values[i]
	for n := min(int64(s.have[d]), want/d.value); n >= 0; n-- {
		s.take[i] = int(n)
		if s.search(i+1, want-n*d.value) {
			return true
		}
	}
	s.failed[at] = true
	return false
}

// worth is the sum of pieces by denomination, in minor units.
func worth(have map[denom]int) int64 {
	sum := int64(0)
	for d, n := range have {
		sum += d.value * int64(n)
	}
	return sum
}

package till

import (
	"iter"

	"coffer/devices"
	"coffer/internal/cash"
)

// Bounds of the search for another split, once machines have refused the first.
const (
	maxSplits     = 12  // asked of the machines
	maxSplitSteps = 400 // looked at
)

// stock is what a machine could pay with: pieces of denominations that are routed to its store, or with every all that it
// holds.
func stock(s *devices.Snapshot, cur cash.Currency, every bool) cash.Counts {
	have := cash.Counts{}
	for _, ch := range s.Channels {
		if n := s.Levels[ch.Denom]; n > 0 && ch.Denom.Currency == cur && (ch.ToPayout || every) {
			have[ch.Denom] = n
		}
	}
	return have
}

// splits yields ways to pay want out of several stores, the best first: with the fewest pieces, with the highest values,
// then with less and less out of the first store. What a machine refuses although its levels allow it, as one whose notes
// lie in a pile, may so still be paid by another. It yields nothing where no combination exists; err is then Plan's.
func splits(have []cash.Counts, want cash.Amount) (ways iter.Seq[[]cash.Counts], err error) {
	all := cash.Counts{}
	for _, h := range have {
		all = all.Plus(h)
	}
	fewest, err := cash.Plan(all, want, cash.FewestPieces)
	if err != nil {
		return nil, err
	}
	return func(yield func([]cash.Counts) bool) {
		if !yield(deal(have, fewest)) {
			return
		}
		if highest, err := cash.Plan(all, want, cash.HighestFirst); err == nil && !yield(deal(have, highest)) {
			return
		}
		for _, way := range fewer(have, want) {
			if !yield(way) {
				return
			}
		}
	}, nil
}

// deal hands the pieces of a plan to the stores that have them, the first store first.
func deal(have []cash.Counts, plan cash.Counts) []cash.Counts {
	out := make([]cash.Counts, len(have))
	left := plan.Clone()
	for i, h := range have {
		out[i] = cash.Counts{}
		for p, n := range left {
			if k := min(n, h[p]); k > 0 {
				out[i][p] = k
				left[p] -= k
			}
		}
	}
	return out
}

// fewer lists ways to pay want with less and less out of the first of two stores.
func fewer(have []cash.Counts, want cash.Amount) (ways [][]cash.Counts) {
	if len(have) != 2 {
		return nil
	}
	unit := int64(0)
	for p := range have[0] {
		unit = gcd(unit, p.Value)
	}
	if unit == 0 {
		return nil
	}
	most := min(want.Value, have[0].Total(want.Currency).Value)
	for step, first := 0, most-most%unit; first >= 0 && step < maxSplitSteps && len(ways) < maxSplits; step, first = step+1, first-unit {
		way := []cash.Counts{{}, {}}
		for i, v := range []int64{first, want.Value - first} {
			plan, err := cash.Plan(have[i], cash.Amount{Value: v, Currency: want.Currency}, cash.FewestPieces)
			if err != nil && v > 0 {
				way = nil
				break
			}
			way[i] = way[i].Plus(plan)
		}
		if way != nil {
			ways = append(ways, way)
		}
	}
	return ways
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

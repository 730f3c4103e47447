package coin

import (
	"maps"
	"math"
	"testing"

	"coffer/internal/cash"
)

// A sum is told apart only if it can be made up in one way; and whatever a machine says, the answer comes at once: a
// search through all combinations of a sum that has none would hold the machine's line for hours.
func TestOnlySplit(t *testing.T) {
	coins := func(values ...int64) (out []cash.Denom) {
		for _, v := range values {
			out = append(out, cash.Denom{Value: v, Currency: "EUR"})
		}
		return out
	}
	eur := coins(1, 2, 5, 10, 20, 50, 100, 200)
	for _, tt := range []struct {
		denoms []cash.Denom
		sum    int64
		want   map[int64]int
	}{
		{coins(100, 200), 100, map[int64]int{100: 1}},
		{coins(100), 300, map[int64]int{100: 3}},
		{coins(10, 50), 40, map[int64]int{10: 4}},
		{coins(20, 50), 110, map[int64]int{20: 3, 50: 1}},
		{coins(20, 50), 70, map[int64]int{20: 1, 50: 1}},
		{coins(20, 50), 30, nil},
		{coins(20, 50), 100, nil}, // in two ways
		{nil, 100, nil},
		{eur, 3, nil},
		{eur, math.MaxUint32, nil},
		{coins(10, 50), math.MaxUint32, nil},
		{coins(2, 20, 200), math.MaxUint32, nil},
		{coins(200, 20, 2), 9999, nil},
		{coins(6, 10, 15), 29, nil},
		{coins(6, 10, 15), 31, map[int64]int{6: 1, 10: 1, 15: 1}},
		{coins(100), math.MaxUint32 - math.MaxUint32%100, map[int64]int{100: math.MaxUint32 / 100}},
	} {
		want := cash.Counts{}
		for v, n := range tt.want {
			want[cash.Denom{Value: v, Currency: "EUR"}] = n
		}
		got, ok := onlySplit(tt.denoms, tt.sum)
		if ok != (tt.want != nil) || ok && !maps.Equal(got, want) {
			t.Errorf("%d of %v: %v %v, want %v", tt.sum, tt.denoms, got, ok, want)
		}
	}
}

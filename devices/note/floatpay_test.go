package note

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"coffer/internal/cash"
)

func pile(values ...int64) (notes []cash.Denom) {
	for _, v := range values {
		notes = append(notes, cash.Denom{Value: v, Currency: "EUR"})
	}
	return notes
}

func TestTopWorth(t *testing.T) {
	for _, c := range []struct {
		pile []int64
		want int64
		n    int
		err  error
	}{
		{nil, 500, 0, cash.ErrNotEnough},
		{[]int64{500}, 500, 1, nil},
		{[]int64{500}, 400, 0, cash.ErrNotExact},
		{[]int64{1000, 500}, 1000, 0, cash.ErrNotExact}, // it lies below the 5
		{[]int64{1000, 500}, 1500, 2, nil},
		{[]int64{1000, 500, 500}, 1000, 2, nil},
		{[]int64{1000, 500, 500}, 2001, 0, cash.ErrNotEnough},
	} {
		n, err := topWorth(pile(c.pile...), c.want)
		if n != c.n || !errors.Is(err, c.err) {
			t.Errorf("%d of %v: %d, %v; want %d, %v", c.want, c.pile, n, err, c.n, c.err)
		}
	}
}

func TestTopBeside(t *testing.T) {
	for _, c := range []struct {
		pile      []int64
		five, ten int
		n         int
		err       error
	}{
		{nil, 0, 0, 0, nil},
		{nil, 1, 0, 0, cash.ErrNotEnough},
		{[]int64{500, 500, 1000}, 2, 1, 0, nil},
		{[]int64{500, 500, 1000}, 2, 0, 1, nil},
		{[]int64{500, 500, 1000}, 1, 0, 2, nil},
		{[]int64{500, 500, 1000}, 0, 0, 3, nil},
		{[]int64{500, 500, 1000}, 0, 1, 0, cash.ErrNotExact},
		{[]int64{500, 500, 1000}, 1, 1, 0, cash.ErrNotExact},
	} {
		keep := cash.Counts{{Value: 500, Currency: "EUR"}: c.five, {Value: 1000, Currency: "EUR"}: c.ten}
		n, err := topBeside(pile(c.pile...), keep)
		if n != c.n || !errors.Is(err, c.err) {
			t.Errorf("keep %d and %d of %v: %d, %v; want %d, %v", c.five, c.ten, c.pile, n, err, c.n, c.err)
		}
	}
}

// TestTopNotesProperty: what is planned is exact and comes from the top; what is refused cannot be made from the top.
func TestTopNotesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		notes := pile(rapid.SliceOfN(rapid.SampledFrom([]int64{500, 1000, 2000}), 0, 8).Draw(t, "pile")...)
		want := 500 * rapid.Int64Range(1, 20).Draw(t, "want")
		n, err := topWorth(notes, want)
		sum, exact := int64(0), 0
		for i := len(notes) - 1; i >= 0; i-- {
			if sum += notes[i].Value; sum == want {
				exact = len(notes) - i
			}
		}
		if n != exact || (err == nil) != (exact > 0) || errors.Is(err, cash.ErrNotEnough) != (sum < want) {
			t.Fatalf("%d of %v: %d, %v; in truth %d", want, notes, n, err, exact)
		}
		left := len(notes) - rapid.IntRange(0, len(notes)).Draw(t, "moved")
		keep := cash.Counts{}
		for _, note := range notes[:left] {
			keep[note]++
		}
		if n, err := topBeside(notes, keep); err != nil || n != len(notes)-left {
			t.Fatalf("keep %v of %v: %d, %v", keep.Rows(), notes, n, err)
		}
	})
}

func TestTopPieces(t *testing.T) {
	for _, c := range []struct {
		pile, want []int64
		n          int
		err        error
	}{
		{nil, []int64{500}, 0, cash.ErrNotEnough},
		{[]int64{1000, 500}, []int64{500}, 1, nil},
		{[]int64{1000, 500}, []int64{1000}, 0, cash.ErrNotExact},
		{[]int64{500, 1000, 500}, []int64{500, 1000}, 2, nil},
		{[]int64{500, 1000, 500}, []int64{500, 500}, 0, cash.ErrNotExact},
		{[]int64{500, 1000, 500}, nil, 0, nil},
	} {
		want := cash.Counts{}
		for _, d := range pile(c.want...) {
			want[d]++
		}
		n, err := topPieces(pile(c.pile...), want)
		if n != c.n || !errors.Is(err, c.err) {
			t.Errorf("%v of %v: %d, %v; want %d, %v", c.want, c.pile, n, err, c.n, c.err)
		}
	}
}

func TestBottomWorth(t *testing.T) {
	for _, c := range []struct {
		pile []int64
		keep int64
		n    int
		err  error
	}{
		{nil, 0, 0, nil},
		{nil, 500, 0, cash.ErrNotEnough},
		{[]int64{500, 1000}, 0, 0, nil},
		{[]int64{500, 1000}, 500, 1, nil},
		{[]int64{500, 1000}, 1000, 0, cash.ErrNotExact},
		{[]int64{500, 1000}, 1500, 2, nil},
		{[]int64{500, 1000}, 1501, 0, cash.ErrNotEnough},
	} {
		n, err := bottomWorth(pile(c.pile...), c.keep)
		if n != c.n || !errors.Is(err, c.err) {
			t.Errorf("%d of %v: %d, %v; want %d, %v", c.keep, c.pile, n, err, c.n, c.err)
		}
	}
}

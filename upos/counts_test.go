package upos

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func someList() []Piece {
	return []Piece{{10, "EUR", false}, {50, "EUR", false}, {100, "EUR", false}, {100, "EUR", true}, {500, "EUR", true}}
}

// kinds keeps the pieces that a class can have.
func kinds(class Class, list []Piece) []Piece {
	return slices.DeleteFunc(list, func(p Piece) bool {
		return p.Bill && (class == CoinAcceptor || class == CoinDispenser) || !p.Bill && (class == BillAcceptor || class == BillDispenser)
	})
}

// TestCountsThroughText: what is written is read back.
func TestCountsThroughText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		class := rapid.SampledFrom([]Class{CashChanger, BillAcceptor, CoinAcceptor, BillDispenser, CoinDispenser}).Draw(t, "class")
		scale := rapid.SampledFrom([]int64{1, 10}).Draw(t, "scale")
		list := kinds(class, someList())
		want := Pieces{}
		for _, p := range list {
			want[p] = rapid.IntRange(0, 1<<20).Draw(t, "n")
		}
		text := cashCounts(class, list, want, scale)
		got, err := parseCounts(class, text, list, "EUR", scale)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		for p, n := range want {
			if got[p] != n {
				t.Fatalf("%q: %d of %+v, want %d", text, got[p], p, n)
			}
		}
	})
}

func TestCashLists(t *testing.T) {
	for class, want := range map[Class]string{CashChanger: "10,50,100;100,500", BillAcceptor: ";100,500", CoinAcceptor: "10,50,100",
		BillDispenser: ";100,500", CoinDispenser: "10,50,100"} {
		if got := cashList(class, kinds(class, someList()), 1); got != want {
			t.Errorf("%s: %q, want %q", class, got, want)
		}
	}
	if got := cashList(CashChanger, kinds(BillAcceptor, someList()), 100); got != ";1,5" {
		t.Errorf("bills alone, in euros: %q", got)
	}
	if got := cashList(CashChanger, nil, 1); got != "" {
		t.Errorf("nothing: %q", got)
	}
}

// FuzzCashCounts: any text is read into allowed units and counts from 0, or refused with E_ILLEGAL.
func FuzzCashCounts(f *testing.F) {
	for _, s := range []string{"10:1", ";500:1", "10:1,50:2;500:3", " 10 : 1 ; 100 : 1 ", "", ";", "10:1;", "10:-1", "99999999999:1", "10:1,10:1"} {
		f.Add(s, 0)
	}
	classes := []Class{CashChanger, BillAcceptor, CoinAcceptor, BillDispenser, CoinDispenser}
	f.Fuzz(func(t *testing.T, s string, i int) {
		class := classes[uint(i)%uint(len(classes))]
		list := kinds(class, someList())
		got, err := parseCounts(class, s, list, "EUR", 1)
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Code != E_ILLEGAL) {
			t.Fatalf("%q: %v", s, err)
		}
		for p, n := range got {
			if n < 0 || !slices.Contains(list, p) {
				t.Fatalf("%q: %d of %+v", s, n, p)
			}
		}
		if err == nil && len(got) == 0 {
			t.Fatalf("%q was taken and says nothing", s)
		}
	})
}

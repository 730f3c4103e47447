package upos

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"coffer/internal/cash"
)

// plus adds pieces to p, which must not be nil.
func (p Pieces) plus(more Pieces) {
	for piece, n := range more {
		p[piece] += n
	}
}

// clone returns a copy that may be changed.
func (p Pieces) clone() Pieces {
	out := Pieces{}
	out.plus(p)
	return out
}

// total is what the pieces of one currency are worth, in minor units.
func (p Pieces) total(cur cash.Currency) int64 {
	sum := int64(0)
	for piece, n := range p {
		if piece.Currency == cur {
			sum += piece.Value * int64(n)
		}
	}
	return sum
}

// String shows pieces for logs: "3×5.00 EUR bill, 1×0.10 EUR coin".
func (p Pieces) String() string {
	var keys []Piece
	for piece := range p {
		keys = append(keys, piece)
	}
	var out []string
	for _, piece := range order(keys) {
		kind := "coin"
		if piece.Bill {
			kind = "bill"
		}
		out = append(out, fmt.Sprintf("%d×%s %s", p[piece], cash.Amount{Value: piece.Value, Currency: piece.Currency}, kind))
	}
	return strings.Join(out, ", ")
}

// order sorts pieces by currency, coins before bills, ascending, each once.
func order(pieces []Piece) []Piece {
	slices.SortFunc(pieces, func(a, b Piece) int {
		switch {
		case a.Currency != b.Currency:
			return strings.Compare(string(a.Currency), string(b.Currency))
		case a.Bill != b.Bill && a.Bill:
			return 1
		case a.Bill != b.Bill:
			return -1
		case a.Value < b.Value:
			return -1
		case a.Value > b.Value:
			return 1
		}
		return 0
	})
	return slices.Compact(pieces)
}

// text is the cash list or cash counts grammar of the standard over pieces in order: coins, a semicolon, bills. A class
// of bills alone always has the semicolon, one of coins alone never.
func text(class Class, pieces []Piece, one func(Piece) string) string {
	var coins, bills []string
	for _, p := range pieces {
		if p.Bill {
			bills = append(bills, one(p))
		} else {
			coins = append(coins, one(p))
		}
	}
	out := strings.Join(coins, ",")
	if len(bills) > 0 && class != CoinAcceptor && class != CoinDispenser {
		out += ";" + strings.Join(bills, ",")
	}
	return out
}

// cashList writes a list of units; scale is minor units in one.
func cashList(class Class, pieces []Piece, scale int64) string {
	return text(class, pieces, func(p Piece) string { return strconv.FormatInt(p.Value/scale, 10) })
}

// cashCounts writes how many there are of every unit of the list, zeros included.
func cashCounts(class Class, list []Piece, have Pieces, scale int64) string {
	return text(class, list, func(p Piece) string {
		return strconv.FormatInt(p.Value/scale, 10) + ":" + strconv.Itoa(have[p])
	})
}

// parseCounts reads cash counts whose units must be in list. Units not named are not in the answer; those with count 0
// are. Errors are E_ILLEGAL.
func parseCounts(class Class, s string, list []Piece, cur cash.Currency, scale int64) (Pieces, error) {
	coins, bills, semicolon := strings.Cut(s, ";")
	if strings.TrimSpace(s) == "" {
		return nil, fail(E_ILLEGAL, "cash counts are empty: write unit:count pairs, bills after a semicolon")
	}
	if (class == BillAcceptor || class == BillDispenser) && strings.TrimSpace(coins) != "" {
		return nil, fail(E_ILLEGAL, "cash counts %q: a %s has no coins, begin with a semicolon", s, class)
	}
	out := Pieces{}
	if strings.TrimSpace(coins) != "" {
		if err := parsePairs(out, coins, list, Piece{Currency: cur}, scale); err != nil {
			return nil, err
		}
	}
	if semicolon {
		if err := parsePairs(out, bills, list, Piece{Currency: cur, Bill: true}, scale); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// parsePairs reads one side of the semicolon into out; kind says which.
func parsePairs(out Pieces, s string, list []Piece, kind Piece, scale int64) error {
	for pair := range strings.SplitSeq(s, ",") {
		unit, count, _ := strings.Cut(pair, ":")
		value, err := strconv.ParseInt(strings.TrimSpace(unit), 10, 32)
		n, err2 := strconv.ParseInt(strings.TrimSpace(count), 10, 32)
		if err != nil || err2 != nil || value < 1 || n < 0 {
			return fail(E_ILLEGAL, "cash counts: %q is not unit:count", pair)
		}
		kind.Value = value * scale
		if !slices.Contains(list, kind) {
			return fail(E_ILLEGAL, "cash counts: %d is none of the units that may be named here", value)
		}
		if _, twice := out[kind]; twice {
			return fail(E_ILLEGAL, "cash counts: %d is named twice", value)
		}
		out[kind] = int(n)
	}
	return nil
}

// amount32 is minor units as the int32 of the standard, in its scale; more than fits shows as the largest.
func amount32(minor, scale int64) int32 { return int32(min(minor/scale, math.MaxInt32)) }

package cash

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
)

// Currency is a three-letter currency code in capitals, as it travels in SSP and in the REST dialects ("EUR").
type Currency string

// Valid says whether c is three ASCII capitals.
func (c Currency) Valid() bool {
	if len(c) != 3 {
		return false
	}
	for i := range len(c) {
		if c[i] < 'A' || c[i] > 'Z' {
			return false
		}
	}
	return true
}

// Amount is a sum of money in minor units: {1250, "EUR"} is 12.50 EUR. The zero Amount is no money in no currency.
type Amount struct {
	Value    int64    `json:"value"`
	Currency Currency `json:"currency"`
}

// Add returns a+b. It returns ErrInvalid for two different currencies or for a sum beyond int64.
func (a Amount) Add(b Amount) (Amount, error) {
	switch {
	case b == Amount{}:
		return a, nil
	case a == Amount{}:
		return b, nil
	case a.Currency != b.Currency:
		return Amount{}, fmt.Errorf("%w: adding %s to %s", ErrInvalid, b.Currency, a.Currency)
	case b.Value > 0 && a.Value > math.MaxInt64-b.Value, b.Value < 0 && a.Value < math.MinInt64-b.Value:
		return Amount{}, fmt.Errorf("%w: amount overflow", ErrInvalid)
	}
	return Amount{a.Value + b.Value, a.Currency}, nil
}

// Sub returns a-b under the rules of Add.
func (a Amount) Sub(b Amount) (Amount, error) {
	if b.Value == math.MinInt64 {
		return Amount{}, fmt.Errorf("%w: amount overflow", ErrInvalid)
	}
	if (a == Amount{}) {
		return Amount{-b.Value, b.Currency}, nil
	}
	return a.Add(Amount{-b.Value, b.Currency})
}

// String prints the amount with two decimals and its currency: "12.50 EUR".
func (a Amount) String() string {
	sign, v := "", uint64(a.Value)
	if a.Value < 0 {
		sign, v = "-", uint64(-(a.Value+1))+1
	}
	return fmt.Sprintf("%s%d.%02d %s", sign, v/100, v%100, a.Currency)
}

// Denom is one kind of note or coin: its face value in minor units (at least 1) and its currency.
type Denom struct {
	Value    int64    `json:"value"`
	Currency Currency `json:"currency"`
}

// Amount returns what n pieces of d are worth.
func (d Denom) Amount(n int) Amount { return Amount{d.Value * int64(n), d.Currency} }

// String prints the denomination as the REST dialects write it: "500 EUR".
func (d Denom) String() string { return strconv.FormatInt(d.Value, 10) + " " + string(d.Currency) }

// Less orders denominations by currency, then by value.
func (d Denom) Less(e Denom) bool {
	if d.Currency != e.Currency {
		return d.Currency < e.Currency
	}
	return d.Value < e.Value
}

// ParseDenom reads the text form "500 EUR" (any amount of white space between the two, letters in either case).
// It returns ErrInvalid for anything else, and for a value below 1.
func ParseDenom(s string) (Denom, error) {
	f := strings.Fields(s)
	if len(f) != 2 {
		return Denom{}, fmt.Errorf("%w: denomination %q is not \"<value> <currency>\"", ErrInvalid, s)
	}
	v, err := strconv.ParseInt(f[0], 10, 64)
	d := Denom{v, Currency(strings.ToUpper(f[1]))}
	if err != nil || v < 1 || !d.Currency.Valid() {
		return Denom{}, fmt.Errorf("%w: denomination %q is not \"<value> <currency>\"", ErrInvalid, s)
	}
	return d, nil
}

// Counts says how many pieces of each denomination there are. The nil map reads as empty. Negative counts are allowed
// in differences.
type Counts map[Denom]int

// Row is one denomination of a Counts in the form that is shown and stored.
type Row struct {
	Value    int64    `json:"value"`
	Currency Currency `json:"currency"`
	Count    int      `json:"count"`
}

// Denom returns the denomination of the row.
func (r Row) Denom() Denom { return Denom{r.Value, r.Currency} }

// Rows lists the denominations whose count is not zero, by currency, then value.
func (c Counts) Rows() []Row {
	rows := make([]Row, 0, len(c))
	for d, n := range c {
		if n != 0 {
			rows = append(rows, Row{d.Value, d.Currency, n})
		}
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].Denom().Less(rows[j].Denom()) })
	return rows
}

// CountsOf adds rows up.
func CountsOf(rows ...Row) Counts {
	c := Counts{}
	for _, r := range rows {
		c[r.Denom()] += r.Count
	}
	return c
}

// MarshalJSON writes the list of Rows.
func (c Counts) MarshalJSON() ([]byte, error) { return json.Marshal(c.Rows()) }

// UnmarshalJSON reads a list of rows.
func (c *Counts) UnmarshalJSON(b []byte) error {
	var rows []Row
	if err := json.Unmarshal(b, &rows); err != nil {
		return err
	}
	*c = CountsOf(rows...)
	return nil
}

// Clone returns a copy that may be changed.
func (c Counts) Clone() Counts {
	out := make(Counts, len(c))
	for d, n := range c {
		out[d] = n
	}
	return out
}

// Minus returns c-o, zero counts left out.
func (c Counts) Minus(o Counts) Counts {
	out := Counts{}
	for d, n := range c {
		if n != o[d] {
			out[d] = n - o[d]
		}
	}
	for d, n := range o {
		if _, seen := c[d]; !seen && n != 0 {
			out[d] = -n
		}
	}
	return out
}

// Plus returns c+o, zero counts left out.
func (c Counts) Plus(o Counts) Counts {
	out := Counts{}
	for d, n := range c {
		if n+o[d] != 0 {
			out[d] = n + o[d]
		}
	}
	for d, n := range o {
		if _, seen := c[d]; !seen && n != 0 {
			out[d] = n
		}
	}
	return out
}

// Pieces returns how many pieces c holds in all.
func (c Counts) Pieces() int {
	n := 0
	for _, k := range c {
		n += k
	}
	return n
}

// Total returns what c is worth in currency cur.
func (c Counts) Total(cur Currency) Amount {
	a := Amount{Currency: cur}
	for d, n := range c {
		if d.Currency == cur {
			a.Value += d.Value * int64(n)
		}
	}
	return a
}

package cashdevice

import (
	"errors"
	"fmt"
	"strings"

	"coffer/internal/cash"
)

// Two endpoints that clients use and the manual of 1.5.2 does not have. Their answers are those of the field: an object
// with dispenseResult, and reason where it was refused.

// payoutMultipleDenominations: POST PayoutMultipleDenominations with one count a channel, the pieces to pay. It answers
// once the machine has started; events tell the rest.
func (c *call) payoutMultipleDenominations() (any, error) {
	want, err := c.bareCounts()
	if err != nil {
		return nil, err
	}
	return c.payPieces(want)
}

// payoutByDenomination: POST PayoutByDenomination. Its body is not known from anywhere: an array of counts is read as
// PayoutMultipleDenominations reads it, and entries are objects of a denomination and a count, one or a list of them.
func (c *call) payoutByDenomination() (any, error) {
	v, err := c.bare()
	if err != nil {
		return nil, err
	}
	entries, many := v.([]any)
	if one, ok := v.(members); ok {
		entries, many = []any{one}, true
	}
	if many && len(entries) > 0 {
		if _, ok := entries[0].(members); ok {
			want, err := pieces(entries)
			if err != nil {
				return nil, err
			}
			return c.payPieces(want)
		}
	}
	return c.payoutMultipleDenominations()
}

// pieces reads {"Denomination":"500 EUR","Count":2}, or Value and CountryCode in place of Denomination.
func pieces(entries []any) (cash.Counts, error) {
	want := cash.Counts{}
	for _, e := range entries {
		m, ok := e.(members)
		if !ok {
			return nil, fault("$", "An array of objects is expected.")
		}
		f := &form{m: m}
		n := f.required(0, 65535, "Count", "Number", "Quantity", "NumNotes", "NumCoins")
		d, err := f.coin()
		if err := f.err(); err != nil {
			return nil, err
		}
		if err != nil {
			return nil, fault("Denomination", `A denomination as "500 GBP" is expected.`)
		}
		want[d] += int(n)
	}
	return want, nil
}

// payPieces starts to pay. As with DispenseValue, a command that went out without an answer counts as started.
func (c *call) payPieces(want cash.Counts) (any, error) {
	for d, n := range want {
		if n == 0 {
			delete(want, d)
		}
	}
	d, err := c.device()
	if err == nil && len(want) == 0 {
		err = fmt.Errorf("%w: no pieces to pay", cash.ErrInvalid)
	}
	if err == nil && !d.Snapshot().HasPayout {
		err = cash.ErrUnsupported
	}
	if err == nil {
		_, err = c.api.till.DispensePieces(c.ctx, c.by(), d, want)
	}
	if err != nil && !errors.Is(err, cash.ErrOutcomeUnknown) {
		return nil, piecesRefused(err)
	}
	var list []string
	for _, r := range want.Rows() {
		list = append(list, fmt.Sprintf("%d x %s", r.Count, r.Denom()))
	}
	return object{{"dispenseResult", "IN_PROGRESS"}, {"payoutOperationData", "PAYOUT " + strings.Join(list, ", ")}}, nil
}

// piecesRefused words a refusal in the form of the field, where BUSY is compared exactly.
func piecesRefused(err error) error {
	r := rowOf(err)
	word := r.word
	switch {
	case errors.Is(err, cash.ErrBusy), errors.Is(err, cash.ErrClaimed):
		word = "BUSY"
	case errors.Is(err, cash.ErrUnsupported):
		word = "INVALID_INPUT"
	case word == "":
		word = "INTERNAL_ERROR"
	}
	body := object{{"dispenseResult", "ERROR"}, {"reason", word}}
	if r.reason != 0 {
		body = append(body, member{"errorReason", r.reason})
	}
	return &refusal{status: or(r.status, 400), body: body, reason: r.reason, err: err}
}

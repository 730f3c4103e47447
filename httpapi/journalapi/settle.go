package journalapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"coffer/internal/cash"
)

// maxBody is how large a settle request may be.
const maxBody = 1 << 20

type settleRequest struct {
	Op   string      `json:"op"`
	Paid *[]cash.Row `json:"paid"`
}

// settle answers POST /journal/v1/settle with 204: the operation is closed with what was paid, an empty list for
// nothing.
func (a *api) settle(w http.ResponseWriter, r *http.Request) {
	in, err := readSettle(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		writeError(w, err)
		return
	}
	if a.Settler == nil {
		writeError(w, fmt.Errorf("%w: nothing can be settled here", cash.ErrUnsupported))
		return
	}
	actor := "journal"
	if a.Actor != nil {
		actor = a.Actor(r)
	}
	if err := a.Settler.Settle(r.Context(), actor, in.Op, cash.CountsOf(*in.Paid...)); err != nil {
		writeError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// readSettle decodes and checks the request.
func readSettle(body io.Reader) (in settleRequest, err error) {
	dec := json.NewDecoder(body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return in, fmt.Errorf("%w: the body is not {\"op\":\"…\",\"paid\":[{\"value\":500,\"currency\":\"EUR\",\"count\":1}]}: %w",
			cash.ErrInvalid, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return in, fmt.Errorf("%w: something follows the JSON object", cash.ErrInvalid)
	}
	if in.Op == "" {
		return in, fmt.Errorf("%w: op is missing: name the operation to settle", cash.ErrInvalid)
	}
	if in.Paid == nil {
		return in, fmt.Errorf("%w: paid is missing: list what was paid, [] for nothing", cash.ErrInvalid)
	}
	for _, row := range *in.Paid {
		if row.Value < 1 || row.Count < 0 || !row.Currency.Valid() {
			return in, fmt.Errorf("%w: paid %d x %d %q: value begins at 1, count at 0, currency is three capitals",
				cash.ErrInvalid, row.Count, row.Value, row.Currency)
		}
	}
	return in, nil
}

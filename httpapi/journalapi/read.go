package journalapi

import (
	"fmt"
	"net/http"
	"strconv"

	"coffer/internal/cash"
	"coffer/internal/journal"
)

// How many rows one answer holds.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// entries answers GET /journal/v1/entries?after=SEQ&limit=N. A limit above 1000 counts as 1000.
func (a *api) entries(w http.ResponseWriter, r *http.Request) {
	after, err := number(r, "after", 0, 0)
	if err != nil {
		writeError(w, err)
		return
	}
	limit, err := number(r, "limit", defaultLimit, 1)
	if err != nil {
		writeError(w, err)
		return
	}
	rows, err := a.Ledger.Entries(r.Context(), after, int(min(limit, maxLimit)))
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, journal.EncodeEntries(rows))
}

// balance answers GET /journal/v1/balance, of one device with ?device=ID.
func (a *api) balance(w http.ResponseWriter, r *http.Request) {
	rows, err := a.Ledger.Balance(r.Context(), cash.DeviceID(r.URL.Query().Get("device")))
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, journal.EncodeBalance(rows))
}

// operations answers GET /journal/v1/operations?state=open: those without an outcome, or with an unknown one. With
// ?key=KEY it answers the one operation that a caller's key names, whatever became of it.
func (a *api) operations(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Has("key") {
		op, found, err := a.Ledger.OpByKey(r.Context(), q.Get("key"))
		switch {
		case err != nil:
			writeError(w, err)
		case !found:
			writeJSON(w, http.StatusOK, journal.EncodeOps(nil))
		default:
			writeJSON(w, http.StatusOK, journal.EncodeOps([]cash.Op{op}))
		}
		return
	}
	if state := q.Get("state"); state != "" && state != "open" {
		writeError(w, fmt.Errorf("%w: state %q: only \"open\" can be asked for", cash.ErrInvalid, state))
		return
	}
	ops, err := a.Ledger.OpenOps(r.Context(), cash.DeviceID(q.Get("device")))
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, journal.EncodeOps(ops))
}

// number reads a whole-number parameter of at least least; def if it is not given.
func number(r *http.Request, name string, def, least int64) (int64, error) {
	q := r.URL.Query()
	if !q.Has(name) {
		return def, nil
	}
	n, err := strconv.ParseInt(q.Get(name), 10, 64)
	if err != nil || n < least {
		return 0, fmt.Errorf("%w: %s %q: give a whole number from %d", cash.ErrInvalid, name, q.Get(name), least)
	}
	return n, nil
}

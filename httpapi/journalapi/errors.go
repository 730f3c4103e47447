package journalapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"coffer/internal/cash"
)

// statuses is this dialect's table of errors (docs/errors.md), first match first.
var statuses = []struct {
	err    error
	status int
}{
	{cash.ErrInvalid, http.StatusBadRequest},
	{cash.ErrUnknown, http.StatusNotFound},
	{cash.ErrUnsupported, http.StatusNotImplemented},
	{cash.ErrNothing, http.StatusConflict},
	{cash.ErrBusy, http.StatusConflict},
	{cash.ErrClaimed, http.StatusConflict},
	{cash.ErrNotConnected, http.StatusConflict},
	{cash.ErrOutcomeUnknown, http.StatusConflict},
	{cash.ErrJournal, http.StatusServiceUnavailable},
}

// writeError answers {"error":"…"} with the status of err, 500 for one that the table does not hold.
func writeError(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		status = http.StatusRequestEntityTooLarge
	}
	for _, s := range statuses {
		if status == http.StatusInternalServerError && errors.Is(err, s.err) {
			status = s.status
		}
	}
	body, merr := json.Marshal(map[string]string{"error": err.Error()})
	if merr != nil {
		body = []byte(`{"error":"internal error"}`)
	}
	writeJSON(w, status, body)
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a caller who left is no fault of ours
}

package cashdevice

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"coffer/httpapi"
	"coffer/internal/cash"
)

// notFound is what an unknown deviceID is answered.
const notFound = "Cash device not found"

// errNoDevice: no open device has the deviceID.
var errNoDevice = errors.New("no open device of that id")

// refusal is an answer that is not 200, decided by a handler.
type refusal struct {
	status int
	body   any
	reason int   // errorReason, 0 for none
	err    error // the cause, for the log
}

func (r *refusal) Error() string {
	if r.err != nil {
		return r.err.Error()
	}
	return fmt.Sprintf("%d: %v", r.status, r.body)
}
func (r *refusal) Unwrap() error { return r.err }

// row says how an error is shown.
type row struct {
	err    error
	status int    // 0: the status that the endpoint documents for a refusal
	reason int    // errorReason of the manual: 1 not enough value, 2 exact amount impossible, 3 busy, 4 disabled
	word   string // for texts; programs search for BUSY and INVALID_INPUT
}

// rows is the whole translation (docs/errors.md). The first that matches counts.
var rows = []row{
	{cash.ErrInvalid, 400, 0, "INVALID_INPUT"},
	{cash.ErrUnsupported, 400, 0, "NOT_SUPPORTED"},
	{cash.ErrUnknown, 404, 0, "NOT_FOUND"},
	{cash.ErrClaimed, 400, 0, "DEVICE_BUSY (CLAIMED)"},
	{cash.ErrNotClaimed, 400, 0, "DEVICE_NOT_CLAIMED"},
	{cash.ErrUnauthorized, 401, 0, "UNAUTHORIZED"},
	{cash.ErrBusy, 400, 3, "DEVICE_BUSY"},
	{cash.ErrDisabled, 400, 4, "DEVICE_DISABLED"},
	{cash.ErrNotConnected, 404, 0, "NOT_CONNECTED"},
	{cash.ErrNotEnough, 400, 1, "NOT_ENOUGH_VALUE"},
	{cash.ErrNotExact, 400, 2, "CANNOT_PAY_EXACT_AMOUNT"},
	{cash.ErrJam, 0, 0, "JAMMED"},
	{cash.ErrFull, 0, 0, "DEVICE_FULL"},
	{cash.ErrNoCashbox, 0, 0, "CASHBOX_REMOVED"},
	{cash.ErrNothing, 400, 0, "NOTHING_TO_DO"},
	{cash.ErrOutcomeUnknown, 500, 0, "OUTCOME_UNKNOWN"},
	{cash.ErrKeySeen, 400, 0, "INVALID_INPUT"},
	{cash.ErrGap, 500, 0, "EVENTS_LOST"},
	{cash.ErrJournal, 500, 0, "LEDGER_UNAVAILABLE"},
}

// rowOf finds how err is shown; an error that nobody foresaw is a 500.
func rowOf(err error) row {
	var partial *cash.PartialError
	if errors.As(err, &partial) {
		return row{err, 0, 0, "INCOMPLETE"}
	}
	for _, r := range rows {
		if errors.Is(err, r.err) {
			return r
		}
	}
	return row{err, 500, 0, ""}
}

// refuse writes the answer to an error of an endpoint.
func (c *call) refuse(w http.ResponseWriter, e *endpoint, err error) {
	var p *problem
	var given *refusal
	switch {
	case errors.As(err, &p):
		c.writeProblem(w, p)
	case errors.Is(err, errNoDevice):
		text := notFound
		if e.lostText != "" {
			text = strings.ReplaceAll(e.lostText, "<id>", c.id)
		}
		httpapi.Text(w, or(e.lost, 404), text)
	case errors.As(err, &given):
		if given.reason != 0 {
			w.Header().Set("X-Error-Reason", strconv.Itoa(given.reason))
		}
		c.api.write(w, given.status, given.body)
	case c.lacking(e, err):
		c.api.write(w, or(e.refused, 400), strings.ReplaceAll(e.text, "<id>", c.id))
	default:
		r := rowOf(err)
		if r.reason != 0 {
			w.Header().Set("X-Error-Reason", strconv.Itoa(r.reason))
		}
		c.api.write(w, or(r.status, e.refused, 400), c.refusalText(e, r, err))
	}
}

// lacking says whether the machine is of a kind that the endpoint is for, and lacks what it is about.
func (c *call) lacking(e *endpoint, err error) bool {
	if e.fits == nil || (!errors.Is(err, cash.ErrUnsupported) && !errors.Is(err, cash.ErrNothing)) {
		return false
	}
	d, lost := c.device()
	return lost == nil && e.fits(d.Snapshot())
}

// refusalText is the body for a refusal that no handler has worded.
func (c *call) refusalText(e *endpoint, r row, err error) string {
	prefix := ""
	if c.id != "" {
		prefix = c.id + ": "
	}
	switch {
	case r.word == "" && e.broken != "":
		return e.broken + err.Error()
	case r.word == "":
		return prefix + "Internal error: " + err.Error()
	case errors.Is(r.err, cash.ErrNotConnected):
		return prefix + "Device not connected."
	case errors.Is(r.err, cash.ErrUnsupported):
		return prefix + "Command not supported by this device."
	case e.text != "" && strings.Contains(r.word, "BUSY"): // programs search for the word and try again
		return strings.TrimSuffix(strings.ReplaceAll(e.text, "<id>", c.id), ".") + ": " + r.word
	case e.text != "":
		return strings.ReplaceAll(e.text, "<id>", c.id)
	}
	return prefix + "Failed to " + e.verb + ": " + r.word + "."
}

// writeProblem answers 400 in the form of the maker's framework.
func (c *call) writeProblem(w http.ResponseWriter, p *problem) {
	var faults object
	for _, f := range p.faults {
		faults = append(faults, member{f[0], list{f[1]}})
	}
	body := style{}.render(nil, object{
		{"type", "https://tools.ietf.org/html/rfc7231#section-6.5.1"},
		{"title", "One or more validation errors occurred."},
		{"status", 400},
		{"traceId", httpapi.RequestID(c.ctx)},
		{"errors", faults},
	})
	writeJSON(w, http.StatusBadRequest, "application/problem+json; charset=utf-8", body)
}

// or returns the first that is not 0.
func or(n ...int) int {
	for _, x := range n {
		if x != 0 {
			return x
		}
	}
	return 0
}

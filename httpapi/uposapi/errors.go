package uposapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"coffer/httpapi"
	"coffer/upos"
)

// refusal is an answer that does not follow from a result code alone.
type refusal struct {
	status  int
	code    int32
	message string
}

func (e *refusal) Error() string { return e.message }

// malformed is the refusal of a request that cannot be understood.
func malformed(message string) error {
	return &refusal{http.StatusBadRequest, upos.E_ILLEGAL, message}
}

// errNoHandle: no instance with the id is open for this user.
var errNoHandle = &refusal{http.StatusNotFound, upos.E_CLOSED,
	"no instance with this id is open for you; its lease may have ended: open the device again"}

// refuse answers with err: 409 for what UnifiedPOS refuses, 404 for what does not exist, 400 for what cannot be
// understood. A 5xx would make a client's proxy try again.
func (c *call) refuse(err error) {
	var own *refusal
	var tooLarge *http.MaxBytesError
	var known *upos.Error
	switch {
	case errors.As(err, &tooLarge):
		httpapi.BodyTooLarge(c.w, c.r)
	case errors.As(err, &own):
		writeRefusal(c.w, own.status, &upos.Error{Code: own.code, Message: own.message})
	case errors.As(err, &known) && errors.Is(err, upos.ErrUnknownMember):
		writeRefusal(c.w, http.StatusNotFound, known)
	case errors.As(err, &known):
		writeRefusal(c.w, http.StatusConflict, known)
	default:
		c.Log.WithError(err).WithField("path", c.r.URL.Path).Warn("call failed")
		writeRefusal(c.w, http.StatusConflict, &upos.Error{Code: upos.E_FAILURE, Message: err.Error()})
	}
}

// writeFault answers a request that reaches no endpoint.
func writeFault(w http.ResponseWriter, status int, message string) {
	writeRefusal(w, status, &upos.Error{Code: upos.E_ILLEGAL, Message: message})
}

func writeRefusal(w http.ResponseWriter, status int, e *upos.Error) {
	answer(w, status, map[string]any{
		"resultCode": e.Code, "resultCodeExtended": e.Extended, "name": e.Name(), "message": e.Message,
	})
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // a value that is no bool, int32 or string is a bug of package upos
		status, body = http.StatusInternalServerError, []byte(`{"resultCode":111,"resultCodeExtended":0,"name":"E_FAILURE","message":"internal error"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a caller who left is no fault of ours
}

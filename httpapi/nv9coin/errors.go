package nv9coin

import (
	"fmt"
	"net/http"
	"strconv"
)

// refusal is an answer that is not 200. Body is sent byte for byte.
type refusal struct {
	status int
	body   string
	err    error // what it is about, for the log; nil where the client is at fault
}

func (e *refusal) Error() string {
	if e.err != nil {
		return e.err.Error()
	}
	return e.body
}

func (e *refusal) Unwrap() error { return e.err }

// because is e with what it is about.
func (e *refusal) because(err error) *refusal { return &refusal{e.status, e.body, err} }

func (e *refusal) write(w http.ResponseWriter) { write(w, e.status, []byte(e.body)) }

// write sends a body, which may be empty, with its true length.
func write(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// The error answers of the paper, byte for byte; it has a long and a short form, and two texts for busy, per operation.
// Line breaks within its messages are of its printing.
var (
	errCredentials = &refusal{status: 401, body: `{"ResponseStatus":{"ErrorCode":"Invalid UserName or Password","Message":"Invalid UserName or Password"}}`}

	busyLong  = long(400, "DeviceBusy", "null", `{"ErrorCode":"device_busy","Message":"Device is busy. Please wait until other actions have finished."}`)
	busyShort = short(400, "DeviceBusy", "device_busy", "The device is busy.")

	errNoEscrow = long(400, "BadRequest", "null", `{"ErrorCode":"no_escrow","Message":"There is no note held in escrow. Please check state to find out more"}`)
	errEnable   = short(500, "DeviceError", "hardware_error", "Cannot enable the device since the note or coin machine is not currently connected.")
	errDisable  = short(500, "DeviceError", "hardware_error", "Cannot disable the device since the note or coin machine is not currently connected.")
	errCoin     = long(500, "DeviceError", "null", `{"ErrorCode":"device_error","Message":"Coin machine cannot dispense coin because of an unexpected error."}`)
	errNote     = short(500, "DeviceError", "device_error", "Unexpected error. Please check state to find out more.")
)

// Answers of ours, in the form of the others.
var (
	errBody     = ownWords(400, "BadRequest", "The body could not be read.")
	errNoPath   = ownWords(404, "NotFound", "There is no such operation.")
	errMethod   = ownWords(405, "MethodNotAllowed", "The operation takes another method, see Allow.")
	errTimeout  = ownWords(408, "RequestTimeout", "The body did not arrive in time.")
	errTooLarge = ownWords(413, "RequestTooLarge", "The body is larger than 1 MB.")
	errInternal = ownWords(500, "InternalError", "Unexpected error. The log of the server has more.")
)

// Argument errors. The paper shows errAmount and errNoSignature; the others are in their form.
var (
	errNoAmount    = argument("required", "Amount", "Please provide an Amount that is greater than 0.")
	errAmount      = argument("invalid", "Amount", "Please provide an Amount that is greater than 0.")
	errNoCurrency  = argument("required", "Currency", "Please provide a Currency.")
	errCurrency    = argument("invalid", "Currency", "Please provide a valid Currency.")
	errNoTimestamp = argument("required", "Timestamp", "Please provide a valid timestamp.")
	errTimestamp   = argument("invalid", "Timestamp", "Please provide a valid timestamp.")
	errNoSignature = argument("required", "Signature", "Please provide a valid signature.")
	errSignature   = argument("invalid", "Signature", "Please provide a valid signature.")
)

// long is the form with Message and StackTrace; message and item are JSON.
func long(status int, code, message, item string) *refusal {
	return &refusal{status: status, body: fmt.Sprintf(`{"ResponseStatus":{"ErrorCode":%q,"Message":%s,"StackTrace":null,"Errors":[%s]}}`, code, message, item)}
}

// short is the form with ErrorCode and Errors alone.
func short(status int, code, item, message string) *refusal {
	return &refusal{status: status, body: fmt.Sprintf(`{"ResponseStatus":{"ErrorCode":%q,"Errors":[{"ErrorCode":%q,"Message":%q}]}}`, code, item, message)}
}

func argument(code, field, message string) *refusal {
	return long(400, "BadRequest", `"invalid_argument"`, fmt.Sprintf(`{"ErrorCode":%q,"FieldName":%q,"Message":%q}`, code, field, message))
}

func ownWords(status int, code, message string) *refusal {
	return &refusal{status: status, body: fmt.Sprintf(`{"ResponseStatus":{"ErrorCode":%q,"Message":%q}}`, code, message)}
}

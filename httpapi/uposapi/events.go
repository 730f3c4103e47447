package uposapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"coffer/upos"
)

// Limits of a long poll.
const (
	defaultWait = 30 * time.Second
	maxWait     = 2 * time.Minute
)

// encodeEvent is an event as a message.
func encodeEvent(e upos.Event) map[string]any {
	out := map[string]any{"seq": e.Seq, "event": e.Kind, "at": e.At.UTC().Format(time.RFC3339Nano)}
	if e.Kind == "DirectIOEvent" {
		out["eventNumber"], out["data"], out["obj"] = e.Number, e.Data, e.Obj
	} else {
		out["status"] = e.Status
	}
	if len(e.Properties) > 0 {
		out["properties"] = e.Properties
	}
	return out
}

// events answers GET …/events: a WebSocket where the caller asks for one, else a long poll.
func (c *call) events() error {
	ack, err := c.ack()
	if err != nil {
		return err
	}
	i, ok := c.find(mux.Vars(c.r)["handle"], c.user)
	if !ok || !i.touch() { // an open connection is no use of its own: its pings and acknowledgements are
		return errNoHandle
	}
	if err := i.ack(ack); err != nil {
		return err
	}
	if strings.EqualFold(c.r.Header.Get("Upgrade"), "websocket") {
		c.stream(i)
		return nil
	}
	return c.poll(i)
}

// ack reads the parameter ack, 0 for none.
func (c *call) ack() (uint64, error) {
	text := c.r.URL.Query().Get("ack")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, malformed(fmt.Sprintf("ack %q: give the seq of the event that was dealt with", text))
	}
	return n, nil
}

// wait reads the parameter wait, in seconds. A long poll never outlasts half the lease, so that a client which polls
// again and again keeps it.
func (c *call) wait(i *instance) (time.Duration, error) {
	wait := defaultWait
	if text := c.r.URL.Query().Get("wait"); text != "" {
		s, err := strconv.ParseFloat(text, 64)
		if err != nil || !(s >= 0) {
			return 0, malformed(fmt.Sprintf("wait %q: give seconds from 0", text))
		}
		wait = maxWait
		if s < maxWait.Seconds() {
			wait = time.Duration(s * float64(time.Second))
		}
	}
	return min(wait, i.term()/2), nil
}

// poll answers with the event at the front of the queue, or 204 where none can be delivered in time.
func (c *call) poll(i *instance) error {
	wait, err := c.wait(i)
	if err != nil {
		return err
	}
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{}) // as in limits
	reading, stop := i.read(c.r.Context())
	defer stop()
	ctx, cancel := context.WithTimeout(reading, wait)
	defer cancel()
	e, err := i.h.Next(ctx)
	if c.r.Context().Err() == nil {
		i.touch()
	}
	switch {
	case err == nil:
		answer(c.w, http.StatusOK, encodeEvent(e))
	case errors.Is(context.Cause(reading), errTaken):
		return &refusal{http.StatusConflict, upos.E_BUSY, errTaken.Error()}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		c.w.Header().Set("Cache-Control", "no-store")
		c.w.WriteHeader(http.StatusNoContent)
	default:
		return err
	}
	return nil
}

// message is what a client sends on a stream. What belongs to the answers of events that cash devices do not have, or
// do not read, is taken and passed over.
type message struct {
	Ack      *uint64         `json:"ack"`
	Response json.RawMessage `json:"response"`
	Data     json.RawMessage `json:"data"`
	Obj      json.RawMessage `json:"obj"`
}

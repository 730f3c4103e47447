package uposclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Event is one event of an instance.
type Event struct {
	Seq         uint64    `json:"seq"`         // rises within the instance
	Kind        string    `json:"event"`       // "DataEvent", "StatusUpdateEvent" or "DirectIOEvent"
	Status      int32     `json:"status"`      // of DataEvent and StatusUpdateEvent
	EventNumber int32     `json:"eventNumber"` // of DirectIOEvent, as Data and Obj
	Data        int32     `json:"data"`
	Obj         string    `json:"obj"`
	At          time.Time `json:"at"`
	Properties  Args      `json:"properties"` // those that the event has updated, with their new values
}

// The ends of a stream of events that no new connection would mend.
var (
	ErrClosed = errors.New("the instance was closed")
	ErrTaken  = errors.New("another connection reads the events of this instance")
)

// The codes with which the server closes a stream (docs/api/upos.md).
const (
	statusClosed = websocket.StatusCode(4001)
	statusTaken  = websocket.StatusCode(4002)
)

// Stream is a WebSocket that carries the events of one instance. Next and Ack are for one goroutine.
type Stream struct {
	conn   *websocket.Conn
	events chan Event
	failed chan struct{} // closed once err is valid
	err    error
	stop   context.CancelFunc
}

// Stream connects. The first event that comes is the oldest one that was not acknowledged.
func (h *Handle) Stream(ctx context.Context) (*Stream, error) {
	header := http.Header{}
	if h.c.Token != "" {
		header.Set("Authorization", "Bearer "+h.c.Token)
	}
	target := "ws" + strings.TrimPrefix(strings.TrimSuffix(h.c.Base, "/"), "http") + h.path("/events")
	conn, resp, err := websocket.Dial(ctx, target, &websocket.DialOptions{HTTPClient: h.c.HTTP, HTTPHeader: header})
	if err != nil {
		return nil, dialError(resp, err)
	}
	conn.SetReadLimit(maxAnswer)
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &Stream{conn: conn, events: make(chan Event), failed: make(chan struct{}), stop: stop}
	go s.read(life)
	return s, nil
}

// dialError finds out whether the server has refused, or could not be reached.
func dialError(resp *http.Response, err error) error {
	if resp == nil || resp.StatusCode < http.StatusBadRequest {
		return err
	}
	body := make([]byte, 4096) // what the library has kept of it
	n := 0
	if resp.Body != nil {
		n, _ = resp.Body.Read(body)
	}
	e := refusal(resp.StatusCode, body[:n])
	if e.Message == "" {
		e.Message = err.Error()
	}
	return e
}

// read receives for as long as the stream lasts, also while the application is busy with an event, so that the server's
// pings are answered.
func (s *Stream) read(ctx context.Context) {
	defer close(s.failed)
	for {
		_, text, err := s.conn.Read(ctx)
		if err != nil {
			s.err = streamError(err)
			return
		}
		var e Event
		if err := json.Unmarshal(text, &e); err != nil {
			s.err = fmt.Errorf("event not understood: %w", err)
			return
		}
		select {
		case s.events <- e:
		case <-ctx.Done():
			s.err = ctx.Err()
			return
		}
	}
}

func streamError(err error) error {
	switch websocket.CloseStatus(err) {
	case statusClosed:
		return ErrClosed
	case statusTaken:
		return ErrTaken
	}
	return err
}

// Next waits for an event. The same comes again on the next Stream until it is acknowledged.
func (s *Stream) Next(ctx context.Context) (Event, error) {
	select {
	case e := <-s.events:
		return e, nil
	case <-s.failed:
		return Event{}, s.err
	case <-ctx.Done():
		return Event{}, ctx.Err()
	}
}

// Ack says that the event was dealt with; the next may come.
func (s *Stream) Ack(ctx context.Context, seq uint64) error {
	return s.conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"ack":%d}`, seq))
}

// Close ends the connection. The instance lives on.
func (s *Stream) Close() {
	s.stop()
	_ = s.conn.CloseNow() // it may be gone already
	<-s.failed
}

// How long Events waits before it connects again: first, at most.
const (
	firstPause = 50 * time.Millisecond
	maxPause   = 5 * time.Second
)

// Events calls each for every event, one at a time and in order, until ctx ends or each returns an error, which it
// returns. An event counts as delivered once each has returned nil. Lost connections are made again, and nothing is
// lost with them; if the acknowledgement was, the event does not come to each a second time. ErrClosed or a *Error when
// the instance is gone.
func (h *Handle) Events(ctx context.Context, each func(Event) error) error {
	var last uint64 // what each has dealt with
	wait := firstPause
	for {
		seen := last
		err := h.receive(ctx, &last, each)
		var refused *Error
		var own *handlerError
		switch {
		case errors.As(err, &own):
			return own.err
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrClosed), errors.Is(err, ErrTaken), errors.As(err, &refused) && refused.Status < 500:
			return err
		}
		if last != seen {
			wait = firstPause
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		wait = min(2*wait, maxPause)
	}
}

// handlerError is an error of the application.
type handlerError struct{ err error }

func (e *handlerError) Error() string { return e.err.Error() }

// receive is one connection of Events. last is the last event that each has dealt with.
func (h *Handle) receive(ctx context.Context, last *uint64, each func(Event) error) error {
	s, err := h.Stream(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	for {
		e, err := s.Next(ctx)
		if err != nil {
			return err
		}
		if e.Seq > *last {
			if err := each(e); err != nil {
				return &handlerError{err}
			}
			*last = e.Seq
		}
		if err := s.Ack(ctx, e.Seq); err != nil {
			return err
		}
	}
}

// Poll acknowledges the event ack (0 for none) and waits up to wait for the next one, by plain HTTP. found is false where
// none came. The server may answer earlier than wait.
func (h *Handle) Poll(ctx context.Context, ack uint64, wait time.Duration) (e Event, found bool, err error) {
	q := url.Values{"wait": {strconv.FormatFloat(wait.Seconds(), 'f', -1, 64)}}
	if ack != 0 {
		q.Set("ack", strconv.FormatUint(ack, 10))
	}
	err = h.c.do(ctx, http.MethodGet, h.path("/events?"+q.Encode()), nil, nil, &e)
	return e, e.Seq != 0, err
}

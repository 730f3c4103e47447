package uposapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"coffer/upos"
)

// The codes with which a stream is closed, beside those of the WebSocket protocol.
const (
	closeGone  = websocket.StatusCode(4001) // the instance was closed, or its lease has ended
	closeTaken = websocket.StatusCode(4002) // another connection reads the events now
)

// Limits of a stream.
const (
	maxMessage      = 64 << 10         // bytes of a message from the client
	defaultPatience = 10 * time.Second // how long one message may take to leave, and an answer to a ping to come
	maxPing         = 20 * time.Second // how long a quiet client is left alone
)

// protocol is the subprotocol of a stream. A browser names it, and beside it tokenPrefix with its Bearer token.
const (
	protocol    = "upos.v1"
	tokenPrefix = "bearer."
)

// protocolToken is the token that a browser has put among the subprotocols of a WebSocket, "" for none.
func protocolToken(r *http.Request) string {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(line, ",") {
			if token, ok := strings.CutPrefix(strings.TrimSpace(p), tokenPrefix); ok {
				return token
			}
		}
	}
	return ""
}

// errProtocol ends a stream whose client sends what nobody understands.
var errProtocol = errors.New(`send {"ack":SEQ} for the event that was dealt with`)

// stream serves the events of an instance over a WebSocket: one, and the next when it was acknowledged.
func (c *call) stream(i *instance) {
	ctx, stop := i.read(c.r.Context()) // before the answer, so that the connection that was made last is the one that reads
	defer stop()
	conn, err := websocket.Accept(c.w, c.r, &websocket.AcceptOptions{OriginPatterns: c.origins, Subprotocols: []string{protocol}})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow() //nolint:errcheck // the last resort after Close
	conn.SetReadLimit(maxMessage)
	ctx, fail := context.WithCancelCause(ctx)
	s := &stream{i: i, conn: conn, told: make(chan struct{}, 1), fail: fail, patience: c.patience}
	var helpers sync.WaitGroup
	helpers.Go(func() { s.receive(ctx) })
	helpers.Go(func() { s.ping(ctx) })
	err = s.feed(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	fail(err)
	s.bye(err)
	helpers.Wait()
}

// bye closes the connection and says why, where the client can do something about it.
func (s *stream) bye(err error) {
	switch {
	case errors.Is(err, upos.ErrClosed):
		_ = s.conn.Close(closeGone, "the instance is closed")
	case errors.Is(err, errTaken):
		_ = s.conn.Close(closeTaken, errTaken.Error())
	case errors.Is(err, errProtocol):
		_ = s.conn.Close(websocket.StatusPolicyViolation, errProtocol.Error())
	}
	_ = s.conn.CloseNow()
}

// stream is one connection.
type stream struct {
	i    *instance
	conn *websocket.Conn
	fail context.CancelCauseFunc

	acked atomic.Uint64 // the newest event that the client has dealt with, as it said on this connection
	told  chan struct{} // has one in it when acked has changed

	patience time.Duration
}

// feed sends events until the connection or the instance ends.
func (s *stream) feed(ctx context.Context) error {
	for {
		e, err := s.i.h.Next(ctx)
		if err != nil {
			return err
		}
		if err := s.send(e); err != nil {
			return err
		}
		if err := s.acknowledged(ctx, e.Seq); err != nil {
			return err
		}
	}
}

// send writes one event. Its limit is its own: the end of the reading would cut the connection before bye.
func (s *stream) send(e upos.Event) error {
	text, err := json.Marshal(encodeEvent(e))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, text)
}

// acknowledged waits for the client's word that it has dealt with the event.
func (s *stream) acknowledged(ctx context.Context, seq uint64) error {
	for s.acked.Load() < seq {
		select {
		case <-s.told:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// take is one acknowledgement. An older number, sent again after a lost connection, says nothing new; one of an event that
// was never delivered is errProtocol. It waits for nobody, so that the client is read on, and its answers to pings with it.
func (s *stream) take(ack uint64) error {
	switch err := s.i.ack(ack); {
	case errors.Is(err, upos.ErrClosed):
		return nil // feed says so
	case err != nil:
		return errProtocol
	}
	s.acked.Store(max(ack, s.acked.Load()))
	select {
	case s.told <- struct{}{}:
	default:
	}
	return nil
}

// receive reads what the client sends. Each message is a sign of life. It reads on until the connection is closed: the
// end of a reading's context would close it without a word.
func (s *stream) receive(ctx context.Context) {
	for {
		_, text, err := s.conn.Read(context.WithoutCancel(ctx))
		if err != nil {
			s.fail(err)
			return
		}
		s.i.touch()
		var m message
		if json.Unmarshal(text, &m) != nil || m.Ack == nil {
			s.fail(errProtocol)
			continue // bye is being said
		}
		if err := s.take(*m.Ack); err != nil {
			s.fail(err)
		}
	}
}

// ping finds out whether a quiet client is still there, and renews its lease if it is.
func (s *stream) ping(ctx context.Context) {
	every := time.NewTicker(min(maxPing, s.i.term()/3))
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience) // as in send
		err := s.conn.Ping(limit)
		cancel()
		if err != nil {
			s.fail(err)
			return
		}
		s.i.touch()
	}
}

package journalapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"coffer/internal/cash"
	"coffer/internal/journal"
)

// errEnded ends a stream whose client does not keep up, or whose ledger is being closed.
var errEnded = errors.New("the stream has ended: connect again with after=SEQ of the last row")

// stream answers GET /journal/v1/stream: a WebSocket that carries each row written from now on as one text message.
// With ?after=SEQ it begins with the rows after that one, so that a client that was cut off misses none. A client that
// lets too many rows wait is dropped; what a client sends is refused.
func (a *api) stream(w http.ResponseWriter, r *http.Request) {
	after, err := number(r, "after", -1, 0)
	if err != nil {
		writeError(w, err)
		return
	}
	rows, cancel := a.Ledger.Subscribe(a.outbox) // before the answer, so that nothing written after it is missed
	defer cancel()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{OriginPatterns: a.Origins})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow() //nolint:errcheck // the last resort after Close
	s := &sender{conn, a.patience, after}
	switch err := a.feed(conn.CloseRead(r.Context()), s, rows); {
	case errors.Is(err, errEnded):
		_ = conn.Close(websocket.StatusTryAgainLater, errEnded.Error())
	case errors.Is(err, cash.ErrJournal):
		_ = conn.Close(websocket.StatusInternalError, "the ledger cannot be read")
	}
}

// feed sends rows until the client leaves, is too slow, or the ledger ends.
func (a *api) feed(ctx context.Context, s *sender, rows <-chan cash.Entry) error {
	if s.last >= 0 {
		if err := a.catchUp(ctx, s); err != nil {
			return err
		}
	}
	ping := time.NewTicker(a.pingEvery)
	defer ping.Stop()
	for {
		select {
		case e, ok := <-rows:
			if !ok {
				return errEnded
			}
			if err := s.send(ctx, e); err != nil {
				return err
			}
		case <-ping.C:
			if err := s.ping(ctx); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// catchUp sends what is in the ledger after the last row that the client has.
func (a *api) catchUp(ctx context.Context, s *sender) error {
	for {
		rows, err := a.Ledger.Entries(ctx, s.last, maxLimit)
		if err != nil {
			return err
		}
		for _, e := range rows {
			if err := s.send(ctx, e); err != nil {
				return err
			}
		}
		if len(rows) < maxLimit {
			return nil
		}
	}
}

// sender writes to one client, each row once.
type sender struct {
	conn     *websocket.Conn
	patience time.Duration
	last     int64 // sequence number of the last row sent
}

func (s *sender) send(ctx context.Context, e cash.Entry) error {
	if e.Seq <= s.last {
		return nil // caught up with already
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	s.last = e.Seq
	return s.conn.Write(ctx, websocket.MessageText, journal.EncodeEntry(e))
}

func (s *sender) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	return s.conn.Ping(ctx)
}

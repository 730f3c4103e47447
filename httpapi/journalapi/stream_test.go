package journalapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gorilla/mux"

	"coffer/internal/cash"
	"coffer/internal/journal"
)

// serve starts a listener for a, and returns where its stream is.
func serve(t *testing.T, a *api) string {
	t.Helper()
	r := mux.NewRouter()
	r.HandleFunc("/journal/v1/stream", a.stream)
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	return "ws" + strings.TrimPrefix(s.URL, "http") + "/journal/v1/stream"
}

func streamOf(l Ledger) *api { return &api{Deps{Ledger: l}, time.Minute, time.Minute, 100} }

func dial(t *testing.T, url string) (context.Context, *websocket.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	c, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return ctx, c
}

// expect reads one message a row.
func expect(ctx context.Context, t *testing.T, c *websocket.Conn, rows []cash.Entry) {
	t.Helper()
	for _, e := range rows {
		kind, got, err := c.Read(ctx)
		if err != nil || kind != websocket.MessageText || string(got) != string(journal.EncodeEntry(e)) {
			t.Fatalf("%v %s, %v; want %s", kind, got, err, journal.EncodeEntry(e))
		}
	}
}

func TestStreamSendsWhatIsNew(t *testing.T) {
	j := newJournal(t)
	credits(t, j, 3)
	ctx, c := dial(t, serve(t, streamOf(j)))
	expect(ctx, t, c, credits(t, j, 2))
	expect(ctx, t, c, credits(t, j, 1))
}

func TestStreamCatchesUp(t *testing.T) {
	j := newJournal(t)
	old := credits(t, j, 2500)
	ctx, c := dial(t, serve(t, streamOf(j))+"?after=100")
	rows := append(old[100:], credits(t, j, 5)...)
	expect(ctx, t, c, rows)
}

func TestStreamEndsWithTheLedger(t *testing.T) {
	j := newJournal(t)
	ctx, c := dial(t, serve(t, streamOf(j)))
	rows := credits(t, j, 1)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	expect(ctx, t, c, rows)
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
		t.Errorf("after close: %v", err)
	}
}

func TestStreamRefusesWhatAClientSends(t *testing.T) {
	ctx, c := dial(t, serve(t, streamOf(newJournal(t))))
	if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("after a message: %v", err)
	}
}

func TestStreamFromAnotherPage(t *testing.T) {
	a := streamOf(newJournal(t))
	a.Origins = []string{"localhost:3000"}
	url := serve(t, a)
	for origin, want := range map[string]int{"http://evil.example": http.StatusForbidden, "http://localhost:3000": http.StatusSwitchingProtocols} {
		c, resp, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if resp == nil || resp.StatusCode != want {
			t.Errorf("%s: %v, %v", origin, resp, err)
		}
		if c != nil {
			_ = c.CloseNow()
		}
	}
}

// subscribed counts subscriptions that are open.
type subscribed struct {
	Ledger
	open atomic.Int32
	gone chan struct{}
}

func (s *subscribed) Subscribe(size int) (<-chan cash.Entry, func()) {
	rows, cancel := s.Ledger.Subscribe(size)
	s.open.Add(1)
	return rows, func() {
		cancel()
		if s.open.Add(-1) == 0 {
			close(s.gone)
		}
	}
}

// TestStreamDropsASlowClient: a client that does not read is given up, and holds up nobody.
func TestStreamDropsASlowClient(t *testing.T) {
	j := newJournal(t)
	s := &subscribed{Ledger: j, gone: make(chan struct{})}
	a := streamOf(s)
	a.patience = time.Millisecond
	_, c := dial(t, serve(t, a))
	_ = c // never read
	deadline := time.After(time.Minute)
	for {
		credits(t, j, 99)
		select {
		case <-s.gone:
			return
		case <-deadline:
			t.Fatal("the slow client is still served")
		default:
		}
	}
}

// TestStreamNoticesAClientThatIsGone: a quiet stream is tried by pings.
func TestStreamNoticesAClientThatIsGone(t *testing.T) {
	s := &subscribed{Ledger: newJournal(t), gone: make(chan struct{})}
	a := streamOf(s)
	a.pingEvery, a.patience = time.Millisecond, time.Millisecond
	dial(t, serve(t, a)) // a client that does not read does not answer pings
	select {
	case <-s.gone:
	case <-time.After(time.Minute):
		t.Fatal("the dead client is still served")
	}
}

func TestStreamAnswersPings(t *testing.T) {
	j := newJournal(t)
	a := streamOf(j)
	a.pingEvery = time.Millisecond
	ctx, c := dial(t, serve(t, a))
	ctx = c.CloseRead(ctx) // reads, and so answers pings
	for range 20 {
		if err := c.Ping(ctx); err != nil { // and is answered itself
			t.Fatal(err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil && !errors.Is(err, context.Canceled) && websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Error(err)
	}
}

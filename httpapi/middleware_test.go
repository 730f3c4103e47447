package httpapi

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
)

func mute() *logrus.Logger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}

// TestTooLargeInTheFormOfADialect: a dialect words its own 413, others get text.
func TestTooLargeInTheFormOfADialect(t *testing.T) {
	own := func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/mine") {
			return false
		}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = w.Write([]byte("{}"))
		return true
	}
	h := Wrap(Listen{TooLarge: own}, http.NotFoundHandler(), mute())
	for path, want := range map[string]string{"/mine": "{}", "/other": "Request body is larger than 1 MB"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", path, strings.NewReader(strings.Repeat("x", MaxBody+1))))
		if w.Code != http.StatusRequestEntityTooLarge || w.Body.String() != want {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
}

// brokenWriter is an answer that nobody takes.
type brokenWriter struct{ http.ResponseWriter }

func (brokenWriter) FlushError() error { return net.ErrClosed }

// TestFlushTellsOfABrokenConnection: whoever must know whether an answer left learns it through all wrappings.
func TestFlushTellsOfABrokenConnection(t *testing.T) {
	var got error
	h := Wrap(Listen{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		got = http.NewResponseController(w).Flush()
	}), mute())
	h.ServeHTTP(brokenWriter{httptest.NewRecorder()}, httptest.NewRequest("GET", "/", nil))
	if !errors.Is(got, net.ErrClosed) {
		t.Errorf("flush: %v", got)
	}
}

// TestLongHeaders: more than 32 KiB of headers are refused before anything is done.
func TestLongHeaders(t *testing.T) {
	s := New(Listen{Name: "test", Addr: "127.0.0.1:0"}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("it came through")
	}), mute())
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Run(t.Context()) }()
	c, err := net.DialTimeout("tcp", s.Addr(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 64<<10)+"\r\n\r\n")
	}()
	b := make([]byte, 12)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "HTTP/1.1 431" {
		t.Errorf("%q %v", b, err)
	}
}

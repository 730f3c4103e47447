package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func quiet() *logrus.Logger {
	l := logrus.New()
	l.SetOutput(io.Discard)
	return l
}

// run starts a server of h on a free port and stops it when the test ends.
func run(t *testing.T, cfg Listen, h http.Handler) *Server {
	t.Helper()
	cfg.Addr = "127.0.0.1:0"
	s := New(cfg, h, quiet())
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Ready()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

func TestServerServesAndStops(t *testing.T) {
	s := run(t, Listen{Name: "test"}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !OnLoopback(r) || RequestID(r.Context()) == "" {
			t.Error("a loopback listener and a request id are expected")
		}
		Text(w, 200, "hello")
	}))
	resp, err := http.Get(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if string(body) != "hello" || resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" || resp.Header.Get("X-Request-Id") == "" {
		t.Errorf("%q %v", body, resp.Header)
	}
}

func TestServerSaysWhyItCannotListen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := New(Listen{Name: "taken", Addr: l.Addr().String()}, http.NotFoundHandler(), quiet())
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "listener taken") {
		t.Errorf("error %v, want one that names the listener", err)
	}
	if s.Addr() != "" || s.URL() != "" {
		t.Error("an address without a socket")
	}
}

func TestStopWakesSlowHandlers(t *testing.T) {
	entered := make(chan struct{})
	s := New(Listen{Name: "slow", Addr: "127.0.0.1:0"}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}), quiet())
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		if resp, err := http.Get(s.URL()); err == nil {
			resp.Body.Close()
		}
	}()
	<-entered
	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(closeTimeout + time.Minute):
		t.Fatal("the server did not stop")
	}
	<-answered
	http.DefaultClient.CloseIdleConnections()
}

// TestLargeBodyGetsItsAnswer sends 10 MB over a real connection, with and without a length: the client must be able to
// read the 413 although nobody wants what it sends.
func TestLargeBodyGetsItsAnswer(t *testing.T) {
	s := run(t, Listen{Name: "large"}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); errors.As(err, new(*http.MaxBytesError)) {
			BodyTooLarge(w, r)
			return
		}
		t.Error("the body was read to its end")
	}))
	huge := make([]byte, 10<<20)
	for _, body := range []io.Reader{bytes.NewReader(huge), io.MultiReader(bytes.NewReader(huge))} { // the second is chunked
		resp, err := http.Post(s.URL(), "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge || len(text) == 0 {
			t.Errorf("%d %q", resp.StatusCode, text)
		}
	}
}

func serve(cfg Listen, h http.HandlerFunc, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	Wrap(cfg, h, quiet()).ServeHTTP(w, r)
	return w
}

func TestCORS(t *testing.T) {
	cfg := Listen{AllowedOrigins: []string{"http://localhost:3000"}}
	hello := func(w http.ResponseWriter, _ *http.Request) { Text(w, 200, "hello") }
	tests := []struct {
		name, method, origin string
		cfg                  Listen
		status               int
		allowed              string
	}{
		{"preflight", "OPTIONS", "http://localhost:3000", cfg, 204, "http://localhost:3000"},
		{"request", "GET", "http://localhost:3000", cfg, 200, "http://localhost:3000"},
		{"any origin", "OPTIONS", "http://shop.example", Listen{AllowedOrigins: []string{"*"}}, 204, "http://shop.example"},
		{"other origin", "OPTIONS", "http://evil.example", cfg, 200, ""},
		{"no origins", "OPTIONS", "http://localhost:3000", Listen{}, 200, ""},
		{"no browser", "GET", "", cfg, 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "/api/CashDevice/OpenConnection", nil)
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
				r.Header.Set("Access-Control-Request-Method", "POST")
				r.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
			}
			w := serve(tt.cfg, hello, r)
			if w.Code != tt.status || w.Header().Get("Access-Control-Allow-Origin") != tt.allowed {
				t.Errorf("%d %v", w.Code, w.Header())
			}
			if tt.status == 204 && (w.Header().Get("Access-Control-Allow-Headers") != "authorization,content-type" ||
				!strings.Contains(w.Header().Get("Access-Control-Allow-Methods"), "POST")) {
				t.Errorf("preflight %v", w.Header())
			}
		})
	}
}

func TestPanicBecomes500(t *testing.T) {
	w := serve(Listen{}, func(http.ResponseWriter, *http.Request) { panic("bug") }, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 || !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	w = serve(Listen{}, func(w http.ResponseWriter, _ *http.Request) {
		Text(w, 200, "half")
		panic("bug")
	}, httptest.NewRequest("GET", "/", nil))
	if w.Code != 200 || w.Body.String() != "half" {
		t.Errorf("an answer that was begun was changed: %d %q", w.Code, w.Body)
	}
}

func TestRequestID(t *testing.T) {
	for given, want := range map[string]string{"abc-1": "abc-1", "a b": "", strings.Repeat("x", 65): "", "": ""} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-Request-Id", given)
		got := serve(Listen{}, func(w http.ResponseWriter, r *http.Request) { Text(w, 200, RequestID(r.Context())) }, r).Body.String()
		if (want != "" && got != want) || (want == "" && len(got) != 16) {
			t.Errorf("given %q, the id is %q", given, got)
		}
	}
}

func TestAccessLog(t *testing.T) {
	var out bytes.Buffer
	log := logrus.New()
	log.SetOutput(&out)
	log.SetFormatter(&logrus.JSONFormatter{})
	h := Wrap(Listen{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { Text(w, 404, "no") }), log)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/x?token=secret", nil))
	line := out.String()
	for _, want := range []string{`"path":"/x"`, `"status":404`, `"method":"GET"`, `"request":"`, `"bytes":2`} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	if strings.Contains(line, "secret") {
		t.Error("the query is logged")
	}
	out.Reset()
	ok := Wrap(Listen{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { Text(w, 200, "yes") }), log)
	ok.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil))
	if out.Len() != 0 {
		t.Error("a good answer is logged above debug level")
	}
}

func TestRouter(t *testing.T) {
	r := NewRouter()
	r.HandleFunc("/a", func(w http.ResponseWriter, _ *http.Request) { Text(w, 200, "a") }).Methods("GET")
	for _, tt := range []struct {
		method, path string
		status       int
	}{{"GET", "/a", 200}, {"POST", "/a", 405}, {"GET", "/b", 404}, {"POST", "/a//1", 404}} {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
		if w.Code != tt.status || w.Body.Len() == 0 {
			t.Errorf("%s %s: %d %q", tt.method, tt.path, w.Code, w.Body)
		}
	}
}

func TestURLCanBeDialled(t *testing.T) {
	for addr, want := range map[string]string{
		"[::]:8480": "127.0.0.1:8480", "0.0.0.0:5000": "127.0.0.1:5000", "127.0.0.1:1": "127.0.0.1:1",
		"10.0.0.7:80": "10.0.0.7:80", "": "",
	} {
		if got := dialable(addr); got != want {
			t.Errorf("%q: %q, want %q", addr, got, want)
		}
	}
}

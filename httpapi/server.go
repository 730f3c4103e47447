package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"
	"github.com/sirupsen/logrus"
)

// MaxBody is the largest request body in bytes; a longer one is answered 413 before anything is done.
const MaxBody = 1 << 20

// maxHeader is how many bytes of request line and header are read; a longer one is answered 431.
const maxHeader = 32 << 10

// Limits of every listener. A handler may take as long as it needs (an OpenConnection 30 s, a SmartEmpty minutes); what
// is limited is how slowly a client may send and read.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 30 * time.Second // for each write of an answer
	idleTimeout   = 2 * time.Minute
	closeTimeout  = 5 * time.Second
)

// Listen is the configuration of one listener.
type Listen struct {
	Name           string      // for the log: "cashdevice"
	Addr           string      // host:port; port 0 takes a free one
	AllowedOrigins []string    // origins of browser programs; "*" is any, empty is none
	TLS            *tls.Config // nil is plain HTTP
	// TooLarge answers 413 to a request whose body is too long, in the form of the dialect that its path belongs to. It
	// returns false, and does nothing, for other paths, which get plain text. nil is plain text everywhere.
	TooLarge func(w http.ResponseWriter, r *http.Request) bool
}

// Server is one listener with everything that wraps a dialect: body limit, request ids, access log, CORS, panic guard,
// timeouts. Its life is Listen, Run.
type Server struct {
	cfg     Listen
	http    *http.Server
	log     logrus.FieldLogger
	mu      sync.Mutex
	socket  net.Listener
	serving chan struct{}
}

// New returns a server of handler. Nothing is opened yet.
func New(cfg Listen, handler http.Handler, log logrus.FieldLogger) *Server {
	s := &Server{cfg: cfg, log: log.WithField("listener", cfg.Name), serving: make(chan struct{})}
	s.http = &http.Server{
		Handler:           Wrap(cfg, handler, s.log),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       s.mark,
		ErrorLog:          stdlog.New(debugLog{s.log}, "", 0), // what clients do wrong, TLS handshakes for one
	}
	return s
}

// debugLog is a writer whose lines go to the log at debug level.
type debugLog struct{ log logrus.FieldLogger }

func (d debugLog) Write(line []byte) (int, error) {
	d.log.Debug(strings.TrimSpace(string(line)))
	return len(line), nil
}

// Listen takes the address. After it Addr is known and connections queue up until Run. Listening twice does nothing.
func (s *Server) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket != nil {
		return nil
	}
	l, err := net.Listen("tcp", s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("listener %s: %w; end what listens there, or choose another address in the configuration", s.cfg.Name, err)
	}
	if s.cfg.TLS != nil {
		l = tls.NewListener(l, s.cfg.TLS)
	}
	s.socket = l
	return nil
}

// Addr returns the address in force ("127.0.0.1:5000"), "" before Listen.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket == nil {
		return ""
	}
	return s.socket.Addr().String()
}

// URL returns the base address for clients ("http://127.0.0.1:5000"), "" before Listen.
func (s *Server) URL() string {
	switch a := dialable(s.Addr()); {
	case a == "":
		return ""
	case s.cfg.TLS != nil:
		return "https://" + a
	default:
		return "http://" + a
	}
}

// dialable names loopback where a listener is bound to every address: not every system can dial 0.0.0.0 or [::].
func dialable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// Run serves until ctx ends, then refuses new connections, lets running requests end for 5 s and closes the rest. It
// calls Listen where that was not done. The error is nil after a stop by ctx.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Listen(); err != nil {
		return err
	}
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	s.http.BaseContext = func(net.Listener) context.Context { return requests }
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, end := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer end()
		time.AfterFunc(closeTimeout/2, cancel) // wakes handlers that wait on their request
		if s.http.Shutdown(grace) != nil {
			_ = s.http.Close()
		}
	})
	close(s.serving)
	err := s.http.Serve(s.socket)
	if stop() { // the server ended by itself
		return fmt.Errorf("listener %s: %w", s.cfg.Name, err)
	}
	<-stopped
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Close gives the address back where Run was never called; after Run it does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket == nil {
		return nil
	}
	if err := s.socket.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Ready is closed once Run accepts connections.
func (s *Server) Ready() <-chan struct{} { return s.serving }

// String names the server in logs.
func (s *Server) String() string { return "listener " + s.cfg.Name }

type contextKey int

const (
	keyLoopback contextKey = iota
	keyRequestID
	keyUser
	keyBody
)

// mark notes on each connection whether its listener is bound to a loopback address only.
func (s *Server) mark(ctx context.Context, _ net.Conn) context.Context {
	host, _, err := net.SplitHostPort(s.Addr())
	ip := net.ParseIP(host)
	return context.WithValue(ctx, keyLoopback, err == nil && ip != nil && ip.IsLoopback())
}

// OnLoopback says whether r came in by a listener that is bound to a loopback address only. Default passwords are good
// there and nowhere else. A request that came by no Server counts as local (tests, in-process callers).
func OnLoopback(r *http.Request) bool {
	on, known := r.Context().Value(keyLoopback).(bool)
	return on || !known
}

// NewRouter returns a router as every listener needs it: paths are taken as they are sent (encoded, with doubled
// slashes), and 404 and 405 are clean answers with a body.
func NewRouter() *mux.Router {
	r := mux.NewRouter().SkipClean(true).UseEncodedPath()
	r.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		Text(w, http.StatusNotFound, "Not found")
	})
	r.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		Text(w, http.StatusMethodNotAllowed, "Method not allowed")
	})
	return r
}

// Text answers with plain text, without a line end.
func Text(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

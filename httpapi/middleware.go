package httpapi

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
)

// maxDrain is how much of a body that is too long is read and thrown away, so that the client, which is still sending,
// gets to read the answer.
const maxDrain = 64 << 20

// Wrap puts what every request goes through around h, outermost first: request id and access log, panic guard, CORS,
// body limit. It wraps the router from outside because mux runs no middleware for 404 and 405.
func Wrap(cfg Listen, h http.Handler, log logrus.FieldLogger) http.Handler {
	h = limitBody(cfg.TooLarge, h)
	h = allowOrigins(cfg.AllowedOrigins, h)
	h = guard(h, log)
	return record(h, log)
}

// RequestID returns the id of the request that ctx belongs to, "" outside one. The answer carries it as X-Request-Id.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(keyRequestID).(string)
	return id
}

// record gives the request its id and logs it once it is answered: at debug level where all went well, since clients
// poll five times a second, else at info, and at warning for a 5xx. "Not ready" is an answer that monitoring asks for
// again and again; what it is about was logged where it happened.
func record(next http.Handler, log logrus.FieldLogger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := requestID(r)
		w.Header().Set("X-Request-Id", id)
		rec := &recorder{ResponseWriter: w}
		start := time.Now()
		defer func() {
			level := logrus.DebugLevel
			switch {
			case rec.status == http.StatusServiceUnavailable && r.URL.Path == "/readyz":
			case rec.status >= 500:
				level = logrus.WarnLevel
			case rec.status >= 400:
				level = logrus.InfoLevel
			}
			if !enabled(log, level) {
				return
			}
			log.WithFields(logrus.Fields{
				"request": id, "method": r.Method, "path": r.URL.Path, "status": rec.status, "bytes": rec.bytes,
				"remote": r.RemoteAddr, "duration_ms": time.Since(start).Milliseconds(),
			}).Log(level, "request")
		}()
		next.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), keyRequestID, id)))
	})
}

// enabled says whether log takes lines of level, so that fields are built only then.
func enabled(log logrus.FieldLogger, level logrus.Level) bool {
	l, ok := log.(interface{ IsLevelEnabled(logrus.Level) bool })
	if e, entry := log.(*logrus.Entry); entry {
		l, ok = e.Logger, true
	}
	return !ok || l.IsLevelEnabled(level)
}

// requestID takes the caller's X-Request-Id where it is short and printable, else makes one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	odd := func(c rune) bool { return c <= ' ' || c > '~' }
	if id != "" && len(id) <= 64 && !strings.ContainsFunc(id, odd) {
		return id
	}
	var b [8]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// guard turns a panic into a 500 and a log line with the stack; the process lives on. A dialect that has a form of its
// own for a 500 catches before.
func guard(next http.Handler, log logrus.FieldLogger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			log.WithFields(logrus.Fields{"request": RequestID(r.Context()), "path": r.URL.Path, "err": p, "stack": string(debug.Stack())}).
				Error("panic in a handler")
			if rec, ok := w.(*recorder); !ok || rec.status == 0 {
				Text(w, http.StatusInternalServerError, "Internal error, see the log for request "+RequestID(r.Context()))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// allowOrigins answers CORS preflights and marks answers for the listed origins. Others get no CORS header, so that
// browsers refuse them.
func allowOrigins(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		h := w.Header()
		h.Add("Vary", "Origin")
		if origin == "" || !slices.ContainsFunc(origins, func(o string) bool { return o == "*" || strings.EqualFold(o, origin) }) {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "X-Error-Reason, X-Request-Id, Retry-After, WWW-Authenticate")
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		headers := r.Header.Get("Access-Control-Request-Headers")
		if headers == "" {
			headers = "Authorization, Content-Type"
		}
		h.Set("Access-Control-Allow-Headers", headers)
		h.Set("Access-Control-Max-Age", "600")
		if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
			h.Set("Access-Control-Allow-Private-Network", "true")
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// limitBody answers 413 to a body that says it is longer than MaxBody, and makes reading fail with *http.MaxBytesError
// in one that turns out to be. tooLarge words the answer where the path belongs to a dialect with a form of its own.
func limitBody(tooLarge func(http.ResponseWriter, *http.Request) bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > MaxBody {
			drain(r.Body)
			if tooLarge == nil || !tooLarge(w, r) {
				TooLarge(w, nil)
			}
			return
		}
		if r.Body != nil && r.Body != http.NoBody {
			body := r.Body
			r.Body = struct {
				io.Reader
				io.Closer
			}{http.MaxBytesReader(nil, body, MaxBody), body}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), keyBody, body)))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// BodyTooLarge is TooLarge for a handler whose reading of r.Body met an *http.MaxBytesError.
func BodyTooLarge(w http.ResponseWriter, r *http.Request) {
	body, _ := r.Context().Value(keyBody).(io.Reader)
	TooLarge(w, body)
}

// DrainBody reads what is left of a body that was too long, for a dialect that words its 413 itself.
func DrainBody(r *http.Request) {
	if body, ok := r.Context().Value(keyBody).(io.Reader); ok {
		drain(body)
	}
}

// drain reads the rest of body within bounds.
func drain(body io.Reader) { _, _ = io.CopyN(io.Discard, body, maxDrain) }

// TooLarge reads the rest of body (nil for none) within bounds and answers 413.
func TooLarge(w http.ResponseWriter, body io.Reader) {
	if body != nil {
		drain(body)
	}
	Text(w, http.StatusRequestEntityTooLarge, "Request body is larger than 1 MB")
}

// recorder notes status and length of an answer, and bounds the time of each write.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 || w.status < 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	// An error means that the writer under us has no deadlines (a test's recorder).
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTimeout))
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack hands the connection over, for WebSockets.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Flush sends what was written so far.
func (w *recorder) Flush() { _ = w.FlushError() }

// FlushError is Flush for callers that must know whether what they wrote has left this process.
func (w *recorder) FlushError() error { return http.NewResponseController(w.ResponseWriter).Flush() }

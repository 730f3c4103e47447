package uposapi

import (
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/mux"
	"github.com/sirupsen/logrus"

	"coffer/httpapi"
	"coffer/upos"
)

// DefaultLease is how long an instance lives that nobody uses, unless its device says otherwise.
const DefaultLease = 60 * time.Second

// maxInstances bounds what callers may have open at a time, all of them together.
const maxInstances = 1000

// Deps is what the API needs.
type Deps struct {
	Service *upos.Service
	Lease   map[string]time.Duration // by device name; DefaultLease for one that is not in it or 0
	Log     logrus.FieldLogger
}

// API is the open instances. They belong to no listener: each that serves the API reaches all of its user.
type API struct {
	Deps
	patience time.Duration // with the client of a stream

	mu     sync.Mutex
	open   map[string]*instance // by id
	closed bool
	ending sync.WaitGroup // instances that are being ended
}

// New returns an API without open instances.
func New(d Deps) *API { return &API{Deps: d, patience: defaultPatience, open: map[string]*instance{}} }

// Close ends every instance as if its lease had: deposits are settled, claims released, streams closed. It returns when
// that is done. Nothing can be opened afterwards.
func (a *API) Close() {
	a.mu.Lock()
	a.closed = true
	all := make([]*instance, 0, len(a.open))
	for _, i := range a.open {
		all = append(all, i)
	}
	a.mu.Unlock()
	for _, i := range all {
		a.ending.Go(func() { a.end(i, "coffer stops") })
	}
	a.ending.Wait()
}

// site is the API as one listener serves it.
type site struct {
	*API
	tokens  *httpapi.Tokens
	origins []string
}

// Register adds /upos/v1/… to r. Every call but that for the example page needs a Bearer token of tokens. Pages of
// origins, beside the listener's own, may open the stream of events from a browser.
func (a *API) Register(r *mux.Router, tokens *httpapi.Tokens, origins []string) {
	s := &site{a, tokens, origins}
	r.HandleFunc(root+"/example", example).Methods(http.MethodGet, http.MethodHead)
	inner := httpapi.NewRouter()
	inner.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeFault(w, http.StatusNotFound, "no such path; /openapi/upos.yaml lists them")
	})
	inner.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeFault(w, http.StatusMethodNotAllowed, "this path does not take that HTTP method; /openapi/upos.yaml lists them")
	})
	for _, e := range []struct {
		method, path string
		serve        func(*call) error
	}{
		{http.MethodGet, "/devices", (*call).devices},
		{http.MethodGet, "/handles", (*call).list},
		{http.MethodPost, "/handles", (*call).open},
		{http.MethodGet, "/handles/{handle}", (*call).show},
		{http.MethodDelete, "/handles/{handle}", (*call).drop},
		{http.MethodGet, "/handles/{handle}/properties", (*call).properties},
		{http.MethodGet, "/handles/{handle}/properties/{name}", (*call).get},
		{http.MethodPut, "/handles/{handle}/properties/{name}", (*call).set},
		{http.MethodPost, "/handles/{handle}/methods/{name}", (*call).invoke},
		{http.MethodGet, "/handles/{handle}/events", (*call).events},
	} {
		inner.HandleFunc(root+e.path, s.handler(e.serve)).Methods(e.method)
	}
	r.PathPrefix(root).Handler(s.authorized(inner))
}

// root is where the API is.
const root = "/upos/v1"

// call is one request.
type call struct {
	*site
	w    http.ResponseWriter
	r    *http.Request
	user string
}

func (s *site) handler(serve func(*call) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{s, w, r, httpapi.User(r.Context())}
		if err := serve(c); err != nil {
			c.refuse(err)
		}
	}
}

// authorized lets requests with a good token through. A browser cannot put a header on a WebSocket, so that a token may
// come as a subprotocol there.
func (s *site) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := protocolToken(r); token != "" && r.Header.Get("Authorization") == "" {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+token)
		}
		if r, ok := httpapi.Authorize(s.tokens, w, r); ok {
			next.ServeHTTP(w, r)
		}
	})
}

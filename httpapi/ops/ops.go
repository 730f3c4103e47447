package ops

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/gorilla/mux"

	"coffer/devices"
	"coffer/devices/line"
	"coffer/httpapi"
	"coffer/internal/cash"
)

// Station is what is shown of the machines. *devices.Station satisfies it.
type Station interface {
	Lines() []devices.LineStatus
	Trace(port string) (*line.Line, bool)
}

// Deps is what the routes need.
type Deps struct {
	Station   Station
	Balance   func(ctx context.Context) ([]cash.BalanceRow, error) // what the ledger says is in the machines
	Ready     func(ctx context.Context) (reasons []string)         // why work should not come yet; empty: it may
	Tokens    *httpapi.Tokens                                      // guards /devices/v1
	Documents []Document                                           // of the APIs that are served
	Version   string
	DataDir   string // told to callers on this machine alone, so that its commands find the ledger and the secret
	Started   time.Time
	Now       func() time.Time
}

// checkTimeout bounds what /readyz and /metrics ask of the ledger, so that a stuck disk does not hang those who watch.
const checkTimeout = 3 * time.Second

// Register adds the routes to r.
func Register(r *mux.Router, d Deps) {
	a := &api{d}
	get := []string{http.MethodGet, http.MethodHead}
	r.HandleFunc("/healthz", a.health).Methods(get...)
	r.HandleFunc("/readyz", a.ready).Methods(get...)
	r.Handle("/metrics", a.metrics()).Methods(get...)
	r.HandleFunc("/openapi", a.index).Methods(get...)
	r.HandleFunc("/openapi/", a.index).Methods(get...)
	r.HandleFunc("/openapi/{document}", a.document).Methods(get...)
	r.Handle("/devices/v1", httpapi.RequireBearer(d.Tokens, http.HandlerFunc(a.devices))).Methods(get...)
	r.Handle("/devices/v1/trace", httpapi.RequireBearer(d.Tokens, http.HandlerFunc(a.trace))).Methods(http.MethodGet)
}

type api struct{ Deps }

// health answers 200 for as long as the process answers at all.
func (a *api) health(w http.ResponseWriter, r *http.Request) {
	out := map[string]any{
		"status": "ok", "version": a.Version, "pid": os.Getpid(), "uptime_s": int64(a.Now().Sub(a.Started).Seconds()),
	}
	if local(r) {
		out["data_dir"] = a.DataDir
	}
	answer(w, http.StatusOK, out)
}

// ready answers 200 when the ledger takes writes, the listeners accept and every configured device was tried once, and
// 503 with the reasons otherwise.
func (a *api) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	reasons := a.Ready(ctx)
	if len(reasons) > 0 {
		answer(w, http.StatusServiceUnavailable, map[string]any{"ready": false, "reasons": reasons})
		return
	}
	answer(w, http.StatusOK, map[string]any{"ready": true})
}

// local says whether the caller is on this machine.
func local(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

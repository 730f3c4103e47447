package simapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"coffer/devices/sim"
)

// Register adds the paths under /sim/v1 to r, which must have UseEncodedPath set: the port in a path is one
// percent-encoded segment.
func Register(r *mux.Router, w *sim.World) {
	a := &api{world: w}
	s := r.PathPrefix("/sim/v1").Subrouter().UseEncodedPath()
	const machine = "/machines/{port}/{address}"
	for path, m := range map[string]methods{
		"/machines":         {http.MethodGet: a.machines},
		"/speed":            {http.MethodGet: a.speed, http.MethodPut: a.setSpeed},
		"/inserts/{id}":     {http.MethodGet: a.insertState},
		machine:             {http.MethodGet: a.truth},
		machine + "/insert": {http.MethodPost: a.insert},
		machine + "/fault":  {http.MethodPost: a.fault},
		machine + "/levels": {http.MethodPost: a.setLevel},
		machine + "/take":   {http.MethodPost: a.take},
	} {
		s.Handle(path, m)
	}
	s.NotFoundHandler = methods{}
}

type api struct{ world *sim.World }

// handler returns what to answer as JSON with status, or nothing for 204.
type handler func(r *http.Request) (status int, body any, err error)

// methods is one path: what to do by HTTP method. HEAD is GET without a body; a path without any is unknown.
type methods map[string]handler

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	h := m[method]
	switch {
	case !loopback(r.RemoteAddr):
		answer(w, http.StatusForbidden, failure{"the simulator answers callers on this machine only"})
		return
	case len(m) == 0:
		answer(w, http.StatusNotFound, failure{"no such path under /sim/v1"})
		return
	case h == nil:
		w.Header().Set("Allow", strings.Join(slices.Sorted(maps.Keys(m)), ", "))
		answer(w, http.StatusMethodNotAllowed, failure{"this path does not take " + r.Method})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	status, body, err := h(r)
	if err != nil {
		status, body = statusOf(err), failure{err.Error()}
	}
	answer(w, status, body)
}

const maxBody = 1 << 20

type failure struct {
	Error string `json:"error"`
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Cache-Control", "no-store")
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller may be gone
}

func statusOf(err error) int {
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, sim.ErrUnknown):
		return http.StatusNotFound
	case errors.Is(err, sim.ErrRefused):
		return http.StatusConflict
	}
	return http.StatusBadRequest
}

func loopback(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// machine finds the machine that the path names.
func (a *api) machine(r *http.Request) (*sim.Machine, error) {
	v := mux.Vars(r)
	port, err := url.PathUnescape(v["port"])
	if err != nil {
		return nil, fmt.Errorf("%w: port %q", sim.ErrInvalid, v["port"])
	}
	address, err := strconv.ParseUint(v["address"], 10, 7)
	if err == nil {
		if m, ok := a.world.Machine(port, int(address)); ok {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%w: no machine at %s address %s; GET /sim/v1/machines lists them", sim.ErrUnknown, port, v["address"])
}

// decode reads exactly one JSON object, every member of which must be known.
func decode(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: body: %w", sim.ErrInvalid, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: body: something follows the JSON object", sim.ErrInvalid)
	}
	return nil
}

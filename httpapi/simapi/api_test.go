package simapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"coffer/devices/sim"
)

// newAPI serves a world with a recycler on COM5 and a coin system on a port whose name needs encoding.
func newAPI(t *testing.T) http.Handler {
	t.Helper()
	w := sim.NewWorld(t.Logf)
	t.Cleanup(func() { w.Close() })
	if _, err := w.AddLine("COM5").AddMachine(0, "spectral-payout", sim.Options{Levels: map[int64]int{500: 4}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddLine("/dev/coins").AddMachine(16, "scs", sim.Options{Currency: "GBP"}); err != nil {
		t.Fatal(err)
	}
	r := mux.NewRouter().UseEncodedPath()
	Register(r, w)
	return r
}

// call sends one request from a remote address and returns the answer.
func call(h http.Handler, remote, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = remote
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const here = "127.0.0.1:50000"

func TestAnswers(t *testing.T) {
	const recycler, coins = "/sim/v1/machines/COM5/0", "/sim/v1/machines/%2Fdev%2Fcoins/16"
	steps := []struct {
		method, path, body string
		status             int
		has                string // in the answer
	}{
		{"GET", "/sim/v1/machines", "", 200,
			`[{"port":"COM5","address":0,"profile":"spectral-payout"},{"port":"/dev/coins","address":16,"profile":"scs"}]`},
		{"GET", recycler, "", 200, `"start":[{"value":500,"currency":"EUR","count":4},`},
		{"GET", recycler, "", 200, `"power":true,"plugged":true,"enabled":false,"moving":false,`},
		{"GET", coins, "", 200, `"port":"/dev/coins","address":16,"profile":"scs"`},
		{"GET", "/sim/v1/machines/COM5/1", "", 404, `{"error":`},
		{"GET", "/sim/v1/machines/COM6/0", "", 404, `{"error":`},
		{"GET", "/sim/v1/machines/COM5/x", "", 404, `{"error":`},

		{"GET", "/sim/v1/moon", "", 404, `{"error":`},
		{"GET", recycler + "/insert", "", 405, `{"error":`},
		{"POST", recycler + "/insert", `{"value":500,"currency":"EUR","count":1}`, 202, `{"id":"ins-000001"}`},
		{"GET", "/sim/v1/inserts/ins-000001", "", 200, `{"id":"ins-000001","state":"returned","wire_at":{}}`},
		{"GET", "/sim/v1/inserts/ins-999999", "", 404, `{"error":`},
		{"GET", recycler, "", 200, `"returned":[{"value":500,"currency":"EUR","count":1},`},
		{"POST", recycler + "/insert", `{"value":0,"currency":"EUR"}`, 400, `{"error":`},
		{"POST", recycler + "/insert", `{"value":500,"currency":"EUR","count":0}`, 400, `{"error":`},
		{"POST", recycler + "/insert", `{"value":500,"currency":"EUR","count":-1}`, 400, `{"error":`},
		{"POST", recycler + "/insert", `{"value":5.5,"currency":"EUR"}`, 400, `{"error":`},
		{"POST", recycler + "/insert", `{"value":500,"currency":"EUR","colour":"red"}`, 400, `colour`},
		{"POST", recycler + "/insert", `{"value":500,"currency":"EUR"}{}`, 400, `{"error":`},
		{"POST", recycler + "/insert", ``, 400, `{"error":`},
		{"POST", recycler + "/insert", `{"fraud":true}`, 202, `{"id":`},
		{"POST", coins + "/insert", `{"barcode":"123456"}`, 400, `{"error":`},
		{"POST", "/sim/v1/machines/COM6/0/insert", `nonsense`, 404, `{"error":`},

		{"POST", recycler + "/fault", `{"kind":"unplug"}`, 204, ""},
		{"POST", recycler + "/fault", `{"kind":"unplug"}`, 204, ""},
		{"POST", recycler + "/insert", `{"value":500,"currency":"EUR"}`, 409, `{"error":`},
		{"GET", recycler, "", 200, `"plugged":false`},
		{"POST", recycler + "/fault", `{"kind":"plug"}`, 204, ""},
		{"POST", recycler + "/fault", `{"kind":"power_off"}`, 204, ""},
		{"POST", recycler + "/insert", `{"value":500,"currency":"EUR"}`, 409, `{"error":`},
		{"GET", recycler, "", 200, `"power":false`},
		{"POST", recycler + "/fault", `{"kind":"earthquake"}`, 400, `earthquake`},
		{"POST", recycler + "/fault", `{"kind":"bit_flips","rate":2}`, 400, `{"error":`},
		{"POST", recycler + "/fault", `{"kind":"bit_flips","rate":0.01,"for_ms":100}`, 204, ""},

		{"POST", recycler + "/levels", `{"value":500,"currency":"EUR","count":10}`, 204, ""},
		{"GET", recycler, "", 200, `"payout":[{"value":500,"currency":"EUR","count":10},`},
		{"POST", recycler + "/levels", `{"value":500,"currency":"EUR"}`, 400, `{"error":`},
		{"POST", recycler + "/levels", `{"value":300,"currency":"EUR","count":1}`, 400, `{"error":`},
		{"POST", recycler + "/levels", `{"value":500,"currency":"EUR","count":5000}`, 400, `{"error":`},
		{"POST", recycler + "/take", "", 409, `{"error":`},

		{"GET", "/sim/v1/speed", "", 200, `{"factor":1}`},
		{"PUT", "/sim/v1/speed", `{"factor":20}`, 204, ""},
		{"GET", "/sim/v1/speed", "", 200, `{"factor":20}`},
		{"PUT", "/sim/v1/speed", `{"factor":1001}`, 400, `{"error":`},
		{"PUT", "/sim/v1/speed", `{}`, 400, `{"error":`},
		{"PUT", "/sim/v1/speed", strings.Repeat(" ", 2<<20), 413, `{"error":`},
	}
	h := newAPI(t)
	for i, s := range steps {
		w := call(h, here, s.method, s.path, s.body)
		if w.Code != s.status || !strings.Contains(w.Body.String(), s.has) {
			t.Errorf("step %d: %s %s %s: %d %s; want %d %s", i, s.method, s.path, s.body, w.Code, w.Body, s.status, s.has)
		}
		if s.status == 204 && w.Body.Len() > 0 {
			t.Errorf("step %d: 204 with a body", i)
		}
		if s.status != 204 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("step %d: no JSON: %s", i, w.Body)
		}
	}
}

func TestStrangers(t *testing.T) {
	h := newAPI(t)
	for remote, status := range map[string]int{
		"127.0.0.1:1": 200, "[::1]:1": 200, "127.8.9.1:1": 200,
		"10.0.0.9:1": 403, "[2001:db8::1]:1": 403, "somewhere": 403, "": 403,
	} {
		if w := call(h, remote, "GET", "/sim/v1/machines", ""); w.Code != status {
			t.Errorf("from %q: %d, want %d", remote, w.Code, status)
		}
	}
}

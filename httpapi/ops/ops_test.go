package ops

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/devices/line"
	"coffer/httpapi"
	"coffer/internal/cash"
)

// machine is a device of which only the picture is asked.
type machine struct {
	devices.Device
	pic devices.Snapshot
}

func (m machine) Snapshot() *devices.Snapshot { return &m.pic }

// station is one line with two machines, one of them never identified.
type station struct{ line *line.Line }

func (s station) Lines() []devices.LineStatus {
	note := cash.Denom{Value: 2000, Currency: "EUR"}
	return []devices.LineStatus{{
		Port: "COM5", Link: "/dev/ttyS0", State: line.State{Open: true, Exchanges: 7, CRCErrors: 1, Err: errors.New("was lost")},
		Devices: []devices.Device{
			machine{pic: devices.Snapshot{
				ID: "SPECTRAL_PAYOUT-COM5", Port: "COM5", ConfigID: "notes", Connected: true, Ready: true, State: cash.StateIdle,
				Identity: devices.Identity{Model: "SPECTRAL_PAYOUT", Serial: "5514121", Currency: "EUR"},
				Escrow:   &note, Levels: cash.Counts{note: 4}, AcceptorEnabled: true, Changed: time.Unix(0, 0),
			}},
			machine{pic: devices.Snapshot{Port: "COM5", Address: 16, ConfigID: "coins", Error: "not tried yet", Changed: time.Unix(0, 0)}},
		},
	}}
}

func (s station) Trace(port string) (*line.Line, bool) { return s.line, port == "COM5" }

type rig struct {
	t       *testing.T
	handler http.Handler
	token   string
	reasons []string
	balance error
}

func newRig(t *testing.T) *rig {
	t.Helper()
	tokens, err := httpapi.NewTokens([]byte("0123456789abcdef"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t}
	if r.token, err = tokens.Issue("anna"); err != nil {
		t.Fatal(err)
	}
	router := httpapi.NewRouter()
	Register(router, Deps{
		Station: station{line.New(line.Config{Name: "COM5"}, nil, logrus.New())},
		Balance: func(context.Context) ([]cash.BalanceRow, error) {
			return []cash.BalanceRow{{Device: "SPECTRAL_PAYOUT-COM5", Place: cash.Payout, Value: 2000, Currency: "EUR", Count: 4}}, r.balance
		},
		Ready:     func(context.Context) []string { return r.reasons },
		Documents: []Document{{Name: "ops", Title: "Operations & more", YAML: OpenAPI}},
		Tokens:    tokens, Version: "1.2.3", DataDir: "/data", Started: time.Now(), Now: time.Now,
	})
	r.handler = router
	return r
}

// get asks and returns status, media type and body.
func (r *rig) get(path string, header ...string) (int, string, string) {
	r.t.Helper()
	rec := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.RemoteAddr = "127.0.0.1:1"
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "From" {
			req.RemoteAddr = header[i+1]
		}
	}
	r.handler.ServeHTTP(rec, req)
	return rec.Code, rec.Header().Get("Content-Type"), rec.Body.String()
}

func TestHealth(t *testing.T) {
	r := newRig(t)
	code, _, body := r.get("/healthz")
	if code != 200 || !strings.Contains(body, `"version":"1.2.3"`) || !strings.Contains(body, `"data_dir":"/data"`) {
		t.Errorf("%d %s", code, body)
	}
	if _, _, body := r.get("/healthz", "From", "10.0.0.9:1"); strings.Contains(body, "/data") {
		t.Errorf("a stranger is told where the data is: %s", body)
	}
}

func TestReady(t *testing.T) {
	r := newRig(t)
	if code, _, body := r.get("/readyz"); code != 200 || strings.TrimSpace(body) != `{"ready":true}` {
		t.Errorf("%d %s", code, body)
	}
	r.reasons = []string{"ledger unavailable: disk full"}
	if code, _, body := r.get("/readyz"); code != 503 || !strings.Contains(body, "disk full") {
		t.Errorf("%d %s", code, body)
	}
}

func TestMetrics(t *testing.T) {
	r := newRig(t)
	code, _, body := r.get("/metrics")
	if code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	for _, want := range []string{
		`coffer_build_info{version="1.2.3"} 1`,
		`coffer_ready 1`,
		`coffer_ledger_readable 1`,
		`coffer_ledger_pieces{currency="EUR",device="SPECTRAL_PAYOUT-COM5",place="payout",value="2000"} 4`,
		`coffer_line_exchanges_total{port="COM5"} 7`,
		`coffer_line_crc_errors_total{port="COM5"} 1`,
		`coffer_device_connected{address="0",device="SPECTRAL_PAYOUT-COM5",port="COM5"} 1`,
		`coffer_device_connected{address="16",device="coins",port="COM5"} 0`,
		`coffer_device_state{address="0",device="SPECTRAL_PAYOUT-COM5",port="COM5",state="IDLE"} 1`,
		`coffer_device_level{address="0",currency="EUR",device="SPECTRAL_PAYOUT-COM5",port="COM5",value="2000"} 4`,
		`go_goroutines `,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	r.balance = errors.New("no ledger")
	if _, _, body := r.get("/metrics"); !strings.Contains(body, "coffer_ledger_readable 0") {
		t.Error("a ledger that cannot be read is not seen")
	}
}

func TestDocuments(t *testing.T) {
	r := newRig(t)
	if _, kind, body := r.get("/openapi/"); !strings.HasPrefix(kind, "application/json") || !strings.Contains(body, `"/openapi/ops.yaml"`) {
		t.Errorf("%s %s", kind, body)
	}
	if _, kind, body := r.get("/openapi/", "Accept", "text/html,*/*"); !strings.HasPrefix(kind, "text/html") || !strings.Contains(body, "Operations &amp; more") {
		t.Errorf("%s %s", kind, body)
	}
	if code, _, body := r.get("/openapi/ops.yaml"); code != 200 || body != string(OpenAPI) {
		t.Errorf("%d, %d bytes", code, len(body))
	}
	if code, _, _ := r.get("/openapi/none.yaml"); code != 404 {
		t.Errorf("%d", code)
	}
}

func TestDevicesNeedAToken(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/devices/v1", "/devices/v1/trace?port=COM5"} {
		if code, _, _ := r.get(path); code != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d", path, code)
		}
		if code, _, body := r.get(path, "Authorization", "Bearer "+r.token); code != 200 {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if code, _, _ := r.get("/devices/v1/trace?port=COM6", "Authorization", "Bearer "+r.token); code != 404 {
		t.Errorf("trace of no line: %d", code)
	}
}

func TestDevices(t *testing.T) {
	r := newRig(t)
	_, _, body := r.get("/devices/v1", "Authorization", "Bearer "+r.token)
	var got Devices
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Lines) != 1 || len(got.Lines[0].Devices) != 2 {
		t.Fatalf("%v %s", err, body)
	}
	l, d := got.Lines[0], got.Lines[0].Devices[0]
	if !l.Open || l.Error != "was lost" || d.ID != "SPECTRAL_PAYOUT-COM5" || d.State != "IDLE" || d.Escrow.Value != 2000 || !d.Ready {
		t.Errorf("%s", body)
	}
}

// TestDocumentHolds holds the answers to the document.
func TestDocumentHolds(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	for path := range doc.Paths.Map() {
		path = strings.NewReplacer("{document}", "ops.yaml").Replace(path)
		if path == "/devices/v1/trace" {
			path += "?port=COM5"
		}
		r.reasons = nil
		r.holds(router, path)
		if path == "/readyz" {
			r.reasons = []string{"the ledger is not open"}
			r.holds(router, path)
		}
	}
}

func (r *rig) holds(router routers.Router, path string) {
	r.t.Helper()
	code, kind, body := r.get(path, "Authorization", "Bearer "+r.token)
	req := httptest.NewRequest(http.MethodGet, path, nil)
	route, params, err := router.FindRoute(req)
	if err != nil {
		r.t.Errorf("%s: %v", path, err)
		return
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: route, PathParams: params},
		Status:                 code, Header: http.Header{"Content-Type": {kind}},
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: !strings.HasPrefix(kind, "application/json")},
	}
	in.SetBodyBytes([]byte(body))
	if err := openapi3filter.ValidateResponse(r.t.Context(), in); err != nil {
		r.t.Errorf("%s: %v\n%s", path, err, body)
	}
}

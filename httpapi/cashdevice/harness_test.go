package cashdevice

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"coffer/devices"
	"coffer/httpapi"
	"coffer/httpapi/apitest"
	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/proof"
	"coffer/ssp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(proof.Tests(m, "httpapi/cashdevice")) }

// bench is one API over fakes: COM5 is a Spectral Payout with GBP 5, 10, 20, 50, the first two to the store; COM9 a
// coin system with GBP 0.10, 0.50; COM15 a plain validator.
type bench struct {
	t       *testing.T
	api     *api
	handler http.Handler
	bus     *bus.Bus
	till    *fakeTill
	station *fakeStation
	notes   *fakeDevice
	coins   *fakeDevice
	plain   *fakeDevice
	token   string
	strict  bool // hold requests and answers to openapi.yaml
}

const notesID, coinsID, plainID = "SPECTRAL_PAYOUT-COM5", "SMART_COIN_SYSTEM-COM9", "NOTE_VALIDATOR-COM15"

// with runs a test on a bench in a bubble, in which nothing waits for real.
func with(t *testing.T, dialect Dialect, f func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newBench(t, dialect)) })
}

func newBench(t *testing.T, dialect Dialect) *bench {
	t.Helper()
	b := &bench{t: t, till: &fakeTill{}, bus: bus.New(4096), strict: dialect == DotNet}
	b.notes = &fakeDevice{errs: map[string]error{}, snap: payoutSnapshot(), acc: cash.Account{
		Levels: cash.Counts{{Value: 500, Currency: "GBP"}: 4, {Value: 1000, Currency: "GBP"}: 2},
		Kind:   cash.CountersNote, Counters: []uint32{261, 42, 30, 11, 26},
	}}
	b.coins = &fakeDevice{errs: map[string]error{}, snap: coinSnapshot(), acc: cash.Account{
		Levels: cash.Counts{{Value: 10, Currency: "GBP"}: 50},
		Kind:   cash.CountersCoin, Counters: []uint32{58, 126, 26, 0, 0, 0, 6, 67, 41},
	}}
	b.plain = &fakeDevice{errs: map[string]error{}, snap: validatorSnapshot(), acc: cash.Account{Kind: cash.CountersNote, Counters: make([]uint32, 5)}}
	b.station = &fakeStation{ports: []string{"COM5", "COM9", "COM15"}, machines: map[string]devices.Device{
		"COM5": fakeNotes{b.notes}, "COM9": fakeCoins{b.coins}, "COM15": fakeNotes{b.plain},
		"/dev/ttyACM0": fakeNotes{&fakeDevice{snap: payoutAt("/dev/ttyACM0"), acc: b.notes.acc}},
	}}
	file, err := httpapi.OpenUsers(filepath.Join(t.TempDir(), "users.yaml"), at)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := httpapi.NewTokens([]byte("0123456789abcdef0123456789abcdef"), at)
	if err != nil {
		t.Fatal(err)
	}
	b.token, _ = tokens.Issue("admin")
	ctx, stop := context.WithCancel(context.Background())
	b.api = newAPI(ctx, Deps{
		Station: b.station, Bus: b.bus, Users: file, Tokens: tokens, Logins: httpapi.NewThrottle(at), Dialect: dialect,
		Log: quiet(), Now: at,
	}, b.till)
	b.api.table = newTable(users, device)
	t.Cleanup(func() {
		stop()
		for _, v := range b.api.views.all() {
			v.end()
		}
	})
	r := httpapi.NewRouter()
	r.MatcherFunc(under(allPrefixes)).Handler(b.api)
	b.handler = httpapi.Wrap(httpapi.Listen{}, r, quiet())
	return b
}

func payoutSnapshot() devices.Snapshot { return payoutAt("COM5") }

func payoutAt(port string) devices.Snapshot {
	return devices.Snapshot{
		ID: cash.DeviceID("SPECTRAL_PAYOUT-" + port), Port: port, Connected: true, Ready: true, State: cash.StateDisabled,
		Identity: devices.Identity{
			Model: modelPayout, UnitType: ssp.TypePayout, HasPayout: true, Protocol: 7, Firmware: "NVS2004301038000", Dataset: "GBP07056",
			Serial: "6331574", ModuleSerials: map[byte]string{1: "5785286"}, Currency: "GBP",
			Revisions: []ssp.Revision{{Module: 0, Revision: 9<<8 | 10}, {Module: 6, Revision: 1<<8 | 1}},
		},
		Channels: channels("GBP", []int64{500, 1000, 2000, 5000}, 500, 1000),
	}
}

func coinSnapshot() devices.Snapshot {
	return devices.Snapshot{
		ID: coinsID, Port: "COM9", Address: 16, Connected: true, Ready: true, State: cash.StateDisabled,
		Identity: devices.Identity{
			Model: modelCoins, UnitType: ssp.TypeCoinSystem, Coins: true, HasPayout: true, Protocol: 7, Firmware: "SH00041401008C01",
			Dataset: "ITL15041", Serial: "6334858", ModuleSerials: map[byte]string{1: "4592666"}, Currency: "GBP",
			Revisions: []ssp.Revision{{Module: 3, Revision: 14<<8 | 30}, {Module: 4, Revision: 14 << 8}},
		},
		Channels: channels("GBP", []int64{10, 50}, 10, 50),
	}
}

func validatorSnapshot() devices.Snapshot {
	return devices.Snapshot{
		ID: plainID, Port: "COM15", Connected: true, Ready: true, State: cash.StateDisabled,
		Identity: devices.Identity{
			Model: "NOTE_VALIDATOR", UnitType: ssp.TypeValidator, Protocol: 7, Firmware: "NVS2004321016000", Dataset: "ITL01003", Currency: "GBP",
		},
		Channels: channels("GBP", []int64{500, 1000}),
	}
}

// answer is what came back.
type answer struct {
	status int
	media  string
	body   string
	header http.Header
}

// do sends one request; query names of the path are the caller's, the token is added.
func (b *bench) do(method, path, body string, header ...string) answer {
	b.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, in)
	if b.token != "" {
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	if b.strict {
		conforms(b.t, r, body, w)
	}
	return answer{w.Code, w.Header().Get("Content-Type"), w.Body.String(), w.Header()}
}

func (b *bench) post(path, body string, header ...string) answer {
	b.t.Helper()
	return b.do("POST", "/api/CashDevice/"+path, body, header...)
}

func (b *bench) get(path string, header ...string) answer {
	b.t.Helper()
	return b.do("GET", "/api/CashDevice/"+path, "", header...)
}

// open opens COM5 and forgets what that did.
func (b *bench) open() {
	b.t.Helper()
	if a := b.post("OpenConnection", `{"ComPort":"COM5","SspAddress":0,"EnableAcceptor":true,"EnablePayout":true}`); a.status != 200 {
		b.t.Fatalf("OpenConnection: %d %s", a.status, a.body)
	}
	b.get("GetDeviceStatus?deviceID=" + notesID)
	b.notes.took()
}

// openAll opens the other two as well.
func (b *bench) openAll() {
	b.t.Helper()
	b.open()
	for _, body := range []string{`{"ComPort":"COM9","SspAddress":16}`, `{"ComPort":"COM15","SspAddress":0}`} {
		if a := b.post("OpenConnection", body); a.status != 200 {
			b.t.Fatalf("OpenConnection: %d %s", a.status, a.body)
		}
	}
	b.coins.took()
	b.plain.took()
}

// publish puts events of COM5 on the bus and waits until the view has them.
func (b *bench) publish(ev ...cash.Event) {
	b.t.Helper()
	b.bus.Publish(notesID, at(), 0, ev...)
	synctest.Wait()
}

// is fails the test unless the answer is as documented.
func (a answer) is(t *testing.T, status int, media, body string) {
	t.Helper()
	if a.status != status || a.media != media {
		t.Errorf("answer %d %s, want %d %s; body %s", a.status, a.media, status, media, a.body)
	}
	if strings.Contains(media, "json") {
		sameJSON(t, a.body, body)
		return
	}
	if a.body != body {
		t.Errorf("body %q, want %q", a.body, body)
	}
}

const (
	plainText   = "text/plain; charset=utf-8"
	jsonText    = "application/json; charset=utf-8"
	problemText = "application/problem+json; charset=utf-8"
)

func (a answer) text(t *testing.T, status int, body string) {
	t.Helper()
	a.is(t, status, plainText, body)
}

// problem checks for a problem-details answer that names the member.
func (a answer) problem(t *testing.T, member string) {
	t.Helper()
	var p struct {
		Type, Title, TraceID string
		Status               int
		Errors               map[string][]string
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.status != 400 || a.media != problemText {
		t.Fatalf("answer %d %s %s, want problem details", a.status, a.media, a.body)
	}
	if p.Type != "https://tools.ietf.org/html/rfc7231#section-6.5.1" || p.Title != "One or more validation errors occurred." ||
		p.Status != 400 || p.TraceID == "" || len(p.Errors[member]) == 0 {
		t.Errorf("problem %+v, want one of %s", p, member)
	}
}

// sameJSON compares two JSON texts, member order aside.
func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%v in what is wanted: %s", err, want)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("JSON differs (- want, + got):\n%s", diff)
	}
}

var document = apitest.New(OpenAPI)

// conforming are the exchanges that were found as the document has them: looking is slow, and clients that poll get the
// same answer over and over.
var conforming sync.Map

// conforms holds a request and its answer to openapi.yaml. A request that the document does not allow must be refused;
// a path that is not in it must be 404 or 405.
func conforms(t *testing.T, r *http.Request, body string, w *httptest.ResponseRecorder) {
	t.Helper()
	same := fmt.Sprint(r.Method, " ", r.URL, "\n", body, "\n", w.Code, w.Header().Get("Content-Type"), "\n", w.Body)
	if _, known := conforming.Load(same); known {
		return
	}
	defer func() {
		if !t.Failed() {
			conforming.Store(same, true)
		}
	}()
	x := apitest.Exchange{Request: r, Sent: []byte(body), Status: w.Code, Header: w.Header(), Got: w.Body.Bytes()}
	if document.Holds(t, x) {
		return
	}
	_, alias := newTable(users, device)[normal(r.URL.Path)]
	if !alias && w.Code != 404 && w.Code != 405 && w.Code != 413 {
		t.Errorf("%s %s is answered %d and not documented", r.Method, r.URL.Path, w.Code)
	}
}

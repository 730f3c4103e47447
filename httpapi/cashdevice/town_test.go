package cashdevice

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coffer/devices"
	"coffer/devices/coin"
	"coffer/devices/line"
	"coffer/devices/note"
	"coffer/devices/sim"
	"coffer/httpapi"
	"coffer/httpapi/apitest"
	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/journal"
	"coffer/internal/proof"
	"coffer/internal/till"
	"coffer/ssp"
)

// The end-to-end tests of this package: a client that speaks HTTP to a server, and behind it API, till, ledger, station,
// driver, line and simulated machine, all real. They run in a bubble, in which nothing waits for real: connections are
// pipes. A subtest is named after the rows of the coverage list that it proves and the machine that it proves them on.

// house is where a machine of the town lives.
type house struct {
	family   string // as subtests are named
	model    string
	port     string
	addr     byte
	profile  string
	currency string
	dataset  []int64
	levels   map[int64]int
}

// houses are the machines of the demo, one of each family that the manual names.
var houses = []house{
	{"SPECTRAL_PAYOUT", "SPECTRAL_PAYOUT", "COM5", 0, "spectral-payout", "EUR", []int64{500, 1000, 2000, 5000}, map[int64]int{500: 4, 1000: 4, 2000: 4}},
	{"NV22_SPECTRAL", "SPECTRAL_PAYOUT", "COM12", 0, "nv22", "EUR", []int64{500, 1000, 2000, 5000}, map[int64]int{500: 4, 1000: 4}},
	{"NV4000", "NV4000", "COM18", 0, "nv4000", "USD", []int64{100, 200, 500, 1000}, map[int64]int{100: 4, 500: 4}},
	{"NV11", "NV11", "COM21", 0, "nv11", "GBP", []int64{500, 1000, 2000, 5000}, map[int64]int{500: 4}},
	{"NOTE_VALIDATOR", "NOTE_VALIDATOR", "COM15", 0, "nv200", "EUR", []int64{500, 1000, 2000, 5000}, nil},
	{smart, smart, "COM30", 0, "scu", "EUR", []int64{500, 1000, 2000, 5000, 10000, 20000, 50000}, nil},
	{"SMART_COIN_SYSTEM", "SMART_COIN_SYSTEM", "COM9", 16, "scs", "EUR", []int64{10, 50, 100}, map[int64]int{10: 50, 50: 50, 100: 50}},
	{"TWIN_SMART_COIN_SYSTEM", "TWIN_SMART_COIN_SYSTEM", "COM4", 16, "twin", "USD", []int64{1, 5, 10, 25, 100}, map[int64]int{1: 50, 5: 50, 10: 50, 25: 50, 100: 50}},
	{"SMART_HOPPER_4", "SMART_HOPPER_4", "COM11", 16, "hopper4", "EUR", []int64{10, 50}, map[int64]int{10: 100, 50: 100}},
}

// kinds of machines by family, as the manual groups them.
const (
	spectrals = "SPECTRAL_PAYOUT NV22_SPECTRAL"
	notePay   = spectrals + " NV4000 NV11"
	noteAll   = notePay + " NOTE_VALIDATOR " + smart
	coinAll   = "SMART_COIN_SYSTEM TWIN_SMART_COIN_SYSTEM SMART_HOPPER_4"
	everyone  = noteAll + " " + coinAll
	payers    = notePay + " " + coinAll
)

// town is the server and the machines of some houses.
type town struct {
	t       *testing.T
	world   *sim.World
	ledger  *journal.Journal
	bus     *bus.Bus
	till    *till.Till
	station *devices.Station
	api     *mount
	dir     string // of logs and users
	client  *http.Client
	token   string
	strict  bool // hold requests and answers to openapi.yaml
	people  map[string]*resident
	seen    func(method, path, body string, a answer)

	stopStation func()
	later       atomic.Int64 // how far the clock of the tokens is ahead
}

// mount is one server in front of the till.
type mount struct {
	server *http.Server
	pipes  *apitest.Pipes
	stop   context.CancelFunc
	done   chan struct{}
}

// inTown runs f in a town of the houses of the families named.
func inTown(t *testing.T, dialect Dialect, families string, f func(w *town)) {
	t.Helper()
	apitest.InBubble(t, func(t *testing.T) {
		w := newTown(t, families)
		defer w.close()
		w.serve(dialect)
		defer func() { w.unserve() }()
		f(w)
	})
}

func newTown(t *testing.T, families string) *town {
	t.Helper()
	w := &town{t: t, world: sim.NewWorld(nil), bus: bus.New(4096), dir: t.TempDir(), people: map[string]*resident{}}
	links := map[string]line.Opener{}
	var cfg []devices.LineConfig
	for _, h := range houses {
		if !slices.Contains(strings.Fields(families), h.family) {
			continue
		}
		l := w.world.AddLine(h.port)
		opt := sim.Options{Currency: h.currency, Dataset: h.dataset, Levels: h.levels}
		if h.family == smart {
			opt.Dataset = nil // it is on its card
		}
		m, err := l.AddMachine(ssp.Address(h.addr), h.profile, opt)
		if err != nil {
			t.Fatal(err)
		}
		links[h.port] = line.ConnOpener(l.Pipe())
		cfg = append(cfg, devices.LineConfig{Port: h.port, Devices: []devices.DeviceConfig{{
			ID: h.port, Address: ssp.Address(h.addr), Currency: cash.Currency(h.currency), Sim: h.profile,
		}}})
		w.people[h.family] = &resident{town: w, house: h, id: h.model + "-" + h.port, sim: m}
	}
	w.begin(cfg, links)
	return w
}

// begin starts ledger, till and station.
func (w *town) begin(cfg []devices.LineConfig, links map[string]line.Opener) {
	ledger, err := journal.Open(w.t.Context(), filepath.Join(w.dir, "ledger"), time.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.ledger = ledger
	w.till = till.New(ledger, w.bus, quiet(), time.Now)
	w.station = devices.NewStation(cfg, links, []devices.Family{note.Family(), note.FloatFamily(), coin.Family()}, w.till, quiet())
	ctx, stop := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.station.Run(ctx)
	}()
	w.stopStation = func() {
		stop()
		<-done
		ledger.Close()
	}
}

func (w *town) close() {
	w.stopStation()
	w.world.Close()
}

// serve puts a server in front of the till, with users and secret of its own.
func (w *town) serve(dialect Dialect) {
	file, err := httpapi.OpenUsers(filepath.Join(w.dir, "users.yaml"), time.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	tokens, err := httpapi.NewTokens([]byte("0123456789abcdef0123456789abcdef"), func() time.Time {
		return time.Now().Add(time.Duration(w.later.Load()))
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.token, _ = tokens.Issue("admin")
	ctx, stop := context.WithCancel(w.t.Context())
	r := httpapi.NewRouter()
	Register(ctx, r, Deps{
		Station: w.station, Till: w.till, Bus: w.bus, Users: file, Tokens: tokens, Logins: httpapi.NewThrottle(time.Now),
		Dialect: dialect, LogDir: filepath.Join(w.dir, "logs"), Log: quiet(), Now: time.Now,
	})
	m := &mount{pipes: apitest.NewPipes(), stop: stop, done: make(chan struct{})}
	m.server = &http.Server{Handler: httpapi.Wrap(httpapi.Listen{AllowedOrigins: []string{"http://localhost:3000"}}, r, quiet())}
	go func() {
		defer close(m.done)
		_ = m.server.Serve(m.pipes)
	}()
	w.api, w.strict = m, dialect == DotNet
	w.client = &http.Client{Transport: m.pipes.Transport(8)}
}

// unserve ends the server.
func (w *town) unserve() {
	w.client.CloseIdleConnections()
	w.api.server.Close()
	w.api.stop()
	<-w.api.done
}

// call does one request.
func (w *town) call(method, path, body string, header ...string) answer {
	w.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, "http://127.0.0.1:5000"+path, in)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.token != "" {
		r.Header.Set("Authorization", "Bearer "+w.token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := w.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.strict {
		said := httptest.NewRecorder()
		maps.Copy(said.Header(), resp.Header)
		said.WriteHeader(resp.StatusCode)
		_, _ = said.Write(text)
		conforms(w.t, r, body, said)
	}
	a := answer{resp.StatusCode, resp.Header.Get("Content-Type"), string(text), resp.Header}
	if w.seen != nil {
		w.seen(method, path, body, a)
	}
	return a
}

func (w *town) post(name, body string) answer {
	w.t.Helper()
	return w.call("POST", "/api/CashDevice/"+name, body)
}

func (w *town) get(name string) answer {
	w.t.Helper()
	return w.call("GET", "/api/CashDevice/"+name, "")
}

func (w *town) login() {
	w.t.Helper()
	w.token = ""
	a := w.call("POST", "/api/Users/Authenticate", `{"Username":"admin","Password":"password"}`)
	var out struct{ Token string }
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || out.Token == "" {
		w.t.Fatalf("Authenticate: %d %s", a.status, a.body)
	}
	w.token = out.Token
}

// decline is prove for families that the manual does not name: what they answer proves nothing of the row.
func decline(t *testing.T, name, families string, f func(r *resident)) {
	t.Helper()
	for _, family := range strings.Fields(families) {
		t.Run(name+"/"+family, func(t *testing.T) {
			inTown(t, DotNet, family, func(w *town) { f(w.resident(family)) })
		})
	}
}

// prove proves a row of the coverage list on each of the families.
func prove(t *testing.T, name, families string, f func(r *resident)) {
	t.Helper()
	for _, family := range strings.Fields(families) {
		t.Run(name+"/"+family, func(t *testing.T) {
			proof.Of(t)
			inTown(t, DotNet, family, func(w *town) { f(w.resident(family)) })
		})
	}
}

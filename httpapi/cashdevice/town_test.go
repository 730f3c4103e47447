package cashdevice

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/devices"
	"coffer/devices/coin"
	"coffer/devices/line"
	"coffer/devices/note"
	"coffer/devices/sim"
	"coffer/httpapi"
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
	{"SMART_CURRENCY_SYSTEM", "SMART_CURRENCY_SYSTEM", "COM30", 0, "scu", "EUR", nil, nil},
	{"SMART_COIN_SYSTEM", "SMART_COIN_SYSTEM", "COM9", 16, "scs", "EUR", []int64{10, 50, 100}, map[int64]int{10: 50, 50: 50, 100: 50}},
	{"TWIN_SMART_COIN_SYSTEM", "TWIN_SMART_COIN_SYSTEM", "COM4", 16, "twin", "USD", []int64{1, 5, 10, 25, 100}, map[int64]int{1: 50, 5: 50, 10: 50, 25: 50, 100: 50}},
	{"SMART_HOPPER_4", "SMART_HOPPER_4", "COM11", 16, "hopper4", "EUR", []int64{10, 50}, map[int64]int{10: 100, 50: 100}},
}

// kinds of machines by family, as the manual groups them.
const (
	spectrals = "SPECTRAL_PAYOUT NV22_SPECTRAL"
	notePay   = spectrals + " NV4000 NV11"
	noteAll   = notePay + " NOTE_VALIDATOR"
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
	doors  *doors
	stop   context.CancelFunc
	done   chan struct{}
}

// resident is a machine of the town, opened.
type resident struct {
	*town
	house
	id  string
	sim *sim.Machine
}

// inTown runs f in a town of the houses of the families named.
func inTown(t *testing.T, dialect Dialect, families string, f func(w *town)) {
	t.Helper()
	skipped := false
	synctest.Test(t, func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		w := newTown(t, families)
		defer w.close()
		w.serve(dialect)
		defer func() { w.unserve() }()
		f(w)
	})
	if skipped {
		t.SkipNow() // what is skipped in the bubble proves nothing outside it
	}
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
		m, err := l.AddMachine(ssp.Address(h.addr), h.profile, sim.Options{Currency: h.currency, Dataset: h.dataset, Levels: h.levels})
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
	m := &mount{doors: newDoors(), stop: stop, done: make(chan struct{})}
	m.server = &http.Server{Handler: httpapi.Wrap(httpapi.Listen{AllowedOrigins: []string{"http://localhost:3000"}}, r, quiet())}
	go func() {
		defer close(m.done)
		_ = m.server.Serve(m.doors)
	}()
	w.api, w.strict = m, dialect == DotNet
	w.client = &http.Client{Transport: &http.Transport{DialContext: m.doors.dial, MaxIdleConnsPerHost: 8}}
}

// unserve ends the server.
func (w *town) unserve() {
	w.client.CloseIdleConnections()
	w.api.server.Close()
	w.api.stop()
	<-w.api.done
}

// doors is a listener whose connections are pipes.
type doors struct {
	conns chan net.Conn
	shut  chan struct{}
}

func newDoors() *doors { return &doors{make(chan net.Conn), make(chan struct{})} }

func (d *doors) Accept() (net.Conn, error) {
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.shut:
		return nil, net.ErrClosed
	}
}

func (d *doors) Close() error {
	select {
	case <-d.shut:
	default:
		close(d.shut)
	}
	return nil
}

func (d *doors) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5000} }

func (d *doors) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case d.conns <- door{theirs}:
		return ours, nil
	case <-d.shut:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// door is a pipe that looks like a connection from this machine.
type door struct{ net.Conn }

func (door) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000} }
func (door) LocalAddr() net.Addr  { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5000} }

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

// resident returns the machine of a family, opened with everything on.
func (w *town) resident(family string) *resident {
	w.t.Helper()
	r := w.people[family]
	a := w.post("OpenConnection", r.opening(`,"EnableAcceptor":true,"EnableAutoAcceptEscrow":true,"EnablePayout":true`))
	if a.status != 200 {
		w.t.Fatalf("OpenConnection of %s: %d %s", r.id, a.status, a.body)
	}
	r.until("IDLE")
	return r
}

// opening is the body of an OpenConnection.
func (r *resident) opening(more string) string {
	return fmt.Sprintf(`{"ComPort":"%s","SspAddress":%d%s}`, r.port, r.addr, more)
}

// to is the path and query of an endpoint for the machine.
func (r *resident) to(name string) string { return name + "?deviceID=" + url.QueryEscape(r.id) }

func (r *resident) post(name, body string) answer {
	r.t.Helper()
	return r.town.post(r.to(name), body)
}

func (r *resident) get(name string) answer {
	r.t.Helper()
	return r.town.get(r.to(name))
}

// says fails the test unless the answer is 200 and text, with <id> for the deviceID.
func (r *resident) says(a answer, text string) {
	r.t.Helper()
	a.text(r.t, 200, strings.ReplaceAll(text, "<id>", r.id))
}

// refuses is says for a refusal.
func (r *resident) refuses(a answer, status int, text string) {
	r.t.Helper()
	a.text(r.t, status, strings.ReplaceAll(text, "<id>", r.id))
}

const notSupported = "<id>: Command not supported by this device."

// happened is an entry of GetDeviceStatus in one word.
type happened struct {
	Type, StateAsString, EventTypeAsString, CountryCode string
	Value, Value2                                       int64
	TransactionType                                     *int
	Result                                              *bool
}

func (e happened) String() string {
	switch e.Type {
	case "CashEventResponse":
		if e.Value2 != 0 {
			return fmt.Sprintf("%s(%d,%d)", e.EventTypeAsString, e.Value, e.Value2)
		}
		return fmt.Sprintf("%s(%d)", e.EventTypeAsString, e.Value)
	case "DispenserTransactionEventResponse":
		return fmt.Sprintf("%d:%s", *e.TransactionType, e.StateAsString)
	case "SetDenominationRouteFinishedEventResponse":
		return fmt.Sprintf("ROUTE(%t)", *e.Result)
	}
	return e.StateAsString
}

// events is one GetDeviceStatus.
func (r *resident) events() []string {
	r.t.Helper()
	a := r.get("GetDeviceStatus")
	var list []happened
	if err := json.Unmarshal([]byte(a.body), &list); err != nil || a.status != 200 {
		r.t.Fatalf("GetDeviceStatus: %d %s", a.status, a.body)
	}
	var out []string
	for _, e := range list {
		out = append(out, e.String())
	}
	return out
}

// until polls every 100 ms until the last event told is one of last, and returns all that was told on the way.
func (r *resident) until(last ...string) string {
	r.t.Helper()
	var told []string
	for range 1200 {
		told = append(told, r.events()...)
		if n := len(told); n > 0 && slices.Contains(last, told[n-1]) {
			return strings.Join(told, " ")
		}
		time.Sleep(100 * time.Millisecond) // of the bubble
	}
	r.t.Fatalf("%s: %v did not come; told were %v", r.id, last, told)
	return ""
}

// insert feeds one piece in.
func (r *resident) insert(value int64) {
	r.t.Helper()
	r.feed(sim.Insert{Value: value})
}

func (r *resident) feed(in sim.Insert) {
	r.t.Helper()
	if in.Value > 0 {
		in.Currency = r.currency
	}
	for range 100 {
		_, err := r.sim.Insert(in)
		if err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond) // its path is still full
	}
	r.t.Fatalf("%s does not take %v", r.id, in)
}

// stored is what GetAllLevels says, by value.
func (r *resident) stored() map[int64]int {
	r.t.Helper()
	a := r.get("GetAllLevels")
	var in struct {
		Levels []struct {
			Value  int64
			Stored int
		}
	}
	if err := json.Unmarshal([]byte(a.body), &in); err != nil || a.status != 200 {
		r.t.Fatalf("GetAllLevels: %d %s", a.status, a.body)
	}
	out := map[int64]int{}
	for _, l := range in.Levels {
		out[l.Value] = l.Stored
	}
	return out
}

// agrees compares the ledger with the machine.
func (r *resident) agrees() {
	r.t.Helper()
	truth := r.sim.Truth()
	rows, err := r.ledger.Balance(r.t.Context(), cash.DeviceID(r.id))
	if err != nil {
		r.t.Fatal(err)
	}
	got := map[cash.Place]cash.Counts{cash.Payout: {}, cash.Cashbox: {}, cash.Escrow: {}}
	for _, x := range rows {
		got[x.Place][cash.Denom{Value: x.Value, Currency: x.Currency}] += x.Count
	}
	want := map[cash.Place]cash.Counts{cash.Payout: counted(truth.Payout), cash.Cashbox: counted(truth.Cashbox), cash.Escrow: counted(truth.Escrow)}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("%s: the ledger (+) and the machine (-) differ:\n%s", r.id, diff)
	}
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

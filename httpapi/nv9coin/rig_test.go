package nv9coin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/mux"
	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

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
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(proof.Tests(m, "httpapi/nv9coin")) }

const (
	notesID = "NOTE_VALIDATOR-COM7"
	coinsID = "SMART_COIN_SYSTEM-COM7"
)

// rig is the demo's COM7, two simulated machines on one line, and all of coffer between their bytes and HTTP, in a bubble
// in which nothing waits for real.
type rig struct {
	t            *testing.T
	world        *sim.World
	cable        *sim.Line
	notes, coins *sim.Machine
	dir          string
	tune         func(*Deps)

	*host
}

// host is what stands for one process of coffer.
type host struct {
	ledger  *journal.Journal
	bus     *bus.Bus
	till    *till.Till
	station *devices.Station
	api     *api
	client  *http.Client
	log     *bytes.Buffer
	stop    func()
}

// with runs f on a fresh rig. tune may change what the API is built on, nil for nothing.
func with(t *testing.T, tune func(*Deps), f func(*rig)) {
	t.Helper()
	apitest.InBubble(t, func(t *testing.T) {
		r := &rig{t: t, world: sim.NewWorld(nil), dir: t.TempDir(), tune: tune}
		if err := r.world.SetSpeed(10); err != nil {
			t.Fatal(err)
		}
		r.cable = r.world.AddLine("COM7")
		var err error
		if r.notes, err = r.cable.AddMachine(0, "nv9", sim.Options{Currency: "GBP", Dataset: []int64{500, 1000, 2000, 5000}}); err != nil {
			t.Fatal(err)
		}
		levels := map[int64]int{1: 50, 2: 50, 5: 50, 10: 50, 20: 50, 50: 50, 100: 50, 200: 50}
		if r.coins, err = r.cable.AddMachine(16, "scs", sim.Options{Currency: "GBP", Dataset: []int64{1, 2, 5, 10, 20, 50, 100, 200}, Levels: levels}); err != nil {
			t.Fatal(err)
		}
		r.start()
		defer func() {
			r.stop()
			if err := r.world.Close(); err != nil {
				t.Error(err)
			}
		}()
		r.ready()
		f(r)
	})
}

// start starts a coffer over the ledger in dir.
func (r *rig) start() {
	t := r.t
	t.Helper()
	h := &host{log: &bytes.Buffer{}}
	var err error
	if h.ledger, err = journal.Open(context.Background(), r.dir, time.Now); err != nil {
		t.Fatal(err)
	}
	log := logrus.New()
	log.SetOutput(h.log)
	log.SetLevel(logrus.DebugLevel)
	h.bus = bus.New(4096)
	h.till = till.New(h.ledger, h.bus, log, time.Now)
	cfg := []devices.LineConfig{{Port: "COM7", Devices: []devices.DeviceConfig{
		{ID: "gbp-notes", Address: 0, Currency: "GBP", Escrow: true}, {ID: "gbp-coins", Address: 16, Currency: "GBP"},
	}}}
	h.station = devices.NewStation(cfg, map[string]line.Opener{"COM7": line.ConnOpener(r.cable.Pipe())},
		[]devices.Family{note.Family(), coin.Family()}, h.till, log)
	users, err := httpapi.OpenUsersWith(filepath.Join(r.dir, "users.yaml"), httpapi.NV9CoinUser, httpapi.NV9CoinPassword, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := Deps{
		Station: h.station, Notes: "gbp-notes", Coins: "gbp-coins", Till: h.till, Bus: h.bus, Ledger: h.ledger, Log: log, Now: time.Now,
		Gate: httpapi.Gate{Users: users, Logins: httpapi.NewThrottle(time.Now)}, Password: "dispense-secret",
	}
	if r.tune != nil {
		r.tune(&d)
	}
	h.api = newAPI(ctx, d)
	router := httpapi.NewRouter()
	router.MatcherFunc(func(req *http.Request, _ *mux.RouteMatch) bool { return ours(req) }).Handler(h.api)
	pipes := apitest.NewPipes()
	server := &http.Server{Handler: httpapi.Wrap(httpapi.Listen{TooLarge: TooLarge}, router, log)}
	ended := make(chan error, 2)
	go func() { ended <- h.station.Run(ctx) }()
	go func() { _ = server.Serve(pipes); ended <- nil }()
	transport := pipes.Transport(200)
	h.client = &http.Client{Transport: transport}
	h.stop = func() {
		transport.CloseIdleConnections()
		server.Close()
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Errorf("station: %v", err)
			}
		}
		brief, done := context.WithTimeout(context.Background(), 15*time.Second)
		defer done()
		_ = h.till.Close(brief)
		synctest.Wait()
		if err := h.ledger.Close(); err != nil {
			t.Errorf("ledger: %v", err)
		}
	}
	r.host = h
}

// restart ends coffer in order, and starts it again beside the machines, which live on.
func (r *rig) restart() {
	r.t.Helper()
	r.stop()
	r.start()
	r.ready()
}

// ready waits until both machines are driven.
func (r *rig) ready() {
	r.t.Helper()
	r.until("both machines are ready", func() bool {
		n, c := r.snapshot(notesID), r.snapshot(coinsID)
		return n != nil && c != nil && n.Ready && c.Ready
	})
}

func (r *rig) snapshot(id cash.DeviceID) *devices.Snapshot {
	if d, ok := r.station.Device(id); ok {
		return d.Snapshot()
	}
	return nil
}

// until waits, at most two minutes of the bubble.
func (r *rig) until(what string, cond func() bool) {
	r.t.Helper()
	for range 2400 {
		if cond() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	r.t.Fatalf("%s: not within two minutes", what)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// request makes a request as the user of the sample.
func (r *rig) request(ctx context.Context, method, path, body string) *http.Request {
	r.t.Helper()
	if !strings.HasPrefix(path, "/") {
		path = "/DeviceService/ITL/NV9AndCoin/" + path
	}
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://127.0.0.1:8526"+path, in)
	if err != nil {
		r.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Basic a2l0dGVuczphcmVzb2xvdmVseQ==") // the paper's
	return req
}

// send does a request and holds it and its answer to the OpenAPI document.
func (r *rig) send(req *http.Request, body string) answer {
	r.t.Helper()
	a, err := r.trySend(req)
	if err != nil {
		r.t.Fatal(err)
	}
	conforms(r.t, req, body, a)
	return a
}

func (r *rig) trySend(req *http.Request) (answer, error) {
	resp, err := r.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(b)}, err
}

func (r *rig) post(path, body string) answer {
	r.t.Helper()
	return r.send(r.request(context.Background(), http.MethodPost, path, body), body)
}

func (r *rig) get(path string) answer {
	r.t.Helper()
	return r.send(r.request(context.Background(), http.MethodGet, path, ""), "")
}

// is holds an answer to a status and a body, byte for byte.
func (a answer) is(t *testing.T, status int, body string) {
	t.Helper()
	if a.status != status || a.body != body {
		t.Errorf("answer %d %s\n  want %d %s", a.status, a.body, status, body)
	}
	if got := a.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	if got := a.header.Get("Content-Length"); got != fmt.Sprint(len(body)) {
		t.Errorf("Content-Length %q, the body has %d bytes", got, len(body))
	}
}

// seen is Status as a client reads it.
type seen struct {
	CurrentNoteAcceptorState    acceptorState
	EscrowedBill                *seenItem
	CashReceivedSinceLastCheck  []seenItem
	CashDispensedSinceLastCheck []seenItem
	CurrentHopperState          hopperState
}

type seenItem struct {
	WhenInserted string
	Value        json.Number
	Currency     string
}

func (r *rig) status() seen {
	r.t.Helper()
	a := r.get("Status")
	if a.status != 200 {
		r.t.Fatalf("Status: %d %s", a.status, a.body)
	}
	return readStatus(r.t, a.body)
}

func readStatus(t *testing.T, body string) (s seen) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return s
}

// values are the amounts of items, in order.
func values(list []seenItem) string {
	var out []string
	for _, i := range list {
		out = append(out, i.Value.String())
	}
	return strings.Join(out, " ")
}

// order is the body of a Dispense that is signed now.
func (r *rig) order(amount string) string { return signed(amount, time.Now(), "dispense-secret") }

func signed(amount string, at time.Time, password string) string {
	return fmt.Sprintf(`{"amount":%s,"currency":"GBP","timestamp":%q,"signature":%q}`,
		amount, at.UTC().Format(time.RFC3339), signatureOf(at, password, false))
}

// insert feeds pieces in and waits until they are at rest.
func (r *rig) insert(m *sim.Machine, value int64, count int) {
	r.t.Helper()
	if _, err := m.Insert(sim.Insert{Value: value, Currency: "GBP", Count: count}); err != nil {
		r.t.Fatal(err)
	}
}

// hold puts a note into escrow and waits until Status shows it.
func (r *rig) hold(value int64) seenItem {
	r.t.Helper()
	r.insert(r.notes, value, 1)
	var bill *seenItem
	r.until("the note is in escrow", func() bool {
		bill = r.status().EscrowedBill
		return bill != nil
	})
	return *bill
}

func (r *rig) fault(m *sim.Machine, kind string) {
	r.t.Helper()
	if err := m.Fault(sim.Fault{Kind: kind}); err != nil {
		r.t.Fatal(err)
	}
}

// rows are the rows of the ledger.
func (r *rig) rows() []cash.Entry {
	r.t.Helper()
	rows, err := r.ledger.Entries(context.Background(), 0, 1<<20)
	if err != nil {
		r.t.Fatal(err)
	}
	return rows
}

// agrees holds the ledger to what is physically in both machines.
func (r *rig) agrees() {
	r.t.Helper()
	r.until("nothing moves", func() bool { return !r.notes.Truth().Moving && !r.coins.Truth().Moving })
	r.until("the ledger says what is in the machines", func() bool {
		for id, m := range map[cash.DeviceID]*sim.Machine{notesID: r.notes, coinsID: r.coins} {
			balance, err := r.ledger.Balance(context.Background(), id)
			if err != nil {
				r.t.Fatal(err)
			}
			have, want := map[cash.Place]cash.Counts{}, map[cash.Place]cash.Counts{}
			for _, b := range balance {
				add(have, b.Place, b.Value, b.Count)
			}
			tr := m.Truth()
			for place, rows := range map[cash.Place][]sim.Row{cash.Payout: tr.Payout, cash.Cashbox: tr.Cashbox, cash.Escrow: tr.Escrow} {
				for _, row := range rows {
					add(want, place, row.Value, row.Count)
				}
			}
			if fmt.Sprint(have) != fmt.Sprint(want) {
				return false
			}
		}
		return true
	})
}

func add(to map[cash.Place]cash.Counts, place cash.Place, value int64, n int) {
	if n == 0 {
		return
	}
	if to[place] == nil {
		to[place] = cash.Counts{}
	}
	to[place][cash.Denom{Value: value, Currency: "GBP"}] += n
}

// paper returns a body as the paper prints it, without the white space between its members and with a space for a line
// that its printing has broken.
func paper(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "paper", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	whole := regexp.MustCompile(`\n\s+([a-zA-Z])`).ReplaceAll(b, []byte(" $1"))
	var out bytes.Buffer
	if err := json.Compact(&out, whole); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out.String()
}

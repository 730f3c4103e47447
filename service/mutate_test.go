package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"go.uber.org/goleak"

	"coffer/devices/sim"
	"coffer/httpapi/cashdevice"
	"coffer/httpapi/nv9coin"
	"coffer/internal/cash"
)

// fuzzConfig is a recycler and the pair, under both dialects.
const fuzzConfig = `version: 1
lines:
  - port: COM5
    devices:
      - {id: notes, address: 0, sim: spectral-payout, currency: EUR, dataset: [500, 1000, 2000, 5000], levels: {500: 40, 1000: 40}, poll: 10ms}
  - port: COM7
    devices:
      - {id: gbp-notes, address: 0, sim: nv9, currency: GBP, dataset: [500, 1000, 2000, 5000], poll: 10ms, escrow: true}
      - {id: gbp-coins, address: 16, sim: scs, currency: GBP, dataset: [1, 2, 5, 10, 20, 50, 100, 200], levels: {10: 90, 100: 90}, poll: 10ms}
http:
  - {listen: 127.0.0.1:0, serve: [cashdevice, nv9coin], devices: [gbp-notes, gbp-coins]}
  - {listen: 127.0.0.1:0, serve: [ops, simapi]}
  - {listen: 127.0.0.1:0, serve: [cashdevice], dialect: android}
`

// operation is one call of a document, with a body that fits it.
type operation struct {
	method, path string
	doc          *openapi3.Operation
	body         any
	pair         bool // of nv9coin
}

// usualRounds is how many requests a run of the tests makes.
const usualRounds = 5000

// rounds is how many requests this run makes: the usual number, a tenth of it under the race detector, or as REQUESTS
// says.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("REQUESTS")); err == nil {
		return n
	}
	if raced {
		return usualRounds / 10
	}
	return usualRounds
}

// seed is where the dice begin: 1, or as SEED says.
func seed() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		return n
	}
	return 1
}

// TestMutatedRequests throws requests that are nearly right at every operation of both device APIs, in both dialects of
// the first. Nothing answers 5xx but as documented, nothing panics or has the log call for the operator, nothing leaks,
// and a refused call moves no money.
func TestMutatedRequests(t *testing.T) {
	before := goleak.IgnoreCurrent()
	files := descriptors()
	func() {
		set := settingsFor(t, fuzzConfig, t.TempDir())
		for i := range set.cfg.Lines {
			set.cfg.Lines[i].ReplyTimeout = 80 * time.Millisecond // nobody is at the addresses that dice ask for
		}
		a, stop := start(t, set)
		ready(t, a.servers[1].URL())
		if err := a.world.SetSpeed(1000); err != nil {
			t.Fatal(err)
		}
		f := newFuzzer(t, a)
		for i := range rounds() {
			if i%50 == 0 {
				f.refresh()
			}
			if i == 0 {
				f.routines = runtime.NumGoroutine()
			}
			f.one(i)
			if t.Failed() {
				t.Fatalf("round %d with SEED=%d", i, seed())
			}
		}
		f.client.CloseIdleConnections()
		f.closing()
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "goroutines end", func() error { return goleak.Find(before) })
	eventually(t, "descriptors are closed", func() error {
		if now := descriptors(); now > files {
			return fmt.Errorf("%d files are open, %d were before", now, files)
		}
		return nil
	})
}

// descriptors counts the open files of this process, 0 where the system does not say.
func descriptors() int {
	if runtime.GOOS != "linux" {
		return 0
	}
	list, _ := os.ReadDir("/proc/self/fd")
	return len(list)
}

// fuzzer makes requests and looks at the answers.
type fuzzer struct {
	t      *testing.T
	app    *app
	rnd    *rand.Rand
	client *http.Client
	bases  []string // of the default dialect and of android
	token  string
	ops    []operation
	ids    []string // deviceIDs that are open
	seen   map[int]int
	opened []string // operations that calls began which were refused
	told   *logCatcher

	routines int // goroutines in the beginning
}

// logCatcher keeps the lines of the log that the operator must look at: a panic is one, and nothing that a caller can say
// is.
type logCatcher struct {
	mu    sync.Mutex
	lines []string
}

func (c *logCatcher) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if bytes.Contains(b, []byte("level=error")) || bytes.Contains(b, []byte("panic")) {
		c.lines = append(c.lines, string(b))
	}
	return len(b), nil
}

// take returns the lines since the last call.
func (c *logCatcher) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.lines = nil }()
	return c.lines
}

func newFuzzer(t *testing.T, a *app) *fuzzer {
	f := &fuzzer{
		t: t, app: a, rnd: rand.New(rand.NewPCG(seed(), 0)), bases: []string{a.servers[0].URL(), a.servers[2].URL()}, seen: map[int]int{}, told: &logCatcher{},
		client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{}},
	}
	a.log.SetOutput(f.told)
	if rounds() > usualRounds {
		a.log.Mute() // nobody reads a hundred megabytes
	}
	for pair, doc := range map[bool][]byte{false: cashdevice.OpenAPI, true: nv9coin.OpenAPI} {
		f.read(doc, pair)
	}
	slices.SortFunc(f.ops, func(a, b operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	if len(f.ops) < 50 {
		t.Fatalf("%d operations", len(f.ops))
	}
	return f
}

// read takes the operations of a document.
func (f *fuzzer) read(text []byte, pair bool) {
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		f.t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			o := operation{method: method, path: path, doc: op, pair: pair}
			if op.RequestBody != nil {
				if media := op.RequestBody.Value.Content.Get("application/json"); media != nil && media.Schema != nil {
					o.body = fitting(media.Schema.Value, 0)
				}
			}
			f.ops = append(f.ops, o)
		}
	}
}

// fitting makes a value that fits a schema.
func fitting(s *openapi3.Schema, depth int) any {
	switch {
	case s == nil || depth > 6:
		return nil
	case len(s.Examples) > 0:
		return s.Examples[0]
	case s.Example != nil:
		return s.Example
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return fitting(s.OneOf[0].Value, depth+1)
	case len(s.AnyOf) > 0:
		return fitting(s.AnyOf[0].Value, depth+1)
	case s.Type.Includes("boolean"):
		return true
	case s.Type.Includes("integer"), s.Type.Includes("number"):
		return 1
	case s.Type.Includes("string"):
		return "500 EUR"
	case s.Type.Includes("array"):
		if s.Items == nil {
			return []any{}
		}
		return []any{fitting(s.Items.Value, depth+1), fitting(s.Items.Value, depth+1)}
	}
	out := map[string]any{}
	for name, p := range s.Properties {
		good, known := usual[strings.ToLower(name)]
		switch {
		case strings.Contains(strings.ToLower(name), "file"): // nobody is to write where dice say
		case known:
			out[name] = good
		default:
			out[name] = fitting(p.Value, depth+1)
		}
	}
	return out
}

// usual are values of members that a machine here understands; at other addresses nobody answers for seconds.
var usual = map[string]any{
	"comport": "COM5", "port": "COM5", "sspaddress": 0, "enckey": json.Number("81985526925837671"), "value": 500, "countrycode": "EUR",
	"username": "admin", "currentusername": "admin",
}

// refresh opens the machines again, since calls close them, and has customers put something in.
func (f *fuzzer) refresh() {
	f.t.Helper()
	web := &web{t: f.t, http: f.client, base: f.bases[0]}
	if f.token == "" {
		f.token = web.login("admin", "password")
	}
	web.token = f.token
	f.ids = nil
	for _, web.base = range f.bases {
		f.open(web, `{"ComPort":"COM5","SspAddress":0,"EnableAcceptor":true,"EnablePayout":true,"EnableAutoAcceptEscrow":true}`)
		f.open(web, `{"ComPort":"COM7","SspAddress":16,"EnableAcceptor":true}`)
	}
	for _, m := range f.app.world.Machines() {
		in := map[string]sim.Insert{"spectral-payout": {Value: 500, Currency: "EUR", Count: 1}, "nv9": {Value: 500, Currency: "GBP", Count: 1}, "scs": {Value: 10, Currency: "GBP", Count: 1}}[m.Profile()]
		_, _ = m.Insert(in) // whether it is taken depends on what the calls before did
	}
}

// open opens a machine, once whatever a call before has begun with it is over. Its time to answer is short here, so that
// a computer that does much else may lose it for a while.
func (f *fuzzer) open(web *web, body string) {
	f.t.Helper()
	within(f.t, 5*patience, "OpenConnection", func() error {
		code, text, _ := web.do("POST", "/api/CashDevice/OpenConnection", body)
		var got struct{ DeviceID string }
		if err := json.Unmarshal([]byte(text), &got); err != nil || code != 200 {
			return fmt.Errorf("%d %s", code, text)
		}
		f.ids = append(f.ids, got.DeviceID)
		return nil
	})
}

// one makes one request and looks at its answer.
func (f *fuzzer) one(round int) {
	f.t.Helper()
	o := f.ops[f.rnd.IntN(len(f.ops))]
	head := f.head()
	req, what := f.request(o)
	resp, err := f.client.Do(req)
	if err != nil {
		var late interface{ Timeout() bool }
		f.t.Errorf("round %d: %s: %v (timeout %v)", round, what, err, errors.As(err, &late) && late.Timeout())
		return
	}
	b, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		f.t.Errorf("round %d: %s: %v", round, what, err)
	}
	f.seen[resp.StatusCode]++
	if resp.StatusCode >= 500 && (o.doc.Responses.Status(resp.StatusCode) == nil || strings.Contains(string(b), "nternal")) {
		f.t.Errorf("round %d: %s: %d %s", round, what, resp.StatusCode, b)
	}
	if lines := f.told.take(); lines != nil {
		f.t.Errorf("round %d: %s: %s", round, what, lines)
	}
	if resp.StatusCode >= 400 {
		f.untouched(round, what, head)
	}
}

func (f *fuzzer) head() int64 {
	f.t.Helper()
	n, err := f.app.ledger.Head(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

// untouched notes what a refused call has begun, and fails for what it has booked.
func (f *fuzzer) untouched(round int, what string, head int64) {
	f.t.Helper()
	rows, err := f.app.ledger.Entries(context.Background(), head, 1000)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range rows {
		switch {
		case e.Kind == cash.KindAdjust:
			f.t.Errorf("round %d: %s is refused and writes %+v", round, what, e)
		case e.Kind == cash.KindOperation && strings.HasPrefix(e.Detail, "opened"):
			f.opened = append(f.opened, e.Op)
		}
	}
}

// closing waits for the end of everything and looks at the whole: what refused calls began has moved nothing, and the
// ledger holds together.
func (f *fuzzer) closing() {
	f.t.Helper()
	eventually(f.t, "what calls began has ended", func() error {
		if now := runtime.NumGoroutine(); now > f.routines+5 {
			return fmt.Errorf("%d goroutines, there were %d", now, f.routines)
		}
		return nil
	})
	eventually(f.t, "operations end", func() error {
		open, err := f.app.ledger.OpenOps(context.Background(), "")
		if err == nil && len(open) > 0 {
			err = fmt.Errorf("open: %+v", open)
		}
		return err
	})
	for _, id := range f.opened {
		op, _, err := f.app.ledger.Op(context.Background(), id)
		if err != nil || op.State != cash.OpFailed || op.Paid.Pieces() != 0 {
			f.t.Errorf("a refused call began %+v (%v)", op, err)
		}
	}
	rows, err := f.app.ledger.Entries(context.Background(), 0, 1<<30)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range rows {
		if e.Kind == cash.KindDiscrepancy {
			f.t.Errorf("discrepancy %+v", e)
		}
	}
	f.t.Logf("answers by status: %v; %d rows in the ledger", f.seen, len(rows))
	if f.seen[200] == 0 || f.seen[400] == 0 || f.seen[404] == 0 {
		f.t.Error("the dice are loaded")
	}
}

// request makes a request of o, with up to three things wrong with it.
func (f *fuzzer) request(o operation) (*http.Request, string) {
	f.t.Helper()
	m := &mutant{f: f, op: o, method: o.method, path: o.path, header: http.Header{}, query: url.Values{}}
	m.header.Set("Content-Type", "application/json")
	m.header.Set("Authorization", "Bearer "+f.token)
	if o.pair {
		m.header.Set("Authorization", "Basic a2l0dGVuczphcmVzb2xvdmVseQ==")
	}
	for _, p := range o.doc.Parameters {
		if p.Value.In == "query" {
			m.query.Set(p.Value.Name, fmt.Sprint(fitting(p.Value.Schema.Value, 0)))
		}
	}
	if !o.pair {
		m.query.Set("deviceID", f.ids[f.rnd.IntN(len(f.ids))])
	}
	if o.body != nil {
		m.body = m.encode(o.body)
	}
	if strings.HasSuffix(o.path, "/Dispense") && f.rnd.IntN(2) == 0 {
		m.body = []byte(order(fmt.Sprintf("0.%d", f.rnd.IntN(100)), nv9coin.DefaultPassword))
	}
	for range f.rnd.IntN(4) {
		m.mutate()
	}
	base := f.bases[0]
	if !o.pair && f.rnd.IntN(4) == 0 {
		base = f.bases[1]
	}
	target := m.path
	if len(m.query) > 0 {
		target += "?" + m.query.Encode()
	}
	req, err := http.NewRequest(http.MethodPost, base, strings.NewReader(string(m.body)))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Method, req.Header = m.method, m.header
	req.URL.Opaque = "//" + strings.TrimPrefix(base, "http://") + target // as it is, byte for byte
	return req, fmt.Sprintf("%s %s %.300s", m.method, target, m.body)
}

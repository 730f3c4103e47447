package service

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"coffer/internal/journal"
	"coffer/service/config"
	"coffer/service/logging"
)

const small = `version: 1
lines:
  - port: COM5
    devices:
      - {id: notes, address: 0, sim: spectral-payout, currency: EUR, dataset: [500, 1000], levels: {500: 4}, poll: 20ms, auto_clear_cashbox: true}
http:
  - {listen: 127.0.0.1:0, serve: [cashdevice]}
  - {listen: 127.0.0.1:0, serve: [journalapi, simapi, ops]}
`

// settingsFor reads a configuration; what is logged goes to the test's output.
func settingsFor(t *testing.T, text, dir string) settings {
	t.Helper()
	cfg, err := config.Parse("test.yaml", []byte(text), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	log := logging.New(cfg.Log, dir, t.Output())
	t.Cleanup(func() { log.Close() })
	return settings{cfg: cfg, dir: dir, log: log}
}

// start runs a coffer in this process until the test ends, or until the returned function has stopped it.
func start(t *testing.T, s settings) (a *app, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	a, err := build(ctx, s)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	up, done := make(chan struct{}), make(chan error, 1)
	a.announce = func() { close(up) }
	go func() { done <- a.run(ctx) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() { stop() })
	select {
	case <-up:
	case <-time.After(patience):
		t.Fatal("it does not get up")
	}
	return a, stop
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func ready(t *testing.T, main string) {
	t.Helper()
	eventually(t, "ready", func() error {
		if code, body := get(t, main+"/readyz"); code != http.StatusOK {
			return errors.New(body)
		}
		return nil
	})
}

// TestEndpointsFile follows run/endpoints.json through a life: a dead process's is replaced, it names what is served and
// works, it goes at a clean stop.
func TestEndpointsFile(t *testing.T) {
	dir := t.TempDir()
	if err := writeRun(dir, endpointsFile, endpoints{"pid": 1, "main": "http://127.0.0.1:1", "fleet": "x"}); err != nil {
		t.Fatal(err)
	}
	a, stop := start(t, settingsFor(t, small, dir))
	var e endpoints
	if err := readRun(dir, endpointsFile, &e); err != nil {
		t.Fatal(err)
	}
	if len(e) != 3 || e["pid"] != float64(os.Getpid()) || e.url("cashdevice") == "" || e.url("main") == "" {
		t.Errorf("endpoints %v", e)
	}
	ready(t, e.url("main"))
	if code, body := get(t, e.url("main")+"/sim/v1/machines"); code != 200 || !strings.Contains(body, "spectral-payout") {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := get(t, e.url("main")+"/journal/v1/balance"); code != http.StatusUnauthorized {
		t.Errorf("balance without a token: %d", code)
	}
	// What the ids of machines are is known by now, and so which cashboxes clear themselves.
	if d, ok := a.station.Device("spectral_payout-com5"); !ok || d.Snapshot().ConfigID != "notes" {
		t.Errorf("device: %v", ok)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "run", endpointsFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the stop: %v", err)
	}
}

// TestEndpointsFileOnceTheDiskTakesIt: what cannot be written at start, as on a full disk, is written when it can.
func TestEndpointsFileOnceTheDiskTakesIt(t *testing.T) {
	dir := t.TempDir()
	inTheWay := filepath.Join(dir, "run", endpointsFile, "in the way")
	if err := os.MkdirAll(inTheWay, 0o755); err != nil {
		t.Fatal(err)
	}
	start(t, settingsFor(t, small, dir))
	if err := os.RemoveAll(filepath.Dir(inTheWay)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "endpoints.json", func() error {
		var e endpoints
		return readRun(dir, endpointsFile, &e)
	})
}

// TestOnlyWhatIsServed: endpoints.json does not name what is not there.
func TestOnlyWhatIsServed(t *testing.T) {
	dir := t.TempDir()
	start(t, settingsFor(t, "version: 1\nhttp:\n  - {listen: 127.0.0.1:0, serve: [ops, simapi]}\n", dir))
	var e endpoints
	if err := readRun(dir, endpointsFile, &e); err != nil || len(e) != 2 || e.url("main") == "" {
		t.Errorf("%v %v", e, err)
	}
	if code, _ := get(t, e.url("main")+"/sim/v1/machines"); code != http.StatusNotFound {
		t.Errorf("simulator without simulated lines: %d", code)
	}
	if code, body := get(t, e.url("main")+"/openapi/"); code != 200 || strings.Contains(body, "cashdevice") || !strings.Contains(body, "ops.yaml") {
		t.Errorf("documents: %d %s", code, body)
	}
}

// TestPortInUse: one line, and nothing is left behind: the same directory starts with a port that is free.
func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	text := strings.Replace(small, "127.0.0.1:0, serve: [cashdevice]", l.Addr().String()+", serve: [cashdevice]", 1)
	_, err = build(t.Context(), settingsFor(t, text, dir))
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	_, stop := start(t, settingsFor(t, small, dir))
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestDirectoryInUse: a second coffer on the same data says whose it is.
func TestDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	start(t, settingsFor(t, small, dir))
	if _, err := build(t.Context(), settingsFor(t, small, dir)); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("%v", err)
	}
}

// TestLedgerWillNotOpen: coffer stays up, says why, takes nothing, and goes on once the ledger opens.
func TestLedgerWillNotOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, journal.FileName)
	if err := os.MkdirAll(file+"/x", 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	a, err := build(ctx, settingsFor(t, small, dir))
	if err != nil {
		t.Fatal(err)
	}
	a.ledger.retry = 10 * time.Millisecond
	up, done := make(chan struct{}), make(chan error, 1)
	a.announce = func() { close(up) }
	go func() { done <- a.run(ctx) }()
	<-up
	main := a.servers[1].URL()
	if code, body := get(t, main+"/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, journal.FileName) {
		t.Errorf("readyz %d %s", code, body)
	}
	if code, _ := get(t, main+"/healthz"); code != http.StatusOK {
		t.Errorf("healthz %d", code)
	}
	if m, ok := a.world.Machine("COM5", 0); !ok || m.Truth().Enabled {
		t.Error("the acceptor is on without a ledger")
	}
	if err := os.RemoveAll(file); err != nil {
		t.Fatal(err)
	}
	ready(t, main)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestCommands runs the commands that ask a running coffer, which they find by its data directory.
func TestCommands(t *testing.T) {
	dir := t.TempDir()
	a, stop := start(t, settingsFor(t, small, dir))
	env := map[string]string{"COFFER_DATA_DIR": dir}
	eventually(t, "machine ready", func() error {
		if got := coffer(t, env, "device", "status", "notes", "--json"); !strings.Contains(got.out, `"ready":true`) {
			return missing("ready in " + got.out + got.err)
		}
		return nil
	})
	for _, c := range []struct {
		args string
		want []string
	}{
		{"device list", []string{"SPECTRAL_PAYOUT-COM5", "COM5", "true"}},
		{"device list --json", []string{`"config_id":"notes"`}},
		{"device status", []string{"SPECTRAL_PAYOUT-COM5", "4 × 5.00 EUR"}},
		{"device trace COM5", []string{"->", "POLL"}},
		{"device trace COM5 --json", []string{`"dir":"->"`}},
		{"sim list", []string{"spectral-payout"}},
		{"sim show com5", []string{"at COM5", "power on, plugged in", "4 ×"}},
		{"sim show COM5 --json", []string{`"profile":"spectral-payout"`}},
		{"sim insert COM5 500 EUR", []string{"inserted"}},
		{"sim fault COM5 jam", []string{"jam"}},
		{"sim fault COM5 unjam", nil},
		{"sim fault COM5 clear --json", []string{`"kind":"clear"`, `"port":"COM5"`}},
		{"sim power COM5 on --json", []string{`"kind":"power_on"`}},
		{"sim fault COM5 bit_flips --rate 0.01", nil},
		{"sim fault COM5 clear", nil},
		{"sim power COM5 on", nil},
		{"journal verify", []string{"ok "}},
		{"journal balance", []string{"SPECTRAL_PAYOUT-COM5", "payout", "20.00 EUR"}},
		{"journal balance --device spectral_payout-com5", []string{"SPECTRAL_PAYOUT-COM5", "20.00 EUR"}},
		{"journal balance --device NV9-COM5 --json", []string{`{"balances":[]}`}},
		{"journal balance --json", []string{`{"balances":[{"device":"SPECTRAL_PAYOUT-COM5","place":"payout","value":500,"currency":"EUR","count":4}]}`}},
		{"journal export", []string{"first sight"}},
		{"journal export --json", []string{`"kind":"adjust"`}},
		{"journal settle", []string{"no operation is open"}},
		{"journal settle --json", []string{`{"operations":[]}`}},
		// found by address alone, the running coffer says where its data is
		{"journal balance --url " + a.servers[1].URL(), []string{"20.00 EUR"}},
	} {
		got := coffer(t, env, strings.Fields(c.args)...)
		if got.code != 0 {
			t.Errorf("coffer %s: exit %d: %s", c.args, got.code, got.err)
		}
		for _, w := range c.want {
			if !strings.Contains(got.out, w) {
				t.Errorf("coffer %s: no %q in %s", c.args, w, got.out)
			}
		}
	}
	for args, word := range map[string]string{
		"sim insert COM6 500 EUR":           "no simulated machine",
		"device status toaster":             "no device",
		"device trace COM6":                 "device trace: no line COM6; `coffer device list` lists them",
		"sim fault COM5 earthquake":         `coffer: invalid: no fault "earthquake"; there are bit_flips, calibration_fail,`,
		"journal settle op-1 1x500EUR":      "no operation",
		"journal settle op-1 --nothing":     "no operation",
		"sim show COM5 --address 3":         "404",
		"sim insert COM5 500 EUR --count 0": "400",
	} {
		got := coffer(t, env, strings.Fields(args)...)
		if got.code != 1 {
			t.Errorf("coffer %s: exit %d", args, got.code)
		}
		oneLineOf(t, got.err, word)
	}
	secret := filepath.Join(dir, "secrets", "jwt") // set aside to be changed; nobody has made the new one yet
	if err := os.Rename(secret, secret+".old"); err != nil {
		t.Fatal(err)
	}
	if got := coffer(t, env, "device", "list"); got.code != 0 {
		t.Errorf("device list while the secret is changed: exit %d: %s", got.code, got.err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	// without a running coffer
	if got := coffer(t, env, "journal", "verify", "--json"); got.code != 0 || !strings.Contains(got.out, `"ok":true`) {
		t.Errorf("%+v", got)
	}
	if got := coffer(t, env, "journal", "settle", "op-1", "--nothing"); got.code != 1 || !strings.Contains(got.err, "no operation") {
		t.Errorf("%+v", got)
	}
}

// TestSimServe hosts machines in a process of their own (here, a part of this one) and runs coffer over them: the
// configuration it leaves has links in place of machines, and the same names.
func TestSimServe(t *testing.T) {
	simDir, dir := t.TempDir(), t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	up, done := make(chan simRun, 1), make(chan error, 1)
	go func() { done <- serveSim(ctx, settingsFor(t, small, simDir), func(r simRun) { up <- r }) }()
	run := <-up
	var onDisk simRun
	if err := readRun(simDir, simFile, &onDisk); err != nil || onDisk.Control != run.Control || onDisk.PID != os.Getpid() {
		t.Errorf("%v: %+v", err, onDisk)
	}
	text, err := os.ReadFile(run.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"sim:", "dataset:", "levels:"} {
		if strings.Contains(string(text), bad) {
			t.Errorf("%s holds %s", text, bad)
		}
	}
	if !strings.Contains(string(text), "extensions: true") {
		t.Errorf("%s does not say that the machines are simulated", text)
	}
	a, stop := start(t, settingsFor(t, string(text), dir))
	ready(t, a.servers[1].URL())
	if a.world != nil {
		t.Error("coffer has a simulator of its own")
	}
	if got := coffer(t, map[string]string{"COFFER_DATA_DIR": dir}, "device", "list"); !strings.Contains(got.out, "SPECTRAL_PAYOUT-COM5") {
		t.Errorf("%+v", got)
	}
	if got := coffer(t, map[string]string{"COFFER_DATA_DIR": simDir}, "sim", "show", "COM5"); !strings.Contains(got.out, "4 ×") {
		t.Errorf("%+v", got)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(simDir, "run", simFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the stop: %v", err)
	}
}

// TestWireTrace writes what goes over a line to a file of the machine, if asked to, and no keys.
func TestWireTrace(t *testing.T) {
	dir := t.TempDir()
	a, stop := start(t, settingsFor(t, small+"log: {wire_trace: true}\n", dir))
	ready(t, a.servers[1].URL())
	file := filepath.Join(dir, "logs", "wire-COM5-0.log")
	eventually(t, "wire log", func() error {
		b, err := os.ReadFile(file)
		if err == nil && !strings.Contains(string(b), "POLL") {
			err = missing("POLL")
		}
		return err
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(file); err != nil || !strings.Contains(string(b), "->") {
		t.Errorf("%v: %.200s", err, b)
	}
	if got := wireFile("/dev/ttyACM0", 16); got != "logs/wire-_dev_ttyACM0-16.log" {
		t.Error(got)
	}
}

// TestDocuments: every API that is served has a document, which is valid, and whose paths are there.
func TestDocuments(t *testing.T) {
	a, _ := start(t, settingsFor(t, small, t.TempDir()))
	main := a.servers[1].URL()
	for _, name := range []string{"cashdevice", "journal", "sim", "ops"} {
		code, text := get(t, main+"/openapi/"+name+".yaml")
		doc, err := openapi3.NewLoader().LoadFromData([]byte(text))
		if code != 200 || err != nil {
			t.Errorf("%s: %d, %v", name, code, err)
			continue
		}
		if err := doc.Validate(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for path, item := range doc.Paths.Map() {
			if item.Get == nil || name == "cashdevice" {
				continue
			}
			path = strings.NewReplacer("{port}", "COM5", "{address}", "0", "{id}", "x", "{document}", "ops.yaml").Replace(path)
			if _, body := get(t, main+path); strings.TrimSpace(body) == "Not found" {
				t.Errorf("%s: GET %s is not there", name, path)
			}
		}
	}
}

// TestDefaultPassword: what everybody knows opens loopback listeners, and others in the demo alone.
func TestDefaultPassword(t *testing.T) {
	for _, c := range []struct {
		listen string
		demo   bool
		want   int
	}{{"127.0.0.1:0", false, 200}, {"0.0.0.0:0", false, 400}, {"0.0.0.0:0", true, 200}} {
		for _, section := range []string{"cashdevice", "ops"} {
			s := settingsFor(t, "version: 1\nhttp:\n  - {listen: "+c.listen+", serve: ["+section+"]}\n", t.TempDir())
			s.demo = c.demo
			a, stop := start(t, s)
			_, port, _ := net.SplitHostPort(a.servers[0].Addr())
			resp, err := http.Post("http://127.0.0.1:"+port+"/api/Users/Authenticate", "application/json",
				strings.NewReader(`{"Username":"admin","Password":"password"}`))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != c.want {
				t.Errorf("%s at %s, demo %v: %d, want %d", section, c.listen, c.demo, resp.StatusCode, c.want)
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestEndpointNames: a listener with two faces stands under both names.
func TestEndpointNames(t *testing.T) {
	got := endpointNames(config.Listener{Serve: []string{"ops", "cashdevice", "journalapi"}})
	if b, _ := json.Marshal(got); string(b) != `["main","cashdevice"]` {
		t.Errorf("%s", b)
	}
}

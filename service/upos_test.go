package service

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coffer/configs"
	"coffer/service/config"
	"coffer/upos/uposclient"
)

const withTill = `version: 1
lines:
  - port: COM5
    devices:
      - {id: notes, address: 0, sim: spectral-payout, currency: EUR, dataset: [500, 1000, 2000], levels: {500: 4, 1000: 4, 2000: 4}, poll: 20ms}
  - port: COM9
    devices:
      - {id: coins, address: 16, sim: scs, currency: EUR, dataset: [50, 100, 200], levels: {50: 50, 100: 50, 200: 50}, poll: 20ms}
upos:
  - {name: Till1, class: CashChanger, devices: [notes, coins], near_empty: 1, lease: 5s}
  - {name: Bills1, class: BillAcceptor, devices: [notes]}
http:
  - {listen: 127.0.0.1:0, serve: [cashdevice]}
  - {listen: 127.0.0.1:0, serve: [uposapi, journalapi, simapi, ops]}
`

// startTill runs a coffer with a till of two machines that are ready, a hundred times as fast as real ones, and returns
// the address of main.
func startTill(t *testing.T, dir string) (a *app, main string, stop func() error) {
	t.Helper()
	a, stop = start(t, settingsFor(t, withTill, dir))
	main = a.servers[1].URL()
	ready(t, main)
	a.world.SetSpeed(100)
	eventually(t, "machines ready", func() error {
		for _, d := range a.station.Devices() {
			if !d.Snapshot().Ready {
				return missing(string(d.Snapshot().ID) + " ready")
			}
		}
		return nil
	})
	return a, main, stop
}

// TestUposCommands works the till from the command line.
func TestUposCommands(t *testing.T) {
	dir := t.TempDir()
	_, main, _ := startTill(t, dir)
	env := map[string]string{"COFFER_DATA_DIR": dir}
	for _, c := range []struct {
		args string
		code int
		want []string
	}{
		{"upos call Till1 ReadCashCounts", 0, []string{"cashCounts   50:50,100:50,200:50;500:4,1000:4,2000:4\n", "discrepancy  false\n"}},
		{"upos call Till1 ReadCashCounts --json", 0, []string{`{"cashCounts":"50:50,100:50,200:50;500:4,1000:4,2000:4","discrepancy":false}`}},
		{"upos call Till1 DispenseChange amount=650", 0, []string{"done\n"}},
		{"upos call Till1 DispenseCash 100:1;500:1 --request-id once", 0, []string{"done"}},
		{"upos call Till1 DispenseCash 100:1;500:1 --request-id once", 0, []string{"done"}},
		{"upos call Till1 ReadCashCounts", 0, []string{"500:2,1000:4,2000:4\n"}},
		{"upos call Till1 get DepositStatus CapDeposit CurrencyCashList", 0, []string{"DepositStatus     2 (CHAN_STATUS_DEPOSIT_END)", "CapDeposit        true", "50,100,200;500,1000,2000"}},
		{"upos call Till1 get", 0, []string{"State ", "(S_IDLE)", "DeviceEnabled "}},
		{"upos call Till1 --set CurrentExit=2 get CurrentExit --json", 0, []string{`{"CurrentExit":2}`}},
		{"upos call Till1 CheckHealth level=1", 0, []string{"CheckHealthText  Internal HCheck: Successful\n"}},
		{"upos call Till1 CheckHealth 2 --json", 0, []string{`{"CheckHealthText":"External HCheck: Successful"}`}},
		{"upos call Till1 DirectIO command=2", 0, []string{"SPECTRAL_PAYOUT"}},
		{"upos call Bills1 get DepositCashList", 0, []string{";500,1000,2000"}},
		{"upos call Till1 get State --url " + main, 0, []string{"2 (S_IDLE)"}},
		{"upos call Till9 get", 1, []string{"no device Till9", "Till1, Bills1"}},
		{"upos call Till1 get Toast", 2, []string{"no property", "try: coffer upos call Till1 get"}},
		{"upos call Till1 Toast", 2, []string{"ReadCashCounts", "try:"}},
		{"upos call Till1 DispenseChange", 2, []string{"DispenseChange needs amount", "try: coffer upos call Till1 DispenseChange amount=1"}},
		{"upos call Till1 DispenseChange amount=much", 2, []string{"amount=1"}},
		{"upos call Till1 DispenseChange volume=1 speed=2", 2, []string{"volume=1", "amount=1"}},
		{"upos call Till1 DispenseCash ;500:99", 1, []string{"E_EXTENDED (114/201)"}},
		{"upos call Till1 EndDeposit 2", 1, []string{"E_ILLEGAL"}},
		{"upos call Till1 --set CurrencyCode get", 2, []string{"PROPERTY=VALUE"}},
		{"upos call Till1 --set CurrencyCode=USD get", 1, []string{"--set CurrencyCode", "E_ILLEGAL"}},
		{"upos call Till1 --set Toast=1 get", 2, []string{"Toast", "try: "}},
		{"upos call Till1 get --url http://127.0.0.1:1", 1, []string{"no coffer answers", "start it"}},
		{"upos call", 2, []string{"coffer upos call --help"}},
		{"upos call --help", 0, []string{"\n    coffer upos call Till1 ReadCashCounts\n    coffer upos call Till1 DispenseChange amount=500\n"}},
		{"upos deposit Bills1 --repay", 1, []string{"cannot give a deposit back"}},
	} {
		got := coffer(t, env, strings.Fields(c.args)...)
		if got.code != c.code {
			t.Errorf("coffer %s: exit %d: %s%s", c.args, got.code, got.out, got.err)
		}
		for _, w := range c.want {
			if !strings.Contains(got.out+got.err, w) {
				t.Errorf("coffer %s: no %q in %s%s", c.args, w, got.out, got.err)
			}
		}
		if c.code != 0 {
			oneLineOf(t, got.err)
		}
	}
}

// slowRepay answers like a coffer whose machines give back for ten minutes.
type slowRepay struct{ ended bool }

func (s *slowRepay) RoundTrip(r *http.Request) (*http.Response, error) {
	body := `{"handle":"h","class":"CashChanger","name":"Till1","properties":{"DepositAmount":500},"out":{}}`
	if strings.HasSuffix(r.URL.Path, "/EndDeposit") {
		select {
		case <-time.After(10 * time.Minute):
			s.ended = true
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// TestUposLongRepay: giving a deposit back takes as long as it takes. Giving up on it would close the instance, and that
// halts it.
func TestUposLongRepay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := &slowRepay{}
		client := &uposclient.Client{Base: "http://coffer.example", HTTP: &http.Client{Transport: wire}}
		h, err := client.Open(t.Context(), "CashChanger", "Till1")
		if err != nil {
			t.Fatal(err)
		}
		interrupted, stop := context.WithCancel(t.Context())
		stop()
		c := &uposDeposit{Repay: true}
		err = c.end(&uposSession{&session{Stdio{Out: io.Discard}, t.Context()}, &c.uposFlags, h, interrupted})
		if err != nil || !wire.ended {
			t.Errorf("ended %v, %v", wire.ended, err)
		}
	})
}

// TestUposDepositCommand takes money until there is enough, and gives it back.
func TestUposDepositCommand(t *testing.T) {
	dir := t.TempDir()
	a, _, _ := startTill(t, dir)
	env := map[string]string{"COFFER_DATA_DIR": dir}
	done := make(chan shell, 1)
	go func() { done <- coffer(t, env, "upos", "deposit", "Till1", "--amount", "1200", "--repay") }()
	insert := func(port string, address, value int) {
		eventually(t, "the acceptor is on", func() error {
			if m, ok := a.world.Machine(port, address); !ok || !m.Truth().Enabled {
				return missing("enabled acceptor")
			}
			return nil
		})
		if got := coffer(t, env, "sim", "insert", port, "--address", str(address), str(value), "EUR"); got.code != 0 {
			t.Error(got.err)
		}
	}
	insert("COM9", 16, 200)
	insert("COM5", 0, 1000)
	got := <-done
	if got.code != 0 || !strings.Contains(got.out, "taken and given back: 1200 EUR (50:0,100:0,200:1;500:0,1000:1,2000:0)") {
		t.Errorf("%+v", got)
	}
	if back := coffer(t, env, "upos", "call", "Till1", "ReadCashCounts"); !strings.Contains(back.out, "50:50,100:50,200:50;500:4,1000:4,2000:4") {
		t.Errorf("%+v", back)
	}
}

func str(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

// TestUposClaimBindsREST: while a UnifiedPOS instance holds the claim, calls of the Cash Device API that move money are
// answered 400 with the word BUSY, and reading goes on.
func TestUposClaimBindsREST(t *testing.T) {
	dir := t.TempDir()
	a, main, _ := startTill(t, dir)
	token, err := a.tokens.Issue("anna")
	if err != nil {
		t.Fatal(err)
	}
	rest := func(method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, a.servers[0].URL()+"/api/CashDevice/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var b strings.Builder
		if err := resp.Write(&b); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, b.String()
	}
	if code, body := rest("POST", "OpenConnection", `{"ComPort":"COM5","SspAddress":0,"EnablePayout":true}`); code != 200 {
		t.Fatal(code, body)
	}
	const id = "?deviceID=SPECTRAL_PAYOUT-COM5"
	c := &uposclient.Client{Base: main, Token: token}
	h, err := c.Open(t.Context(), "CashChanger", "Till1")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Claim(t.Context(), patience); err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string]string{
		"DispenseValue" + id:  `{"Value":500,"CountryCode":"EUR"}`,
		"EnableAcceptor" + id: "",
	} {
		if code, got := rest("POST", path, body); code != 400 || !strings.Contains(got, "BUSY") {
			t.Errorf("%s during the claim: %d %s", path, code, got)
		}
	}
	if code, got := rest("GET", "GetAllLevels"+id, ""); code != 200 || !strings.Contains(got, `"stored":4`) {
		t.Errorf("levels during the claim: %d %s", code, got)
	}
	for body, want := range map[string]string{ // a client that comes later opens it for reading
		`{"ComPort":"COM9","SspAddress":16}`:                      `"deviceError":"NONE"`,
		`{"ComPort":"COM5","SspAddress":0,"EnableAcceptor":true}`: `"deviceError":"DEVICE_BUSY (CLAIMED)"`,
	} {
		if code, got := rest("POST", "OpenConnection", body); code != 200 || !strings.Contains(got, want) || !strings.Contains(got, `"acceptorEnabled":false`) {
			t.Errorf("OpenConnection %s during the claim: %d %s", body, code, got)
		}
	}
	if code, got := rest("GET", "GetAllLevels?deviceID=SMART_COIN_SYSTEM-COM9", ""); code != 200 || !strings.Contains(got, `"stored":50`) {
		t.Errorf("levels of a machine that was opened during the claim: %d %s", code, got)
	}
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code, got := rest("POST", "DispenseValue"+id, `{"Value":500,"CountryCode":"EUR"}`); code != 200 {
		t.Errorf("after the release: %d %s", code, got)
	}
}

// TestUposDocuments: what a listener serves has its documents, and the example page needs no token.
func TestUposDocuments(t *testing.T) {
	a, _ := start(t, settingsFor(t, withTill, t.TempDir()))
	main := a.servers[1].URL()
	for path, want := range map[string]string{
		"/openapi/":                 "upos-events.yaml",
		"/openapi/upos.yaml":        "openapi: 3.1.0",
		"/openapi/upos-events.yaml": "asyncapi: 3.0.0",
		"/upos/v1/example":          "<!doctype html>",
		"/openapi/journal.yaml":     "openapi: 3.1.0",
	} {
		if code, body := get(t, main+path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.200s", path, code, body)
		}
	}
	if code, _ := get(t, main+"/upos/v1/devices"); code != http.StatusUnauthorized {
		t.Errorf("devices without a token: %d", code)
	}
}

// TestUposStop: a stop settles a deposit that nobody ended, and the acceptors are off.
func TestUposStop(t *testing.T) {
	dir := t.TempDir()
	a, main, stop := startTill(t, dir)
	token, err := a.tokens.Issue("anna")
	if err != nil {
		t.Fatal(err)
	}
	h, err := (&uposclient.Client{Base: main, Token: token}).Open(t.Context(), "CashChanger", "Till1")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if err := h.Claim(ctx, patience); err != nil {
		t.Fatal(err)
	}
	if err := h.Enable(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Call(ctx, "BeginDeposit", nil); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 15*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

// TestUposClassOfMachine: a class that the machine cannot be is refused where its kind is known.
func TestUposClassOfMachine(t *testing.T) {
	for line, word := range map[string]string{
		"{name: A, class: BillAcceptor, devices: [coins]}":       "no machine for that",
		"{name: A, class: BillDispenser, devices: [coins]}":      "no machine for that",
		"{name: A, class: CoinAcceptor, devices: [notes]}":       "no machine for that",
		"{name: A, class: CoinDispenser, devices: [notes]}":      "no machine for that",
		"{name: A, class: BillDispenser, devices: [plain]}":      "has a store to pay from",
		"{name: A, class: CashChanger, devices: [plain]}":        "has a store to pay from",
		"{name: A, class: CashChanger, devices: [toast]}":        "not the id of a machine",
		"{name: A, class: CashDrawer, devices: [notes]}":         "drawer",
		"{name: A, class: CashChanger, devices: [notes, plain]}": "",
		"{name: A, class: CoinDispenser, devices: [coins]}":      "",
		"{name: A, class: BillAcceptor, devices: [plain]}":       "",
	} {
		text := withTill[:strings.Index(withTill, "upos:")] + "  - port: COM1\n    devices:\n      - {id: plain, address: 0, sim: nv200, currency: EUR, dataset: [500]}\nupos:\n  - " + line + "\n"
		got := coffer(t, nil, "config", "check", "--config", write(t, "c.yaml", text), "--data-dir", t.TempDir())
		if word == "" {
			if got.code != 0 {
				t.Errorf("%s: %s", line, got.err)
			}
			continue
		}
		if got.code != 1 {
			t.Errorf("%s: exit %d", line, got.code)
		}
		if word == "no machine for that" || word == "has a store to pay from" {
			startRefused(t, text, word)
		}
		oneLineOf(t, got.err, word)
		if !strings.Contains(got.err, "(line ") || !strings.Contains(got.err, line) {
			t.Errorf("%s: its place is not in %s", line, got.err)
		}
	}
}

// startRefused checks that a start says what the check says, before it opens anything.
func startRefused(t *testing.T, text, word string) {
	t.Helper()
	dir := t.TempDir()
	s := settingsFor(t, text, dir)
	a, err := build(t.Context(), s)
	if err == nil {
		a.close()
		t.Fatal("it starts all the same")
	}
	if !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), "(line ") {
		t.Errorf("the start says %v", err)
	}
	if _, err := os.Stat(dir + "/journal.db"); err == nil {
		t.Error("the ledger was opened")
	}
}

// TestDemoUpos holds the demo's devices to the contract (section 5), as far as their machines exist.
func TestDemoUpos(t *testing.T) {
	cfg, err := config.Parse("demo.yaml", configs.Demo, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]string{}
	for _, l := range cfg.Lines {
		for _, d := range l.Devices {
			places[d.ID] = l.Port + "/" + str(int(d.Address))
		}
	}
	got := map[string]string{}
	for _, d := range cfg.UPOS {
		text := string(d.Class)
		for _, id := range d.Devices {
			text += " " + places[id]
		}
		got[d.Name] = text
	}
	for name, want := range map[string]string{
		"Till1": "CashChanger COM5/0 COM9/16", "Coins1": "CoinAcceptor COM11/16", "Bills1": "BillAcceptor COM15/0", "Bills2": "BillDispenser COM12/0",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

// printed collects what a command or a log prints while it runs.
type printed struct {
	mu sync.Mutex
	b  strings.Builder
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// TestUposLiveCommands: watch and deposit run until they are interrupted, end properly then, and leave the device free.
func TestUposLiveCommands(t *testing.T) {
	dir := t.TempDir()
	startTill(t, dir)
	env := map[string]string{"COFFER_DATA_DIR": dir}
	lookup := func(n string) (string, bool) { v, ok := env[n]; return v, ok }
	for _, c := range []struct{ args, shows, ends string }{
		{"upos watch Till1", "SUE_POWER_ONLINE  PowerState=2001", "watching Till1 (CashChanger)"},
		{"upos watch Till1 --json", `"event":"StatusUpdateEvent"`, `"status":2001`},
		{"upos deposit Till1", "SUE_POWER_ONLINE", "taken: 0 EUR (50:0,100:0,200:0;500:0,1000:0,2000:0)"},
		{"upos deposit Bills1 --json", `"status":2001`, `{"currency":"EUR","depositAmount":0,"depositCounts":";500:0,1000:0,2000:0","repaid":false}`},
	} {
		ctx, interrupt := context.WithCancel(t.Context())
		var out, errs printed
		code := make(chan int, 1)
		go func() { code <- Main(ctx, strings.Fields(c.args), Stdio{strings.NewReader(""), &out, &errs, lookup}) }()
		eventually(t, c.args, func() error {
			if !strings.Contains(out.String(), c.shows) {
				return missing(c.shows + " in " + out.String() + errs.String())
			}
			return nil
		})
		if got := coffer(t, env, "upos", "call", "Till1", "ReadCashCounts", "--wait", "0s"); got.code != 1 || !strings.Contains(got.err, "another program has claimed it") {
			t.Errorf("%s: beside it: %+v", c.args, got)
		}
		interrupt()
		if n := <-code; n != 0 || !strings.Contains(out.String(), c.ends) {
			t.Errorf("%s: exit %d, printed %s%s", c.args, n, out.String(), errs.String())
		}
		if got := coffer(t, env, "upos", "call", "Till1", "ReadCashCounts", "--wait", "0s"); got.code != 0 {
			t.Errorf("%s: after it: %s", c.args, got.err)
		}
	}
}

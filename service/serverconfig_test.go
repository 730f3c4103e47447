package service

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coffer/internal/proof"
)

// The maker's serverconfig.json: its port is listened on, its origins are allowed, and a cashbox that was away counts as
// emptied.
func TestServerConfigTakesEffect(t *testing.T) {
	t.Run("ITL-C1 serverconfig.json/SPECTRAL_PAYOUT", serverConfig)
}

func serverConfig(t *testing.T) {
	proof.Of(t)
	port := freePort(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "serverconfig.json")
	text := fmt.Sprintf(`{"Port": %d, "AllowedOrigins": "http://till.example", "AutoClearingCashboxLevels": true}`, port)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := strings.Replace(small, ", auto_clear_cashbox: true", "", 1)
	cfg = strings.Replace(cfg, "serve: [cashdevice]", "serve: [cashdevice], serverconfig: "+file, 1)
	a, _ := start(t, settingsFor(t, cfg, dir))
	ready(t, a.endpoints()["main"].(string))
	rest := fmt.Sprintf("http://127.0.0.1:%d", port)
	if got := a.endpoints()["cashdevice"]; got != rest {
		t.Fatalf("listens on %v, want %s", got, rest)
	}
	c := makersClient{t: t, base: rest}
	resp := c.send("OPTIONS", "/api/CashDevice/GetAllLevels", "", "Origin", "http://till.example", "Access-Control-Request-Method", "GET")
	if resp.header.Get("Access-Control-Allow-Origin") != "http://till.example" {
		t.Errorf("preflight: %d %v", resp.status, resp.header)
	}
	var login struct{ Token string }
	if err := json.Unmarshal([]byte(c.send("POST", "/api/Users/Authenticate", `{"Username":"admin","Password":"password"}`).body), &login); err != nil {
		t.Fatal(err)
	}
	c.token = login.Token
	c.ok("POST", "/api/CashDevice/OpenConnection", `{"ComPort":"COM5","EnableAcceptor":true,"EnableAutoAcceptEscrow":true,"SetRoutes":[{"Denomination":"1000 EUR","Route":0}]}`)
	const id = "?deviceID=SPECTRAL_PAYOUT-COM5"
	boxed := func(n int) {
		t.Helper()
		want := fmt.Sprintf(`{"value":1000,"countryCode":"EUR","storedInCashbox":%d}`, n)
		deadline := time.Now().Add(patience)
		for got := ""; !strings.Contains(got, want); {
			if got = c.ok("GET", "/api/CashDevice/GetNoteCashboxLevels"+id, ""); time.Now().After(deadline) {
				t.Fatalf("%s, want %s", got, want)
			}
		}
	}
	main := makersClient{t: t, base: a.endpoints()["main"].(string)}
	main.ok("PUT", "/sim/v1/speed", `{"factor":200}`)
	main.ok("POST", "/sim/v1/machines/COM5/0/insert", `{"value":1000,"currency":"EUR","count":1}`)
	boxed(1)
	main.ok("POST", "/sim/v1/machines/COM5/0/fault", `{"kind":"cashbox_removed"}`)
	c.told("CASHBOX_REMOVED", id)
	main.ok("POST", "/sim/v1/machines/COM5/0/fault", `{"kind":"cashbox_replaced","empty":true}`)
	boxed(0)
}

// freePort returns a port that nobody listens on, from below those that systems give to whoever asks for any: so nobody
// gets it until it is used, nor does a run of these tests beside this one, which begins elsewhere.
func freePort(t *testing.T) int {
	t.Helper()
	for i := range 10_000 {
		port := 20_000 + (os.Getpid()*7+i)%10_000
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// makersClient calls over HTTP as the maker's clients do.
type makersClient struct {
	t           *testing.T
	base, token string
}

type makersAnswer struct {
	status int
	header http.Header
	body   string
}

func (c makersClient) send(method, path, body string, header ...string) makersAnswer {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return makersAnswer{resp.StatusCode, resp.Header, string(b)}
}

func (c makersClient) ok(method, path, body string) string {
	c.t.Helper()
	a := c.send(method, path, body)
	if a.status/100 != 2 {
		c.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	return a.body
}

// told polls GetDeviceStatus until it tells word.
func (c makersClient) told(word, id string) {
	c.t.Helper()
	deadline := time.Now().Add(patience)
	for !strings.Contains(c.ok("GET", "/api/CashDevice/GetDeviceStatus"+id, ""), `"`+word+`"`) {
		if time.Now().After(deadline) {
			c.t.Fatalf("%s is not told", word)
		}
	}
}

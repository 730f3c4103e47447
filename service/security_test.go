package service

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"coffer/httpapi"
	"coffer/httpapi/nv9coin"
)

// pairConfig is the demo's COM7 under both dialects.
const pairConfig = `version: 1
log: {level: debug, file: logs/coffer.log, wire_trace: true}
lines:
  - port: COM7
    devices:
      - {id: gbp-notes, address: 0, sim: nv9, currency: GBP, dataset: [500, 1000, 2000, 5000], poll: 20ms, escrow: true}
      - {id: gbp-coins, address: 16, sim: scs, currency: GBP, dataset: [1, 2, 5, 10, 20, 50, 100, 200], levels: {10: 50, 100: 50}, poll: 20ms}
http:
  - {listen: 127.0.0.1:0, serve: [cashdevice, nv9coin], devices: [gbp-notes, gbp-coins]}
  - {listen: 127.0.0.1:0, serve: [journalapi, simapi, ops]}
`

// web asks as a client with Basic credentials, or a token.
type web struct {
	t     *testing.T
	http  *http.Client
	base  string
	name  string
	pass  string
	token string
}

func (w *web) do(method, path, body string, header ...string) (int, string, http.Header) {
	w.t.Helper()
	req, err := http.NewRequest(method, w.base+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if w.name != "" {
		req.SetBasicAuth(w.name, w.pass)
	}
	if w.token != "" {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := w.http.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

const pairPath = "/DeviceService/ITL/NV9AndCoin/"

// login is Authenticate; it returns the token, "" where it is refused.
func (w *web) login(name, password string) string {
	w.t.Helper()
	_, body, _ := w.do("POST", "/api/Users/Authenticate", fmt.Sprintf(`{"Username":%q,"Password":%q}`, name, password))
	var got struct{ Token string }
	_ = json.Unmarshal([]byte(body), &got)
	return got.Token
}

// order is the body of a Dispense.
func order(amount, password string) string {
	at := time.Now().UTC()
	return fmt.Sprintf(`{"amount":%s,"currency":"GBP","timestamp":%q,"signature":%q}`, amount, at.Format(time.RFC3339), nv9coin.Sign(at, password))
}

// TestSelfSigned: a certificate is made at the first start, is kept, is the owner's alone, and is good for the names of
// this machine; our own commands trust it.
func TestSelfSigned(t *testing.T) {
	dir := t.TempDir()
	text := strings.ReplaceAll(pairConfig, "}\n  - {listen: 127.0.0.1:0, serve: [journalapi", ", tls: {self_signed: true}}\n  - {listen: 127.0.0.1:0, tls: {self_signed: true}, serve: [journalapi")
	file := filepath.Join(dir, "secrets", "tls.pem")
	var first []byte
	for range 2 {
		a, stop := start(t, settingsFor(t, text, dir))
		pem, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = pem
		}
		if !bytes.Equal(pem, first) {
			t.Error("the certificate changed at the second start")
		}
		info, err := os.Stat(file)
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info.Mode(), err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		c := &web{t: t, base: a.servers[0].URL(), name: "kittens", pass: "aresolovely",
			http: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}}
		if !strings.HasPrefix(c.base, "https://") {
			t.Errorf("address %s", c.base)
		}
		if code, body, _ := c.do("GET", pairPath+"Status", ""); code != 200 {
			t.Errorf("%d %s", code, body)
		}
		c.http.CloseIdleConnections()
		own := &client{base: a.servers[1].URL(), dir: dir}
		if err := own.call(t.Context(), http.MethodGet, "/healthz", nil, nil); err != nil {
			t.Errorf("our own command: %v", err)
		}
		stranger := &client{base: a.servers[1].URL(), dir: t.TempDir()}
		if err := stranger.call(t.Context(), http.MethodGet, "/healthz", nil, nil); err == nil {
			t.Error("a stranger trusts it")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
}

// TestDefaultsOfThePair: on a listener that others can reach, neither the credentials nor the dispensing password of a
// fresh installation are good, outside the demo.
func TestDefaultsOfThePair(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "dispense")
	if err := os.WriteFile(secret, []byte("other secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	everywhere := strings.Replace(pairConfig, "127.0.0.1:0, serve: [cashdevice", "0.0.0.0:0, serve: [cashdevice", 1)
	own := strings.Replace(everywhere, "gbp-coins]}", "gbp-coins], dispense_password_file: "+secret+"}", 1)
	for _, tt := range []struct {
		name, config, password string
		demo                   bool
		defaults, dispense     int
	}{
		{"loopback", pairConfig, nv9coin.DefaultPassword, false, 200, 200},
		{"everywhere", everywhere, nv9coin.DefaultPassword, false, 401, 400},
		{"everywhere, demo", everywhere, nv9coin.DefaultPassword, true, 200, 200},
		{"everywhere, own password", own, "other secret", false, 401, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			users, err := httpapi.OpenUsersWith(filepath.Join(dir, "nv9coin-users.yaml"), httpapi.NV9CoinUser, httpapi.NV9CoinPassword, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			if err := users.Set("till", "pass phrase"); err != nil {
				t.Fatal(err)
			}
			s := settingsFor(t, tt.config, dir)
			s.demo = tt.demo
			a, _ := start(t, s)
			ready(t, a.servers[1].URL())
			c := &web{t: t, http: http.DefaultClient, base: a.servers[0].URL(), name: "kittens", pass: "aresolovely"}
			if code, body, _ := c.do("GET", pairPath+"Status", ""); code != tt.defaults {
				t.Errorf("kittens: %d %s", code, body)
			}
			c.name, c.pass = "till", "pass phrase"
			eventually(t, "dispense", func() error {
				code, body, _ := c.do("POST", pairPath+"Dispense", order("0.1", tt.password))
				if code == 400 && strings.Contains(body, "device_busy") {
					return fmt.Errorf("%s", body)
				}
				if code != tt.dispense {
					t.Errorf("dispense: %d %s", code, body)
				}
				return nil
			})
		})
	}
}

// TestSecretsStayOffTheLog works with everything that is secret at the noisiest level of the log and looks for it in
// every file below the data directory; what is kept of it has mode 0600.
func TestSecretsStayOffTheLog(t *testing.T) {
	dir := t.TempDir()
	password := filepath.Join(dir, "secrets", "dispense-password")
	if err := os.MkdirAll(filepath.Dir(password), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(password, []byte("hand out the coins\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(pairConfig, "gbp-coins]}", "gbp-coins], dispense_password_file: secrets/dispense-password, tls: {self_signed: true}}", 1)
	var said bytes.Buffer
	s := settingsFor(t, text, dir)
	s.log.SetOutput(io.MultiWriter(s.log.Out, &said))
	a, stop := start(t, s)
	ready(t, a.servers[1].URL())
	c := &web{t: t, http: trusted(dir), base: a.servers[0].URL()}
	token := c.login("admin", "password")
	c.token = token
	if code, body, _ := c.do("POST", "/api/Users/UpdateCredentials", `{"CurrentUsername":"admin","CurrentPassword":"password","NewUsername":"anna","NewPassword":"correct horse battery"}`); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	c.token = ""
	if c.login("admin", "password") != "" || c.login("anna", "wrong staple") != "" {
		t.Error("wrong credentials are let in")
	}
	again := c.login("anna", "correct horse battery")
	if token == "" || again == "" {
		t.Fatal("no tokens")
	}
	c.name, c.pass = "kittens", "aresolovely"
	eventually(t, "dispense", func() error {
		code, body, _ := c.do("POST", pairPath+"Dispense", order("0.1", "hand out the coins"))
		if code == 400 && strings.Contains(body, "device_busy") {
			return fmt.Errorf("%s", body)
		}
		if code != 200 {
			t.Errorf("%d %s", code, body)
		}
		return nil
	})
	c.name, c.pass = "", ""
	if err := stop(); err != nil {
		t.Error(err)
	}

	key, err := os.ReadFile(filepath.Join(dir, "secrets", "jwt"))
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{"correct horse", "wrong staple", "aresolovely", "YXJlc29sb3ZlbHk", "hand out the coins", string(key), token, again, "$argon2id$", "PRIVATE KEY", nv9coin.Sign(time.Now(), "hand out the coins")[:16]}
	look := func(name string, b []byte) {
		for _, secret := range secrets {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s has %q", name, secret)
			}
		}
	}
	look("standard error", said.Bytes())
	private := map[string]bool{}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		name = filepath.ToSlash(name)
		if strings.HasPrefix(name, "secrets/") || strings.HasSuffix(name, "users.yaml") {
			info, err := d.Info()
			if err == nil && runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", name, info.Mode())
			}
			private[name] = true
			return err
		}
		b, err := os.ReadFile(path)
		look(name, b)
		return err
	})
	if err != nil || !private["secrets/jwt"] || !private["secrets/tls.pem"] || !private["users.yaml"] {
		t.Errorf("%v, private files %v", err, private)
	}

	// What was updated is there after a restart, and a token from before is good.
	a, _ = start(t, settingsFor(t, text, dir))
	c.base = a.servers[0].URL()
	if c.login("admin", "password") != "" || c.login("anna", "correct horse battery") == "" {
		t.Error("the updated credentials did not last")
	}
	c.token = token
	if code, body, _ := c.do("GET", "/api/CashDevice/GetAllCashDevices", ""); code != 200 {
		t.Errorf("a token from before: %d %s", code, body)
	}
	c.http.CloseIdleConnections()
}

// TestOriginsOfThePair: browsers are let in from the origins that are configured, and from no other.
func TestOriginsOfThePair(t *testing.T) {
	text := strings.Replace(pairConfig, "gbp-coins]}", `gbp-coins], allowed_origins: ["http://pos.example"]}`, 1)
	a, _ := start(t, settingsFor(t, text, t.TempDir()))
	c := &web{t: t, http: http.DefaultClient, base: a.servers[0].URL(), name: "kittens", pass: "aresolovely"}
	for origin, want := range map[string]string{"http://pos.example": "http://pos.example", "http://evil.example": "", "": ""} {
		_, _, h := c.do("GET", pairPath+"Status", "", "Origin", origin)
		if got := h.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("origin %q: allowed %q", origin, got)
		}
		code, _, h := c.do("OPTIONS", pairPath+"Dispense", "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization", "Authorization", "")
		if allowed := h.Get("Access-Control-Allow-Headers") != ""; allowed != (want != "") || allowed && code != 204 {
			t.Errorf("preflight from %q: %d %v", origin, code, h)
		}
	}
}

package e2e

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCleanStop: SIGTERM ends coffer within 20 s with exit 0, also in the middle of a payout, and nothing is lost.
func TestCleanStop(t *testing.T) {
	r := newRig(t, built(t, binary))
	if err := r.start(true); err != nil {
		t.Fatal(err)
	}
	r.note.speed(2)
	if err := r.post("DispenseValue", map[string]any{"Value": payoutValue, "CountryCode": "EUR"}); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if code := r.host.proc.terminate(20 * time.Second); code != 0 {
		t.Errorf("exit %d: %s", code, r.host.proc.err.String())
	}
	t.Logf("ended after %v: %s", time.Since(begin), r.host.proc.err.String())
	if _, err := os.Stat(filepath.Join(r.host.data, "run", "endpoints.json")); !os.IsNotExist(err) {
		t.Errorf("endpoints.json after a clean stop: %v", err)
	}
	r.note.speed(200)
	r.restart()
	tr := r.host.settled(recyclerID, r.note)
	endOfPayout(r, tr)
}

// TestIdleStop: an idle demo stops at once.
func TestIdleStop(t *testing.T) {
	c, _ := runDemo(t)
	c.ready()
	if code := c.proc.terminate(5 * time.Second); code != 0 {
		t.Errorf("exit %d: %s", code, c.proc.err.String())
	}
	if !strings.HasPrefix(c.cli("journal", "verify"), "ok ") {
		t.Error("the ledger cannot be read after the stop")
	}
}

// TestFailedStart: a start that cannot work says why in one line and exits 1 within 5 s.
func TestFailedStart(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	tests := []struct{ name, config, want string }{
		{"misspelt key", strings.Replace(recyclerConfig, "devices:", "devises:", 1), "devises"},
		{"not YAML", "version: 1\nlines: [", ""},
		{"unknown profile", strings.Replace(recyclerConfig, "spectral-payout", "spectral-payoff", 1), "spectral-payoff"},
		{"port taken", strings.Replace(recyclerConfig, "127.0.0.1:0", busy.Addr().String(), 1), busy.Addr().String()},
		{"other version", strings.Replace(recyclerConfig, "version: 1", "version: 99", 1), "99"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCoffer(t, built(t, binary), tt.config)
			c.launch()
			if code := c.proc.wait(5 * time.Second); code != 1 {
				t.Errorf("exit %d, want 1", code)
			}
			said := strings.TrimSpace(c.proc.err.String())
			if said == "" || strings.Contains(said, "\n") || !strings.Contains(said, tt.want) {
				t.Errorf("it said %q, want one line with %q", said, tt.want)
			}
		})
	}
	t.Run("no such file", func(t *testing.T) {
		_, errs, code := command(t, built(t, binary), "run", "--config", filepath.Join(t.TempDir(), "none.yaml"), "--data-dir", t.TempDir())
		if code != 1 || !strings.Contains(errs, "none.yaml") || strings.Contains(strings.TrimSpace(errs), "\n") {
			t.Errorf("exit %d, it said %q", code, errs)
		}
	})
}

// TestSecondCoffer: two processes never share a data directory: the second says so and ends, the first works on.
func TestSecondCoffer(t *testing.T) {
	c, _ := runDemo(t)
	c.ready()
	_, errs, code := command(t, c.bin, "run", "--config", c.config, "--data-dir", c.data)
	if code != 1 || !strings.Contains(errs, "in use") || strings.Contains(strings.TrimSpace(errs), "\n") {
		t.Errorf("exit %d, it said %q", code, errs)
	}
	var ends endpoints
	c.proc.readRun(c.data, "endpoints.json", &ends, func() int { return ends.Pid })
	if _, err := call(http.MethodGet, c.ends.Main+"/readyz", nil, nil); err != nil {
		t.Errorf("the first coffer suffers: %v", err)
	}
}

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// simulator is a `coffer sim serve`: machines that live on while coffer is killed.
type simulator struct {
	*process
	Pid     int               `json:"pid"`
	Control string            `json:"control"`
	Lines   map[string]string `json:"lines"`
	Config  string            `json:"config"`
}

// serveSim starts the simulated lines of a configuration in a process of their own.
func serveSim(t testing.TB, bin, config string) *simulator {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "sim.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &simulator{}
	s.process = launch(t, "sim serve", nil, bin, "sim", "serve", "--config", file, "--data-dir", dir)
	if !s.readRun(dir, "sim.json", s, func() int { return s.Pid }) {
		t.Fatal("sim serve was killed")
	}
	return s
}

// configFor returns the configuration for coffer, with links of some lines replaced (by port name, host:port).
func (s *simulator) configFor(t testing.TB, links map[string]string) string {
	t.Helper()
	b, err := os.ReadFile(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for port, addr := range links {
		old := s.Lines[port]
		if !strings.Contains(text, old) {
			t.Fatalf("%s does not hold the link %q of %s", s.Config, old, port)
		}
		text = strings.ReplaceAll(text, old, "tcp://"+addr)
	}
	return text
}

// target returns host:port of a line.
func (s *simulator) target(port string) string { return strings.TrimPrefix(s.Lines[port], "tcp://") }

// row is how many pieces of one denomination are in one place.
type row struct {
	Value    int64  `json:"value"`
	Currency string `json:"currency"`
	Count    int    `json:"count"`
}

// truth is the physical state of a machine.
type truth struct {
	Port      string         `json:"port"`
	Address   int            `json:"address"`
	Profile   string         `json:"profile"`
	Power     bool           `json:"power"`
	Plugged   bool           `json:"plugged"`
	Enabled   bool           `json:"enabled"`
	Moving    bool           `json:"moving"`
	Start     []row          `json:"start"`
	Payout    []row          `json:"payout"`
	Cashbox   []row          `json:"cashbox"`
	Escrow    []row          `json:"escrow"`
	Transit   []row          `json:"transit"`
	Inserted  []row          `json:"inserted"`
	Dispensed []row          `json:"dispensed"`
	Returned  []row          `json:"returned"`
	Counters  map[string]any `json:"counters"`
}

// count returns the pieces of one denomination in rows.
func count(rows []row, value int64) (n int) {
	for _, r := range rows {
		if r.Value == value {
			n += r.Count
		}
	}
	return n
}

// worth returns the value of all rows.
func worth(rows []row) (sum int64) {
	for _, r := range rows {
		sum += r.Value * int64(r.Count)
	}
	return sum
}

// counts turns rows into a map by denomination, without zeros.
func counts(rows ...[]row) map[string]int {
	m := map[string]int{}
	for _, list := range rows {
		for _, r := range list {
			m[fmt.Sprintf("%d %s", r.Value, r.Currency)] += r.Count
		}
	}
	for k, n := range m {
		if n == 0 {
			delete(m, k)
		}
	}
	return m
}

// checkSum holds the law of the simulator: start + inserted = everything that is somewhere now.
func (tr truth) checkSum(t testing.TB) {
	t.Helper()
	was := counts(tr.Start, tr.Inserted)
	is := counts(tr.Payout, tr.Cashbox, tr.Escrow, tr.Transit, tr.Dispensed, tr.Returned)
	if fmt.Sprint(was) != fmt.Sprint(is) {
		t.Errorf("the simulator lost money: start and inserted %v, found %v", was, is)
	}
}

// machine is one machine's control.
type machine struct {
	t    testing.TB
	base string // URL
	sim  string
}

// controlled returns the control of the machine at port and address; control is the URL of a simulator or of a coffer.
func controlled(t testing.TB, control, port string, address int) *machine {
	sim := strings.TrimSuffix(control, "/") + "/sim/v1"
	return &machine{t, fmt.Sprintf("%s/machines/%s/%d", sim, url.PathEscape(port), address), sim}
}

// machine returns the control of one machine.
func (s *simulator) machine(port string, address int) *machine {
	return controlled(s.t, s.Control, port, address)
}

var control = &http.Client{Timeout: patience}

// call does one request of the control API and decodes the answer. It returns the status.
func call(method, target string, body, into any) (int, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, target, in)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := control.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode >= 300 {
		return resp.StatusCode, fmt.Errorf("%s %s: %d %s", method, target, resp.StatusCode, b)
	}
	if into == nil {
		return resp.StatusCode, nil
	}
	return resp.StatusCode, json.Unmarshal(b, into)
}

// truth returns what is physically so.
func (m *machine) truth() truth {
	m.t.Helper()
	var tr truth
	if _, err := call("GET", m.base, nil, &tr); err != nil {
		m.t.Fatal(err)
	}
	return tr
}

// insert feeds pieces in and returns the id of the insertion.
func (m *machine) insert(value int64, currency string, count int) string {
	m.t.Helper()
	id, err := m.tryInsert(value, currency, count)
	if err != nil {
		m.t.Fatal(err)
	}
	return id
}

// tryInsert is insert for a machine whose path may be full.
func (m *machine) tryInsert(value int64, currency string, count int) (string, error) {
	var got struct{ ID string }
	_, err := call("POST", m.base+"/insert", map[string]any{"value": value, "currency": currency, "count": count}, &got)
	return got.ID, err
}

// insertion is what became of an insert.
type insertion struct {
	State  string               `json:"state"`
	WireAt map[string]time.Time `json:"wire_at"`
}

func (m *machine) insertion(id string) (in insertion) {
	m.t.Helper()
	if _, err := call("GET", m.sim+"/inserts/"+url.PathEscape(id), nil, &in); err != nil {
		m.t.Fatal(err)
	}
	return in
}

// fault sets a fault; more holds further members.
func (m *machine) fault(kind string, more map[string]any) {
	m.t.Helper()
	if err := m.tryFault(kind, more); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) tryFault(kind string, more map[string]any) error {
	body := map[string]any{"kind": kind}
	for k, v := range more {
		body[k] = v
	}
	_, err := call("POST", m.base+"/fault", body, nil)
	return err
}

// speed makes mechanics faster.
func (m *machine) speed(factor float64) {
	m.t.Helper()
	if _, err := call("PUT", m.sim+"/speed", map[string]any{"factor": factor}, nil); err != nil {
		m.t.Fatal(err)
	}
}

// still waits until nothing moves inside the machine, and returns the truth then.
func (m *machine) still() (tr truth) {
	m.t.Helper()
	eventually(m.t, "machine comes to rest", func() error {
		if tr = m.truth(); tr.Moving {
			return fmt.Errorf("moving: %+v", tr)
		}
		return nil
	})
	return tr
}

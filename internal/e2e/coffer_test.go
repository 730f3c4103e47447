package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// coffer is a `coffer run`, which may be killed and started again over the same data.
type coffer struct {
	t      testing.TB
	bin    string
	config string   // file
	data   string   // directory
	wrap   []string // command line that runs it in a place of its own, nil for none

	proc *process
	ends endpoints
}

// endpoints is DATA_DIR/run/endpoints.json.
type endpoints struct {
	Pid        int    `json:"pid"`
	CashDevice string `json:"cashdevice"`
	NV9Coin    string `json:"nv9coin"`
	Main       string `json:"main"`
}

// newCoffer returns a coffer with an empty data directory. It is not started.
func newCoffer(t testing.TB, bin, config string) *coffer {
	t.Helper()
	dir := t.TempDir()
	c := &coffer{t: t, bin: bin, config: filepath.Join(dir, "coffer.yaml"), data: filepath.Join(dir, "data")}
	if err := os.WriteFile(c.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// launch starts the process and waits for nothing.
func (c *coffer) launch(env ...string) {
	c.t.Helper()
	argv := append(slices.Clone(c.wrap), c.bin, "run", "--config", c.config, "--data-dir", c.data)
	c.proc = launch(c.t, "coffer run", env, argv...)
}

// start starts the process and waits until it listens. It returns false for one that ended by the kill it was told.
func (c *coffer) start(env ...string) bool {
	c.t.Helper()
	c.launch(env...)
	c.ends = endpoints{}
	return c.proc.readRun(c.seen(), "endpoints.json", &c.ends, func() int { return c.ends.Pid })
}

// ready waits until every configured machine was tried.
func (c *coffer) ready() {
	c.t.Helper()
	eventually(c.t, "readyz", func() error {
		if c.proc.ended() {
			c.t.Fatalf("coffer ended: %s", c.proc.err.String())
		}
		_, err := call(http.MethodGet, c.ends.Main+"/readyz", nil, nil)
		return err
	})
}

// client returns a REST client that is logged in.
func (c *coffer) client() *client {
	c.t.Helper()
	cl := &client{t: c.t, base: c.ends.CashDevice}
	cl.login()
	return cl
}

// cli runs another coffer command over the same data, in the same place, and returns what it printed.
func (c *coffer) cli(args ...string) string {
	c.t.Helper()
	argv := append(c.enter(), c.bin)
	return must(c.t, append(append(argv, args...), "--data-dir", c.data)...)
}

// enter returns the command line that runs another one where coffer runs, nothing for here.
func (c *coffer) enter() []string {
	if len(c.wrap) == 0 {
		return nil
	}
	argv := []string{"nsenter", "-t", fmt.Sprint(c.proc.cmd.Process.Pid), "-m"}
	if os.Getuid() != 0 {
		argv = append(argv, "-U")
	}
	return argv
}

// seen is the data directory as we see it: a coffer that runs in a wrapping has a disk of its own.
func (c *coffer) seen() string {
	if len(c.wrap) == 0 {
		return c.data
	}
	return fmt.Sprintf("/proc/%d/root%s", c.proc.cmd.Process.Pid, c.data)
}

// balanceRow is a row of `coffer journal balance --json`.
type balanceRow struct {
	Device string `json:"device"`
	Place  string `json:"place"`
	row
}

// balance returns the ledger's view of a device's places.
func (c *coffer) balance(device string) map[string][]row {
	c.t.Helper()
	var got struct{ Balances []balanceRow }
	out := c.cli("journal", "balance", "--json")
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		c.t.Fatalf("%v in %s", err, out)
	}
	places := map[string][]row{}
	for _, b := range got.Balances {
		if strings.EqualFold(b.Device, device) {
			places[b.Place] = append(places[b.Place], b.row)
		}
	}
	return places
}

// entry is a line of `coffer journal export --json`.
type entry struct {
	Seq    int64  `json:"seq"`
	Device string `json:"device"`
	Op     string `json:"op"`
	Kind   string `json:"kind"`
	From   string `json:"from"`
	To     string `json:"to"`
	Hash   string `json:"hash"`
	row
}

// entries returns the ledger of a device, in order.
func (c *coffer) entries(device string) (list []entry) {
	c.t.Helper()
	for line := range strings.Lines(c.cli("journal", "export", "--json")) {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			c.t.Fatalf("%v in %s", err, line)
		}
		if strings.EqualFold(e.Device, device) {
			list = append(list, e)
		}
	}
	return list
}

// verify holds the chain of the ledger.
func (c *coffer) verify() {
	c.t.Helper()
	if out := c.cli("journal", "verify"); !strings.HasPrefix(out, "ok ") {
		c.t.Errorf("journal verify: %s", out)
	}
}

// agrees compares the ledger with the truth, place by place and denomination by denomination.
func (c *coffer) agrees(device string, tr truth) error {
	books := c.balance(device)
	for place, want := range map[string][]row{"payout": tr.Payout, "cashbox": tr.Cashbox, "escrow": tr.Escrow} {
		if diff := cmp.Diff(counts(want), counts(books[place])); diff != "" {
			return fmt.Errorf("%s: truth (-) and ledger (+) differ:\n%s", place, diff)
		}
	}
	return nil
}

// settled waits until machine and ledger agree at rest, and holds what must be so then.
func (c *coffer) settled(device string, m *machine) truth {
	c.t.Helper()
	var tr truth
	eventually(c.t, "ledger agrees with the machine", func() error {
		if tr = m.truth(); tr.Moving {
			return fmt.Errorf("moving: %+v", tr)
		}
		return c.agrees(device, tr)
	})
	tr.checkSum(c.t)
	c.verify()
	return tr
}

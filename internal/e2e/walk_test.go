package e2e

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// demoAddress is an address that the demo listens on.
var demoAddress = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// demoText is configs/demo.yaml.
func demoText(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("../../configs/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// demoConfig is the demo on free ports.
func demoConfig(t testing.TB) string {
	t.Helper()
	return demoAddress.ReplaceAllString(demoText(t), "127.0.0.1:0")
}

// runDemo starts the demo and returns it with a client that is logged in.
func runDemo(t testing.TB) (*coffer, *client) {
	t.Helper()
	c := newCoffer(t, built(t, binary), demoConfig(t))
	c.start()
	return c, c.client()
}

// stored is an entry of GetAllLevels.
type stored struct {
	CountryCode string `json:"countryCode"`
	Value       int64  `json:"value"`
	Stored      int    `json:"stored"`
}

// levels is GetAllLevels.
func (c *client) levels(device string) (list []row) {
	c.t.Helper()
	var got struct {
		Levels  []stored `json:"levels"`
		Success bool     `json:"success"`
	}
	c.decode(c.must("GET", at("GetAllLevels", device), nil), &got)
	if !got.Success {
		c.t.Errorf("GetAllLevels: no success: %+v", got)
	}
	for _, l := range got.Levels {
		list = append(list, row{l.Value, l.CountryCode, l.Stored})
	}
	return list
}

// TestWalk is the main job, as the README shows it: take a note, pay change, and every book agrees.
func TestWalk(t *testing.T) {
	c, rest := runDemo(t)
	note := controlled(t, c.ends.Main, recyclerPort, 0)
	note.speed(50)
	if id := rest.open(recyclerPort, 0, false); id != recyclerID {
		t.Fatalf("deviceID %q", id)
	}
	note.insert(2000, "EUR", 1)
	rest.follow(recyclerID, "ACCEPTING", "ESCROW 2000")
	if r := rest.must("POST", at("AcceptFromEscrow", recyclerID), nil); r.text() != recyclerID+": Note can be accepted from escrow." {
		t.Errorf("AcceptFromEscrow: %s", r.text())
	}
	rest.follow(recyclerID, "STORED 2000")
	r := rest.must("POST", at("DispenseValue", recyclerID), map[string]any{"Value": 1500, "CountryCode": "EUR"})
	if r.text() != "Dispense operation initiated successfully." {
		t.Errorf("DispenseValue: %s", r.text())
	}
	rest.follow(recyclerID, "DISPENSING", "DISPENSED 1500", "transaction COMPLETED")

	tr := c.settled(recyclerID, note)
	if diff := cmp.Diff(counts(tr.Payout), counts(rest.levels(recyclerID))); diff != "" {
		t.Errorf("truth (-) and GetAllLevels (+) differ:\n%s", diff)
	}
	if worth(tr.Dispensed) != 1500 || worth(tr.Inserted) != 2000 {
		t.Errorf("dispensed %v, inserted %v", tr.Dispensed, tr.Inserted)
	}
	if list := rest.events(recyclerID); tally(list, "STORED 2000")+tally(list, "DISPENSED 1500") > 0 {
		t.Errorf("told twice: %v", list)
	}
}

// TestDemoMachines: every machine of the demo can be opened, and its books agree from the start.
func TestDemoMachines(t *testing.T) {
	c, rest := runDemo(t)
	c.ready()
	var list []struct {
		Port    string `json:"port"`
		Address int    `json:"address"`
		Profile string `json:"profile"`
	}
	if _, err := call(http.MethodGet, c.ends.Main+"/sim/v1/machines", nil, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 5 {
		t.Fatalf("machines %v", list)
	}
	seen := map[string]bool{}
	for _, m := range list {
		id := rest.open(m.Port, m.Address, true)
		if seen[id] {
			t.Errorf("two machines are called %s", id)
		}
		seen[id] = true
		c.settled(id, controlled(t, c.ends.Main, m.Port, m.Address))
	}
	for _, want := range []string{
		"SPECTRAL_PAYOUT-COM5", "SMART_COIN_SYSTEM-COM9", "NOTE_VALIDATOR-COM7", "SMART_COIN_SYSTEM-COM7",
		"SPECTRAL_PAYOUT-COM12", "NOTE_VALIDATOR-COM15", "NV11-COM21", "TWIN_SMART_COIN_SYSTEM-COM4", "SMART_HOPPER_4-COM11",
		"NV4000-COM18",
	} {
		if !seen[want] {
			t.Errorf("no %s among %v", want, seen)
		}
	}
	out := c.cli("journal", "verify")
	var n int
	if _, err := fmt.Sscanf(out, "ok %d entries", &n); err != nil || n == 0 {
		t.Errorf("journal verify: %q", out)
	}
}

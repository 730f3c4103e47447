package cashdevice

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/devices"
	"coffer/devices/coin"
	"coffer/devices/line"
	"coffer/devices/note"
	"coffer/devices/sim"
	"coffer/httpapi"
	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/journal"
	"coffer/internal/till"
	"coffer/ssp"
)

// walk is the whole way from REST to a simulated machine and back, in one process: API, till, ledger, station, driver,
// line, bytes, machine.
type walk struct {
	bench
	ledger *journal.Journal
	notes  *sim.Machine
	coins  *sim.Machine
	told   map[string][]string // events fetched, by deviceID
}

const walkNotes, walkCoins = "SPECTRAL_PAYOUT-COM5", "SMART_COIN_SYSTEM-COM9"

// walking runs f on the demo's COM5 and COM9 in a bubble, in which mechanics and polls take no real time.
func walking(t *testing.T, f func(w *walk)) {
	synctest.Test(t, func(t *testing.T) {
		w := &walk{bench: bench{t: t, strict: true}, told: map[string][]string{}}
		world := sim.NewWorld(nil)
		defer world.Close()
		links := map[string]line.Opener{}
		add := func(port, profile string, addr byte, levels map[int64]int) *sim.Machine {
			l := world.AddLine(port)
			m, err := l.AddMachine(ssp.Address(addr), profile, sim.Options{Currency: "EUR", Levels: levels})
			if err != nil {
				t.Fatal(err)
			}
			links[port] = line.ConnOpener(l.Pipe())
			return m
		}
		w.notes = add("COM5", "spectral-payout", 0, map[int64]int{500: 4, 1000: 4, 2000: 4})
		w.coins = add("COM9", "scs", 16, map[int64]int{1: 50, 2: 50, 5: 50, 10: 50, 20: 50, 50: 50, 100: 50, 200: 50})
		ledger, err := journal.Open(t.Context(), t.TempDir(), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer ledger.Close()
		w.ledger, w.bus = ledger, bus.New(4096)
		real := till.New(ledger, w.bus, quiet(), time.Now)
		station := devices.NewStation([]devices.LineConfig{
			{Port: "COM5", Devices: []devices.DeviceConfig{{ID: "notes", Currency: "EUR"}}},
			{Port: "COM9", Devices: []devices.DeviceConfig{{ID: "coins", Address: 16, Currency: "EUR"}}},
		}, links, []devices.Family{note.Family(), coin.Family()}, real, quiet())
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = station.Run(ctx)
		}()
		defer func() {
			stop()
			<-done
		}()
		w.serve(ctx, station, real)
		f(w)
	})
}

// serve makes the API over real parts.
func (w *walk) serve(ctx context.Context, station *devices.Station, real *till.Till) {
	file, err := httpapi.OpenUsers(filepath.Join(w.t.TempDir(), "users.yaml"), time.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	tokens, err := httpapi.NewTokens([]byte("0123456789abcdef0123456789abcdef"), time.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	r := httpapi.NewRouter()
	Register(ctx, r, Deps{
		Station: station, Till: real, Bus: w.bus, Users: file, Tokens: tokens, Logins: httpapi.NewThrottle(time.Now), Log: quiet(), Now: time.Now,
	})
	w.handler = httpapi.Wrap(httpapi.Listen{}, r, quiet())
	a := w.do("POST", "/api/Users/Authenticate", `{"Username":"admin","Password":"password"}`)
	var out struct{ Token string }
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != http.StatusOK {
		w.t.Fatalf("Authenticate: %d %s", a.status, a.body)
	}
	w.token = out.Token
}

// ok posts and wants a 200.
func (w *walk) ok(path, body string) string {
	w.t.Helper()
	a := w.post(path, body)
	if a.status != http.StatusOK {
		w.t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	return a.body
}

// until polls GetDeviceStatus each 200 ms until the events told since the last until end in last, and returns them in
// one line.
func (w *walk) until(id, last string) string {
	w.t.Helper()
	var told []string
	for range 600 {
		var events []struct {
			Type, StateAsString, EventTypeAsString string
			Value                                  int64
			TransactionType                        *int
		}
		a := w.get("GetDeviceStatus?deviceID=" + id)
		if err := json.Unmarshal([]byte(a.body), &events); err != nil {
			w.t.Fatalf("%v in %s", err, a.body)
		}
		for _, e := range events {
			switch {
			case e.EventTypeAsString != "":
				told = append(told, fmt.Sprintf("%s(%d)", e.EventTypeAsString, e.Value))
			default:
				told = append(told, e.StateAsString)
			}
		}
		if n := len(told); n > 0 && told[n-1] == last {
			return strings.Join(told, " ")
		}
		time.Sleep(200 * time.Millisecond) // bubble time
	}
	w.t.Fatalf("%s did not come; told were %v", last, told)
	return ""
}

func (w *walk) insert(m *sim.Machine, value int64) {
	w.t.Helper()
	if _, err := m.Insert(sim.Insert{Value: value, Currency: "EUR"}); err != nil {
		w.t.Fatal(err)
	}
}

// agrees compares the ledger with the machine, and GetAllLevels with both.
func (w *walk) agrees(id string, m *sim.Machine) {
	w.t.Helper()
	agree(w.t, w.ledger, cash.DeviceID(id), m)
	var levels struct {
		Levels []struct {
			CountryCode string
			Value       int64
			Stored      int
		}
	}
	a := w.get("GetAllLevels?deviceID=" + id)
	if err := json.Unmarshal([]byte(a.body), &levels); err != nil {
		w.t.Fatal(err)
	}
	stored := cash.Counts{}
	for _, l := range levels.Levels {
		if l.Stored != 0 {
			stored[cash.Denom{Value: l.Value, Currency: cash.Currency(l.CountryCode)}] = l.Stored
		}
	}
	if diff := cmp.Diff(counted(m.Truth().Payout), stored); diff != "" {
		w.t.Errorf("GetAllLevels (+) and the machine (-) differ:\n%s", diff)
	}
}

// agree compares the books of a machine with what is in it.
func agree(t testing.TB, ledger *journal.Journal, id cash.DeviceID, m *sim.Machine) {
	t.Helper()
	truth := m.Truth()
	rows, err := ledger.Balance(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	got := map[cash.Place]cash.Counts{cash.Payout: {}, cash.Cashbox: {}, cash.Escrow: {}}
	for _, r := range rows {
		got[r.Place][cash.Denom{Value: r.Value, Currency: r.Currency}] += r.Count
	}
	want := map[cash.Place]cash.Counts{cash.Payout: counted(truth.Payout), cash.Cashbox: counted(truth.Cashbox), cash.Escrow: counted(truth.Escrow)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: the ledger (+) and the machine (-) differ:\n%s", id, diff)
	}
}

func counted(rows []sim.Row) cash.Counts {
	c := cash.Counts{}
	for _, r := range rows {
		if r.Count != 0 {
			c[cash.Denom{Value: r.Value, Currency: cash.Currency(r.Currency)}] = r.Count
		}
	}
	return c
}

// TestWalk is the walk of the README.
func TestWalk(t *testing.T) {
	walking(t, func(w *walk) {
		const id = "?deviceID=" + walkNotes
		opened := w.ok("OpenConnection", `{"ComPort":"COM5","SspAddress":0,"EnableAcceptor":true,"EnableAutoAcceptEscrow":false,"EnablePayout":true,
			"SetRoutes":[{"Denomination":"2000 EUR","Route":7}]}`)
		if !strings.Contains(opened, `"deviceID":"SPECTRAL_PAYOUT-COM5"`) || !strings.Contains(opened, `"payoutEnabled":true`) {
			t.Fatal(opened)
		}
		if got := w.until(walkNotes, "IDLE"); got != "CONNECTING CONNECTED STARTING STARTED IDLE" {
			t.Errorf("opening told %s", got)
		}
		w.insert(w.notes, 2000)
		if got := w.until(walkNotes, "ESCROW(2000)"); got != "ACCEPTING ESCROW(2000)" {
			t.Errorf("a note told %s", got)
		}
		w.agrees(walkNotes, w.notes)
		w.ok("AcceptFromEscrow"+id, "")
		if got := w.until(walkNotes, "IDLE"); got != "STORED(2000) IDLE" {
			t.Errorf("accepting told %s", got)
		}
		w.agrees(walkNotes, w.notes)
		w.ok("DispenseValue"+id, `{"Value":1500,"CountryCode":"EUR"}`)
		if a := w.post("DispenseValue"+id, `{"Value":1500,"CountryCode":"EUR"}`); a.status != 400 || !strings.Contains(a.body, "BUSY") {
			t.Errorf("a payout while one runs: %d %s", a.status, a.body)
		}
		got := w.until(walkNotes, "IDLE")
		if !strings.HasPrefix(got, "IN_PROGRESS DISPENSING ") || !strings.Contains(got, " DISPENSING(1000) ") || !strings.HasSuffix(got, "DISPENSED(1500) COMPLETED IDLE") {
			t.Errorf("a payout told %s", got)
		}
		w.agrees(walkNotes, w.notes)

		w.insert(w.notes, 500)
		w.until(walkNotes, "ESCROW(500)")
		w.ok("ReturnFromEscrow"+id, "")
		if got := w.until(walkNotes, "IDLE"); got != "REJECTING REJECTED REJECTED(500) IDLE" {
			t.Errorf("returning told %s", got)
		}
		w.ok("SetAutoAccept"+id, "true")
		w.insert(w.notes, 5000)
		if got := w.until(walkNotes, "IDLE"); !strings.HasPrefix(got, "ACCEPTING ESCROW(5000) ST") || strings.Count(got, "(5000)") != 2 {
			t.Errorf("auto accept told %s", got)
		}
		w.ok("Float"+id, "[1,1,1,0,0,0,0]")
		if got := w.until(walkNotes, "IDLE"); !strings.HasPrefix(got, "IN_PROGRESS FLOATING") || !strings.HasSuffix(got, "COMPLETED IDLE") {
			t.Errorf("a float told %s", got)
		}
		w.agrees(walkNotes, w.notes)
		if got := w.ok("SmartEmpty"+id, `{"ModuleNumber":0,"IsNV4000":false}`); got != `{"dispenseResult":"COMPLETED"}` {
			t.Error(got)
		}
		if got := w.until(walkNotes, "IDLE"); !strings.HasPrefix(got, "IN_PROGRESS EMPTYING") || !strings.HasSuffix(got, "COMPLETED IDLE") {
			t.Errorf("an empty told %s", got)
		}
		w.agrees(walkNotes, w.notes)
		w.ok("DisconnectDevice"+id, "")
	})
}

// TestWalkWithCoins pays coins in and out.
func TestWalkWithCoins(t *testing.T) {
	walking(t, func(w *walk) {
		const id = "?deviceID=" + walkCoins
		w.ok("OpenConnection", `{"ComPort":1,"SspAddress":16,"EnableAcceptor":true,
			"SetCoinMechInhibits":{"ValueCountryCodes":["1 EUR","2 EUR","5 EUR","10 EUR","20 EUR","50 EUR","100 EUR","200 EUR"],"Inhibit":false}}`)
		w.until(walkCoins, "IDLE")
		for _, v := range []int64{200, 50, 50, 1} {
			w.insert(w.coins, v)
		}
		time.Sleep(20 * time.Second) // bubble time
		got := w.until(walkCoins, "IDLE")
		sum := 0
		for _, word := range strings.Fields(got) {
			var v int
			if _, err := fmt.Sscanf(strings.Replace(word, "VALUE_ADDED", "COIN_CREDIT", 1), "COIN_CREDIT(%d)", &v); err == nil {
				sum += v
			}
		}
		if sum != 301 {
			t.Errorf("coins told %s: sum %d, want 301", got, sum)
		}
		w.agrees(walkCoins, w.coins)
		w.ok("DispenseValue"+id, `{"Value":388,"CountryCode":"EUR"}`)
		got = w.until(walkCoins, "IDLE")
		if !strings.HasPrefix(got, "IN_PROGRESS DISPENSING") || !strings.HasSuffix(got, "DISPENSED(388) COMPLETED IDLE") {
			t.Errorf("a payout told %s", got)
		}
		w.agrees(walkCoins, w.coins)
		w.ok("DispenseValue"+id, `{"Value":5000,"CountryCode":"EUR"}`)
		time.Sleep(time.Second)
		w.ok("HaltPayout"+id, "")
		if got := w.until(walkCoins, "IDLE"); !strings.Contains(got, "HALTED(") || !strings.HasSuffix(got, "ERROR IDLE") {
			t.Errorf("a halted payout told %s", got)
		}
		w.agrees(walkCoins, w.coins)
	})
}

// TestStockByHand changes the store behind coffer's back: a levels read shows the ledger at once, and an operation that
// follows is booked for what it moves and no more.
func TestStockByHand(t *testing.T) {
	const id = "?deviceID=" + walkNotes
	hand := func(w *walk, value int64, count int) {
		t.Helper()
		if err := w.notes.SetLevel(value, "EUR", count); err != nil {
			t.Fatal(err)
		}
	}
	walking(t, func(w *walk) {
		w.ok("OpenConnection", `{"ComPort":"COM5","EnablePayout":true}`)
		w.until(walkNotes, "DISABLED")
		hand(w, 500, 20)
		w.get("GetAllLevels" + id)
		time.Sleep(time.Second)
		w.agrees(walkNotes, w.notes)
		for _, op := range []struct{ path, body string }{
			{"DispenseValue", `{"Value":1500,"CountryCode":"EUR"}`},
			{"Float", `[1,4,4,0,0,0,0]`},
			{"SmartEmpty", `{"ModuleNumber":0}`},
		} {
			hand(w, 500, 9)
			hand(w, 1000, 5)
			w.ok(op.path+id, op.body)
			if got := w.until(walkNotes, "DISABLED"); !strings.Contains(got, "COMPLETED") {
				t.Errorf("%s after a change by hand told %s", op.path, got)
			}
			w.agrees(walkNotes, w.notes)
		}
		hand(w, 500, 3)
		if a := w.post("DispenseValue"+id, `{"Value":5000,"CountryCode":"EUR"}`); a.status != 400 {
			t.Errorf("a payout of what is not there: %d %s", a.status, a.body)
		}
		w.agrees(walkNotes, w.notes)
	})
}

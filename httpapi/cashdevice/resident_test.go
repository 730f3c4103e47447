package cashdevice

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"coffer/devices/sim"
	"coffer/internal/cash"
)

// resident is a machine of the town, opened.
type resident struct {
	*town
	house
	id  string
	sim *sim.Machine
}

// resident returns the machine of a family, opened with everything on.
func (w *town) resident(family string) *resident {
	w.t.Helper()
	r := w.people[family]
	a := w.post("OpenConnection", r.opening(`,"EnableAcceptor":true,"EnableAutoAcceptEscrow":true,"EnablePayout":true`))
	if a.status != 200 {
		w.t.Fatalf("OpenConnection of %s: %d %s", r.id, a.status, a.body)
	}
	r.until("IDLE")
	return r
}

// opening is the body of an OpenConnection.
func (r *resident) opening(more string) string {
	return fmt.Sprintf(`{"ComPort":"%s","SspAddress":%d%s}`, r.port, r.addr, more)
}

// to is the path and query of an endpoint for the machine.
func (r *resident) to(name string) string { return name + "?deviceID=" + url.QueryEscape(r.id) }

func (r *resident) post(name, body string) answer {
	r.t.Helper()
	return r.town.post(r.to(name), body)
}

func (r *resident) get(name string) answer {
	r.t.Helper()
	return r.town.get(r.to(name))
}

// says fails the test unless the answer is 200 and text, with <id> for the deviceID.
func (r *resident) says(a answer, text string) {
	r.t.Helper()
	a.text(r.t, 200, strings.ReplaceAll(text, "<id>", r.id))
}

// refuses is says for a refusal.
func (r *resident) refuses(a answer, status int, text string) {
	r.t.Helper()
	a.text(r.t, status, strings.ReplaceAll(text, "<id>", r.id))
}

const notSupported = "<id>: Command not supported by this device."

// happened is an entry of GetDeviceStatus in one word.
type happened struct {
	Type, StateAsString, EventTypeAsString, CountryCode string
	Value, Value2                                       int64
	TransactionType                                     *int
	Result                                              *bool
}

func (e happened) String() string {
	switch e.Type {
	case "CashEventResponse":
		if e.Value2 != 0 {
			return fmt.Sprintf("%s(%d,%d)", e.EventTypeAsString, e.Value, e.Value2)
		}
		return fmt.Sprintf("%s(%d)", e.EventTypeAsString, e.Value)
	case "DispenserTransactionEventResponse":
		return fmt.Sprintf("%d:%s", *e.TransactionType, e.StateAsString)
	case "SetDenominationRouteFinishedEventResponse":
		return fmt.Sprintf("ROUTE(%t)", *e.Result)
	}
	return e.StateAsString
}

// events is one GetDeviceStatus.
func (r *resident) events() []string {
	r.t.Helper()
	a := r.get("GetDeviceStatus")
	var list []happened
	if err := json.Unmarshal([]byte(a.body), &list); err != nil || a.status != 200 {
		r.t.Fatalf("GetDeviceStatus: %d %s", a.status, a.body)
	}
	var out []string
	for _, e := range list {
		out = append(out, e.String())
	}
	return out
}

// until polls every 100 ms until the last event told is one of last, and returns all that was told on the way.
func (r *resident) until(last ...string) string {
	r.t.Helper()
	var told []string
	for range 1200 {
		told = append(told, r.events()...)
		if n := len(told); n > 0 && slices.Contains(last, told[n-1]) {
			return strings.Join(told, " ")
		}
		time.Sleep(100 * time.Millisecond) // of the bubble
	}
	r.t.Fatalf("%s: %v did not come; told were %v", r.id, last, told)
	return ""
}

// insert feeds one piece in.
func (r *resident) insert(value int64) {
	r.t.Helper()
	r.feed(sim.Insert{Value: value})
}

func (r *resident) feed(in sim.Insert) {
	r.t.Helper()
	if in.Value > 0 {
		in.Currency = r.currency
	}
	for range 100 {
		_, err := r.sim.Insert(in)
		if err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond) // its path is still full
	}
	r.t.Fatalf("%s does not take %v", r.id, in)
}

// stored is what GetAllLevels says, by value.
func (r *resident) stored() map[int64]int {
	r.t.Helper()
	a := r.get("GetAllLevels")
	var in struct {
		Levels []struct {
			Value  int64
			Stored int
		}
	}
	if err := json.Unmarshal([]byte(a.body), &in); err != nil || a.status != 200 {
		r.t.Fatalf("GetAllLevels: %d %s", a.status, a.body)
	}
	out := map[int64]int{}
	for _, l := range in.Levels {
		out[l.Value] = l.Stored
	}
	return out
}

// agrees compares the ledger with the machine.
func (r *resident) agrees() {
	r.t.Helper()
	agree(r.t, r.ledger, cash.DeviceID(r.id), r.sim)
}

package cashdevice

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A client that asks again the moment after an answer finds what that answer said, and is not refused for what is over.
func TestQuickClient(t *testing.T) {
	for _, family := range strings.Fields("SPECTRAL_PAYOUT NV4000 NV11 NOTE_VALIDATOR SMART_COIN_SYSTEM") {
		t.Run(family, func(t *testing.T) {
			inTown(t, DotNet, family, func(w *town) {
				r := w.resident(family)
				r.opensAgain()
				r.sets()
				if strings.Contains(payers, family) {
					r.paysAgain()
				}
				if strings.Contains(noteAll, family) && family != smart {
					r.decides()
				}
				r.agrees()
			})
		})
	}
}

// accepted fails the test unless the answer is 200.
func (r *resident) accepted(a answer) answer {
	r.t.Helper()
	if a.status != 200 {
		r.t.Fatalf("%s: %d %s", r.id, a.status, a.body)
	}
	return a
}

// upTo looks every 7 ms until an event is told that begins so.
func (r *resident) upTo(begin string) {
	r.t.Helper()
	for range 10_000 {
		if slices.ContainsFunc(r.events(), func(e string) bool { return strings.HasPrefix(e, begin) }) {
			return
		}
		time.Sleep(7 * time.Millisecond)
	}
	r.t.Fatalf("%s: %s did not come", r.id, begin)
}

func (r *resident) opensAgain() {
	r.t.Helper()
	open := func() {
		r.t.Helper()
		r.accepted(r.town.post("OpenConnection", r.opening(`,"EnableAcceptor":true,"EnablePayout":true,"EnableAutoAcceptEscrow":true`)))
		if got := r.events(); len(got) < 5 || got[4] != "IDLE" {
			r.t.Fatalf("told %v by the time it is open", got)
		}
		if a := r.town.get("GetAllCashDevices"); !strings.Contains(a.body, r.id) {
			r.t.Fatalf("open are %s", a.body)
		}
	}
	for range 3 {
		open()
		r.accepted(r.post("DisconnectDevice", ""))
		if a := r.town.get("GetAllCashDevices"); strings.Contains(a.body, r.id) {
			r.t.Fatalf("open are %s", a.body)
		}
		open()
		r.accepted(r.post("ResetDevice", ""))
	}
	open()
	for range 5 {
		r.accepted(r.post("StopDevice", ""))
		if got := strings.Join(r.events(), " "); !strings.HasSuffix(got, "STOPPING STOPPED") {
			r.t.Fatalf("told %s by the time it is stopped", got)
		}
		r.accepted(r.post("StartDevice", ""))
		if got := strings.Join(r.events(), " "); !strings.HasPrefix(got, "STARTING STARTED") {
			r.t.Fatalf("told %s by the time it is started", got)
		}
	}
}

func (r *resident) sets() {
	r.t.Helper()
	if a := r.post("SetDenominationInhibits", `{"ValueCountryCodes":[],"Inhibit":true}`); a.status == 200 {
		r.t.Fatal(a.body)
	}
	v := r.dataset[0]
	if r.family == smart {
		return
	}
	for _, on := range []bool{true, false, true, false} {
		r.accepted(r.post("SetDenominationInhibits", fmt.Sprintf(`{"ValueCountryCodes":["%d %s"],"Inhibit":%t}`, v, r.currency, on)))
		a := r.accepted(r.get("GetCurrencyAssignment"))
		if got := strings.Contains(a.body, `"isInhibited":true`); got != on {
			r.t.Fatalf("inhibited %t: %s", on, a.body)
		}
	}
}

func (r *resident) paysAgain() {
	r.t.Helper()
	v := r.cheap()
	for range 3 {
		r.accepted(r.post("DispenseValue", r.sum(v)))
		if got := r.events(); !slices.Contains(got, "0:IN_PROGRESS") {
			r.t.Fatalf("told %v of a payout that has begun", got)
		}
		r.upTo("0:COMPLETED")
	}
	r.accepted(r.post("SmartEmpty", ""))
	if got := strings.Join(r.events(), " "); !strings.Contains(got, "3:COMPLETED") {
		r.t.Fatalf("told %s of a store that was emptied", got)
	}
	if got := r.worth(); got != 0 {
		r.t.Fatalf("%d left in a store that was emptied", got)
	}
	if a := r.post("DispenseValue", r.sum(v)); a.status != 400 || !strings.Contains(a.body, "NOT_ENOUGH") {
		r.t.Fatalf("out of an empty store: %d %s", a.status, a.body)
	}
}

// decides tells notes in escrow where to go as soon as they are told of.
func (r *resident) decides() {
	r.t.Helper()
	r.accepted(r.post("SetAutoAccept", "false"))
	for _, take := range []bool{true, false, true} {
		r.insert(r.dataset[0])
		r.upTo("ESCROW")
		if take {
			r.accepted(r.post("AcceptFromEscrow", ""))
			r.upTo("ST") // STORED, STACKED
		} else {
			r.accepted(r.post("ReturnFromEscrow", ""))
			r.upTo("REJECTED(")
		}
	}
	rows, err := r.ledger.Entries(r.t.Context(), 0, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	asked := 0
	for _, e := range rows {
		if strings.Contains(e.Detail, "from escrow by admin") {
			asked++
		}
	}
	if asked != 3 {
		r.t.Errorf("%d of 3 decisions are in the ledger with who has asked", asked)
	}
}

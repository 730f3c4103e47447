package cashdevice

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"coffer/devices/sim"
)

func num(n int64) string { return strconv.FormatInt(n, 10) }

func esc(note int64) string { return "ESCROW(" + num(note) + ")" }

// sum is the body of a DispenseValue.
func (r *resident) sum(value int64) string {
	return fmt.Sprintf(`{"Value":%d,"CountryCode":"%s"}`, value, r.currency)
}

// cheap is a denomination of which the machine has some.
func (r *resident) cheap() int64 {
	for _, v := range r.dataset {
		if r.levels[v] > 0 {
			return v
		}
	}
	return 0
}

// worth is what GetAllLevels adds up to.
func (r *resident) worth() (sum int64) {
	for v, n := range r.stored() {
		sum += v * int64(n)
	}
	return sum
}

// perChannel is one count a channel: n of the denomination, and of the others what all says.
func (r *resident) perChannel(value int64, n int, others map[int64]int) string {
	var out []string
	for _, v := range r.dataset {
		k := others[v]
		if v == value {
			k = n
		}
		out = append(out, strconv.Itoa(k))
	}
	return "[" + strings.Join(out, ",") + "]"
}

const refusedPayout = "Failed to initiate dispense operation: "

func TestRowsPayout(t *testing.T) {
	prove(t, "ITL-34 DispenseValue, ITL-10", payers, func(r *resident) {
		v := r.cheap()
		before := r.worth()
		r.says(r.post("DispenseValue", r.sum(2*v)), "Dispense operation initiated successfully.")
		a := r.post("DispenseValue", r.sum(v)) // one at a time
		if a.status != 400 || !strings.Contains(a.body, "BUSY") || a.header.Get("X-Error-Reason") != "3" {
			r.t.Errorf("a second payout: %d %s", a.status, a.body)
		}
		got := r.until("IDLE")
		if !strings.HasPrefix(got, "0:IN_PROGRESS DISPENSING ") || !strings.HasSuffix(got, "DISPENSED("+num(2*v)+") 0:COMPLETED IDLE") {
			r.t.Errorf("told %s", got)
		}
		if now := r.worth(); now != before-2*v {
			r.t.Errorf("worth %d, was %d", now, before)
		}
		refusals := []struct {
			body, word, reason string
		}{
			{r.sum(100_000_000), "NOT_ENOUGH_VALUE", "1"},
			{r.sum(0), "INVALID_INPUT", ""},
			{`{"Value":500,"CountryCode":"XXX"}`, "INVALID_INPUT", ""},
			{`{"Value":500}`, "INVALID_INPUT", ""},
		}
		for _, x := range refusals {
			a := r.post("DispenseValue", x.body)
			a.text(r.t, 400, refusedPayout+x.word)
			if a.header.Get("X-Error-Reason") != x.reason {
				r.t.Errorf("%s: X-Error-Reason %q, want %q", x.body, a.header.Get("X-Error-Reason"), x.reason)
			}
		}
		r.agrees()
	})
	prove(t, "ITL-34 DispenseValue, reason 2", spectrals, func(r *resident) {
		for range 4 { // the fives
			r.post("PayoutMultipleDenominations", r.perChannel(500, 1, nil))
			r.until("IDLE")
		}
		a := r.post("DispenseValue", r.sum(1500))
		a.text(r.t, 400, refusedPayout+"CANNOT_PAY_EXACT_AMOUNT")
		if a.header.Get("X-Error-Reason") != "2" {
			r.t.Errorf("X-Error-Reason %q", a.header.Get("X-Error-Reason"))
		}
		r.agrees()
	})
	decline(t, "ITL-34 DispenseValue", "NOTE_VALIDATOR", func(r *resident) {
		r.post("DispenseValue", r.sum(500)).text(r.t, 400, refusedPayout+"INVALID_INPUT")
	})
	prove(t, "ITL-15 EnablePayout, ITL-18 DisablePayout, ITL-16 EnablePayoutDevice", notePay, func(r *resident) {
		v := r.cheap()
		r.says(r.post("DisablePayout", ""), "Payout disabled successfully.")
		a := r.post("DispenseValue", r.sum(v))
		a.text(r.t, 400, refusedPayout+"DEVICE_DISABLED")
		if a.header.Get("X-Error-Reason") != "4" {
			r.t.Errorf("X-Error-Reason %q", a.header.Get("X-Error-Reason"))
		}
		r.says(r.post("EnablePayout", ""), "Payout enabled successfully.")
		r.says(r.post("DispenseValue", r.sum(v)), "Dispense operation initiated successfully.")
		r.until("IDLE")
		r.says(r.post("EnablePayoutDevice", ""), "<id>: Payout device enabled successfully.")
		r.town.post("EnablePayoutDevice?deviceID=nobody", "").text(r.t, 400, "Cash device not found")
		r.town.post("EnablePayoutDeviceWithByte?deviceID=nobody", `{"EnablePayoutDeviceByte":1}`).text(r.t, 404, "Cash device not found")
		r.agrees()
	})
	decline(t, "ITL-15 EnablePayout, ITL-18 DisablePayout, ITL-16 EnablePayoutDevice, ITL-17 EnablePayoutDeviceWithByte", "NOTE_VALIDATOR "+coinAll, func(r *resident) {
		r.refuses(r.post("EnablePayout", ""), 400, notSupported)
		r.refuses(r.post("DisablePayout", ""), 400, notSupported)
		for _, name := range []string{"EnablePayoutDevice", "EnablePayoutDeviceWithByte"} {
			if a := r.post(name, ""); a.status != 500 || !strings.HasPrefix(a.body, "Failed to enable payout device. Error: ") {
				r.t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
	})
	prove(t, "ITL-35 Float", payers, func(r *resident) {
		v := r.cheap()
		before := r.stored()
		keep := r.perChannel(v, 1, before)
		r.says(r.post("Float", keep), "<id>: Float operation completed successfully.")
		got := r.until("IDLE")
		moved := num(int64(before[v]-1) * v)
		if !strings.HasPrefix(got, "1:IN_PROGRESS FLOATING ") || !strings.HasSuffix(got, " 1:COMPLETED IDLE") || !strings.Contains(got, "MOVED_TO_CASHBOX(") {
			r.t.Errorf("told %s, want %s moved", got, moved)
		}
		if now := r.stored()[v]; now != 1 {
			r.t.Errorf("%d kept, want 1", now)
		}
		if a := r.post("Float", "[1]"); a.status != 400 {
			r.t.Errorf("a count for one channel: %d %s", a.status, a.body)
		}
		r.agrees()
	})
	prove(t, "ITL-35 Float", "SPECTRAL_PAYOUT", func(r *resident) {
		r.refuses(r.post("Float", "[4,4,4,9]"), 400, "Not enough value to perform float.")
	})
	decline(t, "ITL-35 Float, ITL-37 SmartEmpty, ITL-41 HaltPayout", "NOTE_VALIDATOR", func(r *resident) {
		r.refuses(r.post("Float", "[0,0,0,0]"), 400, notSupported)
		r.refuses(r.post("SmartEmpty", ""), 400, notSupported)
		if a := r.post("HaltPayout", ""); a.status != 400 {
			r.t.Errorf("HaltPayout: %d %s", a.status, a.body)
		}
	})
	prove(t, "ITL-37 SmartEmpty", payers, func(r *resident) {
		r.post("SmartEmpty", `{"ModuleNumber":0,"IsNV4000":false}`).is(r.t, 200, jsonText, `{"dispenseResult":"COMPLETED"}`)
		got := r.until("IDLE")
		if !strings.HasPrefix(got, "3:IN_PROGRESS EMPTYING ") || !strings.HasSuffix(got, " 3:COMPLETED IDLE") {
			r.t.Errorf("told %s", got)
		}
		for v, n := range r.stored() {
			if n != 0 {
				r.t.Errorf("%d of %d left", n, v)
			}
		}
		r.agrees()
		if boxed := counted(r.sim.Truth().Cashbox).Pieces(); boxed == 0 {
			r.t.Error("nothing in the cashbox")
		}
		r.strict = false // a name that the manual's text has, and its table has not
		r.post("SmartEmpty", `{"ModuleNumber":0,"NV4000":false}`).is(r.t, 200, jsonText, `{"dispenseResult":"COMPLETED"}`)
	})
	prove(t, "ITL-41 HaltPayout", payers, func(r *resident) {
		if a := r.post("HaltPayout", ""); a.status != 400 || a.body == "" {
			r.t.Errorf("nothing to halt: %d %s", a.status, a.body)
		}
		v := r.cheap()
		r.says(r.post("DispenseValue", r.sum(4*v)), "Dispense operation initiated successfully.")
		r.says(r.post("HaltPayout", ""), "Payout halted successfully.")
		got := r.until("IDLE")
		if !strings.Contains(got, "HALTED(") || !strings.HasSuffix(got, " 0:ERROR IDLE") {
			r.t.Errorf("told %s", got)
		}
		r.agrees()
	})
	prove(t, "ITL-36 SetCashboxPayoutLimit", "SPECTRAL_PAYOUT NV22_SPECTRAL "+coinAll, func(r *resident) {
		v := r.cheap()
		have := r.stored()
		limits := r.perChannel(v, have[v], nil)
		r.says(r.post("SetCashboxPayoutLimit", limits), "<id>: Cashbox payout limit set successfully.")
		r.insert(v)
		r.until("IDLE")
		if now := r.stored()[v]; now != have[v] {
			r.t.Errorf("%d stored, the limit is %d", now, have[v])
		}
		r.says(r.post("SetCashboxPayoutLimit", r.perChannel(v, 0, nil)), "<id>: Cashbox payout limit set successfully.")
		r.insert(v)
		r.until("IDLE")
		if now := r.stored()[v]; now != have[v]+1 {
			r.t.Errorf("%d stored without a limit, had %d", now, have[v])
		}
		r.agrees()
	})
	prove(t, "ITL-17 EnablePayoutDeviceWithByte", notePay, func(r *resident) {
		r.says(r.post("EnablePayoutDeviceWithByte", `{"EnablePayoutDeviceByte":1}`), "<id>: Payout device enabled successfully.")
	})
	prove(t, "ITL-36 SetCashboxPayoutLimit, refused", "NV4000 NOTE_VALIDATOR", func(r *resident) {
		r.refuses(r.post("SetCashboxPayoutLimit", r.perChannel(0, 0, nil)), 400, notSupported)
	})
	prove(t, "ITL-42 GetRCMode, ITL-43 Replenish", "NV4000", replenishment)
	decline(t, "ITL-42 GetRCMode, ITL-43 Replenish", spectrals+" NOTE_VALIDATOR "+coinAll, func(r *resident) {
		r.refuses(r.get("GetRCMode"), 400, notSupported)
		r.refuses(r.post("Replenish", "3"), 400, notSupported)
	})
	prove(t, "ITL-44 RefillMode", "NV4000 SPECTRAL_PAYOUT", func(r *resident) {
		r.says(r.post("RefillMode", "true"), "<id>: Refill mode enabled successfully.")
		r.says(r.post("RefillMode", "false"), "<id>: Refill mode disabled successfully.")
	})
	decline(t, "ITL-44 RefillMode", "NOTE_VALIDATOR "+coinAll, func(r *resident) {
		r.refuses(r.post("RefillMode", "true"), 400, notSupported)
	})
	decline(t, "PayoutMultipleDenominations, PayoutByDenomination", payers, func(r *resident) {
		v := r.cheap()
		before := r.stored()[v]
		a := r.post("PayoutMultipleDenominations", r.perChannel(v, 2, nil))
		a.is(r.t, 200, jsonText, fmt.Sprintf(`{"dispenseResult":"IN_PROGRESS","payoutOperationData":"PAYOUT 2 x %d %s"}`, v, r.currency))
		r.post("PayoutMultipleDenominations", r.perChannel(v, 1, nil)).is(r.t, 400, jsonText, `{"dispenseResult":"ERROR","reason":"BUSY","errorReason":3}`)
		if got := r.until("IDLE"); !strings.HasSuffix(got, "DISPENSED("+num(2*v)+") 0:COMPLETED IDLE") {
			r.t.Errorf("told %s", got)
		}
		r.post("PayoutByDenomination", fmt.Sprintf(`{"Value":%d,"CountryCode":"%s","Count":1}`, v, r.currency)).
			is(r.t, 200, jsonText, fmt.Sprintf(`{"dispenseResult":"IN_PROGRESS","payoutOperationData":"PAYOUT 1 x %d %s"}`, v, r.currency))
		r.until("IDLE")
		if now := r.stored()[v]; now != before-3 {
			r.t.Errorf("%d stored, had %d", now, before)
		}
		r.agrees()
	})
	prove(t, "ITL-34 DispenseValue, jam", "SPECTRAL_PAYOUT SMART_COIN_SYSTEM", func(r *resident) {
		r.says(r.post("DispenseValue", r.sum(2*r.cheap())), "Dispense operation initiated successfully.")
		if err := r.sim.Fault(sim.Fault{Kind: "payout_jam"}); err != nil {
			r.t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if err := r.sim.Fault(sim.Fault{Kind: "unjam"}); err != nil {
			r.t.Fatal(err)
		}
		r.until("IDLE", "DISABLED")
		r.agrees()
	})
}

// replenishment fills the cassette by its route, and the recyclers from it.
func replenishment(r *resident) {
	r.says(r.get("GetRCMode"), "RC_MODE_REPLENISH")
	r.town.get("GetRCMode?deviceID=nobody").text(r.t, 404, "Cash device not found")
	if a := r.post("Replenish", "3"); a.status != 400 {
		r.t.Errorf("nothing to replenish from: %d %s", a.status, a.body)
	}
	r.says(r.post("SetDenominationRoute", `{"Value":100,"CountryCode":"USD","Route":6}`), "<id>: Set 100 USD route to REPLENISHMENT_CASSETTE successfully!")
	for range 4 {
		r.insert(100)
		r.until("IDLE")
	}
	var opened struct{ NV4000Fields struct{ RcNoteCount int } }
	a := r.town.post("OpenConnection", r.opening(`,"EnableAcceptor":true,"EnablePayout":true,"EnableAutoAcceptEscrow":true`))
	if err := json.Unmarshal([]byte(a.body), &opened); err != nil || opened.NV4000Fields.RcNoteCount != 4 {
		r.t.Errorf("%d notes in the cassette, want 4: %s", opened.NV4000Fields.RcNoteCount, a.body)
	}
	r.until("IDLE")
	before := r.worth()
	r.says(r.post("SetDenominationRoute", `{"Value":100,"CountryCode":"USD","Route":2}`), "<id>: Set 100 USD route to RECYCLER_1 successfully!")
	r.events()
	r.says(r.post("Replenish", "3"), "Replenishment completed successfully.")
	if got := r.until("IDLE"); got != "2:IN_PROGRESS REPLENISHING REPLENISH_STORED REPLENISH_STORED REPLENISH_STORED 2:COMPLETED IDLE" {
		r.t.Errorf("told %s", got)
	}
	if now := r.worth(); now != before {
		r.t.Errorf("worth %d, was %d", now, before)
	}
	r.agrees()
}

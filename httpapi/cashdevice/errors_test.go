package cashdevice

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"coffer/devices"
	"coffer/internal/cash"
)

// TestRows plays every error of internal/cash on an endpoint that documents 400 for a refusal, and on one that documents
// 500.
func TestRows(t *testing.T) {
	tests := []struct {
		err           error
		text          string // after the deviceID
		status        int    // of HaltPayout
		enable        int    // of EnableAcceptor
		reason        string
		alsoForEnable string
	}{
		{cash.ErrInvalid, "Failed to halt payout: INVALID_INPUT.", 400, 400, "", ""},
		{cash.ErrUnsupported, "Command not supported by this device.", 400, 400, "", "Command not supported by this device."},
		{cash.ErrUnknown, "Failed to halt payout: NOT_FOUND.", 404, 404, "", ""},
		{cash.ErrClaimed, "Failed to halt payout: DEVICE_BUSY (CLAIMED).", 400, 400, "", ""},
		{cash.ErrNotClaimed, "Failed to halt payout: DEVICE_NOT_CLAIMED.", 400, 400, "", ""},
		{cash.ErrUnauthorized, "Failed to halt payout: UNAUTHORIZED.", 401, 401, "", ""},
		{cash.ErrBusy, "Failed to halt payout: DEVICE_BUSY.", 400, 400, "3", ""},
		{cash.ErrDisabled, "Failed to halt payout: DEVICE_DISABLED.", 400, 400, "4", ""},
		{cash.ErrNotConnected, "Device not connected.", 404, 404, "", "Device not connected."},
		{cash.ErrNotEnough, "Failed to halt payout: NOT_ENOUGH_VALUE.", 400, 400, "1", ""},
		{cash.ErrNotExact, "Failed to halt payout: CANNOT_PAY_EXACT_AMOUNT.", 400, 400, "2", ""},
		{cash.ErrJam, "Failed to halt payout: JAMMED.", 400, 500, "", ""},
		{cash.ErrFull, "Failed to halt payout: DEVICE_FULL.", 400, 500, "", ""},
		{cash.ErrNoCashbox, "Failed to halt payout: CASHBOX_REMOVED.", 400, 500, "", ""},
		{cash.ErrNothing, "Failed to halt payout: NOTHING_TO_DO.", 400, 400, "", ""},
		{cash.ErrOutcomeUnknown, "Failed to halt payout: OUTCOME_UNKNOWN.", 500, 500, "", ""},
		{cash.ErrGap, "Failed to halt payout: EVENTS_LOST.", 500, 500, "", ""},
		{cash.ErrJournal, "Failed to halt payout: LEDGER_UNAVAILABLE.", 500, 500, "", ""},
		{cash.ErrKeySeen, "Failed to halt payout: INVALID_INPUT.", 400, 400, "", ""},
		{&cash.PartialError{}, "Failed to halt payout: INCOMPLETE.", 400, 500, "", ""},
	}
	for _, r := range rows {
		if !containsError(tests, r.err, func(i int) error { return tests[i].err }) {
			t.Errorf("row %v has no test", r.err)
		}
	}
	for _, tt := range tests {
		t.Run(tt.err.Error(), func(t *testing.T) {
			with(t, Android, func(t *testing.T, b *bench) { // plain text is the same in both dialects
				b.open()
				b.notes.err = fmt.Errorf("wrapped: %w", tt.err)
				a := b.post("HaltPayout"+q, "")
				a.text(t, tt.status, notesID+": "+tt.text)
				if got := a.header.Get("X-Error-Reason"); got != tt.reason {
					t.Errorf("X-Error-Reason %q, want %q", got, tt.reason)
				}
				want := strings.Replace(tt.text, "halt payout", "enable acceptor", 1)
				b.post("EnableAcceptor"+q, "").text(t, tt.enable, notesID+": "+want)
			})
		})
	}
}

func containsError[T any](list []T, want error, at func(int) error) bool {
	for i := range list {
		if at(i) == want {
			return true
		}
	}
	return false
}

func TestUnforeseenErrorsAndPanics(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		b.notes.err = errors.New("boom")
		b.post("HaltPayout"+q, "").text(t, 500, notesID+": Internal error: "+notesID+": halt: boom")
		b.notes.err = nil
		b.api.table[normal("/api/CashDevice/HaltPayout")] = &endpoint{methods: "POST", handle: func(*call) (any, error) { panic("bug") }}
		a := b.post("HaltPayout"+q, "")
		if a.status != 500 || !strings.HasPrefix(a.body, notesID+": Internal error: ") {
			t.Errorf("%d %s", a.status, a.body)
		}
		b.post("EnableAcceptor"+q, "").text(t, 200, notesID+": Acceptor enabled successfully.")
	})
}

func TestDocumentedRefusals(t *testing.T) {
	tests := []struct {
		path, body string
		err        error
		status     int
		want       string
	}{
		{"AcceptFromEscrow", "", cash.ErrNothing, 400, notesID + ": Error accepting note from escrow"},
		{"ReturnFromEscrow", "", cash.ErrNothing, 400, notesID + ": Error returning note from escrow"},
		{"SetDenominationInhibits", `{"ValueCountryCodes":["700 GBP"],"Inhibit":true}`, nil, 400, "Failed to set denomination inhibits."},
		{"SetDenominationInhibits", `{"ValueCountryCodes":["500 EUR"],"Inhibit":true}`, nil, 400, "Failed to set denomination inhibits."},
		{"SetDenominationInhibits", `{"ValueCountryCodes":["x"],"Inhibit":true}`, nil, 400, "Failed to set denomination inhibits."},
		{"SetDenominationInhibits", `{"ValueCountryCodes":[],"Inhibit":true}`, nil, 400, "Failed to set denomination inhibits."},
		{"SetDenominationInhibits", `{"ValueCountryCodes":["500 GBP"],"Inhibit":true}`, cash.ErrJam, 400, "Failed to set denomination inhibits."},
		{"SetDenominationRoute", `{"Value":700,"CountryCode":"GBP","Route":1}`, nil, 400, notesID + ": Failed to set denomination route: INVALID_INPUT."},
		{"SetDenominationRoute", `{"Value":500,"CountryCode":"GBP"}`, nil, 400, notesID + ": Failed to set denomination route: INVALID_INPUT."},
		{"SetDenominationRoute", `{"Value":500,"CountryCode":"GBP","Route":8}`, nil, 400, notesID + ": Failed to set denomination route: INVALID_INPUT."},
		{"SetDenominationRoute", `{"Value":500,"CountryCode":"GBP","Route":2}`, nil, 400, notesID + ": Failed to set denomination route: INVALID_INPUT."},
		{"HaltPayout", "", cash.ErrNothing, 400, notesID + ": Failed to halt payout: NOTHING_TO_DO."},
		{"EnablePayoutDevice", "", errors.New("no answer"), 500, "Failed to enable payout device. Error: " + notesID + ": enable payout: no answer"},
	}
	for _, tt := range tests {
		t.Run(tt.path+tt.body, func(t *testing.T) {
			with(t, DotNet, func(t *testing.T, b *bench) {
				b.open()
				b.notes.err = tt.err
				b.post(tt.path+q, tt.body).text(t, tt.status, tt.want)
			})
		})
	}
}

func TestCommandsThatAMachineHasNot(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.openAll()
		for _, path := range []string{"EnablePayout", "DisablePayout", "HaltPayout"} {
			b.post(path+"?deviceID="+coinsID, "").text(t, 400, coinsID+": Command not supported by this device.")
		}
		b.post("SetAutoAccept?deviceID="+coinsID, "true").text(t, 400, coinsID+": Command not supported by this device.")
		b.get("GetLastRejectCode?deviceID="+coinsID).text(t, 400, coinsID+": Command not supported by this device.")
	})
}

func TestALostMachine(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		b.publish(cash.StateChanged{State: cash.StateNotConnected})
		b.station.mu.Lock()
		b.station.machines = map[string]devices.Device{}
		b.station.mu.Unlock()
		if got := states(t, b.get("GetDeviceStatus"+q).body); got != "NOT_CONNECTED" {
			t.Errorf("told %s", got)
		}
		b.post("EnableAcceptor"+q, "").text(t, 404, notesID+": Device not connected.")
		if a := b.get("GetAllLevels" + q); a.status != 400 || !strings.Contains(a.body, `"levels":[],"success":false`) {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestMalformedBodies(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		for _, body := range []string{`{"Value":`, `{"Value":1500`, `nonsense`, `{"a":1}}`, "\x00", `[1,2]`, `"text"`, `{"Value":[1],"CountryCode":"GBP"}`} {
			if a := b.post("DispenseValue"+q, body); a.status != 400 || a.media != problemText {
				t.Errorf("%q: %d %s", body, a.status, a.body)
			}
		}
		for _, body := range []string{"", "2", "null", `"maybe"`, "{}", "tru"} {
			b.post("SetAutoAccept"+q, body).problem(t, "$")
		}
		b.post("DispenseValue"+q, `{"Value":"lots","CountryCode":"GBP"}`).problem(t, "Value")
		b.post("DispenseValue"+q, `{"Value":500,"CountryCode":{}}`).problem(t, "CountryCode")
		if got := b.till.took(); got != "" {
			t.Errorf("the till was asked for %q", got)
		}
	})
}

func TestTooLarge(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		huge := strings.Repeat(" ", 10<<20) + `{"Value":1500,"CountryCode":"GBP"}`
		for _, path := range []string{"DispenseValue", "EnableAcceptor", "GetDeviceStatus"} {
			method := http.MethodPost
			if path == "GetDeviceStatus" {
				method = http.MethodGet
			}
			if a := b.do(method, "/api/CashDevice/"+path+q, huge); a.status != 413 || a.body == "" {
				t.Errorf("%s: %d %q", path, a.status, a.body)
			}
		}
		if b.till.took() != "" || b.notes.took() != "" {
			t.Error("something was done")
		}
	})
}

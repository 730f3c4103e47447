package cashdevice

import (
	"errors"
	"strings"
	"testing"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/internal/till"
)

// What is wanted in these tables is copied from the manual and from wire-truths.md, not from our own output.

const q = "?deviceID=" + notesID

func TestPlainEndpoints(t *testing.T) {
	tests := []struct {
		path, body string
		want       string // the manual's text
		did        string // what the machine was told
	}{
		{"EnableAcceptor", "", notesID + ": Acceptor enabled successfully.", "enable"},
		{"DisableAcceptor", "", notesID + ": Acceptor disabled successfully.", "disable"},
		{"EnablePayout", "", "Payout enabled successfully.", "payout-on"},
		{"EnablePayoutDevice", "", notesID + ": Payout device enabled successfully.", "payout-on"},
		{"DisablePayout", "", "Payout disabled successfully.", "payout-off"},
		{"HaltPayout", "", "Payout halted successfully.", "halt"},
		{"SetAutoAccept", "true", notesID + ": Auto-accept set to True", "auto-accept True"},
		{"SetAutoAccept", "false", notesID + ": Auto-accept set to False", "auto-accept False"},
		{"AcceptFromEscrow", "", notesID + ": Note can be accepted from escrow.", "accept-escrow"},
		{"ReturnFromEscrow", "", notesID + ": Note can be returned from escrow.", "return-escrow"},
		{"SetDenominationInhibits", `{"ValueCountryCodes":["2000 GBP","5000 GBP"],"Inhibit":true}`,
			notesID + ": Denomination inhibits set successfully.", "inhibit 2000 GBP 5000 GBP"},
		{"SetDenominationRoute", `{"Value":500,"CountryCode":"GBP","Route":1}`,
			notesID + ": Set 500 GBP route to RECYCLER successfully!", "route 500 GBP True"},
		{"SetDenominationRoute", `{"Value":500,"CountryCode":"GBP","Route":7}`,
			notesID + ": Set 500 GBP route to PAYOUT successfully!", "route 500 GBP True"},
		{"SetDenominationRoute", `{"Value":5000,"CountryCode":"GBP","Route":0}`,
			notesID + ": Set 5000 GBP route to CASHBOX successfully!", "route 5000 GBP False"},
		{"StartDevice", "", notesID + ": Device started successfully.", ""},
		{"ResetDevice", "", "Device reset successfully.", "reset"},
	}
	for _, tt := range tests {
		t.Run(tt.path+tt.body, func(t *testing.T) {
			with(t, DotNet, func(t *testing.T, b *bench) {
				b.open()
				b.post(tt.path+q, tt.body).text(t, 200, tt.want)
				if got := b.notes.took(); got != tt.did {
					t.Errorf("the machine was told %q, want %q", got, tt.did)
				}
			})
		})
	}
}

func TestReadingEndpoints(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.openAll()
		b.notes.reject = 6
		b.get("GetLastRejectCode"+q).text(t, 200, notesID+": { RejectCategory = Reject Reason: Channel Inhibit }")
		b.get("GetCounters"+q).text(t, 200,
			"SPECTRAL_PAYOUT-COM5: { CountersData = Number of counters in set: 5\nStacked: 261\nStored: 42\nDispensed: 30\nTransferred to stack: 11\nRejected: 26\n }")
		b.get("GetCounters?deviceID="+coinsID).text(t, 200, coinsID+": { CountersData = Number of counters in set: 9\nCoins paid out, including to cashbox: 58\nCoins paid in: 126\nFeeder rejects: 26\nHopper jams: 0\nFeeder jams: 0\nFraud attempts: 0\nCalibration Fails: 6\nResets: 67\nCoins sent to cashbox: 41\n }")
		b.get("GetAllLevels"+q).is(t, 200, jsonText, `{"levels":[
			{"countryCode":"GBP","value":500,"stored":4},{"countryCode":"GBP","value":1000,"stored":2},
			{"countryCode":"GBP","value":2000,"stored":0},{"countryCode":"GBP","value":5000,"stored":0}],
			"success":true,"message":"Successfully retrieved all levels."}`)
		b.get("GetDeviceStatus"+q).is(t, 200, jsonText, `[]`)
		b.get("GetAllCashDevices").is(t, 200, jsonText, `["NOTE_VALIDATOR-COM15","SMART_COIN_SYSTEM-COM9","SPECTRAL_PAYOUT-COM5"]`)
	})
}

func TestCurrencyAssignment(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		b.notes.acc.Levels = nil
		b.notes.edit(func(s *devices.Snapshot) { // as in the manual's sample
			s.Channels[2].Inhibited, s.Channels[2].ToPayout = true, true
			s.Channels[3].Inhibited = true
		})
		b.get("GetCurrencyAssignment"+q).is(t, 200, jsonText, golden(t, "GetCurrencyAssignment.json"))

		b.notes.acc.Levels = cash.Counts{{Value: 500, Currency: "GBP"}: 3}
		b.till.balance = []cash.BalanceRow{
			{Device: notesID, Place: cash.Cashbox, Value: 500, Currency: "GBP", Count: 7},
			{Device: notesID, Place: cash.Payout, Value: 500, Currency: "GBP", Count: 3},
		}
		if a := b.get("GetCurrencyAssignment" + q); !strings.Contains(a.body, `"stored":3,"storedInCashbox":7,"channel":1}`) {
			t.Errorf("stored and storedInCashbox missing in %s", a.body)
		}
		b.notes.edit(func(s *devices.Snapshot) { s.Channels = nil })
		if a := b.get("GetCurrencyAssignment" + q); a.status != 404 || a.body == "" {
			t.Errorf("no channels: %d %q, want 404 with a body", a.status, a.body)
		}
	})
}

func TestCompleteCashDevice(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		b.notes.edit(func(s *devices.Snapshot) {
			s.Counters, s.CounterKind = b.notes.acc.Counters, cash.CountersNote
			s.Channels[2].Inhibited, s.Channels[3].Inhibited = true, true
		})
		a := b.get("GetCompleteCashDevice" + q)
		body, prefixed := strings.CutPrefix(a.body, notesID+": ")
		if a.status != 200 || a.media != plainText || !prefixed {
			t.Fatalf("answer %d %s %.60q, want text that begins with the deviceID", a.status, a.media, a.body)
		}
		want := golden(t, "GetCompleteCashDevice.json")
		// The sample's validity flag of a serial number that it shows contradicts itself (spec §9, row 26).
		want = strings.Replace(want, `"mainSerialNumberValid": false`, `"mainSerialNumberValid": true`, 1)
		sameJSON(t, body, want)
		if n := strings.Count(body, "\n"); n != 0 {
			t.Errorf("%d line ends in the JSON part", n)
		}
		b.get("GetCompleteCashDevice"+q, "Accept", "application/json").is(t, 200, jsonText, want)
	})
}

func TestCompleteCashDeviceHas94Members(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.openAll()
		c := &call{api: b.api, id: notesID, view: b.api.views.find(notesID)}
		for _, d := range []*fakeDevice{b.notes, b.coins, b.plain} {
			s := d.Snapshot()
			n := len(c.dumpIdentity(s)) + len(dumpSerials(s)) + len(dumpRevisions(s)) + len(dumpCoins(s, memory{})) + len(dumpNotes(s, memory{})) + len(c.dumpState(s, list{}))
			if n != 94 {
				t.Errorf("%s: %d members, want 94", s.ID, n)
			}
		}
	})
}

func TestDispense(t *testing.T) {
	const refused = "Failed to initiate dispense operation: "
	tests := []struct {
		name, device, body string
		err                error // of the till
		status             int
		want               string
		reason             string
		asked              string
	}{
		{"accepted", notesID, `{"Value":1500,"CountryCode":"GBP"}`, nil, 200, "Dispense operation initiated successfully.", "", "dispense 15.00 GBP"},
		{"coins", coinsID, `{"Value":70,"CountryCode":"gbp"}`, nil, 200, "Dispense operation initiated successfully.", "", "dispense 0.70 GBP"},
		{"not enough", notesID, `{"Value":1500,"CountryCode":"GBP"}`, cash.ErrNotEnough, 400, refused + "NOT_ENOUGH_VALUE", "1", ""},
		{"not exact", notesID, `{"Value":1500,"CountryCode":"GBP"}`, cash.ErrNotExact, 400, refused + "CANNOT_PAY_EXACT_AMOUNT", "2", ""},
		{"busy", notesID, `{"Value":1500,"CountryCode":"GBP"}`, cash.ErrBusy, 400, refused + "DEVICE_BUSY", "3", ""},
		{"disabled", notesID, `{"Value":1500,"CountryCode":"GBP"}`, cash.ErrDisabled, 400, refused + "DEVICE_DISABLED", "4", ""},
		{"claimed", notesID, `{"Value":1500,"CountryCode":"GBP"}`, cash.ErrClaimed, 400, refused + "DEVICE_BUSY (CLAIMED)", "", ""},
		{"ledger", notesID, `{"Value":1500,"CountryCode":"GBP"}`, cash.ErrJournal, 500, refused + "LEDGER_UNAVAILABLE", "", ""},
		{"lost", notesID, `{"Value":1500,"CountryCode":"GBP"}`, cash.ErrNotConnected, 404, refused + "NOT_CONNECTED", "", ""},
		{"unforeseen", notesID, `{"Value":1500,"CountryCode":"GBP"}`, errors.New("boom"), 500, refused + "INTERNAL_ERROR", "", ""},
		{"unknown outcome", notesID, `{"Value":1500,"CountryCode":"GBP"}`, cash.ErrOutcomeUnknown, 200, "Dispense operation initiated successfully.", "", ""},
		{"nothing", notesID, `{"Value":0,"CountryCode":"GBP"}`, nil, 400, refused + "INVALID_INPUT", "", ""},
		{"negative", notesID, `{"Value":-500,"CountryCode":"GBP"}`, nil, 400, refused + "INVALID_INPUT", "", ""},
		{"huge", notesID, `{"Value":99999999999999999999,"CountryCode":"GBP"}`, nil, 400, refused + "INVALID_INPUT", "", ""},
		{"more than 32 bits", notesID, `{"Value":4294967296,"CountryCode":"GBP"}`, nil, 400, refused + "INVALID_INPUT", "", ""},
		{"fraction", notesID, `{"Value":15.5,"CountryCode":"GBP"}`, nil, 400, refused + "INVALID_INPUT", "", ""},
		{"no value", notesID, `{"CountryCode":"GBP"}`, nil, 400, refused + "INVALID_INPUT", "", ""},
		{"no country", notesID, `{"Value":1500}`, nil, 400, refused + "INVALID_INPUT", "", ""},
		{"other currency", notesID, `{"Value":1500,"CountryCode":"EUR"}`, nil, 400, refused + "INVALID_INPUT", "", ""},
		{"no currency", notesID, `{"Value":1500,"CountryCode":"pound"}`, nil, 400, refused + "INVALID_INPUT", "", ""},
		{"not payable unit", notesID, `{"Value":1501,"CountryCode":"GBP"}`, nil, 400, refused + "INVALID_INPUT", "2", ""},
		{"no store", plainID, `{"Value":1500,"CountryCode":"GBP"}`, nil, 400, refused + "INVALID_INPUT", "", ""},
		{"no body", notesID, ``, nil, 400, refused + "INVALID_INPUT", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			with(t, DotNet, func(t *testing.T, b *bench) {
				b.openAll()
				b.till.err = tt.err
				a := b.post("DispenseValue?deviceID="+tt.device, tt.body)
				a.text(t, tt.status, tt.want)
				if got := a.header.Get("X-Error-Reason"); got != tt.reason {
					t.Errorf("X-Error-Reason %q, want %q", got, tt.reason)
				}
				if got := b.till.took(); got != tt.asked {
					t.Errorf("the till was asked for %q, want %q", got, tt.asked)
				}
				if tt.asked != "" && b.till.actor != "admin via cashdevice" {
					t.Errorf("actor %q, want the user of the token and the API", b.till.actor)
				}
			})
		})
	}
}

func TestDispenseRefusalAsJSON(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		b.till.err = cash.ErrNotExact
		body := `{"Value":1500,"CountryCode":"GBP"}`
		b.post("DispenseValue"+q, body, "Accept", "application/json").is(t, 400, jsonText,
			`{"message":"Failed to initiate dispense operation: CANNOT_PAY_EXACT_AMOUNT","errorReason":2}`)
		b.post("DispenseValue"+q, body, "Accept", "application/json, text/plain, */*").text(t, 400,
			"Failed to initiate dispense operation: CANNOT_PAY_EXACT_AMOUNT")
	})
}

func TestFloatAndEmpty(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.openAll()
		b.post("Float"+q, "[2,2,2,0]").text(t, 200, notesID+": Float operation completed successfully.")
		if got := b.till.took(); got != "float 2x500 GBP 2x1000 GBP 2x2000 GBP" {
			t.Errorf("the till was asked for %q", got)
		}
		for _, body := range []string{"[2,2]", "[1,2,3,4,5]", "[-1,0,0,0]", `["a",0,0,0]`, "2", `{"a":1}`, "", "[70000,0,0,0]", "nonsense"} {
			b.post("Float"+q, body).problem(t, "$")
		}
		b.till.outcome.Result = cash.OpDone
		b.post("SmartEmpty"+q, `{"ModuleNumber":2,"IsNV4000":false}`).is(t, 200, jsonText, `{"dispenseResult":"COMPLETED"}`)
		b.post("SmartEmpty"+q, "").is(t, 200, jsonText, `{"dispenseResult":"COMPLETED"}`)
		b.post("SmartEmpty"+q, `{"ModuleNumber":2,"IsNV4000":true}`).is(t, 200, jsonText, `{"dispenseResult":"COMPLETED"}`)
		if got := b.till.took(); got != "empty 0; empty 0; empty 2" {
			t.Errorf("the till was asked for %q", got)
		}
		b.till.outcome, b.till.waitErr = till.Outcome{Result: cash.OpPartial, Ended: cash.OpJammed}, &cash.PartialError{}
		b.post("SmartEmpty"+q, "").is(t, 400, jsonText, `{"dispenseResult":"JAMMED"}`)
		b.till.outcome.Ended = ""
		b.post("SmartEmpty"+q, "").is(t, 400, jsonText, `{"dispenseResult":"INCOMPLETE"}`)

		b.till.err = cash.ErrNotEnough
		b.post("Float"+q, "[2,2,2,0]").text(t, 400, "Not enough value to perform float.")
		b.till.err = cash.ErrBusy
		if a := b.post("Float"+q, "[2,2,2,0]"); a.status != 400 || !strings.Contains(a.body, "BUSY") || a.header.Get("X-Error-Reason") != "3" {
			t.Errorf("busy: %d %q", a.status, a.body)
		}
		if a := b.post("SmartEmpty"+q, ""); a.status != 400 || !strings.Contains(a.body, "BUSY") {
			t.Errorf("busy: %d %q", a.status, a.body)
		}
	})
}

func TestRouteEventIsTold(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		b.post("SetDenominationRoute"+q, `{"Value":500,"CountryCode":"GBP","Route":0}`)
		b.get("GetDeviceStatus"+q).is(t, 200, jsonText,
			`[{"type":"SetDenominationRouteFinishedEventResponse","result":true,"message":"Set denomination route finished: True"}]`)
	})
}

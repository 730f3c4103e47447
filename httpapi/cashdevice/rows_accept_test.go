package cashdevice

import (
	"strings"
	"testing"
	"time"

	"coffer/devices/sim"
)

func TestRowsAccept(t *testing.T) {
	prove(t, "ITL-19 EnableAcceptor, ITL-20 DisableAcceptor, ITL-10", everyone, func(r *resident) {
		r.says(r.post("DisableAcceptor", ""), "<id>: Acceptor disabled successfully.")
		r.until("DISABLED")
		r.insert(r.dataset[0]) // comes back
		time.Sleep(5 * time.Second)
		if got := strings.Join(r.events(), " "); strings.Contains(got, "ST") {
			r.t.Errorf("took money while disabled: %s", got)
		}
		r.says(r.post("DisableAcceptor", ""), "<id>: Acceptor disabled successfully.") // idempotent
		r.says(r.post("EnableAcceptor", ""), "<id>: Acceptor enabled successfully.")
		r.until("IDLE")
		r.says(r.post("EnableAcceptor", ""), "<id>: Acceptor enabled successfully.")
		r.insert(r.dataset[0])
		got := r.until("IDLE")
		if strings.Contains(coinAll, r.family) {
			if !strings.Contains(got, "PAY_IN_ACTIVE ") || !strings.Contains(got, "COIN_CREDIT(") && !strings.Contains(got, "VALUE_ADDED(") {
				r.t.Errorf("a coin: %s", got)
			}
		} else if !strings.HasPrefix(got, "ACCEPTING ESCROW(") || !strings.Contains(got, ") ST") {
			r.t.Errorf("a note: %s", got)
		}
		if again := r.events(); len(again) != 0 {
			r.t.Errorf("told twice: %v", again)
		}
		r.agrees()
	})
	prove(t, "ITL-39 EnableCoinMechOrFeeder", coinAll, func(r *resident) {
		r.says(r.post("EnableCoinMechOrFeeder", "false"), "Coin mechanism or feeder disabled successfully.")
		r.until("DISABLED")
		r.says(r.post("EnableCoinMechOrFeeder", ""), "Coin mechanism or feeder enabled successfully.")
		r.until("IDLE")
		r.says(r.post("EnableCoinMechOrFeeder", "true"), "Coin mechanism or feeder enabled successfully.")
		before := r.stored()[r.dataset[0]]
		r.insert(r.dataset[0])
		r.until("IDLE")
		if now := r.stored()[r.dataset[0]]; now != before+1 {
			r.t.Errorf("%d stored, had %d", now, before)
		}
	})
	decline(t, "ITL-39 EnableCoinMechOrFeeder", noteAll, func(r *resident) {
		r.refuses(r.post("EnableCoinMechOrFeeder", ""), 400, notSupported)
	})
	prove(t, "ITL-21 SetAutoAccept, ITL-22 AcceptFromEscrow, ITL-23 ReturnFromEscrow", noteAll, func(r *resident) {
		r.refuses(r.post("AcceptFromEscrow", ""), 400, "<id>: Error accepting note from escrow")
		r.refuses(r.post("ReturnFromEscrow", ""), 400, "<id>: Error returning note from escrow")
		r.says(r.post("SetAutoAccept", "false"), "<id>: Auto-accept set to False")
		note := r.dataset[0]
		r.insert(note)
		if got := r.until(esc(note)); got != "ACCEPTING "+esc(note) {
			r.t.Errorf("held: %s", got)
		}
		time.Sleep(3 * time.Second)
		if got := r.events(); len(got) != 0 {
			r.t.Errorf("did not wait: %v", got)
		}
		r.says(r.post("AcceptFromEscrow", ""), "<id>: Note can be accepted from escrow.")
		if got := r.until("IDLE"); !strings.HasPrefix(got, "STORED(") && !strings.HasPrefix(got, "STACKED(") {
			r.t.Errorf("accepted: %s", got)
		}
		r.insert(note)
		r.until(esc(note))
		r.says(r.post("ReturnFromEscrow", ""), "<id>: Note can be returned from escrow.")
		if got := r.until("IDLE"); got != "REJECTING REJECTED REJECTED("+num(note)+") IDLE" {
			r.t.Errorf("returned: %s", got)
		}
		r.says(r.post("SetAutoAccept", "true"), "<id>: Auto-accept set to True")
		r.insert(note)
		r.until("IDLE")
		r.agrees()
	})
	decline(t, "ITL-21 SetAutoAccept, ITL-22 AcceptFromEscrow, ITL-23 ReturnFromEscrow", coinAll, func(r *resident) {
		r.refuses(r.post("SetAutoAccept", "true"), 400, notSupported)
		r.refuses(r.post("AcceptFromEscrow", ""), 400, notSupported)
		r.refuses(r.post("ReturnFromEscrow", ""), 400, notSupported)
	})
	prove(t, "ITL-29 SetDenominationInhibits, ITL-65 GetLastRejectCode", noteAll, func(r *resident) {
		first := num(r.dataset[0]) + " " + r.currency
		r.refuses(r.post("SetDenominationInhibits", `{"ValueCountryCodes":["7 `+r.currency+`","`+first+`"],"Inhibit":true}`), 400, "Failed to set denomination inhibits.")
		r.says(r.post("SetDenominationInhibits", `{"ValueCountryCodes":["`+first+`"],"Inhibit":true}`), "<id>: Denomination inhibits set successfully.")
		r.insert(r.dataset[0])
		if got := r.until("IDLE"); got != "ACCEPTING REJECTING REJECTED IDLE" {
			r.t.Errorf("an inhibited note: %s", got)
		}
		r.says(r.get("GetLastRejectCode"), "<id>: { RejectCategory = Reject Reason: Channel Inhibit }")
		r.says(r.post("SetDenominationInhibits", `{"ValueCountryCodes":["`+first+`"],"Inhibit":false}`), "<id>: Denomination inhibits set successfully.")
		r.insert(r.dataset[0])
		if got := r.until("IDLE"); !strings.Contains(got, "ST") {
			r.t.Errorf("a note that is allowed again: %s", got)
		}
		r.agrees()
	})
	prove(t, "ITL-29 SetDenominationInhibits", coinAll, func(r *resident) {
		first := num(r.dataset[0]) + " " + r.currency
		r.says(r.post("SetDenominationInhibits", `{"ValueCountryCodes":["`+first+`"],"Inhibit":true}`), "<id>: Denomination inhibits set successfully.")
		before := r.stored()[r.dataset[0]]
		r.insert(r.dataset[0])
		time.Sleep(5 * time.Second)
		if now := r.stored()[r.dataset[0]]; now != before {
			r.t.Errorf("an inhibited coin was taken: %d, had %d", now, before)
		}
		r.refuses(r.post("SetDenominationInhibits", `{"ValueCountryCodes":["7 XXX"],"Inhibit":true}`), 400, "Failed to set denomination inhibits.")
		r.agrees()
	})
	decline(t, "ITL-65 GetLastRejectCode", coinAll, func(r *resident) {
		r.refuses(r.get("GetLastRejectCode"), 400, notSupported)
	})
	prove(t, "ITL-30 SetDenominationRoute", payers, func(r *resident) {
		d := r.dataset[0]
		body := func(n string) string {
			return `{"Value":` + num(d) + `,"CountryCode":"` + r.currency + `","Route":` + n + `}`
		}
		r.says(r.post("SetDenominationRoute", body("0")), "<id>: Set "+num(d)+" "+r.currency+" route to CASHBOX successfully!")
		if got := r.until("ROUTE(true)"); got != "ROUTE(true)" {
			r.t.Errorf("told %s", got)
		}
		before := r.stored()[d]
		r.insert(d)
		r.until("IDLE")
		if now := r.stored()[d]; now != before {
			r.t.Errorf("%d stored although it goes to the cashbox, had %d", now, before)
		}
		nested := `{"ValueCountryCode":{"Value":` + num(d) + `,"CountryCode":"` + r.currency + `"},"Route":1}`
		r.strict = false // the manual has the flat form alone
		r.says(r.post("SetDenominationRoute", nested), "<id>: Set "+num(d)+" "+r.currency+" route to RECYCLER successfully!")
		r.strict = true
		r.until("ROUTE(true)")
		r.insert(d)
		r.until("IDLE")
		if now := r.stored()[d]; now != before+1 {
			r.t.Errorf("%d stored although it is recycled, had %d", now, before)
		}
		r.says(r.post("SetDenominationRoute", body("7")), "<id>: Set "+num(d)+" "+r.currency+" route to PAYOUT successfully!")
		for route, name := range map[string]string{"2": "RECYCLER_1", "5": "RECYCLER_4", "6": "REPLENISHMENT_CASSETTE"} {
			a := r.post("SetDenominationRoute", body(route))
			if r.family == "NV4000" {
				r.says(a, "<id>: Set "+num(d)+" "+r.currency+" route to "+name+" successfully!")
			} else if a.status != 400 {
				r.t.Errorf("route %s: %d %s", route, a.status, a.body)
			}
		}
		for _, route := range []string{"8", "-1", `"NOWHERE"`} {
			if a := r.post("SetDenominationRoute", body(route)); a.status != 400 {
				r.t.Errorf("route %s: %d %s", route, a.status, a.body)
			}
		}
		r.agrees()
	})
	decline(t, "ITL-30 SetDenominationRoute", "NOTE_VALIDATOR", func(r *resident) {
		r.refuses(r.post("SetDenominationRoute", `{"Value":500,"CountryCode":"EUR","Route":7}`), 400, notSupported)
	})
	prove(t, "ITL-24 SetMultiEscrowSize, ITL-25, ITL-26, ITL-27, ITL-28", "SPECTRAL_PAYOUT NV4000", multiEscrow)
	prove(t, "ITL-24 SetMultiEscrowSize, not supported", "NOTE_VALIDATOR "+smart+" "+coinAll, func(r *resident) {
		r.refuses(r.post("SetMultiEscrowSize", "20"), 400, notSupported)
		r.refuses(r.get("GetMultiEscrowSize"), 400, notSupported)
		r.refuses(r.get("GetMultiEscrowValue"), 400, notSupported)
		r.refuses(r.post("CommitMultiEscrow", ""), 400, notSupported)
		r.refuses(r.post("CancelMultiEscrow", "true"), 400, notSupported)
	})
	prove(t, "ITL-31 GetBarcodeReaderConfiguration, ITL-32, ITL-33", noteAll, tickets)
	decline(t, "ITL-31 GetBarcodeReaderConfiguration, ITL-32, ITL-33", coinAll, func(r *resident) {
		r.refuses(r.get("GetBarcodeReaderConfiguration"), 400, notSupported)
		r.refuses(r.post("SetBarcodeReaderConfiguration", `{"EnableReaders":3,"BarCodeFormat":1,"NumberOfCharacters":18}`), 400, notSupported)
		r.refuses(r.get("GetBarcodeData"), 400, notSupported)
	})
}

func multiEscrow(r *resident) {
	for _, size := range []string{"0", "21"} {
		r.refuses(r.post("SetMultiEscrowSize", size), 400, "Failed to set new multi-escrow size.")
	}
	r.says(r.post("SetMultiEscrowSize", "20"), "Successfully set multi-escrow size to 20.")
	r.get("GetMultiEscrowSize").is(r.t, 200, jsonText, `{"multiEscrowSize":20}`)
	r.get("GetMultiEscrowValue").is(r.t, 200, jsonText, `{"multiEscrowValue":0,"multiEscrowCurrency":"`+r.currency+`"}`)
	r.refuses(r.post("CommitMultiEscrow", ""), 400, "Failed to commit multi-escrow.")
	r.refuses(r.post("CancelMultiEscrow", "true"), 400, "Failed to cancel multi-escrow.")

	two := []int64{r.dataset[0], r.dataset[1]}
	before := r.stored()
	for _, note := range two {
		r.insert(note)
		r.until(esc(note))
	}
	time.Sleep(2 * time.Second)
	r.get("GetMultiEscrowValue").is(r.t, 200, jsonText, `{"multiEscrowValue":`+num(two[0]+two[1])+`,"multiEscrowCurrency":"`+r.currency+`"}`)
	r.events()
	r.says(r.post("CommitMultiEscrow", ""), "Successfully committed multi-escrow.")
	if got := r.until("IDLE"); !strings.Contains(got, "MULTIESCROW_COMMITTED("+num(two[0]+two[1])+")") {
		r.t.Errorf("committed: %s", got)
	}
	if now := r.stored(); now[two[0]] != before[two[0]]+1 || now[two[1]] != before[two[1]]+1 {
		r.t.Errorf("stored %v, before %v", now, before)
	}
	r.insert(two[0])
	r.until(esc(two[0]))
	time.Sleep(2 * time.Second)
	r.events()
	r.says(r.post("CancelMultiEscrow", "true"), "Successfully cancelled multi-escrow.")
	if got := r.until("IDLE"); !strings.Contains(got, "MULTIESCROW_CANCELLED("+num(two[0])+")") || strings.Contains(got, "ST") {
		r.t.Errorf("cancelled: %s", got)
	}
	r.agrees()
}

func tickets(r *resident) {
	r.says(r.post("SetBarcodeReaderConfiguration", `{"EnableReaders":3,"BarCodeFormat":1,"NumberOfCharacters":18}`), "Barcode reader configuration updated successfully.")
	r.get("GetBarcodeReaderConfiguration").is(r.t, 200, jsonText,
		`{"hardwareStatus":"Both fitted","readersEnabled":"Both","barcodeFormat":"Interleaved 2 of 5","numCharacters":"18"}`)
	r.get("GetBarcodeData").is(r.t, 200, jsonText, `{"ticketStatus":"No valid data","barcodeData":""}`)
	for _, bad := range []string{`{"EnableReaders":4,"BarCodeFormat":1,"NumberOfCharacters":18}`, `{"EnableReaders":3,"BarCodeFormat":1,"NumberOfCharacters":25}`} {
		if a := r.post("SetBarcodeReaderConfiguration", bad); a.status != 400 {
			r.t.Errorf("%s: %d %s", bad, a.status, a.body)
		}
	}
	r.feed(sim.Insert{Barcode: "123456789012345678"})
	r.until("IDLE")
	r.get("GetBarcodeData").is(r.t, 200, jsonText, `{"ticketStatus":"Ticket stacked","barcodeData":"123456789012345678"}`)
	r.town.get("GetBarcodeReaderConfiguration?deviceID=nobody").text(r.t, 404, "Cash device not found")
	r.agrees()
}

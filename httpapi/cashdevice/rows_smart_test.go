package cashdevice

import (
	"strings"
	"testing"
)

const smart = "SMART_CURRENCY_SYSTEM"

func TestRowsSmartCurrency(t *testing.T) {
	prove(t, "ITL-66 GetSmartCurrencyData, ITL-67 UpdateSmartCurrencyDataset", smart, func(r *resident) {
		r.get("GetSmartCurrencyData").is(r.t, 200, jsonText, `[
			{"enabled":true,"country":"EUR","datasetCode":"EUR01045","denomCount":7,"index":0},
			{"enabled":false,"country":"GBP","datasetCode":"GBP07057","denomCount":4,"index":1},
			{"enabled":false,"country":"USD","datasetCode":"USD02041","denomCount":7,"index":2}]`)
		for i, path := range []string{"/api/Download/UpdateSmartCurrencyDataset", "/api/CashDevice/" + r.to("UpdateSmartCurrencyDataset"), "/api/CashDevice/UpdateSmartCurrencyDataset"} {
			code := []string{"GBP07057", "USD02041", "EUR01045"}[i]
			r.call("POST", path, quoted(code)).text(r.t, 200, "Successfully updated smart currency dataset to "+code+".")
			if got := r.until("DISABLED"); !strings.Contains(got, "SCSTATUS_CHANGING_DATASET") || !strings.Contains(got, "SCSTATUS_DATASET_READY") {
				r.t.Errorf("told %s", got)
			}
			a := r.get("GetSmartCurrencyData")
			if want := `{"enabled":true,"country":"` + code[:3] + `","datasetCode":"` + code + `"`; !strings.Contains(a.body, want) || strings.Count(a.body, `"enabled":true`) != 1 {
				r.t.Errorf("after %s: %s", code, a.body)
			}
			if a := r.get("GetCurrencyAssignment"); !strings.Contains(a.body, `"countryCode":"`+code[:3]+`"`) {
				r.t.Errorf("after %s: %s", code, a.body)
			}
		}
		r.says(r.post("EnableAcceptor", ""), "<id>: Acceptor enabled successfully.") // the notes are others: somebody has to say so
		r.until("IDLE")
		r.insert(500)
		if got := r.until("IDLE"); got != "ACCEPTING ESCROW(500) STACKED(500) IDLE" {
			r.t.Errorf("a note of the new dataset: %s", got)
		}
		if a := r.post("UpdateSmartCurrencyDataset", `"XXX99999"`); a.status != 400 {
			r.t.Errorf("a dataset that is not on the card: %d %s", a.status, a.body)
		}
		r.agrees()
	})
	prove(t, "ITL-66 GetSmartCurrencyData, wrong family", "SPECTRAL_PAYOUT SMART_COIN_SYSTEM", func(r *resident) {
		r.refuses(r.get("GetSmartCurrencyData"), 400, notSupported)
		r.refuses(r.post("UpdateSmartCurrencyDataset", `"EUR01045"`), 400, notSupported)
		if a := r.call("POST", "/api/Download/UpdateSmartCurrencyDataset", `"EUR01045"`); a.status != 400 {
			r.t.Errorf("no Smart Currency device is open: %d %s", a.status, a.body)
		}
	})
}

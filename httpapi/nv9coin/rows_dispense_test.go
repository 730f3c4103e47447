package nv9coin

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"coffer/devices/sim"
	"coffer/internal/cash"
)

func checking(r *rig) {
	before := len(r.rows())
	r.post("CheckCanDispense", `{"amount":5.81,"currency":"GBP"}`).is(r.t, 200, paper(r.t, "can_dispense"))
	for _, body := range []string{
		`{"Amount":"5.81","CURRENCY":"gbp","other":1}`, `{"amount":5.810,"currency":" GBP "}`, `{"amount":1e1,"currency":"GBP"}`, `{"amount":194,"currency":"GBP"}`,
	} {
		r.post("CheckCanDispense", body).is(r.t, 200, `{"CanDispense":true}`)
	}
	for _, body := range []string{`{"amount":194.01,"currency":"GBP"}`, `{"amount":99999999999,"currency":"GBP"}`} {
		r.post("CheckCanDispense", body).is(r.t, 200, `{"CanDispense":false}`)
	}
	for body, want := range badAmounts(r.t) {
		r.post("CheckCanDispense", body).is(r.t, 400, want)
	}
	if got := r.rows()[before:]; len(got) != 0 {
		r.t.Errorf("the ledger has %v", got)
	}
	if tr := r.coins.Truth(); tr.Moving || r.worth(tr.Dispensed) != 0 {
		r.t.Errorf("something moved: %+v", tr)
	}
	r.slowly(func() {
		r.post("CheckCanDispense", `{"amount":1,"currency":"GBP"}`).is(r.t, 400, paper(r.t, "busy_long"))
	})
	// What it says is what Dispense does, down to a store with coins of 0.50 and 0.20 alone.
	for _, v := range []int64{1, 2, 5, 10, 20, 50, 100, 200} {
		if err := r.coins.SetLevel(v, "GBP", map[int64]int{20: 3, 50: 2}[v]); err != nil {
			r.t.Fatal(err)
		}
	}
	r.agrees()
	for amount, can := range map[string]bool{"0.3": false, "0.6": true, "0.8": false, "0.1": false} {
		r.post("CheckCanDispense", fmt.Sprintf(`{"amount":%s,"currency":"GBP"}`, amount)).is(r.t, 200, fmt.Sprintf(`{"CanDispense":%v}`, can))
		a := r.post("Dispense", r.order(amount))
		if can != (a.status == 200) {
			r.t.Errorf("%s: CanDispense %v, Dispense %d %s", amount, can, a.status, a.body)
		}
	}
	r.fault(r.coins, "power_off")
	r.until("the coin machine is away", func() bool { return !r.status().CurrentHopperState.IsConnected })
	r.post("CheckCanDispense", `{"amount":1,"currency":"GBP"}`).is(r.t, 500, paper(r.t, "coin"))
}

// badAmounts are bodies and what is said of them.
func badAmounts(t *testing.T) map[string]string {
	amount := paper(t, "amount")
	missing := strings.Replace(amount, `"invalid"`, `"required"`, 1)
	currency := strings.NewReplacer(`"Amount"`, `"Currency"`, "Please provide an Amount that is greater than 0.", "Please provide a valid Currency.").Replace(amount)
	noCurrency := strings.NewReplacer(`"invalid"`, `"required"`, "Please provide a valid Currency.", "Please provide a Currency.").Replace(currency)
	out := map[string]string{
		`{"currency":"GBP"}`: missing, `{"amount":null,"currency":"GBP"}`: missing, ``: missing, `[]`: missing, `{"amount":`: missing,
		`{"amount":1}`: noCurrency, `{"amount":1,"currency":""}`: noCurrency, `{"amount":1,"currency":null}`: noCurrency,
	}
	for _, bad := range []string{"0", "-1", "-0.01", `"five"`, "5.811", "0.001", "true", "{}", "[1]", "1e999999999", "1e-999999999", `"1,5"`, "92233720368547758.08", `"NaN"`} {
		out[fmt.Sprintf(`{"amount":%s,"currency":"GBP"}`, bad)] = amount
	}
	for _, bad := range []string{`"EUR"`, `"GB"`, `"POUND"`, `"G P"`, "7", "{}"} {
		out[fmt.Sprintf(`{"amount":1,"currency":%s}`, bad)] = currency
	}
	return out
}

func dispensing(r *rig) {
	r.post("Dispense", r.order("5.8")).is(r.t, 200, `{"currency":"GBP","dispensed_amount":5.8}`)
	if got := r.worth(r.coins.Truth().Dispensed); got != 580 {
		r.t.Errorf("%d came out", got)
	}
	s := r.status()
	if values(s.CashDispensedSinceLastCheck) != "5.8" || len(s.CashReceivedSinceLastCheck) != 0 || len(r.status().CashDispensedSinceLastCheck) != 0 {
		r.t.Errorf("lists %+v", s)
	}
	before := len(r.rows())
	r.post("Dispense", r.order("500")).is(r.t, 500, paper(r.t, "coin")) // more than there is
	if got := r.rows()[before:]; len(got) != 0 {
		r.t.Errorf("a refused payout is in the ledger: %v", got)
	}
	r.slowly(func() {
		r.post("Dispense", r.order("1")).is(r.t, 400, paper(r.t, "busy_long"))
	})
	if got := values(r.status().CashDispensedSinceLastCheck); got != "3.88" {
		r.t.Errorf("dispensed %s", got)
	}
	r.agrees()
	who := ""
	for _, e := range r.rows() {
		if e.Kind == cash.KindOperation && strings.Contains(e.Detail, "dispense 5.80 GBP") {
			who = e.Detail
		}
	}
	if !strings.Contains(who, " by kittens via nv9coin") {
		r.t.Errorf("the ledger does not say who has paid: %q", who)
	}
	r.fault(r.coins, "power_off")
	r.until("the coin machine is away", func() bool { return !r.status().CurrentHopperState.IsConnected })
	r.post("Dispense", r.order("1")).is(r.t, 500, paper(r.t, "coin"))
}

// dispensingAPart: a payout that the machine stops pays what it has paid, and that is what everybody is told.
func dispensingAPart(r *rig) {
	if err := r.coins.Fault(sim.Fault{Kind: "halt_payout_after", Paid: 300}); err != nil {
		r.t.Fatal(err)
	}
	a := r.post("Dispense", r.order("5.81"))
	var got struct {
		Currency        string
		DispensedAmount json.Number `json:"dispensed_amount"`
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 {
		r.t.Fatalf("%d %s", a.status, a.body)
	}
	paid := r.worth(r.coins.Truth().Dispensed)
	if paid == 0 || paid >= 581 || got.Currency != "GBP" || got.DispensedAmount.String() != printed(paid) {
		r.t.Errorf("told %v, %d came out", got, paid)
	}
	if list := values(r.status().CashDispensedSinceLastCheck); list != printed(paid) {
		r.t.Errorf("the list says %s", list)
	}
	r.agrees()
}

func printed(minor int64) string {
	b, _ := major(minor).MarshalJSON()
	return string(b)
}

func dispenseArguments(r *rig) {
	before := len(r.rows())
	now := time.Now()
	full := func(change func(m map[string]any)) string {
		m := map[string]any{}
		if err := json.Unmarshal([]byte(signed("1", now, "dispense-secret")), &m); err != nil {
			r.t.Fatal(err)
		}
		change(m)
		b, _ := json.Marshal(m)
		return string(b)
	}
	signature := paper(r.t, "signature")
	wrong := strings.Replace(signature, `"required"`, `"invalid"`, 1)
	timestamp := strings.NewReplacer(`"Signature"`, `"Timestamp"`, "signature.", "timestamp.").Replace(wrong)
	noTimestamp := strings.Replace(timestamp, `"invalid"`, `"required"`, 1)
	for name, tt := range map[string]struct{ body, want string }{
		"no signature":    {full(func(m map[string]any) { delete(m, "signature") }), signature},
		"null signature":  {full(func(m map[string]any) { m["signature"] = nil }), signature},
		"empty signature": {full(func(m map[string]any) { m["signature"] = "" }), signature},
		"wrong signature": {full(func(m map[string]any) { m["signature"] = strings.Repeat("0", 64) }), wrong},
		"short signature": {full(func(m map[string]any) { m["signature"] = "ab" }), wrong},
		"odd signature":   {full(func(m map[string]any) { m["signature"] = 7 }), wrong},
		"other password":  {signed("1", now, "Dispense-secret"), wrong},
		"the sample's": {full(func(m map[string]any) {
			m["signature"] = "bf73a37326b58c3cac9fc3fd3931f6ea547f5b1ab1b6b3567d95c019d04454a5"
		}), wrong},
		"other second":    {full(func(m map[string]any) { m["timestamp"] = now.Add(time.Second).UTC().Format(time.RFC3339) }), wrong},
		"no timestamp":    {full(func(m map[string]any) { delete(m, "timestamp") }), noTimestamp},
		"odd timestamp":   {full(func(m map[string]any) { m["timestamp"] = "yesterday" }), timestamp},
		"number":          {full(func(m map[string]any) { m["timestamp"] = 20000101 }), timestamp},
		"stale":           {signed("1", now.Add(-301*time.Second), "dispense-secret"), timestamp},
		"from the future": {signed("1", now.Add(302*time.Second), "dispense-secret"), timestamp},
		"before signed":   {full(func(m map[string]any) { m["amount"] = 0; delete(m, "signature"); delete(m, "timestamp") }), paper(r.t, "amount")},
	} {
		if a := r.post("Dispense", tt.body); a.status != 400 || a.body != tt.want {
			r.t.Errorf("%s: %d %s\n want %s", name, a.status, a.body, tt.want)
		}
	}
	for body, want := range badAmounts(r.t) {
		r.post("Dispense", body).is(r.t, 400, want)
	}
	if got := r.rows()[before:]; len(got) != 0 || r.worth(r.coins.Truth().Dispensed) != 0 {
		r.t.Errorf("something moved: %v", got)
	}
	// What is good: the edges of the window, other forms of the same moment, and any letter case.
	good := []string{signed("0.01", now.Add(-290*time.Second), "dispense-secret"), signed("0.02", now.Add(290*time.Second), "dispense-secret")}
	for i, form := range []string{"2006-01-02T15:04:05.999-07:00", "2006-01-02T15:04:05.0000000-07:00", "2006-01-02T15:04:05-0700"} {
		zone := time.FixedZone("", 3600)
		body := full(func(m map[string]any) {
			m["amount"] = json.Number(fmt.Sprintf("0.1%d", i))
			m["timestamp"] = now.In(zone).Format(form)
			m["signature"] = strings.ToUpper(m["signature"].(string))
		})
		good = append(good, body)
	}
	good = append(good, strings.NewReplacer("amount", "Amount", "currency", "Currency", "timestamp", "TIMESTAMP", "signature", "Signature").Replace(signed("0.2", now, "dispense-secret")))
	for _, body := range good {
		if a := r.post("Dispense", body); a.status != 200 {
			r.t.Errorf("%s: %d %s", body, a.status, a.body)
		}
		if a := r.post("Dispense", body); a.status != 400 || a.body != wrong { // a second time
			r.t.Errorf("replay of %s: %d %s", body, a.status, a.body)
		}
	}
	r.agrees()
}

// signatureVectors are those of the specification, each with the clock of its timestamp.
func signatureVectors(t *testing.T) {
	for _, v := range []struct {
		timestamp, password, signature string
		upper, good                    bool
	}{
		{"2018-10-18T16:49:56Z", "password", "d45d3487c75d86c900473fac98423b5f900809d41722762fbb60ddf8460b5277", false, true},
		{"2020-10-18T16:49:56Z", "dispense", "21816878c4e86d2b9e0de68bcc0538d5a66684437d911704fd9bfaa64ba01ea3", false, true},
		{"2020-10-18T17:49:56+01:00", "dispense", "21816878c4e86d2b9e0de68bcc0538d5a66684437d911704fd9bfaa64ba01ea3", false, true},
		{"2024-02-29T23:59:59Z", "GW-Dispense-2024!", "4b4256c2775c03a5fcdd0a1d9d5498d1c05baa0a01d5b5b70d5072827a15c2f7", false, true},
		{"2025-01-01T00:00:00Z", "£5-note", "952f37dc03132fdb3698eda307ba45d812c5ffbc36d6774e9d9b6e8645539209", false, true},
		{"2025-01-02T03:04:05Z", "dispense-secret", "e89a414b0cf275164f8efbd308270ddf45ed58a41c77986a0a358d8bf64a1635", false, true},
		{"2018-10-18T16:49:56Z", "password", "4f14aef8484921c4e6ec35308ae0c925856ed025c884c11d4a0745fa1c8a009b", false, false},
		{"2018-10-18T16:49:56Z", "password", "4f14aef8484921c4e6ec35308ae0c925856ed025c884c11d4a0745fa1c8a009b", true, true},
		{"2018-10-18T16:49:56Z", "password", "d45d3487c75d86c900473fac98423b5f900809d41722762fbb60ddf8460b5277", true, true},
	} {
		at, err := time.Parse(time.RFC3339, v.timestamp)
		if err != nil {
			t.Fatal(err)
		}
		tune := func(d *Deps) {
			d.Password, d.UpperMD5 = v.password, v.upper
			d.Now = func() time.Time { return at.Add(4 * time.Minute) }
		}
		with(t, tune, func(r *rig) {
			a := r.post("Dispense", fmt.Sprintf(`{"amount":0.2,"currency":"GBP","timestamp":%q,"signature":%q}`, v.timestamp, v.signature))
			if v.good != (a.status == 200) {
				r.t.Errorf("%+v: %d %s", v, a.status, a.body)
			}
		})
	}
}

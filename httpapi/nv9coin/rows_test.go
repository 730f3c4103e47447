package nv9coin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/internal/proof"
)

// What is wanted in these tests is copied from the paper (testdata/paper), or follows from what the machines were made to
// do. The pair of machines is what the API is for.
const pair = "NOTE_VALIDATOR+SMART_COIN_SYSTEM"

// row proves a row of the checklist.
func row(t *testing.T, name string, f func(*rig)) {
	t.Helper()
	t.Run(name+"/"+pair, func(t *testing.T) {
		proof.Of(t)
		with(t, nil, f)
	})
}

func TestRows(t *testing.T) {
	row(t, "GW-01 Get status, as printed", statusAsPrinted)
	row(t, "GW-01 Get status, machines away", statusOfMachinesAway)
	row(t, "GW-01 Get status, each piece once", eachPieceOnce)
	row(t, "GW-02 Enable", enabling)
	row(t, "GW-03 Check can dispense", checking)
	row(t, "GW-04 Dispense coins", dispensing)
	row(t, "GW-04 Dispense coins, a part", dispensingAPart)
	row(t, "GW-04 Dispense coins, arguments", dispenseArguments)
	row(t, "GW-05 Disable", disabling)
	row(t, "GW-06 Return escrowed note", returning)
	row(t, "GW-07 Stack escrowed note", stacking)
	row(t, "GW-C1 Basic authentication", credentials)
	row(t, "GW-C1 Paths and methods", paths)
	t.Run("GW-04 Signature vectors/"+pair, func(t *testing.T) {
		proof.Of(t)
		signatureVectors(t)
	})
}

// statusAsPrinted brings about what the paper's sample shows, and finds its members in its order.
func statusAsPrinted(r *rig) {
	r.post("Enable", "").is(r.t, 200, "")
	first := r.hold(1000)
	r.post("StackEscrow", "").is(r.t, 200, "")
	r.insert(r.notes, 500, 1)
	r.until("the second note is in escrow", func() bool { return r.snapshot(notesID).Escrow != nil })
	r.post("Disable", "").is(r.t, 200, "")
	a := r.get("Status")
	second := readStatus(r.t, a.body).EscrowedBill
	if second == nil || second.WhenInserted <= first.WhenInserted {
		r.t.Fatalf("%s, after %v", a.body, first)
	}
	want := paper(r.t, "status")
	for sample, is := range map[string]string{"2018-03-07T10:15:41.6316841Z": second.WhenInserted, "2018-03-07T10:15:38.0089773Z": first.WhenInserted} {
		want = strings.Replace(want, sample, is, 1)
	}
	a.is(r.t, 200, want)
	again := r.status()
	if again.EscrowedBill == nil || len(again.CashReceivedSinceLastCheck) != 0 {
		r.t.Errorf("asked again: %+v; the note stays, the list is given away", again)
	}
	r.agrees()
}

func statusOfMachinesAway(r *rig) {
	r.fault(r.notes, "cashbox_removed")
	r.until("the cashbox is out", func() bool { return !r.status().CurrentNoteAcceptorState.IsCashboxInPlace })
	r.fault(r.notes, "cashbox_replaced")
	r.until("the cashbox is back", func() bool { return r.status().CurrentNoteAcceptorState.IsCashboxInPlace })
	r.fault(r.notes, "stacker_full")
	r.until("the stacker is full", func() bool { return r.status().CurrentNoteAcceptorState.IsStackerFull })
	r.fault(r.notes, "jam")
	r.until("the note path is jammed", func() bool { return r.status().CurrentNoteAcceptorState.IsJammed })
	r.fault(r.notes, "unjam")
	r.fault(r.coins, "power_off")
	r.until("the coin machine is away", func() bool { return !r.status().CurrentHopperState.IsConnected })
	r.fault(r.notes, "power_off")
	r.until("both are away", func() bool {
		s := r.status()
		return !s.CurrentHopperState.IsConnected && !s.CurrentNoteAcceptorState.IsConnected && !s.CurrentNoteAcceptorState.IsEnabled
	})
}

// eachPieceOnce has 100 clients ask while 1000 coins run in: together they are told of every coin once.
func eachPieceOnce(r *rig) {
	const coins, clients = 1000, 100
	if err := r.world.SetSpeed(1000); err != nil {
		r.t.Fatal(err)
	}
	r.post("Enable", "").is(r.t, 200, "")
	var mu sync.Mutex
	told := map[string]int{}
	note := func(s seen) {
		mu.Lock()
		defer mu.Unlock()
		for _, i := range s.CashReceivedSinceLastCheck {
			told[i.WhenInserted+" "+i.Value.String()]++
		}
	}
	total := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(told)
	}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				if a, err := r.trySend(r.request(context.Background(), http.MethodGet, "Status", "")); err != nil || a.status != 200 {
					r.t.Errorf("Status: %d %v", a.status, err)
					return
				} else {
					note(readStatus(r.t, a.body))
				}
				time.Sleep(time.Second)
			}
		})
	}
	for i := range coins {
		r.until("the coin is taken", func() bool {
			_, err := r.coins.Insert(sim.Insert{Value: []int64{1, 20, 200}[i%3], Currency: "GBP", Count: 1})
			return err == nil
		})
	}
	r.until("all coins are told", func() bool { return total() >= coins })
	time.Sleep(time.Second)
	stop()
	all.Wait()
	if got := total(); got != coins {
		r.t.Errorf("%d different coins, %d were put in", got, coins)
	}
	for item, n := range told {
		if n != 1 {
			r.t.Errorf("%s was told %d times", item, n)
		}
	}
	r.agrees()
}

func enabling(r *rig) {
	for range 2 { // also when it is enabled already
		r.post("Enable", "").is(r.t, 200, "")
	}
	s := r.status()
	if !s.CurrentNoteAcceptorState.IsEnabled || !s.CurrentHopperState.IsEnabled || !r.notes.Truth().Enabled || !r.coins.Truth().Enabled {
		r.t.Errorf("enabled: %+v", s)
	}
	r.insert(r.coins, 20, 3)
	var got []seenItem
	r.until("three coins", func() bool {
		got = append(got, r.status().CashReceivedSinceLastCheck...)
		return len(got) == 3
	})
	if values(got) != "0.2 0.2 0.2" {
		r.t.Errorf("received %v", got)
	}
	r.slowly(func() { r.post("Enable", "").is(r.t, 400, paper(r.t, "busy_long")) })
	r.agrees()
	r.fault(r.coins, "power_off")
	r.until("the coin machine is away", func() bool { return !r.status().CurrentHopperState.IsConnected })
	r.post("Enable", "").is(r.t, 500, paper(r.t, "enable"))
	r.fault(r.coins, "power_on")
	r.ready()
	r.post("Enable", "").is(r.t, 200, "")
}

// slowly runs f while a payout of 2.00 in small coins is under way, and lets it end.
func (r *rig) slowly(f func()) {
	r.t.Helper()
	if err := r.world.SetSpeed(0.5); err != nil {
		r.t.Fatal(err)
	}
	before := r.worth(r.coins.Truth().Dispensed)
	ended := make(chan answer)
	body := r.order("3.88")
	req := r.request(context.Background(), http.MethodPost, "Dispense", body)
	go func() {
		a, err := r.trySend(req)
		if err != nil {
			r.t.Error(err)
		}
		ended <- a
	}()
	r.until("the payout is under way", func() bool { return r.coins.Truth().Moving })
	f()
	r.status() // is never busy
	select {
	case a := <-ended:
		r.t.Errorf("it ended before: %+v", a)
	default:
	}
	if err := r.world.SetSpeed(100); err != nil {
		r.t.Fatal(err)
	}
	if a := <-ended; a.status != 200 || a.body != `{"currency":"GBP","dispensed_amount":3.88}` {
		r.t.Errorf("payout: %d %s", a.status, a.body)
	}
	if got := r.worth(r.coins.Truth().Dispensed) - before; got != 388 {
		r.t.Errorf("%d came out", got)
	}
}

func (r *rig) worth(rows []sim.Row) (sum int64) {
	for _, row := range rows {
		sum += row.Value * int64(row.Count)
	}
	return sum
}

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

func disabling(r *rig) {
	r.post("Enable", "").is(r.t, 200, "")
	held := r.hold(2000)
	for range 2 {
		r.post("Disable", "").is(r.t, 200, "")
	}
	s := r.status()
	if s.CurrentNoteAcceptorState.IsEnabled || s.CurrentHopperState.IsEnabled || r.coins.Truth().Enabled {
		r.t.Errorf("still enabled: %+v", s)
	}
	time.Sleep(time.Minute)
	if s := r.status(); s.EscrowedBill == nil || *s.EscrowedBill != held || r.worth(r.notes.Truth().Escrow) != 2000 {
		r.t.Errorf("the held note: %+v", s.EscrowedBill)
	}
	r.insert(r.coins, 100, 1) // comes back
	r.until("the coin is back", func() bool { return r.worth(r.coins.Truth().Returned) == 100 })
	r.post("StackEscrow", "").is(r.t, 200, "") // while disabled
	if s := r.status(); values(s.CashReceivedSinceLastCheck) != "20" || s.EscrowedBill != nil {
		r.t.Errorf("after stacking: %+v", s)
	}
	r.slowly(func() { r.post("Disable", "").is(r.t, 400, paper(r.t, "busy_short")) })
	r.agrees()
	r.fault(r.notes, "power_off")
	r.until("the note reader is away", func() bool { return !r.status().CurrentNoteAcceptorState.IsConnected })
	r.post("Disable", "").is(r.t, 500, paper(r.t, "disable"))
}

func returning(r *rig) {
	r.post("ReturnEscrow", "").is(r.t, 400, paper(r.t, "no_escrow"))
	r.post("Enable", "").is(r.t, 200, "")
	r.hold(1000)
	r.post("ReturnEscrow", "").is(r.t, 200, "")
	if tr := r.notes.Truth(); r.worth(tr.Returned) != 1000 || r.worth(tr.Escrow) != 0 {
		r.t.Errorf("the note is not back: %+v", tr)
	}
	s := r.status()
	if s.EscrowedBill != nil || len(s.CashReceivedSinceLastCheck) != 0 || len(s.CashDispensedSinceLastCheck) != 0 {
		r.t.Errorf("the note is in a list: %+v", s)
	}
	r.post("ReturnEscrow", "").is(r.t, 400, paper(r.t, "no_escrow"))
	r.hold(500)
	r.post("Disable", "").is(r.t, 200, "")
	r.post("ReturnEscrow", "").is(r.t, 200, "") // while disabled
	r.slowly(func() { r.post("ReturnEscrow", "").is(r.t, 400, paper(r.t, "busy_short")) })
	r.agrees()
	r.fault(r.notes, "power_off")
	r.until("the note reader is away", func() bool { return !r.status().CurrentNoteAcceptorState.IsConnected })
	r.post("ReturnEscrow", "").is(r.t, 500, paper(r.t, "note"))
}

func stacking(r *rig) {
	r.post("StackEscrow", "").is(r.t, 400, paper(r.t, "no_escrow"))
	r.post("Enable", "").is(r.t, 200, "")
	held := r.hold(2000)
	r.post("StackEscrow", "").is(r.t, 200, "")
	if tr := r.notes.Truth(); r.worth(tr.Cashbox) != 2000 {
		r.t.Errorf("the note is not in the cashbox: %+v", tr)
	}
	s := r.status()
	if s.EscrowedBill != nil || len(s.CashReceivedSinceLastCheck) != 1 || s.CashReceivedSinceLastCheck[0] != held {
		r.t.Errorf("stacked %+v, was held as %+v", s, held)
	}
	if again := r.status(); len(again.CashReceivedSinceLastCheck) != 0 {
		r.t.Errorf("told twice: %+v", again)
	}
	r.slowly(func() { r.post("StackEscrow", "").is(r.t, 400, paper(r.t, "busy_short")) })
	r.agrees()
	r.hold(500)
	r.fault(r.notes, "jam") // in its way
	r.post("StackEscrow", "").is(r.t, 500, paper(r.t, "note"))
	r.fault(r.notes, "unjam")
	r.agrees()
	if got := values(r.status().CashReceivedSinceLastCheck); got != printed(r.worth(r.notes.Truth().Cashbox)-2000) && got != "" {
		r.t.Errorf("after the jam %q, in the cashbox %d", got, r.worth(r.notes.Truth().Cashbox))
	}
}

// verbs are all operations with their methods.
var verbs = map[string]string{
	"Status": "GET", "Enable": "POST", "CheckCanDispense": "POST", "Dispense": "POST", "Disable": "POST", "ReturnEscrow": "POST", "StackEscrow": "POST",
}

func credentials(r *rig) {
	r.post("Enable", "").is(r.t, 200, "")
	r.insert(r.coins, 100, 1)
	r.until("the coin is in", func() bool { return r.worth(r.coins.Truth().Inserted) == 100 && !r.coins.Truth().Moving })
	time.Sleep(time.Second)
	i := 0
	for verb, method := range verbs {
		for _, header := range []string{"", "Basic", "Basic ???", "Bearer abc", "Basic a2l0dGVuczp3cm9uZw==", "Basic YWRtaW46cGFzc3dvcmQ=", "Basic a2l0dGVucw=="} {
			req := r.request(context.Background(), method, verb, "")
			req.Header.Del("Authorization")
			if header != "" {
				req.Header.Set("Authorization", header)
			}
			a := r.send(req, "")
			a.is(r.t, 401, paper(r.t, "credentials"))
			if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Basic realm=") && a.header.Get("Retry-After") == "" {
				r.t.Errorf("challenge %q", got)
			}
			i++
		}
	}
	a := r.send(r.wrong(), "")
	if a.is(r.t, 401, paper(r.t, "credentials")); a.header.Get("Retry-After") == "" {
		r.t.Error("a source that has failed so often does not have to wait")
	}
	// Whoever logged in before is let in all the same, and nothing was given away to the others.
	if s := r.status(); values(s.CashReceivedSinceLastCheck) != "1" {
		r.t.Errorf("lists %+v", s)
	}
	r.agrees()
}

// wrong is a request with a password that nobody has.
func (r *rig) wrong() *http.Request {
	req := r.request(context.Background(), http.MethodGet, "Status", "")
	req.SetBasicAuth("kittens", "x")
	return req
}

func paths(r *rig) {
	for _, path := range []string{
		"/DeviceService/ITL/NV9AndCoin/Status", "/DeviceService//ITL/NV9AndCoin/Status", "/DeviceService/ITL/NV9AndCoin/Status/",
		"/deviceservice/itl/nv9andcoin/status", "//DEVICESERVICE///ITL/NV9ANDCOIN//STATUS//", "/DeviceService/ITL/NV9AndCoin/Status?x=1",
	} {
		if a := r.get(path); a.status != 200 {
			r.t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for _, path := range []string{"Enable/", "/DeviceService//ITL/NV9AndCoin/Enable", "Disable/", "disable"} {
		r.post(path, "").is(r.t, 200, "")
		r.post(path, "what is this?").is(r.t, 200, "") // a body that nobody needs
	}
	for _, path := range []string{"", "Nothing", "Status/x", "/DeviceService", "/DeviceService/ITL", "/DeviceService/ITL/NoteRecycler/Status"} {
		if a := r.get(path); a.status != 404 || !strings.Contains(a.body, `"ErrorCode":"NotFound"`) {
			r.t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for verb, method := range verbs {
		other, allow := "POST", "GET"
		if method == "POST" {
			other, allow = "GET", "POST"
		}
		a := r.send(r.request(context.Background(), other, verb, ""), "")
		if a.status != 405 || a.header.Get("Allow") != allow {
			r.t.Errorf("%s %s: %d, Allow %q", other, verb, a.status, a.header.Get("Allow"))
		}
	}
	long := strings.Repeat("x", 1<<20+1)
	for _, verb := range []string{"Enable", "CheckCanDispense", "Dispense"} {
		if a := r.post(verb, long); a.status != 413 || !strings.HasPrefix(a.body, `{"ResponseStatus":{"ErrorCode":"RequestTooLarge"`) {
			r.t.Errorf("%s: %d %s", verb, a.status, a.body)
		}
		req := r.request(context.Background(), http.MethodPost, verb, long)
		req.ContentLength = -1 // does not say beforehand how long it is
		if a := r.send(req, long); a.status != 413 || !strings.HasPrefix(a.body, `{"ResponseStatus":{"ErrorCode":"RequestTooLarge"`) {
			r.t.Errorf("%s, chunked: %d %s", verb, a.status, a.body)
		}
	}
	if r.notes.Truth().Enabled {
		r.t.Error("a request that is too long was carried out")
	}
}

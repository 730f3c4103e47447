package cashdevice

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"coffer/devices/sim"
)

func TestRowsState(t *testing.T) {
	prove(t, "ITL-10 GetDeviceStatus", everyone, func(r *resident) {
		r.get("GetDeviceStatus").is(r.t, 200, jsonText, `[]`)
		r.insert(r.dataset[0])
		var told []string
		for range 100 {
			told = append(told, r.events()...)
			told = append(told, r.events()...) // a second reader sees newer events alone
			time.Sleep(100 * time.Millisecond)
		}
		all := strings.Join(told, " ")
		money := 0
		for _, word := range []string{"STORED(", "STACKED(", "COIN_CREDIT(", "VALUE_ADDED("} {
			money += strings.Count(all, word)
		}
		if money != 1 || !strings.HasSuffix(all, "IDLE") {
			r.t.Errorf("told %s", all)
		}
		r.refuses(r.town.get("GetDeviceStatus?deviceID=nobody"), 404, "Cash device not found")
	})
	prove(t, "ITL-X1 GetDeviceStatus/v2", everyone, func(r *resident) {
		r.get("GetDeviceStatus/v2").is(r.t, 200, jsonText, `{"deviceState":"IDLE","pollBuffer":[]}`)
		r.post("DisableAcceptor", "")
		time.Sleep(time.Second)
		r.get("GetDeviceStatus/v2").is(r.t, 200, jsonText, `{"deviceState":"DISABLED","pollBuffer":[
			{"type":"DeviceStatusResponse","state":4,"stateAsString":"DISABLED","isRunning":true,"message":"Device state changed: DISABLED"}]}`)
		r.get("GetDeviceStatus").is(r.t, 200, jsonText, `[]`)
	})
	prove(t, "ITL-11 GetCounters", everyone, func(r *resident) {
		names := noteCounters
		if strings.Contains(coinAll, r.family) {
			names = coinCounters
		}
		pattern := fmt.Sprintf("^%s: { CountersData = Number of counters in set: %d\n", r.id, len(names))
		for _, n := range names {
			pattern += regexp.QuoteMeta(n) + `: \d+` + "\n"
		}
		a := r.get("GetCounters")
		if a.status != 200 || a.media != plainText || !regexp.MustCompile(pattern+" }$").MatchString(a.body) {
			r.t.Errorf("%d %s %q", a.status, a.media, a.body)
		}
	})
	prove(t, "ITL-12 GetAllLevels", everyone, func(r *resident) {
		want := list{}
		for _, v := range r.dataset {
			want = append(want, object{{"countryCode", r.currency}, {"value", v}, {"stored", r.levels[v]}})
		}
		body := object{{"levels", want}, {"success", true}, {"message", "Successfully retrieved all levels."}}
		a := r.get("GetAllLevels")
		if text := string(style{}.render(nil, body)); a.status != 200 || a.media != jsonText || a.body != text {
			r.t.Errorf("%d %s %s, want %s", a.status, a.media, a.body, text)
		}
	})
	prove(t, "ITL-13 GetCurrencyAssignment", everyone, func(r *resident) {
		kind, paid, boxed := 1, 7, 0
		switch {
		case strings.Contains(coinAll, r.family):
			kind = 0
		case r.family == "NV4000":
			paid = 1
		}
		var got []struct {
			Type, AcceptRoute, Stored, StoredInCashbox, Channel int
			Value                                               int64
			CountryCode                                         string
			IsInhibited, IsRecyclable                           bool
		}
		a := r.get("GetCurrencyAssignment")
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 || len(got) != len(r.dataset) {
			r.t.Fatalf("%d %s", a.status, a.body)
		}
		for i, c := range got {
			if c.Type != kind || c.Channel != i+1 || c.Value != r.dataset[i] || c.CountryCode != r.currency || c.Stored != r.levels[c.Value] ||
				(c.AcceptRoute != paid && c.AcceptRoute != boxed) || c.IsInhibited {
				r.t.Errorf("channel %d: %+v", i+1, c)
			}
		}
	})
	prove(t, "ITL-56 GetNoteCashboxLevels, ITL-57 ClearNoteCashboxLevels", noteAll, noteCashbox)
	decline(t, "ITL-56 GetNoteCashboxLevels, ITL-57 ClearNoteCashboxLevels", coinAll, func(r *resident) {
		r.refuses(r.get("GetNoteCashboxLevels"), 400, notSupported)
		r.refuses(r.post("ClearNoteCashboxLevels", ""), 400, notSupported)
	})
	prove(t, "ITL-48 GetServiceInformation, ITL-50 SetServiceInformationMaintenanceReset", spectrals+" NV4000 "+smart, serviceBookOfNotes)
	decline(t, "ITL-48 GetServiceInformation, ITL-50 SetServiceInformationMaintenanceReset", "NOTE_VALIDATOR NV11", func(r *resident) {
		r.refuses(r.call("GET", "/api/CashDevice/"+r.to("GetServiceInformation"), "1"), 400, notSupported)
		r.refuses(r.post("SetServiceInformationMaintenanceReset", `{"WeekNumber1AsciiByte":48,"WeekNumber2AsciiByte":55,"YearNumber1AsciiByte":50,"YearNumber2AsciiByte":53}`), 400, notSupported)
	})
	prove(t, "ITL-49 GetServiceInformationForModule", "NV4000 "+coinAll, serviceBookOfModules)
	decline(t, "ITL-49 GetServiceInformationForModule", spectrals+" NOTE_VALIDATOR", func(r *resident) {
		if a := r.call("GET", "/api/CashDevice/"+r.to("GetServiceInformationForModule"), `{"Module":0,"SubCommand":0}`); a.status != 400 {
			r.t.Errorf("%d %s", a.status, a.body)
		}
	})
}

// boxedNotes is the answer of GetNoteCashboxLevels with these counts.
func (r *resident) boxedNotes(counts map[int64]int) string {
	out := list{}
	for _, v := range r.dataset {
		out = append(out, object{{"value", v}, {"countryCode", r.currency}, {"storedInCashbox", counts[v]}})
	}
	return string(style{}.render(nil, out))
}

func noteCashbox(r *resident) {
	r.get("GetNoteCashboxLevels").is(r.t, 200, jsonText, r.boxedNotes(nil))
	note := r.dataset[1]
	if strings.Contains(payers, r.family) {
		r.post("SetDenominationRoute", fmt.Sprintf(`{"Value":%d,"CountryCode":"%s","Route":0}`, note, r.currency))
	}
	for range 2 {
		r.insert(note)
		r.until("IDLE")
	}
	two := r.boxedNotes(map[int64]int{note: 2})
	r.get("GetNoteCashboxLevels").is(r.t, 200, jsonText, two)
	r.post("DisconnectDevice", "") // the counts outlast the connection
	r.resident(r.family)
	r.get("GetNoteCashboxLevels").is(r.t, 200, jsonText, two)
	r.agrees()

	r.says(r.post("ClearNoteCashboxLevels", ""), "<id>: Cashbox levels cleared.")
	r.get("GetNoteCashboxLevels").is(r.t, 200, jsonText, r.boxedNotes(nil))
	swap := func() {
		for _, f := range []sim.Fault{{Kind: "cashbox_removed"}, {Kind: "cashbox_replaced", Empty: true}} {
			if err := r.sim.Fault(f); err != nil {
				r.t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
		}
	}
	r.events()
	swap()
	if got := strings.Join(r.events(), " "); !strings.Contains(got, "CASHBOX_REMOVED") || !strings.Contains(got, "CASHBOX_REPLACE") {
		r.t.Errorf("told %s", got)
	}
	r.insert(note)
	r.until("IDLE")
	one := r.boxedNotes(map[int64]int{note: 1})
	r.get("GetNoteCashboxLevels").is(r.t, 200, jsonText, one)
	swap()
	r.get("GetNoteCashboxLevels").is(r.t, 200, jsonText, one) // nobody has said that it was emptied
	r.till.AutoClearCashbox(r.till1(), true)                  // as AutoClearingCashboxLevels does
	r.insert(note)
	time.Sleep(10 * time.Second)
	swap()
	r.get("GetNoteCashboxLevels").is(r.t, 200, jsonText, r.boxedNotes(nil))
	r.agrees()
}

// lines checks a text that is one of a service book: its title, and the names of its fields.
func (r *resident) lines(a answer, head, title string, fields ...string) {
	r.t.Helper()
	pattern := "^" + r.id + ": { ServiceInformation =" + head + `\(` + title + `\)` + "\n"
	for _, f := range fields {
		pattern += f + `: \d+` + "\n"
	}
	if a.status != 200 || a.media != plainText || !regexp.MustCompile(pattern+" }$").MatchString(a.body) {
		r.t.Errorf("%d %s %q, want %s", a.status, a.media, a.body, pattern)
	}
}

func serviceBookOfNotes(r *resident) {
	const path = "/api/CashDevice/"
	r.lines(r.call("GET", path+r.to("GetServiceInformation"), "1"), "\n ", "Note Information",
		"Notes Since Maintenance Reset", "Notes Since Last Download", "Notes Since Power On", "Notes Since Last Jam")
	for sub, title := range []string{"Date Information", "Note Information", "Accept Note Information", "Jam Information", "Service Flags"} {
		a := r.town.get(r.to("GetServiceInformation") + "&subCommand=" + fmt.Sprint(sub))
		if a.status != 200 || !strings.Contains(a.body, "("+title+")") {
			r.t.Errorf("sub-command %d: %d %s", sub, a.status, a.body)
		}
	}
	for _, bad := range []string{"5", "-1", `"x"`, ""} {
		if a := r.call("GET", path+r.to("GetServiceInformation"), bad); a.status != 400 {
			r.t.Errorf("sub-command %s: %d %s", bad, a.status, a.body)
		}
	}
	r.says(r.post("SetServiceInformationMaintenanceReset", `{"WeekNumber1AsciiByte":48,"WeekNumber2AsciiByte":55,"YearNumber1AsciiByte":50,"YearNumber2AsciiByte":53}`),
		"<id>: Maintenance reset information set successfully.")
	a := r.call("GET", path+r.to("GetServiceInformation"), "1")
	if !strings.Contains(a.body, "Notes Since Maintenance Reset: 0\n") {
		r.t.Errorf("after a maintenance reset: %s", a.body)
	}
	r.says(r.post("SetServiceInformationMaintenanceReset", `{"WeekNumber1AsciiByte":0,"WeekNumber2AsciiByte":0,"YearNumber1AsciiByte":0,"YearNumber2AsciiByte":0}`),
		"<id>: Maintenance reset information set successfully.") // the manual's sample: digits that are no text
}

func serviceBookOfModules(r *resident) {
	ask := func(module, sub int) answer {
		return r.call("GET", "/api/CashDevice/"+r.to("GetServiceInformationForModule"), fmt.Sprintf(`{"Module":%d,"SubCommand":%d}`, module, sub))
	}
	if r.family == "NV4000" {
		r.lines(ask(5, 0), " ", "Lifetime Counts", "Total cycles", "Power on count", "Power on time")
		r.lines(ask(5, 5), " ", "Lifetime Counts", "Total cycles", "Power on count", "Power on time")
		return
	}
	r.lines(ask(0, 5), " ", "Lifetime Counts", "Total cycles", "Power on count", "Power on time")
	r.lines(ask(0, 3), " ", "Performance Since Last Service", "Coins processed", "Acceptance percentage", "Jams", "Calibration failures")
	for sub, title := range []string{"Service Status", "Next Service Due", "Last Service Information", "Performance Since Last Service", "Service Flags", "Lifetime Counts"} {
		if a := ask(0, sub); a.status != 200 || !strings.Contains(a.body, "("+title+")") {
			r.t.Errorf("sub-command %d: %d %s", sub, a.status, a.body)
		}
	}
	if a := ask(0, 6); a.status != 400 {
		r.t.Errorf("sub-command 6: %d %s", a.status, a.body)
	}
	if a := ask(9, 0); a.status != 400 {
		r.t.Errorf("module 9: %d %s", a.status, a.body)
	}
}

package cashdevice

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"coffer/devices/sim"
)

// example is one call of the page: which machine, which endpoint, what body. before brings about what the call is to find.
type example struct {
	family, name, body string
	before             func(r *resident)
}

// pageExamples has at least one call of every endpoint, in the order of the table.
var pageExamples = []example{
	{"SPECTRAL_PAYOUT", "UpdateCredentials", `{"CurrentUsername":"admin","CurrentPassword":"wrong","NewUsername":"till","NewPassword":"s3cret"}`, nil},
	{"", "UpdateCredentials", `{"CurrentUsername":"admin","CurrentPassword":"password","NewUsername":"till","NewPassword":"s3cret"}`, nil},
	{"", "GetConnectedUSBDevices", "", nil},
	{"", "GetAllCashDevices", "", nil},
	{"", "OpenConnection", `{"ComPort":"COM5","SspAddress":0,"SetInhibits":[{"Denomination":"5000 EUR","Inhibit":true}],"SetRoutes":[{"Denomination":"500 EUR","Route":7},{"Denomination":"2000 EUR","Route":0}],"EnableAcceptor":true,"EnableAutoAcceptEscrow":true,"EnablePayout":true}`, nil},
	{"", "OpenConnection", `{"ComPort":"COM77","SspAddress":0}`, nil},
	{"SPECTRAL_PAYOUT", "DisconnectDevice", "", nil},
	{"SPECTRAL_PAYOUT", "StartDevice", "", nil},
	{"SPECTRAL_PAYOUT", "StopDevice", "", nil},
	{"SPECTRAL_PAYOUT", "ResetDevice", "", nil},
	{"SPECTRAL_PAYOUT", "comPortReadError", "", nil},
	{"", "InitialiseDevice", `{"Name":"NV200S"}`, nil},
	{"", "OpenDevice", `{"ComPort":"COM15","SspAddress":0,"Name":"NV200S"}`, nil},
	{"", "ConnectDevice?deviceID=NV200S", "", nil},
	{"SPECTRAL_PAYOUT", "LogRawPackets", "true", nil},
	{"SPECTRAL_PAYOUT", "SendCustomCommand", `{"CustomCommandDataString":"20"}`, nil},
	{"SPECTRAL_PAYOUT", "GetDeviceStatus", "", func(r *resident) {
		r.events()
		r.insert(500)
		time.Sleep(10 * time.Second)
	}},
	{"SPECTRAL_PAYOUT", "GetDeviceStatus/v2", "", func(r *resident) {
		r.post("DisableAcceptor", "")
		time.Sleep(2 * time.Second)
	}},
	{"SPECTRAL_PAYOUT", "GetLastRejectCode", "", func(r *resident) {
		r.post("EnableAcceptor", "")
		r.insert(5000)
		time.Sleep(10 * time.Second)
	}},
	{"SPECTRAL_PAYOUT", "GetCompleteCashDevice", "", nil},
	{"SPECTRAL_PAYOUT", "GetAllLevels", "", nil},
	{"SPECTRAL_PAYOUT", "GetCurrencyAssignment", "", nil},
	{"SPECTRAL_PAYOUT", "GetCounters", "", nil},
	{"SPECTRAL_PAYOUT", "EnableAcceptor", "", nil},
	{"SPECTRAL_PAYOUT", "DisableAcceptor", "", nil},
	{"SPECTRAL_PAYOUT", "SetDenominationInhibits", `{"ValueCountryCodes":["2000 EUR","5000 EUR"],"Inhibit":true}`, nil},
	{"SPECTRAL_PAYOUT", "SetDenominationInhibits", `{"ValueCountryCodes":["700 EUR"],"Inhibit":true}`, nil},
	{"SPECTRAL_PAYOUT", "SetDenominationRoute", `{"Value":500,"CountryCode":"EUR","Route":1}`, nil},
	{"SPECTRAL_PAYOUT", "SetAutoAccept", "false", nil},
	{"SPECTRAL_PAYOUT", "AcceptFromEscrow", "", hold},
	{"SPECTRAL_PAYOUT", "AcceptFromEscrow", "", func(*resident) { time.Sleep(10 * time.Second) }},
	{"SPECTRAL_PAYOUT", "ReturnFromEscrow", "", hold},
	{"SPECTRAL_PAYOUT", "SetMultiEscrowSize", "20", func(r *resident) {
		time.Sleep(10 * time.Second)
		r.post("SetAutoAccept", "true")
	}},
	{"SPECTRAL_PAYOUT", "GetMultiEscrowSize", "", nil},
	{"SPECTRAL_PAYOUT", "GetMultiEscrowValue", "", hold},
	{"SPECTRAL_PAYOUT", "CommitMultiEscrow", "", nil},
	{"SPECTRAL_PAYOUT", "CancelMultiEscrow", "true", func(r *resident) {
		time.Sleep(10 * time.Second)
		hold(r)
	}},
	{"NOTE_VALIDATOR", "SetBarcodeReaderConfiguration", `{"EnableReaders":3,"BarCodeFormat":1,"NumberOfCharacters":18}`, nil},
	{"NOTE_VALIDATOR", "GetBarcodeReaderConfiguration", "", nil},
	{"NOTE_VALIDATOR", "GetBarcodeData", "", func(r *resident) {
		r.feed(sim.Insert{Barcode: "123456789012345678"})
		time.Sleep(10 * time.Second)
	}},
	{"NV4000", "GetRCMode", "", nil},
	{"NV4000", "Replenish", "5", nil},
	{"NV4000", "RefillMode", "false", nil},
	{"SMART_COIN_SYSTEM", "SetDenominationLevel", `{"Value":100,"CountryCode":"EUR","NumCoinsToAdd":1}`, nil},
	{"SMART_COIN_SYSTEM", "EnableCoinMechOrFeeder", "", nil},
	{"SMART_COIN_SYSTEM", "GetHopperOptions", "", nil},
	{"SMART_COIN_SYSTEM", "SetHopperOptions", `{"Reg0":4,"Reg1":0}`, nil},
	{"SMART_COIN_SYSTEM", "GetGlobalErrorCode", "", nil},
	{"SMART_COIN_SYSTEM", "SetNoPayinCount", "0", nil},
	{"SMART_COIN_SYSTEM", "GetCoinAcceptance", "0", nil},
	{"SMART_COIN_SYSTEM", "SetPayoutLimit", "25", nil},
	{"SMART_COIN_SYSTEM", "GetPayoutCount", "", nil},
	{"TWIN_SMART_COIN_SYSTEM", "SetSorterRoute", `{"Value":100,"CountryCode":"USD","SorterRoute":1}`, nil},
	{"TWIN_SMART_COIN_SYSTEM", "GetSorterRouteAssignment", "", nil},
	{"TWIN_SMART_COIN_SYSTEM", "SetTwinMode", "1", nil},
	{"TWIN_SMART_COIN_SYSTEM", "GetLifterStatus", "", nil},
	{"SMART_COIN_SYSTEM", "SetCashboxLevels", `{"NumCoinsToAdd":10,"Denomination":10,"CountryCode":"EUR"}`, nil},
	{"SMART_COIN_SYSTEM", "GetCashboxLevels", "", nil},
	{"SMART_COIN_SYSTEM", "ClearCashboxLevels", "", nil},
	{"NV4000", "GetServiceInformation", "1", nil},
	{"NV4000", "GetServiceInformationForModule", `{"Module":5,"SubCommand":0}`, nil},
	{"NV4000", "SetServiceInformationMaintenanceReset", `{"WeekNumber1AsciiByte":48,"WeekNumber2AsciiByte":55,"YearNumber1AsciiByte":50,"YearNumber2AsciiByte":53}`, nil},
	{smart, "GetSmartCurrencyData", "", nil},
	{"", "UpdateSmartCurrencyDataset", `"EUR01045"`, nil},
	{"SPECTRAL_PAYOUT", "SetCashboxPayoutLimit", "[100,100,50,0]", nil},
	{"SPECTRAL_PAYOUT", "GetNoteCashboxLevels", "", nil},
	{"SPECTRAL_PAYOUT", "ClearNoteCashboxLevels", "", nil},
	{"SPECTRAL_PAYOUT", "EnablePayout", "", nil},
	{"SPECTRAL_PAYOUT", "EnablePayoutDevice", "", nil},
	{"SPECTRAL_PAYOUT", "EnablePayoutDeviceWithByte", `{"EnablePayoutDeviceByte":0}`, nil},
	{"SPECTRAL_PAYOUT", "DispenseValue", `{"Value":1500,"CountryCode":"EUR"}`, nil},
	{"SPECTRAL_PAYOUT", "HaltPayout", "", nil},
	{"SPECTRAL_PAYOUT", "DispenseValue", `{"Value":100000,"CountryCode":"EUR"}`, func(*resident) { time.Sleep(20 * time.Second) }},
	{"SPECTRAL_PAYOUT", "PayoutMultipleDenominations", "[0,1,0,0]", nil},
	{"SPECTRAL_PAYOUT", "PayoutMultipleDenominations", "[0,1,0,0]", nil},
	{"SPECTRAL_PAYOUT", "PayoutByDenomination", `{"Value":500,"CountryCode":"EUR","Count":1}`, func(*resident) { time.Sleep(20 * time.Second) }},
	{"SPECTRAL_PAYOUT", "Float", "[1,1,4,0]", func(*resident) { time.Sleep(20 * time.Second) }},
	{"SPECTRAL_PAYOUT", "SmartEmpty", `{"ModuleNumber":0,"IsNV4000":false}`, func(*resident) { time.Sleep(60 * time.Second) }},
	{"SPECTRAL_PAYOUT", "DisablePayout", "", nil},
	{"NV22_SPECTRAL", "StartDownload", "", nil},
	{"", "GetDownloadStatus", "", func(*resident) { time.Sleep(time.Second) }},
}

// hold feeds a note in, which waits in escrow then.
func hold(r *resident) {
	r.post("EnableAcceptor", "")
	r.insert(500)
	time.Sleep(10 * time.Second)
}

// play makes the call in the town and prints both sides of it. It returns the path that the table has.
func (x example) play(w *town, methods map[string]string) (path, text string) {
	r := &resident{town: w}
	if p := w.people[x.family]; p != nil {
		r = p
		w.waken(r)
	}
	if x.before != nil {
		x.before(r)
	}
	name, query, _ := strings.Cut(x.name, "?")
	path = base + name
	switch name {
	case "UpdateCredentials", "Authenticate":
		path = "/api/Users/" + name
	case "StartDownload", "GetDownloadStatus", "UpdateSmartCurrencyDataset":
		path = "/api/Download/" + name
	}
	sent := path
	if query != "" {
		sent += "?" + query
	} else if r.id != "" && name != "UpdateCredentials" && name != "StartDownload" {
		sent += "?deviceID=" + r.id
	}
	body, shown := x.body, x.body
	if name == "StartDownload" {
		body = fmt.Sprintf(`{"DownloadFileName":%s,"ComPort":"%s","SspAddress":%d}`, quoted(w.imageFile(0x23, "NVS0091221777000")), r.port, r.addr)
		shown = fmt.Sprintf(`{"DownloadFileName":"/var/lib/coffer/NVS0091221777000.bv1","ComPort":"%s","SspAddress":%d}`, r.port, r.addr)
		w.call("POST", base+"DisconnectDevice?deviceID="+r.id, "")
	}
	method := strings.Fields(methods[path])[0]
	return path, print(method, sent, shown, w.call(method, sent, body))
}

var moment = regexp.MustCompile(`\d\d/\d\d/\d{4} \d\d:\d\d:\d\d`)

func print(method, path, body string, a answer) string {
	if body != "" {
		body = "\n" + body
	}
	answer := strings.TrimSuffix(moment.ReplaceAllString(a.body, "28/10/2024 09:17:04"), "\n")
	return fmt.Sprintf("```\n%s %s%s\n```\n```\n%d %s\n%s\n```\n", method, path, body, a.status, a.media, answer)
}

// waken opens the machine where it is not open.
func (w *town) waken(r *resident) {
	if a := w.get(r.to("comPortReadError")); a.status != 200 {
		w.resident(r.family)
	}
}

// TestPage holds docs/api/cash-device.md to what is answered: testdata/page.md with a call of every endpoint.
func TestPage(t *testing.T) {
	const page = "../../docs/api/cash-device.md"
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	methods, calls := map[string]string{}, map[string][]string{}
	for _, list := range [][]endpoint{users, device} {
		for _, e := range list {
			methods[e.path] = e.methods
		}
	}
	inTown(t, DotNet, "SPECTRAL_PAYOUT NV22_SPECTRAL NV4000 NOTE_VALIDATOR SMART_COIN_SYSTEM TWIN_SMART_COIN_SYSTEM "+smart, func(w *town) {
		const login = `{"Username":"admin","Password":"password"}`
		calls["/api/Users/Authenticate"] = []string{print("POST", "/api/Users/Authenticate", login, w.call("POST", "/api/Users/Authenticate", login))}
		<-w.station.Tried()
		for _, x := range pageExamples {
			path, text := x.play(w, methods)
			calls[path] = append(calls[path], text)
		}
	})
	var all strings.Builder
	for _, list := range [][]endpoint{users, device} {
		for _, e := range list {
			if len(calls[e.path]) == 0 {
				t.Errorf("no example of %s", e.path)
			}
			item := doc.Paths.Value(e.path)
			op := item.Get
			if op == nil {
				op = item.Post
			}
			fmt.Fprintf(&all, "### %s %s\n\n%s.\n", strings.ReplaceAll(e.methods, " ", " or "), e.path, op.Summary)
			for _, also := range strings.Fields(e.also) {
				fmt.Fprintf(&all, "Also as `%s`.\n", also)
			}
			all.WriteString("\n" + strings.Join(calls[e.path], "\n") + "\n")
		}
	}
	template, err := os.ReadFile("testdata/page.md")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(string(template), "{{endpoints}}\n", strings.TrimSuffix(all.String(), "\n"), 1)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != want {
		t.Errorf("%s is not what is answered (%v); run the tests with -update", page, err)
	}
}

package cashdevice

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"coffer/internal/cash"
	"coffer/internal/proof"
)

// profiles says which simulated machine stands for the sample of a family.
var sampleProfiles = map[string]string{
	"NV4000 Spectral": "nv4000", "Spectral Payout": "spectral-payout", "NV22 Spectral": "nv22", "Banknote Validator": "nv200",
	"SMART Coin System": "scs", "Twin SMART Coin System": "twin", "SMART Hopper": "hopper4",
}

// TestRowsOpenConnection plays the manual's seven requests to simulated machines with the manual's datasets. The answers
// must be the manual's, save for what differs from machine to machine: versions, serial numbers, figures of counters and
// the time of day.
func TestRowsOpenConnection(t *testing.T) {
	var samples []opening
	if err := json.Unmarshal([]byte(golden(t, "OpenConnection.json")), &samples); err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		family := strings.SplitN(s.Answer["deviceID"].(string), "-", 2)[0]
		if s.Name == "NV22 Spectral" {
			family = "NV22_SPECTRAL"
		}
		t.Run("ITL-04 OpenConnection, ITL-C3/"+family, func(t *testing.T) {
			proof.Of(t)
			h := house{family: family, model: s.Answer["deviceModel"].(string), profile: sampleProfiles[s.Name]}
			h.port = strings.SplitN(s.Answer["deviceID"].(string), "-", 2)[1]
			for _, l := range s.Answer["allLevels"].([]any) {
				m := l.(map[string]any)
				h.currency = m["countryCode"].(string)
				h.dataset = append(h.dataset, int64(m["value"].(float64)))
			}
			var request struct{ SspAddress byte }
			if err := json.Unmarshal(s.Request, &request); err != nil {
				t.Fatal(err)
			}
			h.addr = request.SspAddress
			before := houses
			houses = []house{h}
			defer func() { houses = before }()
			inTown(t, DotNet, family, func(w *town) {
				w.strict = !strings.Contains(string(s.Request), "LogFile Path")
				a := w.call("POST", "/api/CashDevice/OpenConnection", string(s.Request))
				if a.status != 200 || a.media != jsonText {
					t.Fatalf("%d %s %s", a.status, a.media, a.body)
				}
				var got map[string]any
				if err := json.Unmarshal([]byte(a.body), &got); err != nil {
					t.Fatal(err)
				}
				delete(got, "coinLifterSerialNumber") // the sample's twin has no lifter
				if s.Name == "SMART Hopper" {
					delete(got, "cashBoxLevels") // asked for, and left out of the sample
				}
				g, _ := json.Marshal(ownFigures(got))
				want, _ := json.Marshal(ownFigures(s.Answer))
				sameJSON(t, string(g), string(want))
				logs, _ := filepath.Glob(filepath.Join(w.dir, "logs", "*.log"))
				if len(logs) != 1 {
					t.Errorf("device logs %v, want one of the usual name", logs)
				}
			})
		})
	}
}

// ownFigures puts marks in place of what differs from machine to machine.
func ownFigures(in map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range in {
		switch v := v.(type) {
		case string:
			switch {
			case name == "firmware" || name == "dataset" || strings.Contains(name, "SerialNumber") || strings.Contains(name, "Revision"):
				out[name] = "text"
				if v == "" {
					out[name] = "empty"
				}
			case name == "counters":
				out[name] = regexp.MustCompile(`: \d+\n`).ReplaceAllString(strings.Replace(v, ": ", "=", 1), ": N\n")
			case name == "realTimeClock":
				out[name] = regexp.MustCompile(`^Successfully set real time clock to \d\d/\d\d/\d{4} \d\d:\d\d:\d\d\.$`).MatchString(v)
			default:
				out[name] = v
			}
		case float64:
			out[name] = v
			if name == "sspProtocolVersion" {
				out[name] = v >= 7
			}
			if strings.Contains(name, "SerialNumber") {
				out[name] = "number"
			}
		case map[string]any:
			out[name] = ownFigures(v)
		default:
			out[name] = v
		}
	}
	return out
}

func TestRowsOpening(t *testing.T) {
	prove(t, "ITL-04 OpenConnection, again", everyone, func(r *resident) {
		a := r.town.post("OpenConnection", r.opening("")) // without DisconnectDevice, as after a crash
		var out struct {
			DeviceID        string
			AcceptorEnabled bool
		}
		if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 || out.DeviceID != r.id || out.AcceptorEnabled {
			r.t.Errorf("%d %s", a.status, a.body)
		}
		if got := r.until("DISABLED"); got != "CONNECTING CONNECTED STARTING STARTED DISABLED" {
			r.t.Errorf("told %s", got)
		}
	})
	prove(t, "ITL-04 OpenConnection, EncKey", "SPECTRAL_PAYOUT SMART_COIN_SYSTEM", func(r *resident) {
		if a := r.town.post("OpenConnection", r.opening(`,"EncKey":81985526925837671`)); a.status != 200 {
			r.t.Errorf("the maker's key: %d %s", a.status, a.body)
		}
		r.town.post("OpenConnection", r.opening(`,"EncKey":18446744073709551615`)).is(r.t, 400, jsonText, `{"openResult":"FAILED","error":"ENCRYPTION_ERROR"}`)
		if a := r.town.post("OpenConnection", r.opening("")); a.status != 200 {
			r.t.Errorf("after a wrong key: %d %s", a.status, a.body)
		}
		r.agrees()
	})
	prove(t, "ITL-04 OpenConnection, SetHopperOptions, SetCashBoxLevels", coinAll, func(r *resident) {
		a := r.town.post("OpenConnection", r.opening(fmt.Sprintf(`,"SetHopperOptions":{"Reg0":4,"Reg1":0},"SetCashBoxLevels":[{"Denomination":"%d %s","NumCoins":3}]`, r.dataset[0], r.currency)))
		if want := fmt.Sprintf(`"cashBoxLevels":"SUCCESS: Set cashbox level for %d %s to 3.\r\n"`, r.dataset[0], r.currency); a.status != 200 || !strings.Contains(a.body, want) {
			r.t.Errorf("%d %s", a.status, a.body)
		}
		r.says(r.get("GetHopperOptions"), "<id>: { Reg0 = 04, Reg1 = 00 }")
		if a := r.get("GetCashboxLevels"); !strings.Contains(a.body, fmt.Sprintf("\n3 x %d %s\n", r.dataset[0], r.currency)) {
			r.t.Errorf("%s", a.body)
		}
	})
	prove(t, "ITL-04 OpenConnection, SetTwinMode, SetFeederRoutes", "TWIN_SMART_COIN_SYSTEM", func(r *resident) {
		a := r.town.post("OpenConnection", r.opening(`,"SetTwinMode":1,"SetFeederRoutes":[{"Denomination":"1 USD","Route":0},{"Denomination":"25 USD","Route":1}]`))
		want := `"feederRoutes":"SUCCESS: Set feeder route for 1 USD to MASTER ROUTE.\r\n\nSUCCESS: Set feeder route for 25 USD to SECONDARY ROUTE.\r\n"`
		if a.status != 200 || !strings.Contains(a.body, want) {
			r.t.Errorf("%d %s", a.status, a.body)
		}
		r.get("GetSorterRouteAssignment").is(r.t, 200, jsonText,
			`[{"currentSorterRoute":0},{"currentSorterRoute":0},{"currentSorterRoute":0},{"currentSorterRoute":1},{"currentSorterRoute":0}]`)
	})
	t.Run("ITL-04 OpenConnection/refused", func(t *testing.T) {
		proof.Of(t)
		inTown(t, DotNet, "SPECTRAL_PAYOUT", func(w *town) {
			for _, body := range []string{`{"ComPort":"COM77","SspAddress":0}`, `{"ComPort":"COM5","SspAddress":16}`, `{"ComPort":12}`} {
				w.post("OpenConnection", body).is(t, 400, jsonText, `{"openResult":"FAILED","error":"PORT_ERROR"}`)
			}
			w.post("OpenConnection", "{}").problem(t, "ComPort")
			w.strict = false
			w.post("OpenConnection", "nonsense").problem(t, "$")
			if err := w.till.Lease([]cash.DeviceID{"SPECTRAL_PAYOUT-COM5"}, "another till"); err != nil {
				t.Fatal(err)
			}
			w.post("OpenConnection", `{"ComPort":"COM5","EncKey":666}`).is(t, 400, jsonText, `{"openResult":"FAILED","error":"DEVICE_BUSY (CLAIMED)"}`)
			if a := w.post("OpenConnection", `{"ComPort":"COM5","EncKey":81985526925837671}`); a.status != 200 || !strings.Contains(a.body, `"deviceError":"NONE"`) {
				t.Errorf("asking for nothing during another's claim: %d %s", a.status, a.body)
			}
			if a := w.post("OpenConnection", `{"ComPort":"COM5","EnableAcceptor":true}`); a.status != 200 ||
				!strings.Contains(a.body, `"deviceError":"DEVICE_BUSY (CLAIMED)"`) || !strings.Contains(a.body, `"acceptorEnabled":false`) {
				t.Errorf("asking for the acceptor during another's claim: %d %s", a.status, a.body)
			}
			if a := w.get("GetAllLevels?deviceID=SPECTRAL_PAYOUT-COM5"); a.status != 200 || !strings.Contains(a.body, `"stored":4`) {
				t.Errorf("levels during another's claim: %d %s", a.status, a.body)
			}
		})
	})
	prove(t, "ITL-L1 InitialiseDevice, ITL-L2 OpenDevice, ITL-L3 ConnectDevice, ITL-06 StartDevice", everyone, legacySteps)
}

// legacySteps is how clients of older servers open a machine, under a name of their own.
func legacySteps(r *resident) {
	r.post("DisconnectDevice", "")
	r.id = "TILL-" + r.port
	r.says(r.post("InitialiseDevice", ""), "<id>: Device initialised successfully.")
	r.strict = false // SSPAddress, as older clients write it
	r.says(r.town.post("OpenDevice", fmt.Sprintf(`{"ComPort":"%s","SSPAddress":%d,"Name":"%s"}`, r.port, r.addr, r.id)), "<id>: Device opened successfully.")
	r.says(r.post("ConnectDevice", ""), "<id>: Device connected successfully.")
	r.strict = true
	if got := r.until("CONNECTED"); got != "CONNECTING CONNECTED" {
		r.t.Errorf("told %s", got)
	}
	r.says(r.post("StartDevice", ""), "<id>: Device started successfully.")
	if got := r.until("DISABLED"); got != "STARTING STARTED DISABLED" {
		r.t.Errorf("told %s", got)
	}
	r.says(r.post("EnableAcceptor", ""), "<id>: Acceptor enabled successfully.")
	r.until("IDLE")
	r.insert(r.dataset[0])
	if got := r.until("IDLE"); !strings.Contains(got, "ST") && !strings.Contains(got, "COIN_CREDIT") && !strings.Contains(got, "VALUE_ADDED") {
		r.t.Errorf("told %s", got)
	}
	r.says(r.post("DisconnectDevice", ""), "<id>: Device disconnected and cleaned up successfully.")
	r.refuses(r.town.post("ConnectDevice?deviceID=nobody", ""), 404, "Cash device not found")
	r.town.post("OpenDevice", `{"ComPort":"COM77","Name":"x"}`).is(r.t, 400, jsonText, `{"openResult":"FAILED","error":"PORT_ERROR"}`)
	r.id = r.model + "-" + r.port
	r.agrees()
}

// A machine on a Linux port, whose deviceID has slashes in it, and the Android server's way of naming ports.
func TestRowsDeviceIDs(t *testing.T) {
	before := houses
	defer func() { houses = before }()
	houses = []house{{"ACM", "SPECTRAL_PAYOUT", "/dev/ttyACM0", 0, "spectral-payout", "EUR", []int64{500, 1000}, map[int64]int{500: 2}}}
	t.Run("ITL-04 OpenConnection, ITL-10/percent-encoded", func(t *testing.T) {
		proof.Of(t)
		inTown(t, DotNet, "ACM", func(w *town) {
			r := w.resident("ACM")
			for _, id := range []string{"SPECTRAL_PAYOUT-/dev/ttyACM0", "SPECTRAL_PAYOUT-%2Fdev%2FttyACM0", "spectral_payout-%2fDEV%2fttyacm0"} {
				for _, name := range []string{"deviceID", "deviceId", "deviceid", "DeviceID"} {
					w.strict = name == "deviceID"
					if a := w.get("GetDeviceStatus?" + name + "=" + id); a.status != 200 {
						t.Errorf("%s=%s: %d %s", name, id, a.status, a.body)
					}
				}
			}
			w.strict = true
			r.says(r.post("DisableAcceptor", ""), "<id>: Acceptor disabled successfully.")
			if a := w.get("GetAllCashDevices"); a.body != `["SPECTRAL_PAYOUT-/dev/ttyACM0"]` {
				t.Errorf("%s", a.body)
			}
		})
	})
	t.Run("ITL-04 OpenConnection, ITL-02 GetConnectedUSBDevices, ITL-X1/android", func(t *testing.T) {
		proof.Of(t)
		inTown(t, Android, "ACM", func(w *town) {
			want := `[{"Port":0,"DeviceName":"NV200 Spectral","VendorId":6428,"ProductId":16644}]`
			w.get("GetConnectedUSBDevices").is(t, 200, jsonText, want)
			w.post("GetConnectedUSBDevices", "").is(t, 200, jsonText, want)
			a := w.post("OpenConnection", `{"Port":0,"SspAddress":0,"EnableAcceptor":true}`)
			for _, part := range []string{`"DeviceID":"SPECTRAL_PAYOUT-0"`, `"IsOpen":true`, `"DeviceModel":"SPECTRAL_PAYOUT"`, `"DeviceError":"NONE"`,
				`"CoinFeederSerialNumber":null`, `"AllLevels":[{"CountryCode":"EUR","Value":500,"Stored":2}`} {
				if a.status != 200 || !strings.Contains(a.body, part) {
					t.Errorf("%s is not in %d %s", part, a.status, a.body)
				}
			}
			time.Sleep(time.Second)
			a = w.get("GetDeviceStatus/v2?deviceID=SPECTRAL_PAYOUT-0")
			if !strings.HasPrefix(a.body, `{"DeviceState":"IDLE","PollBuffer":[{"Type":"DeviceStatusResponse","State":1,"StateAsString":"CONNECTING"`) {
				t.Errorf("%s", a.body)
			}
			a = w.get("GetCurrencyAssignment?deviceID=SPECTRAL_PAYOUT-0")
			if !strings.Contains(a.body, `"Type":"BANKNOTE"`) || !strings.Contains(a.body, `"AcceptRoute":"`) {
				t.Errorf("%s", a.body)
			}
			a = w.get("GetAllLevels?deviceID=SPECTRAL_PAYOUT-0")
			a.is(t, 200, jsonText, `{"Levels":[{"CountryCode":"EUR","Value":500,"Stored":2},{"CountryCode":"EUR","Value":1000,"Stored":0}],"Success":true,"Message":"Successfully retrieved all levels."}`)
		})
	})
	houses = before
	t.Run("ITL-02 GetConnectedUSBDevices", func(t *testing.T) {
		proof.Of(t)
		inTown(t, DotNet, everyone, func(w *town) {
			names := map[string]string{"SPECTRAL_PAYOUT": "NV200 Spectral", "NV22_SPECTRAL": "NV9 Spectral", "NV4000": "NV200 Spectral", "NV11": "NV200 Spectral",
				"NOTE_VALIDATOR": "NV200 Spectral", smart: "NV200 Spectral", "SMART_COIN_SYSTEM": "ITL SMART System DEVICE", "TWIN_SMART_COIN_SYSTEM": "ITL SMART System DEVICE", "SMART_HOPPER_4": "ITL SMART System DEVICE"}
			<-w.station.Tried()
			want := list{}
			for i, h := range houses {
				want = append(want, object{{"Port", i}, {"DeviceName", names[h.family]}, {"VendorId", 6428}, {"ProductId", 16644}})
			}
			text := string(style{}.render(nil, want))
			w.get("GetConnectedUSBDevices").is(t, 200, jsonText, text)
			w.post("GetConnectedUSBDevices", "").is(t, 200, jsonText, text)
		})
	})
}

package cashdevice

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"coffer/internal/cash"
)

// The manual's one sample of the Android build: names, order, and which serial numbers are text.
func TestAndroidSample(t *testing.T) {
	with(t, Android, func(t *testing.T, b *bench) {
		b.withNV4000()
		want := regexp.MustCompile(`^{"DeviceID":"NV4000-COM18","isOpen":true,"IsOpen":true,"DeviceModel":"NV4000","sspProtocols":7,"SspProtocolVersion":7,` +
			`"DeviceError":"NONE","Firmware":"[^"]*","Dataset":"[^"]*","MainSerialNumber":"\d+","ValidatorSerialNumber":null,"PayoutModuleSerialNumber":null,` +
			`"PrimaryHopperSerialNumber":null,"CoinFeederSerialNumber":null,"SecondaryHopperSerialNumber":null,"CoinLifterSerialNumber":null,` +
			`"ValidatorRevision":null,"PayoutModuleRevision":null,"PrimaryHopperBuildRevision":null,"CoinFeederBuildRevision":null,` +
			`"SecondaryHopperBuildRevision":null,"CoinLifterBuildRevision":null,"BuildRevision":("9.10"|null),` +
			`"NV4000Fields":{"Recycler1SerialNumber":5001101,"Recycler2SerialNumber":5001102,"Recycler3SerialNumber":5001103,"Recycler4SerialNumber":5001104,` +
			`"InterfaceSerialNumber":5002201,"DockSerialNumber":5003301,"ReplenishmentCassetteSerialNumber":5004401,"ConveyorSerialNumber":5005501,` +
			`"RCCurrentMode":null,"CurrentRC_PayoutValue":0},"RealTimeClock":`)
		if a := b.post("OpenConnection", `{"ComPort":"COM18","SspAddress":0}`); a.status != 200 || !want.MatchString(a.body) {
			t.Errorf("%d %s", a.status, a.body)
		}
		b.withAll(modelNV4000)
		if a := b.post("OpenConnection", `{"ComPort":"COM5"}`); !strings.Contains(a.body, `"RCCurrentMode":"RC_MODE_`) {
			t.Errorf("%d %s", a.status, a.body)
		}
		b.do("POST", "/api/Users/Authenticate", `{"Username":"admin","Password":"no"}`).is(t, 400, jsonText,
			`{"message":"Username or password is incorrect","Message":"Username or password is incorrect"}`)
		b.do("POST", "/api/Users/UpdateCredentials", `{"CurrentUsername":"admin","CurrentPassword":"password","NewUsername":"a","NewPassword":"b"}`).is(t, 200, jsonText,
			`{"message":"Credentials updated successfully!","Message":"Credentials updated successfully!"}`)
	})
}

func TestAndroid(t *testing.T) {
	with(t, Android, func(t *testing.T, b *bench) {
		var login map[string]string // the manual's own collection reads "token", whatever the build
		a := b.do("POST", "/api/Users/Authenticate", `{"Username":"admin","Password":"password"}`)
		if err := json.Unmarshal([]byte(a.body), &login); err != nil || len(login) != 2 || login["token"] == "" || login["Token"] != login["token"] {
			t.Errorf("%v: %s", err, a.body)
		}
		a = b.post("OpenConnection", `{"Port":0}`)
		var got map[string]any
		if err := json.Unmarshal([]byte(a.body), &got); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]any{
			"DeviceID": "SPECTRAL_PAYOUT-0", "IsOpen": true, "SspProtocolVersion": 7.0, "MainSerialNumber": nil, "Inhibits": nil,
			"PrimaryHopperSerialNumber": nil, "ValidatorSerialNumber": "6331574", "PayoutEnabled": false, "NV4000Fields": nil,
		} {
			if v, present := got[name]; !present || v != want {
				t.Errorf("%s is %v (present: %v), want %v", name, v, present, want)
			}
		}
		b.get("GetDeviceStatus/v2?deviceID=SPECTRAL_PAYOUT-0")
		b.get("GetDeviceStatus/v2?deviceID=SPECTRAL_PAYOUT-0").is(t, 200, jsonText, `{"DeviceState":"DISABLED","PollBuffer":[]}`)
		b.publish(cash.NoteHeld{Note: cash.Denom{Value: 500, Currency: "GBP"}})
		b.get("GetDeviceStatus?deviceID=SPECTRAL_PAYOUT-0").is(t, 200, jsonText, `[
			{"Type":"DeviceStatusResponse","State":6,"StateAsString":"ACCEPTING","IsRunning":true,"Message":"Device state changed: ACCEPTING"},
			{"Type":"CashEventResponse","EventTypeAsString":"ESCROW","Value":500,"Value2":0,"CountryCode":"GBP",
			 "Message":"Cash event: ESCROW - Value: 500 Value2: 0 - CountryCode: GBP"}]`)
		if a := b.get("GetCurrencyAssignment?deviceID=SPECTRAL_PAYOUT-0"); !strings.Contains(a.body, `"Type":"BANKNOTE"`) ||
			!strings.Contains(a.body, `"AcceptRoute":"PAYOUT"`) || !strings.Contains(a.body, `"Fraud_Attempt_Value":-1`) {
			t.Errorf("currency assignment %s", a.body)
		}
		if a := b.get("GetAllLevels" + q); !strings.HasPrefix(a.body, `{"Levels":[{"CountryCode":"GBP","Value":500,"Stored":4}`) {
			t.Errorf("levels by the port's name %s", a.body)
		}
		b.post("EnableAcceptor?deviceID=SPECTRAL_PAYOUT-0", "").text(t, 200, "SPECTRAL_PAYOUT-0: Acceptor enabled successfully.")
	})
}

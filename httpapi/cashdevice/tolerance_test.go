package cashdevice

import (
	"net/http"
	"strings"
	"testing"
)

// TestTolerance is the list "Tolerance (000)" of wire-truths.md.
func TestTolerance(t *testing.T) {
	const opened, enabled = `"deviceID":"SPECTRAL_PAYOUT-COM5"`, notesID + ": Acceptor enabled successfully."
	tests := []struct {
		name, method, path, body string
		want                     string // in the answer, which is 200
		did                      string // what the machine was told, "" for any
	}{
		{"1 member names", "POST", "OpenConnection", `{"comport":"COM5","SSPADDRESS":0,"enableAcceptor":true}`, opened, "auto-accept False; payout-off; enable"},
		{"1 query deviceId", "POST", "EnableAcceptor?deviceId=" + notesID, "", enabled, "enable"},
		{"1 query deviceid", "POST", "EnableAcceptor?deviceid=" + notesID, "", enabled, "enable"},
		{"1 query DeviceID, value in lower case", "POST", "EnableAcceptor?DeviceID=spectral_payout-com5", "", enabled, "enable"},
		{"1 path", "POST", "enableacceptor" + q, "", enabled, "enable"},
		{"1 path in capitals", "GET", "GETDEVICESTATUS" + q, "", "[]", ""},
		{"2 raw slash", "POST", "EnableAcceptor?deviceID=SPECTRAL_PAYOUT-/dev/ttyACM0", "", "SPECTRAL_PAYOUT-/dev/ttyACM0: Acceptor enabled successfully.", ""},
		{"2 percent-encoded", "POST", "EnableAcceptor?deviceID=SPECTRAL_PAYOUT-%2Fdev%2FttyACM0", "", "SPECTRAL_PAYOUT-/dev/ttyACM0: Acceptor enabled successfully.", ""},
		{"3 deviceID on OpenConnection", "POST", "OpenConnection?deviceID=X-COM1", `{"ComPort":"COM5","deviceID":"Y"}`, opened, ""},
		{"4 numbers as text", "POST", "DispenseValue" + q, `{"Value":"1500","CountryCode":"GBP"}`, "Dispense operation initiated successfully.", ""},
		{"4 booleans as text", "POST", "SetAutoAccept" + q, `"true"`, "Auto-accept set to True", "auto-accept True"},
		{"4 booleans as text in an object", "POST", "SetDenominationInhibits" + q, `{"ValueCountryCodes":["500 GBP"],"Inhibit":"TRUE"}`, "successfully", "inhibit 500 GBP"},
		{"4 nulls", "POST", "OpenConnection", `{"ComPort":"COM5","Port":null,"SetInhibits":null,"SetRoutes":null,"EnableAcceptor":null,"SetCoinMechInhibits":null}`, opened, "auto-accept False; payout-off; disable"},
		{"5 SSPAddress", "POST", "OpenConnection", `{"ComPort":"COM9","SSPAddress":16}`, "SMART_COIN_SYSTEM-COM9", ""},
		{"5 address as text", "POST", "OpenConnection", `{"ComPort":"COM9","SspAddress":"16"}`, "SMART_COIN_SYSTEM-COM9", ""},
		{"5 Port", "POST", "OpenConnection", `{"Port":"COM5"}`, opened, ""},
		{"5 index as text", "POST", "OpenConnection", `{"Port":"0"}`, opened, ""},
		{"5 LogFile Path", "POST", "OpenConnection", `{"ComPort":"COM5","LogFile Path":"C:\\Temp\\"}`, opened, ""},
		{"6 unknown members", "POST", "OpenConnection", `{"ComPort":"COM5","Colour":{"a":[1,{}]}}`, opened, ""},
		{"6 comments and commas", "POST", "OpenConnection", "{ // port\n \"ComPort\":\"COM5\", /* none */ \"SetInhibits\":[{\"Denomination\":\"500 GBP\",\"Inhibit\":true,},],}", opened, "inhibit 500 GBP; auto-accept False; payout-off; disable"},
		{"6 comment marks in text", "POST", "OpenConnection", `{"ComPort":"COM5","LogFilePath":"http://x/,] /* */"}`, opened, ""},
		{"7 empty JSON body", "POST", "EnableAcceptor" + q, "", enabled, "enable"},
		{"7 JSON where none is needed", "POST", "EnableAcceptor" + q, `{"x":1}`, enabled, "enable"},
		{"7 not JSON where none is needed", "POST", "EnableAcceptor" + q, "a=b&c", enabled, "enable"},
		{"7 EnablePayout with 0", "POST", "EnablePayout" + q, "0", "Payout enabled successfully.", "payout-on"},
		{"8 GET with a body", "GET", "GetAllLevels" + q, "1", `"success":true`, ""},
		{"9 GetConnectedUSBDevices by GET", "GET", "GetConnectedUSBDevices", "", "VendorId", ""},
		{"9 GetConnectedUSBDevices by POST", "POST", "GetConnectedUSBDevices", "", "VendorId", ""},
		{"10 GetAllCashDevices", "GET", "GetAllCashDevices", "", notesID, ""},
		{"10 CloseDevice", "POST", "CloseDevice" + q, "", "Device disconnected and cleaned up successfully.", "disable"},
		{"doubled and final slashes", "POST", "/EnableAcceptor/" + q, "", enabled, "enable"},
		{"nested route", "POST", "SetDenominationRoute" + q, `{"ValueCountryCode":{"Value":500,"CountryCode":"GBP"},"Route":1}`, "RECYCLER successfully!", "route 500 GBP True"},
		{"nested route as text", "POST", "SetDenominationRoute" + q, `{"ValueCountryCode":"500 GBP","Route":"0"}`, "CASHBOX successfully!", "route 500 GBP False"},
		{"byte order mark", "POST", "SetAutoAccept" + q, "\xEF\xBB\xBFtrue", "Auto-accept set to True", "auto-accept True"},
		{"blanks around a bare value", "POST", "SetAutoAccept" + q, " \r\n true \n", "Auto-accept set to True", "auto-accept True"},
		{"whole numbers with a point", "POST", "DispenseValue" + q, `{"Value":1500.0,"CountryCode":"GBP"}`, "Dispense", ""},
		{"fixed key beyond 2^53", "POST", "OpenConnection", `{"ComPort":"COM5","EncKey":81985526925837671}`, opened, ""},
		{"fixed key as text", "POST", "OpenConnection", `{"ComPort":"COM5","EncKey":"81985526925837671"}`, opened, ""},
		{"largest key", "POST", "OpenConnection", `{"ComPort":"COM5","EncKey":18446744073709551615}`, opened, ""},
		{"route entry that is an inhibit", "POST", "OpenConnection", `{"ComPort":"COM5","SetRoutes":[{"Denomination":"500 GBP","Inhibit":false}]}`, opened, ""},
		{"limit on a machine without", "POST", "OpenConnection", `{"ComPort":"COM5","SetCashBoxPayoutLimit":[1,2,3,4],"DispenseToBezel":true}`, opened, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			with(t, DotNet, func(t *testing.T, b *bench) {
				b.open()
				b.post("OpenConnection", `{"ComPort":"/dev/ttyACM0"}`)
				b.strict = false
				a := b.do(tt.method, "/api/CashDevice/"+tt.path, tt.body)
				if a.status != 200 || !strings.Contains(a.body, tt.want) {
					t.Errorf("%d %s, want 200 with %s", a.status, a.body, tt.want)
				}
				if got := b.notes.took(); tt.did != "" && got != tt.did {
					t.Errorf("the machine was told %q, want %q", got, tt.did)
				}
			})
		})
	}
}

func TestToleranceOfContentTypes(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		b.strict = false
		for _, media := range []string{"", "application/json", "application/x-www-form-urlencoded", "text/plain", "nonsense"} {
			b.post("EnableAcceptor"+q, "", "Content-Type", media).text(t, 200, notesID+": Acceptor enabled successfully.")
			b.post("SetAutoAccept"+q, "true", "Content-Type", media).text(t, 200, notesID+": Auto-accept set to True")
		}
		b.do("POST", "/API/cashdevice/UpdateCredentials", `{"CurrentUsername":"x"}`).text(t, 400, "Incorrect current username or password!")
	})
}

func TestUnknownEndpoints(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		for _, path := range []string{"/api/CashDevice/Nothing" + q, "/api/CashDevice/", "/api/CashDevice", "/api/Users/x", "/api/Download/y", "/api/Nothing", "/"} {
			for _, method := range []string{"GET", "POST"} {
				if a := b.do(method, path, ""); a.status != 404 || a.body == "" || a.media != plainText {
					t.Errorf("%s %s: %d %q", method, path, a.status, a.body)
				}
			}
		}
		a := b.do("GET", "/api/CashDevice/EnableAcceptor"+q, "")
		if a.status != 405 || a.header.Get("Allow") != "POST" || a.body == "" {
			t.Errorf("wrong method: %d %v", a.status, a.header)
		}
		b.strict = false
		if a := b.do(http.MethodHead, "/api/CashDevice/GetAllLevels"+q, ""); a.status != 200 {
			t.Errorf("HEAD: %d", a.status)
		}
		b.post("OpenConnection", `{"ComPort":"COM5","SspAddress":0}`)
		for _, path := range []string{"GetDeviceStatus", "GetDeviceStatus/v2"} {
			if a := b.do(http.MethodHead, "/api/CashDevice/"+path+q, ""); a.status != 405 || a.header.Get("Allow") != "GET" {
				t.Errorf("HEAD %s: %d %v", path, a.status, a.header)
			}
		}
		if a := b.do("GET", "/api/CashDevice/GetDeviceStatus"+q, ""); !strings.Contains(a.body, "CONNECTING") {
			t.Errorf("HEAD has taken the events: %s", a.body)
		}
	})
}

func TestEveryDeviceEndpointNeedsAKnownDevice(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		for _, e := range device {
			if e.needs != needDevice {
				continue
			}
			method := strings.Fields(e.methods)[0]
			b.do(method, e.path, "").problem(t, "deviceID")
			b.do(method, e.path+"?deviceID=", "").problem(t, "deviceID")
			status := 404
			if e.path == "/api/CashDevice/EnablePayoutDevice" {
				status = 400 // as the manual prints it
			}
			text := "Cash device not found"
			if e.path == "/api/CashDevice/LogRawPackets" {
				text = "SEPCTRAL_PAYOUT-COM5: Cash device not found." // likewise
			}
			b.do(method, e.path+"?deviceID=SEPCTRAL_PAYOUT-COM5", "").text(t, status, text)
		}
	})
}

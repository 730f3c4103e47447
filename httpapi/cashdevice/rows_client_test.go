package cashdevice

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"coffer/internal/cash"
	"coffer/internal/proof"
)

func TestRowsUsers(t *testing.T) {
	t.Run("ITL-01 Authenticate", func(t *testing.T) {
		proof.Of(t)
		inTown(t, DotNet, "", func(w *town) {
			w.token = ""
			a := w.call("POST", "/api/Users/Authenticate", `{"Username":"admin","Password":"password"}`)
			var out map[string]string
			if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 || a.media != jsonText || len(out) != 1 {
				t.Fatalf("%d %s %s", a.status, a.media, a.body)
			}
			parts := strings.Split(out["token"], ".")
			head, _ := base64.RawURLEncoding.DecodeString(parts[0])
			if string(head) != `{"alg":"HS256","typ":"JWT"}` {
				t.Errorf("header %s", head)
			}
			var claims struct {
				Name           string `json:"unique_name"`
				Nbf, Exp, Iat  int64
				Issuer, Public string
				Iss, Aud       string
			}
			body, _ := base64.RawURLEncoding.DecodeString(parts[1])
			if err := json.Unmarshal(body, &claims); err != nil || claims.Name != "admin" || claims.Iss != "INNOVATIVETECHNOLOGY" ||
				claims.Aud != "INNOVATIVETECHNOLOGY" || claims.Exp-claims.Iat != 604800 || claims.Nbf != claims.Iat || claims.Iat != time.Now().Unix() {
				t.Errorf("claims %s", body)
			}
			for _, wrong := range []string{`{"Username":"admin","Password":"Password"}`, `{"Username":"nobody","Password":"password"}`} {
				w.call("POST", "/api/Users/Authenticate", wrong).is(t, 400, jsonText, `{"message":"Username or password is incorrect"}`)
			}
			w.strict = false
			w.call("POST", "/API/users/AUTHENTICATE", `{"username":"admin","password":"password","extra":null}`).is(t, 200, jsonText, a.body)
			w.call("POST", "/api/Users/Authenticate", "{}").is(t, 400, jsonText, `{"message":"Username or password is incorrect"}`)
		})
	})
	t.Run("ITL-03 UpdateCredentials", func(t *testing.T) {
		proof.Of(t)
		inTown(t, DotNet, "", func(w *town) {
			const path = "/api/Users/UpdateCredentials"
			w.call("POST", path, `{"CurrentUsername":"admin","CurrentPassword":"wrong","NewUsername":"till","NewPassword":"s3cret"}`).
				text(t, 400, "Incorrect current username or password!")
			before := w.token
			w.call("POST", path, `{"CurrentUsername":"admin","CurrentPassword":"password","NewUsername":"till","NewPassword":"s3cret"}`).
				is(t, 200, jsonText, `{"message":"Credentials updated successfully!"}`)
			for range 2 { // the second time after a restart of the server
				w.call("POST", "/api/Users/Authenticate", `{"Username":"admin","Password":"password"}`).
					is(t, 400, jsonText, `{"message":"Username or password is incorrect"}`)
				if a := w.call("POST", "/api/Users/Authenticate", `{"Username":"till","Password":"s3cret"}`); a.status != 200 {
					t.Errorf("the new pair: %d %s", a.status, a.body)
				}
				w.token = before // stays good until it ends
				if a := w.get("GetAllCashDevices"); a.status != 200 {
					t.Errorf("the old token: %d %s", a.status, a.body)
				}
				w.unserve()
				w.serve(DotNet)
			}
			if a := w.call("POST", path, `{"CurrentUsername":"till","CurrentPassword":"s3cret","NewUsername":"","NewPassword":""}`); a.status != 400 {
				t.Errorf("empty new pair: %d %s", a.status, a.body)
			}
		})
	})
	t.Run("ITL-C2 401 rules", func(t *testing.T) {
		proof.Of(t)
		inTown(t, DotNet, "", func(w *town) {
			claims := jwt.MapClaims{"unique_name": "admin", "iss": "INNOVATIVETECHNOLOGY", "aud": "INNOVATIVETECHNOLOGY", "exp": time.Now().Add(time.Hour).Unix()}
			signed := func(c jwt.MapClaims, secret string) string {
				s, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString([]byte(secret))
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			const secret = "0123456789abcdef0123456789abcdef"
			old := jwt.MapClaims{"unique_name": "admin", "iss": "INNOVATIVETECHNOLOGY", "aud": "INNOVATIVETECHNOLOGY", "exp": time.Now().Add(-time.Minute).Unix()}
			other := jwt.MapClaims{"unique_name": "admin", "iss": "SOMEBODY", "aud": "INNOVATIVETECHNOLOGY", "exp": time.Now().Add(time.Hour).Unix()}
			none, _ := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
			for name, token := range map[string]string{
				"missing": "", "garbled": "eyJ.x.y", "expired": signed(old, secret), "foreign": signed(claims, "another secret of thirty-two byte"),
				"other issuer": signed(other, secret), "unsigned": none,
			} {
				w.token = token
				for _, list := range [][]endpoint{users, device} {
					for _, e := range list {
						if e.needs == needNothing {
							continue
						}
						a := w.call(strings.Fields(e.methods)[0], e.path, "")
						if a.status != 401 || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") || a.body == "" ||
							strings.Contains(a.header.Get("WWW-Authenticate"), "invalid_token") != (token != "") {
							t.Errorf("%s token, %s: %d %v %s", name, e.path, a.status, a.header, a.body)
						}
					}
				}
			}
			delete(claims, "unique_name") // a token signed with the secret by hand is taken
			w.token = signed(claims, secret)
			if a := w.get("GetAllCashDevices"); a.status != 200 {
				t.Errorf("a token without a name: %d %s", a.status, a.body)
			}
		})
	})
	t.Run("ITL-C1 serverconfig.json, AllowedOrigins", func(t *testing.T) {
		proof.Of(t)
		inTown(t, DotNet, "", func(w *town) {
			w.token = ""
			w.strict = false
			a := w.call("OPTIONS", "/api/CashDevice/OpenConnection", "", "Origin", "http://localhost:3000", "Access-Control-Request-Method", "POST",
				"Access-Control-Request-Headers", "authorization,content-type")
			if a.status/100 != 2 || a.header.Get("Access-Control-Allow-Origin") != "http://localhost:3000" || !strings.Contains(strings.ToLower(a.header.Get("Access-Control-Allow-Headers")), "authorization") {
				t.Errorf("%d %v", a.status, a.header)
			}
			if a := w.call("OPTIONS", "/api/CashDevice/OpenConnection", "", "Origin", "http://evil.example"); a.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%v", a.header)
			}
		})
	})
}

// TestSessions holds sessions as real clients do, each against two machines.
func TestSessions(t *testing.T) {
	t.Run("a client in camelCase that sends text for everything", func(t *testing.T) {
		inTown(t, DotNet, "SPECTRAL_PAYOUT SMART_COIN_SYSTEM", func(w *town) {
			w.strict = false
			notes, coins := w.people["SPECTRAL_PAYOUT"], w.people["SMART_COIN_SYSTEM"]
			a := w.post("openconnection", `{"comPort":"COM5","sspAddress":"0","logFilePath":null,"setInhibits":null,"setRoutes":[{"denomination":"500 EUR","route":"7"}],
				"enableAcceptor":"true","enableAutoAcceptEscrow":"True","enablePayout":1,"unknown":{"a":[1]},}`)
			if a.status != 200 || !strings.Contains(a.body, `"acceptorEnabled":true`) || !strings.Contains(a.body, `"routes":"SUCCESS: Set route for 500 EUR to PAYOUT.\r\n"`) {
				t.Fatalf("%d %s", a.status, a.body)
			}
			a = w.post("OpenConnection", `{"Port":"COM9","SSPAddress":16, // the coins
				"EnableAcceptor":true}`)
			if a.status != 200 {
				t.Fatalf("%d %s", a.status, a.body)
			}
			notes.until("IDLE")
			coins.until("IDLE")
			notes.says(w.post(notes.to("dispensevalue"), `{"value":"500","countryCode":"eur"}`), "Dispense operation initiated successfully.")
			notes.until("IDLE")
			notes.says(w.post(notes.to("SETAUTOACCEPT"), `"false"`), "<id>: Auto-accept set to False")
			coins.says(w.post(coins.to("SetHopperOptions"), `{"reg0":"4","REG1":0.0}`), "Hopper options set successfully.")
			notes.agrees()
		})
	})
	t.Run("missing SspAddress, Port as a number", func(t *testing.T) {
		inTown(t, DotNet, "SPECTRAL_PAYOUT", func(w *town) {
			for _, body := range []string{`{"ComPort":"COM5"}`, `{"Port":0}`, `{"ComPort":0}`, `{"Port":"com5","deviceID":"mine"}`} {
				if a := w.post("OpenConnection", body); a.status != 200 || !strings.Contains(a.body, `"deviceID":"SPECTRAL_PAYOUT-COM5"`) {
					t.Errorf("%s: %d %s", body, a.status, a.body)
				}
			}
		})
	})
	t.Run("bodies where none is expected, and none where the kind is odd", func(t *testing.T) {
		inTown(t, DotNet, "SPECTRAL_PAYOUT", func(w *town) {
			r := w.resident("SPECTRAL_PAYOUT")
			w.strict = false
			for _, kind := range []string{"", "application/json", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream"} {
				for _, body := range []string{"", "0", "true", `{"a":1}`, " "} {
					a := w.call("POST", "/api/CashDevice/"+r.to("EnablePayout"), body, "Content-Type", kind)
					r.says(a, "Payout enabled successfully.")
					r.says(w.call("POST", "/api/CashDevice/"+r.to("DisableAcceptor"), body, "Content-Type", kind), "<id>: Acceptor disabled successfully.")
				}
				r.says(w.call("POST", "/api/CashDevice/"+r.to("SetAutoAccept"), "\n true \r\n", "Content-Type", kind), "<id>: Auto-accept set to True")
				if a := w.call("GET", "/api/CashDevice/"+r.to("GetAllLevels"), `{"deviceID":"x"}`, "Content-Type", kind); a.status != 200 {
					t.Errorf("GET with a body: %d %s", a.status, a.body)
				}
			}
		})
	})
	t.Run("two machines polled each 100 ms in parallel, while one pays", twoMachinesPolled)
	t.Run("a payout that is tried until BUSY is over", func(t *testing.T) {
		inTown(t, DotNet, "SPECTRAL_PAYOUT", func(w *town) {
			r := w.resident("SPECTRAL_PAYOUT")
			paid := 0
			for range 40 {
				a := r.post("DispenseValue", r.sum(500))
				switch {
				case a.status == 200:
					paid++
				case a.status != 400 || !strings.Contains(a.body, "BUSY"):
					t.Fatalf("%d %s", a.status, a.body)
				}
				if paid == 3 {
					break
				}
				time.Sleep(300 * time.Millisecond)
			}
			var told []string
			for range 300 {
				told = append(told, r.events()...)
				if strings.Count(strings.Join(told, " "), "0:COMPLETED") == 3 && told[len(told)-1] == "IDLE" {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			if got := r.stored()[500]; paid != 3 || got != 1 {
				t.Errorf("%d payouts, %d left", paid, got)
			}
			r.agrees()
		})
	})
	t.Run("a till that is leased", func(t *testing.T) {
		inTown(t, DotNet, "SPECTRAL_PAYOUT", func(w *town) {
			r := w.resident("SPECTRAL_PAYOUT")
			dev := []cash.DeviceID{cash.DeviceID(r.id)}
			if err := w.till.Lease(dev, "another till"); err != nil {
				t.Fatal(err)
			}
			for name, body := range map[string]string{"DispenseValue": r.sum(500), "EnableAcceptor": "", "Float": "[0,0,0,0]", "SetDenominationInhibits": `{"ValueCountryCodes":["500 EUR"],"Inhibit":true}`,
				"PayoutMultipleDenominations": "[1,0,0,0]", "ClearNoteCashboxLevels": "", "SendCustomCommand": `{"CustomCommandDataString":"20"}`, "ResetDevice": ""} {
				if a := r.post(name, body); a.status != 400 || !strings.Contains(a.body, "BUSY") {
					t.Errorf("%s: %d %s", name, a.status, a.body)
				}
			}
			if err := w.till.Unlease(dev, "another till"); err != nil {
				t.Fatal(err)
			}
			r.says(r.post("DispenseValue", r.sum(500)), "Dispense operation initiated successfully.")
			r.until("IDLE")
			r.agrees()
		})
	})
	t.Run("reopening after StopDevice, and DisconnectDevice twice", func(t *testing.T) {
		inTown(t, DotNet, "NV4000", func(w *town) {
			r := w.resident("NV4000")
			r.post("StopDevice", "")
			if a := w.post("OpenConnection", r.opening(`,"EnableAcceptor":true,"EnableAutoAcceptEscrow":true`)); a.status != 200 || !strings.Contains(a.body, `"deviceID":"NV4000-COM18"`) {
				t.Fatalf("%d %s", a.status, a.body)
			}
			r.until("IDLE")
			r.insert(100)
			r.until("IDLE")
			r.says(r.post("DisconnectDevice", ""), "<id>: Device disconnected and cleaned up successfully.")
			r.refuses(r.post("DisconnectDevice", ""), 404, "Cash device not found")
			w.post("DisconnectDevice", "").problem(t, "deviceID")
			r.agrees()
		})
	})
	t.Run("a token that ends, and signing in again", func(t *testing.T) {
		inTown(t, DotNet, "SPECTRAL_PAYOUT", func(w *town) {
			r := w.resident("SPECTRAL_PAYOUT")
			w.later.Store(int64(7*24*time.Hour + 5*time.Minute))
			if a := r.get("GetDeviceStatus"); a.status != http.StatusUnauthorized {
				t.Errorf("%d %s", a.status, a.body)
			}
			w.login()
			if a := r.get("GetDeviceStatus"); a.status != 200 {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	})
	t.Run("endpoints that are not there", func(t *testing.T) {
		inTown(t, DotNet, "", func(w *town) {
			for _, path := range []string{"/api/CashDevice/Nothing", "/api/CashDevice/", "/api/Download/Nothing", "/api/Users/Nothing"} {
				if a := w.call("GET", path, ""); a.status != 404 || a.body == "" {
					t.Errorf("%s: %d %s", path, a.status, a.body)
				}
			}
		})
	})
}

func twoMachinesPolled(t *testing.T) {
	inTown(t, DotNet, "SPECTRAL_PAYOUT SMART_COIN_SYSTEM", func(w *town) {
		notes, coins := w.resident("SPECTRAL_PAYOUT"), w.resident("SMART_COIN_SYSTEM")
		var told [2][]string
		var wg sync.WaitGroup
		for i, r := range []*resident{notes, coins} {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 200 {
					told[i] = append(told[i], r.events()...)
					time.Sleep(100 * time.Millisecond)
				}
			}()
		}
		notes.says(notes.post("DispenseValue", notes.sum(1500)), "Dispense operation initiated successfully.")
		for range 3 {
			coins.insert(100)
			time.Sleep(500 * time.Millisecond)
		}
		wg.Wait()
		if got := strings.Join(told[0], " "); strings.Count(got, "DISPENSED(1500)") != 1 || strings.Contains(got, "COIN") {
			t.Errorf("notes: %s", got)
		}
		if got := strings.Join(told[1], " "); strings.Count(got, "(100)") != 3 || strings.Contains(got, "DISPENS") {
			t.Errorf("coins: %s", got)
		}
		for _, r := range []*resident{notes, coins} {
			r.agrees()
		}
		if got := fmt.Sprint(coins.stored()[100]); got != "53" {
			t.Errorf("%s coins stored", got)
		}
	})
}

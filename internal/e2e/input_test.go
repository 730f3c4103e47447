package e2e

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TestBadInput: whatever comes in, there is the documented answer or a clear one, nothing changes, and nothing crashes.
func TestBadInput(t *testing.T) {
	c, rest := runDemo(t)
	c.ready()
	note := controlled(t, c.ends.Main, recyclerPort, 0)
	note.speed(0.05)
	rest.open(recyclerPort, 0, true)
	before := note.truth()
	dispense := at("DispenseValue", recyclerID)
	tests := []struct {
		name   string
		method string
		path   string
		body   string
		status int
		text   string // in the answer
	}{
		{"malformed JSON", "POST", dispense, `{"Value":`, 400, ""},
		{"wrong type", "POST", dispense, `{"Value":"five","CountryCode":"EUR"}`, 400, ""},
		{"array for an object", "POST", dispense, `[1500]`, 400, ""},
		{"no body", "POST", dispense, ``, 400, ""},
		{"zero", "POST", dispense, `{"Value":0,"CountryCode":"EUR"}`, 400, "INVALID_INPUT"},
		{"negative", "POST", dispense, `{"Value":-500,"CountryCode":"EUR"}`, 400, ""},
		{"fraction", "POST", dispense, `{"Value":500.5,"CountryCode":"EUR"}`, 400, ""},
		{"huge", "POST", dispense, `{"Value":99999999999999999999,"CountryCode":"EUR"}`, 400, ""},
		{"large", "POST", dispense, `{"Value":4000000000,"CountryCode":"EUR"}`, 400, ""},
		{"no currency", "POST", dispense, `{"Value":500}`, 400, "INVALID_INPUT"},
		{"foreign currency", "POST", dispense, `{"Value":500,"CountryCode":"USD"}`, 400, "INVALID_INPUT"},
		{"not exact", "POST", dispense, `{"Value":501,"CountryCode":"EUR"}`, 400, ""},
		{"more than there is", "POST", dispense, `{"Value":1000000,"CountryCode":"EUR"}`, 400, "NOT_ENOUGH_VALUE"},
		{"unknown device", "POST", at("DispenseValue", "SPECTRAL_PAYOUT-COM77"), `{"Value":500,"CountryCode":"EUR"}`, 404, "Cash device not found"},
		{"unknown device, status", "GET", at("GetDeviceStatus", "none"), ``, 404, "Cash device not found"},
		{"no device", "GET", "/api/CashDevice/GetDeviceStatus", ``, 400, "deviceID"},
		{"unknown denomination", "POST", at("SetDenominationInhibits", recyclerID), `{"ValueCountryCodes":["700 EUR"],"Inhibit":true}`, 400, "Failed to set denomination inhibits."},
		{"nothing held, accept", "POST", at("AcceptFromEscrow", recyclerID), ``, 400, "Error accepting note from escrow"},
		{"nothing held, return", "POST", at("ReturnFromEscrow", recyclerID), ``, 400, "Error returning note from escrow"},
		{"nothing to halt", "POST", at("HaltPayout", recyclerID), ``, 400, ""},
		{"float too short", "POST", at("Float", recyclerID), `[1]`, 400, ""},
		{"no such port", "POST", "/api/CashDevice/OpenConnection", `{"ComPort":"COM77","SspAddress":0}`, 400, ""},
		{"no such address", "POST", "/api/CashDevice/OpenConnection", `{"ComPort":"COM5","SspAddress":200}`, 400, ""},
		{"no such endpoint", "POST", "/api/CashDevice/PrintMoney", ``, 404, ""},
		{"wrong method", "DELETE", dispense, ``, 405, ""},
		{"wrong password", "POST", "/api/Users/Authenticate", `{"Username":"admin","Password":"x"}`, 400, "Username or password is incorrect"},
		{"deeply nested", "POST", dispense, strings.Repeat("[", 20_000), 400, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := rest.send(tt.method, tt.path, "application/json", strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if r.status != tt.status || !strings.Contains(r.text(), tt.text) || len(r.body) == 0 {
				t.Errorf("%d %q, want %d with %q", r.status, r.body, tt.status, tt.text)
			}
		})
	}
	t.Run("10 MB", func(t *testing.T) {
		r, err := rest.send("POST", dispense, "application/json", bytes.NewReader(make([]byte, 10<<20)))
		if err == nil && r.status != http.StatusRequestEntityTooLarge && r.status != http.StatusBadRequest {
			t.Errorf("%d %s", r.status, r.body) // a connection closed in the middle is an answer too
		}
	})
	t.Run("tokens", func(t *testing.T) { badTokens(t, c) })
	t.Run("payout while one runs", func(t *testing.T) { payoutTwice(t, rest) })

	note.speed(100)
	rest.follow(recyclerID, "transaction COMPLETED")
	after := c.settled(recyclerID, note)
	if worth(after.Dispensed) != 500 || worth(after.Inserted) != worth(before.Inserted) {
		t.Errorf("bad input moved money: dispensed %v", after.Dispensed)
	}
	if c.proc.ended() {
		t.Error("coffer ended")
	}
}

// payoutTwice asks for a second payout while the first runs.
func payoutTwice(t *testing.T, rest *client) {
	body := map[string]any{"Value": 500, "CountryCode": "EUR"}
	rest.must("POST", at("DispenseValue", recyclerID), body)
	r, err := rest.json("POST", at("DispenseValue", recyclerID), body)
	if err != nil || r.status != http.StatusBadRequest || !strings.Contains(r.text(), "BUSY") {
		t.Errorf("%d %s, %v; want 400 BUSY", r.status, r.body, err)
	}
}

// badTokens tries tokens that must not open anything.
func badTokens(t *testing.T, c *coffer) {
	secret, err := os.ReadFile(filepath.Join(c.data, "secrets", "jwt"))
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key []byte, method jwt.SigningMethod, change func(jwt.MapClaims)) string {
		now := time.Now()
		claims := jwt.MapClaims{
			"unique_name": "admin", "nbf": now.Unix(), "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
			"iss": "INNOVATIVETECHNOLOGY", "aud": "INNOVATIVETECHNOLOGY",
		}
		change(claims)
		s, err := jwt.NewWithClaims(method, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	hs := jwt.SigningMethodHS256
	tests := []struct {
		name, token string
		good        bool
	}{
		{"good", sign(secret, hs, func(jwt.MapClaims) {}), true},
		{"good without a name", sign(secret, hs, func(c jwt.MapClaims) { delete(c, "unique_name") }), true},
		{"none", "", false},
		{"garbage", "abc.def.ghi", false},
		{"expired", sign(secret, hs, func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Hour).Unix() }), false},
		{"not yet", sign(secret, hs, func(c jwt.MapClaims) { c["nbf"] = time.Now().Add(time.Hour).Unix() }), false},
		{"other secret", sign([]byte("0123456789abcdef0123456789abcdef"), hs, func(jwt.MapClaims) {}), false},
		{"other issuer", sign(secret, hs, func(c jwt.MapClaims) { c["iss"] = "ACME" }), false},
		{"other audience", sign(secret, hs, func(c jwt.MapClaims) { c["aud"] = "ACME" }), false},
		{"no expiry", sign(secret, hs, func(c jwt.MapClaims) { delete(c, "exp") }), false},
		{"unsigned", unsigned(t), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rest := &client{t: t, base: c.ends.CashDevice, token: tt.token}
			r, err := rest.json("GET", at("GetDeviceStatus", recyclerID), nil)
			if err != nil {
				t.Fatal(err)
			}
			if good := r.status == http.StatusOK; good != tt.good {
				t.Errorf("%d %s", r.status, r.body)
			}
			if !tt.good && (r.status != http.StatusUnauthorized || !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Bearer")) {
				t.Errorf("%d, WWW-Authenticate %q; want 401 Bearer", r.status, r.header.Get("WWW-Authenticate"))
			}
		})
	}
}

// unsigned is a token of the algorithm "none".
func unsigned(t *testing.T) string {
	s, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{
		"iss": "INNOVATIVETECHNOLOGY", "aud": "INNOVATIVETECHNOLOGY", "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

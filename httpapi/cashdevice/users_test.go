package cashdevice

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
)

// TestToken holds the token to the manual's sample of 28 January 2025: claims, their order, and seven days of life.
func TestToken(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.token = ""
		a := b.do("POST", "/api/Users/Authenticate", `{"Username":"admin","Password":"password"}`)
		var out map[string]string
		if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 || a.media != jsonText || len(out) != 1 {
			t.Fatalf("%d %s %s", a.status, a.media, a.body)
		}
		part := strings.Split(out["token"], ".")
		if len(part) != 3 || len(part[2]) != 43 {
			t.Fatalf("token %s", out["token"])
		}
		header, _ := base64.RawURLEncoding.DecodeString(part[0])
		claims, _ := base64.RawURLEncoding.DecodeString(part[1])
		if string(header) != `{"alg":"HS256","typ":"JWT"}` {
			t.Errorf("header %s", header)
		}
		want := `{"unique_name":"admin","nbf":1738055613,"exp":1738660413,"iat":1738055613,"iss":"INNOVATIVETECHNOLOGY","aud":"INNOVATIVETECHNOLOGY"}`
		if string(claims) != want {
			t.Errorf("claims %s", claims)
		}
		b.token = out["token"]
		b.open()
	})
}

func TestAuthenticateRefused(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.token = ""
		for _, body := range []string{
			`{"Username":"admin","Password":"wrong"}`, `{"Username":"root","Password":"password"}`, `{"Username":"admin"}`, `{}`, "",
			`{"Username":"Admin","Password":"password"}`,
		} {
			b.do("POST", "/api/Users/Authenticate", body).is(t, 400, jsonText, `{"message":"Username or password is incorrect"}`)
		}
		b.do("POST", "/api/Users/Authenticate", `{"Username":`).problem(t, "$")
	})
}

func TestEveryEndpointNeedsAToken(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		good := b.token
		for _, e := range append(append([]endpoint{}, users...), device...) {
			if e.needs == needNothing {
				continue
			}
			method := strings.Fields(e.methods)[0]
			for token, challenge := range map[string]string{
				"": "Bearer", "garbage": `Bearer error="invalid_token"`, good + "x": `Bearer error="invalid_token"`,
			} {
				b.token = token
				a := b.do(method, e.path+q, "")
				a.is(t, 401, jsonText, `{"message":"Unauthorized"}`)
				if got := a.header.Get("WWW-Authenticate"); got != challenge {
					t.Errorf("%s: challenge %q, want %q", e.path, got, challenge)
				}
			}
		}
	})
}

func TestUpdateCredentials(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		change := `{"CurrentUsername":"admin","CurrentPassword":"password","NewUsername":"till","NewPassword":"s3cret"}`
		b.do("POST", "/api/Users/UpdateCredentials", strings.Replace(change, `"password"`, `"wrong"`, 1)).text(t, 400, "Incorrect current username or password!")
		b.do("POST", "/api/Users/UpdateCredentials", strings.Replace(change, `"s3cret"`, `""`, 1)).problem(t, "NewUsername")
		b.do("POST", "/api/Users/UpdateCredentials", change).is(t, 200, jsonText, `{"message":"Credentials updated successfully!"}`)
		b.do("POST", "/api/Users/UpdateCredentials", change).text(t, 400, "Incorrect current username or password!")
		b.do("POST", "/api/Users/Authenticate", `{"Username":"admin","Password":"password"}`).is(t, 400, jsonText, `{"message":"Username or password is incorrect"}`)
		if a := b.do("POST", "/api/Users/Authenticate", `{"Username":"till","Password":"s3cret"}`); a.status != 200 {
			t.Errorf("the new pair: %d %s", a.status, a.body)
		}
		b.get("GetAllCashDevices").is(t, 200, jsonText, "[]") // the old token is good until it ends
	})
}

func TestGuessingIsSlowedDown(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		synctest.Wait()
		wrong := `{"Username":"admin","Password":"guess"}`
		for range 10 {
			b.do("POST", "/api/Users/Authenticate", wrong).is(t, 400, jsonText, `{"message":"Username or password is incorrect"}`)
		}
		a := b.do("POST", "/api/Users/Authenticate", `{"Username":"admin","Password":"password"}`)
		if a.status != 429 || a.header.Get("Retry-After") == "" {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

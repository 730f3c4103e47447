package httpapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"coffer/internal/cash"
)

const secret = "a secret of more than 16 bytes"

// sign makes a token by hand, so that verifying does not rest on our own issuing.
func sign(header, claims, key string) string {
	e := base64.RawURLEncoding
	text := e.EncodeToString([]byte(header)) + "." + e.EncodeToString([]byte(claims))
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return text + "." + e.EncodeToString(m.Sum(nil))
}

func TestVerify(t *testing.T) {
	issued := int64(1738055613)
	now := time.Unix(issued+100, 0)
	tokens, err := NewTokens([]byte(secret), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	const hs256 = `{"alg":"HS256","typ":"JWT"}`
	// The claims of a token that the manual prints.
	const sample = `{"unique_name":"admin","nbf":1738055613,"exp":1738660413,"iat":1738055613,"iss":"INNOVATIVETECHNOLOGY","aud":"INNOVATIVETECHNOLOGY"}`
	tests := []struct {
		name, token, user string
		ok                bool
	}{
		{"the manual's", sign(hs256, sample, secret), "admin", true},
		{"without a name, 24 h", sign(hs256, `{"nbf":1738055613,"exp":1738142013,"iat":1738055613,"iss":"INNOVATIVETECHNOLOGY","aud":"INNOVATIVETECHNOLOGY"}`, secret), "", true},
		{"expired", sign(hs256, strings.Replace(sample, "1738660413", "1738055700", 1), secret), "", false},
		{"in its last second", sign(hs256, strings.Replace(sample, "1738660413", "1738055714", 1), secret), "admin", true},
		{"just expired", sign(hs256, strings.Replace(sample, "1738660413", "1738055713", 1), secret), "", false},
		{"of a clock that is ahead", sign(hs256, strings.Replace(sample, `"nbf":1738055613`, `"nbf":1738055716`, 1), secret), "admin", true},
		{"not yet", sign(hs256, strings.Replace(sample, `"nbf":1738055613`, `"nbf":1738056000`, 1), secret), "", false},
		{"without an end", sign(hs256, strings.Replace(sample, `"exp":1738660413,`, "", 1), secret), "", false},
		{"other issuer", sign(hs256, strings.Replace(sample, `"iss":"INNOVATIVETECHNOLOGY"`, `"iss":"X"`, 1), secret), "", false},
		{"other audience", sign(hs256, strings.Replace(sample, `"aud":"INNOVATIVETECHNOLOGY"`, `"aud":"X"`, 1), secret), "", false},
		{"other key", sign(hs256, sample, "another secret of many bytes"), "", false},
		{"no algorithm", strings.TrimRight(sign(`{"alg":"none","typ":"JWT"}`, sample, secret), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"), "", false},
		{"other algorithm", sign(`{"alg":"HS384","typ":"JWT"}`, sample, secret), "", false},
		{"garbage", "a.b.c", "", false},
		{"empty", "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name, err := tokens.Verify(tt.token)
			if (err == nil) != tt.ok || name != tt.user || (err != nil && !errors.Is(err, cash.ErrUnauthorized)) {
				t.Errorf("%q, %v", name, err)
			}
		})
	}
	now = time.Unix(issued, 0)
	if got, _ := tokens.Issue("admin"); got != sign(hs256, sample, secret) {
		t.Errorf("issued %s", got)
	}
}

func TestSecretFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets", "jwt")
	first, err := OpenTokens(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	if len(text) < 43 || strings.ContainsAny(string(text), "\r\n ") {
		t.Errorf("secret %q", text)
	}
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	token, _ := first.Issue("till")
	again, err := OpenTokens(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if name, err := again.Verify(token); err != nil || name != "till" {
		t.Errorf("after a restart: %q, %v", name, err)
	}
	if _, err := NewTokens([]byte("short"), time.Now); err == nil {
		t.Error("a short secret was taken")
	}
}

func TestRequireBearer(t *testing.T) {
	tokens, _ := NewTokens([]byte(secret), time.Now)
	good, _ := tokens.Issue("till")
	h := RequireBearer(tokens, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { Text(w, 200, User(r.Context())) }))
	for _, tt := range []struct {
		header    string
		status    int
		challenge string
	}{
		{"Bearer " + good, 200, ""}, {"bearer  " + good + " ", 200, ""},
		{"", 401, "Bearer"}, {"Basic YTpi", 401, "Bearer"}, {"Bearer", 401, `Bearer error="invalid_token"`},
		{"Bearer x" + good, 401, `Bearer error="invalid_token"`},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", tt.header)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.status || w.Header().Get("WWW-Authenticate") != tt.challenge || w.Body.Len() == 0 {
			t.Errorf("%q: %d %v %q", tt.header, w.Code, w.Header(), w.Body)
		}
	}
}

// TestRotation: renaming the secret makes a new one; tokens of the old stay good until they expire, and no longer.
func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets", "jwt")
	now := time.Now()
	tokens, err := OpenTokens(path, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	old, _ := tokens.Issue("admin")
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	fresh, err := tokens.Issue("admin")
	if err != nil || fresh == old {
		t.Fatalf("issued %q, %v", fresh, err)
	}
	if after, _ := os.ReadFile(path); len(after) < 43 || string(after) == string(before) {
		t.Errorf("the secret is %q, and was %q", after, before)
	}
	again, err := OpenTokens(path, func() time.Time { return now }) // after a restart
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]*Tokens{"running": tokens, "restarted": again} {
		for kind, token := range map[string]string{"old": old, "new": fresh} {
			if user, err := v.Verify(token); user != "admin" || err != nil {
				t.Errorf("%s: the %s token: %q, %v", name, kind, user, err)
			}
		}
	}
	now = now.Add(tokenLife + time.Minute)
	if _, err := tokens.Verify(old); !errors.Is(err, cash.ErrUnauthorized) {
		t.Errorf("expired: %v", err)
	}
	forged := &Tokens{secret: before, now: func() time.Time { return now }}
	token, _ := forged.Issue("admin") // whoever has the old secret
	if _, err := tokens.Verify(token); !errors.Is(err, cash.ErrUnauthorized) {
		t.Errorf("signed with a secret that is over: %v", err)
	}
}

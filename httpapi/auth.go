package httpapi

import (
	"context"
	"net/http"
	"strings"
)

// RequireBearer lets requests with a good token through to next, which learns the name by User. Others get 401 with a
// WWW-Authenticate header and a short JSON body.
func RequireBearer(t *Tokens, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, ok := Authorize(t, w, r)
		if ok {
			next.ServeHTTP(w, r)
		}
	})
}

// Authorize is RequireBearer for a handler that decides itself which of its requests need a token: it returns the
// request with its user, or answers 401 and returns false.
func Authorize(t *Tokens, w http.ResponseWriter, r *http.Request) (*http.Request, bool) {
	token, sent := bearer(r)
	if token != "" {
		if name, err := t.Verify(token); err == nil {
			return r.WithContext(context.WithValue(r.Context(), keyUser, name)), true
		}
	}
	challenge := "Bearer"
	if sent {
		challenge = `Bearer error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = w.Write([]byte(`{"message":"Unauthorized"}`))
	return nil, false
}

// User returns the name in the token of the request that ctx belongs to, "" for none.
func User(ctx context.Context) string {
	name, _ := ctx.Value(keyUser).(string)
	return name
}

// bearer returns the token of the Authorization header, and whether the header named the Bearer scheme at all.
func bearer(r *http.Request) (token string, sent bool) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

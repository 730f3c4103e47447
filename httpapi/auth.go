package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"coffer/internal/cash"
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

// Gate lets people and programs in by name and password, the same way for every API of a listener.
type Gate struct {
	Users  *Users
	Logins *Throttle // shared by all listeners
	// AllowDefaults lets the default password in on listeners that are not loopback (demo).
	AllowDefaults bool
}

// WaitError says that a source has failed too often and when it may try again.
type WaitError struct{ After time.Duration }

func (e *WaitError) Error() string {
	return fmt.Sprintf("too many failed logins, try again in %d s", e.Seconds())
}

// Seconds is After in whole seconds, at least 1, for a Retry-After header.
func (e *WaitError) Seconds() int { return max(1, int((e.After+time.Second-1)/time.Second)) }

// Login checks name and password for r. Errors: cash.ErrUnauthorized for wrong ones, and for the default ones on a
// listener that others can reach; *WaitError while the source is throttled; else the users file could not be read.
// A pair that was accepted in the last minutes is let in even then, so that a guesser on the same host locks nobody out.
func (g *Gate) Login(r *http.Request, name, password string) error {
	if IsDefault(name, password) && !g.AllowDefaults && !OnLoopback(r) {
		return fmt.Errorf("%w: the default password is good on this machine only; change it with: coffer user set", cash.ErrUnauthorized)
	}
	if g.Users.Remembered(name, password) {
		return nil
	}
	done, err := g.Logins.Turn(r.Context())
	if err != nil {
		return err
	}
	defer done()
	if g.Users.Remembered(name, password) { // the one before was the same
		return nil
	}
	from := Source(r)
	if wait := g.Logins.Wait(from); wait > 0 {
		return &WaitError{wait}
	}
	ok, err := g.Users.Check(r.Context(), name, password)
	switch {
	case err != nil:
		return err
	case !ok:
		g.Logins.Failed(from)
		return cash.ErrUnauthorized
	}
	g.Logins.Succeeded(from)
	return nil
}

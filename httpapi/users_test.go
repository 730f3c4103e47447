package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/cash"
)

func openUsers(t *testing.T, path string) *Users {
	t.Helper()
	u, err := OpenUsers(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (u *Users) has(t *testing.T, name, password string) bool {
	t.Helper()
	ok, err := u.Check(t.Context(), name, password)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestUsers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "users.yaml")
	u := openUsers(t, path)
	if !u.has(t, "admin", "password") || u.has(t, "admin", "x") || u.has(t, "", "") || u.has(t, "nobody", "password") {
		t.Error("a fresh installation has admin/password and nothing else")
	}
	if err := u.UpdateCredentials(t.Context(), "admin", "wrong", "till", "s3cret"); !errors.Is(err, cash.ErrUnauthorized) {
		t.Errorf("wrong password: %v", err)
	}
	if err := u.UpdateCredentials(t.Context(), "admin", "password", "till", ""); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("empty password: %v", err)
	}
	if err := u.UpdateCredentials(t.Context(), "admin", "password", "till", "s3cret"); err != nil {
		t.Fatal(err)
	}
	again := openUsers(t, path) // survives a restart
	if again.has(t, "admin", "password") || !again.has(t, "till", "s3cret") || u.has(t, "admin", "password") {
		t.Error("the new pair must be the only one")
	}
	if err := again.Set("café", "pässwörd"); err != nil {
		t.Fatal(err)
	}
	if !u.has(t, "café", "pässwörd") {
		t.Error("what another process has set is not seen")
	}
	if names, err := u.List(); err != nil || !reflect.DeepEqual(names, []string{"café", "till"}) {
		t.Errorf("names %v, %v", names, err)
	}
	if err := u.UpdateCredentials(t.Context(), "till", "s3cret", "café", "x"); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("a name that is taken: %v", err)
	}
	if err := u.Remove("café"); err != nil {
		t.Fatal(err)
	}
	if err := u.Remove("café"); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("removed twice: %v", err)
	}
	if err := u.Remove("till"); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("the last user: %v", err)
	}
}

func TestUsersFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.yaml")
	u := openUsers(t, path)
	if err := u.Set("till", "s3cret"); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	if strings.Contains(string(text), "s3cret") || !strings.Contains(string(text), "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("file\n%s", text)
	}
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	for _, broken := range []string{"nonsense", "version: 2\nusers: []\n", "version: 1\nusers: []\n", "version: 1\nuser: x\n"} {
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenUsers(path, time.Now); err == nil {
			t.Errorf("%q was read", broken)
		}
	}
	if _, err := u.Check(t.Context(), "till", "s3cret"); err == nil {
		t.Error("a file that became unreadable lets nobody in, and says so")
	}
}

// TestAnotherProcessTakesAUserAway has `coffer user` change the file beside a server that remembers the password.
func TestAnotherProcessTakesAUserAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.yaml")
	server, other := openUsers(t, path), openUsers(t, path)
	for _, name := range []string{"ann", "bob"} {
		if err := other.Set(name, "secret of "+name); err != nil {
			t.Fatal(err)
		}
	}
	gate := &Gate{Users: server, Logins: NewThrottle(time.Now)}
	r := httptest.NewRequest("POST", "/", nil)
	if err := gate.Login(r, "bob", "secret of bob"); err != nil {
		t.Fatalf("before: %v", err)
	}
	if err := other.Remove("bob"); err != nil {
		t.Fatal(err)
	}
	if err := gate.Login(r, "bob", "secret of bob"); !errors.Is(err, cash.ErrUnauthorized) {
		t.Errorf("a removed user is let in: %v", err)
	}
}

func TestStrangeHashesMatchNothing(t *testing.T) {
	for _, h := range []string{
		"", "$", "plain", "$2b$12$abc", "$argon2id$v=19$m=19456,t=2,p=1$!!$!!", "$argon2id$v=18$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
		"$argon2id$v=19$m=99999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=19$m=8,t=0,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
	} {
		if verify(h, "x") || verify(h, "") {
			t.Errorf("%q matches", h)
		}
	}
}

func TestCheckGivesUpWithItsContext(t *testing.T) {
	u := openUsers(t, filepath.Join(t.TempDir(), "users.yaml"))
	u.hash <- struct{}{}
	defer func() { <-u.hash }()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := u.Check(ctx, "admin", "password"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := NewThrottle(time.Now)
		fail := func(n int) {
			for range n {
				th.Failed("10.0.0.1")
			}
		}
		fail(9)
		if w := th.Wait("10.0.0.1"); w != 0 {
			t.Errorf("after 9 failures: wait %v", w)
		}
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			fail(1)
			if w := th.Wait("10.0.0.1"); w != want*time.Second {
				t.Errorf("after %d failures: wait %v, want %v", 10+i, w, want*time.Second)
			}
		}
		if w := th.Wait("10.0.0.2"); w != 0 {
			t.Errorf("another source waits %v", w)
		}
		time.Sleep(31 * time.Second)
		if w := th.Wait("10.0.0.1"); w != 0 {
			t.Errorf("after the wait: %v", w)
		}
		time.Sleep(forgetAfter)
		fail(1)
		if w := th.Wait("10.0.0.1"); w != 0 {
			t.Errorf("after five quiet minutes: wait %v", w)
		}
		fail(20)
		th.Succeeded("10.0.0.1")
		if w := th.Wait("10.0.0.1"); w != 0 {
			t.Errorf("after a good login: %v", w)
		}
	})
}

// Guesses that are sent at once count as if they had come one after the other.
func TestGuessesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{Users: openUsers(t, filepath.Join(t.TempDir(), "users.yaml")), Logins: NewThrottle(time.Now)}
		const sent = 3 * freeFailures
		answers := make(chan error, sent)
		for range sent {
			go func() { answers <- g.Login(httptest.NewRequest("POST", "/", nil), "admin", "guess") }()
		}
		waits := 0
		for range sent {
			if wait := new(WaitError); errors.As(<-answers, &wait) {
				waits++
			}
		}
		if waits != sent-freeFailures {
			t.Errorf("%d of %d guesses had to wait, want %d", waits, sent, sent-freeFailures)
		}
	})
}

// TestGate is in a bubble, where the clock stands while a password is hashed, however long that takes.
func TestGate(t *testing.T) { synctest.Test(t, gate) }

func gate(t *testing.T) {
	g := &Gate{Users: openUsers(t, filepath.Join(t.TempDir(), "users.yaml")), Logins: NewThrottle(time.Now)}
	local := httptest.NewRequest("POST", "/", nil)
	remote := local.WithContext(context.WithValue(local.Context(), keyLoopback, false))
	if err := g.Login(local, "admin", "password"); err != nil {
		t.Errorf("default password on this machine: %v", err)
	}
	if err := g.Login(remote, "admin", "password"); !errors.Is(err, cash.ErrUnauthorized) {
		t.Errorf("default password from outside: %v", err)
	}
	g.AllowDefaults = true
	if err := g.Login(remote, "admin", "password"); err != nil {
		t.Errorf("default password in demo: %v", err)
	}
	for range freeFailures {
		if err := g.Login(local, "admin", "guess"); !errors.Is(err, cash.ErrUnauthorized) {
			t.Errorf("a guess: %v", err)
		}
	}
	wait := new(WaitError)
	if err := g.Login(local, "admin", "another"); !errors.As(err, &wait) || wait.Seconds() != 1 {
		t.Errorf("the next guess: %v", err)
	}
	if err := g.Login(local, "admin", "password"); err != nil {
		t.Errorf("a pair that was good a moment ago: %v", err)
	}
}

// TestFirstUser: another pair may be the one of a fresh installation, and it is a default like the other.
func TestFirstUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nv9coin-users.yaml")
	u, err := OpenUsersWith(path, NV9CoinUser, NV9CoinPassword, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if !u.has(t, "kittens", "aresolovely") || u.has(t, "admin", "password") || !IsDefault("kittens", "aresolovely") {
		t.Error("kittens has aresolovely, which is a default, and nobody else has anything")
	}
	if err := u.Set("till", "s3cret"); err != nil {
		t.Fatal(err)
	}
	if !u.has(t, "kittens", "aresolovely") || !u.has(t, "till", "s3cret") {
		t.Error("adding a user takes nobody away")
	}
	if err := u.Remove("kittens"); err != nil || u.has(t, "kittens", "aresolovely") {
		t.Errorf("removed: %v", err)
	}
}

// Of several who replace the same credentials at the same time one does; the others' are wrong by then.
func TestCredentialsAreReplacedOnce(t *testing.T) {
	u, err := OpenUsers(filepath.Join(t.TempDir(), "users.yaml"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	errs := make([]error, 4)
	for n := range errs {
		all.Go(func() {
			errs[n] = u.UpdateCredentials(t.Context(), DefaultUser, DefaultPassword, fmt.Sprint("user", n), "new")
		})
	}
	all.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if !errors.Is(err, cash.ErrUnauthorized) {
			t.Error(err)
		}
	}
	if names, err := u.List(); done != 1 || len(names) != 1 || err != nil {
		t.Errorf("%d were done; users %v, %v", done, names, err)
	}
}

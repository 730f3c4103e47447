package httpapi

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
	"golang.org/x/crypto/argon2"

	"coffer/internal/cash"
)

// The credentials of a fresh installation, of most APIs and of the NV9 and coin API. They are good on loopback listeners
// only, and in demo.
const (
	DefaultUser     = "admin"
	DefaultPassword = "password"

	NV9CoinUser     = "kittens"
	NV9CoinPassword = "aresolovely"
)

// Argon2id cost: 19 MiB, two passes, one lane, 32 bytes (about 40 ms on a till PC).
const (
	argonMemory = 19 * 1024
	argonTime   = 2
	argonLanes  = 1
	argonKey    = 32
	argonSalt   = 16
)

// rememberFor is how long an accepted password is recognised without hashing it again.
const rememberFor = 5 * time.Minute

// Users are the people and programs that may log in, kept in a file of hashes with mode 0600. While the file does not
// exist there is one user, by default DefaultUser with DefaultPassword. Safe for use from any goroutine; a file that another
// process has changed is read again.
type Users struct {
	path  string
	first pair // who may log in while there is no file
	now   func() time.Time
	hash  chan struct{} // one password is hashed at a time, so that logins cannot exhaust memory

	mu    sync.Mutex
	stamp time.Time // modification time of what was read, zero for no file
	size  int64
	users []user
	known map[[sha256.Size]byte]time.Time // accepted passwords, by HMAC under key, and until when
	key   [32]byte
}

// pair is a name and its password.
type pair struct{ name, password string }

type user struct {
	Name string `yaml:"name"`
	Hash string `yaml:"hash"`
}

type usersFile struct {
	Version int    `yaml:"version"`
	Users   []user `yaml:"users"`
}

// OpenUsers reads the users in the file path, which need not exist. It returns an error for a file that cannot be read
// or is not understood.
func OpenUsers(path string, now func() time.Time) (*Users, error) {
	return OpenUsersWith(path, DefaultUser, DefaultPassword, now)
}

// OpenUsersWith is OpenUsers with another user who may log in while there is no file.
func OpenUsersWith(path, name, password string, now func() time.Time) (*Users, error) {
	u := &Users{path: path, first: pair{name, password}, now: now, hash: make(chan struct{}, 1), known: map[[sha256.Size]byte]time.Time{}}
	_, _ = rand.Read(u.key[:])
	u.mu.Lock()
	defer u.mu.Unlock()
	return u, u.refresh()
}

// Check says whether name has password. It takes the same time for unknown names. It returns an error only if the file
// cannot be read or ctx ends first.
func (u *Users) Check(ctx context.Context, name, password string) (bool, error) {
	u.mu.Lock()
	if err := u.refresh(); err != nil {
		u.mu.Unlock()
		return false, err
	}
	hash := u.find(name)
	tag := u.tag(name, password, hash)
	until, seen := u.known[tag]
	u.mu.Unlock()
	if seen && u.now().Before(until) {
		return true, nil
	}
	select {
	case u.hash <- struct{}{}:
		defer func() { <-u.hash }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	ok := verify(hash, password)
	if ok {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.remember(tag)
	}
	return ok, nil
}

// Remembered says, without hashing, whether name logged in with password in the last minutes and the file is still as
// it was then.
func (u *Users) Remembered(name, password string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.refresh() != nil {
		return false
	}
	until, seen := u.known[u.tag(name, password, u.find(name))]
	return seen && u.now().Before(until)
}

// Set gives name a password, adding the user where there is none. cash.ErrInvalid for an empty name or password.
func (u *Users) Set(name, password string) error {
	return u.change(func(users []user) ([]user, error) { return with(users, name, password) })
}

// Remove takes the user away. cash.ErrInvalid if there is no such user or it is the last one.
func (u *Users) Remove(name string) error {
	return u.change(func(users []user) ([]user, error) {
		i := slices.IndexFunc(users, func(x user) bool { return x.Name == name })
		switch {
		case i < 0:
			return nil, fmt.Errorf("%w: no user %q; `coffer user list` lists them", cash.ErrInvalid, name)
		case len(users) == 1:
			return nil, fmt.Errorf("%w: %q is the only user; add another first", cash.ErrInvalid, name)
		}
		return slices.Delete(users, i, i+1), nil
	})
}

// List returns the names in order.
func (u *Users) List() ([]string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.refresh(); err != nil {
		return nil, err
	}
	var names []string
	for _, x := range u.current() {
		names = append(names, x.Name)
	}
	slices.Sort(names)
	return names, nil
}

// UpdateCredentials replaces name and its password by newName and newPassword. cash.ErrUnauthorized if name does not
// have password; cash.ErrInvalid for empty new values or a newName that another user has.
func (u *Users) UpdateCredentials(ctx context.Context, name, password, newName, newPassword string) error {
	checked, err := u.hashOf(name)
	if err != nil {
		return err
	}
	ok, err := u.Check(ctx, name, password)
	switch {
	case err != nil:
		return err
	case !ok:
		return cash.ErrUnauthorized
	}
	return u.change(func(users []user) ([]user, error) {
		if !slices.Contains(users, user{name, checked}) { // somebody was faster
			return nil, cash.ErrUnauthorized
		}
		taken := func(x user) bool { return x.Name == newName }
		if newName != name && slices.ContainsFunc(users, taken) {
			return nil, fmt.Errorf("%w: user %q exists", cash.ErrInvalid, newName)
		}
		users = slices.DeleteFunc(users, func(x user) bool { return x.Name == name })
		return with(users, newName, newPassword)
	})
}

// hashOf returns what name's password is checked against.
func (u *Users) hashOf(name string) (string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.refresh(); err != nil {
		return "", err
	}
	return u.find(name), nil
}

// IsDefault says whether these are the credentials of a fresh installation.
func IsDefault(name, password string) bool {
	return name == DefaultUser && password == DefaultPassword || name == NV9CoinUser && password == NV9CoinPassword
}

// with returns users with name's password set.
func with(users []user, name, password string) ([]user, error) {
	if strings.TrimSpace(name) == "" || password == "" {
		return nil, fmt.Errorf("%w: a user needs a name and a password", cash.ErrInvalid)
	}
	next := user{name, hashPassword(password)}
	for i := range users {
		if users[i].Name == name {
			users[i] = next
			return users, nil
		}
	}
	return append(users, next), nil
}

// change writes what edit makes of the users.
func (u *Users) change(edit func([]user) ([]user, error)) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.refresh(); err != nil {
		return err
	}
	next, err := edit(slices.Clone(u.current()))
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(usersFile{Version: 1, Users: next})
	if err != nil {
		return err
	}
	if err := writeFile(u.path, text); err != nil {
		return fmt.Errorf("users: %w", err)
	}
	u.stamp = time.Time{} // the clock of the file system is coarse: what was written is read, also where it looks as before
	return u.refresh()
}

// current returns the users in force: the file's, or the default one. The caller holds mu.
func (u *Users) current() []user {
	if len(u.users) > 0 {
		return u.users
	}
	return []user{{u.first.name, u.first.hash()}}
}

// find returns the hash of name, or one that nothing matches. The caller holds mu.
func (u *Users) find(name string) string {
	for _, x := range u.current() {
		if subtle.ConstantTimeCompare([]byte(x.Name), []byte(name)) == 1 {
			return x.Hash
		}
	}
	return nobodysHash()
}

// refresh reads the file where it has changed. The caller holds mu.
func (u *Users) refresh() error {
	info, err := os.Stat(u.path)
	if errors.Is(err, fs.ErrNotExist) {
		u.users, u.stamp, u.size = nil, time.Time{}, 0
		return nil
	}
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	if info.ModTime().Equal(u.stamp) && info.Size() == u.size && u.users != nil {
		return nil
	}
	text, err := os.ReadFile(u.path)
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	var f usersFile
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		return fmt.Errorf("users: %s: %w", u.path, err)
	}
	if f.Version != 1 || len(f.Users) == 0 {
		return fmt.Errorf("users: %s: version 1 and at least one user are expected", u.path)
	}
	u.users, u.stamp, u.size = f.Users, info.ModTime(), info.Size()
	clear(u.known)
	return nil
}

// tag identifies an accepted pair in memory without keeping the password. The caller holds mu.
func (u *Users) tag(name, password, hash string) (t [sha256.Size]byte) {
	m := hmac.New(sha256.New, u.key[:])
	fmt.Fprintf(m, "%d:%s%d:%s%s", len(name), name, len(password), password, hash)
	return [sha256.Size]byte(m.Sum(nil))
}

// remember keeps an accepted pair for a while. The caller holds mu.
func (u *Users) remember(tag [sha256.Size]byte) {
	now := u.now()
	for t, until := range u.known {
		if now.After(until) {
			delete(u.known, t)
		}
	}
	u.known[tag] = now.Add(rememberFor)
}

// firstHashes are the hashes of passwords of fresh installations, by password, made when they are needed.
var firstHashes sync.Map

// hash is the hash of the pair's password.
func (p pair) hash() string {
	once, _ := firstHashes.LoadOrStore(p.password, sync.OnceValue(func() string { return hashPassword(p.password) }))
	return once.(func() string)()
}

var (
	nobodysHash = sync.OnceValue(func() string {
		b := make([]byte, argonKey)
		_, _ = rand.Read(b)
		return encodeHash(b[:argonSalt], b, argonMemory, argonTime, argonLanes)
	})
)

// hashPassword returns the PHC text of a password ("$argon2id$v=19$m=19456,t=2,p=1$salt$key").
func hashPassword(password string) string {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt)
	key := argon2Key(password, salt, argonTime, argonMemory, argonLanes, argonKey)
	return encodeHash(salt, key, argonMemory, argonTime, argonLanes)
}

// argon2Key hashes, and gives the memory back that it took: more than all the rest of the program, and logins are rare.
func argon2Key(password string, salt []byte, passes, memory uint32, lanes uint8, size uint32) []byte {
	defer debug.FreeOSMemory()
	return argon2.IDKey([]byte(password), salt, passes, memory, lanes, size)
}

func encodeHash(salt, key []byte, memory, passes uint32, lanes uint8) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, lanes, b.EncodeToString(salt), b.EncodeToString(key))
}

// verify says whether password belongs to hash, at the cost that the hash names. A hash of another form is no match.
func verify(hash, password string) bool {
	part := strings.Split(hash, "$")
	if len(part) != 6 || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return false
	}
	var memory, passes uint32
	var lanes uint8
	if _, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil || memory > 1<<20 || passes == 0 || passes > 64 || lanes == 0 {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(part[4])
	key, err2 := base64.RawStdEncoding.DecodeString(part[5])
	if err1 != nil || err2 != nil || len(key) < 16 {
		return false
	}
	got := argon2Key(password, salt, passes, memory, lanes, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1
}

// writeFile replaces path by text with mode 0600: written beside it, flushed, renamed.
func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already where the rename worked
	_, err = f.Write(text)
	if err == nil {
		err = giveTo(f, path)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

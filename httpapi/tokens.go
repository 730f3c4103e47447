package httpapi

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"coffer/internal/cash"
)

// What the tokens of the Cash Device REST API say (specs: "Token anatomy").
const (
	tokenParty = "INNOVATIVETECHNOLOGY" // issuer and audience
	tokenLife  = 7 * 24 * time.Hour
	// earlyBy is how far the clock of whoever has signed a token may be ahead of ours. The end of a token is to the second.
	earlyBy = 5 * time.Second
)

// Tokens issues and verifies the Bearer tokens of the REST APIs: JWT, HS256, good for seven days, stateless. Safe for use
// from any goroutine.
//
// The secret is changed by renaming its file to the same name with ".old": a new one is made at the next use, and tokens
// that the old one has signed stay good until they expire.
type Tokens struct {
	path   string // "" for a secret that is in memory alone
	now    func() time.Time
	parser *jwt.Parser

	mu     sync.Mutex
	secret []byte
	old    []byte // the secret before, while tokens of it may be good; nil for none
	stamp  stamp  // of the file that secret was read from
}

// stamp tells whether a file is the one that was read.
type stamp struct {
	made time.Time // modification time
	size int64
}

// claims in the order in which they are written.
type claims struct {
	Name     string `json:"unique_name,omitempty"`
	From     int64  `json:"nbf"`
	Until    int64  `json:"exp"`
	Issued   int64  `json:"iat"`
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
}

func date(s int64) (*jwt.NumericDate, error) {
	if s == 0 {
		return nil, nil
	}
	return jwt.NewNumericDate(time.Unix(s, 0)), nil
}

func (c claims) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.Until) }
func (c claims) GetIssuedAt() (*jwt.NumericDate, error)       { return date(c.Issued) }
func (c claims) GetNotBefore() (*jwt.NumericDate, error)      { return date(c.From) }
func (c claims) GetIssuer() (string, error)                   { return c.Issuer, nil }
func (c claims) GetSubject() (string, error)                  { return c.Name, nil }
func (c claims) GetAudience() (jwt.ClaimStrings, error)       { return jwt.ClaimStrings{c.Audience}, nil }

// OpenTokens reads the secret in the file path, UTF-8 text whose bytes are the key, and makes one of 256 random bits
// with mode 0600 where there is none. It returns an error for a secret under 16 bytes.
func OpenTokens(path string, now func() time.Time) (*Tokens, error) {
	t := newTokens(now)
	t.path = path
	t.mu.Lock()
	defer t.mu.Unlock()
	return t, t.refresh()
}

// NewTokens is OpenTokens with the secret given.
func NewTokens(secret []byte, now func() time.Time) (*Tokens, error) {
	if err := longEnough(secret); err != nil {
		return nil, err
	}
	t := newTokens(now)
	t.secret = secret
	return t, nil
}

func newTokens(now func() time.Time) *Tokens {
	return &Tokens{now: now, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(tokenParty), jwt.WithAudience(tokenParty),
		jwt.WithExpirationRequired(), jwt.WithLeeway(earlyBy), jwt.WithTimeFunc(now))}
}

func longEnough(secret []byte) error {
	if len(secret) < 16 {
		return fmt.Errorf("%w: a token secret needs at least 16 bytes", cash.ErrInvalid)
	}
	return nil
}

// refresh reads the file where it is another than before, and makes one where there is none. The caller holds mu.
func (t *Tokens) refresh() error {
	if t.path == "" {
		return nil
	}
	info, err := os.Stat(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		var b [32]byte
		_, _ = rand.Read(b[:])
		if err = writeFile(t.path, []byte(base64.RawURLEncoding.EncodeToString(b[:]))); err == nil {
			info, err = os.Stat(t.path)
		}
	}
	if err != nil {
		return fmt.Errorf("token secret: %w", err)
	}
	is := stamp{info.ModTime(), info.Size()}
	if is == t.stamp && t.secret != nil {
		return nil
	}
	secret, err := os.ReadFile(t.path)
	if err == nil {
		err = longEnough(secret)
	}
	if err != nil {
		return fmt.Errorf("token secret: %w", err)
	}
	old, err := os.ReadFile(t.path + ".old")
	if err != nil || longEnough(old) != nil {
		old = nil
	}
	t.secret, t.old, t.stamp = secret, old, is
	return nil
}

// secrets returns the keys that tokens may be signed with now, the one in force first. A file that cannot be read leaves
// those that were read before.
func (t *Tokens) secrets() [][]byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.refresh()
	keys := [][]byte{t.secret}
	if t.old != nil && t.now().Before(t.stamp.made.Add(tokenLife)) { // later, whatever it has signed is over
		keys = append(keys, t.old)
	}
	return keys
}

// Issue returns a token for the user name, good from now on.
func (t *Tokens) Issue(name string) (string, error) {
	now := t.now().Unix()
	c := claims{name, now, now + int64(tokenLife/time.Second), now, tokenParty, tokenParty}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(t.secrets()[0])
}

// Verify returns the user name that a token was issued for, "" where it names none. Every fault of the token is
// cash.ErrUnauthorized.
func (t *Tokens) Verify(token string) (name string, err error) {
	var c claims
	for _, key := range t.secrets() {
		c = claims{}
		_, err = t.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return key, nil })
		if err == nil && t.now().Unix() >= c.Until {
			err = jwt.ErrTokenExpired
		}
		if err == nil {
			return c.Name, nil
		}
	}
	return "", fmt.Errorf("%w: %v", cash.ErrUnauthorized, err)
}

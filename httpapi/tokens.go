package httpapi

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"coffer/internal/cash"
)

// What the tokens of the Cash Device REST API say (specs: "Token anatomy").
const (
	tokenParty  = "INNOVATIVETECHNOLOGY" // issuer and audience
	tokenLife   = 7 * 24 * time.Hour
	tokenLeeway = 5 * time.Second
)

// Tokens issues and verifies the Bearer tokens of the REST APIs: JWT, HS256, good for seven days, stateless.
type Tokens struct {
	secret []byte
	now    func() time.Time
	parser *jwt.Parser
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
	secret, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		var b [32]byte
		_, _ = rand.Read(b[:])
		secret = []byte(base64.RawURLEncoding.EncodeToString(b[:]))
		err = writeFile(path, secret)
	}
	if err != nil {
		return nil, fmt.Errorf("token secret: %w", err)
	}
	return NewTokens(secret, now)
}

// NewTokens is OpenTokens with the secret given.
func NewTokens(secret []byte, now func() time.Time) (*Tokens, error) {
	if len(secret) < 16 {
		return nil, fmt.Errorf("%w: a token secret needs at least 16 bytes", cash.ErrInvalid)
	}
	return &Tokens{secret: secret, now: now, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(tokenParty), jwt.WithAudience(tokenParty),
		jwt.WithExpirationRequired(), jwt.WithLeeway(tokenLeeway), jwt.WithTimeFunc(now))}, nil
}

// Issue returns a token for the user name, good from now on.
func (t *Tokens) Issue(name string) (string, error) {
	now := t.now().Unix()
	c := claims{name, now, now + int64(tokenLife/time.Second), now, tokenParty, tokenParty}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(t.secret)
}

// Verify returns the user name that a token was issued for, "" where it names none. Every fault of the token is
// cash.ErrUnauthorized.
func (t *Tokens) Verify(token string) (name string, err error) {
	var c claims
	if _, err := t.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return t.secret, nil }); err != nil {
		return "", fmt.Errorf("%w: %v", cash.ErrUnauthorized, err)
	}
	return c.Name, nil
}

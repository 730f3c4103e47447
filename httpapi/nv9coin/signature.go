package nv9coin

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"time"
)

// signatureOf returns what a Dispense must be signed with: SHA-256 over the timestamp, as yyyyMMddHHmmss in UTC, and the
// hexadecimal MD5 of the dispensing password, itself in lower-case hexadecimal. The paper leaves open in which case the
// MD5 is written; upper asks for the other one.
func signatureOf(at time.Time, password string, upper bool) string {
	sum := md5.Sum([]byte(password))
	inner := hex.EncodeToString(sum[:])
	if upper {
		inner = strings.ToUpper(inner)
	}
	out := sha256.Sum256([]byte(at.UTC().Format("20060102150405") + inner))
	return hex.EncodeToString(out[:])
}

// checkSignature compares the signature of a Dispense in constant time, without regard to letter case.
func (a *api) checkSignature(in map[string]any, at time.Time) error {
	text, isText := in["signature"].(string)
	switch text = strings.ToLower(strings.TrimSpace(text)); {
	case in["signature"] == nil || isText && text == "":
		return errNoSignature
	case !isText:
		return errSignature
	}
	good := subtle.ConstantTimeCompare([]byte(text), []byte(signatureOf(at, a.Password, false)))
	if a.UpperMD5 {
		good |= subtle.ConstantTimeCompare([]byte(text), []byte(signatureOf(at, a.Password, true)))
	}
	if good != 1 {
		return errSignature
	}
	return nil
}

// Sign returns the signature of a Dispense at this time, as a client makes it.
func Sign(at time.Time, password string) string { return signatureOf(at, password, false) }

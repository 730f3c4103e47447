package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"coffer/internal/cash"
)

// Genesis stands for the hash of the row before the first: SHA-256 of the text "coffer ledger 1".
const Genesis = "091ad283f200a45c1b80d79be2eb989eb1165f8856c1346d2255c5310ef620f3"

// timeLayout is how times are stored, hashed and exported: RFC 3339, UTC, always six decimals.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// hashRow returns the hash of a row: SHA-256, in lower-case hex, over the texts
//
//	hash of the row before, seq, at, device, op, kind, value, currency, count, from, to, detail
//
// in this order, each as a netstring (length in bytes in decimal, ":", the bytes, ","), numbers in decimal, at as it is
// exported. A row without detail has the empty text. Anybody can so recompute the chain from an export.
func hashRow(before string, seq int64, at string, l cash.Line) string {
	b := make([]byte, 0, 320)
	for _, s := range [...]string{
		before, strconv.FormatInt(seq, 10), at, string(l.Device), l.Op, string(l.Kind), strconv.FormatInt(l.Value, 10),
		string(l.Currency), strconv.Itoa(l.Count), string(l.From), string(l.To), l.Detail,
	} {
		b = strconv.AppendInt(b, int64(len(s)), 10)
		b = append(b, ':')
		b = append(b, s...)
		b = append(b, ',')
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// stamp brings a time to the precision that is stored.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// formatTime returns the stored form of t, "" for the zero time.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeLayout)
}

// parseTime reads what formatTime made.
func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, s)
}

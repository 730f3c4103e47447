package nv9coin

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"coffer/internal/cash"
)

// members reads the members of a JSON object, names in lower case. A body that is no object has none: every argument is
// then missing.
func members(body []byte) map[string]any {
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF"))))
	dec.UseNumber()
	var in map[string]any
	if dec.Decode(&in) != nil {
		return nil
	}
	out := make(map[string]any, len(in))
	for name, v := range in {
		if v != nil { // null is as good as absent
			out[strings.ToLower(name)] = v
		}
	}
	return out
}

// amountOf reads amount and currency. known are the currencies of the coin machine's dataset, empty while it is not
// known.
func amountOf(in map[string]any, known []cash.Currency) (cash.Amount, error) {
	value, err := minor(in["amount"])
	if err != nil {
		return cash.Amount{}, err
	}
	name, isText := in["currency"].(string)
	switch {
	case in["currency"] == nil || isText && strings.TrimSpace(name) == "":
		return cash.Amount{}, errNoCurrency
	case !isText:
		return cash.Amount{}, errCurrency
	}
	cur := cash.Currency(strings.ToUpper(strings.TrimSpace(name)))
	if !cur.Valid() {
		return cash.Amount{}, errCurrency
	}
	for _, k := range known {
		if k == cur {
			return cash.Amount{Value: value, Currency: cur}, nil
		}
	}
	if len(known) > 0 {
		return cash.Amount{}, errCurrency
	}
	return cash.Amount{Value: value, Currency: cur}, nil
}

// maxDigits bounds the digits of an amount, and the size of its exponent.
const maxDigits = 30

// minor reads an amount in major units, a JSON number or the same as text, as exact minor units above zero.
func minor(v any) (int64, error) {
	var text string
	switch v := v.(type) {
	case nil:
		return 0, errNoAmount
	case json.Number:
		text = v.String()
	case string:
		if text = strings.TrimSpace(v); text == "" {
			return 0, errNoAmount
		}
	default:
		return 0, errAmount
	}
	n, ok := hundredths(text)
	if !ok || n < 1 {
		return 0, errAmount
	}
	return n, nil
}

// hundredths reads a decimal number, as JSON writes it, as hundredths: "5.81" is 581. It returns false for anything that
// is no whole number of hundredths, is below zero, or does not fit.
func hundredths(text string) (int64, bool) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	shift := 2
	if mantissa != strings.ToLower(text) {
		e, err := strconv.Atoi(exponent)
		if err != nil || e > maxDigits || e < -maxDigits {
			return 0, false
		}
		shift += e
	}
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(mantissa, "+"), ".")
	digits := whole + fraction
	shift -= len(fraction)
	if digits == "" || len(digits) > 2*maxDigits || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	for ; shift > 0; shift-- {
		digits += "0"
	}
	for ; shift < 0; shift++ {
		if strings.HasSuffix(digits, "0") {
			digits = digits[:len(digits)-1]
		} else if digits != "" {
			return 0, false
		}
	}
	n, err := strconv.ParseInt("0"+digits, 10, 64)
	return n, err == nil
}

// major is an amount in minor units that is written in major ones, in the shortest exact form: 580 is 5.8.
type major int64

// MarshalJSON implements json.Marshaler.
func (m major) MarshalJSON() ([]byte, error) {
	b := strconv.AppendInt(nil, int64(m)/100, 10)
	if rest := int64(m) % 100; rest != 0 {
		b = append(b, '.', byte('0'+rest/10))
		if rest%10 != 0 {
			b = append(b, byte('0'+rest%10))
		}
	}
	return b, nil
}

// moment is a time as this API writes it: UTC with seven decimals.
type moment time.Time

// MarshalJSON implements json.Marshaler.
func (m moment) MarshalJSON() ([]byte, error) {
	return []byte(time.Time(m).UTC().Format(`"2006-01-02T15:04:05.0000000Z"`)), nil
}

// timestamps are the forms of ISO 8601 that are read. One without an offset is UTC, as the paper asks for.
var timestamps = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04Z07:00", "20060102T150405Z0700",
}

// timestampOf reads the timestamp of a Dispense, to the second, in UTC. It must be within window of now.
func timestampOf(in map[string]any, now time.Time, window time.Duration) (time.Time, error) {
	text, isText := in["timestamp"].(string)
	switch text = strings.TrimSpace(text); {
	case in["timestamp"] == nil || isText && text == "":
		return time.Time{}, errNoTimestamp
	case !isText:
		return time.Time{}, errTimestamp
	}
	for _, form := range timestamps {
		t, err := time.Parse(form, text)
		if err != nil {
			continue
		}
		if t.Before(now.Add(-window)) || t.After(now.Add(window)) {
			break
		}
		return t.UTC().Truncate(time.Second), nil
	}
	return time.Time{}, errTimestamp
}

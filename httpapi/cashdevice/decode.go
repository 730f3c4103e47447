package cashdevice

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"coffer/internal/cash"
)

// Requests come from programs of many makers, so that what is read is read tolerantly (wire-truths, "Tolerance (000)"):
// member names in any case, with or without blanks and underscores; numbers and booleans as text; null as absent;
// unknown members ignored; comments and trailing commas.

// value is one JSON value: nil, bool, json.Number, string, []value as []any, or members.
type members map[string]any

// parse reads one JSON value; nil for an empty body or null.
func parse(body []byte) (any, error) {
	body = bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF"))
	body = relax(body)
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the JSON value")
	}
	return fold(v), nil
}

// fold makes member names comparable, all the way down.
func fold(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(members, len(v))
		for name, x := range v {
			m[key(name)] = fold(x)
		}
		return m
	case []any:
		for i := range v {
			v[i] = fold(v[i])
		}
	}
	return v
}

// key is a member name without case, blanks and underscores: "LogFile Path" is "LogFilePath", "reg_0" is "Reg0".
func key(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// relax blanks out comments and drops commas before a closing bracket, outside strings. Text that is not JSON stays so.
func relax(in []byte) []byte {
	if !bytes.ContainsAny(in, "/,") {
		return in
	}
	out := make([]byte, 0, len(in))
	comma := -1 // where in out the last comma is, while only blanks follow it
	for i := 0; i < len(in); {
		n, kind := token(in[i:])
		switch kind {
		case tokenComment:
			out = append(out, ' ')
		case tokenBlank:
			out = append(out, in[i:i+n]...)
		default:
			if comma >= 0 && (in[i] == '}' || in[i] == ']') {
				out[comma] = ' '
			}
			comma = -1
			if in[i] == ',' {
				comma = len(out)
			}
			out = append(out, in[i:i+n]...)
		}
		i += n
	}
	return out
}

// kinds of token
const (
	tokenOther = iota
	tokenBlank
	tokenComment
)

// token measures what stands at the beginning of b, which is not empty: a string, a comment, or one byte.
func token(b []byte) (n, kind int) {
	switch {
	case b[0] == '"':
		for n = 1; n < len(b); n++ {
			switch b[n] {
			case '\\':
				n++
			case '"':
				return n + 1, tokenOther
			}
		}
		return len(b), tokenOther
	case bytes.HasPrefix(b, []byte("//")):
		if end := bytes.IndexByte(b, '\n'); end >= 0 {
			return end, tokenComment
		}
		return len(b), tokenComment
	case bytes.HasPrefix(b, []byte("/*")):
		if end := bytes.Index(b[2:], []byte("*/")); end >= 0 {
			return end + 4, tokenComment
		}
	case b[0] == ' ', b[0] == '\t', b[0] == '\n', b[0] == '\r':
		return 1, tokenBlank
	}
	return 1, tokenOther
}

// problem is a request that could not be understood: 400 in the problem-details form, by member.
type problem struct{ faults [][2]string }

func (p *problem) Error() string {
	if len(p.faults) == 0 {
		return "request not understood"
	}
	return fmt.Sprintf("%s: %s", p.faults[0][0], p.faults[0][1])
}

// fault returns a problem of one member; "$" is the body as a whole.
func fault(member, text string) error { return &problem{[][2]string{{member, text}}} }

// form reads members of a JSON object and gathers what is wrong with them. An absent member, or null, reads as the zero
// value. err is the verdict in the end.
type form struct {
	m members
	problem
}

// object reads the body as an object. An empty body reads as an empty one.
func (c *call) object() (*form, error) {
	v, err := parse(c.body)
	if err != nil {
		return nil, fault("$", "The JSON value could not be read: "+err.Error())
	}
	switch v := v.(type) {
	case nil:
		return &form{m: members{}}, nil
	case members:
		return &form{m: v}, nil
	}
	return nil, fault("$", "A JSON object is expected.")
}

// bare reads the body as one bare value, nil for none.
func (c *call) bare() (any, error) {
	v, err := parse(c.body)
	if err != nil {
		return nil, fault("$", "The JSON value could not be read: "+err.Error())
	}
	return v, nil
}

func (f *form) wrong(name, want string) {
	f.faults = append(f.faults, [2]string{name, want + " is expected."})
}

func (f *form) err() error {
	if len(f.faults) == 0 {
		return nil
	}
	return &f.problem
}

// get returns the first of the names that is there and not null.
func (f *form) get(names ...string) (v any, name string) {
	for _, name := range names {
		if v := f.m[key(name)]; v != nil {
			return v, name
		}
	}
	return nil, names[0]
}

func (f *form) text(names ...string) string {
	v, name := f.get(names...)
	switch v := v.(type) {
	case nil:
	case string:
		return v
	case json.Number:
		return v.String()
	default:
		f.wrong(name, "A string")
	}
	return ""
}

func (f *form) flag(names ...string) bool {
	v, name := f.get(names...)
	if v == nil {
		return false
	}
	b, ok := asBool(v)
	if !ok {
		f.wrong(name, "A boolean")
	}
	return b
}

// number reads an integer of [low, high].
func (f *form) number(low, high int64, names ...string) int64 {
	v, name := f.get(names...)
	if v == nil {
		return 0
	}
	n, ok := asInt(v)
	if !ok || n < low || n > high {
		f.wrong(name, fmt.Sprintf("An integer from %d to %d", low, high))
		return 0
	}
	return n
}

// unsigned reads an integer of 64 bits without sign, which does not fit the number of other languages.
func (f *form) unsigned(names ...string) uint64 {
	v, name := f.get(names...)
	if v == nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(fmt.Sprint(v)), 10, 64)
	if err != nil {
		f.wrong(name, "An unsigned integer of 64 bits")
	}
	return n
}

// amount reads a sum of money in minor units. A number that is none, as -1, 2.5 or one beyond 32 bits, reads as 0, so
// that it is refused as a sum; what is not a number at all is a problem.
func (f *form) amount(names ...string) int64 {
	v, name := f.get(names...)
	if v == nil {
		return 0
	}
	if n, ok := asInt(v); ok {
		if n < 0 || n > math.MaxUint32 {
			return 0
		}
		return n
	}
	if _, err := strconv.ParseFloat(strings.TrimSpace(fmt.Sprint(v)), 64); err != nil && !errors.Is(err, strconv.ErrRange) {
		f.wrong(name, "An integer")
	}
	return 0
}

// list reads an array of objects; an entry that is not one is a problem.
func (f *form) list(names ...string) []*form {
	v, name := f.get(names...)
	if v == nil {
		return nil
	}
	entries, ok := v.([]any)
	if !ok {
		f.wrong(name, "An array")
		return nil
	}
	var out []*form
	for _, e := range entries {
		switch e := e.(type) {
		case nil:
		case members:
			out = append(out, &form{m: e})
		default:
			f.wrong(name, "An array of objects")
			return nil
		}
	}
	return out
}

// texts reads an array of strings.
func (f *form) texts(names ...string) []string {
	v, name := f.get(names...)
	if v == nil {
		return nil
	}
	entries, ok := v.([]any)
	if s, one := v.(string); one {
		entries, ok = []any{s}, true
	}
	var out []string
	for _, e := range entries {
		s, isText := e.(string)
		ok = ok && (isText || e == nil)
		if isText {
			out = append(out, s)
		}
	}
	if !ok {
		f.wrong(name, "An array of strings")
	}
	return out
}

// inner reads an object, nil for none.
func (f *form) inner(names ...string) *form {
	v, name := f.get(names...)
	switch v := v.(type) {
	case nil:
		return nil
	case members:
		return &form{m: v}
	}
	f.wrong(name, "An object")
	return nil
}

// counts reads an array of integers from 0 on; 65535 is the most that a machine can be told.
func counts(v any) ([]int, bool) {
	entries, ok := v.([]any)
	if !ok {
		return nil, false
	}
	out := make([]int, len(entries))
	for i, e := range entries {
		n, ok := asInt(e)
		if !ok || n < 0 || n > math.MaxUint16 {
			return nil, false
		}
		out[i] = int(n)
	}
	return out, true
}

// asBool reads true, "True" or 1.
func asBool(v any) (value, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string, json.Number:
		switch strings.ToLower(strings.TrimSpace(fmt.Sprint(v))) {
		case "true", "1":
			return true, true
		case "false", "0":
			return false, true
		}
	}
	return false, false
}

// asInt reads 5, "5" and 5.0.
func asInt(v any) (int64, bool) {
	switch v.(type) {
	case string, json.Number:
	default:
		return 0, false
	}
	s := strings.TrimSpace(fmt.Sprint(v))
	if whole, frac, dotted := strings.Cut(s, "."); dotted && strings.Trim(frac, "0") == "" {
		s = whole
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// denomination reads "500 GBP", or an object of value and currency.
func denomination(v any) (cash.Denom, error) {
	switch v := v.(type) {
	case string:
		return cash.ParseDenom(v)
	case members:
		return (&form{m: v}).valueAndCountry()
	}
	return cash.Denom{}, cash.ErrInvalid
}

// valueAndCountry reads Value and CountryCode, flat or inside a ValueCountryCode. cash.ErrInvalid for no denomination.
func (f *form) valueAndCountry() (cash.Denom, error) {
	if nested, _ := f.get("ValueCountryCode"); nested != nil {
		return denomination(nested)
	}
	d := cash.Denom{Value: f.amount("Value"), Currency: cash.Currency(strings.ToUpper(strings.TrimSpace(f.text("CountryCode"))))}
	if err := f.err(); err != nil {
		return d, err
	}
	if d.Value < 1 || !d.Currency.Valid() {
		return d, fmt.Errorf("%w: no denomination %d %q", cash.ErrInvalid, d.Value, d.Currency)
	}
	return d, nil
}

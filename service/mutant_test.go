package service

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// mutant is a request on its way to be wrong.
type mutant struct {
	f      *fuzzer
	op     operation
	method string
	path   string
	query  url.Values
	header http.Header
	body   []byte
}

// odd are values that programs stumble over.
var odd = []any{
	nil, true, false, 0, -1, 1, 255, 256, 65536, 1 << 31, 1 << 53, json.Number("18446744073709551615"), json.Number("1e400"), json.Number("-0.0"), json.Number("0.005"),
	"", " ", "0", "-1", "true", "EUR", "GBP", "500 EUR", "1000 GBP", "500", "XXX", "COM5", "COM7", "COM99", "\u0000", "\u202e", "é", strings.Repeat("A", 300), "../../etc/passwd", "%s%n", "';--",
	[]any{}, []any{nil}, []any{1, 2, 3}, []any{"500 EUR"}, map[string]any{}, map[string]any{"Value": 500, "CountryCode": "EUR"},
}

var methods = []string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"}

// mutate makes one more thing wrong.
func (m *mutant) mutate() {
	rnd := m.f.rnd
	switch rnd.IntN(16) {
	case 0:
		m.method = methods[rnd.IntN(len(methods))]
	case 1:
		m.mutatePath()
	case 2, 3:
		m.mutateQuery()
	case 4:
		m.mutateHeader()
	case 5, 6:
		m.mutateBytes()
	default:
		m.mutateValue()
	}
}

func (m *mutant) mutatePath() {
	rnd := m.f.rnd
	if len(m.path) < 2 {
		return // an earlier mutation has left nothing but its slash
	}
	switch rnd.IntN(7) {
	case 0:
		m.path = strings.ToUpper(m.path)
	case 1:
		m.path = strings.ReplaceAll(m.path, "/", "//")
	case 2:
		m.path += "/"
	case 3:
		m.path = m.path[:1+rnd.IntN(len(m.path)-1)]
	case 4:
		m.path = strings.Replace(m.path, "/", "/../", 1+rnd.IntN(3))
	case 5:
		m.path += "/" + url.PathEscape(fmt.Sprint(m.pick()))
	case 6:
		i := 1 + rnd.IntN(len(m.path)-1) // a path without its slash is no path, and no request
		m.path = m.path[:i] + fmt.Sprintf("%%%02X", m.path[i]) + m.path[i+1:]
	}
}

func (m *mutant) mutateQuery() {
	rnd := m.f.rnd
	names := slices.Sorted(maps.Keys(m.query))
	if len(names) == 0 {
		m.query.Set("deviceID", fmt.Sprint(m.pick()))
		return
	}
	name := names[rnd.IntN(len(names))]
	switch rnd.IntN(5) {
	case 0:
		m.query.Del(name)
	case 1:
		m.query.Add(name, fmt.Sprint(m.pick()))
	case 2:
		m.query.Set(name, fmt.Sprint(m.pick()))
	case 3:
		v := m.query.Get(name)
		m.query.Del(name)
		m.query.Set(strings.ToUpper(name), v)
	case 4:
		m.query.Set(name, strings.ToLower(m.query.Get(name)))
	}
}

func (m *mutant) mutateHeader() {
	rnd := m.f.rnd
	switch rnd.IntN(6) {
	case 0:
		m.header.Del("Content-Type")
	case 1:
		m.header.Set("Content-Type", []string{"text/plain", "application/x-www-form-urlencoded", "application/xml", ";;;", "application/json; charset=utf-16"}[rnd.IntN(5)])
	case 2:
		m.header.Set("Accept", []string{"application/json", "text/html", "*/*;q=0", "x"}[rnd.IntN(4)])
	case 3:
		m.header.Del("Authorization")
	case 4:
		m.header.Set("Authorization", []string{"Bearer", "Bearer x.y.z", "Basic", "Basic !!!", "Negotiate abc", m.header.Get("Authorization") + "x"}[rnd.IntN(5)])
	case 5:
		m.header.Set("X-Request-Id", strings.Repeat("y", rnd.IntN(100)))
	}
}

// mutateBytes breaks the body as text.
func (m *mutant) mutateBytes() {
	rnd := m.f.rnd
	if len(m.body) == 0 {
		m.body = m.encode(m.pick())
		return
	}
	i := rnd.IntN(len(m.body))
	switch rnd.IntN(8) {
	case 0:
		m.body = m.body[:i]
	case 1:
		m.body[i] ^= 1 << rnd.IntN(8)
	case 2:
		m.body = append(m.body[:i:i], append([]byte{byte(rnd.IntN(256))}, m.body[i:]...)...)
	case 3:
		m.body = append([]byte("\xEF\xBB\xBF"), m.body...)
	case 4:
		m.body = append(m.body, m.body...)
	case 5:
		m.body = []byte(strings.Repeat("[", 1+rnd.IntN(20_000)))
	case 6:
		m.body = []byte("// note\n" + strings.Replace(string(m.body), "}", ",}", 1))
	case 7:
		if rnd.IntN(20) == 0 {
			m.body = append(m.body, strings.Repeat(" ", 1<<20)...)
		}
	}
}

// mutateValue replaces, renames, drops or adds a member or an element.
func (m *mutant) mutateValue() {
	rnd := m.f.rnd
	var v any
	dec := json.NewDecoder(bytes.NewReader(m.body))
	dec.UseNumber() // a key that was rounded is another key
	if dec.Decode(&v) != nil {
		m.body = m.encode(m.pick())
		return
	}
	switch v := v.(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		if len(names) == 0 {
			break
		}
		name := names[rnd.IntN(len(names))]
		switch rnd.IntN(5) {
		case 0:
			delete(v, name)
		case 1:
			v[strings.ToUpper(name)] = m.pick()
		case 2:
			v[name] = []any{v[name]}
		default:
			v[name] = m.pick()
		}
		m.body = m.encode(v)
		return
	case []any:
		if len(v) > 0 && rnd.IntN(2) == 0 {
			v[rnd.IntN(len(v))] = m.pick()
		} else {
			v = append(v, m.pick())
		}
		m.body = m.encode(v)
		return
	}
	m.body = m.encode(m.pick())
}

func (m *mutant) pick() any { return odd[m.f.rnd.IntN(len(odd))] }

func (m *mutant) encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // 1e400 is no number of Go's
		return []byte("1e400")
	}
	return b
}

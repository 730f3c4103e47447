package cashdevice

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"coffer/httpapi"
)

// object is a JSON object whose members keep their order. A nil value is an absent member: left out or null, as the
// dialect has it.
type object []member

type member struct {
	name  string // camelCase, as the default dialect writes it
	value any
}

// list is a JSON array.
type list []any

// enum is a value that one dialect writes as a number and the other as text.
type enum struct {
	number int
	text   string
}

// serial is a serial number that one dialect writes as a number and the other as text.
type serial string

// form of JSON that a dialect writes.
type style struct {
	pascal bool // PascalCase names
	nulls  bool // absent members are null
	texts  bool // enums and serial numbers as text

	printed map[string]string // by camelCase name, one that the manual prints beside the rule: sent before the regular one
}

// Of an answer to OpenConnection the manual has one sample of the Android build, which spells two of its names so.
var styles = map[Dialect]style{DotNet: {}, Android: {pascal: true, nulls: true, texts: true,
	printed: map[string]string{"isOpen": "isOpen", "sspProtocolVersion": "sspProtocols"}}}

// render appends v as JSON.
func (s style) render(dst []byte, v any) []byte {
	switch v := v.(type) {
	case object:
		dst = append(dst, '{')
		sep := false
		for _, m := range v {
			if m.value == nil && !s.nulls {
				continue
			}
			if sep {
				dst = append(dst, ',')
			}
			sep = true
			if name, ok := s.printed[m.name]; ok {
				dst = append(s.render(append(s.render(dst, name), ':'), m.value), ',')
			}
			dst = append(s.render(dst, s.name(m.name)), ':')
			dst = s.render(dst, m.value)
		}
		return append(dst, '}')
	case list:
		dst = append(dst, '[')
		for i, x := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = s.render(dst, x)
		}
		return append(dst, ']')
	case enum:
		if s.texts {
			return s.render(dst, v.text)
		}
		return strconv.AppendInt(dst, int64(v.number), 10)
	case serial:
		if n, err := strconv.ParseUint(string(v), 10, 64); err == nil && !s.texts {
			return strconv.AppendUint(dst, n, 10)
		}
		return s.render(dst, string(v))
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case json.RawMessage:
		return append(dst, v...)
	}
	return appendJSON(dst, v)
}

// appendJSON appends what encoding/json makes of v, with <, > and & as they are.
func appendJSON(dst []byte, v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return append(dst, "null"...)
	}
	return append(dst, strings.TrimSuffix(b.String(), "\n")...)
}

// name is a member name in the style: "deviceID" is "DeviceID" in PascalCase, "nV4000Fields" "NV4000Fields".
func (s style) name(camel string) string {
	if !s.pascal || camel == "" {
		return camel
	}
	r, n := utf8.DecodeRuneInString(camel)
	return string(unicode.ToUpper(r)) + camel[n:]
}

// either are the members of an answer that the manual prints once for all builds: the android dialect has each under the
// name printed and under its own.
func (c *call) either(o object) any {
	if c.api.dialect != Android {
		return o
	}
	var out object
	for _, m := range o {
		out = append(out, m, member{styles[Android].name(m.name), m.value})
	}
	return json.RawMessage(style{}.render(nil, out))
}

// write sends v: a string as plain text without quotes, anything else as JSON of the dialect.
func (a *api) write(w http.ResponseWriter, status int, v any) {
	if text, ok := v.(string); ok {
		httpapi.Text(w, status, text)
		return
	}
	writeJSON(w, status, "application/json; charset=utf-8", styles[a.dialect].render(nil, v))
}

func writeJSON(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// wantsJSON says whether the client takes JSON and nothing else.
func wantsJSON(r *http.Request) bool {
	media, _, _ := strings.Cut(r.Header.Get("Accept"), ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/json")
}

// dump is the text form "<deviceID>: { Name = value, Name2 = value2 }".
func dump(id string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(id + ": { ")
	for i := 0; i+1 < len(pairs); i += 2 {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(pairs[i] + " = " + pairs[i+1])
	}
	b.WriteString(" }")
	return b.String()
}

// truth prints a boolean as the maker's server does.
func truth(on bool) string {
	if on {
		return "True"
	}
	return "False"
}

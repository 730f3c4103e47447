package devices

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"coffer/internal/cash"
	"coffer/ssp"
)

// OwnBytes are the bytes of features that no public document has, as a site that owns the maker's gives them in a
// profile file (specs/ssp.md section 16): what is sent, and how the answer is read. They go to real machines too.
//
// A template is a row of tokens: two hexadecimal digits for a byte, {field} for a value as one binary byte, {field:bcd}
// for one as two decimal digits in a byte, {field:ascii} for two ASCII digits, {field:u16} and {field:u32} for several
// bytes, little end first, and in answers {any} for a byte that does not matter. The answer's OK is left out.
type OwnBytes struct {
	file      string                  `yaml:"-"`
	exchanges map[string]*ownExchange `yaml:"-"`
}

// The features that a profile file may give, by their keys.
const (
	OwnClockGet         = "clock_get"
	OwnClockSet         = "clock_set"
	OwnCoinAcceptance   = "coin_acceptance"
	OwnGlobalError      = "global_error"
	OwnPayoutCount      = "payout_count"
	OwnLifterStatus     = "lifter_status"
	OwnService          = "service_information"
	OwnModuleService    = "module_service_information"
	OwnMaintenanceReset = "maintenance_reset"
)

// ownFields are the fields of a feature's command and answer: those that must be there, and those that may.
type ownFields struct{ sent, maySend, answered, mayAnswer []string }

// serviceFields are what a service book answers, in the order of the Cash Device REST manual.
var serviceFields = []string{"field1", "field2", "field3", "field4", "field5", "field6", "field7", "field8", "field9"}

// ownFeatures says what the templates of each feature are made of. The clock's year is that within its century, and the
// century its first two digits, 20 if it is left out.
var ownFeatures = map[string]ownFields{
	OwnClockGet:         {answered: clockFields, mayAnswer: []string{centuryField}},
	OwnClockSet:         {sent: clockFields, maySend: []string{centuryField}},
	OwnCoinAcceptance:   {maySend: []string{"unit"}, answered: []string{"percent"}, mayAnswer: []string{"seen", "accepted"}},
	OwnGlobalError:      {answered: []string{"error0", "error1"}},
	OwnPayoutCount:      {answered: []string{"coins"}},
	OwnLifterStatus:     {answered: []string{"connected", "opto_clear", "jammed"}},
	OwnService:          {maySend: []string{"sub"}, answered: serviceFields[:1], mayAnswer: serviceFields[1:]},
	OwnModuleService:    {maySend: []string{"module", "sub"}, answered: serviceFields[:1], mayAnswer: serviceFields[1:]},
	OwnMaintenanceReset: {sent: []string{"week", "year"}},
}

type ownTexts struct {
	Send   string `yaml:"send"`
	Answer string `yaml:"answer"`
}

// ownExchange is a command and its answer.
type ownExchange struct{ send, answer template }

var clockFields = []string{"year", "month", "day", "hour", "minute", "second"}

const centuryField = "century"

// UnmarshalYAML reads the name of a profile file, and the file.
func (o *OwnBytes) UnmarshalYAML(decode func(any) error) error {
	if err := decode(&o.file); err != nil {
		return err
	}
	b, err := os.ReadFile(o.file)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	if err := o.parse(b); err != nil {
		return fmt.Errorf("profile %s: %w", o.file, err)
	}
	return nil
}

// MarshalYAML is the opposite: the name alone.
func (o OwnBytes) MarshalYAML() (any, error) { return o.file, nil }

// parse reads the content of a profile file.
func (o *OwnBytes) parse(b []byte) (err error) {
	var f map[string]ownTexts
	if err := yaml.UnmarshalWithOptions(b, &f, yaml.Strict()); err != nil {
		return err
	}
	o.exchanges = map[string]*ownExchange{}
	for name, texts := range f {
		fields, known := ownFeatures[name]
		if !known {
			return fmt.Errorf("unknown feature %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(ownFeatures)), ", "))
		}
		if o.exchanges[name], err = texts.exchange(fields); err != nil {
			return fmt.Errorf("%s, %w", name, err)
		}
	}
	return nil
}

// exchange reads the two templates of a feature.
func (t ownTexts) exchange(f ownFields) (*ownExchange, error) {
	send, err := parseTemplate(t.Send, f.sent, f.maySend, false)
	if err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	if len(send) == 0 || send[0].field != "" {
		return nil, errors.New("send: begins with the command's byte")
	}
	if refusedRaw[ssp.Command(send[0].lit)] {
		return nil, fmt.Errorf("send: %v is not to be sent past the driver", ssp.Command(send[0].lit))
	}
	answer, err := parseTemplate(t.Answer, f.answered, f.mayAnswer, true)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return &ownExchange{send, answer}, nil
}

// template is a row of bytes, some of which are values.
type template []token

type token struct {
	lit   byte
	field string // "" for lit
	form  string // "", bcd, ascii, u16 or u32
}

// size is how many bytes a field of each form has.
var size = map[string]int{"": 1, "bcd": 1, "ascii": 2, "u16": 2, "u32": 4}

// anyField is a byte of an answer that does not matter.
const anyField = "any"

// parseTemplate reads a template that must have all of need, and may have the others with them.
func parseTemplate(text string, need, may []string, answer bool) (template, error) {
	var t template
	seen := map[string]bool{}
	for _, word := range strings.Fields(text) {
		if b, err := hex.DecodeString(word); err == nil && len(b) == 1 {
			t = append(t, token{lit: b[0]})
			continue
		}
		name, ok := strings.CutPrefix(word, "{")
		name, closed := strings.CutSuffix(name, "}")
		name, form, _ := strings.Cut(name, ":")
		_, formed := size[form]
		switch {
		case !ok || !closed || !formed:
			return nil, fmt.Errorf("%q is neither a byte nor a field", word)
		case name == anyField && answer && form == "":
		case !slices.Contains(need, name) && !slices.Contains(may, name):
			return nil, fmt.Errorf("no field %q here", name)
		case seen[name]:
			return nil, fmt.Errorf("%q stands twice", name)
		}
		seen[name] = name != anyField
		t = append(t, token{field: name, form: form})
	}
	for _, n := range need {
		if !seen[n] {
			return nil, fmt.Errorf("no {%s}", n)
		}
	}
	return t, nil
}

// render fills values in, each 0 to 99 for two digits and as much as its bytes can hold else.
func (t template) render(values map[string]int) []byte {
	var out []byte
	for _, k := range t {
		n := values[k.field]
		switch {
		case k.field == "":
			out = append(out, k.lit)
		case k.form == "bcd":
			out = append(out, byte(n/10%10<<4|n%10))
		case k.form == "ascii":
			out = append(out, byte('0'+n/10%10), byte('0'+n%10))
		default:
			for range size[k.form] {
				out = append(out, byte(n))
				n >>= 8
			}
		}
	}
	return out
}

// read takes values out of an answer of just this form.
func (t template) read(b []byte) (map[string]int, error) {
	length := 0
	for _, k := range t {
		length += size[k.form]
	}
	if len(b) != length {
		return nil, fmt.Errorf("an answer of %d bytes, the profile has %d", len(b), length)
	}
	values := map[string]int{}
	for _, k := range t {
		piece := b[:size[k.form]]
		b = b[len(piece):]
		if k.field == anyField {
			continue
		}
		if k.field == "" {
			if piece[0] != k.lit {
				return nil, fmt.Errorf("the answer has %02X, the profile %02X", piece[0], k.lit)
			}
			continue
		}
		n, err := k.value(piece)
		if err != nil {
			return nil, err
		}
		values[k.field] = n
	}
	return values, nil
}

// value reads a field.
func (k token) value(b []byte) (n int, err error) {
	switch k.form {
	case "bcd":
		b = []byte{b[0]>>4 + '0', b[0]&0xF + '0'}
		fallthrough
	case "ascii":
		if n, err = strconv.Atoi(string(b)); err != nil || n < 0 || b[0] == '+' {
			return 0, fmt.Errorf("{%s} of the answer is no two digits", k.field)
		}
		return n, nil
	}
	for i, x := range b {
		n |= int(x) << (8 * i)
	}
	return n, nil
}

// Own carries a feature out with the site's own bytes. ok is false where the profile file has none for it. Errors: those
// of Tx as Refusal has them; one that says how the answer differs from the profile.
func (c *Core) Own(feature string, values map[string]int) (answer map[string]int, ok bool, err error) {
	own := c.base.cfg.device.Profile
	if own == nil || own.exchanges[feature] == nil {
		return nil, false, nil
	}
	answer, err = own.exchanges[feature].do(c, values)
	return answer, true, err
}

// do is one exchange by the profile.
func (x *ownExchange) do(c *Core, values map[string]int) (map[string]int, error) {
	rest, err := c.Tx(x.send.render(values))
	if err != nil {
		return nil, refusal(err)
	}
	return x.answer.read(rest)
}

// ownTime is a clock's answer.
func ownTime(v map[string]int) (time.Time, error) {
	century, ok := v[centuryField]
	if !ok {
		century = 20
	}
	t := time.Date(100*century+v["year"], time.Month(v["month"]), v["day"], v["hour"], v["minute"], v["second"], 0, time.Local)
	if v["year"] > 99 || t.Month() != time.Month(v["month"]) || t.Day() != v["day"] || v["hour"] > 23 || v["minute"] > 59 || v["second"] > 59 {
		return time.Time{}, errors.New("the clock's answer is no time; check the profile")
	}
	return t, nil
}

// timeFields are what a clock is set to.
func timeFields(t time.Time) map[string]int {
	return map[string]int{
		centuryField: t.Year() / 100, "year": t.Year() % 100, "month": int(t.Month()), "day": t.Day(),
		"hour": t.Hour(), "minute": t.Minute(), "second": t.Second(),
	}
}

// errNoClock is the answer where neither our own bytes nor the site's may be sent.
var errNoClock = fmt.Errorf("%w: nobody has published the bytes of its clock; give them in a profile file", cash.ErrUnsupported)

package devices

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
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
// for one as two decimal digits, and in answers {any} for a byte that does not matter. The answer's OK is left out.
type OwnBytes struct {
	file     string       `yaml:"-"`
	clockGet *ownExchange `yaml:"-"`
	clockSet *ownExchange `yaml:"-"`
}

// ownFile is a profile file. Strict: every other key is refused.
type ownFile struct {
	ClockGet *ownTexts `yaml:"clock_get"`
	ClockSet *ownTexts `yaml:"clock_set"`
}

type ownTexts struct {
	Send   string `yaml:"send"`
	Answer string `yaml:"answer"`
}

// ownExchange is a command and its answer.
type ownExchange struct{ send, answer template }

// clockFields are the fields of a clock: the year within its century, the century as its first two digits.
var clockFields = []string{"year", "month", "day", "hour", "minute", "second"}

// centuryField may be left out: 20.
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
	var f ownFile
	if err := yaml.UnmarshalWithOptions(b, &f, yaml.Strict()); err != nil {
		return err
	}
	if o.clockGet, err = f.ClockGet.exchange("clock_get", nil, clockFields); err != nil {
		return err
	}
	o.clockSet, err = f.ClockSet.exchange("clock_set", clockFields, nil)
	return err
}

// exchange reads the two templates of a feature. Those fields must be in what is sent, these in the answer.
func (t *ownTexts) exchange(name string, sent, answered []string) (*ownExchange, error) {
	if t == nil {
		return nil, nil
	}
	send, err := parseTemplate(t.Send, sent, false)
	if err != nil {
		return nil, fmt.Errorf("%s, send: %w", name, err)
	}
	if len(send) == 0 || send[0].field != "" {
		return nil, fmt.Errorf("%s, send: begins with the command's byte", name)
	}
	if refusedRaw[ssp.Command(send[0].lit)] {
		return nil, fmt.Errorf("%s, send: %v is not to be sent past the driver", name, ssp.Command(send[0].lit))
	}
	answer, err := parseTemplate(t.Answer, answered, true)
	if err != nil {
		return nil, fmt.Errorf("%s, answer: %w", name, err)
	}
	return &ownExchange{send, answer}, nil
}

// template is a row of bytes, some of which are values.
type template []token

type token struct {
	lit   byte
	field string // "" for lit
	bcd   bool
}

// anyField is a byte of an answer that does not matter.
const anyField = "any"

// parseTemplate reads a template that must have all of need, and may have the century with them.
func parseTemplate(text string, need []string, answer bool) (template, error) {
	var t template
	seen := map[string]bool{}
	for _, word := range strings.Fields(text) {
		if b, err := hex.DecodeString(word); err == nil && len(b) == 1 {
			t = append(t, token{lit: b[0]})
			continue
		}
		name, ok := strings.CutPrefix(word, "{")
		name, closed := strings.CutSuffix(name, "}")
		name, bcd := strings.CutSuffix(name, ":bcd")
		known := slices.Contains(need, name) || name == centuryField && len(need) > 0
		switch {
		case !ok || !closed:
			return nil, fmt.Errorf("%q is neither a byte nor a field", word)
		case name == anyField && answer && !bcd:
		case !known:
			return nil, fmt.Errorf("no field %q here", name)
		case seen[name]:
			return nil, fmt.Errorf("%q stands twice", name)
		}
		seen[name] = true
		t = append(t, token{field: name, bcd: bcd})
	}
	for _, n := range need {
		if !seen[n] {
			return nil, fmt.Errorf("no {%s}", n)
		}
	}
	return t, nil
}

// render fills values in, each 0 to 99 for bcd and 0 to 255 else.
func (t template) render(values map[string]int) []byte {
	out := make([]byte, 0, len(t))
	for _, k := range t {
		b := k.lit
		if k.field != "" {
			if b = byte(values[k.field]); k.bcd {
				b = b/10<<4 | b%10
			}
		}
		out = append(out, b)
	}
	return out
}

// read takes values out of an answer of just this form.
func (t template) read(b []byte) (map[string]int, error) {
	if len(b) != len(t) {
		return nil, fmt.Errorf("an answer of %d bytes, the profile has %d", len(b), len(t))
	}
	values := map[string]int{}
	for i, k := range t {
		n := int(b[i])
		switch {
		case k.field == anyField:
			continue
		case k.field == "" && b[i] != k.lit:
			return nil, fmt.Errorf("byte %d of the answer is %02X, in the profile %02X", i, b[i], k.lit)
		case k.bcd && (n>>4 > 9 || n&0xF > 9):
			return nil, fmt.Errorf("byte %d of the answer, %02X, is no two digits", i, b[i])
		case k.bcd:
			n = n>>4*10 + n&0xF
		}
		if k.field != "" {
			values[k.field] = n
		}
	}
	return values, nil
}

// do is one exchange by the profile.
func (x *ownExchange) do(c *Core, values map[string]int) (map[string]int, error) {
	rest, err := c.Tx(x.send.render(values))
	if err != nil {
		return nil, refusal(err)
	}
	return x.answer.read(rest)
}

// time reads the clock.
func (x *ownExchange) time(c *Core) (time.Time, error) {
	v, err := x.do(c, nil)
	if err != nil {
		return time.Time{}, err
	}
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

// setTime sets the clock.
func (x *ownExchange) setTime(c *Core, t time.Time) error {
	_, err := x.do(c, map[string]int{
		centuryField: t.Year() / 100, "year": t.Year() % 100, "month": int(t.Month()), "day": t.Day(),
		"hour": t.Hour(), "minute": t.Minute(), "second": t.Second(),
	})
	return err
}

// errNoClock is the answer where neither our own bytes nor the site's may be sent.
var errNoClock = fmt.Errorf("%w: nobody has published the bytes of its clock; give them in a profile file", cash.ErrUnsupported)

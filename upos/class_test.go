package upos_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"coffer/upos"
	"coffer/upos/upostest"
)

func TestConfigIsStrict(t *testing.T) {
	good := upos.Config{Name: "Till1", Class: upos.CashChanger, Devices: []string{"a", "b"}, NearEmpty: 5, NearFull: 60, Lease: time.Minute}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for word, spoil := range map[string]func(*upos.Config){
		"name":         func(c *upos.Config) { c.Name = "Till 1" },
		"class":        func(c *upos.Config) { c.Class = "Till" },
		"at least one": func(c *upos.Config) { c.Devices = nil },
		"named twice":  func(c *upos.Config) { c.Devices = []string{"a", "a"} },
		"several":      func(c *upos.Config) { c.Class = upos.BillAcceptor },
		"currency":     func(c *upos.Config) { c.Currency = "euro" },
		"near_full":    func(c *upos.Config) { c.NearFull = 5 },
		"near_empty":   func(c *upos.Config) { c.NearEmpty = -1 },
		"scale":        func(c *upos.Config) { c.Scale = -1 },
		"lease":        func(c *upos.Config) { c.Lease = time.Millisecond },
		"CashDrawer": func(c *upos.Config) {
			*c = upos.Config{Name: "D", Class: upos.CashDrawer, Devices: []string{"r"}, RealTimeData: true}
		},
	} {
		bad := good
		spoil(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", word, err)
		}
	}
	for _, devices := range [][]upos.Device{
		{{Config: good}},
		{{Config: good, Mechanism: upostest.Till()}, {Config: good, Mechanism: upostest.Till()}},
		{{Config: upos.Config{Name: "D", Class: upos.CashDrawer, Devices: []string{"r"}}, Mechanism: upostest.Till()}},
	} {
		if s, err := upos.New(devices, upos.Options{}); err == nil {
			s.Close()
			t.Errorf("%+v was taken", devices)
		}
	}
}

// TestArguments: every kind of whole number is one, nothing else is; unknown and missing arguments are E_ILLEGAL.
func TestArguments(t *testing.T) {
	w := newWorld(t)
	h := openTill(t, w)
	for _, v := range []any{0, int64(0), int32(0), uint8(0), 0.0, json.Number("0")} {
		must(t, h.Set("PowerNotify", v))
	}
	for _, v := range []any{0.5, "0", nil, true, json.Number("x"), json.Number("1099511627776"), int64(1) << 40, 1e12, -1e12, uint64(1) << 40} {
		refused(t, h.Set("PowerNotify", v), upos.E_ILLEGAL)
	}
	refused(t, h.Set("FreezeEvents", 1), upos.E_ILLEGAL)
	refused(t, h.Set("CurrencyCode", 1), upos.E_ILLEGAL)
	refused(t, call(h, "Claim", nil), upos.E_ILLEGAL)
	refused(t, call(h, "Claim", map[string]any{"timeout": "0"}), upos.E_ILLEGAL)
	refused(t, call(h, "Claim", map[string]any{"timeout": 0, "force": true}), upos.E_ILLEGAL)
	must(t, call(h, "Claim", map[string]any{"Timeout": 0})) // as the members file writes it
}

// TestSharedNumbers: the code uses the CashChanger's names where the standard gives every class the same numbers.
func TestSharedNumbers(t *testing.T) {
	byName := map[string]int32{}
	for _, c := range upos.Codes() {
		byName[c.Name] = c.Value
	}
	for _, class := range []string{"BACC", "CACC", "BDSP"} {
		for name, value := range byName {
			if suffix, ours := strings.CutPrefix(name, class+"_"); ours && suffix != "DEPOSIT_COMPLETE" {
				if other, ok := byName["CHAN_"+suffix]; !ok || other != value {
					t.Errorf("%s is %d, CHAN_%s is %d", name, value, suffix, other)
				}
			}
		}
	}
	if upos.BACC_DEPOSIT_COMPLETE != upos.CACC_DEPOSIT_COMPLETE || upos.ECHAN_OVERDISPENSE != upos.EBDSP_OVERDISPENSE {
		t.Error("the acceptors' numbers differ")
	}
	var file struct {
		Constants []struct {
			Class, Name string
			Value       int32
		}
	}
	b, err := os.ReadFile("testdata/upos-constants.json")
	must(t, err)
	must(t, json.Unmarshal(b, &file))
	of := 0
	for _, c := range file.Constants {
		if c.Class == "FiscalPrinter" {
			continue
		}
		of++
		if value, ok := byName[c.Name]; !ok || value != c.Value {
			t.Errorf("%s is %d, the vectors say %d", c.Name, value, c.Value)
		}
	}
	if len(upos.Codes()) != of {
		t.Errorf("%d codes, the vectors have %d", len(upos.Codes()), of)
	}
}

func TestErrorsNameThemselves(t *testing.T) {
	e := &upos.Error{Code: upos.E_EXTENDED, Extended: upos.ECHAN_OVERDISPENSE, Message: "no coins"}
	if e.Name() != "E_EXTENDED" || e.Error() != "E_EXTENDED 201: no coins" {
		t.Error(e.Name(), e.Error())
	}
}

package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/configs"
	"coffer/devices"
)

var update = flag.Bool("update", false, "write the golden files of testdata")

func noEnv(string) (string, bool) { return "", false }

// TestSamplesLoad loads every configuration that comes with the program.
func TestSamplesLoad(t *testing.T) {
	files, err := filepath.Glob("../../configs/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	for _, f := range files {
		if _, err := Load(f, noEnv); err != nil {
			t.Error(err)
		}
	}
	for name, text := range map[string][]byte{"demo": configs.Demo, "default": configs.Default, "reference": configs.Reference} {
		if _, err := Parse(name, text, noEnv); err != nil {
			t.Error(err)
		}
	}
}

// TestReferenceNamesEveryKey holds reference.yaml to the types: every yaml key stands in it.
func TestReferenceNamesEveryKey(t *testing.T) {
	text := string(configs.Reference)
	for _, key := range keys(t) {
		if !strings.Contains(text, key+":") {
			t.Errorf("reference.yaml does not explain %s", key)
		}
	}
}

// TestDemo holds the demo to the table of the contract (section 3), as far as its machines exist.
func TestDemo(t *testing.T) {
	cfg, err := Parse("demo.yaml", configs.Demo, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, l := range cfg.Lines {
		for _, d := range l.Devices {
			got[l.Port] = append(got[l.Port], d.Sim+" "+string(d.Currency))
		}
	}
	want := map[string][]string{
		"COM5": {"spectral-payout EUR"}, "COM9": {"scs EUR"}, "COM7": {"nv9 GBP", "scs GBP"}, "COM4": {"twin USD"},
		"COM11": {"hopper4 EUR"}, "COM12": {"nv22 EUR"}, "COM15": {"nv200 EUR"}, "COM21": {"nv11 GBP"},
		"COM18": {"nv4000 USD"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if a, b, c := cfg.HTTP[0].Listen, cfg.HTTP[1].Listen, cfg.HTTP[2].Listen; a != "127.0.0.1:5000" || b != "127.0.0.1:8480" || c != "127.0.0.1:8526" {
		t.Errorf("listeners %s, %s, %s", a, b, c)
	}
	if cfg.DataDir != "" {
		t.Errorf("the demo has a data directory: %s", cfg.DataDir)
	}
}

// TestBad compares what is said of every file in testdata/bad with the .txt beside it.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			_, err := Load(f, noEnv)
			if err == nil {
				t.Fatal("it loads")
			}
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%T: %v", err, err)
			}
			got := filepath.ToSlash(err.Error()) + "\n"
			if strings.Count(got, "\n") != 1 {
				t.Errorf("more than one line: %s", got)
			}
			golden := strings.TrimSuffix(f, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || got != string(want) {
				t.Errorf("%v\n got %s want %s", err, got, want)
			}
		})
	}
}

// TestSessionKey holds all 64 bits: they do not fit a floating-point number.
func TestSessionKey(t *testing.T) {
	lookup := func(string) (string, bool) { return "81985526925837671", true }
	for _, form := range []string{"81985526925837671", "0x123456701234567", "${K}", `"${K}"`, "'81985526925837671'"} {
		cfg, err := Parse("x", []byte("version: 1\nlines:\n  - port: a\n    devices:\n      - id: b\n        address: 0\n        fixed_key: "+form), lookup)
		if err != nil || cfg.Lines[0].Devices[0].FixedKey != 81985526925837671 {
			t.Errorf("%s: %v", form, err)
		}
	}
	if _, err := Parse("x", []byte("version: 1\nlines: [{port: a, devices: [{id: b, address: 0, fixed_key: secret}]}]"), lookup); err == nil {
		t.Error("a word is a key")
	}
}

func TestParse(t *testing.T) {
	env := map[string]string{"LINK": "tcp://10.0.0.7:4001", "KEY": "81985526925837671"}
	cfg, err := Parse("x", []byte(`version: 1
lines:
  - port: /dev/coins
    link: "${LINK}"
    devices:
      - {id: a, address: 16, escrow: true, inhibit: [1, 2], poll: 40ms, fixed_key: "${KEY}"}
http:
  - {listen: "127.0.0.1:0", serve: [ops], users_file: u.yaml}
`), func(n string) (string, bool) { v, ok := env[n]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	want := []devices.LineConfig{{Port: "/dev/coins", Link: "tcp://10.0.0.7:4001", Devices: []devices.DeviceConfig{{
		ID: "a", Address: 16, Escrow: true, Inhibit: []int64{1, 2}, Poll: 40 * time.Millisecond, FixedKey: 81985526925837671,
	}}}}
	if diff := cmp.Diff(want, cfg.Lines); diff != "" {
		t.Error(diff)
	}
}

// TestValidate: what Validate refuses, one change at a time.
func TestValidate(t *testing.T) {
	good := func() *Config {
		cfg, err := Parse("demo.yaml", configs.Demo, noEnv)
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	for name, c := range map[string]struct {
		change func(*Config)
		key    string
	}{
		"data dir":        {func(c *Config) { c.DataDir = "data" }, "data_dir"},
		"level":           {func(c *Config) { c.Log.Level = "loud" }, "log.level"},
		"port twice":      {func(c *Config) { c.Lines[1].Port = "com5" }, "lines[1].port"},
		"id twice":        {func(c *Config) { c.Lines[1].Devices[0].ID = "recycler" }, "lines[1].devices[0].id"},
		"no port":         {func(c *Config) { c.Lines[0].Port = "" }, "lines[0].port"},
		"control":         {func(c *Config) { c.Lines[0].Port = "a\tb" }, "lines[0].port"},
		"no devices":      {func(c *Config) { c.Lines[0].Devices = nil }, "lines[0].devices"},
		"link and sim":    {func(c *Config) { c.Lines[0].Link = "COM1" }, "lines[0].link"},
		"address twice":   {func(c *Config) { c.Lines[2].Devices[1].Address = 0 }, "lines[2].devices[1].address"},
		"half simulated":  {func(c *Config) { c.Lines[2].Devices[1].Sim = "" }, "lines[2].devices[1]"},
		"no currency":     {func(c *Config) { c.Lines[0].Devices[0].Currency = "" }, "lines[0].devices[0].currency"},
		"euro":            {func(c *Config) { c.Lines[0].Devices[0].Currency = "Euro" }, "lines[0].devices[0].currency"},
		"inhibit":         {func(c *Config) { c.Lines[0].Devices[0].Inhibit = []int64{5, 0} }, "lines[0].devices[0].inhibit[1]"},
		"levels":          {func(c *Config) { c.Lines[0].Devices[0].Levels = map[int64]int{7: 1} }, "lines[0].devices[0].levels"},
		"dataset":         {func(c *Config) { c.Lines[0].Devices[0].Dataset[1] = 500 }, "lines[0].devices[0].dataset[1]"},
		"listen":          {func(c *Config) { c.HTTP[0].Listen = "5000" }, "http[0].listen"},
		"every interface": {func(c *Config) { c.HTTP[0].Listen = ":5000" }, "http[0].listen"},
		"listen twice":    {func(c *Config) { c.HTTP[1].Listen = c.HTTP[0].Listen }, "http[1].listen"},
		"serve":           {func(c *Config) { c.HTTP[0].Serve = []string{"cashdevice", "webshop"} }, "http[0].serve[1]"},
		"serve nothing":   {func(c *Config) { c.HTTP[0].Serve = nil }, "http[0].serve"},
		"dialect":         {func(c *Config) { c.HTTP[0].Dialect = "java" }, "http[0].dialect"},
		"dialect of ops":  {func(c *Config) { c.HTTP[1].Dialect = "android" }, "http[1].dialect"},
		"tls":             {func(c *Config) { c.HTTP[0].TLS = &TLS{CertFile: "c.pem"} }, "http[0].tls"},
	} {
		cfg := good()
		c.change(cfg)
		var k keyed
		if err := cfg.Validate(); !errors.As(err, &k) || k.Key() != c.key {
			t.Errorf("%s: %v, want a fault at %s", name, err, c.key)
		}
	}
	cfg := good()
	cfg.HTTP[0].Listen, cfg.HTTP[1].Listen = "127.0.0.1:0", "127.0.0.1:0"
	if err := cfg.Validate(); err != nil {
		t.Errorf("two free ports: %v", err)
	}
}

func TestServerConfig(t *testing.T) {
	for text, want := range map[string]ServerConfig{
		`{"Port": 5001, "AllowedOrigins": ["*"], "AutoClearingCashboxLevels": true, "x": 1}`: {5001, []string{"*"}, true},
		`{"port": "5002", "allowedOrigins": "http://a, http://b"}`:                           {5002, []string{"http://a", "http://b"}, false},
		`{}`: {},
	} {
		file := filepath.Join(t.TempDir(), "serverconfig.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := LoadServerConfig(file)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
	if got, err := LoadServerConfig(filepath.Join(t.TempDir(), "none")); err != nil || got.Address("127.0.0.1:5000") != "127.0.0.1:5000" {
		t.Errorf("no file: %+v, %v", got, err)
	}
	if got := (ServerConfig{Port: 5001}).Address("[::1]:5000"); got != "[::1]:5001" {
		t.Errorf("address %s", got)
	}
}

func TestResolve(t *testing.T) {
	abs := t.TempDir()
	if got := Resolve("/data", abs); got != abs {
		t.Errorf("absolute: %s", got)
	}
	if got := Resolve(abs, "a/b"); got != filepath.Join(abs, "a", "b") {
		t.Errorf("relative: %s", got)
	}
}

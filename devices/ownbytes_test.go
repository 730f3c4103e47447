package devices_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"coffer/devices"
	"coffer/internal/cash"
)

// withProfile reads a device's configuration that names a profile file with the given content.
func withProfile(t *testing.T, content string) (devices.DeviceConfig, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "profile.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	var cfg devices.DeviceConfig
	err := yaml.UnmarshalWithOptions([]byte("id: notes\nprofile: "+path+"\n"), &cfg, yaml.Strict())
	if err != nil {
		return cfg, err
	}
	back, err := yaml.Marshal(cfg)
	if err != nil || !strings.Contains(string(back), "profile: "+path) {
		t.Errorf("written back as %s, %v", back, err)
	}
	return cfg, nil
}

const ownClock = `
clock_get:
  send: "63 01"
  answer: "02 {century:bcd} {year:bcd} {month:bcd} {day:bcd} {any} {hour:bcd} {minute:bcd} {second:bcd}"
clock_set:
  send: "64 01 {century} {year} {month} {day} {hour} {minute} {second}"
  answer: "02"
`

// The bytes of a profile go to a real machine, which gets none of our own.
func TestOwnClock(t *testing.T) {
	cfg, err := withProfile(t, ownClock)
	if err != nil {
		t.Fatal(err)
	}
	inBubble(t, cfg, asRecycler, func(b *bench) {
		b.ready()
		d := b.dev.Device().(devices.Clock)
		b.m.table("64 01", "F0 02")
		b.ok(d.SetTime(b.Context(), time.Date(2026, 11, 21, 8, 20, 59, 0, time.Local)))
		b.m.table("63 01", "F0 02 20 26 11 21 FF 08 21 00")
		got, err := d.Time(b.Context())
		if want := time.Date(2026, 11, 21, 8, 21, 0, 0, time.Local); err != nil || !got.Equal(want) {
			b.Errorf("the clock says %v, %v", got, err)
		}
		b.want([]string{"t 6"}, "t 64 01 14 1A 0B 15 08 14 3B > F0 02", "t 63 01 > F0 02 20 26 11 21 FF 08 21 00")
		for answer, why := range map[string]string{
			"F0 02 20 26 11":                "too short",
			"F0 03 20 26 11 21 FF 08 21 00": "another byte",
			"F0 02 20 26 1A 21 FF 08 21 00": "no digits",
			"F0 02 20 26 13 21 FF 08 21 00": "no month",
			"F0 02 20 26 02 30 FF 08 21 00": "no day",
		} {
			b.m.table("63 01", answer)
			if got, err := d.Time(b.Context()); err == nil {
				b.Errorf("%s: read as %v", why, got)
			}
		}
		b.m.table("63 01", "F2")
		_, err = d.Time(b.Context())
		b.is(err, cash.ErrUnsupported)
		if !b.snapshot().Ready {
			b.Error("an answer that is not understood has cost the connection")
		}
	})
}

// What a profile leaves out stays unsupported.
func TestOwnClockInPart(t *testing.T) {
	cfg, err := withProfile(t, `clock_get: {send: "63", answer: "{year} {month} {day} {hour} {minute} {second}"}`)
	if err != nil {
		t.Fatal(err)
	}
	inBubble(t, cfg, asRecycler, func(b *bench) {
		b.ready()
		d := b.dev.Device().(devices.Clock)
		b.m.table("63", "F0 1A 0B 15 08 15 00")
		_, err := d.Time(b.Context())
		b.ok(err)
		b.is(d.SetTime(b.Context(), time.Now()), cash.ErrUnsupported)
	})
}

func TestOwnBytesRefused(t *testing.T) {
	const fields = "{year} {month} {day} {hour} {minute} {second}"
	for name, content := range map[string]string{
		"no YAML":           "clock_get: [",
		"unknown key":       "clock_got: {send: \"63\", answer: \"" + fields + "\"}",
		"unknown inner key": "clock_get: {send: \"63\", answer: \"" + fields + "\", repeat: 1}",
		"nothing to send":   "clock_get: {answer: \"" + fields + "\"}",
		"no command":        "clock_set: {send: \"" + fields + "\"}",
		"a payout":          "clock_get: {send: \"33\", answer: \"" + fields + "\"}",
		"a poll":            "clock_get: {send: \"56\", answer: \"" + fields + "\"}",
		"no byte":           "clock_get: {send: \"63 1\", answer: \"" + fields + "\"}",
		"unknown field":     "clock_get: {send: \"63\", answer: \"" + fields + " {moon}\"}",
		"field twice":       "clock_get: {send: \"63\", answer: \"" + fields + " {year}\"}",
		"field missing":     "clock_get: {send: \"63\", answer: \"{year} {month} {day} {hour} {minute}\"}",
		"field in the ask":  "clock_get: {send: \"63 {year}\", answer: \"" + fields + "\"}",
		"any is sent":       "clock_set: {send: \"64 " + fields + " {any}\"}",
	} {
		if cfg, err := withProfile(t, content); err == nil {
			t.Errorf("%s: taken as %+v", name, cfg.Profile)
		}
	}
	var cfg devices.DeviceConfig
	if err := yaml.Unmarshal([]byte("profile: /nowhere/at/all.yaml\n"), &cfg); err == nil {
		t.Error("a file that is not there is taken")
	}
}

package devices_test

import (
	"os"
	"path/filepath"
	"slices"
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

const ownCoins = `
coin_acceptance:     {send: "A0 {unit}", answer: "{percent:bcd} {seen:u16} {accepted:u32}"}
global_error:        {send: "A1", answer: "{error1} 00 {error0}"}
payout_count:        {send: "A2", answer: "{coins:u16}"}
lifter_status:       {send: "A3", answer: "{connected} {any} {jammed} {opto_clear}"}
module_service_information: {send: "A4 {module} {sub}", answer: "{field1:u32} {field2:ascii}"}
maintenance_reset:   {send: "A5 {year:bcd} {week:ascii}", answer: "01"}
`

// What coin machines are asked goes in the site's bytes, too; what the profile leaves out is not guessed.
func TestOwnCoinMachine(t *testing.T) {
	cfg, err := withProfile(t, ownCoins)
	if err != nil {
		t.Fatal(err)
	}
	inBubble(t, cfg, asCoinSystem, func(b *bench) {
		b.ready()
		d := b.dev.Device()
		for ask, answer := range map[string]string{
			"A0 01": "F0 97 E8 03 02 00 01 00", "A1": "F0 07 00 06", "A2": "F0 2C 01", "A3": "F0 01 FF 00 01",
			"A4 03 05": "F0 04 03 02 01 34 32", "A5 26 30 37": "F0 01",
		} {
			b.m.table(ask, answer)
		}
		acceptance, err := d.(devices.CoinHealth).CoinAcceptance(b.Context(), 1)
		if want := (devices.CoinAcceptance{Percent: 97, Seen: 1000, Accepted: 65538}); err != nil || acceptance != want {
			b.Errorf("acceptance %+v, %v", acceptance, err)
		}
		if code, err := d.(devices.CoinHealth).GlobalError(b.Context()); err != nil || code != [2]byte{6, 7} {
			b.Errorf("error code %v, %v", code, err)
		}
		if n, err := d.(devices.CoinHealth).PayoutCount(b.Context()); err != nil || n != 300 {
			b.Errorf("%d coins, %v", n, err)
		}
		if s, err := d.(devices.Lifter).LifterStatus(b.Context()); err != nil || s != (devices.LifterStatus{Connected: true, OptoClear: true}) {
			b.Errorf("lifter %+v, %v", s, err)
		}
		fields, err := d.(devices.Servicer).ModuleServiceInformation(b.Context(), 3, 5)
		if err != nil || !slices.Equal(fields, []uint32{0x01020304, 42}) {
			b.Errorf("service book %v, %v", fields, err)
		}
		b.ok(d.(devices.Servicer).SetMaintenanceReset(b.Context(), 7, 26))
		b.is(d.(devices.CoinHealth).SetPayoutLimit(b.Context(), 5), cash.ErrUnsupported)
		_, _, err = d.(devices.CashboxCounter).CashboxLevels(b.Context())
		b.is(err, cash.ErrUnsupported)
	})
}

// A note machine's service book.
func TestOwnServiceBook(t *testing.T) {
	cfg, err := withProfile(t, `service_information: {send: "A6 {sub}", answer: "{any} {field1:u16} {field2:u16}"}`)
	if err != nil {
		t.Fatal(err)
	}
	inBubble(t, cfg, asRecycler, func(b *bench) {
		b.ready()
		d := b.dev.Device().(devices.Servicer)
		b.m.table("A6 02", "F0 09 01 00 02 00")
		fields, err := d.ServiceInformation(b.Context(), 2)
		if err != nil || !slices.Equal(fields, []uint32{1, 2}) {
			b.Errorf("service book %v, %v", fields, err)
		}
		b.m.table("A6 02", "F0 09 01 00")
		if fields, err := d.ServiceInformation(b.Context(), 2); err == nil {
			b.Errorf("read as %v", fields)
		}
		_, err = d.ModuleServiceInformation(b.Context(), 5, 0)
		b.is(err, cash.ErrUnsupported)
		b.is(d.SetMaintenanceReset(b.Context(), 7, 26), cash.ErrUnsupported)
	})
}

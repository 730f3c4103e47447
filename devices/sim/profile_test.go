package sim

import (
	"slices"
	"testing"

	"coffer/ssp"
)

// TestProfiles: the rows of ssp.md 19 for the machines there are.
func TestProfiles(t *testing.T) {
	validator := []byte{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11, 0x17, 0x18, 0x20, 0x21,
		0x23, 0x24, 0x25, 0x26, 0x27, 0x4A, 0x4B, 0x4C, 0x4F, 0x54, 0x56, 0x57, 0x58, 0x59, 0x0B}
	recycler := append(slices.Clone(validator), 0x22, 0x30, 0x33, 0x35, 0x38, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F, 0x44, 0x46, 0x4D, 0x4E, 0x52, 0x53,
		0x5B, 0x5C, 0x60, 0x61, 0x62, 0x63, 0x64, 0x6F)
	payout := append(slices.Clone(recycler), 0x76, 0x77, 0x78, 0x79, 0x7A)
	float := append(slices.Clone(validator), 0x3B, 0x3C, 0x3F, 0x41, 0x42, 0x43, 0x45, 0x4D, 0x52, 0x53, 0x5B, 0x5C, 0x60, 0x61)
	hopper := []byte{0x01, 0x05, 0x06, 0x07, 0x09, 0x0A, 0x0C, 0x11, 0x20, 0x21, 0x22, 0x33, 0x34, 0x35, 0x37, 0x38, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F,
		0x40, 0x44, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F, 0x50, 0x51, 0x52, 0x53, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x60, 0x61,
		0x30, 0x39, 0x5D, 0x62, 0x63, 0x64, // these in our coding
		0x0B}
	coins := append(slices.Clone(hopper), 0x3A)
	clocked := append(slices.Clone(validator), 0x62, 0x63, 0x64)
	want := map[string]struct {
		unit     byte
		commands []byte
	}{
		"nv9": {0, validator}, "nv10": {0, validator}, "nv200": {0, clocked}, "nv22-validator": {0, validator}, "scu": {0, append(slices.Clone(clocked), 0x30)},
		"spectral-payout": {6, payout}, "mne": {6, payout}, "nv22": {6, recycler}, "nv11": {7, float}, "scs": {9, coins}, "scs-lifter": {9, coins},
		"hopper3": {3, hopper}, "hopper4": {3, hopper}, "twin": {9, coins},
		"nv4000": {6, slices.DeleteFunc(slices.Clone(payout), func(c byte) bool { return c == 0x4E })},
	}
	for _, name := range Profiles() {
		w, ok := want[name]
		p, err := findProfile(name)
		if err != nil || !ok {
			t.Errorf("profile %s: %v, expected %v", name, err, ok)
			continue
		}
		if p.UnitType != w.unit {
			t.Errorf("%s: unit type %d", name, p.UnitType)
		}
		for c := range 256 {
			if p.commands[ssp.Command(c)] != slices.Contains(w.commands, byte(c)) {
				t.Errorf("%s: command %v: %v", name, ssp.Command(c), p.commands[ssp.Command(c)])
			}
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("no profile %s", name)
	}
}

// TestDatasetOfProfile: a machine whose configuration names no denominations has those of its profile in that currency.
func TestDatasetOfProfile(t *testing.T) {
	m, err := NewWorld(nil).AddLine("COM5").AddMachine(0, "spectral-payout", Options{Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, row := range m.Truth().Payout {
		got = append(got, row.Value)
	}
	if want := []int64{500, 1000, 2000, 5000, 10000, 20000, 50000}; !slices.Equal(got, want) {
		t.Errorf("dataset %v, want %v", got, want)
	}
}

// TestSplit: the highest first, and not only the obvious choice.
func TestSplit(t *testing.T) {
	for _, c := range []struct {
		want int64
		have map[int64]int
		take []int64
		ok   bool
	}{
		{1500, map[int64]int{500: 4, 1000: 4}, []int64{1000, 500}, true},
		{600, map[int64]int{500: 1, 200: 3}, []int64{200, 200, 200}, true},
		{80, map[int64]int{50: 1, 20: 4}, []int64{20, 20, 20, 20}, true},
		{30, map[int64]int{20: 1, 50: 9}, nil, false},
		{0, map[int64]int{20: 1}, nil, true},
		{999999, map[int64]int{2: 1000, 4: 1000, 6: 1000, 8: 1000, 10: 10000, 20: 10000, 50: 10000, 100: 10000}, nil, false},
	} {
		have := map[denom]int{}
		for v, n := range c.have {
			have[denom{v, "EUR"}] = n
		}
		got, ok := split(c.want, have)
		var values []int64
		for _, d := range got {
			values = append(values, d.value)
		}
		if ok != c.ok || !slices.Equal(values, c.take) {
			t.Errorf("%d of %v: %v, %v", c.want, c.have, values, ok)
		}
	}
}

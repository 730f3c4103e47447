package ssp_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"coffer/ssp"
)

func notes(t ssp.UnitType, protocol byte, values ...int64) ssp.Setup {
	s := ssp.Setup{UnitType: t, Firmware: "0430", Currency: "EUR", ValueMultiplier: 1, RealMultiplier: 100, Protocol: protocol}
	for _, v := range values {
		s.Channels = append(s.Channels, ssp.SetupChannel{Value: v, Currency: "EUR", Security: 2})
	}
	return s
}

func TestSetup(t *testing.T) {
	five := notes(ssp.TypeValidator, 4, 500, 1000, 2000)
	five.ValueMultiplier = 5
	coins := ssp.Setup{UnitType: ssp.TypeHopper, Firmware: "0100", Currency: "EUR", Protocol: 5,
		Channels: []ssp.SetupChannel{{Value: 10, Currency: "EUR"}, {Value: 200, Currency: "EUR"}}}
	coins6 := coins
	coins6.UnitType, coins6.Protocol = ssp.TypeCoinSystem, 8
	big := notes(ssp.TypePayout, 8, 50000, 100000)
	big.Channels[1].Currency = "CHF"
	printer := ssp.Setup{UnitType: ssp.TypePrinter, Firmware: "0101", Protocol: 6,
		Printer: &ssp.PrinterSetup{Cutter: 1, FontPack: [3]byte{1, 2, 3}, Darkness: 3}}
	for _, c := range []struct {
		name string
		s    ssp.Setup
		size int
	}{
		{"validator v5", notes(ssp.TypeValidator, 5, 500, 1000), 16 + 2*2},
		{"validator v4 by fives", five, 16 + 2*3},
		{"payout v8", notes(ssp.TypePayout, 8, 500, 1000, 20000), 16 + 9*3},
		{"values beyond a byte, two currencies", big, 16 + 9*2},
		{"note float v6", notes(ssp.TypeNoteFloat, 6, 500), 16 + 9},
		{"no channels", notes(ssp.TypePayout, 8), 16},
		{"hopper v5", coins, 10 + 2*2},
		{"coin system v8", coins6, 10 + 5*2},
		{"printer", printer, 15},
	} {
		wire := c.s.Append(nil)
		got, err := ssp.ParseSetup(wire)
		if c.s.Channels == nil && c.s.Printer == nil {
			c.s.Channels = []ssp.SetupChannel{}
		}
		if err != nil || len(wire) != c.size || !reflect.DeepEqual(got, c.s) {
			t.Errorf("%s: %d bytes, %+v, %v; want %d, %+v", c.name, len(wire), got, err, c.size, c.s)
		}
		for _, bad := range [][]byte{wire[:len(wire)-1], append(bytes.Clone(wire), 0)} {
			if got, err := ssp.ParseSetup(bad); !errors.Is(err, ssp.ErrShort) {
				t.Errorf("%s in %d bytes: %+v, %v", c.name, len(bad), got, err)
			}
		}
	}
}

// TestSetupOfCoinSystemAsValidator is the other reading of type 09 (section 8.2).
func TestSetupOfCoinSystemAsValidator(t *testing.T) {
	for _, protocol := range []byte{5, 8} {
		want := notes(ssp.TypePayout, protocol, 100, 200, 500)
		wire := want.Append(nil)
		wire[0], want.UnitType = byte(ssp.TypeCoinSystem), ssp.TypeCoinSystem
		if got, err := ssp.ParseSetup(wire); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("version %d: %+v, %v; want %+v", protocol, got, err, want)
		}
	}
}

// TestReplies: what the machine's side writes the host's side reads, and nothing else.
func TestReplies(t *testing.T) {
	levels := []ssp.LevelEntry{{Level: 65535, Value: 500, Currency: "EUR"}, {Level: 0, Value: 1000, Currency: "EUR"}}
	data := ssp.UnitData{UnitType: ssp.TypePayout, Firmware: "0430", Currency: "EUR", ValueMultiplier: 5, Protocol: 8}
	for _, c := range []struct {
		name  string
		wire  []byte
		parse func(b []byte) (any, error)
		want  any
	}{
		{"levels", ssp.AppendLevels(nil, levels), func(b []byte) (any, error) { return ssp.ParseLevels(b) }, levels},
		{"cashbox data", ssp.AppendCashboxData(nil, two, 7), func(b []byte) (any, error) {
			l, n, err := ssp.ParseCashboxData(b)
			return fmt.Sprint(l, n), err
		}, fmt.Sprint(two, 7)},
		{"module levels", ssp.AppendModuleLevels(nil, levels, 60), func(b []byte) (any, error) {
			l, n, err := ssp.ParseModuleLevels(b)
			return fmt.Sprint(l, n), err
		}, fmt.Sprint(levels, 60)},
		{"5 counters", ssp.AppendCounters(nil, []uint32{1, 2, 3, 4, 5}), anyCounters, []uint32{1, 2, 3, 4, 5}},
		{"9 counters", ssp.AppendCounters(nil, make([]uint32, 9)), anyCounters, make([]uint32, 9)},
		{"serial", ssp.AppendSerial(nil, 0x01020304), func(b []byte) (any, error) { return ssp.ParseSerial(b) }, uint32(0x01020304)},
		{"level", ssp.AppendLevel(nil, 300), func(b []byte) (any, error) { return ssp.ParseLevel(b) }, uint16(300)},
		{"minimum", ssp.AppendMinimumPayout(nil, 300), func(b []byte) (any, error) { return ssp.ParseMinimumPayout(b) }, uint32(300)},
		{"route", ssp.AppendRoute(nil, true), func(b []byte) (any, error) { return ssp.ParseRoute(b) }, true},
		{"unit data", data.Append(nil), func(b []byte) (any, error) { return ssp.ParseUnitData(b) }, data},
		{"short values", ssp.ChannelValues{Bytes: []byte{1, 2}}.Append(nil), func(b []byte) (any, error) { return ssp.ParseChannelValues(b) },
			ssp.ChannelValues{Bytes: []byte{1, 2}}},
		{"security", ssp.AppendChannelBytes(nil, []byte{2, 2, 4}), func(b []byte) (any, error) { return ssp.ParseChannelBytes(b) }, []byte{2, 2, 4}},
		{"barcode", ssp.BarcodeConfig{Hardware: 1, Enabled: 1, Format: 1, Characters: 18}.Append(nil),
			func(b []byte) (any, error) { return ssp.ParseBarcodeConfig(b) },
			ssp.BarcodeConfig{Hardware: 1, Enabled: 1, Format: 1, Characters: 18}},
		{"reject", []byte{8}, func(b []byte) (any, error) { return ssp.ParseRejectCode(b) }, ssp.RejectByHost},
		{"revisions", ssp.AppendRevisions(nil, []ssp.Revision{{Module: 6, Revision: 0x090A}}),
			func(b []byte) (any, error) { return ssp.ParseRevisions(b) }, []ssp.Revision{{Module: 6, Revision: 0x090A}}},
	} {
		if got, err := c.parse(c.wire); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
		for _, bad := range [][]byte{c.wire[:len(c.wire)-1], append(bytes.Clone(c.wire), 1)} {
			if got, err := c.parse(bad); !errors.Is(err, ssp.ErrShort) {
				t.Errorf("%s in %d bytes: %v, %v", c.name, len(bad), got, err)
			}
		}
	}
	if got := (ssp.Revision{Module: 6, Revision: 0x090A}).String(); got != "9.10" {
		t.Errorf("revision %s, want 9.10", got)
	}
}

func anyCounters(b []byte) (any, error) { return ssp.ParseCounters(b) }

func TestCounterNames(t *testing.T) {
	for n, want := range map[int]int{5: 5, 6: 6, 8: 8, 9: 9, 7: 0} {
		if got := ssp.CounterNames(n); len(got) != want {
			t.Errorf("%d counters have names %v", n, got)
		}
	}
}

func TestBarcodeInhibit(t *testing.T) {
	for want, c := range map[byte][2]bool{0xFC: {true, true}, 0xFD: {false, true}, 0xFE: {true, false}, 0xFF: {false, false}} {
		if got := ssp.BarcodeInhibit(c[0], c[1]); got != want {
			t.Errorf("%v: 0x%02X, want 0x%02X", c, got, want)
		}
		notes, tickets, err := ssp.ParseBarcodeInhibit([]byte{want})
		if err != nil || notes != c[0] || tickets != c[1] {
			t.Errorf("0x%02X: %t, %t, %v", want, notes, tickets, err)
		}
	}
}

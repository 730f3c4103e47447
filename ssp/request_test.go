package ssp_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"coffer/ssp"
)

func ptr(b byte) *byte { return &b }

var two = []ssp.DenomCount{{Count: 1, Value: 500, Currency: "EUR"}, {Count: 0x0203, Value: 1000, Currency: "EUR"}}

const twoHex = "02 0100 F4010000 455552 0302 E8030000 455552"

// TestRequestBytes is what builders make, where no vector shows it; sections 9, 10 and 16.
func TestRequestBytes(t *testing.T) {
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"inhibits of 3 channels", ssp.SetInhibits([]bool{true, false, true}), "02 05"},
		{"inhibits of 9", ssp.SetInhibits([]bool{8: true}), "02 00 01"},
		{"inhibits of 24", ssp.SetInhibits([]bool{23: true}), "02 00 00 80"},
		{"inhibits of 25", ssp.SetInhibits([]bool{24: true}), "02 00 00 00"},
		{"inhibits of none", ssp.SetInhibits(nil), "02 00"},
		{"serial", ssp.GetSerialNumber(), "0C"},
		{"payout test", ssp.PayoutAmount(8, 1500, "EUR", false), "33 DC050000 455552 19"},
		{"payout, odd currency", ssp.PayoutAmount(8, 1500, "E", true), "33 DC050000 455858 58"},
		{"float by denomination", ssp.FloatByDenomination(two, true), "44" + twoHex + "58"},
		{"payout by denomination", ssp.PayoutByDenomination(two, false), "46" + twoHex + "19"},
		{"float v5", ssp.FloatAmount(5, 500, 1000, "EUR", true), "3D F401 E8030000"},
		{"float v6", ssp.FloatAmount(6, 500, 1000, "EUR", true), "3D F401 E8030000 455552 58"},
		{"route of a note below 6", ssp.SetRoute(5, false, 500, "", false), "3B 00 F4010000"},
		{"route of a coin below 6", ssp.GetRoute(5, 50, "", true), "3C 3200"},
		{"level v8", ssp.GetDenominationLevel(8, 500, "EUR"), "35 F4010000 455552"},
		{"coin mech v5", ssp.SetCoinMechInhibit(5, true, 200, "EUR"), "40 01 C800"},
		{"coin mech v8", ssp.SetCoinMechInhibit(8, false, 200, "EUR"), "40 00 C800 455552"},
		{"minimum v5", ssp.GetMinimumPayout(5, "EUR"), "3E"},
		{"minimum v8", ssp.GetMinimumPayout(8, "EUR"), "3E 455552"},
		{"limit", ssp.SetCashboxPayoutLimit(two), "4E" + twoHex},
		{"global inhibit", ssp.CoinMechGlobalInhibit(true), "49 01"},
		{"coin mech options", ssp.CoinMechOptions(true), "5A 01"},
		{"calibration", ssp.SetCalibration(true), "47 01"},
		{"enable payout", ssp.EnablePayoutDevice(nil), "5C"},
		{"enable payout with option", ssp.EnablePayoutDevice(ptr(ssp.PayoutGiveValue)), "5C 01"},
		{"smart empty", ssp.SmartEmpty(nil), "52"},
		{"smart empty module", ssp.SmartEmpty(ptr(5)), "52 05"},
		{"reporting", ssp.SetReportingType(true), "45 01"},
		{"program", ssp.Program(ssp.ProgramLoader), "0B 03"},
		{"clock", ssp.SetClock(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)), "64 1A 03 04 05 06 07"},
		{"coin escrow", ssp.CoinEscrow(true), "3A 01"},
		{"stir", ssp.CoinStir(9), "5D 09"},
		{"escrow size", ssp.SetEscrowSize(20), "7A 14"},
		{"split", ssp.SplitPayout(ssp.Split{First: 1, Second: 2, At: 3, Currency: "EUR", Commit: true}),
			"39 01000000 02000000 03000000 455552 58"},
		{"refill", ssp.SetRefillMode(false), "30 05 81 10 11 00"},
		{"refill?", ssp.GetRefillMode(), "30 05 81 10 01"},
		{"replenish", ssp.Replenish(300), "30 E0 05 2C01"},
		{"payout limit", ssp.SetPayoutLimit(50), "30 E0 14 3200"},
		{"cashbox level", ssp.AddCashboxLevel(two[0]), "30 E0 17 0100 F4010000 455552"},
		{"recycler route", ssp.ExpandMoney(ssp.ExpSetRecyclerRoute, 500, "EUR", 2), "30 E0 01 02 F4010000 455552"},
		{"sorter route", ssp.ExpandMoney(ssp.ExpSetSorterRoute, 5, "EUR", 1), "30 05 85 01 05000000 455552"},
	} {
		want, err := hex.DecodeString(strings.ReplaceAll(c.want, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(c.got, want) {
			t.Errorf("%s: % X, want % X", c.name, c.got, want)
		}
	}
}

// results gathers what a parser returns.
func results(v ...any) []any { return v }

// TestRequestParsers reads what the builders made, and refuses the same with a byte less or more.
func TestRequestParsers(t *testing.T) {
	for _, c := range []struct {
		data  []byte
		parse func(p []byte) ([]any, error)
		want  []any
	}{
		{ssp.FloatAmount(8, 500, 1000, "EUR", true), func(p []byte) ([]any, error) {
			v, err := ssp.ParseFloatAmount(8, p)
			return results(v), err
		}, results(ssp.Float{MinPayout: 500, Value: 1000, Currency: "EUR", Commit: true})},
		{ssp.FloatAmount(4, 500, 1000, "", true), func(p []byte) ([]any, error) {
			v, err := ssp.ParseFloatAmount(4, p)
			return results(v), err
		}, results(ssp.Float{MinPayout: 500, Value: 1000, Commit: true})},
		{ssp.PayoutAmount(8, 1500, "EUR", false), func(p []byte) ([]any, error) {
			v, err := ssp.ParsePayoutAmount(8, p)
			return results(v), err
		}, results(ssp.Payout{Value: 1500, Currency: "EUR"})},
		{ssp.FloatByDenomination(two, false), func(p []byte) ([]any, error) {
			v, commit, err := ssp.ParseDenominations(p)
			return results(v, commit), err
		}, results(two, false)},
		{ssp.SetCashboxPayoutLimit(two), func(p []byte) ([]any, error) {
			v, err := ssp.ParseCashboxLimit(p)
			return results(v), err
		}, results(two)},
		{ssp.SetCoinMechInhibit(5, true, 200, ""), func(p []byte) ([]any, error) {
			v, err := ssp.ParseCoinMechInhibit(5, p)
			return results(v), err
		}, results(ssp.CoinInhibit{Accept: true, Value: 200})},
		{ssp.SetCoinMechInhibit(8, true, 200, "EUR"), func(p []byte) ([]any, error) {
			v, err := ssp.ParseCoinMechInhibit(8, p)
			return results(v), err
		}, results(ssp.CoinInhibit{Accept: true, Value: 200, Currency: "EUR"})},
		{ssp.SplitPayout(ssp.Split{First: 1, Second: 2, At: 3, Currency: "EUR"}), func(p []byte) ([]any, error) {
			v, err := ssp.ParseSplitPayout(p)
			return results(v), err
		}, results(ssp.Split{First: 1, Second: 2, At: 3, Currency: "EUR"})},
		{ssp.SetClock(time.Date(2026, 2, 28, 23, 59, 58, 0, time.UTC)), func(p []byte) ([]any, error) {
			v, err := ssp.ParseClock(p, time.UTC)
			return results(v), err
		}, results(time.Date(2026, 2, 28, 23, 59, 58, 0, time.UTC))},
		{ssp.CoinMechGlobalInhibit(true), func(p []byte) ([]any, error) {
			v, err := ssp.ParseFlag(p)
			return results(v), err
		}, results(true)},
		{ssp.CmdPoll.Data(), func(p []byte) ([]any, error) { return nil, ssp.ParseNone(p) }, nil},
	} {
		cmd, p := ssp.Command(c.data[0]), c.data[1:]
		if got, err := c.parse(p); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: %+v, %v; want %+v", cmd, got, err, c.want)
		}
		if _, err := c.parse(append(bytes.Clone(p), 0)); !errors.Is(err, ssp.ErrParamCount) {
			t.Errorf("%v with a byte too many: %v", cmd, err)
		}
		if len(p) == 0 {
			continue
		}
		if _, err := c.parse(p[:len(p)-1]); !errors.Is(err, ssp.ErrParamCount) {
			t.Errorf("%v with a byte too few: %v", cmd, err)
		}
	}
}

// TestRequestValues: parameters of the right length and a wrong value.
func TestRequestValues(t *testing.T) {
	_, _, optionErr := ssp.ParseDenominations([]byte{0, 0x20})
	_, routeErr := ssp.ParseSetRoute(8, append([]byte{2}, vc(5, "EUR")...))
	_, currencyErr := ssp.ParsePayoutAmount(8, append(vc(5, "eu1"), 0x58))
	_, _, baudErr := ssp.ParseBaudRate([]byte{3, 0})
	_, bezelErr := ssp.ParseBezel([]byte{0, 0, 0, 0, 3})
	_, _, _, barcodeErr := ssp.ParseSetBarcodeConfig([]byte{0, 1, 25})
	_, clockErr := ssp.ParseClock([]byte{26, 2, 30, 0, 0, 0}, time.UTC)
	_, flagErr := ssp.ParseFlag([]byte{2})
	for name, err := range map[string]error{"option": optionErr, "route": routeErr, "currency": currencyErr, "baud": baudErr,
		"bezel": bezelErr, "barcode": barcodeErr, "clock": clockErr, "flag": flagErr} {
		if !errors.Is(err, ssp.ErrParamRange) || ssp.ReplyTo(err) != ssp.OutOfRange {
			t.Errorf("%s: %v is answered %v", name, err, ssp.ReplyTo(err))
		}
	}
	_, unknownErr := errExpansion([]byte{0x77})
	for err, want := range map[error]ssp.Reply{nil: ssp.OK, ssp.ErrParamCount: ssp.WrongParameters,
		unknownErr: ssp.UnknownCommand, ssp.ErrShort: ssp.CannotProcess} {
		if got := ssp.ReplyTo(err); got != want {
			t.Errorf("%v is answered %v, want %v", err, got, want)
		}
	}
}

func errExpansion(p []byte) (ssp.Expansion, error) {
	e, _, err := ssp.ParseExpansion(p)
	return e, err
}

func TestOptionalParameters(t *testing.T) {
	for _, c := range []struct {
		p     []byte
		v     byte
		given bool
		err   error
	}{
		{nil, 0, false, nil}, {[]byte{5}, 5, true, nil}, {[]byte{5, 5}, 5, false, ssp.ErrParamCount},
	} {
		v, given, err := ssp.ParseOptionalByte(c.p)
		if v != c.v || given != c.given || !errors.Is(err, c.err) {
			t.Errorf("% X: %d, %t, %v", c.p, v, given, err)
		}
	}
	if z, err := ssp.ParseBezel([]byte{1, 2, 3, 1}); err != nil || z != (ssp.Bezel{Red: 1, Green: 2, Blue: 3, Store: true}) {
		t.Errorf("bezel without type: %+v, %v", z, err)
	}
	if cc, err := ssp.ParseMinimumPayoutRequest(nil); err != nil || cc != "" {
		t.Errorf("minimum payout without currency: %q, %v", cc, err)
	}
	if d, err := ssp.ParseSetLevel(5, []byte{1, 0, 2, 0, 0, 0}); err != nil || d.Value != 2 {
		t.Errorf("level with four bytes of value: %+v, %v", d, err)
	}
}

// TestExpansions: every sub-command is told from every other, and one whose arguments miss is refused.
func TestExpansions(t *testing.T) {
	for e := ssp.ExpSetRefillMode; e <= ssp.ExpActivateDataset; e++ {
		args := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}
		data := ssp.Expand(e, args...)
		got, gotArgs, err := ssp.ParseExpansion(data[1:])
		if got != e || err != nil || !bytes.Equal(gotArgs, args) || e.String() == "UNKNOWN EXPANSION" {
			t.Errorf("%v: %v % X, %v", e, got, gotArgs, err)
		}
	}
	if _, _, err := ssp.ParseExpansion([]byte{0x05, 0x81, 0x10, 0x11}); !errors.Is(err, ssp.ErrParamCount) {
		t.Errorf("refill mode without mode: %v", err)
	}
	if e, err := errExpansion([]byte{0x05, 0x81, 0x10, 0x11, 1, 0x52, 0xF5}); e != ssp.ExpSetRefillMode || err != nil {
		t.Errorf("refill mode with the checksum of the manual's example behind it: %v, %v", e, err)
	}
}

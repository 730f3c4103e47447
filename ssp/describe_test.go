package ssp_test

import (
	"strings"
	"testing"

	"coffer/ssp"
)

func TestDescribe(t *testing.T) {
	ok := func(b ...byte) []byte { return append([]byte{0xF0}, b...) }
	for _, c := range []struct {
		data []byte
		host bool
		want string
	}{
		{ssp.CmdPoll.Data(), true, "POLL"},
		{nil, true, "empty"},
		{[]byte{0x99, 1}, true, "0x99 01"},
		{[]byte{ssp.STEX, 1, 2}, true, "encrypted, 2 bytes"},
		{[]byte{0x33, 1}, true, "PAYOUT AMOUNT 01"},
		{ssp.PayoutAmount(8, 1500, "EUR", true), true, "PAYOUT AMOUNT EUR 1500 commit"},
		{ssp.PayoutByDenomination(two, false), true, "PAYOUT BY DENOMINATION 1 × EUR 500, 515 × EUR 1000 test"},
		{ssp.SetInhibits([]bool{true, false, true}), true, "SET INHIBITS channels 1 3"},
		{ssp.SetInhibits(nil), true, "SET INHIBITS none"},
		{ssp.SetRoute(8, true, 500, "EUR", false), true, "SET DENOMINATION ROUTE EUR 500 to cashbox"},
		{ssp.SetFixedKey(42), true, "SET FIXED KEY ***"},
		{ssp.SetRefillMode(true), true, "SET REFILL MODE 01"},
		{ssp.ConfigureBezel(ssp.Bezel{Red: 255}), true, "CONFIGURE BEZEL #FF0000 volatile type 0"},
		{ssp.SetBaudRate(ssp.Baud115200, true), true, "SET BAUD RATE 115200 stored"},
		{nil, false, "empty"},
		{ok(), false, "OK"},
		{[]byte{0xF5, 3}, false, "CANNOT BE PROCESSED 03"},
		{ok(0xCC, 0xEE, 2), false, "OK STACKING, CREDIT channel 2"},
		{ok([]byte("NVS2004")...), false, `OK 4E 56 53 32 30 30 34 "NVS2004"`},
	} {
		if got := ssp.Describe(c.data, c.host, 8, false); got != c.want {
			t.Errorf("% X: %q, want %q", c.data, got, c.want)
		}
	}
}

func TestDescribeReply(t *testing.T) {
	for _, c := range []struct {
		cmd  ssp.Command
		rest []byte
		want string
	}{
		{ssp.CmdPoll, []byte{0xE8, 0x42, 0xEE}, "OK DISABLED then poll answer unreadable from byte 1, event 0x42: unknown code"},
		{ssp.CmdGetSerialNumber, []byte{0, 0, 1, 0}, "OK 256"},
		{ssp.CmdGetFirmware, []byte("NVS2004301038000"), "OK NVS2004301038000"},
		{ssp.CmdSetupRequest, notes(ssp.TypePayout, 8, 500, 1000).Append(nil), "OK VALIDATOR WITH PAYOUT firmware 0430 protocol 8 EUR 500 1000"},
		{ssp.CmdGetCounters, ssp.AppendCounters(nil, []uint32{1, 2, 3, 4, 5}), "OK stacked 1, stored 2, dispensed 3, transferred 4, rejected 5"},
		{ssp.CmdGetAllLevels, ssp.AppendLevels(nil, []ssp.LevelEntry{{Level: 3, Value: 500, Currency: "EUR"}}), "OK 3 × EUR 500"},
		{ssp.CmdCashboxPayoutData, ssp.AppendCashboxData(nil, two[:1], 2), "OK 1 × EUR 500, unknown 2"},
		{ssp.CmdLastRejectCode, []byte{8}, "OK 8 rejected by host"},
		{ssp.CmdGetBuildRevision, []byte{6, 10, 9}, "OK module 6 revision 9.10"},
		{ssp.CmdGetOptions, []byte{0x26, 0}, "OK REG0 0x26 REG1 0x00"},
		{ssp.CmdGetNotePositions, ssp.NotePositions{Values: []uint32{500, 1000}}.Append(nil), "OK [500 1000]"},
		{ssp.CmdGetAllLevels, []byte{9}, "OK 09"},
		{ssp.CmdSetInhibits, nil, "OK"},
	} {
		got := ssp.DescribeReply(c.cmd, append([]byte{0xF0}, c.rest...), 8, false)
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%v: %q, want %q", c.cmd, got, c.want)
		}
	}
}

// TestDescribeAnything: every command with any parameters has words, and none makes it panic.
func TestDescribeAnything(t *testing.T) {
	for code := range 256 {
		for n := range 24 {
			data := make([]byte, 1+n)
			for i := range data {
				data[i] = byte(i * n)
			}
			data[0] = byte(code)
			if code != ssp.STEX && !strings.HasPrefix(ssp.Describe(data, true, 4+n%6, n%2 == 0), ssp.Command(code).String()) && code != 0x30 {
				t.Errorf("% X: %q", data, ssp.Describe(data, true, 8, false))
			}
			data[0] = 0xF0
			if got := ssp.DescribeReply(ssp.Command(code), data, 8, n%2 == 0); !strings.HasPrefix(got, "OK") {
				t.Errorf("%v % X: %q", ssp.Command(code), data, got)
			}
		}
	}
}

package ssp_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"coffer/ssp"
)

// commandList is sections 9.1 to 9.7.
const commandList = `01 RESET|02 SET INHIBITS|03 DISPLAY ON|04 DISPLAY OFF|05 SETUP REQUEST|06 HOST PROTOCOL VERSION|07 POLL
08 REJECT NOTE|09 DISABLE|0A ENABLE|0B PROGRAM|0C GET SERIAL NUMBER|0D UNIT DATA|0E CHANNEL VALUES|0F CHANNEL SECURITY
10 CHANNEL RE-TEACH|11 SYNC|16 PROGRAM STATUS|17 LAST REJECT CODE|18 HOLD|19 ENABLE HIGHER PROTOCOL EVENTS
20 GET FIRMWARE VERSION|21 GET DATASET VERSION|22 GET ALL LEVELS|23 GET BARCODE CONFIG|24 SET BARCODE CONFIG
25 GET BARCODE INHIBIT|26 SET BARCODE INHIBIT|27 GET BARCODE DATA|30 EXPANSION|33 PAYOUT AMOUNT|34 SET DENOMINATION LEVEL
35 GET DENOMINATION LEVEL|37 COMMUNICATION PASS THROUGH|38 HALT PAYOUT|39 PAYOUT AMOUNT BY DENOMINATION|3A COIN ESCROW
3B SET DENOMINATION ROUTE|3C GET DENOMINATION ROUTE|3D FLOAT AMOUNT|3E GET MINIMUM PAYOUT|3F EMPTY ALL
40 SET COIN MECH INHIBITS|41 GET NOTE POSITIONS|42 PAYOUT NOTE|43 STACK NOTE|44 FLOAT BY DENOMINATION|45 SET REPORTING TYPE
46 PAYOUT BY DENOMINATION|47 SET COMMAND CALIBRATION|48 RUN CALIBRATION|49 COIN MECH GLOBAL INHIBIT|4A SET GENERATOR
4B SET MODULUS|4C REQUEST KEY EXCHANGE|4D SET BAUD RATE|4E SET CASHBOX PAYOUT LIMIT|4F GET BUILD REVISION|50 SET OPTIONS
51 GET OPTIONS|52 SMART EMPTY|53 CASHBOX PAYOUT OPERATION DATA|54 CONFIGURE BEZEL|56 POLL WITH ACK|57 EVENT ACK
58 GET COUNTERS|59 RESET COUNTERS|5A COIN MECH OPTIONS|5B DISABLE PAYOUT DEVICE|5C ENABLE PAYOUT DEVICE|5D COIN STIR
60 SET FIXED KEY|61 RESET FIXED KEY|62 RTC CONFIGURATION|63 GET RTC|64 SET RTC|65 TEBS BARCODE|66 TEBS LOG
67 CASHBOX UNLOCK ENABLE|68 CASHBOX UNLOCK DISABLE|69 RESET TEBS LOGS|6F GET PAYOUT CAPACITY|70 TICKET PRINT
71 PRINTER CONFIGURATION|72 ENABLE TITO EVENTS|74 MULTI ADDRESS DOWNLOAD|76 CANCEL ESCROW|77 COMMIT ESCROW
78 READ ESCROW VALUE|79 GET ESCROW SIZE|7A SET ESCROW SIZE`

// lookup reads lists of "hex name" separated by bars or line ends.
func lookup(t *testing.T, list string) map[byte]string {
	t.Helper()
	out := map[byte]string{}
	for _, entry := range strings.FieldsFunc(list, func(r rune) bool { return r == '|' || r == '\n' }) {
		var code byte
		if _, err := fmt.Sscanf(entry, "%X", &code); err != nil {
			t.Fatal(entry, err)
		}
		out[code] = entry[3:]
	}
	return out
}

func TestCommandNames(t *testing.T) {
	names := lookup(t, commandList)
	for i := range 256 {
		c := ssp.Command(i)
		want, known := names[byte(i)]
		if !known {
			want = fmt.Sprintf("0x%02X", i)
		}
		if c.String() != want || c.Known() != known {
			t.Errorf("0x%02X is %q, known %t; want %q, %t", i, c, c.Known(), want, known)
		}
	}
}

func TestMoneyCommands(t *testing.T) {
	want := []byte{0x33, 0x34, 0x38, 0x3B, 0x3C, 0x3D, 0x3F, 0x40, 0x42, 0x43, 0x44, 0x46, 0x49, 0x4E, 0x52, 0x60}
	for i := range 256 {
		if got := ssp.Command(i).MoneyCommand(); got != bytes.Contains(want, []byte{byte(i)}) {
			t.Errorf("%v: %t", ssp.Command(i), got)
		}
		if got := ssp.Command(i).PlainOnly(); got != bytes.Contains([]byte{0x0B, 0x11, 0x4A, 0x4B, 0x4C, 0x74}, []byte{byte(i)}) {
			t.Errorf("%v plain only: %t", ssp.Command(i), got)
		}
	}
}

// TestDataIsNotShared: growing a command without parameters does not write over another.
func TestDataIsNotShared(t *testing.T) {
	_ = append(ssp.CmdPoll.Data(), 0x99)
	if got := ssp.CmdRejectNote.Data(); !bytes.Equal(got, []byte{0x08}) {
		t.Errorf("REJECT NOTE is % X", got)
	}
}

func TestReplyNames(t *testing.T) {
	names := lookup(t, `F0 OK|F2 UNKNOWN COMMAND|F3 WRONG NUMBER OF PARAMETERS|F4 PARAMETER OUT OF RANGE|F5 CANNOT BE PROCESSED
F6 SOFTWARE ERROR|F7 CHECKSUM ERROR|F8 FAIL|F9 HEADER FAIL|FA KEY NOT SET`)
	for i := range 256 {
		want, ok := names[byte(i)]
		if !ok {
			want = fmt.Sprintf("0x%02X", i)
		}
		if got := ssp.Reply(i).String(); got != want {
			t.Errorf("0x%02X is %q, want %q", i, got, want)
		}
	}
}

func TestRejectCodes(t *testing.T) {
	names := lookup(t, `00 accepted, nothing rejected|01 note length|02 average check|03 coastline check|04 graph check
05 buried check|06 channel inhibited|07 second note inserted|08 rejected by host|09 note matches several channels
0A rear sensor fault|0B note too long|0C disabled by host|0D mechanism slow|0E strimming attempt|0F fraud channel
10 no notes inserted|11 peak detect|12 twisted note|13 escrow time-out|14 barcode scan failed|15 no cam activate
16 slot fail 1|17 slot fail 2|18 lens over-sample|19 width detection|1A short note|1B note payout|1C double note
1D unable to stack|1F credit card detected`)
	for i := range 256 {
		want, ok := names[byte(i)]
		if !ok {
			want = fmt.Sprintf("0x%02X", i)
		}
		if got := ssp.RejectCode(i).String(); got != want {
			t.Errorf("0x%02X is %q, want %q", i, got, want)
		}
	}
}

func TestCheckReply(t *testing.T) {
	if rest, err := ssp.CheckReply([]byte{0xF0, 1, 2}); err != nil || !bytes.Equal(rest, []byte{1, 2}) {
		t.Errorf("OK: % X, %v", rest, err)
	}
	if _, err := ssp.CheckReply(nil); !errors.Is(err, ssp.ErrEmpty) {
		t.Errorf("nothing: %v", err)
	}
	for _, c := range []struct {
		data []byte
		code byte
		text string
	}{
		{[]byte{0xF5, 3}, 3, "machine answers CANNOT BE PROCESSED 03"},
		{[]byte{0xF5}, 0, "machine answers CANNOT BE PROCESSED"},
		{[]byte{0xF4, 3}, 0, "machine answers PARAMETER OUT OF RANGE 03"},
		{[]byte{0xFA}, 0, "machine answers KEY NOT SET"},
	} {
		_, err := ssp.CheckReply(c.data)
		var status *ssp.StatusError
		if !errors.As(err, &status) || status.Reply != ssp.Reply(c.data[0]) || status.Code() != c.code || err.Error() != c.text {
			t.Errorf("% X: %v", c.data, err)
		}
	}
}

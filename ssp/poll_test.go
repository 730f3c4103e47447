package ssp_test

import (
	"errors"
	"reflect"
	"testing"

	"coffer/ssp"
)

func vc(value byte, cc string) []byte { return append([]byte{value, 0, 0, 0}, cc...) }

func join(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func money(paid uint32, cc string) []ssp.Value { return []ssp.Value{{Paid: paid, Currency: cc}} }

// TestParsePollOtherLayouts are the places where sources differ (section 11.1, 11.3 and 20.2).
func TestParsePollOtherLayouts(t *testing.T) {
	eur := vc(100, "EUR")
	held, credit := ssp.Event{Code: ssp.EvNoteHeldInBezel, Values: money(100, "EUR")}, ssp.Event{Code: ssp.EvCredit, Channel: 2}
	for _, c := range []struct {
		name    string
		rest    []byte
		version int
		coins   bool
		want    []ssp.Event
	}{
		{"bezel, version 8", join([]byte{0xCE}, eur, []byte{0xEE, 2}), 8, false, []ssp.Event{held, credit}},
		{"bezel with a count at 7 (NV11)", join([]byte{0xCE, 1}, eur, []byte{0xEE, 2}), 7, false, []ssp.Event{held, credit}},
		{"bezel with value at 7", join([]byte{0xCE}, eur, []byte{0xEE, 2}), 7, false, []ssp.Event{held, credit}},
		{"bezel bare at 8", []byte{0xCE, 0xEE, 2}, 8, false, []ssp.Event{{Code: ssp.EvNoteHeldInBezel}, credit}},
		{"transferred with a count", join([]byte{0xC9, 1}, eur, []byte{0xE8}), 8, false,
			[]ssp.Event{{Code: ssp.EvTransferredToStacker, Values: money(100, "EUR")}, {Code: ssp.EvDisabled}}},
		{"stored with value (NV11)", join([]byte{0xEE, 2, 0xDB, 1}, eur), 6, false,
			[]ssp.Event{credit, {Code: ssp.EvNoteStored, Values: money(100, "EUR")}}},
		{"fraud with values from a recycler", join([]byte{0xE6, 1}, eur), 6, false,
			[]ssp.Event{{Code: ssp.EvFraudAttempt, Values: money(100, "EUR")}}},
		{"fraud with a channel from a hopper", []byte{0xE6, 3, 0xE8}, 6, true,
			[]ssp.Event{{Code: ssp.EvFraudAttempt, Channel: 3}, {Code: ssp.EvDisabled}}},
		{"coin credit with a count", join([]byte{0xDF, 1}, eur), 7, true,
			[]ssp.Event{{Code: ssp.EvCoinCredit, Values: money(100, "EUR")}}},
		{"coin rejected with value", join([]byte{0xBA}, eur, []byte{0xC1}), 7, true,
			[]ssp.Event{{Code: ssp.EvCoinRejected, Values: money(100, "EUR")}, {Code: ssp.EvPayInActive}}},
		{"coin rejected with a count", join([]byte{0xBA, 1}, eur), 7, true,
			[]ssp.Event{{Code: ssp.EvCoinRejected, Values: money(100, "EUR")}}},
		{"coin mech error without byte", []byte{0xE8, 0xB7}, 7, true,
			[]ssp.Event{{Code: ssp.EvDisabled}, {Code: ssp.EvCoinMechError}}},
		{"version fell back at a reset", []byte{0xF1, 0xDC, 0xE8, 3, 0, 0, 0xDC, 5, 0, 0, 0xE8}, 8, false,
			[]ssp.Event{{Code: ssp.EvSlaveReset}, {Code: ssp.EvIncompletePayout, Values: []ssp.Value{{Paid: 1000, Requested: 1500}}},
				{Code: ssp.EvDisabled}}},
		{"no currencies", []byte{0xDA, 0}, 8, false, []ssp.Event{{Code: ssp.EvDispensing, Values: []ssp.Value{}}}},
		{"two currencies and an error", join([]byte{0xB1, 2}, eur, vc(5, "GBP"), []byte{1}), 8, false,
			[]ssp.Event{{Code: ssp.EvErrorDuringPayout, Error: 1, Values: append(money(100, "EUR"), money(5, "GBP")...)}}},
		{"credit of version 9", join([]byte{0xEE}, []byte("EUR"), []byte{100, 0, 0, 0}), 9, false,
			[]ssp.Event{{Code: ssp.EvCredit, Values: money(100, "EUR")}}},
	} {
		got, err := ssp.ParsePoll(c.rest, c.version, c.coins, nil)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}

// TestParsePollUnreadable: what came before is returned, what comes after is not guessed at.
func TestParsePollUnreadable(t *testing.T) {
	for _, c := range []struct {
		name   string
		rest   []byte
		before int
		code   ssp.EventCode
		offset int
	}{
		{"unknown code", []byte{0xCC, 0x42, 0xEE, 1}, 1, 0x42, 1},
		{"unknown code first", []byte{0x42, 0xEE, 1}, 0, 0x42, 0},
		{"unknown after a credit", []byte{0xEE, 1, 0x01}, 1, 0x01, 2},
		{"credit cut short", []byte{0xCC, 0xEE}, 1, 0xEE, 1},
		{"values cut short", []byte{0xDA, 1, 5, 0, 0}, 0, 0xDA, 0},
		{"small letters for a currency", join([]byte{0xE8, 0xD2, 1}, vc(5, "eur")), 1, 0xD2, 1},
		{"error byte missing", join([]byte{0xB1, 1}, vc(5, "EUR")), 0, 0xB1, 0},
	} {
		got, err := ssp.ParsePoll(c.rest, 8, false, nil)
		var unknown *ssp.UnknownEventError
		if !errors.As(err, &unknown) || unknown.Code != c.code || unknown.Offset != c.offset || len(got) != c.before {
			t.Errorf("%s: %v, %v; want %d events and 0x%02X at %d", c.name, got, err, c.before, byte(c.code), c.offset)
		}
	}
}

// TestParsePollOwnsMemory: events stay as they are when the buffer and the slice of events are used again.
func TestParsePollOwnsMemory(t *testing.T) {
	rest := join([]byte{0xDA, 1}, vc(100, "EUR"))
	first, err := ssp.ParsePoll(rest, 8, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	kept := first[0]
	copy(rest, join([]byte{0xD2, 1}, vc(7, "GBP")))
	second, err := ssp.ParsePoll(rest, 8, false, first[:0])
	if err != nil || second[0].Values[0].Paid != 7 {
		t.Fatal(second, err)
	}
	if !reflect.DeepEqual(kept.Values, money(100, "EUR")) {
		t.Errorf("kept event became %+v", kept)
	}
	both, err := ssp.ParsePoll([]byte{0xE8}, 8, false, second)
	if err != nil || len(both) != 2 {
		t.Errorf("appended: %v, %v", both, err)
	}
}

// TestAppendEventWithoutValues: what a layout needs is sent even if the event has it not.
func TestAppendEventWithoutValues(t *testing.T) {
	got := ssp.AppendEvent(nil, ssp.Event{Code: ssp.EvCoinCredit}, 8, true)
	if want := join([]byte{0xDF}, vc(0, "XXX")); string(got) != string(want) {
		t.Errorf("% X, want % X", got, want)
	}
	for version, want := range map[int]int{5: 1, 6: 9} {
		e := ssp.Event{Code: ssp.EvNoteStored, Values: money(500, "EUR")}
		if got := ssp.AppendEvent(nil, e, version, false); len(got) != want {
			t.Errorf("stored with value at version %d: % X, want %d bytes", version, got, want)
		}
	}
}

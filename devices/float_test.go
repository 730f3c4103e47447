package devices_test

import (
	"testing"
	"time"

	"coffer/devices"
	"coffer/devices/note"
	"coffer/internal/cash"
)

// Notes as GET NOTE POSITIONS lists them by value.
const (
	five = " F4 01 00 00"
	ten  = " E8 03 00 00"
)

// asFloat is an NV11 with 5 and 10 EUR at protocol 8, of which it recycles 5. On its pile are two of 5, a 10 and a 5, the
// last on top.
func asFloat(m *machine) {
	asValidator(m)
	m.table("05", "F0 07 30343333 455552 000001 02 050A 0202 000064 08 455552455552 05000000 0A000000")
	m.table("20", "F0 4E563031313034333331343938303030") // NV01104331498000
	m.table("0C01", "F0 00 4A 99 2B")
	m.table("3C"+eur5, "F0 00")
	m.table("3C"+eur10, "F0 01")
	m.table("3B", "F0")
	m.table("41", "F0 04"+five+five+ten+five)
	m.table("45", "F0")
	m.table("53", "F0 00 00000000")
	m.table("5B", "F0")
	m.table("5C", "F0")
}

func (b *bench) float() *note.FloatDevice {
	b.Helper()
	d, ok := b.dev.Device().(*note.FloatDevice)
	if !ok {
		b.Fatalf("the device is a %T", b.dev.Device())
	}
	return d
}

// paying is a float that is ready and enabled, and whose polls are scripted from here on.
func (b *bench) paying() *note.FloatDevice {
	b.Helper()
	b.ready()
	d := b.float()
	b.m.say("5C 01 > F0")
	b.ok(d.EnablePayout(b.Context()))
	time.Sleep(time.Second)
	b.h.clear()
	b.m.hush(true)
	return d
}

func eurs(v int64) cash.Amount { return cash.Amount{Value: v, Currency: "EUR"} }

// A payout of 5 and 10 EUR is two PAYOUT NOTE, the second once the first is on disk and acknowledged, and one operation.
func TestFloatPayoutDialogue(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asFloat, func(b *bench) {
		d := b.paying()
		b.ok(d.TestPayout(b.Context(), eurs(1500)))
		for want, err := range map[int64]error{
			1000: cash.ErrNotExact, 501: cash.ErrNotExact, 3000: cash.ErrNotEnough, 0: cash.ErrInvalid,
		} {
			b.is(d.StartPayout(b.Context(), eurs(want)), err)
		}
		b.h.clear()
		b.m.say("42 > F0", "56 > F0 DA 01 "+eur0)
		b.m.becomes("F0 DA 01 " + eur0)
		b.ok(d.StartPayout(b.Context(), eurs(1500)))
		b.is(d.StartPayout(b.Context(), eurs(500)), cash.ErrBusy)
		b.played()

		b.m.say("56 > F0 DA 01 "+eur0+" CE "+eur5, "56 > F0 D2 01 "+eur5, "41 > F0 03"+five+five+ten, "57 > F0",
			"41 > F0 03"+five+five+ten, "42 > F0", "56 > F0 DA 01 "+eur0)
		b.m.table("41", "F0 03"+five+five+ten)
		b.played()
		b.m.say("56 > F0 DA 01 "+eur0+" CE "+eur10, "56 > F0 D2 01 "+eur10, "41 > F0 02"+five+five, "57 > F0")
		b.m.table("41", "F0 02"+five+five)
		b.m.becomes("F0 E8")
		b.played()
		b.order("record state DISPENSING", "record NoteInBezel 500 EUR", "h 56 > F0 D2",
			"record Progress dispense 500 [1x500]", "h 57", "h 42", "record NoteInBezel 1000 EUR",
			"h 56 > F0 D2", "record Ended dispense done 1500 levels [2x500]", "h 57", "record state DISABLED")
		b.want([]string{"record Ended"}, "record Ended dispense done 1500 levels [2x500]")
		b.want([]string{"h 42"}, "h 42 > F0", "h 42 > F0")
	})
}

// What keeps a float from going on ends the operation with what was moved.
func TestFloatPayoutEnds(t *testing.T) {
	tests := map[string]struct {
		halt bool
		then []string
		want string
	}{
		"halted":                   {true, nil, "record Ended dispense halted 500 levels [2x500 1x1000]"},
		"refused":                  {false, []string{"41 > F0 03" + five + five + ten, "42 > F5 04"}, "record Ended dispense error 500 levels [2x500 1x1000]"},
		"busy, and busy, and busy": {false, []string{"41 > F0 03" + five + five + ten, "42 > F5 03"}, "record Ended dispense error 500 levels [2x500 1x1000]"},
		"another note on top":      {false, []string{"41 > F0 04" + five + five + ten + ten}, "record Ended dispense error 500 levels [2x500 1x1000]"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{}, asFloat, func(b *bench) {
				d := b.paying()
				want := int64(1500)
				if name == "another note on top" {
					want = 2500
				}
				b.m.say("42 > F0")
				b.m.becomes("F0 DA 01 " + eur0)
				b.ok(d.StartPayout(b.Context(), eurs(want)))
				b.played()
				if tc.halt {
					b.ok(d.Halt(b.Context()))
				}
				b.m.table("42", "F5 03")
				b.m.table("57", "F0")
				b.m.say("56 > F0 D2 01 "+eur5, "41 > F0 03"+five+five+ten, "57 > F0")
				b.m.say(tc.then...)
				b.m.table("41", "F0 03"+five+five+ten)
				b.m.becomes("F0 E8")
				b.played()
				time.Sleep(10 * time.Second)
				b.want([]string{"record Ended"}, tc.want)
				if op := b.snapshot().Operation; op != "" {
					b.Errorf("still busy with %s", op)
				}
				b.is(d.Halt(b.Context()), cash.ErrNothing)
			})
		})
	}
}

// A machine that has moved another note than the one on top is not told to go on.
func TestFloatPaysAnotherNote(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asFloat, func(b *bench) {
		d := b.paying()
		b.m.table("57", "F0")
		b.m.say("42 > F0", "56 > F0 D2 01 "+eur10)
		b.m.becomes("F0 E8")
		b.ok(d.StartPayout(b.Context(), eurs(2000)))
		b.played()
		b.want([]string{"record Ended"}, "record Ended dispense error 1000 levels [3x500 1x1000]")
	})
}

// While the ledger cannot be written, no further note is asked for.
func TestFloatWaitsForLedger(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asFloat, func(b *bench) {
		d := b.paying()
		b.m.say("42 > F0")
		b.m.becomes("F0 DA 01 " + eur0)
		b.ok(d.StartPayout(b.Context(), eurs(1500)))
		b.played()
		b.h.clear()
		b.sink.refuse(cash.ErrJournal)
		b.m.say("56 > F0 D2 01 " + eur5)
		b.m.table("41", "F0 03"+five+five+ten)
		time.Sleep(time.Minute)
		b.want([]string{"h 42", "t 42", "? ", "h 57", "t 57"})
		b.m.say("57 > F0", "42 > F0")
		b.m.becomes("F0 DA 01 " + eur0)
		b.sink.refuse(nil)
		time.Sleep(5 * time.Second)
		b.order("record Progress dispense 500 [1x500]", "h 57", "h 42")
	})
}

// Stacking is one STACK NOTE a note, and one operation.
func TestFloatStackDialogue(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asFloat, func(b *bench) {
		d := b.paying()
		keep := func(five, ten int) cash.Counts {
			return cash.Counts{{Value: 500, Currency: "EUR"}: five, {Value: 1000, Currency: "EUR"}: ten}
		}
		b.is(d.StartFloat(b.Context(), keep(3, 0)), cash.ErrNotExact)
		b.is(d.StartFloat(b.Context(), keep(4, 0)), cash.ErrNotEnough)
		b.is(d.StartFloat(b.Context(), cash.Counts{{Value: 700, Currency: "EUR"}: 1}), cash.ErrInvalid)
		b.h.clear()
		b.m.say("43 > F0", "56 > F0 CC", "56 > F0 C9 "+eur5, "41 > F0 03"+five+five+ten, "57 > F0", "41 > F0 03"+five+five+ten,
			"43 > F0", "56 > F0 CC", "56 > F0 C9 "+eur10, "41 > F0 02"+five+five)
		b.m.table("57", "F0")
		b.m.becomes("F0 E8")
		b.ok(d.StartFloat(b.Context(), keep(2, 0)))
		b.played()
		b.want([]string{"record"}, "record state FLOATING", "record Progress float 500 [1x500]",
			"record Ended float done 1500 levels [2x500]", "record state DISABLED")
	})
}

// The notes of a machine that reports by channel are read as well.
func TestFloatByChannel(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, func(m *machine) {
		asFloat(m)
		m.table("41", "F0 03 01 02 01")
	}, func(b *bench) {
		b.ready()
		notes, err := b.float().Notes(b.Context())
		b.ok(err)
		if len(notes) != 3 || notes[1].Value != 1000 || b.snapshot().Levels[notes[0]] != 2 {
			b.Errorf("notes %v, levels %v", notes, b.snapshot().Levels)
		}
		b.m.table("41", "F0 01 09")
		if _, err := b.float().Notes(b.Context()); err == nil {
			b.Error("a channel that does not exist is a note")
		}
	})
}

// A route to the float takes the one before away; both are sent again after a restart.
func TestFloatRoute(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asFloat, func(b *bench) {
		b.ready()
		d := b.float()
		b.is(d.SetRoute(b.Context(), cash.Denom{Value: 700, Currency: "EUR"}, true), cash.ErrInvalid)
		b.h.clear()
		b.ok(d.SetRoute(b.Context(), cash.Denom{Value: 1000, Currency: "EUR"}, true))
		b.want([]string{"t 3B"}, "t 3B 01 "+eur5+" > F0", "t 3B 00 "+eur10+" > F0")
		for _, ch := range b.snapshot().Channels {
			if ch.ToPayout != (ch.Denom.Value == 1000) {
				b.Errorf("channel %+v", ch)
			}
		}
		b.h.clear()
		b.ok(d.Reset(b.Context()))
		b.until("not ready", func(s *devices.Snapshot) bool { return !s.Ready })
		b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
		b.want([]string{"t 3B"}, "t 3B 01 "+eur5+" > F0", "t 3B 00 "+eur10+" > F0")
	})
}

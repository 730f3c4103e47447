package devices_test

import (
	"testing"
	"time"

	"coffer/devices"
)

// A jam shows in every answer as long as it lasts, and is told once; the next one is told again.
func TestJamIsToldOnce(t *testing.T) {
	for _, jam := range []string{"EA", "E9"} {
		t.Run(jam, func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
				b.accepting(true)
				b.m.say("56 > F0 "+jam, "56 > F0 "+jam, "56 > F0 EA", "56 > F0 E9", "56 > F0", "56 > F0 "+jam, "56 > F0 "+jam)
				b.played()
				b.want([]string{"record Jammed"}, "record Jammed {0.00 EUR}", "record Jammed {0.00 EUR}")
			})
		})
	}
}

// A note that comes while the store is full is expected in the cashbox.
func TestNoteForAFullStore(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.accepting(true)
		b.m.say("56 > F0 CF", "56 > F0 CF EF 01", "56 > F0 CF CC EE 01", "57 > F0", "56 > F0 CF EB")
		b.played()
		b.want([]string{"record Note"}, "record NoteHeld 500 EUR", "record NoteCredited 500 EUR cashbox", "record NotePlaced 500 EUR cashbox")
	})
}

// A note that shows while nothing was told of the end of the one before has the books compared at once.
func TestNoteBehindAnUnendedOne(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.accepting(true)
		b.m.say("56 > F0 EF 01", "56 > F0 EF 02", "56 > F0 ED", "56 > F0 EC", "56 > F0")
		b.played()
		time.Sleep(3 * time.Second)
		b.want([]string{"record NoteHeld", "record NoteReturned", "reconcile"},
			"record NoteHeld 500 EUR", "record NoteHeld 1000 EUR", "record NoteReturned 1000 EUR 8", "reconcile")
	})
}

// While a machine clears a jam its notes are on their way: books are not compared. Afterwards they are, at once.
func TestNoAuditWhileAJamIsCleared(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.accepting(true)
		b.m.becomes("F0 B0")
		b.m.table("22", levels("02", "04", "04"))
		time.Sleep(2 * time.Minute)
		b.want([]string{"reconcile"})
		b.m.becomes("F0")
		time.Sleep(3 * time.Second)
		b.want([]string{"reconcile"}, "reconcile")
	})
}

package devices_test

import (
	"fmt"
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

// The counter of coins in the cashbox tells of a coin only what it has beyond the coins that were told before: one that
// was routed to the cashbox does not stand for the next, which was not.
func TestCoinsThatTheCashboxCounterTells(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, func(m *machine) {
		asCoinSystem(m)
		m.table("3C14", "F0 01") // 20 cents to the cashbox, the others to the hopper, whose levels show none yet
	}, func(b *bench) {
		b.accepting(false)
		for _, coin := range []struct {
			value string
			boxed int // the counter
		}{{"14", 1}, {"32", 1}, {"32", 2}} {
			b.m.table("58", fmt.Sprintf("F0 09 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 %02X000000", coin.boxed))
			b.m.say("56 > F0 C1 DF "+coin.value+" 00 00 00 45 55 52", "57 > F0", "56 > F0 C1")
			b.played()
		}
		b.want([]string{"record Coin"}, "record CoinCredited 1x 20 EUR cashbox", "record CoinCredited 1x 50 EUR payout", "record CoinCredited 1x 50 EUR cashbox")
	})
}

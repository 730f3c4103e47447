package devices_test

import (
	"slices"
	"testing"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
)

// Denominations as SSP carries them: value u32, currency.
const (
	eur5  = "F4 01 00 00 45 55 52"
	eur10 = "E8 03 00 00 45 55 52"
	eur15 = "DC 05 00 00 45 55 52"
	eur20 = "D0 07 00 00 45 55 52"
	eur0  = "00 00 00 00 45 55 52"
)

// levels is an answer to GET ALL LEVELS: so many of 5, 10 and 20 EUR.
func levels(five, ten, twenty string) string {
	return "F0 03 " + five + " 00 " + eur5 + " " + ten + " 00 " + eur10 + " " + twenty + " 00 " + eur20
}

// asRecycler is a Spectral Payout with 5, 10 and 20 EUR, four of each, at protocol 8.
func asRecycler(m *machine) {
	asValidator(m)
	m.table("05", "F0 06 30343330 455552 000001 03 050A14 020202 000064 08 455552455552455552 05000000 0A000000 14000000")
	m.table("20", "F0 4E565332303034333031303338303030") // NVS2004301038000
	m.table("0C01", "F0 00 51 16 93")
	m.table("3C", "F0 00")
	m.table("3B", "F0")
	m.table("22", levels("04", "04", "04"))
	m.table("53", "F0 00 00000000")
	m.table("5B", "F0")
	m.table("5C", "F0")
}

// asValidator is an NV200 without payout store.
func asValidator(m *machine) {
	m.becomes("F0 E8")
	m.table("01", "F0")
	m.table("06", "F8")
	m.table("0608", "F0")
	m.table("05", "F0 00 30343338 455552 000001 03 050A14 020202 000064 08 455552455552455552 05000000 0A000000 14000000")
	m.table("0C", "F0 00 4A 78 B4")
	m.table("20", "F0 4E563032303034333831303339303030")
	m.table("21", "F0 4555523031383130")
	m.table("4F", "F0 00 0A 09")
	m.table("18", "F5")
	m.table("09", "F0")
	m.table("0A", "F0")
	m.table("02", "F0")
	m.table("17", "F0 08")
	m.table("27", "F0 00 00")
	m.table("57", "F5")
	m.table("58", "F0 05 00000000 00000000 00000000 00000000 00000000")
}

// asNV22 is an NV22 Spectral with 5 and 10 EUR.
func asNV22(m *machine) {
	asRecycler(m)
	m.table("05", "F0 06 30313137 455552 000001 02 050A 0202 000064 08 455552455552 05000000 0A000000")
	m.table("20", "F0 4E565330303931313731303339303030") // NVS0091171039000
	m.table("22", "F0 02 04 00 "+eur5+" 04 00 "+eur10)
}

// asCoinSystem has 0.20, 0.50 and 2.00 EUR, fifty of each.
func asCoinSystem(m *machine) {
	m.becomes("F0 E8")
	m.table("01", "F0")
	m.table("06", "F8")
	m.table("0608", "F0")
	m.table("05", "F0 09 30313430 455552 08 03 1400 3200 C800 455552455552455552")
	m.table("0C", "F0 00 60 B9 0A")
	m.table("0C01", "F0 00 46 14 3A")
	m.table("20", "F0 53483030303431343031303038433031")
	m.table("21", "F0 4555523031343130")
	m.table("4F", "F0 03 1A 01")
	m.table("09", "F0")
	m.table("0A", "F0")
	m.table("3C", "F0 00")
	m.table("40", "F0")
	m.table("49", "F0")
	m.table("50", "F0")
	m.table("51", "F0 26 00")
	m.table("57", "F5")
	m.table("22", coinLevels("32", "32", "32"))
	m.table("53", "F0 00 00000000")
	m.table("58", "F0 09 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000")
}

// asHopper4 is a SMART Hopper 4 with the same coins and a coin mech.
func asHopper4(m *machine) {
	asCoinSystem(m)
	m.table("05", "F0 03 30313236 455552 08 03 1400 3200 C800 455552455552455552")
	m.table("20", "F0 53483030303430313236303030303030") // SH00040126000000
	m.table("0C01", "F4")
	m.table("5A", "F0")
}

// asHopper3 is its predecessor: it answers options from its registers, counts otherwise, and has no 49.
func asHopper3(m *machine) {
	asHopper4(m)
	m.table("20", "F0 53483030303330363136303030303030") // SH00030616000000
	m.table("49", "F2")
	m.table("51", "F0 6E 05")
	m.table("58", "F0 00000000 00000000 00000000 00000000 00000000 00000000")
}

// asTwin is a Twin SMART Coin System that understands our coding.
func asTwin(m *machine) {
	asCoinSystem(m)
	m.table("20", "F0 53483030303431333931303231433031") // SH00041391021C01
	m.table("0C02", "F0 00 46 14 3B")
	m.table("0C03", "F0 00 46 14 3C")
	m.table("30 05 85", "F0")
	m.table("30 05 86", "F0 00")
	m.table("30 05 86 C8", "F0 01")
	m.table("30 05 87", "F0")
	m.table("30 05 88", "F0 01")
	m.table("30 E0 11", "F0 03")
}

func coinLevels(c20, c50, c200 string) string {
	return "F0 03 " + c20 + " 00 14 00 00 00 45 55 52 " + c50 + " 00 32 00 00 00 45 55 52 " + c200 + " 00 C8 00 00 00 45 55 52"
}

// The start-ups of ssp.md section 15, with the recovery of section 14.2 in them: what goes out, byte by byte.
func TestStartUp(t *testing.T) {
	head := []string{"11", "06 08", "keys", "05", "0C", "20", "21", "4F"}
	tests := map[string]struct {
		setUp  func(*machine)
		want   []string
		config devices.DeviceConfig
	}{
		"validator": {setUp: asValidator, want: append(head[:8:8],
			"18", "09", "56", "56", "56", "58", "56", "02 07", "56")},
		"recycler": {setUp: asRecycler, want: append(head[:8:8],
			"18", "09", "56", "56", "56", "22", "58", "56",
			"0C 01", "3C "+eur5, "3C "+eur10, "3C "+eur20, "02 07", "5B", "56")},
		"recycler on two reels": {setUp: asNV22, want: append(head[:8:8],
			"18", "09", "56", "56", "56", "22", "58", "56",
			"0C 01", "3C "+eur5, "3C "+eur10, "02 03", "5B", "56")},
		"note float": {setUp: asFloat, want: append(head[:8:8],
			"18", "09", "56", "56", "56", "41", "58", "56",
			"0C 01", "45 00", "3C "+eur5, "3C "+eur10, "02 03", "5B", "41", "56")},
		"hopper 4": {setUp: asHopper4, want: append(head[:8:8],
			"49 00", "09", "56", "56", "56", "22", "58", "56",
			"51", "50 26 00", "3C 14 00 00 00 45 55 52", "3C 32 00 00 00 45 55 52", "3C C8 00 00 00 45 55 52",
			"40 01 14 00 45 55 52", "40 01 32 00 45 55 52", "40 01 C8 00 45 55 52", "5A 01", "49 00", "0A", "56")},
		"hopper 3": {setUp: asHopper3, want: append(head[:8:8],
			"49 00", "09", "56", "56", "56", "22", "58", "56",
			"51", "50 26 01", "3C 14 00 00 00 45 55 52", "3C 32 00 00 00 45 55 52", "3C C8 00 00 00 45 55 52",
			"40 01 14 00 45 55 52", "40 01 32 00 45 55 52", "40 01 C8 00 45 55 52", "5A 01", "09", "56")},
		"twin": {config: devices.DeviceConfig{Extensions: true}, setUp: asTwin, want: append(head[:8:8],
			"49 00", "09", "56", "56", "56", "22", "58", "56", "0C 01", "0C 02", "0C 03",
			"51", "50 26 00", "3C 14 00 00 00 45 55 52", "3C 32 00 00 00 45 55 52", "3C C8 00 00 00 45 55 52",
			"30 05 88", "30 05 86 14 00 00 00 45 55 52", "30 05 86 32 00 00 00 45 55 52", "30 05 86 C8 00 00 00 45 55 52",
			"40 01 14 00 45 55 52", "40 01 32 00 45 55 52", "40 01 C8 00 45 55 52", "49 00", "0A", "56")},
		"twin without our coding": {setUp: asTwin, want: append(head[:8:8],
			"49 00", "09", "56", "56", "56", "22", "58", "56", "0C 01",
			"51", "50 26 00", "3C 14 00 00 00 45 55 52", "3C 32 00 00 00 45 55 52", "3C C8 00 00 00 45 55 52",
			"40 01 14 00 45 55 52", "40 01 32 00 45 55 52", "40 01 C8 00 45 55 52", "49 00", "0A", "56")},
		"coin system": {setUp: asCoinSystem, want: append(head[:8:8],
			"49 00", "09", "56", "56", "56", "22", "58", "56",
			"0C 01", "51", "50 26 00", "3C 14 00 00 00 45 55 52", "3C 32 00 00 00 45 55 52", "3C C8 00 00 00 45 55 52",
			"40 01 14 00 45 55 52", "40 01 32 00 45 55 52", "40 01 C8 00 45 55 52", "49 00", "0A", "56")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, tc.config, tc.setUp, func(b *bench) {
				b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
				time.Sleep(50 * time.Millisecond)
				if got := b.sent(); !slices.Equal(got, tc.want) {
					b.Errorf("sent %q\nwant %q", got, tc.want)
				}
				b.want([]string{"record", "reconcile"}, "record state CONNECTING", "record state CONNECTED",
					"record state STARTING", "reconcile", "record state STARTED", "record state DISABLED")
			})
		})
	}
}

// ssp.md section 23: note into the store, with escrow decision.
func TestEscrowDialogue(t *testing.T) {
	inBubble(t, devices.DeviceConfig{Escrow: true}, asRecycler, func(b *bench) {
		b.ready()
		d := b.payer()
		b.ok(d.EnablePayout(b.Context()))
		b.ok(d.Enable(b.Context()))
		b.m.becomes("F0")
		time.Sleep(time.Second)
		b.h.clear()

		b.m.table("18", "F0")
		b.m.say("56 > F0 EF 00", "56 > F0 EF 02", "18 > F0", "18 > F0")
		b.played()
		b.until("held", func(s *devices.Snapshot) bool { return s.Escrow != nil && s.Escrow.Value == 1000 })
		b.m.hush(true)
		b.order("h 56 > F0 EF 02", "record NoteHeld 1000 EUR", "h 18 > F0", "h 18 > F0")

		b.m.say("56 > F0 EF 02", "56 > F0 CC EE 02", "57 > F0", "56 > F0 DB")
		b.ok(d.AcceptEscrow(b.Context()))
		b.played()
		b.order("h 56 > F0 EF 02", "h 56 > F0 CC EE 02", "record NoteCredited 1000 EUR payout", "h 57 > F0",
			"h 56 > F0 DB", "record NotePlaced 1000 EUR payout", "record state IDLE")
		b.want([]string{"record"}, "record state ACCEPTING", "record NoteHeld 1000 EUR",
			"record NoteCredited 1000 EUR payout", "record NotePlaced 1000 EUR payout", "record state IDLE")
		if n := b.snapshot().Levels[cash.Denom{Value: 1000, Currency: "EUR"}]; n != 5 {
			b.Errorf("level of 10 EUR is %d after one was stored, want 5", n)
		}
	})
}

// ssp.md section 23: payout of EUR 15 as one 5 and one 10.
func TestPayoutDialogue(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		d := b.payer()
		b.ok(d.EnablePayout(b.Context()))
		time.Sleep(time.Second)
		b.h.clear()
		b.m.hush(true)

		want := cash.Amount{Value: 1500, Currency: "EUR"}
		b.m.say("33 DC 05 00 00 45 55 52 19 > F0")
		b.ok(d.TestPayout(b.Context(), want))
		b.m.say("22 > "+levels("04", "04", "04"), "33 DC 05 00 00 45 55 52 58 > F0",
			"56 > F0 DA 01 "+eur0, "56 > F0 DA 01 "+eur0+" CE "+eur10)
		b.m.becomes("F0 DA 01 " + eur0 + " CE " + eur10)
		b.ok(d.StartPayout(b.Context(), want))
		b.is(d.StartPayout(b.Context(), want), cash.ErrBusy)
		b.played()
		b.m.say("56 > F0 DA 01 "+eur10, "22 > "+levels("04", "03", "04"),
			"56 > F0 D2 01 "+eur15, "22 > "+levels("03", "03", "04"), "57 > F0")
		b.m.becomes("F0 E8")
		b.played()
		b.order("h 33 DC 05 00 00 45 55 52 19", "h 22", "h 33 DC 05 00 00 45 55 52 58", "record state DISPENSING",
			"record state NOTE_HELD_IN_BEZEL", "record NoteInBezel 1000 EUR", "h 22",
			"record state DISPENSING", "record Progress dispense 1000 [1x1000]", "h 22", "t 58", "record Ended dispense done 1500 levels [3x500 3x1000 4x2000]",
			"h 57 > F0", "record state DISABLED")
	})
}

// ssp.md section 23: power cut after the ten of that payout.
func TestPowerCutDialogue(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, func(m *machine) {
		asRecycler(m)
		m.say("56 > F0 F1 B6 E8", "56 > F0 E8 CD "+eur10, "57 > F0",
			"56 > F0 E8 DC 01 E8 03 00 00 DC 05 00 00 45 55 52", "57 > F0")
	}, func(b *bench) {
		b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
		b.order("h 11", "record state CONNECTED", "t 18", "t 09", "h 56 > F0 F1 B6 E8", "record state INITIALISING",
			"h 56 > F0 E8 CD", "evidence ClearedAtPowerUp 1000 EUR payout to customer", "h 57",
			"h 56 > F0 E8 DC", "evidence Ended dispense incomplete 1000 of 1500", "h 57",
			"t 22", "t 58", "t 53", "reconcile")
		b.want([]string{"record Note", "record Ended", "record Cleared"})
	})
}

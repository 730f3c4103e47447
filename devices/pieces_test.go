package devices_test

import (
	"testing"

	"coffer/devices"
	"coffer/devices/coin"
	"coffer/internal/cash"
)

func euros(values ...int64) cash.Counts {
	c := cash.Counts{}
	for _, v := range values {
		c[cash.Denom{Value: v, Currency: "EUR"}]++
	}
	return c
}

// A payout of given pieces is PAYOUT BY DENOMINATION as ssp.md section 23 has it, and ends as every payout does.
func TestPiecesDialogue(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		d, want := b.payer(), euros(500, 1000)
		b.is(d.TestPieces(b.Context(), nil), cash.ErrInvalid)
		b.is(d.StartPieces(b.Context(), euros(700)), cash.ErrInvalid)
		b.is(d.StartPieces(b.Context(), cash.Counts{{Value: 500, Currency: "EUR"}: 0}), cash.ErrInvalid)
		b.is(d.StartPieces(b.Context(), cash.Counts{{Value: 500, Currency: "EUR"}: 65536}), cash.ErrInvalid)
		b.want([]string{"h 46", "t 46", "? "})
		b.m.say("46 02 01 00 " + eur5 + " 01 00 " + eur10 + " 19 > F0")
		b.ok(d.TestPieces(b.Context(), want))
		for answer, err := range map[string]error{
			"F5 01": cash.ErrNotEnough, "F5 02": cash.ErrNotExact, "F5 03": cash.ErrBusy, "F5 04": cash.ErrDisabled,
			"F2": cash.ErrUnsupported, "F4": cash.ErrInvalid,
		} {
			b.m.table("46 01 02 00 "+eur20+" 19", answer)
			b.m.table("46 01 02 00 "+eur20+" 58", answer)
			b.is(d.TestPieces(b.Context(), euros(2000, 2000)), err)
			b.is(d.StartPieces(b.Context(), euros(2000, 2000)), err)
		}
		b.h.clear()
		b.m.say("46 02 01 00 "+eur5+" 01 00 "+eur10+" 58 > F0", "56 > F0 DA 01 "+eur0, "56 > F0 D2 01 "+eur15,
			"22 > "+levels("03", "03", "04"), "57 > F0")
		b.ok(d.StartPieces(b.Context(), want))
		b.is(d.StartPieces(b.Context(), want), cash.ErrBusy)
		b.played()
		b.want([]string{"record Ended"}, "record Ended dispense done 1500 levels [3x500 3x1000 4x2000]")
	})
}

// An answer that never comes leaves open whether the pieces were paid.
func TestPiecesOutcomeUnknown(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		b.m.say("46 01 01 00 " + eur5 + " 58 > lost")
		b.is(b.payer().StartPieces(b.Context(), euros(500)), cash.ErrOutcomeUnknown)
		b.want([]string{"h 46"}, "h 46 01 01 00 F4 01 00 00 45 55 52 58 > ")
	})
}

// Below protocol 6 no command lists denominations, and FLOAT AMOUNT has neither currency nor option.
func TestPiecesBelowProtocol6(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, func(m *machine) {
		asRecycler(m)
		m.table("0608", "F8")
		m.table("0605", "F0")
		m.table("05", "F0 06 30343330 455552 000001 03 050A14 020202 000064 05")
	}, func(b *bench) {
		b.ready()
		d := b.payer()
		b.is(d.TestPieces(b.Context(), euros(500)), cash.ErrUnsupported)
		b.is(d.StartPieces(b.Context(), euros(500)), cash.ErrUnsupported)
		b.want([]string{"h 46", "t 46", "? "})
		b.m.say("3D F4 01 88 13 00 00 > F0", "56 > F0 D7 00 00 00 00", "56 > F0 D8 00 00 00 00", "57 > F0")
		b.ok(d.StartFloatAmount(b.Context(), eurs(5000), 500))
		b.played()
	})
}

// FLOAT AMOUNT is a float as by denomination.
func TestFloatAmountDialogue(t *testing.T) {
	for name, setUp := range map[string]func(*machine){"recycler": asRecycler, "coin system": asCoinSystem} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{}, setUp, func(b *bench) {
				b.ready()
				d := b.dev.Device().(devices.AmountFloater)
				b.is(d.StartFloatAmount(b.Context(), cash.Amount{Value: 500, Currency: "GBP"}, 0), cash.ErrInvalid)
				b.is(d.StartFloatAmount(b.Context(), eurs(-1), 0), cash.ErrInvalid)
				b.is(d.StartFloatAmount(b.Context(), eurs(500), -1), cash.ErrInvalid)
				b.is(d.StartFloatAmount(b.Context(), eurs(500), 65536), cash.ErrInvalid)
				b.want([]string{"h 3D", "t 3D", "? "})
				b.m.say("3D F4 01 DC 05 00 00 45 55 52 58 > F5 02")
				b.is(d.StartFloatAmount(b.Context(), eurs(1500), 500), cash.ErrNotExact)
				b.h.clear()
				b.m.table("57", "F0")
				b.m.say("3D F4 01 DC 05 00 00 45 55 52 58 > F0", "56 > F0 D7 01 "+eur0, "56 > F0 D8 01 "+eur10)
				b.ok(d.StartFloatAmount(b.Context(), eurs(1500), 500))
				b.is(d.StartFloatAmount(b.Context(), eurs(1500), 500), cash.ErrBusy)
				b.played()
				b.order("record state FLOATING", "record Ended float done 1000")
			})
		})
	}
}

// A coin machine is asked for pieces as a recycler is; a machine without a store is not asked.
func TestPiecesOfOthers(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asCoinSystem, func(b *bench) {
		b.ready()
		b.m.say("46 01 03 00 32 00 00 00 45 55 52 19 > F0")
		b.ok(b.dev.Device().(*coin.Device).TestPieces(b.Context(), euros(50, 50, 50)))
	})
	inBubble(t, devices.DeviceConfig{}, asValidator, func(b *bench) {
		b.ready()
		b.is(b.payer().TestPieces(b.Context(), euros(500)), cash.ErrUnsupported)
		b.is(b.payer().StartPieces(b.Context(), euros(500)), cash.ErrUnsupported)
		b.is(b.payer().StartFloatAmount(b.Context(), eurs(500), 0), cash.ErrUnsupported)
		b.want([]string{"h ", "? "})
	})
}

// A note float pays given notes one by one from its top, in whatever order they lie there.
func TestFloatPieces(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asFloat, func(b *bench) {
		d := b.paying()
		b.is(d.TestPieces(b.Context(), euros(700)), cash.ErrInvalid)
		b.is(d.TestPieces(b.Context(), euros(1000)), cash.ErrNotExact)
		b.is(d.TestPieces(b.Context(), euros(1000, 1000)), cash.ErrNotEnough)
		b.ok(d.TestPieces(b.Context(), euros(1000, 500)))
		b.is(d.StartFloatAmount(b.Context(), eurs(2000), 500), cash.ErrNotExact) // the ten would be on top
		b.is(d.StartFloatAmount(b.Context(), eurs(1500), 0), cash.ErrNotExact)
		b.is(d.StartFloatAmount(b.Context(), eurs(3000), 0), cash.ErrNotEnough)
		b.h.clear()
		b.m.table("57", "F0")
		b.m.say("42 > F0", "56 > F0 DA 01 "+eur0)
		b.m.becomes("F0 DA 01 " + eur0)
		b.ok(d.StartPieces(b.Context(), euros(1000, 500)))
		b.played()
		b.m.table("41", "F0 03"+five+five+ten)
		b.m.say("56 > F0 D2 01 "+eur5, "41 > F0 03"+five+five+ten, "57 > F0", "41 > F0 03"+five+five+ten, "42 > F0",
			"56 > F0 D2 01 "+eur10, "41 > F0 02"+five+five)
		b.m.becomes("F0 E8")
		b.played()
		b.want([]string{"record Ended"}, "record Ended dispense done 1500 levels [2x500]")
		b.h.clear()
		b.m.table("41", "F0 02"+five+five)
		b.m.say("43 > F0", "56 > F0 C9 "+eur5, "41 > F0 01"+five)
		b.ok(d.StartFloatAmount(b.Context(), eurs(500), 500))
		b.played()
		b.want([]string{"record Ended"}, "record Ended float done 500 levels [1x500]")
	})
}

package devices_test

import (
	"testing"
	"time"

	"coffer/devices"
	"coffer/devices/coin"
	"coffer/internal/cash"
)

var fifteen = cash.Amount{Value: 1500, Currency: "EUR"}

// A jam found while connecting keeps the device from being ready, and shows.
func TestJamWhileConnecting(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, func(m *machine) {
		asRecycler(m)
		m.becomes("F0 E8 E9")
		m.quiet = true
	}, func(b *bench) {
		b.until("connected", func(s *devices.Snapshot) bool { return s.Connected })
		time.Sleep(time.Minute)
		s := b.snapshot()
		if s.Ready || !s.Jammed || s.State != cash.StateError {
			b.Errorf("picture %+v, want connected, jammed, ERROR", s)
		}
		b.is(b.dev.Device().Enable(b.Context()), cash.ErrJam)
		b.ok(b.dev.Device().Disable(b.Context()))
		b.want([]string{"reconcile", "record Jammed"})
		b.m.becomes("F0 E8")
		b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
	})
}

// A payout that was running before this connection goes on; it can be halted, and no other is started.
func TestPayoutRunningWhileConnecting(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, func(m *machine) {
		asRecycler(m)
		m.becomes("F0 E8 DA 01 " + eur10)
		m.quiet = true
	}, func(b *bench) {
		b.until("connected", func(s *devices.Snapshot) bool { return s.Operation == cash.OpDispense })
		time.Sleep(20 * time.Second)
		b.is(b.payer().StartPayout(b.Context(), fifteen), cash.ErrBusy)
		b.m.say("38 > F0", "56 > F0 E8 D6 01 "+eur10, "57 > F0")
		b.m.becomes("F0 E8")
		b.ok(b.payer().Halt(b.Context()))
		b.until("ready", func(s *devices.Snapshot) bool { return s.Ready && s.Operation == "" })
		b.order("record state DISPENSING", "evidence Ended dispense halted 1000", "h 57", "t 53", "reconcile")
	})
}

func TestHaltAndLostEnd(t *testing.T) {
	t.Run("halted", func(t *testing.T) {
		inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
			b.ready()
			b.m.hush(true)
			b.m.table("33", "F0")
			b.m.becomes("F0 E8 DA 01 " + eur0)
			b.ok(b.payer().StartPayout(b.Context(), fifteen))
			time.Sleep(time.Second)
			b.m.say("38 > F0", "56 > F0 E8 D6 01 "+eur0, "22 > "+levels("04", "04", "04"), "58 > F0 00", "53 > F0 00 00000000", "57 > F0")
			b.m.becomes("F0 E8")
			b.ok(b.payer().Halt(b.Context()))
			b.played()
			b.want([]string{"record"}, "record state DISPENSING", "record Ended dispense halted 0 levels [4x500 4x1000 4x2000]", "record state DISABLED")
		})
	})
	t.Run("end lost", func(t *testing.T) {
		inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
			b.ready()
			b.m.hush(true)
			b.m.table("33", "F0")
			b.m.say("22 > "+levels("04", "04", "04"), "33 DC 05 00 00 45 55 52 58 > F0", "56 > F0 E8 DA 01 "+eur10)
			b.m.table("22", levels("03", "03", "04"))
			b.ok(b.payer().StartPayout(b.Context(), fifteen))
			time.Sleep(4 * time.Second)
			b.want([]string{"record Ended"})
			time.Sleep(3 * time.Second)
			b.want([]string{"record Ended", "record Progress", "reconcile"}, "record Progress dispense 1000 -",
				"record Ended dispense error 1000 levels [3x500 3x1000 4x2000]", "reconcile")
		})
	})
	t.Run("jammed, then over", func(t *testing.T) {
		inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
			b.ready()
			b.m.hush(true)
			b.m.table("33", "F0")
			b.m.becomes("F0 E8 D5 01 " + eur10)
			b.ok(b.payer().StartPayout(b.Context(), fifteen))
			time.Sleep(time.Minute)
			if b.snapshot().State != cash.StateError || b.snapshot().Operation == "" {
				b.Errorf("picture %+v", b.snapshot())
			}
			b.m.becomes("F0 E8")
			time.Sleep(6 * time.Second)
			b.want([]string{"record"}, "record state ERROR", "record Jammed {10.00 EUR}", "record state DISABLED",
				"record Ended dispense jammed 0 levels [4x500 4x1000 4x2000]")
		})
	})
	t.Run("error during payout", func(t *testing.T) {
		inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
			b.ready()
			b.m.hush(true)
			b.m.table("33", "F0")
			b.m.say("22 > "+levels("04", "04", "04"), "33 DC 05 00 00 45 55 52 58 > F0",
				"56 > F0 E8 B1 01 "+eur10+" 00", "22 > "+levels("04", "03", "04"), "58 > F0 00", "53 > F0 01 01 00 "+eur5+" 00000000", "57 > F0")
			b.ok(b.payer().StartPayout(b.Context(), fifteen))
			b.played()
			b.want([]string{"record"}, "record state ERROR", "record PayoutError {10.00 EUR}",
				"record Ended dispense error 1000 levels [4x500 3x1000 4x2000]", "record state DISABLED")
		})
	})
}

func TestFloatAndEmpty(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		b.m.hush(true)
		d := b.payer()
		b.m.say("22 > "+levels("04", "04", "04"), "44 03 00 00 "+eur5+" 02 00 "+eur10+" 04 00 "+eur20+" 58 > F0",
			"56 > F0 E8 D7 01 "+eur0, "56 > F0 E8 D7 01 "+eur10, "22 > "+levels("04", "03", "04"),
			"56 > F0 E8 D8 01 "+eur20, "22 > "+levels("00", "02", "04"), "58 > F0 00", "53 > F0 01 02 00 "+eur10+" 00000000", "57 > F0")
		b.ok(d.StartFloat(b.Context(), cash.Counts{{Value: 1000, Currency: "EUR"}: 2, {Value: 2000, Currency: "EUR"}: 4}))
		b.played()
		b.want([]string{"record"}, "record state FLOATING", "record Progress float 1000 [1x1000]",
			"record Ended float done 2000 levels [2x1000 4x2000]", "record state DISABLED")
		b.h.clear()
		b.m.say("22 > "+levels("00", "02", "04"), "52 > F0", "56 > F0 E8 B3 01 "+eur0,
			"56 > F0 E8 B4 01 "+eur20, "22 > "+levels("00", "00", "00"), "58 > F0 00", "53 > F0 00 00000000", "57 > F0")
		b.ok(d.StartEmpty(b.Context(), 0))
		b.played()
		b.want([]string{"record"}, "record state EMPTYING", "record Ended empty done 2000 levels []", "record state DISABLED")
	})
}

func TestRoutesAreReadThenKept(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, func(m *machine) {
		asRecycler(m)
		m.table("3C "+eur20, "F0 01")
		m.table("3C "+eur5, "F5 01")
	}, func(b *bench) {
		b.ready()
		for _, want := range []struct {
			value                int64
			recyclable, toPayout bool
		}{{500, false, false}, {1000, true, true}, {2000, true, false}} {
			ch, _ := b.snapshot().Channel(cash.Denom{Value: want.value, Currency: "EUR"})
			if ch.Recyclable != want.recyclable || ch.ToPayout != want.toPayout {
				b.Errorf("%+v, want %+v", ch, want)
			}
		}
		b.m.say("3B 01 " + eur10 + " > F0")
		b.ok(b.payer().SetRoute(b.Context(), cash.Denom{Value: 1000, Currency: "EUR"}, false))
		b.m.hush(true)
		b.h.clear()
		b.ok(b.dev.Device().Reset(b.Context()))
		b.until("lost", func(s *devices.Snapshot) bool { return !s.Connected })
		b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
		b.order("record state RESET", "record state NOT_CONNECTED", "t 3C "+eur5, "t 3B 01 "+eur10, "t 3B 01 "+eur20)
	})
}

// Who opens a machine just after its reset waits for it to come back: it does not show as ready any more.
func TestResetIsNotReady(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		b.m.hush(true)
		ready, err := b.dev.ResetReady(b.Context())
		if b.ok(err); ready {
			b.Error("it shows as ready after its reset")
		}
		b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
	})
}

// A store that is refused while the machine starts up is asked for again.
func TestPayoutRefusedAtStartUp(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		b.m.hush(true)
		b.ok(b.payer().EnablePayout(b.Context()))
		b.m.table("5C", "F5 03")
		b.is(b.payer().EnablePayout(b.Context()), cash.ErrBusy)
		b.m.say("56 > FA")
		b.played()
		b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
		if b.snapshot().PayoutEnabled {
			b.Error("shown as enabled")
		}
		time.Sleep(5 * time.Second)
		b.m.table("5C", "F0")
		b.until("enabled", func(s *devices.Snapshot) bool { return s.PayoutEnabled })
		b.order("t 5C", "t 09", "t 5C", "t 02 00", "t 0A")
	})
}

func TestAudit(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		b.m.hush(true)
		time.Sleep(2 * time.Minute)
		b.want([]string{"reconcile"})
		b.m.table("22", levels("05", "04", "04"))
		time.Sleep(35 * time.Second)
		b.want([]string{"reconcile"}, "reconcile")
		time.Sleep(2 * time.Minute)
		b.want([]string{"reconcile"}, "reconcile")
	})
}

// A payout that its start would refuse is refused by its test.
func TestTestWhileAPayoutRuns(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		b.m.hush(true)
		b.m.table("33", "F0")
		b.ok(b.payer().TestPayout(b.Context(), fifteen))
		b.m.becomes("F0 E8 DA 01 " + eur10)
		b.ok(b.payer().StartPayout(b.Context(), fifteen))
		b.is(b.payer().TestPayout(b.Context(), fifteen), cash.ErrBusy)
		b.is(b.payer().TestPieces(b.Context(), cash.Counts{{Value: 500, Currency: "EUR"}: 1}), cash.ErrBusy)
	})
}

// Books are compared on demand right after an operation has ended as well.
func TestAuditAfterAPayout(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		b.m.hush(true)
		b.m.table("33", "F0")
		b.m.becomes("F0 E8 DA 01 " + eur10)
		b.ok(b.payer().StartPayout(b.Context(), fifteen))
		b.until("paying", func(s *devices.Snapshot) bool { return s.Operation != "" })
		b.m.becomes("F0 E8")
		b.m.say("56 > F0 E8 D2 01 "+eur15, "22 > "+levels("03", "03", "04"))
		b.until("paid", func(s *devices.Snapshot) bool { return s.Operation == "" })
		b.h.clear()
		b.m.table("22", levels("05", "03", "04"))
		b.ok(b.payer().Audit(b.Context()))
		b.want([]string{"reconcile"}, "reconcile")
	})
}

func TestStatesOfAMachine(t *testing.T) {
	tests := map[string]struct {
		setUp   func(*machine)
		answers []string
		want    []string
	}{
		"cashbox out and in": {asRecycler, []string{"F0 E3", "F0 E3", "F0", "F0 E4", "F0"},
			[]string{"CASHBOX_REMOVED", "CASHBOX_REPLACE", "IDLE"}},
		"path open":             {asRecycler, []string{"F0 E0", "F0"}, []string{"NOTE_PATH_OPEN", "IDLE"}},
		"stacker full":          {asRecycler, []string{"F0 E7", "F0"}, []string{"DEVICE_FULL", "IDLE"}},
		"all inhibited":         {asRecycler, []string{"F0 B5"}, []string{"CHANNEL_DISABLE"}},
		"jam and recovery":      {asRecycler, []string{"F0 EA", "F0 EA", "F0 B0", "F0"}, []string{"ERROR", "JAM_RECOVERY", "IDLE"}},
		"coins":                 {asCoinSystem, []string{"F0 C1", "F0 C1", "F0"}, []string{"PAY_IN_ACTIVE", "IDLE"}},
		"coin system full":      {asCoinSystem, []string{"F0 CF", "F0"}, []string{"DEVICE_FULL", "IDLE"}},
		"feeder jam":            {asCoinSystem, []string{"F0 C4 D5 01 " + eur0, "F0"}, []string{"ERROR", "IDLE"}},
		"coin mech jam":         {asCoinSystem, []string{"F0 C4", "F0"}, []string{"COIN_MECH_JAMMED", "IDLE"}},
		"maintenance":           {asCoinSystem, []string{"F0 C0"}, []string{"MAINTENANCE_REQUIRED"}},
		"barcode":               {asRecycler, []string{"F0 E5", "F0 D1", "F0"}, []string{"BAR_CODE_TICKET_VALIDATED", "BAR_CODE_TICKET_ACKNOWLEDGE", "IDLE"}},
		"fraud":                 {asRecycler, []string{"F0 E6 02", "F0"}, []string{"FRAUD_ATTEMPT", "IDLE"}},
		"disabled by itself":    {asRecycler, []string{"F0 E8"}, []string{"DISABLED"}},
		"payout out of service": {asRecycler, []string{"F0 C6", "F0"}, []string{"ERROR", "IDLE"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{}, tc.setUp, func(b *bench) {
				b.ready()
				b.ok(b.dev.Device().Enable(b.Context()))
				b.m.becomes("F0")
				time.Sleep(time.Second)
				b.h.clear()
				b.m.hush(true)
				for _, a := range tc.answers {
					b.m.say("56 > " + a)
				}
				b.m.becomes(tc.answers[len(tc.answers)-1])
				b.played()
				var want []string
				for _, s := range tc.want {
					want = append(want, "record state "+s)
				}
				b.want([]string{"record state"}, want...)
			})
		})
	}
}

func TestStopping(t *testing.T) {
	t.Run("at rest", func(t *testing.T) {
		inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
			b.accepting(true)
			start := time.Now()
			b.stop()
			<-b.done
			if d := time.Since(start); d > time.Second {
				b.Errorf("took %v", d)
			}
			b.order("t 02 00", "t 09", "record state NOT_CONNECTED")
		})
	})
	t.Run("a held note goes back", func(t *testing.T) {
		inBubble(t, devices.DeviceConfig{Escrow: true}, asRecycler, func(b *bench) {
			b.accepting(false)
			b.m.table("18", "F0")
			b.m.say("56 > F0 EF 01")
			b.played()
			b.m.say("09 > F0", "08 > F0", "56 > F0 E8 ED", "56 > F0 E8 EC")
			b.m.becomes("F0 E8")
			b.stop()
			<-b.done
			b.order("h 08", "h 56 > F0 E8 EC", "record NoteReturned 500 EUR", "t 09")
		})
	})
	t.Run("a payout ends", func(t *testing.T) {
		inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
			b.ready()
			b.m.hush(true)
			b.m.table("33", "F0")
			b.m.becomes("F0 E8 DA 01 " + eur0)
			b.ok(b.payer().StartPayout(b.Context(), fifteen))
			b.stop()
			time.Sleep(5 * time.Second)
			b.is(b.payer().StartPayout(b.Context(), fifteen), cash.ErrBusy)
			b.m.say("56 > F0 E8 D2 01 " + eur15)
			b.m.becomes("F0 E8")
			<-b.done
			b.order("record Ended dispense done 1500", "record state NOT_CONNECTED")
		})
	})
	t.Run("a payout that does not end", func(t *testing.T) {
		inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
			b.ready()
			b.m.hush(true)
			b.m.table("33", "F0")
			b.m.becomes("F0 E8 DA 01 " + eur0)
			b.ok(b.payer().StartPayout(b.Context(), fifteen))
			start := time.Now()
			b.stop()
			<-b.done
			if d := time.Since(start); d < 15*time.Second || d > 16*time.Second {
				b.Errorf("took %v, want 15 s", d)
			}
		})
	})
	t.Run("the ledger refuses", func(t *testing.T) {
		inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
			b.accepting(false)
			b.sink.refuse(cash.ErrJournal)
			b.m.say("56 > F0 EE 01")
			time.Sleep(5 * time.Second)
			b.stop()
			<-b.done
			b.want([]string{"t 57", "h 57"})
		})
	})
}

// ssp.md section 23: coins into a coin system, and a payout with one coin of 0.20 diverted to the cashbox.
func TestCoinDialogue(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asCoinSystem, func(b *bench) {
		b.accepting(false)
		b.m.becomes("F0")
		b.m.say("56 > F0 C1",
			"56 > F0 C1 DF C8 00 00 00 45 55 52", "22 > "+coinLevels("32", "32", "33"), "57 > F0",
			"56 > F0 C1 DF 32 00 00 00 45 55 52", "22 > "+coinLevels("32", "33", "33"), "57 > F0")
		b.played()
		b.want([]string{"record"}, "record state PAY_IN_ACTIVE", "record CoinCredited 1x 200 EUR payout",
			"record CoinCredited 1x 50 EUR payout", "record state IDLE")
		b.h.clear()

		d := b.dev.Device().(*coin.Device)
		b.m.say("22 > "+coinLevels("32", "33", "33"), "33 0E 01 00 00 45 55 52 58 > F0",
			"56 > F0 DA 01 C8 00 00 00 45 55 52", "22 > "+coinLevels("32", "33", "32"),
			"56 > F0 D2 01 0E 01 00 00 45 55 52 DE 01 14 00 00 00 45 55 52",
			"22 > "+coinLevels("30", "32", "32"), "58 > F0 00", "53 > F0 01 01 00 14 00 00 00 45 55 52 00000000", "57 > F0")
		b.ok(d.StartPayout(b.Context(), cash.Amount{Value: 270, Currency: "EUR"}))
		b.played()
		b.want([]string{"record"}, "record state DISPENSING", "record Progress dispense 200 [1x200]",
			"record MovedToCashbox 20", "record Ended dispense done 270 levels [48x20 50x50 50x200]", "record state IDLE")
		b.is(d.EnablePayout(b.Context()), cash.ErrUnsupported)
	})
}

func TestCoinSums(t *testing.T) {
	tests := map[string]struct {
		routes string // answer to GET ROUTE
		answer string // events of the poll answer
		levels string
		want   []string
	}{
		"sum of several, shown by the levels": {"F0 00", "DF 0E 01 00 00 45 55 52", coinLevels("33", "33", "33"),
			[]string{"record CoinCredited 1x 20 EUR payout", "record CoinCredited 1x 50 EUR payout", "record CoinCredited 1x 200 EUR payout"}},
		"two events, two coins": {"F0 00", "DF 32 00 00 00 45 55 52 DF C8 00 00 00 45 55 52", coinLevels("32", "33", "33"),
			[]string{"record CoinCredited 1x 50 EUR payout", "record CoinCredited 1x 200 EUR payout"}},
		"value added": {"F0 00", "BF 01 28 00 00 00 45 55 52", coinLevels("34", "32", "32"),
			[]string{"record CoinCredited 2x 20 EUR payout"}},
		"to the cashbox, one coin": {"F0 01", "DF C8 00 00 00 45 55 52", coinLevels("32", "32", "32"),
			[]string{"record CoinCredited 1x 200 EUR cashbox"}},
		"to the cashbox, only one way": {"F0 01", "DF 46 00 00 00 45 55 52", coinLevels("32", "32", "32"),
			[]string{"record CoinCredited 1x 20 EUR cashbox", "record CoinCredited 1x 50 EUR cashbox"}},
		"to the cashbox, two ways": {"F0 01", "DF 64 00 00 00 45 55 52", coinLevels("32", "32", "32"),
			[]string{"reconcile"}},
		"not shown by the levels yet": {"F0 00", "DF 32 00 00 00 45 55 52", coinLevels("32", "32", "32"),
			[]string{"record CoinCredited 1x 50 EUR payout", "reconcile"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{}, func(m *machine) {
				asCoinSystem(m)
				m.table("3C", tc.routes)
			}, func(b *bench) {
				b.accepting(false)
				b.m.table("22", tc.levels)
				b.m.say("56 > F0 C1 "+tc.answer, "57 > F0")
				b.played()
				b.want([]string{"record Coin", "reconcile"}, tc.want...)
			})
		})
	}
}

func TestCalibrationIsRunWhenAskedFor(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asCoinSystem, func(b *bench) {
		b.accepting(false)
		b.m.say("56 > F0 83 07", "48 > F0", "56 > F0 83 07", "56 > F0")
		b.played()
		b.want([]string{"record"}, "record state CALIBRATION_FAILED", "record CalibrationFailed {7}", "record state IDLE")
	})
}

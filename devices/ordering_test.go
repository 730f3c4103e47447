package devices_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// accepting makes the device of b take notes; with payout, into its store too.
func (b *bench) accepting(payout bool) {
	b.Helper()
	b.ready()
	if payout {
		b.ok(b.payer().EnablePayout(b.Context()))
	}
	b.ok(b.dev.Device().Enable(b.Context()))
	b.m.becomes("F0")
	b.m.table("57", "F0")
	time.Sleep(time.Second)
	b.m.hush(true)
	b.h.clear()
}

func TestNoteWithAutoAccept(t *testing.T) {
	tests := map[string]struct {
		payout bool
		last   string
		want   []string
	}{
		"into the store": {true, "DB", []string{"record state ACCEPTING", "record NoteHeld 500 EUR",
			"record NoteCredited 500 EUR payout", "record NotePlaced 500 EUR payout", "record state IDLE"}},
		"into the cashbox, against the route": {true, "EB", []string{"record state ACCEPTING", "record NoteHeld 500 EUR",
			"record NoteCredited 500 EUR payout", "record NotePlaced 500 EUR cashbox", "record state IDLE"}},
		"store off": {false, "EB", []string{"record state ACCEPTING", "record NoteHeld 500 EUR",
			"record NoteCredited 500 EUR cashbox", "record NotePlaced 500 EUR cashbox", "record state IDLE"}},
		"refused": {false, "ED", []string{"record state ACCEPTING", "record NoteHeld 500 EUR",
			"record state REJECTING", "record state REJECTED", "record NoteReturned 500 EUR 8", "record state IDLE"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
				b.accepting(tc.payout)
				b.m.say("56 > F0 EF 00", "56 > F0 EF 01")
				if tc.last == "ED" {
					b.m.say("56 > F0 ED", "56 > F0 EC")
				} else {
					b.m.say("56 > F0 EF 01", "56 > F0 CC EE 01", "57 > F0", "56 > F0 CC", "56 > F0 "+tc.last)
				}
				b.played()
				b.want([]string{"record"}, tc.want...)
			})
		})
	}
}

// A note that a reading of the levels shows before the machine says that it has arrived is not counted twice.
func TestStoredAfterAReading(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.accepting(true)
		b.m.say("56 > F0 EF 00", "56 > F0 EF 01", "56 > F0 EF 01", "56 > F0 CC EE 01", "57 > F0", "56 > F0 CC")
		b.until("credited", func(*devices.Snapshot) bool { return b.m.left() == 0 })
		b.m.table("22", levels("05", "04", "04"))
		if _, err := b.dev.Device().Account(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.m.say("56 > F0 DB")
		ctx, stop := context.WithTimeout(b.Context(), time.Second)
		defer stop()
		five := cash.Denom{Value: 500, Currency: "EUR"}
		if b.dev.Wait(ctx, func(s *devices.Snapshot) bool { return s.Levels[five] != 5 }) == nil {
			b.Errorf("%d pieces of 5 EUR are shown", b.snapshot().Levels[five])
		}
		b.order("record NotePlaced")
	})
}

// All that a fast machine does between two polls comes in one answer; the order that callers see stays the same.
func TestWholeStoryInOneAnswer(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.accepting(true)
		b.m.say("56 > F0 EE 01 DB EE 03 DB", "57 > F0", "56 > F0 EC")
		b.played()
		b.want([]string{"record"}, "record state ACCEPTING", "record NoteCredited 500 EUR payout",
			"record NotePlaced 500 EUR payout", "record NoteCredited 2000 EUR payout", "record NotePlaced 2000 EUR payout",
			"record state REJECTING", "record state REJECTED", "record NoteRejected {8}", "record state IDLE")
	})
}

// A machine that hears nothing for ten seconds returns the note of its escrow, and the next customer's may lie there by the
// time that its host is back: nobody must take that one for the first.
func TestEscrowLeftAlone(t *testing.T) {
	tests := map[string]struct {
		stall time.Duration
		first []string
		want  error
		rows  []string
	}{
		"long": {12 * time.Second, []string{"08 > F0", "56 > F0 EC", "57 > F0", "56 > F0 ED", "56 > F0 EC"}, cash.ErrNothing,
			[]string{"record NoteHeld 1000 EUR", "record NoteReturned 1000 EUR 8", "record NoteRejected {8}"}},
		"short": {8 * time.Second, []string{"18 > F0", "56 > F0 EF 02", "56 > F0 CC EE 02", "57 > F0", "56 > F0 DB"}, nil,
			[]string{"record NoteHeld 1000 EUR", "record NoteCredited 1000 EUR payout", "record NotePlaced 1000 EUR payout"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{Escrow: true}, asRecycler, func(b *bench) {
				b.accepting(true)
				b.m.table("18", "F0")
				b.sink.stall(tc.stall)
				b.m.say("56 > F0 EF 02")
				b.m.say(tc.first...)
				time.Sleep(time.Second) // the disk is at it
				b.is(b.payer().AcceptEscrow(b.Context()), tc.want)
				b.played()
				b.want([]string{"record Note"}, tc.rows...)
			})
		})
	}
}

func TestLedgerRefusesCredit(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asValidator, func(b *bench) {
		b.accepting(false)
		b.m.hush(false)
		b.sink.refuse(cash.ErrJournal)
		b.m.say("56 > F0 CC EE 01", "09 > F0")
		for b.m.left() > 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(2600 * time.Millisecond)
		if n := len(b.h.list("refused record NoteCredited")); n != 6 {
			b.Errorf("asked the ledger %d times in 2.6 s, want once and each 500 ms", n)
		}
		if b.snapshot().AcceptorEnabled || b.snapshot().Error == "" {
			b.Errorf("picture %+v, want the acceptor off and the reason", b.snapshot())
		}
		b.is(b.dev.Device().Enable(b.Context()), cash.ErrJournal)
		b.is(b.dev.Device().Reset(b.Context()), cash.ErrJournal)
		b.want([]string{"h 56 > F0", "h 57", "t 57"}, "h 56 > F0 CC EE 01")

		b.m.say("0A > F0", "57 > F0", "56 > F0 EB")
		b.sink.refuse(nil)
		b.played()
		b.order("record NoteCredited 500 EUR cashbox", "h 0A", "h 57", "h 56 > F0 EB", "record NotePlaced")
		if !b.snapshot().AcceptorEnabled {
			b.Error("acceptance did not come back")
		}
	})
}

// A machine that goes away while the ledger refuses shows as gone, and what it told is still written.
func TestMachineGoesWhileTheLedgerRefuses(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asValidator, func(b *bench) {
		b.accepting(false)
		b.sink.refuse(cash.ErrJournal)
		b.m.say("56 > F0 CC EE 01")
		time.Sleep(2 * time.Second)
		b.m.die(true)
		b.until("lost", func(s *devices.Snapshot) bool { return !s.Connected })
		b.sink.refuse(nil)
		b.m.die(false)
		b.until("ready again", func(s *devices.Snapshot) bool { return s.Ready && s.AcceptorEnabled })
		b.order("record NoteCredited 500 EUR cashbox", "record state NOT_CONNECTED", "h 11", "reconcile")
	})
}

func TestMachineWithoutDriver(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, func(m *machine) {
		asValidator(m)
		m.table("05", "F0 0D 30343338 455552 000001 03 050A14 020202 000064 08 455552455552455552 05000000 0A000000 14000000")
	}, func(b *bench) {
		time.Sleep(10 * time.Second)
		s := b.snapshot()
		if s.Connected || s.ID != "" || !strings.Contains(s.Error, "no driver for unit type 0D") {
			b.Errorf("picture %+v", s)
		}
		b.want([]string{"record", "evidence", "reconcile"})
	})
}

// A note that cannot be written down goes back to the customer.
func TestLedgerRefusesHold(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asValidator, func(b *bench) {
		b.accepting(false)
		b.m.hush(false)
		b.sink.refuse(cash.ErrJournal)
		b.m.say("56 > F0 EF 02", "09 > F0", "08 > F0")
		b.m.table("08", "F5")
		time.Sleep(3 * time.Second)
		b.want([]string{"h "}, "h 56 > F0 EF 02", "h 09 > F0", "h 08 > F0")
		b.m.say("0A > F0", "56 > F0 ED", "56 > F0 EC", "17 > F0 08")
		b.sink.refuse(nil)
		b.played()
		b.order("record NoteHeld 1000 EUR", "record NoteReturned 1000 EUR 8")
	})
}

func TestHeldNoteAtConnectGoesBackBeforeTheFirstPoll(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, func(m *machine) {
		asRecycler(m)
		m.say("18 > F0", "08 > F0", "09 > F0", "56 > F0 F1 E8 ED", "56 > F0 E8 EC", "57 > F5", "56 > F0 E8 EF 02", "08 > F0",
			"56 > F0 E8 ED", "56 > F0 E8 EC")
	}, func(b *bench) {
		b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
		if n := b.m.left(); n != 0 {
			b.Errorf("%d lines of the script were not used", n)
		}
		b.want([]string{"record Note", "evidence"})
	})
}

func TestReturnAndDecisionErrors(t *testing.T) {
	inBubble(t, devices.DeviceConfig{Escrow: true}, asRecycler, func(b *bench) {
		b.accepting(false)
		d := b.payer()
		b.is(d.AcceptEscrow(b.Context()), cash.ErrNothing)
		b.is(d.ReturnEscrow(b.Context()), cash.ErrNothing)
		b.m.table("18", "F0")
		b.m.say("56 > F0 EF 03")
		b.until("held", func(s *devices.Snapshot) bool { return s.Escrow != nil })
		time.Sleep(time.Minute)
		b.want([]string{"h 56", "record"}, "h 56 > F0 EF 03", "record state ACCEPTING", "record NoteHeld 2000 EUR")
		if n := len(b.h.list("t 18")); n < 60 {
			b.Errorf("%d HOLDs in a minute", n)
		}
		b.is(d.StartPayout(b.Context(), cash.Amount{Value: 500, Currency: "EUR"}), cash.ErrBusy)
		b.m.say("08 > F0", "56 > F0 ED", "56 > F0 EC", "17 > F0 08")
		b.ok(d.ReturnEscrow(b.Context()))
		b.is(d.ReturnEscrow(b.Context()), cash.ErrNothing)
		b.played()
		b.want([]string{"record"}, "record state ACCEPTING", "record NoteHeld 2000 EUR", "record state REJECTING",
			"record state REJECTED", "record NoteReturned 2000 EUR 8", "record state IDLE")
	})
}

// The customer's note can leave by itself: HOLD is refused then, and the polls tell the rest.
func TestHeldNoteLeaves(t *testing.T) {
	inBubble(t, devices.DeviceConfig{Escrow: true}, asRecycler, func(b *bench) {
		b.accepting(false)
		b.m.say("56 > F0 EF 03", "18 > F0", "18 > F5", "56 > F0 ED", "56 > F0 EC", "17 > F0 13")
		b.played()
		b.order("record NoteHeld 2000 EUR", "record state REJECTED", "record NoteReturned 2000 EUR 19", "record state IDLE")
	})
}

func TestDisableWhileANoteComesIn(t *testing.T) {
	t.Run("moving: it goes back", func(t *testing.T) {
		inBubble(t, devices.DeviceConfig{}, asValidator, func(b *bench) {
			b.accepting(false)
			b.m.say("56 > F0 EF 00")
			b.played()
			b.ok(b.dev.Device().Disable(b.Context()))
			b.m.say("56 > F0 E8 EF 01", "08 > F0", "56 > F0 E8 ED", "56 > F0 E8 EC")
			b.played()
			b.order("record NoteHeld 500 EUR", "h 08", "record NoteReturned 500 EUR")
		})
	})
	t.Run("taken: it is credited", func(t *testing.T) {
		inBubble(t, devices.DeviceConfig{}, asValidator, func(b *bench) {
			b.accepting(false)
			b.m.becomes("F0 CC")
			b.m.say("56 > F0 EF 01", "56 > F0 CC")
			b.played()
			b.ok(b.dev.Device().Disable(b.Context()))
			b.m.say("56 > F0 E8 CC EE 01", "57 > F0", "56 > F0 E8 EB")
			b.m.becomes("F0 E8")
			b.played()
			b.order("record NoteHeld 500 EUR", "record NoteCredited 500 EUR cashbox", "h 57",
				"record NotePlaced 500 EUR cashbox", "record state DISABLED")
		})
	})
}

// DISABLE may stop the payouts of a recycler, so that its acceptance is stopped by inhibits while its payout is on.
func TestSwitchesOfARecycler(t *testing.T) {
	inBubble(t, devices.DeviceConfig{Inhibit: []int64{500}}, asRecycler, func(b *bench) {
		b.ready()
		d := b.payer()
		steps := []struct {
			name string
			do   func() error
			want []string
		}{
			{"enable", func() error { return d.Enable(b.Context()) }, []string{"0A"}},
			{"again", func() error { return d.Enable(b.Context()) }, nil},
			{"disable", func() error { return d.Disable(b.Context()) }, []string{"09"}},
			{"payout on", func() error { return d.EnablePayout(b.Context()) }, []string{"5C", "02 00", "0A"}},
			{"enable", func() error { return d.Enable(b.Context()) }, []string{"02 06"}},
			{"inhibit", func() error {
				return d.SetInhibits(b.Context(), []cash.Denom{{Value: 2000, Currency: "EUR"}}, true)
			}, []string{"02 02"}},
			{"disable", func() error { return d.Disable(b.Context()) }, []string{"02 00"}},
			{"allow", func() error {
				return d.SetInhibits(b.Context(), []cash.Denom{{Value: 500, Currency: "EUR"}}, false)
			}, nil},
			{"payout off", func() error { return d.DisablePayout(b.Context()) }, []string{"5B", "09", "02 03"}},
		}
		b.m.hush(true)
		for _, s := range steps {
			b.h.clear()
			if err := s.do(); err != nil {
				b.Fatalf("%s: %v", s.name, err)
			}
			if got := strings.Join(b.sent(), ", "); got != strings.Join(s.want, ", ") {
				b.Errorf("%s sends %s, want %s", s.name, got, strings.Join(s.want, ", "))
			}
		}
		b.is(d.SetInhibits(b.Context(), []cash.Denom{{Value: 500, Currency: "EUR"}, {Value: 1, Currency: "EUR"}}, true), cash.ErrInvalid)
		b.is(d.SetRoute(b.Context(), cash.Denom{Value: 500, Currency: "GBP"}, true), cash.ErrInvalid)
	})
}

func TestPayoutRefusals(t *testing.T) {
	want := cash.Amount{Value: 1500, Currency: "EUR"}
	for answer, err := range map[string]error{
		"F5 01": cash.ErrNotEnough, "F5 00": cash.ErrNotEnough, "F5 02": cash.ErrNotExact, "F5 03": cash.ErrBusy,
		"F5 04": cash.ErrDisabled, "F5": cash.ErrBusy, "F2": cash.ErrUnsupported, "F4": cash.ErrInvalid, "F3": cash.ErrInvalid,
	} {
		t.Run(answer, func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
				b.ready()
				b.m.table("33", answer)
				b.m.table("52", answer)
				b.m.table("44", answer)
				d := b.payer()
				b.is(d.TestPayout(b.Context(), want), err)
				b.is(d.StartPayout(b.Context(), want), err)
				b.is(d.StartEmpty(b.Context(), 0), err)
				b.is(d.StartFloat(b.Context(), nil), err)
				if op := b.snapshot().Operation; op != "" {
					b.Errorf("the picture shows %s", op)
				}
				b.is(d.Halt(b.Context()), cash.ErrNothing)
			})
		})
	}
}

func TestInvalidPayouts(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		for _, a := range []cash.Amount{{}, {Value: 500, Currency: "GBP"}, {Value: -5, Currency: "EUR"}, {Value: 1 << 32, Currency: "EUR"}} {
			b.is(b.payer().StartPayout(b.Context(), a), cash.ErrInvalid)
		}
		b.is(b.payer().StartFloat(b.Context(), cash.Counts{{Value: 500, Currency: "EUR"}: -1}), cash.ErrInvalid)
		b.is(b.payer().StartFloat(b.Context(), cash.Counts{{Value: 1, Currency: "EUR"}: 1}), cash.ErrInvalid)
		_, err := b.dev.Device().Raw(b.Context(), []byte{0x33})
		b.is(err, cash.ErrInvalid)
		_, err = b.dev.Device().Raw(b.Context(), nil)
		b.is(err, cash.ErrInvalid)
		_, err = b.dev.Device().Raw(b.Context(), []byte{0x30, 0xE0, 0x18})
		b.is(err, cash.ErrInvalid)
		_, err = b.dev.Device().Raw(b.Context(), make([]byte, ssp.MaxEncrypted+1)) // which no frame carries
		b.is(err, cash.ErrInvalid)
		if s := b.dev.Device().Snapshot(); !s.Connected || !s.Ready {
			t.Errorf("a command that cannot be sent has cost the connection: %s", s.Error)
		}
	})
	inBubble(t, devices.DeviceConfig{}, asValidator, func(b *bench) {
		b.ready()
		d := b.payer()
		b.is(d.StartPayout(b.Context(), cash.Amount{Value: 500, Currency: "EUR"}), cash.ErrUnsupported)
		b.is(d.EnablePayout(b.Context()), cash.ErrUnsupported)
		b.is(d.StartEmpty(b.Context(), 0), cash.ErrUnsupported)
		b.is(d.SetRoute(b.Context(), cash.Denom{Value: 500, Currency: "EUR"}, true), cash.ErrUnsupported)
	})
}

func TestLostCommitIsUnknown(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		b.m.hush(true)
		b.m.say("33 DC 05 00 00 45 55 52 58 > lost")
		b.is(b.payer().StartPayout(b.Context(), cash.Amount{Value: 1500, Currency: "EUR"}), cash.ErrOutcomeUnknown)
		b.m.say("56 > F0 E8 DA 01 "+eur0, "56 > F0 E8 D2 01 "+eur15, "57 > F0")
		b.played()
		b.until("ready again", func(s *devices.Snapshot) bool { return s.Ready })
		b.order("h 33", "record state NOT_CONNECTED", "h 11", "record state CONNECTING", "t 09", "h 56 > F0 E8 DA",
			"record state DISPENSING", "evidence Ended dispense done 1500", "h 57", "t 22", "t 58", "t 53", "reconcile",
			"record state STARTED")
		if n := len(b.h.list("h 33", "t 33", "? 33")); n != 1 {
			b.Errorf("the payout was sent %d times", n)
		}
	})
}

func TestSilence(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.ready()
		b.m.hush(true)
		b.ok(b.dev.Device().Enable(b.Context()))
		start := time.Now()
		b.m.die(true)
		b.until("lost", func(s *devices.Snapshot) bool { return !s.Connected })
		if d := time.Since(start); d > 3*time.Second {
			b.Errorf("shown after %v", d)
		}
		time.Sleep(time.Second)
		b.is(b.dev.Device().Enable(b.Context()), cash.ErrNotConnected)
		b.is(b.payer().StartPayout(b.Context(), cash.Amount{Value: 500, Currency: "EUR"}), cash.ErrNotConnected)
		time.Sleep(time.Minute)
		start = time.Now()
		b.h.clear()
		b.m.die(false)
		b.until("back", func(s *devices.Snapshot) bool { return s.Connected })
		if d := time.Since(start); d > 6*time.Second {
			b.Errorf("back after %v", d)
		}
		b.until("ready", func(s *devices.Snapshot) bool { return s.Ready && s.AcceptorEnabled })
		b.order("record state CONNECTING", "record state CONNECTED", "record state STARTING", "reconcile", "t 02 07", "record state STARTED", "t 0A")
	})
}

func TestKeyLostAndRestart(t *testing.T) {
	for name, line := range map[string]string{"key lost": "56 > FA", "slave reset": "56 > F0 F1 E8"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{Inhibit: []int64{500}}, asRecycler, func(b *bench) {
				b.accepting(true)
				b.m.say(line)
				b.played()
				b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
				b.order("h 56 > F", "record state NOT_CONNECTED", "h 11", "t 06 08", "h keys", "t 05", "t 18", "t 09",
					"reconcile", "t 3B", "t 3B", "t 3B", "t 02 06", "t 5C", "record state STARTED", "t 0A", "record state IDLE")
			})
		})
	}
}

// What stands beside SLAVE RESET is kept, but not booked: it may belong to before.
func TestMoneyBesideSlaveReset(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asRecycler, func(b *bench) {
		b.accepting(true)
		b.m.say("56 > F0 F1 E8 CB "+eur10, "57 > F0")
		b.played()
		b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
		b.order("evidence ClearedAtPowerUp 1000 EUR customer to payout", "h 57", "record state NOT_CONNECTED", "h 11", "reconcile")
	})
}

func TestMachineWithoutPollWithAck(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, func(m *machine) {
		asValidator(m)
		m.say("56 > F2")
		m.quiet = true
	}, func(b *bench) {
		b.ready()
		b.ok(b.dev.Device().Enable(b.Context()))
		b.m.becomes("F0")
		b.m.say("07 > F0 EF 01", "07 > F0 CC EE 01", "07 > F0 EB")
		b.played()
		b.order("h 07 > F0 EF 01", "record NoteHeld", "h 07 > F0 CC EE 01", "record NoteCredited", "h 07 > F0 EB", "record NotePlaced")
		b.want([]string{"h 57", "t 57", "h 56"})
	})
}

func TestMachineWithoutKeys(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, func(m *machine) {
		asValidator(m)
		m.table("4A", "F2")
	}, func(b *bench) {
		b.ready()
		if b.snapshot().Encrypted {
			b.Error("shown as encrypted")
		}
	})
}

func TestUnknownEvent(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asValidator, func(b *bench) {
		b.accepting(false)
		b.m.say("56 > F0 CC EE 01 77 12 34", "57 > F0", "56 > F0 EB")
		b.played()
		time.Sleep(time.Second)
		b.order("h 56 > F0 CC EE 01 77", "record NoteCredited 500 EUR cashbox", "record UnknownEvent", "h 57",
			"record NotePlaced", "t 58", "t 58", "reconcile")
	})
}

// An answer that cannot be read and stays the same is reported once, and does not keep a machine from getting ready.
func TestLastingUnknownEvent(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, func(m *machine) {
		asValidator(m)
		m.becomes("F0 E8 77")
		m.quiet = true
	}, func(b *bench) {
		b.until("ready", func(s *devices.Snapshot) bool { return s.Ready })
		time.Sleep(10 * time.Second)
		if n := len(b.h.list("record UnknownEvent")); n != 1 {
			b.Errorf("reported %d times", n)
		}
	})
}

package devices_test

import (
	"testing"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
)

// asReader is a validator with both readers.
func asReader(m *machine) {
	asValidator(m)
	m.table("23", "F0 03 00 01 12")
	m.table("24", "F0")
	m.table("26", "F0")
	m.table("27", "F0 00 00")
}

// read6 is a ticket of 6 characters in a state.
func read6(status string) string { return "F0 " + status + " 06 33 31 34 31 35 39" }

// The readers are set up with 24 and 26, at once and after every connection.
func TestTicketSetUp(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asReader, func(b *bench) {
		b.ready()
		d := b.payer()
		c, err := d.BarcodeConfig(b.Context())
		if want := (devices.BarcodeConfig{Hardware: 3, Format: 1, Characters: 18}); err != nil || c != want {
			b.Errorf("%+v, %v", c, err)
		}
		b.h.clear()
		b.ok(d.SetBarcodeConfig(b.Context(), devices.BarcodeConfig{Enabled: 1, Format: 1, Characters: 6}))
		b.want([]string{"t 2"}, "t 23 > F0 03 00 01 12", "t 24 01 01 06 > F0", "t 26 FE > F0") // the acceptor is off
		b.h.clear()
		b.ok(d.Enable(b.Context()))
		b.want([]string{"t 26", "t 0A"}, "t 26 FC > F0", "t 0A > F0")
		b.h.clear()
		b.m.die(true)
		time.Sleep(5 * time.Second)
		b.m.die(false)
		b.until("ready again", func(s *devices.Snapshot) bool { return s.Ready })
		b.order("t 24 01 01 06 > F0", "t 26 FC > F0", "t 0A > F0")
		b.h.clear()
		b.ok(d.SetBarcodeConfig(b.Context(), devices.BarcodeConfig{Characters: 24}))
		b.want([]string{"t 24", "t 26"}, "t 24 00 01 18 > F0", "t 26 FE > F0")
	})
	for name, answers := range map[string][2]string{"no readers": {"23", "F0 00 00 01 12"}, "no such command": {"23", "F2"}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, devices.DeviceConfig{}, func(m *machine) {
				asReader(m)
				m.table(answers[0], answers[1])
			}, func(b *bench) {
				b.ready()
				_, err := b.payer().BarcodeConfig(b.Context())
				b.is(err, cash.ErrUnsupported)
				b.is(b.payer().SetBarcodeConfig(b.Context(), devices.BarcodeConfig{Format: 1, Characters: 6}), cash.ErrUnsupported)
			})
		})
	}
}

// Only readers that are fitted can be switched on, and only the format and the lengths that there are; what cannot be is
// not sent.
func TestTicketSetUpRefused(t *testing.T) {
	inBubble(t, devices.DeviceConfig{}, asReader, func(b *bench) {
		b.ready()
		b.m.table("23", "F0 01 00 01 12") // the top reader alone
		b.h.clear()
		for _, c := range []devices.BarcodeConfig{
			{Enabled: 2, Format: 1, Characters: 6}, {Enabled: 3, Format: 1, Characters: 6}, {Enabled: 1, Format: 0, Characters: 6},
			{Enabled: 1, Format: 2, Characters: 6}, {Enabled: 1, Format: 1, Characters: 5}, {Enabled: 1, Format: 1, Characters: 25},
		} {
			b.is(b.payer().SetBarcodeConfig(b.Context(), c), cash.ErrInvalid)
		}
		b.want([]string{"t 24", "t 26"})
		b.ok(b.payer().SetBarcodeConfig(b.Context(), devices.BarcodeConfig{Enabled: 1, Format: 1, Characters: 24}))
		b.want([]string{"t 24"}, "t 24 01 01 18 > F0")
	})
}

// A ticket in escrow is held as a note is: read, HOLD instead of polls, and the poll behind the decision takes it.
func TestTicketDialogue(t *testing.T) {
	inBubble(t, devices.DeviceConfig{Escrow: true}, asReader, func(b *bench) {
		b.ready()
		d := b.payer()
		b.ok(d.SetBarcodeConfig(b.Context(), devices.BarcodeConfig{Enabled: 3, Format: 1, Characters: 6}))
		b.m.becomes("F0")
		b.ok(d.Enable(b.Context()))
		time.Sleep(time.Second)
		b.h.clear()
		b.m.table("18", "F0")
		b.m.table("27", read6("01"))
		b.m.say("56 > F0 EF 00", "56 > F0 E5")
		b.played()
		if s := b.snapshot(); s.Escrow != nil || s.Ticket != (devices.Ticket{Status: devices.TicketInEscrow, Data: "314159"}) ||
			s.State != cash.StateBarcodeTicketValidated {
			b.Errorf("picture %+v", s)
		}
		b.order("h 56 > F0 E5", "t 27 >", "record state BAR_CODE_TICKET_VALIDATED", "t 18 > F0", "t 18 > F0")
		b.h.clear()
		time.Sleep(2 * time.Second)
		b.want([]string{"h 56"}) // a poll would take it
		b.m.say("56 > F0 CC", "56 > F0 CC D1")
		b.m.table("57", "F0")
		b.ok(d.AcceptEscrow(b.Context()))
		b.played()
		b.order("h 56 > F0 CC", "h 56 > F0 CC D1", "record state BAR_CODE_TICKET_ACKNOWLEDGE", "t 57")
		b.want([]string{"record Note", "record Ended"})
		if s := b.snapshot(); s.Ticket.Status != devices.TicketStacked {
			b.Errorf("picture %+v", s.Ticket)
		}
		b.is(d.AcceptEscrow(b.Context()), cash.ErrNothing)
	})
}

// A ticket that its host refuses goes back with 08; one found after a connection too, before anything takes it.
func TestTicketReturned(t *testing.T) {
	inBubble(t, devices.DeviceConfig{Escrow: true}, asReader, func(b *bench) {
		b.ready()
		d := b.payer()
		b.ok(d.SetBarcodeConfig(b.Context(), devices.BarcodeConfig{Enabled: 3, Format: 1, Characters: 6}))
		b.m.becomes("F0")
		b.ok(d.Enable(b.Context()))
		time.Sleep(time.Second)
		b.m.table("18", "F0")
		b.m.table("27", read6("01"))
		b.m.say("56 > F0 E5")
		b.played()
		b.h.clear()
		b.m.say("08 > F0", "56 > F0 ED", "56 > F0 EC")
		b.m.table("57", "F0")
		b.ok(d.ReturnEscrow(b.Context()))
		b.played()
		b.want([]string{"record Note"}, "record NoteRejected {8}")
		if s := b.snapshot(); s.Ticket.Status != devices.TicketRejected {
			b.Errorf("picture %+v", s.Ticket)
		}
	})
	inBubble(t, devices.DeviceConfig{}, func(m *machine) {
		asReader(m)
		m.say("56 > F0 E5", "08 > F0", "56 > F0 ED", "56 > F0 EC", "57 > F0")
	}, func(b *bench) {
		b.ready()
		b.played()
		b.want([]string{"record Note", "evidence"})
	})
}

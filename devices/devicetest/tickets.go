package devicetest

import (
	"errors"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

// ticketLength is how many characters the suite's tickets have.
const ticketLength = 6

// reading sets the machine's readers up for tickets, and accepts.
func (b *bench) reading() devices.BarcodeReader {
	b.Helper()
	b.accept()
	r := b.dev.(devices.BarcodeReader)
	b.ok(r.SetBarcodeConfig(b.ctx(), devices.BarcodeConfig{Enabled: 3, Format: 1, Characters: ticketLength}))
	return r
}

func (b *bench) ticket(data string) (id string) {
	b.Helper()
	b.until("insert a ticket", func() (in bool) {
		var err error
		if id, err = b.Machine.Insert(sim.Insert{Barcode: data}); err != nil && !errors.Is(err, sim.ErrRefused) {
			b.Fatal(err)
		}
		return err == nil
	})
	return id
}

// saysTicket checks what the machine says of its last ticket.
func (b *bench) saysTicket(want devices.Ticket) {
	b.Helper()
	got, err := b.dev.(devices.BarcodeReader).Ticket(b.ctx())
	if err != nil || got != want || b.dev.Snapshot().Ticket != want {
		b.Errorf("the ticket is %+v, %v, in the picture %+v; want %+v", got, err, b.dev.Snapshot().Ticket, want)
	}
}

// tickets are read and taken, and are no money.
func tickets(b *bench) {
	r := b.dev.(devices.BarcodeReader)
	got, err := r.BarcodeConfig(b.ctx())
	if want := (devices.BarcodeConfig{Hardware: 3, Format: 1, Characters: 18}); err != nil || got != want {
		b.Errorf("readers %+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []devices.BarcodeConfig{
		{Enabled: 4, Format: 1, Characters: 6}, {Enabled: 3, Format: 2, Characters: 6}, {Enabled: 3, Characters: 6},
		{Enabled: 3, Format: 1, Characters: 5}, {Enabled: 3, Format: 1, Characters: 25},
	} {
		b.is(r.SetBarcodeConfig(b.ctx(), bad), cash.ErrInvalid)
	}
	b.saysTicket(devices.Ticket{})
	r = b.reading()
	got, err = r.BarcodeConfig(b.ctx())
	if want := (devices.BarcodeConfig{Hardware: 3, Enabled: 3, Format: 1, Characters: ticketLength}); err != nil || got != want {
		b.Errorf("readers %+v, %v; want %+v", got, err, want)
	}
	b.went(b.ticket("314159"), sim.InCashbox)
	b.event("state BAR_CODE_TICKET_ACKNOWLEDGE")
	b.inOrder("state BAR_CODE_TICKET_VALIDATED", "state BAR_CODE_TICKET_ACKNOWLEDGE")
	b.rest()
	b.saysTicket(devices.Ticket{Status: devices.TicketStacked, Data: "314159"})
	if n := b.till.count("Note"); n > 0 {
		b.Errorf("a ticket is told as money: %v", b.till.all())
	}
	b.went(b.ticket("31415926"), sim.IsReturned) // too long
	b.went(b.insert(500, 1), b.stores(500))
	b.rest()
	b.ok(b.dev.Disable(b.ctx()))
	b.until("disabled", func() bool { return b.dev.Snapshot().State == cash.StateDisabled })
	b.went(b.ticket("271828"), sim.IsReturned)
	b.ok(b.dev.Reset(b.ctx()))
	b.lostAndBack()
	b.ok(b.dev.Enable(b.ctx()))
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled })
	b.went(b.ticket("271828"), sim.InCashbox)
	b.rest()
	b.ok(r.SetBarcodeConfig(b.ctx(), devices.BarcodeConfig{Characters: 18}))
	b.went(b.ticket("271828"), sim.IsReturned)
	b.rest()
}

// heldTickets are taken and given back by their host.
func heldTickets(b *bench) {
	b.reading()
	e := b.dev.(devices.Escrow)
	held := func(data string) string {
		id := b.ticket(data)
		b.until("held", func() bool {
			return b.dev.Snapshot().Ticket == devices.Ticket{Status: devices.TicketInEscrow, Data: data}
		})
		b.saysTicket(devices.Ticket{Status: devices.TicketInEscrow, Data: data})
		return id
	}
	b.is(e.AcceptEscrow(b.ctx()), cash.ErrNothing)
	id := held("314159")
	if note := b.dev.Snapshot().Escrow; note != nil {
		b.Errorf("a ticket is shown as a note of %v", note)
	}
	b.ok(e.AcceptEscrow(b.ctx()))
	b.went(id, sim.InCashbox)
	b.event("state BAR_CODE_TICKET_ACKNOWLEDGE")
	b.rest()
	b.saysTicket(devices.Ticket{Status: devices.TicketStacked, Data: "314159"})
	b.is(e.AcceptEscrow(b.ctx()), cash.ErrNothing)

	id = held("271828")
	b.ok(e.ReturnEscrow(b.ctx()))
	b.went(id, sim.IsReturned)
	b.event("NoteRejected {8}")
	b.rest()
	b.saysTicket(devices.Ticket{Status: devices.TicketRejected, Data: "271828"})
	if n := b.till.count("NoteReturned") + b.till.count("NoteHeld"); n > 0 {
		b.Errorf("a ticket is told as money: %v", b.till.all())
	}

	id = held("161803")
	b.fault(sim.Fault{Kind: sim.FaultUnplug})
	b.event("state NOT_CONNECTED")
	b.fault(sim.Fault{Kind: sim.FaultPlug})
	b.back()
	b.went(id, sim.IsReturned)
	b.settled()
}

// cutTickets: wherever the power is cut, the ticket is found and no money with it.
func cutTickets(b *bench) {
	b.reading()
	for step := 1; step <= 4; step++ {
		b.till.forget()
		b.fault(sim.Fault{Kind: sim.FaultPowerOff, AtStep: step})
		b.ticket("314159")
		b.until("power is off", func() bool { return !b.Machine.Truth().Power })
		b.event("state NOT_CONNECTED")
		b.fault(sim.Fault{Kind: sim.FaultPowerOn})
		b.back()
		b.settled()
		b.until("accepting again", func() bool { return b.Machine.Truth().Enabled })
		if n := b.till.count("Note"); n > 0 {
			b.Errorf("step %d: a ticket is told as money: %v", step, b.till.all())
		}
	}
	b.went(b.ticket("314159"), sim.InCashbox)
	b.rest()
}

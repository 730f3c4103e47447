package note

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// interleaved is the one barcode format there is (ssp.md section 9.3).
const interleaved = 1

// Characters of a barcode.
const (
	fewestCharacters = 6
	mostCharacters   = 24
)

var _ devices.BarcodeReader = (*Device)(nil)

// BarcodeConfig implements devices.BarcodeReader with GET BARCODE CONFIG.
func (v *Device) BarcodeConfig(ctx context.Context) (c devices.BarcodeConfig, err error) {
	err = v.do(ctx, devices.NeedAnswer, func(d *driver) error {
		c, err = d.barcodeConfig()
		return err
	})
	return c, err
}

// SetBarcodeConfig implements devices.BarcodeReader with SET BARCODE CONFIG and SET BARCODE INHIBIT. Tickets come in
// while the acceptor is on. A format of 0 may go with no reader enabled.
func (v *Device) SetBarcodeConfig(ctx context.Context, want devices.BarcodeConfig) error {
	return v.do(ctx, devices.NeedReady, func(d *driver) error {
		have, err := d.barcodeConfig()
		switch {
		case err != nil:
			return err
		case want.Enabled&^have.Hardware != 0:
			return fmt.Errorf("%w: readers %d of %d fitted", cash.ErrInvalid, want.Enabled, have.Hardware)
		case want.Format != interleaved && (want.Format != 0 || want.Enabled != 0):
			return fmt.Errorf("%w: barcode format %d", cash.ErrInvalid, want.Format)
		case want.Characters < fewestCharacters, want.Characters > mostCharacters:
			return fmt.Errorf("%w: barcodes of %d characters, want %d to %d", cash.ErrInvalid, want.Characters, fewestCharacters, mostCharacters)
		}
		if _, err := d.core.Tx(ssp.SetBarcodeConfig(want.Enabled, interleaved, want.Characters)); err != nil {
			return devices.Refusal(err)
		}
		d.core.Set.Barcode = &ssp.BarcodeConfig{Enabled: want.Enabled, Format: interleaved, Characters: want.Characters}
		d.tickets = nil
		return devices.Refusal(d.letTickets(d.core.Accepting()))
	})
}

// Ticket implements devices.BarcodeReader with GET BARCODE DATA.
func (v *Device) Ticket(ctx context.Context) (t devices.Ticket, err error) {
	err = v.do(ctx, devices.NeedAnswer, func(d *driver) error {
		t, err = d.readTicket()
		return devices.Refusal(err)
	})
	return t, err
}

// barcodeConfig asks for the readers. cash.ErrUnsupported without any.
func (d *driver) barcodeConfig() (devices.BarcodeConfig, error) {
	rest, err := d.core.Tx(ssp.CmdGetBarcodeConfig.Data())
	if err != nil {
		return devices.BarcodeConfig{}, devices.Refusal(err)
	}
	c, err := ssp.ParseBarcodeConfig(rest)
	if err == nil && c.Hardware == 0 {
		err = fmt.Errorf("%w: no barcode reader is fitted", cash.ErrUnsupported)
	}
	return devices.BarcodeConfig(c), err
}

// setUpReaders sends the readers' configuration again after a connection. A machine that no longer takes it goes without.
func (d *driver) setUpReaders() error {
	c := d.core.Set.Barcode
	if c == nil {
		return nil
	}
	_, ok, err := d.core.Try(ssp.SetBarcodeConfig(c.Enabled, c.Format, c.Characters))
	if err == nil && !ok {
		d.core.Log.Warn("the machine does not take its barcode readers' configuration; tickets stay out")
	}
	return err
}

// letTickets lets tickets in or keeps them out, where somebody has set up the readers. Notes have their own inhibits.
func (d *driver) letTickets(on bool) error {
	c := d.core.Set.Barcode
	if c == nil {
		return nil
	}
	on = on && c.Enabled != 0
	if d.tickets != nil && *d.tickets == on {
		return nil
	}
	_, _, err := d.core.Try(ssp.SetBarcodeInhibit(true, on))
	if err == nil {
		d.tickets = &on
	}
	return err
}

// readTicket asks for the last ticket and shows it.
func (d *driver) readTicket() (devices.Ticket, error) {
	rest, err := d.core.Tx(ssp.CmdGetBarcodeData.Data())
	if err != nil {
		return devices.Ticket{}, err
	}
	t, err := ssp.ParseBarcodeData(rest)
	if err != nil {
		return devices.Ticket{}, err
	}
	read := devices.Ticket{Status: devices.TicketStatus(t.Status), Data: t.Text}
	d.core.Edit(func(s *devices.Snapshot) { s.Ticket = read })
	return read, nil
}

// validated is called for BARCODE TICKET VALIDATED: a ticket waits in escrow as a note does. The event repeats.
func (d *driver) validated() ([]cash.Event, error) {
	if d.escrow.is != nowhere && d.escrow.ticket {
		return nil, nil
	}
	if d.escrow.is != nowhere {
		d.core.AuditSoon() // what became of the note before was never told
	}
	d.escrow.clear()
	d.escrow.is, d.escrow.ticket, d.escrow.fresh, d.escrow.seen = held, true, true, time.Now()
	d.escrow.kept = d.escrow.seen
	d.show()
	t, err := d.readTicket()
	switch {
	case errors.Is(err, cash.ErrNotConnected):
		return nil, err
	case err != nil:
		d.core.Log.WithError(err).Warn("a ticket waits, what it says could not be read")
		d.core.Edit(func(s *devices.Snapshot) { s.Ticket = devices.Ticket{Status: devices.TicketInEscrow} })
	default:
		d.core.Log.WithField("characters", len(t.Data)).Info("a barcode ticket waits")
	}
	return nil, nil
}

// ticketEnded is called when a ticket has come to rest. The machine still knows what it said.
func (d *driver) ticketEnded(where devices.TicketStatus) {
	if d.escrow.ticket {
		d.leave()
	}
	d.core.Edit(func(s *devices.Snapshot) { s.Ticket.Status = where })
}

package devices

import "context"

// BarcodeConfig is how the ticket readers of a validator are set (ssp.md §9.3, GET BARCODE CONFIG 0x23).
type BarcodeConfig struct {
	Hardware   byte // 0 none fitted, 1 top, 2 bottom, 3 both; read only
	Enabled    byte // the same coding
	Format     byte // 1 interleaved 2 of 5
	Characters byte // 6…24
}

// TicketStatus is where the last ticket is (ssp.md §9.3, GET BARCODE DATA 0x27).
type TicketStatus byte

// The places of a ticket.
const (
	TicketNone TicketStatus = iota
	TicketInEscrow
	TicketStacked
	TicketRejected
)

// Ticket is the last barcode ticket that was read.
type Ticket struct {
	Status TicketStatus
	Data   string // ASCII
}

// BarcodeReader is a validator that can read barcode tickets. Held tickets are taken and given back by Escrow. A ticket
// is not money to the ledger: who printed it knows its worth. cash.ErrUnsupported by a machine without readers.
type BarcodeReader interface {
	BarcodeConfig(ctx context.Context) (BarcodeConfig, error)
	// SetBarcodeConfig sets all but Hardware; tickets are accepted from then on if Enabled is not 0, also after a
	// reconnection. cash.ErrInvalid for a value out of range or a reader that is not fitted.
	SetBarcodeConfig(ctx context.Context, c BarcodeConfig) error
	// Ticket reads the last ticket.
	Ticket(ctx context.Context) (Ticket, error)
}

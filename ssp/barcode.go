package ssp

import "fmt"

// BarcodeConfig is the answer to GET BARCODE CONFIG (section 9.3).
type BarcodeConfig struct {
	Hardware   byte // 0 none, 1 top, 2 bottom, 3 both
	Enabled    byte // likewise
	Format     byte // 1: interleaved 2 of 5
	Characters byte // 6 to 24
}

// ParseBarcodeConfig reads what follows OK.
func ParseBarcodeConfig(rest []byte) (BarcodeConfig, error) {
	if len(rest) != 4 {
		return BarcodeConfig{}, fmt.Errorf("barcode configuration: %w", ErrShort)
	}
	return BarcodeConfig{rest[0], rest[1], rest[2], rest[3]}, nil
}

// Append is the other way.
func (c BarcodeConfig) Append(dst []byte) []byte {
	return append(dst, c.Hardware, c.Enabled, c.Format, c.Characters)
}

// BarcodeInhibit returns the byte that SET BARCODE INHIBIT sends and GET BARCODE INHIBIT answers: bit 0 set keeps notes
// out, bit 1 tickets; all others are set.
func BarcodeInhibit(currency, barcode bool) byte {
	return 0xFC | bit(!currency) | bit(!barcode)<<1
}

// ParseBarcodeInhibit reads that byte, from the parameters of the command or from what follows OK.
func ParseBarcodeInhibit(b []byte) (currency, barcode bool, err error) {
	if len(b) != 1 {
		return false, false, ErrParamCount
	}
	return b[0]&1 == 0, b[0]&2 == 0, nil
}

// TicketStatus is what became of the last ticket.
type TicketStatus byte

const (
	TicketNone     TicketStatus = 0
	TicketInEscrow TicketStatus = 1
	TicketStacked  TicketStatus = 2
	TicketRejected TicketStatus = 3
)

// String returns the words of section 9.3, or the number of an unknown status.
func (s TicketStatus) String() string {
	switch s {
	case TicketNone:
		return "none"
	case TicketInEscrow:
		return "in escrow"
	case TicketStacked:
		return "stacked"
	case TicketRejected:
		return "rejected"
	}
	return fmt.Sprintf("0x%02X", byte(s))
}

// Ticket is the answer to GET BARCODE DATA.
type Ticket struct {
	Status TicketStatus
	Text   string
}

// ParseBarcodeData reads what follows OK.
func ParseBarcodeData(rest []byte) (Ticket, error) {
	if len(rest) < 2 || len(rest) != 2+int(rest[1]) {
		return Ticket{}, fmt.Errorf("barcode data: %w", ErrShort)
	}
	return Ticket{TicketStatus(rest[0]), string(rest[2:])}, nil
}

// Append is the other way.
func (t Ticket) Append(dst []byte) []byte {
	text := t.Text[:min(len(t.Text), 255)]
	return append(append(dst, byte(t.Status), byte(len(text))), text...)
}

package ssp

// UnitType tells families apart (section 6.1). Machines of one type differ by their firmware text.
type UnitType byte

const (
	TypeValidator    UnitType = 0x00 // banknote validator without payout
	TypeHopper       UnitType = 0x03 // SMART Hopper
	TypePayout       UnitType = 0x06 // validator with SMART Payout, Spectral Payout, NV22, NV4000
	TypeNoteFloat    UnitType = 0x07 // NV11
	TypePrinterAddOn UnitType = 0x08
	TypeCoinSystem   UnitType = 0x09 // SMART Coin System, Twin
	TypePrinter      UnitType = 0x0B // stand-alone
	TypeTEBS         UnitType = 0x0D
	TypeTEBSPayout   UnitType = 0x0E
	TypeTEBSPrinter  UnitType = 0x0F
)

// Revision is the build revision of one module (section 8.6).
type Revision struct {
	Module   byte   // 0 head, 6 SMART Payout, 3 or 7 note float, 3 hopper
	Revision uint16 // printed major.minor: high byte, low byte
}

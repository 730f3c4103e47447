package ssp

import (
	"encoding/binary"
	"fmt"
)

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

var unitTypeNames = map[UnitType]string{
	TypeValidator: "BANKNOTE VALIDATOR", TypeHopper: "SMART HOPPER", TypePayout: "VALIDATOR WITH PAYOUT",
	TypeNoteFloat: "VALIDATOR WITH NOTE FLOAT", TypePrinterAddOn: "ADD-ON PRINTER", TypeCoinSystem: "SMART COIN SYSTEM",
	TypePrinter: "STAND-ALONE PRINTER", TypeTEBS: "TEBS", TypeTEBSPayout: "TEBS WITH PAYOUT",
	TypeTEBSPrinter: "TEBS WITH TICKET PRINTER",
}

// String returns the name of section 6.1, or the number of an unknown type.
func (t UnitType) String() string {
	if n, ok := unitTypeNames[t]; ok {
		return n
	}
	return fmt.Sprintf("0x%02X", byte(t))
}

// Coins reports whether the machine handles coins: its events and its setup have the coin layouts.
func (t UnitType) Coins() bool { return t == TypeHopper || t == TypeCoinSystem }

// Printer reports whether the machine is a ticket printer by itself.
func (t UnitType) Printer() bool { return t == TypePrinterAddOn || t == TypePrinter }

// Revision is the build revision of one module (section 8.6).
type Revision struct {
	Module   byte   // 0 head, 6 SMART Payout, 3 or 7 note float, 3 hopper
	Revision uint16 // printed major.minor: high byte, low byte
}

func (r Revision) String() string { return fmt.Sprintf("%d.%d", r.Revision>>8, r.Revision&0xFF) }

// ParseRevisions reads what follows OK in the answer to GET BUILD REVISION. ErrShort for odd lengths.
func ParseRevisions(rest []byte) ([]Revision, error) {
	if len(rest)%3 != 0 {
		return nil, fmt.Errorf("build revisions: %w", ErrShort)
	}
	out := make([]Revision, 0, len(rest)/3)
	for b := rest; len(b) > 0; b = b[3:] {
		out = append(out, Revision{b[0], binary.LittleEndian.Uint16(b[1:])})
	}
	return out, nil
}

// AppendRevisions is the other way.
func AppendRevisions(dst []byte, list []Revision) []byte {
	for _, r := range list {
		dst = binary.LittleEndian.AppendUint16(append(dst, r.Module), r.Revision)
	}
	return dst
}

// ParseSerial reads what follows OK in the answer to GET SERIAL NUMBER: four bytes, big endian.
func ParseSerial(rest []byte) (uint32, error) {
	if len(rest) != 4 {
		return 0, fmt.Errorf("serial number: %w", ErrShort)
	}
	return binary.BigEndian.Uint32(rest), nil
}

// AppendSerial is the other way.
func AppendSerial(dst []byte, serial uint32) []byte {
	return binary.BigEndian.AppendUint32(dst, serial)
}

// UnitData is the answer to UNIT DATA (section 8.4).
type UnitData struct {
	UnitType        UnitType
	Firmware        string // four digits
	Currency        string
	ValueMultiplier uint32
	Protocol        byte
}

// ParseUnitData reads what follows OK.
func ParseUnitData(rest []byte) (UnitData, error) {
	if len(rest) != 12 {
		return UnitData{}, fmt.Errorf("unit data: %w", ErrShort)
	}
	return UnitData{UnitType(rest[0]), string(rest[1:5]), string(rest[5:8]), be24(rest[8:]), rest[11]}, nil
}

// Append is the other way.
func (u UnitData) Append(dst []byte) []byte {
	dst = appendText(append(dst, byte(u.UnitType)), u.Firmware, 4)
	return append(appendBE24(appendCurrency(dst, u.Currency), u.ValueMultiplier), u.Protocol)
}

// ChannelValues is the answer to CHANNEL VALUES (section 8.4).
type ChannelValues struct {
	Bytes      []byte   // to be multiplied by the value multiplier; all channels
	Currencies []string // nil below protocol 6
	Values     []uint32 // to be multiplied by the real value multiplier only; nil below protocol 6
}

// ParseChannelValues reads what follows OK.
func ParseChannelValues(rest []byte) (ChannelValues, error) {
	var v ChannelValues
	if len(rest) == 0 || (len(rest) != 1+int(rest[0]) && len(rest) != 1+8*int(rest[0])) {
		return v, fmt.Errorf("channel values: %w", ErrShort)
	}
	n := int(rest[0])
	v.Bytes = append([]byte(nil), rest[1:1+n]...)
	if len(rest) == 1+n {
		return v, nil
	}
	for i := range n {
		v.Currencies = append(v.Currencies, string(rest[1+n+3*i:4+n+3*i]))
		v.Values = append(v.Values, binary.LittleEndian.Uint32(rest[1+4*n+4*i:]))
	}
	return v, nil
}

// Append is the other way; the long form is sent if Values is not nil.
func (v ChannelValues) Append(dst []byte) []byte {
	dst = append(append(dst, byte(len(v.Bytes))), v.Bytes...)
	if v.Values == nil {
		return dst
	}
	for _, c := range v.Currencies {
		dst = appendCurrency(dst, c)
	}
	for _, x := range v.Values {
		dst = binary.LittleEndian.AppendUint32(dst, x)
	}
	return dst
}

// Codes of CHANNEL SECURITY.
const (
	SecurityUnused    = 0
	SecurityLow       = 1
	SecurityStandard  = 2
	SecurityHigh      = 3
	SecurityInhibited = 4
)

// ParseChannelBytes reads what follows OK in the answers to CHANNEL SECURITY and CHANNEL RE-TEACH: one byte a channel.
func ParseChannelBytes(rest []byte) ([]byte, error) {
	if len(rest) == 0 || len(rest) != 1+int(rest[0]) {
		return nil, fmt.Errorf("channel bytes: %w", ErrShort)
	}
	return append([]byte(nil), rest[1:]...), nil
}

// AppendChannelBytes is the other way.
func AppendChannelBytes(dst, perChannel []byte) []byte {
	return append(append(dst, byte(len(perChannel))), perChannel...)
}

func be24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

func appendBE24(dst []byte, v uint32) []byte { return append(dst, byte(v>>16), byte(v>>8), byte(v)) }

// appendText appends exactly n bytes of s, filled with "0".
func appendText(dst []byte, s string, n int) []byte {
	for i := range n {
		if i < len(s) {
			dst = append(dst, s[i])
		} else {
			dst = append(dst, '0')
		}
	}
	return dst
}

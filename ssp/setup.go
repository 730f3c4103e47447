package ssp

import (
	"encoding/binary"
	"fmt"
)

// Setup is the answer to SETUP REQUEST (sections 8.1 to 8.3).
type Setup struct {
	UnitType        UnitType
	Firmware        string // four digits, "0430" is 4.30
	Currency        string // of the dataset
	ValueMultiplier uint32 // notes: channel byte to channel value; 0 if only the long list is valid
	RealMultiplier  uint32 // notes: channel value to minor units, normally 100
	Protocol        byte   // version in force
	Channels        []SetupChannel
	Printer         *PrinterSetup // of a ticket printer
}

// SetupChannel is one denomination; channel n stands at n-1.
type SetupChannel struct {
	Value    int64  // minor units
	Currency string // of the dataset where the layout has none of its own
	Security byte   // notes: obsolete, 2 in practice
}

// PrinterSetup is what a ticket printer tells of itself.
type PrinterSetup struct {
	Cutter, TabMechanism, ReverseValidation byte // 1 fitted
	FontPack                                [3]byte
	PrinterType, SDCard, Darkness           byte // darkness 0..3
}

// ParseSetup reads what follows OK in the answer to SETUP REQUEST. A coin system may answer in the coin or in the note
// layout: the one whose length fits is taken, the coin layout if both do. ErrShort if none fits.
func ParseSetup(rest []byte) (Setup, error) {
	if len(rest) < 10 {
		return Setup{}, fmt.Errorf("setup: %w", ErrShort)
	}
	s := Setup{UnitType: UnitType(rest[0]), Firmware: string(rest[1:5])}
	if s.UnitType.Printer() {
		return s, s.parsePrinter(rest)
	}
	s.Currency = string(rest[5:8])
	if s.UnitType.Coins() && s.parseCoins(rest) {
		return s, nil
	}
	if s.UnitType != TypeHopper && s.parseNotes(rest) {
		return s, nil
	}
	return Setup{}, fmt.Errorf("setup of type %v in %d bytes: %w", s.UnitType, len(rest), ErrShort)
}

// parseCoins reads the layout of section 8.2. Fewer currencies than coins are allowed: the manual prints such an answer.
func (s *Setup) parseCoins(rest []byte) bool {
	n := int(rest[9])
	codes := len(rest) - 10 - 2*n
	if codes < 0 || codes%3 != 0 || codes > 3*n {
		return false
	}
	s.Protocol = rest[8]
	s.Channels = make([]SetupChannel, n)
	for i := range s.Channels {
		s.Channels[i] = SetupChannel{Value: int64(binary.LittleEndian.Uint16(rest[10+2*i:])), Currency: s.Currency}
		if at := 10 + 2*n + 3*i; at < len(rest) {
			s.Channels[i].Currency = string(rest[at : at+3])
		}
	}
	return true
}

// parseNotes reads the layout of section 8.1, in its short or its long form.
func (s *Setup) parseNotes(rest []byte) bool {
	if len(rest) < 16 {
		return false
	}
	n := int(rest[11])
	long := n > 0 && len(rest) == 16+9*n
	if !long && len(rest) != 16+2*n {
		return false
	}
	s.ValueMultiplier = be24(rest[8:])
	s.RealMultiplier = be24(rest[12+2*n:])
	s.Protocol = rest[15+2*n]
	s.Channels = make([]SetupChannel, n)
	for i := range s.Channels {
		c := SetupChannel{Currency: s.Currency, Security: rest[12+n+i]}
		value := int64(rest[12+i]) * int64(s.ValueMultiplier)
		if long {
			c.Currency = string(rest[16+2*n+3*i : 19+2*n+3*i])
			value = int64(binary.LittleEndian.Uint32(rest[16+5*n+4*i:]))
		}
		c.Value = value * int64(s.RealMultiplier)
		s.Channels[i] = c
	}
	return true
}

func (s *Setup) parsePrinter(rest []byte) error {
	if len(rest) != 15 {
		return fmt.Errorf("setup of a printer: %w", ErrShort)
	}
	s.Printer = &PrinterSetup{
		Cutter: rest[5], TabMechanism: rest[6], ReverseValidation: rest[7], FontPack: [3]byte(rest[8:11]),
		PrinterType: rest[11], SDCard: rest[12], Darkness: rest[13],
	}
	s.Protocol = rest[14]
	return nil
}

// Append appends what follows OK, as a machine of this type at this protocol version sends it. A note channel's value
// must be a whole multiple of RealMultiplier; the channel byte is 0 where it does not fit one byte.
func (s Setup) Append(dst []byte) []byte {
	dst = appendText(append(dst, byte(s.UnitType)), s.Firmware, 4)
	switch {
	case s.UnitType.Printer():
		p := PrinterSetup{}
		if s.Printer != nil {
			p = *s.Printer
		}
		dst = append(dst, p.Cutter, p.TabMechanism, p.ReverseValidation)
		dst = append(dst, p.FontPack[:]...)
		return append(dst, p.PrinterType, p.SDCard, p.Darkness, s.Protocol)
	case s.UnitType.Coins():
		return s.appendCoins(appendCurrency(dst, s.Currency))
	}
	return s.appendNotes(appendCurrency(dst, s.Currency))
}

func (s Setup) appendCoins(dst []byte) []byte {
	dst = append(dst, s.Protocol, byte(len(s.Channels)))
	for _, c := range s.Channels {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(c.Value))
	}
	if s.Protocol >= 6 {
		dst = s.appendCurrencies(dst)
	}
	return dst
}

func (s Setup) appendNotes(dst []byte) []byte {
	dst = append(appendBE24(dst, s.ValueMultiplier), byte(len(s.Channels)))
	for _, c := range s.Channels {
		dst = append(dst, s.channelByte(c))
	}
	for _, c := range s.Channels {
		dst = append(dst, c.Security)
	}
	dst = append(appendBE24(dst, s.RealMultiplier), s.Protocol)
	if s.Protocol < 6 {
		return dst
	}
	dst = s.appendCurrencies(dst)
	for _, c := range s.Channels {
		dst = binary.LittleEndian.AppendUint32(dst, s.channelValue(c))
	}
	return dst
}

func (s Setup) appendCurrencies(dst []byte) []byte {
	for _, c := range s.Channels {
		cc := c.Currency
		if cc == "" {
			cc = s.Currency
		}
		dst = appendCurrency(dst, cc)
	}
	return dst
}

// channelValue is the value before the real multiplier.
func (s Setup) channelValue(c SetupChannel) uint32 {
	if s.RealMultiplier == 0 {
		return 0
	}
	return uint32(c.Value / int64(s.RealMultiplier))
}

// channelByte is the value before both multipliers.
func (s Setup) channelByte(c SetupChannel) byte {
	if s.ValueMultiplier == 0 {
		return 0
	}
	v := s.channelValue(c) / s.ValueMultiplier
	if v > 0xFF {
		return 0
	}
	return byte(v)
}

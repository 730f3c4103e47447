package ssp

import (
	"encoding/binary"
	"fmt"
)

// LevelEntry is how many pieces of a denomination are in the payout store.
type LevelEntry struct {
	Level    uint16
	Value    uint32 // minor units
	Currency string
}

// readList reads a count byte and entries of count u16, value u32 and currency, and returns what follows them.
func readList(rest []byte) ([]DenomCount, []byte, error) {
	if len(rest) == 0 || len(rest) < 1+9*int(rest[0]) {
		return nil, nil, ErrShort
	}
	n := int(rest[0])
	out := make([]DenomCount, n)
	for i := range out {
		b := rest[1+9*i:]
		out[i] = DenomCount{binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint32(b[2:]), string(b[6:9])}
	}
	return out, rest[1+9*n:], nil
}

// ParseLevels reads what follows OK in the answer to GET ALL LEVELS: every denomination of the dataset, also the empty
// ones; likewise GET PAYOUT CAPACITY [proj], whose levels are free places. ErrShort for a wrong length.
func ParseLevels(rest []byte) ([]LevelEntry, error) {
	list, left, err := readList(rest)
	if err != nil || len(left) != 0 {
		return nil, fmt.Errorf("levels: %w", ErrShort)
	}
	out := make([]LevelEntry, len(list))
	for i, d := range list {
		out[i] = LevelEntry{d.Count, d.Value, d.Currency}
	}
	return out, nil
}

// AppendLevels is the other way.
func AppendLevels(dst []byte, list []LevelEntry) []byte {
	list = list[:min(len(list), 255)]
	dst = append(dst, byte(len(list)))
	for _, l := range list {
		dst = binary.LittleEndian.AppendUint16(dst, l.Level)
		dst = appendMoney(dst, l.Value, l.Currency)
	}
	return dst
}

// ParseLevel reads what follows OK in the answer to GET DENOMINATION LEVEL.
func ParseLevel(rest []byte) (uint16, error) {
	if len(rest) != 2 {
		return 0, fmt.Errorf("level: %w", ErrShort)
	}
	return binary.LittleEndian.Uint16(rest), nil
}

// AppendLevel is the other way.
func AppendLevel(dst []byte, level uint16) []byte {
	return binary.LittleEndian.AppendUint16(dst, level)
}

// ParseMinimumPayout reads what follows OK in the answer to GET MINIMUM PAYOUT.
func ParseMinimumPayout(rest []byte) (uint32, error) {
	if len(rest) != 4 {
		return 0, fmt.Errorf("minimum payout: %w", ErrShort)
	}
	return binary.LittleEndian.Uint32(rest), nil
}

// AppendMinimumPayout is the other way.
func AppendMinimumPayout(dst []byte, value uint32) []byte {
	return binary.LittleEndian.AppendUint32(dst, value)
}

// ParseRoute reads what follows OK in the answer to GET DENOMINATION ROUTE.
func ParseRoute(rest []byte) (toCashbox bool, err error) {
	if len(rest) != 1 || rest[0] > 1 {
		return false, fmt.Errorf("route: %w", ErrShort)
	}
	return rest[0] == 1, nil
}

// AppendRoute is the other way.
func AppendRoute(dst []byte, toCashbox bool) []byte { return append(dst, bit(toCashbox)) }

// ParseCashboxData reads what follows OK in the answer to CASHBOX PAYOUT OPERATION DATA: what the last float, empty or
// payout moved to the cashbox, and how many pieces it could not name (section 10.7). The answer to CASHBOX LEVELS of
// section 16.5 has the same form.
func ParseCashboxData(rest []byte) (list []DenomCount, unknown uint32, err error) {
	list, left, err := readList(rest)
	if err != nil || len(left) != 4 {
		return nil, 0, fmt.Errorf("cashbox payout data: %w", ErrShort)
	}
	return list, binary.LittleEndian.Uint32(left), nil
}

// AppendCashboxData is the other way.
func AppendCashboxData(dst []byte, list []DenomCount, unknown uint32) []byte {
	return binary.LittleEndian.AppendUint32(appendList(dst, list), unknown)
}

// ParseModuleLevels reads what follows OK in the answer to MODULE LEVELS [proj] (section 16.4).
func ParseModuleLevels(rest []byte) (list []LevelEntry, capacity uint16, err error) {
	entries, left, err := readList(rest)
	if err != nil || len(left) != 2 {
		return nil, 0, fmt.Errorf("module levels: %w", ErrShort)
	}
	for _, d := range entries {
		list = append(list, LevelEntry{d.Count, d.Value, d.Currency})
	}
	return list, binary.LittleEndian.Uint16(left), nil
}

// AppendModuleLevels is the other way.
func AppendModuleLevels(dst []byte, list []LevelEntry, capacity uint16) []byte {
	return binary.LittleEndian.AppendUint16(AppendLevels(dst, list), capacity)
}

// NotePositions is the answer to GET NOTE POSITIONS of a note float; the last note is the next one out.
type NotePositions struct {
	Values   []uint32 // minor units, when reporting by value
	Channels []byte   // when reporting by channel
}

// ParseNotePositions reads what follows OK. The length tells the form; an empty float has neither.
func ParseNotePositions(rest []byte) (NotePositions, error) {
	var p NotePositions
	switch {
	case len(rest) > 0 && len(rest) == 1+int(rest[0]):
		p.Channels = append(p.Channels, rest[1:]...)
	case len(rest) > 0 && len(rest) == 1+4*int(rest[0]):
		for b := rest[1:]; len(b) > 0; b = b[4:] {
			p.Values = append(p.Values, binary.LittleEndian.Uint32(b))
		}
	default:
		return p, fmt.Errorf("note positions: %w", ErrShort)
	}
	return p, nil
}

// Append is the other way; by value if Values is not empty.
func (p NotePositions) Append(dst []byte) []byte {
	if len(p.Values) == 0 {
		return append(append(dst, byte(len(p.Channels))), p.Channels...)
	}
	dst = append(dst, byte(len(p.Values)))
	for _, v := range p.Values {
		dst = binary.LittleEndian.AppendUint32(dst, v)
	}
	return dst
}

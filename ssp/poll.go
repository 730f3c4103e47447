package ssp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// UnknownEventError says where the answer to a poll became unreadable. The list of events carries no lengths, so that
// nothing behind this place can be trusted; a money event may stand there (section 11.1).
type UnknownEventError struct {
	Code   EventCode
	Offset int    // of the code, counted from the first event
	Reason string // "unknown code", "cut short", "no currency where one must be"
}

func (e *UnknownEventError) Error() string {
	return fmt.Sprintf("poll answer unreadable from byte %d, event 0x%02X: %s; compare levels and counters",
		e.Offset, byte(e.Code), e.Reason)
}

// ParsePoll appends the events of an answer to POLL or POLL WITH ACK to dst, oldest first. rest is what follows OK,
// version the protocol version in force, coins whether the machine is a hopper or coin system. If something cannot be
// read, the events before it are returned with an *UnknownEventError.
//
// Where sources differ about a layout (CE, C9, DB, E6, DF, BA, B7) and the usual one does not fit, the others are tried
// and taken if exactly one reading fits the whole answer; likewise the layouts of version 4 if the answer begins with
// SLAVE RESET, since the reset may have taken the version away.
//
// The events own their memory. Nothing is allocated for an answer without values if dst has room.
func ParsePoll(rest []byte, version int, coins bool, dst []Event) ([]Event, error) {
	n := len(dst)
	dst, err := parseUsual(rest, version, coins, dst)
	if err == nil {
		return dst, nil
	}
	if other, ok := parseOnlyFit(rest, version, coins, dst[:n:n]); ok {
		return other, nil
	}
	if version > 4 && len(rest) > 0 && EventCode(rest[0]) == EvSlaveReset {
		if other, err := parseUsual(rest, 4, coins, dst[:n:n]); err == nil {
			return other, nil
		}
	}
	return dst, err
}

// parseUsual reads every event by the table.
func parseUsual(rest []byte, version int, coins bool, dst []Event) ([]Event, error) {
	for i := 0; i < len(rest); {
		code := EventCode(rest[i])
		if !code.Known() {
			return dst, &UnknownEventError{code, i, "unknown code"}
		}
		e := Event{Code: code}
		size, err := readLayout(&e, rest[i+1:], eventLayout(code, version, coins))
		if err != nil {
			return dst, &UnknownEventError{code, i, err.Error()}
		}
		dst = append(dst, e)
		i += 1 + size
	}
	return dst, nil
}

// otherLayouts returns the layouts that some source gives for an event beside the usual one (section 11.3).
func otherLayouts(c EventCode, version int, coins bool) []layout {
	switch c {
	case EvCoinMechError:
		return []layout{none}
	case EvFraudAttempt:
		if coins {
			return []layout{ch}
		}
	}
	if version < 6 {
		return nil
	}
	switch c {
	case EvNoteHeldInBezel:
		if version < 8 {
			return []layout{nvc, vc}
		}
		return []layout{nvc, none}
	case EvTransferredToStacker, EvNoteStored, EvCoinCredit, EvFraudAttempt:
		return []layout{nvc}
	case EvCoinRejected:
		return []layout{nvc, vc}
	}
	return nil
}

// parseOnlyFit tries all layouts of every event and succeeds if exactly one choice of them ends at the end of rest.
func parseOnlyFit(rest []byte, version int, coins bool, dst []Event) ([]Event, bool) {
	if len(rest) > MaxData {
		return dst, false
	}
	var ways [MaxData + 1]uint8    // readings of rest[i:], 2 standing for more
	var choice [MaxData + 1]layout // of the event at i, if ways is 1
	ways[len(rest)] = 1
	for i := len(rest) - 1; i >= 0; i-- {
		code := EventCode(rest[i])
		if !code.Known() {
			continue
		}
		var e Event
		all := append([]layout{eventLayout(code, version, coins)}, otherLayouts(code, version, coins)...)
		for _, l := range all {
			size, err := readLayout(&e, rest[i+1:], l)
			if err != nil || ways[i+1+size] == 0 {
				continue
			}
			ways[i] = min(2, ways[i]+ways[i+1+size])
			choice[i] = l
		}
	}
	if ways[0] != 1 {
		return dst, false
	}
	for i := 0; i < len(rest); {
		e := Event{Code: EventCode(rest[i])}
		size, _ := readLayout(&e, rest[i+1:], choice[i])
		dst = append(dst, e)
		i += 1 + size
	}
	return dst, true
}

var (
	errCutShort   = errors.New("cut short")
	errNoCurrency = errors.New("no currency where one must be")
)

// readLayout reads the data of one event from b and returns its size.
func readLayout(e *Event, b []byte, l layout) (size int, err error) {
	switch l {
	case none:
		return 0, nil
	case ch, errb:
		if len(b) < 1 {
			return 0, errCutShort
		}
		if l == ch {
			e.Channel = b[0]
		} else {
			e.Error = b[0]
		}
		return 1, nil
	case u32, prq:
		return readPlainValue(e, b, l)
	case vc, ccv:
		e.Values, err = readValues(b, l, 1)
		return 7, err
	}
	if len(b) < 1 {
		return 0, errCutShort
	}
	n, one := int(b[0]), vc
	size = 1 + 7*n
	if l == nprc {
		one, size = prq, 1+11*n
	}
	if e.Values, err = readValues(b[1:], one, n); err != nil || l != nvcE {
		return size, err
	}
	if len(b) <= size {
		return 0, errCutShort
	}
	e.Error = b[size]
	return size + 1, nil
}

func readPlainValue(e *Event, b []byte, l layout) (size int, err error) {
	size = 4
	if l == prq {
		size = 8
	}
	if len(b) < size {
		return 0, errCutShort
	}
	v := Value{Paid: binary.LittleEndian.Uint32(b)}
	if l == prq {
		v.Requested = binary.LittleEndian.Uint32(b[4:])
	}
	e.Values = []Value{v}
	return size, nil
}

// readValues reads n values with their currencies: vc, ccv, or prq for paid, requested and currency.
func readValues(b []byte, l layout, n int) ([]Value, error) {
	size := 7
	if l == prq {
		size = 11
	}
	if len(b) < n*size {
		return nil, errCutShort
	}
	for i := range n { // before memory is spent
		at := i*size + size - 3
		if l == ccv {
			at = i * size
		}
		if !isCurrency(b[at : at+3]) {
			return nil, errNoCurrency
		}
	}
	out := make([]Value, n)
	for i := range out {
		p := b[i*size:]
		switch l {
		case ccv:
			out[i] = Value{Currency: string(p[:3]), Paid: binary.LittleEndian.Uint32(p[3:])}
		case prq:
			out[i] = Value{binary.LittleEndian.Uint32(p), binary.LittleEndian.Uint32(p[4:]), string(p[8:11])}
		default:
			out[i] = Value{Paid: binary.LittleEndian.Uint32(p), Currency: string(p[4:7])}
		}
	}
	return out, nil
}

// isCurrency reports whether b is three capital letters.
func isCurrency(b []byte) bool {
	return len(b) == 3 && 'A' <= b[0] && b[0] <= 'Z' && 'A' <= b[1] && b[1] <= 'Z' && 'A' <= b[2] && b[2] <= 'Z'
}

// AppendEvent appends e as a machine of protocol version sends it: by the usual layout, or for DB, E6 and BA, which
// have none or a channel usually, with values if e has some and version is 6 or more. Layouts with one value take the
// first of e.Values, or zero in currency "XXX".
func AppendEvent(dst []byte, e Event, version int, coins bool) []byte {
	dst = append(dst, byte(e.Code))
	l := eventLayout(e.Code, version, coins)
	if version >= 6 && len(e.Values) > 0 {
		switch e.Code {
		case EvNoteStored, EvCoinRejected, EvFraudAttempt:
			l = nvc
		}
	}
	return appendLayout(dst, e, l)
}

func appendLayout(dst []byte, e Event, l layout) []byte {
	first := Value{Currency: "XXX"}
	if len(e.Values) > 0 {
		first = e.Values[0]
	}
	le := binary.LittleEndian
	switch l {
	case ch:
		return append(dst, e.Channel)
	case errb:
		return append(dst, e.Error)
	case u32:
		return le.AppendUint32(dst, first.Paid)
	case prq:
		return le.AppendUint32(le.AppendUint32(dst, first.Paid), first.Requested)
	case vc:
		return appendMoney(dst, first.Paid, first.Currency)
	case ccv:
		return le.AppendUint32(appendCurrency(dst, first.Currency), first.Paid)
	case nvc, nvcE, nprc:
		dst = append(dst, byte(len(e.Values)))
		for _, v := range e.Values {
			if l == nprc {
				dst = le.AppendUint32(dst, v.Paid)
				dst = appendMoney(dst, v.Requested, v.Currency)
			} else {
				dst = appendMoney(dst, v.Paid, v.Currency)
			}
		}
		if l == nvcE {
			dst = append(dst, e.Error)
		}
	}
	return dst
}

// appendMoney appends a value and its currency.
func appendMoney(dst []byte, value uint32, cc string) []byte {
	return appendCurrency(binary.LittleEndian.AppendUint32(dst, value), cc)
}

// appendCurrency appends three bytes: cc, cut or filled with "X" to that length.
func appendCurrency(dst []byte, cc string) []byte {
	for i := range 3 {
		if i < len(cc) {
			dst = append(dst, cc[i])
		} else {
			dst = append(dst, 'X')
		}
	}
	return dst
}

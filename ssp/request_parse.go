package ssp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The machine's side of the requests. Parameters are what follows the command code. ErrParamCount is answered with
// WrongParameters, ErrParamRange with OutOfRange; ReplyTo knows.

var (
	ErrParamCount       = errors.New("wrong number of parameters")
	ErrParamRange       = errors.New("parameter out of range")
	ErrUnknownExpansion = errors.New("unknown expansion command")
)

// ReplyTo returns the response code that a machine gives for an error of a Parse function, OK for nil.
func ReplyTo(err error) Reply {
	switch {
	case err == nil:
		return OK
	case errors.Is(err, ErrParamCount):
		return WrongParameters
	case errors.Is(err, ErrParamRange):
		return OutOfRange
	case errors.Is(err, ErrUnknownExpansion):
		return UnknownCommand
	}
	return CannotProcess
}

// cursor takes fields from the front of parameters. After the first that is missing, all are zero and err is set.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) take(n int) []byte {
	if len(c.b) < n || c.err != nil {
		if c.err == nil {
			c.err = ErrParamCount
		}
		return make([]byte, n)
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) byte() byte     { return c.take(1)[0] }
func (c *cursor) uint16() uint16 { return binary.LittleEndian.Uint16(c.take(2)) }
func (c *cursor) uint32() uint32 { return binary.LittleEndian.Uint32(c.take(4)) }

func (c *cursor) currency() string {
	b := c.take(3)
	if c.err == nil && !isCurrency(b) {
		c.err = fmt.Errorf("%w: currency % X", ErrParamRange, b)
	}
	if c.err != nil {
		return ""
	}
	return string(b)
}

// flag takes a byte that must be 0 or 1.
func (c *cursor) flag() bool {
	b := c.byte()
	if b > 1 && c.err == nil {
		c.err = fmt.Errorf("%w: %d where 0 or 1 must be", ErrParamRange, b)
	}
	return b == 1
}

func (c *cursor) commit() bool {
	switch b := c.byte(); {
	case b == OptionCommit:
		return true
	case b != OptionTest && c.err == nil:
		c.err = fmt.Errorf("%w: option 0x%02X", ErrParamRange, b)
	}
	return false
}

func (c *cursor) denomCount() DenomCount {
	return DenomCount{c.uint16(), c.uint32(), c.currency()}
}

func (c *cursor) list() []DenomCount {
	n := int(c.byte())
	if len(c.b) < 9*n {
		c.take(9 * n)
		return nil
	}
	out := make([]DenomCount, 0, n)
	for range n {
		out = append(out, c.denomCount())
	}
	return out
}

// end returns the error of the fields taken, or ErrParamCount if something is left.
func (c *cursor) end() error {
	if c.err == nil && len(c.b) > 0 {
		return ErrParamCount
	}
	return c.err
}

// ParseNone checks the parameters of a command that has none.
func ParseNone(params []byte) error { return (&cursor{b: params}).end() }

// ParseByte reads one byte: 06, 0B, 45, 5A, 5D, 7A.
func ParseByte(params []byte) (byte, error) {
	c := cursor{b: params}
	v := c.byte()
	return v, c.end()
}

// ParseFlag reads one byte that is 0 or 1: 3A, 45, 47, 49.
func ParseFlag(params []byte) (bool, error) {
	c := cursor{b: params}
	v := c.flag()
	return v, c.end()
}

// ParseOptionalByte reads no or one byte: 0C, 52, 5C, and 05 whose extra byte means nothing. given tells which.
func ParseOptionalByte(params []byte) (v byte, given bool, err error) {
	if len(params) == 0 {
		return 0, false, nil
	}
	v, err = ParseByte(params)
	return v, err == nil, err
}

// ParseUint64 reads the eight bytes of 4A, 4B, 4C and 60.
func ParseUint64(params []byte) (uint64, error) {
	c := cursor{b: params}
	v := binary.LittleEndian.Uint64(c.take(8))
	return v, c.end()
}

// ParseInhibits reads SET INHIBITS: 8, 16 or 24 channels, channel 1 first, true for accepted.
func ParseInhibits(params []byte) ([]bool, error) {
	if len(params) < 1 || len(params) > 3 {
		return nil, ErrParamCount
	}
	out := make([]bool, 8*len(params))
	for i := range out {
		out[i] = params[i/8]>>(i%8)&1 == 1
	}
	return out, nil
}

// ParseBezel reads CONFIGURE BEZEL, whose type byte may be missing.
func ParseBezel(params []byte) (Bezel, error) {
	c := cursor{b: params}
	z := Bezel{Red: c.byte(), Green: c.byte(), Blue: c.byte(), Store: c.flag()}
	if len(c.b) > 0 {
		z.Type = c.byte()
	}
	if z.Type > 2 {
		return z, ErrParamRange
	}
	return z, c.end()
}

// ParseBaudRate reads SET BAUD RATE.
func ParseBaudRate(params []byte) (rate byte, persist bool, err error) {
	c := cursor{b: params}
	rate, persist = c.byte(), c.flag()
	if err = c.end(); err == nil && rate > Baud115200 {
		err = ErrParamRange
	}
	return rate, persist, err
}

// ParseSetBarcodeConfig reads SET BARCODE CONFIG.
func ParseSetBarcodeConfig(params []byte) (readers, format, characters byte, err error) {
	c := cursor{b: params}
	readers, format, characters = c.byte(), c.byte(), c.byte()
	if err = c.end(); err == nil && (readers > 3 || format != 1 || characters < 6 || characters > 24) {
		err = ErrParamRange
	}
	return readers, format, characters, err
}

// ParseOptions reads SET OPTIONS, and the answer to GET OPTIONS.
func ParseOptions(params []byte) (reg0, reg1 byte, err error) {
	c := cursor{b: params}
	reg0, reg1 = c.byte(), c.byte()
	return reg0, reg1, c.end()
}

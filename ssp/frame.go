package ssp

import (
	"bytes"
	"errors"
	"fmt"
)

// Bytes with a meaning of their own (section 2 and 4.3).
const (
	STX  = 0x7F // starts a frame; doubled wherever it occurs later in one
	STEX = 0x7E // first DATA byte of an encrypted frame
)

const (
	MaxData    = 255               // most DATA bytes of a frame
	MaxAddress = Address(0x7D)     // highest address; 0x7E and 0x7F would look like STEX and STX
	MaxWire    = 1 + 2*(MaxData+4) // most bytes of a frame on the wire, all stuffed
)

// Default addresses (section 1).
const (
	NoteAddress Address = 0x00 // note devices
	CoinAddress Address = 0x10 // hoppers and coin systems
)

var (
	ErrTooLong = errors.New("too much data for one frame")
	ErrAddress = errors.New("address above 0x7D")
	ErrEmpty   = errors.New("no data")
)

// Address is the number of a machine on its line, 0x00 to 0x7D.
type Address uint8

func (a Address) String() string { return fmt.Sprintf("0x%02X", uint8(a)) }

// Frame is one packet without its stuffing and checksum.
type Frame struct {
	Seq  bool    // sequence flag: flips for every new command to one address (section 3.1)
	Addr Address // of the machine, in both directions
	Data []byte  // 1..255 bytes: command or response code first, or STEX and cipher text
}

func (f Frame) seqAddr() byte {
	if f.Seq {
		return byte(f.Addr) | 0x80
	}
	return byte(f.Addr)
}

// Encrypted reports whether the frame carries cipher text.
func (f Frame) Encrypted() bool { return len(f.Data) > 0 && f.Data[0] == STEX }

// AppendFrame appends f in wire form to dst: STX, sequence flag and address, length, data and CRC, every STX after the
// first doubled. It does not allocate when dst has room (MaxWire bytes always suffice). On ErrTooLong, ErrEmpty or
// ErrAddress dst is returned as it was. Source: section 2.
func AppendFrame(dst []byte, f Frame) ([]byte, error) {
	switch {
	case len(f.Data) > MaxData:
		return dst, fmt.Errorf("%w: %d bytes, %d fit", ErrTooLong, len(f.Data), MaxData)
	case len(f.Data) == 0:
		return dst, ErrEmpty
	case f.Addr > MaxAddress:
		return dst, fmt.Errorf("%w: %v", ErrAddress, f.Addr)
	}
	start := len(dst)
	dst = append(dst, STX, f.seqAddr(), byte(len(f.Data)))
	dst = append(dst, f.Data...)
	crc := crcUpdate(crcStart, dst[start+1:])
	dst = append(dst, byte(crc), byte(crc>>8))
	if bytes.IndexByte(dst[start+1:], STX) >= 0 {
		dst = stuff(dst, start+1)
	}
	return dst, nil
}

// stuff doubles every STX in dst[from:], from the end so that nothing is overwritten before it is moved.
func stuff(dst []byte, from int) []byte {
	r := len(dst) - 1
	for _, b := range dst[from:] {
		if b == STX {
			dst = append(dst, 0)
		}
	}
	for w := len(dst) - 1; r >= from && w > r; r-- {
		dst[w] = dst[r]
		w--
		if dst[r] == STX {
			dst[w] = STX
			w--
		}
	}
	return dst
}

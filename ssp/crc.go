package ssp

import "encoding/binary"

// CRC-16 of section 2.1: polynomial 0x8005, start 0xFFFF, most significant bit first, no final XOR.
const (
	crcPoly  = 0x8005
	crcStart = 0xFFFF
)

// crcTables[k][b] is what byte b does to the register when k bytes follow it, so that eight bytes are taken at once.
var crcTables = makeCRCTables()

func makeCRCTables() *[8][256]uint16 {
	var t [8][256]uint16
	for b := range 256 {
		c := uint16(b) << 8
		for range 8 {
			if c&0x8000 != 0 {
				c = c<<1 ^ crcPoly
			} else {
				c <<= 1
			}
		}
		t[0][b] = c
	}
	for k := 1; k < len(t); k++ {
		for b := range 256 {
			c := t[k-1][b]
			t[k][b] = c<<8 ^ t[0][c>>8]
		}
	}
	return &t
}

// CRC16 returns the checksum of b, which on the wire goes low byte first. For no bytes it is 0xFFFF.
func CRC16(b []byte) uint16 { return crcUpdate(crcStart, b) }

func crcUpdate(c uint16, b []byte) uint16 {
	t := crcTables
	for len(b) >= 8 {
		v := binary.BigEndian.Uint64(b) ^ uint64(c)<<48
		c = t[7][byte(v>>56)] ^ t[6][byte(v>>48)] ^ t[5][byte(v>>40)] ^ t[4][byte(v>>32)] ^
			t[3][byte(v>>24)] ^ t[2][byte(v>>16)] ^ t[1][byte(v>>8)] ^ t[0][byte(v)]
		b = b[8:]
	}
	if len(b) >= 4 {
		v := binary.BigEndian.Uint32(b) ^ uint32(c)<<16
		c = t[3][byte(v>>24)] ^ t[2][byte(v>>16)] ^ t[1][byte(v>>8)] ^ t[0][byte(v)]
		b = b[4:]
	}
	for _, x := range b {
		c = c<<8 ^ t[0][byte(c>>8)^x]
	}
	return c
}

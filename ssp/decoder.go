package ssp

import "bytes"

// Decoder finds frames in a stream of bytes that comes in pieces of any size. Its zero value is ready. It is not safe
// for use by several goroutines. Source: section 2.2.
type Decoder struct {
	buf     [MaxData + 4]byte // ID, LEN, DATA, CRCL, CRCH of the frame being read, unstuffed
	n       int               // how many of them have come
	in      bool              // inside a frame
	stx     bool              // the last byte was an STX inside a frame: its successor decides
	dropped int
}

// Feed reads b until a good frame is complete or b is used up. n is how many bytes it consumed: call it again with b[n:]
// while there are any. If ok, f is the frame, and f.Data is valid until the next Feed or Reset. Frames with a wrong CRC,
// half frames and frames with an impossible header are dropped in silence and counted.
func (d *Decoder) Feed(b []byte) (n int, f Frame, ok bool) {
	for i := 0; i < len(b); {
		if !d.in {
			if b[i] != STX { // noise
				at := bytes.IndexByte(b[i:], STX)
				if at < 0 {
					break
				}
				i += at
			}
			i++
			d.in = true
			if size := d.takeWhole(b[i:]); size > 0 {
				return i + size, d.finish(), true
			}
			continue
		}
		c := b[i]
		i++
		switch {
		case d.stx:
			d.stx = false
			if c != STX { // a lone STX: the old frame is abandoned, c is the ID of the next
				d.drop(d.n > 0)
				d.in = true
			}
		case c == STX:
			d.stx = true
			continue
		}
		if d.push(c) {
			return i, d.finish(), true
		}
	}
	return len(b), Frame{}, false
}

// takeWhole takes a good frame that b holds from its ID to its end without a stuffed byte, which is how most come, and
// returns its size; 0 for anything else.
func (d *Decoder) takeWhole(b []byte) int {
	if len(b) < 5 || b[1] == 0 || Address(b[0]&0x7F) > MaxAddress {
		return 0
	}
	size := int(b[1]) + 4
	if len(b) < size || bytes.IndexByte(b[:size], STX) >= 0 {
		return 0
	}
	if crcUpdate(crcStart, b[:size-2]) != uint16(b[size-2])|uint16(b[size-1])<<8 {
		return 0
	}
	d.n = copy(d.buf[:], b[:size])
	return size
}

// finish returns the frame in the buffer and leaves it.
func (d *Decoder) finish() Frame {
	f := Frame{Seq: d.buf[0]&0x80 != 0, Addr: Address(d.buf[0] & 0x7F), Data: d.buf[2 : d.n-2]}
	d.in, d.n = false, 0
	return f
}

// push takes one unstuffed byte of a frame and reports whether a good frame is complete.
func (d *Decoder) push(c byte) bool {
	switch d.n {
	case 0:
		if Address(c&0x7F) > MaxAddress {
			d.drop(true)
			d.in = c == STX // the second of two may have been the start of a frame
			return false
		}
	case 1:
		if c == 0 {
			d.drop(true)
			return false
		}
	}
	d.buf[d.n] = c
	d.n++
	if d.n < 5 || d.n != int(d.buf[1])+4 {
		return false
	}
	if crcUpdate(crcStart, d.buf[:d.n-2]) != uint16(d.buf[d.n-2])|uint16(d.buf[d.n-1])<<8 {
		d.drop(true)
		return false
	}
	return true
}

func (d *Decoder) drop(count bool) {
	if count {
		d.dropped++
	}
	d.in, d.stx, d.n = false, false, 0
}

// Reset forgets a half-read frame, as after a gap in the stream. The counter stays.
func (d *Decoder) Reset() { d.drop(d.in && d.n > 0) }

// Partial reports whether a frame has begun and is not complete.
func (d *Decoder) Partial() bool { return d.in }

// Dropped returns how many frames were begun and came to nothing: wrong CRC, cut short, impossible header.
func (d *Decoder) Dropped() int { return d.dropped }

// DecodeAll returns all good frames in b, with data of their own.
func DecodeAll(b []byte) []Frame {
	var d Decoder
	var out []Frame
	for len(b) > 0 {
		n, f, ok := d.Feed(b)
		b = b[n:]
		if ok {
			f.Data = append([]byte(nil), f.Data...)
			out = append(out, f)
		}
	}
	return out
}

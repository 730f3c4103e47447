package ssp_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"coffer/ssp"
)

// crcByBits is section 2.1 word by word.
func crcByBits(b []byte) uint16 {
	c := uint16(0xFFFF)
	for _, x := range b {
		c ^= uint16(x) << 8
		for range 8 {
			if c&0x8000 != 0 {
				c = c<<1 ^ 0x8005
			} else {
				c <<= 1
			}
		}
	}
	return c
}

func TestCRC16(t *testing.T) {
	b := make([]byte, 64)
	for i := range b {
		b[i] = byte(i*37 + 11)
	}
	for n := range b {
		if got, want := ssp.CRC16(b[:n]), crcByBits(b[:n]); got != want {
			t.Errorf("%d bytes: 0x%04X, want 0x%04X", n, got, want)
		}
	}
}

func TestAppendFrameRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		f    ssp.Frame
		want error
	}{
		{"256 bytes", ssp.Frame{Data: make([]byte, 256)}, ssp.ErrTooLong},
		{"no data", ssp.Frame{}, ssp.ErrEmpty},
		{"address 0x7E", ssp.Frame{Addr: 0x7E, Data: []byte{7}}, ssp.ErrAddress},
		{"address 0x80", ssp.Frame{Addr: 0x80, Data: []byte{7}}, ssp.ErrAddress},
	} {
		got, err := ssp.AppendFrame([]byte{1, 2}, c.f)
		if !errors.Is(err, c.want) || !bytes.Equal(got, []byte{1, 2}) {
			t.Errorf("%s: % X, %v; want it untouched, %v", c.name, got, err, c.want)
		}
	}
}

func TestFramesOfEveryLength(t *testing.T) {
	for n := 1; n <= ssp.MaxData; n++ {
		for name, fill := range map[string]func(int) byte{
			"all STX": func(int) byte { return ssp.STX },
			"mixed":   func(i int) byte { return byte(i*5 + n) },
		} {
			want := ssp.Frame{Seq: n%2 == 0, Addr: ssp.Address(n % 0x7E), Data: make([]byte, n)}
			for i := range want.Data {
				want.Data[i] = fill(i)
			}
			wire, err := ssp.AppendFrame(nil, want)
			if err != nil || len(wire) > ssp.MaxWire {
				t.Fatalf("%s %d: %d bytes, %v", name, n, len(wire), err)
			}
			if got := ssp.DecodeAll(wire); !reflect.DeepEqual(got, []ssp.Frame{want}) {
				t.Errorf("%s %d: decoded %v, want %v", name, n, got, want)
			}
		}
	}
}

func TestDecoderRecovers(t *testing.T) {
	good := []byte{0x7F, 0x80, 0x01, 0xF0, 0x23, 0x80}
	for _, c := range []struct {
		name    string
		before  []byte
		frames  int
		dropped int
	}{
		{"nothing", nil, 1, 0},
		{"noise", []byte{1, 2, 3}, 1, 0},
		{"start twice", []byte{0x7F}, 1, 0},
		{"start three times", []byte{0x7F, 0x7F}, 1, 1},
		{"address 0x7E", []byte{0x7F, 0x7E, 0x01, 0x07}, 1, 1},
		{"no length", []byte{0x7F, 0x80, 0x00}, 1, 1},
		{"half a frame", good[:4], 1, 1},
		{"half, cut after a stuffed byte", []byte{0x7F, 0x80, 0x03, 0x7F, 0x7F}, 1, 1},
		{"wrong checksum", []byte{0x7F, 0x80, 0x01, 0xF0, 0x23, 0x81}, 1, 1},
		{"a frame", good, 2, 0},
	} {
		var d ssp.Decoder
		frames := 0
		for b := append(bytes.Clone(c.before), good...); len(b) > 0; {
			n, f, ok := d.Feed(b)
			b = b[n:]
			if ok {
				frames++
				if !f.Seq || f.Addr != 0 || !bytes.Equal(f.Data, []byte{0xF0}) {
					t.Errorf("%s: got %v", c.name, f)
				}
			}
		}
		if frames != c.frames || d.Dropped() != c.dropped || d.Partial() {
			t.Errorf("%s: %d frames, %d dropped, partial %t; want %d, %d", c.name, frames, d.Dropped(), d.Partial(), c.frames, c.dropped)
		}
	}
}

func TestDecoderReset(t *testing.T) {
	var d ssp.Decoder
	d.Feed([]byte{0x7F, 0x80, 0x05, 0xF0, 0x01})
	if !d.Partial() {
		t.Fatal("no frame begun")
	}
	d.Reset()
	if d.Partial() || d.Dropped() != 1 {
		t.Errorf("partial %t, dropped %d after Reset", d.Partial(), d.Dropped())
	}
	if _, _, ok := d.Feed([]byte{0x02, 0x03, 0x04, 0x7F, 0x80, 0x01, 0xF0, 0x23, 0x80}); !ok {
		t.Error("the frame after the reset was lost")
	}
}

// TestDecoderInNoise damages bytes of a long stream: what comes out is a frame that was sent, and most do.
func TestDecoderInNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var d ssp.Decoder
	const sent = 5000
	got := 0
	for i := range sent {
		data := []byte{0xF0, byte(i), byte(i >> 8), ssp.STX, 0x55}
		wire, err := ssp.AppendFrame(nil, ssp.Frame{Data: data})
		if err != nil {
			t.Fatal(err)
		}
		for j := range wire {
			if random.IntN(100) == 0 {
				wire[j] ^= byte(1 << random.IntN(8))
			}
		}
		for len(wire) > 0 {
			n, f, ok := d.Feed(wire)
			wire = wire[n:]
			if !ok {
				continue
			}
			got++
			if len(f.Data) != 5 || f.Data[1] != byte(i) && f.Data[1] != byte(i-1) {
				t.Fatalf("frame %d came out as % X", i, f.Data)
			}
		}
	}
	if got < sent*8/10 || got > sent {
		t.Errorf("%d of %d frames, %d dropped", got, sent, d.Dropped())
	}
}

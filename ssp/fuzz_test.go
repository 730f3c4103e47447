package ssp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"

	"coffer/ssp"
	"coffer/ssp/ssptest"
)

// FuzzDecoder: whatever comes, each frame that comes out encodes to bytes that decode to it, and the size of the pieces
// makes no difference.
func FuzzDecoder(f *testing.F) {
	file := ssptest.Load(f, vectorFile)
	for _, v := range file.Vectors {
		f.Add([]byte(v.Bytes), uint8(3))
	}
	for _, s := range file.Streams {
		f.Add([]byte(s.Bytes), uint8(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, piece uint8) {
		whole := ssp.DecodeAll(b)
		for _, fr := range whole {
			wire, err := ssp.AppendFrame(nil, fr)
			if err != nil {
				t.Fatalf("decoded %v, which does not encode: %v", fr, err)
			}
			if again := ssp.DecodeAll(wire); !reflect.DeepEqual(again, []ssp.Frame{fr}) {
				t.Fatalf("%v comes back as %v", fr, again)
			}
		}
		var d ssp.Decoder
		var pieces []ssp.Frame
		size := max(1, int(piece))
		for left := b; len(left) > 0; left = left[min(size, len(left)):] {
			for p := left[:min(size, len(left))]; len(p) > 0; {
				n, fr, ok := d.Feed(p)
				p = p[n:]
				if ok {
					fr.Data = bytes.Clone(fr.Data)
					pieces = append(pieces, fr)
				}
			}
		}
		if !reflect.DeepEqual(pieces, whole) {
			t.Fatalf("in pieces of %d: %v, whole: %v", size, pieces, whole)
		}
	})
}

// FuzzParsePoll: at every version, what parses builds an answer that parses to the same events, and an error says which
// byte it is about.
func FuzzParsePoll(f *testing.F) {
	for _, v := range ssptest.Load(f, vectorFile).Vectors {
		if v.Decoded["events"] == nil {
			continue
		}
		b := []byte(v.Bytes)
		if v.Framed {
			b = ssp.DecodeAll(b)[0].Data
		}
		f.Add(b[1:])
	}
	for _, c := range [][]byte{
		join([]byte{0xCE, 1}, vc(5, "EUR")), join([]byte{0xC9, 1}, vc(5, "EUR")), join([]byte{0xDB, 1}, vc(5, "EUR")),
		join([]byte{0xE6, 1}, vc(5, "EUR")), join([]byte{0xBA}, vc(5, "EUR")), {0xF1, 0xDC, 1, 0, 0, 0, 2, 0, 0, 0}, {0xB7},
	} {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, rest []byte) {
		for version := 4; version <= 9; version++ {
			for _, coins := range []bool{false, true} {
				events, err := ssp.ParsePoll(rest, version, coins, nil)
				var unknown *ssp.UnknownEventError
				if err != nil && (!errors.As(err, &unknown) || byte(unknown.Code) != rest[unknown.Offset]) {
					t.Fatalf("v%d: %v", version, err)
				}
				checkRebuild(t, events, version, coins)
			}
		}
	})
}

// checkRebuild builds each event and reads it back. Events read in another than the usual layout are built in the usual
// one, so that they may lose what it has no place for.
func checkRebuild(t *testing.T, events []ssp.Event, version int, coins bool) {
	t.Helper()
	for _, e := range events {
		wire := ssp.AppendEvent(nil, e, version, coins)
		got, err := ssp.ParsePoll(wire, version, coins, nil)
		if err != nil || len(got) != 1 || got[0].Code != e.Code {
			t.Fatalf("v%d coins %t: %+v is built % X and read %+v, %v", version, coins, e, wire, got, err)
		}
		again := ssp.AppendEvent(nil, got[0], version, coins)
		if !bytes.Equal(again, wire) {
			t.Fatalf("v%d coins %t: %+v is built % X, then % X", version, coins, e, wire, again)
		}
		_ = e.String()
	}
}

// FuzzDecrypt: no cipher text makes it panic, and what opens closes to the same bytes.
func FuzzDecrypt(f *testing.F) {
	for _, s := range ssptest.Load(f, vectorFile).Sessions {
		for _, x := range s.Exchanges {
			f.Add([]byte(ssp.DecodeAll(x.DeviceWire)[0].Data), s.Keys.Key, true)
			f.Add([]byte(x.Device), s.Keys.Key, false)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, key uint64, cipher bool) {
		s := ssp.NewSession(ssp.DefaultFixedKey, key)
		s.SetCount(uint32(key >> 7))
		if !cipher { // b is what is to be sent
			data, err := s.Encrypt(nil, b, nil)
			if err != nil {
				if !errors.Is(err, ssp.ErrEmpty) && !errors.Is(err, ssp.ErrTooLong) {
					t.Fatal(err)
				}
				return
			}
			got, count, err := s.Decrypt(data)
			if err != nil || count != s.Count() || !bytes.Equal(got, b) {
				t.Fatalf("% X comes back as % X, %d, %v", b, got, count, err)
			}
			return
		}
		eData, count, err := s.Decrypt(b)
		if err != nil {
			return
		}
		s.SetCount(count)
		again, err := s.Encrypt(nil, eData, bytes.NewReader(filler(t, s, b)))
		if len(again) == len(b) && (err != nil || !bytes.Equal(again, b)) { // not if blocks of filler alone followed
			t.Fatalf("% X opens to % X and closes to % X, %v", b, eData, again, err)
		}
	})
}

// FuzzSetup: a setup that parses builds one that parses to the same, unless a value does not fit its field again.
func FuzzSetup(f *testing.F) {
	for _, v := range ssptest.Load(f, vectorFile).Vectors {
		if v.Decoded["unit_type"] != nil {
			b := []byte(v.Bytes)
			if v.Framed {
				b = ssp.DecodeAll(b)[0].Data
			}
			f.Add(b[1:])
		}
	}
	f.Add(notes(ssp.TypePayout, 8, 500, 1000).Append(nil))
	f.Add(binary.LittleEndian.AppendUint64([]byte{0x0B}, 1<<40))
	f.Fuzz(func(t *testing.T, rest []byte) {
		s, err := ssp.ParseSetup(rest)
		if err != nil {
			return
		}
		_ = ssp.DescribeReply(ssp.CmdSetupRequest, append([]byte{0xF0}, rest...), 8, s.UnitType.Coins())
		if s.UnitType == ssp.TypeCoinSystem && s.RealMultiplier > 0 {
			return // came in the note layout, is built in the coin layout
		}
		got, err := ssp.ParseSetup(s.Append(nil))
		if err != nil || got.UnitType != s.UnitType || got.Protocol != s.Protocol || len(got.Channels) != len(s.Channels) {
			t.Fatalf("%+v is built and read as %+v, %v", s, got, err)
		}
		third, err := ssp.ParseSetup(got.Append(nil))
		if err != nil || !reflect.DeepEqual(third, got) {
			t.Fatalf("%+v is built and read as %+v, %v", got, third, err)
		}
	})
}

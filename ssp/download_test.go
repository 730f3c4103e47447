package ssp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"coffer/ssp"
)

// aDownload is a file of a loader of 300 bytes and a payload of three blocks, the last one short.
func aDownload() []byte {
	ram := bytes.Repeat([]byte{0x7F, 0x01, 0xFE}, 100)
	return ssp.MakeDownload(ssp.DownloadFile{Device: 9, Update: 0x11, RAM: ram, Payload: bytes.Repeat([]byte{7}, 250), BlockSize: 100})
}

func TestParseDownload(t *testing.T) {
	image := aDownload()
	f, err := ssp.ParseDownload(image)
	if err != nil {
		t.Fatal(err)
	}
	if f.Device != 9 || f.Update != 0x11 || len(f.RAM) != 300 || f.RAMChunks() != 3 || f.BlockSize != 100 ||
		f.Baud != ssp.DefaultDownloadBaud || f.Blocks() != 3 || len(f.Block(2)) != 50 || !bytes.Equal(f.Header, image[:128]) {
		t.Errorf("read as %+v", f)
	}
	var all []byte
	for i := range f.Blocks() {
		all = append(all, f.Block(i)...)
	}
	if !bytes.Equal(all, f.Payload) {
		t.Error("the blocks are not the payload")
	}
	binary.BigEndian.PutUint16(image[0x3E:], 0)
	binary.BigEndian.PutUint32(image[0x44:], 115200)
	if f, err = ssp.ParseDownload(image); err != nil || f.BlockSize != 4096 || f.Baud != 115200 || f.Blocks() != 1 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestParseDownloadRefuses(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"nothing":              func([]byte) []byte { return nil },
		"half a header":        func(b []byte) []byte { return b[:127] },
		"a header alone":       func(b []byte) []byte { return b[:128] },
		"no magic":             func(b []byte) []byte { b[0] = 'i'; return b },
		"cut short":            func(b []byte) []byte { return b[:len(b)-1] },
		"too long":             func(b []byte) []byte { return append(b, 0) },
		"loader too long":      func(b []byte) []byte { binary.BigEndian.PutUint32(b[0x07:], 0xFFFFFFFF); return b },
		"payload too long":     func(b []byte) []byte { binary.BigEndian.PutUint32(b[0x11:], 0xFFFFFFFF); return b },
		"no loader":            func(b []byte) []byte { binary.BigEndian.PutUint32(b[0x07:], 0); return b },
		"no payload":           func(b []byte) []byte { binary.BigEndian.PutUint32(b[0x11:], 0); return b[:128+300] },
		"loader damaged":       func(b []byte) []byte { b[200] ^= 4; return b },
		"loader's sum damaged": func(b []byte) []byte { b[0x10] ^= 1; return b },
	} {
		if f, err := ssp.ParseDownload(damage(aDownload())); !errors.Is(err, ssp.ErrDownload) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

func TestPayload(t *testing.T) {
	p := ssp.Payload{Firmware: "NVS2004301099000", Dataset: "EUR01620", Values: []int64{500, 1000, 2000}}
	for _, size := range []int{0, 100, 5000} {
		b := p.Append(nil, size)
		got, err := ssp.ParsePayload(b)
		if err != nil || got.Firmware != p.Firmware || got.Dataset != p.Dataset || !slices.Equal(got.Values, p.Values) {
			t.Errorf("%s\nread as %+v, %v", b, got, err)
		}
		if len(b) < size || len(b) > size+200 {
			t.Errorf("%d bytes, %d asked for", len(b), size)
		}
		if len(b) > 1000 {
			continue
		}
		for i := range b { // the head makes it one; behind that nothing may change
			bad := bytes.Clone(b)
			bad[i] ^= 0x10
			if got, err := ssp.ParsePayload(bad); err == nil {
				t.Errorf("byte %d damaged: read as %+v", i, got)
			}
			image := ssp.MakeDownload(ssp.DownloadFile{Device: 9, RAM: []byte{1}, Payload: bad})
			if _, err := ssp.ParseDownload(image); err == nil && ssp.IsPayload(bad) {
				t.Errorf("byte %d damaged: the file is taken", i)
			}
		}
	}
	if b := (ssp.Payload{}).Append(nil, 0); string(b) != "coffer payload 1\ncrc32 A2F82CCA\n" {
		t.Errorf("an empty payload is %q", b)
	}
}

func TestPayloadRefuses(t *testing.T) {
	for _, p := range []ssp.Payload{
		{Firmware: "short"},
		{Dataset: "EUR01620"},
		{Dataset: "EUR0162", Values: []int64{500}},
		{Dataset: "eur01620", Values: []int64{500}},
		{Dataset: "EUR01620", Values: []int64{500, 500}},
		{Dataset: "EUR01620", Values: []int64{0}},
		{Dataset: "EUR01620", Values: []int64{1 << 32}},
		{Dataset: "EUR01620", Values: make([]int64, 25)},
		{Firmware: "NVS2004301099000\nother 1"},
	} {
		if got, err := ssp.ParsePayload(p.Append(nil, 0)); !errors.Is(err, ssp.ErrDownload) {
			t.Errorf("%+v: read as %+v, %v", p, got, err)
		}
	}
}

func FuzzParseDownload(f *testing.F) {
	f.Add(aDownload())
	f.Add(ssp.MakeDownload(ssp.DownloadFile{RAM: []byte{1}, Payload: ssp.Payload{Firmware: "NVS2004301099000"}.Append(nil, 0)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ssp.ParseDownload(b)
		if err != nil {
			if !errors.Is(err, ssp.ErrDownload) {
				t.Errorf("%v", err)
			}
			return
		}
		n := 0
		for i := range d.Blocks() {
			n += len(d.Block(i))
		}
		if len(d.Header)+len(d.RAM)+n != len(b) {
			t.Errorf("%d bytes became %d, %d and %d", len(b), len(d.Header), len(d.RAM), n)
		}
	})
}

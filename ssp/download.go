package ssp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrDownload: bytes are not a whole download file of the form of section 18.1.
var ErrDownload = errors.New("no whole download file")

// Layout of a download file (section 18.1): the header, the RAM loader, the payload.
const (
	DownloadHeaderSize = 128
	DownloadMagic      = "ITL" // the header's first bytes

	downloadDevice  = 0x05
	downloadUpdate  = 0x06
	downloadRAMSize = 0x07
	downloadRAMSum  = 0x10
	downloadSize    = 0x11
	downloadBlock   = 0x3E
	downloadBaud    = 0x44
)

// What holds where a header names none (section 18.1).
const (
	DefaultDownloadBlock = 4096
	DefaultDownloadBaud  = 38400
)

// Of the procedure of section 18.2.
const (
	DownloadRAMChunk      = 128  // bytes of the RAM loader that are written at a time
	DownloadGoOn     byte = 0x32 // the loader's answer to the update code and to the header
)

// DownloadFile is a file with which firmware, a dataset or both come into a machine.
type DownloadFile struct {
	Header    []byte // DownloadHeaderSize bytes, as they are sent
	Device    byte   // kind of machine that it is for; the machine knows whether that is its own
	Update    byte   // sent before the payload
	RAM       []byte // the RAM loader
	RAMSum    byte   // XOR over it
	Payload   []byte
	BlockSize int // bytes of the payload that are sent at a time
	Baud      int // of the transfer
}

// ParseDownload reads a download file and checks all of it that the format lets one check: the lengths, which must add
// up to the whole, and the checksum of the RAM loader. A payload has a checksum of its own only in the form that
// simulated machines take (Payload). The result shares image's memory. ErrDownload with what is wrong. Source: section 18.1.
func ParseDownload(image []byte) (DownloadFile, error) {
	if len(image) < DownloadHeaderSize {
		return DownloadFile{}, fmt.Errorf("%w: %d bytes, the header alone has %d", ErrDownload, len(image), DownloadHeaderSize)
	}
	f, ram, size, err := ParseDownloadHeader(image[:DownloadHeaderSize])
	if err != nil {
		return DownloadFile{}, err
	}
	if want := DownloadHeaderSize + int64(ram) + int64(size); want != int64(len(image)) {
		return DownloadFile{}, fmt.Errorf("%w: %d bytes, its header says %d", ErrDownload, len(image), want)
	}
	f.RAM, f.Payload = image[DownloadHeaderSize:DownloadHeaderSize+ram], image[DownloadHeaderSize+ram:]
	if sum := XOR(f.RAM); sum != f.RAMSum {
		return DownloadFile{}, fmt.Errorf("%w: the RAM loader's checksum is %02X, its header says %02X", ErrDownload, sum, f.RAMSum)
	}
	if IsPayload(f.Payload) {
		if _, err := ParsePayload(f.Payload); err != nil {
			return DownloadFile{}, err
		}
	}
	return f, nil
}

// ParseDownloadHeader reads the header alone, and returns the lengths of RAM loader and payload beside it. ErrDownload.
func ParseDownloadHeader(h []byte) (f DownloadFile, ram, payload int, err error) {
	switch {
	case len(h) != DownloadHeaderSize:
		return DownloadFile{}, 0, 0, fmt.Errorf("%w: a header of %d bytes", ErrDownload, len(h))
	case string(h[:len(DownloadMagic)]) != DownloadMagic:
		return DownloadFile{}, 0, 0, fmt.Errorf("%w: it does not begin with %s", ErrDownload, DownloadMagic)
	}
	ram, payload = int(binary.BigEndian.Uint32(h[downloadRAMSize:])), int(binary.BigEndian.Uint32(h[downloadSize:]))
	if ram <= 0 || ram > mostDownload || payload <= 0 || payload > mostDownload {
		return DownloadFile{}, 0, 0, fmt.Errorf("%w: a RAM loader of %d bytes, a payload of %d", ErrDownload, ram, payload)
	}
	f = DownloadFile{
		Header: h, Device: h[downloadDevice], Update: h[downloadUpdate], RAMSum: h[downloadRAMSum],
		BlockSize: int(binary.BigEndian.Uint16(h[downloadBlock:])),
		Baud:      int(binary.BigEndian.Uint32(h[downloadBaud:])),
	}
	if f.BlockSize == 0 {
		f.BlockSize = DefaultDownloadBlock
	}
	if f.Baud <= 0 {
		f.Baud = DefaultDownloadBaud
	}
	return f, ram, payload, nil
}

// mostDownload bounds what a header may claim, far above any machine's memory.
const mostDownload = 1 << 28

// MakeDownload builds a download file of Device, Update, RAM, Payload, BlockSize and Baud (0: left to the default).
func MakeDownload(f DownloadFile) []byte {
	h := make([]byte, DownloadHeaderSize, DownloadHeaderSize+len(f.RAM)+len(f.Payload))
	copy(h, DownloadMagic)
	h[downloadDevice], h[downloadUpdate], h[downloadRAMSum] = f.Device, f.Update, XOR(f.RAM)
	binary.BigEndian.PutUint32(h[downloadRAMSize:], uint32(len(f.RAM)))
	binary.BigEndian.PutUint32(h[downloadSize:], uint32(len(f.Payload)))
	binary.BigEndian.PutUint16(h[downloadBlock:], uint16(f.BlockSize))
	binary.BigEndian.PutUint32(h[downloadBaud:], uint32(f.Baud))
	return append(append(h, f.RAM...), f.Payload...)
}

// Blocks is how many blocks the payload is sent in.
func (f DownloadFile) Blocks() int { return (len(f.Payload) + f.BlockSize - 1) / f.BlockSize }

// Block returns block i, from 0; the last one may be shorter.
func (f DownloadFile) Block(i int) []byte {
	return f.Payload[i*f.BlockSize : min((i+1)*f.BlockSize, len(f.Payload))]
}

// RAMChunks is how many chunks of DownloadRAMChunk bytes the RAM loader is sent in.
func (f DownloadFile) RAMChunks() int { return (len(f.RAM) + DownloadRAMChunk - 1) / DownloadRAMChunk }

// XOR is the checksum of a download: the exclusive or of all bytes, 0 for none.
func XOR(b []byte) (sum byte) {
	for _, c := range b {
		sum ^= c
	}
	return sum
}

package ssp

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// Payload is what a download brings to a simulated machine [proj]; nobody outside knows the inside of the maker's files.
// It is text, one item a line, in this order, what is not changed left out:
//
//	coffer payload 1
//	firmware NVS2004301099000
//	dataset EUR01620 500 1000 2000
//	crc32 1A2B3C4D
//
// Lines that begin with # mean nothing. The checksum is the IEEE CRC-32 of all bytes before its line.
type Payload struct {
	Firmware string  // 16 characters, as GET FIRMWARE answers; "": stays
	Dataset  string  // 8 characters, of which the first three are the currency; "": stays
	Values   []int64 // its denominations, minor units, rising, 1 to 24
}

const (
	payloadHead    = "coffer payload 1\n"
	payloadSum     = "crc32 "
	payloadTail    = len(payloadSum) + 8 + 1
	firmwareLength = 16
	datasetLength  = 8
	mostValues     = 24
)

// IsPayload says whether b begins as a payload for simulated machines does.
func IsPayload(b []byte) bool { return bytes.HasPrefix(b, []byte(payloadHead)) }

// Append appends the payload to dst, with remark lines until it has at least size bytes.
func (p Payload) Append(dst []byte, size int) []byte {
	start := len(dst)
	dst = append(dst, payloadHead...)
	if p.Firmware != "" {
		dst = append(dst, "firmware "+p.Firmware+"\n"...)
	}
	if p.Dataset != "" {
		dst = append(dst, "dataset "+p.Dataset...)
		for _, v := range p.Values {
			dst = strconv.AppendInt(append(dst, ' '), v, 10)
		}
		dst = append(dst, '\n')
	}
	for i := 0; len(dst)-start+payloadTail < size; i++ {
		dst = fmt.Appendf(dst, "# %056d\n", i)
	}
	return fmt.Appendf(dst, "%s%08X\n", payloadSum, crc32.ChecksumIEEE(dst[start:]))
}

// ParsePayload reads a payload and checks all of it. ErrDownload with what is wrong.
func ParsePayload(b []byte) (p Payload, err error) {
	at := len(b) - payloadTail
	if !IsPayload(b) || at < len(payloadHead) {
		return Payload{}, fmt.Errorf("%w: its payload is cut short", ErrDownload)
	}
	if want := fmt.Sprintf("%s%08X\n", payloadSum, crc32.ChecksumIEEE(b[:at])); string(b[at:]) != want {
		return Payload{}, fmt.Errorf("%w: its payload's checksum is wrong", ErrDownload)
	}
	for line := range strings.Lines(string(b[len(payloadHead):at])) {
		if !strings.HasPrefix(line, "#") {
			err = p.read(strings.Fields(line))
		}
		if err != nil {
			return Payload{}, fmt.Errorf("%w: payload line %q: %w", ErrDownload, strings.TrimSuffix(line, "\n"), err)
		}
	}
	return p, nil
}

// read takes one line of a payload.
func (p *Payload) read(words []string) error {
	switch {
	case len(words) == 2 && words[0] == "firmware" && len(words[1]) == firmwareLength && p.Firmware == "":
		p.Firmware = words[1]
		return nil
	case len(words) < 3 || len(words) > 2+mostValues || words[0] != "dataset" || len(words[1]) != datasetLength ||
		p.Dataset != "" || !isCurrency([]byte(words[1][:3])):
		return ErrParamCount
	}
	p.Dataset = words[1]
	for _, w := range words[2:] {
		v, err := strconv.ParseUint(w, 10, 32)
		if err != nil || v == 0 || len(p.Values) > 0 && int64(v) <= p.Values[len(p.Values)-1] {
			return ErrParamRange
		}
		p.Values = append(p.Values, int64(v))
	}
	return nil
}

package ssptest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Hex is bytes, written in JSON as hex with or without spaces.
type Hex []byte

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hex) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(strings.ReplaceAll(string(text), " ", ""))
	*h = b
	return err
}

// File is the content of ssp-frames.json.
type File struct {
	About struct {
		Counts struct{ Vectors, Framed, Unframed, Streams, Sessions int }
	}
	Vectors  []Vector
	Streams  []Stream
	Sessions []Session
}

// Vector is one message with its meaning.
type Vector struct {
	Name      string
	Family    string
	Direction string // "host->device", "device->host", or "calculation"
	Version   *int   `json:"protocol_version"` // nil where it does not matter
	Framed    bool
	Bytes     Hex            `json:"hex"` // as on the wire if Framed, else DATA
	Decoded   map[string]any // numbers are json.Number
	Source    any
}

// Protocol returns the protocol version, 8 where the vector names none.
func (v Vector) Protocol() int {
	if v.Version == nil {
		return 8
	}
	return *v.Version
}

// FromHost reports whether a host sends the message.
func (v Vector) FromHost() bool { return v.Direction == "host->device" }

// Stream is raw bytes and the frames that a decoder must find in them, unstuffed, with checksum and without STX.
type Stream struct {
	Name   string
	Bytes  Hex `json:"hex"`
	Frames []Hex
}

// Session is a whole encrypted dialogue.
type Session struct {
	Name string
	Keys struct {
		Generator, Modulus, HostRandom, HostInter, SlaveInterKey, Key uint64

		AES Hex `json:"aes128_key"`
	}
	Exchanges []Exchange
}

// Exchange is one command and its answer: plain if Host is not nil, else encrypted.
type Exchange struct {
	Command    string
	HostWire   Hex    `json:"host_hex"`
	DeviceWire Hex    `json:"device_hex"`
	Host       Hex    `json:"host_data"`
	Device     Hex    `json:"device_data"`
	HostE      Hex    `json:"host_e_data"`
	DeviceE    Hex    `json:"device_e_data"`
	HostCount  uint32 `json:"host_e_count"`
	DevCount   uint32 `json:"device_e_count"`
}

// Load reads a file of vectors and ends the test if it cannot.
func Load(t testing.TB, path string) File {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f File
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&f); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f
}

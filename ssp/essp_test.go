package ssp_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"math/big"
	"testing"

	"coffer/ssp"
)

func TestSessionEveryLength(t *testing.T) {
	host, device := ssp.NewSession(ssp.DefaultFixedKey, 42), ssp.NewSession(ssp.DefaultFixedKey, 42)
	for n := 1; n <= ssp.MaxEncrypted; n++ {
		want := bytes.Repeat([]byte{byte(n)}, n)
		host.SetCount(uint32(n) * 0x01010101)
		data, err := host.Encrypt(nil, want, nil)
		if err != nil || data[0] != ssp.STEX || len(data)%16 != 1 || len(data) > ssp.MaxData {
			t.Fatalf("%d bytes: % X, %v", n, data, err)
		}
		got, count, err := device.Decrypt(data)
		if err != nil || count != host.Count() || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: % X, count %d, %v", n, got, count, err)
		}
		data[len(data)/2] ^= 1
		if got, _, err := device.Decrypt(data); !errors.Is(err, ssp.ErrCRC) {
			t.Errorf("%d bytes damaged: % X, %v; want ErrCRC", n, got, err)
		}
	}
	if device.Count() != 0 {
		t.Errorf("Decrypt moved the count to %d", device.Count())
	}
}

func TestSessionRefuses(t *testing.T) {
	s := ssp.NewSession(1, 2)
	for _, c := range []struct {
		name    string
		eData   []byte
		packing io.Reader
		want    error
	}{
		{"nothing", nil, nil, ssp.ErrEmpty},
		{"234 bytes", make([]byte, 234), nil, ssp.ErrTooLong},
		{"filler runs out", []byte{7}, bytes.NewReader(make([]byte, 3)), io.ErrUnexpectedEOF},
	} {
		if got, err := s.Encrypt([]byte{9}, c.eData, c.packing); !errors.Is(err, c.want) || !bytes.Equal(got, []byte{9}) {
			t.Errorf("encrypt %s: % X, %v; want it untouched, %v", c.name, got, err, c.want)
		}
	}
	good, err := s.Encrypt(nil, []byte{7}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, ssp.ErrNotEncrypted},
		{"plain", []byte{0xF0}, ssp.ErrNotEncrypted},
		{"STEX alone", []byte{ssp.STEX}, ssp.ErrShort},
		{"odd length", good[:16], ssp.ErrShort},
		{"sixteen blocks", append([]byte{ssp.STEX}, make([]byte, 256)...), ssp.ErrShort},
	} {
		if got, _, err := s.Decrypt(c.data); !errors.Is(err, c.want) || got != nil {
			t.Errorf("decrypt %s: % X, %v; want %v", c.name, got, err, c.want)
		}
	}
	if _, _, err := ssp.NewSession(1, 3).Decrypt(good); !errors.Is(err, ssp.ErrCRC) {
		t.Errorf("with another key: %v, want ErrCRC", err)
	}
}

// TestSessionFillerDiffers: the same command twice does not look the same.
func TestSessionFillerDiffers(t *testing.T) {
	s := ssp.NewSession(1, 2)
	a, _ := s.Encrypt(nil, []byte{7}, nil)
	b, _ := s.Encrypt(nil, []byte{7}, nil)
	if bytes.Equal(a, b) {
		t.Error("two commands have the same filler")
	}
}

func TestPowMod(t *testing.T) {
	for _, c := range [][3]uint64{
		{0, 0, 1}, {0, 0, 7}, {2, 10, 1000}, {5, 0, 3}, {94882987, 82440135, 80045263},
		{1<<64 - 1, 1<<64 - 1, 1<<64 - 59}, {1<<63 + 1, 1<<62 + 5, 1<<64 - 1}, {3, 1 << 63, 1 << 63},
	} {
		want := new(big.Int).Exp(u(c[0]), u(c[1]), u(c[2]))
		if got := ssp.PowMod(c[0], c[1], c[2]); got != want.Uint64() {
			t.Errorf("%d^%d mod %d = %d, want %v", c[0], c[1], c[2], got, want)
		}
	}
}

func u(v uint64) *big.Int { return new(big.Int).SetUint64(v) }

func TestKeyExchange(t *testing.T) {
	for range 20 {
		k, err := ssp.NewKeyExchange(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if k.Generator <= k.Modulus || k.Generator >= 1<<62 || !u(k.Generator).ProbablyPrime(20) || !u(k.Modulus).ProbablyPrime(20) {
			t.Errorf("generator %d, modulus %d: want primes below 2^62, the generator above", k.Generator, k.Modulus)
		}
		inter, shared := ssp.SlaveKey(k.Generator, k.Modulus, k.HostInter, 0x123456789ABCDEF1)
		if k.Shared(inter) != shared {
			t.Errorf("host has %d, machine %d", k.Shared(inter), shared)
		}
	}
	if _, err := ssp.NewKeyExchange(bytes.NewReader(make([]byte, 12))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("with too little randomness: %v", err)
	}
}

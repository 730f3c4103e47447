package ssp

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"math/bits"
)

// KeyExchange is the host's side of one key negotiation (section 4.1). Send Generator with SetGenerator, Modulus with
// SetModulus, HostInter with RequestKeyExchange, and give the machine's answer to Shared.
type KeyExchange struct {
	Generator uint64 // prime, above Modulus and below 2^62
	Modulus   uint64 // prime
	HostInter uint64 // Generator^a mod Modulus
	a         uint64
}

// NewKeyExchange draws two primes and a secret exponent from random (crypto/rand.Reader outside tests). The error is that
// of random.
func NewKeyExchange(random io.Reader) (*KeyExchange, error) {
	g, err := randomPrime(random)
	if err != nil {
		return nil, err
	}
	m := g
	for m == g {
		if m, err = randomPrime(random); err != nil {
			return nil, err
		}
	}
	if g < m {
		g, m = m, g
	}
	a := uint64(0)
	for a < 2 {
		if a, err = random64(random); err != nil {
			return nil, err
		}
		a %= m - 1
	}
	return NewKeyExchangeWith(g, m, a), nil
}

// NewKeyExchangeWith returns the exchange with the given numbers, for tests and replays. modulus must not be 0.
func NewKeyExchangeWith(generator, modulus, a uint64) *KeyExchange {
	return &KeyExchange{generator, modulus, PowMod(generator, a, modulus), a}
}

// Shared returns the negotiated value, from the machine's inter key.
func (k *KeyExchange) Shared(slaveInter uint64) uint64 { return PowMod(slaveInter, k.a, k.Modulus) }

// SlaveKey is the machine's side: from the host's numbers and its own secret b it makes the inter key to answer with and
// the negotiated value. Both orders of size of generator and modulus are right; modulus must not be 0.
func SlaveKey(generator, modulus, hostInter uint64, b uint64) (slaveInter, shared uint64) {
	return PowMod(generator, b, modulus), PowMod(hostInter, b, modulus)
}

// PowMod returns base^exp mod mod for any 64-bit numbers. mod must not be 0.
func PowMod(base, exp, mod uint64) uint64 {
	result, base := 1%mod, base%mod
	for ; exp > 0; exp >>= 1 {
		if exp&1 != 0 {
			result = mulMod(result, base, mod)
		}
		base = mulMod(base, base, mod)
	}
	return result
}

// mulMod returns a·b mod m for a, b < m, through the 128-bit product.
func mulMod(a, b, m uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	_, r := bits.Div64(hi, lo, m)
	return r
}

// randomPrime returns a prime of 62 bits.
func randomPrime(random io.Reader) (uint64, error) {
	for {
		x, err := random64(random)
		if err != nil {
			return 0, err
		}
		x = x>>2 | 1<<61 | 1
		if new(big.Int).SetUint64(x).ProbablyPrime(0) { // exact below 2^64
			return x, nil
		}
	}
}

func random64(random io.Reader) (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, fmt.Errorf("random numbers: %w", err)
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}

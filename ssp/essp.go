package ssp

import (
	"crypto/aes"
	"crypto/cipher"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
)

// DefaultFixedKey is the fixed half of the key of every machine whose owner set no other (section 4.2).
const DefaultFixedKey uint64 = 0x0123456701234567

const (
	cryptOverhead = 1 + 4 + 2 // eLEN, eCOUNT, eCRC
	// MaxEncrypted is the most bytes that an encrypted frame carries.
	MaxEncrypted = 15*aes.BlockSize - cryptOverhead
	maxCipher    = 1 + 15*aes.BlockSize
)

var (
	ErrCRC          = errors.New("checksum inside encrypted data is wrong; negotiate keys again")
	ErrShort        = errors.New("data too short or of odd length")
	ErrNotEncrypted = errors.New("data is not encrypted")
)

// Session is the encryption of one address: AES key and packet counter. It applies no rule about the counter; its owner
// does (section 4.4): a command carries Count, its answer Count+1, and one exchange advances it by one on both sides.
// A Session is not safe for use by several goroutines.
type Session struct {
	block   cipher.Block
	key     [16]byte
	count   uint32
	filler  *rand.ChaCha8
	scratch [maxCipher]byte
}

// NewSession returns a session with the counter at 0. The AES key is the fixed key followed by the negotiated value,
// both little endian (section 4.2).
func NewSession(fixedKey, negotiated uint64) *Session {
	s := new(Session)
	binary.LittleEndian.PutUint64(s.key[:8], fixedKey)
	binary.LittleEndian.PutUint64(s.key[8:], negotiated)
	block, err := aes.NewCipher(s.key[:])
	if err != nil {
		panic(err) // 16 bytes are a key
	}
	s.block = block
	return s
}

// Key returns the AES key. It is a secret.
func (s *Session) Key() [16]byte { return s.key }

// Count returns the counter that the next command carries.
func (s *Session) Count() uint32 { return s.count }

// SetCount sets the counter.
func (s *Session) SetCount(c uint32) { s.count = c }

// Encrypt appends to dst the DATA field that carries eData under the current count: STEX and cipher text. The filler up
// to a whole block is read from packing, or made at random if that is nil. It does not advance the count: the caller does
// when the exchange is over. ErrTooLong beyond MaxEncrypted bytes, ErrEmpty for none, or the error of packing; dst is
// then returned as it was.
func (s *Session) Encrypt(dst, eData []byte, packing io.Reader) ([]byte, error) {
	switch {
	case len(eData) == 0:
		return dst, ErrEmpty
	case len(eData) > MaxEncrypted:
		return dst, fmt.Errorf("%w: %d bytes, %d fit when encrypted", ErrTooLong, len(eData), MaxEncrypted)
	}
	n := (len(eData) + cryptOverhead + aes.BlockSize - 1) &^ (aes.BlockSize - 1)
	p := s.scratch[1 : 1+n]
	p[0] = byte(len(eData))
	binary.LittleEndian.PutUint32(p[1:], s.count)
	copy(p[5:], eData)
	if err := s.fill(p[5+len(eData):n-2], packing); err != nil {
		return dst, err
	}
	binary.LittleEndian.PutUint16(p[n-2:], CRC16(p[:n-2]))
	for i := 0; i < n; i += aes.BlockSize {
		s.block.Encrypt(p[i:i+aes.BlockSize], p[i:i+aes.BlockSize])
	}
	s.scratch[0] = STEX
	return append(dst, s.scratch[:1+n]...), nil
}

func (s *Session) fill(b []byte, packing io.Reader) error {
	if packing != nil {
		_, err := io.ReadFull(packing, b)
		return err
	}
	if s.filler == nil {
		var seed [32]byte
		_, _ = crand.Read(seed[:]) // never fails
		s.filler = rand.NewChaCha8(seed)
	}
	_, _ = s.filler.Read(b)
	return nil
}

// Decrypt opens an encrypted DATA field and returns what it carries, in memory of its own, and the count it came with.
// It does not look at or change the session's count. ErrNotEncrypted if data does not begin with STEX, ErrShort if it is
// no whole number of blocks or says it carries more than it does, ErrCRC for a wrong key or damaged data.
func (s *Session) Decrypt(data []byte) (eData []byte, count uint32, err error) {
	eData, count, err = s.AppendDecrypt(nil, data)
	return eData, count, err
}

// AppendDecrypt is Decrypt, appending to dst.
func (s *Session) AppendDecrypt(dst, data []byte) (out []byte, count uint32, err error) {
	if len(data) == 0 || data[0] != STEX {
		return dst, 0, ErrNotEncrypted
	}
	n := len(data) - 1
	if n == 0 || n%aes.BlockSize != 0 || n > maxCipher-1 {
		return dst, 0, ErrShort
	}
	p := s.scratch[:n]
	for i := 0; i < n; i += aes.BlockSize {
		s.block.Decrypt(p[i:i+aes.BlockSize], data[1+i:1+i+aes.BlockSize])
	}
	if CRC16(p[:n-2]) != binary.LittleEndian.Uint16(p[n-2:]) {
		return dst, 0, ErrCRC
	}
	size := int(p[0])
	if size == 0 || size+cryptOverhead > n {
		return dst, 0, ErrShort
	}
	return append(dst, p[5:5+size]...), binary.LittleEndian.Uint32(p[1:]), nil
}

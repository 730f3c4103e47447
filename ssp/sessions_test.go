package ssp_test

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"strings"
	"testing"

	"coffer/ssp"
	"coffer/ssp/ssptest"
)

// TestVectorSessions replays whole dialogues as both sides: keys, counters, and every frame encoded to the same bytes.
func TestVectorSessions(t *testing.T) {
	for _, s := range ssptest.Load(t, vectorFile).Sessions {
		t.Run(s.Name, func(t *testing.T) {
			checkKeys(t, s)
			r := replay{t: t, host: ssp.NewSession(ssp.DefaultFixedKey, s.Keys.Key),
				device: ssp.NewSession(ssp.DefaultFixedKey, s.Keys.Key)}
			if key := r.host.Key(); !bytes.Equal(key[:], s.Keys.AES) {
				t.Fatalf("AES key % X, want % X", key, s.Keys.AES)
			}
			encrypted := 0
			for i, x := range s.Exchanges {
				if x.HostE != nil {
					encrypted++
				}
				r.exchange(i, x)
			}
			if encrypted == 0 || int(r.host.Count()) != encrypted {
				t.Errorf("%d encrypted exchanges left the count at %d", encrypted, r.host.Count())
			}
		})
	}
}

// checkKeys makes the key as the host and as the machine. Their secrets are found by discrete logarithm: the moduli of
// these sessions are small.
func checkKeys(t *testing.T, s ssptest.Session) {
	t.Helper()
	k := s.Keys
	a := k.HostRandom
	if a == 0 {
		a = logarithm(t, k.Generator, k.HostInter, k.Modulus)
	}
	host := ssp.NewKeyExchangeWith(k.Generator, k.Modulus, a)
	if host.HostInter != k.HostInter || host.Shared(k.SlaveInterKey) != k.Key {
		t.Errorf("host makes inter key %d and shared %d, want %d and %d",
			host.HostInter, host.Shared(k.SlaveInterKey), k.HostInter, k.Key)
	}
	b := logarithm(t, k.Generator, k.SlaveInterKey, k.Modulus)
	inter, shared := ssp.SlaveKey(k.Generator, k.Modulus, k.HostInter, b)
	if inter != k.SlaveInterKey || shared != k.Key {
		t.Errorf("machine makes inter key %d and shared %d, want %d and %d", inter, shared, k.SlaveInterKey, k.Key)
	}
}

// logarithm returns x with g^x = y mod p, by baby steps and giant steps.
func logarithm(t *testing.T, g, y, p uint64) uint64 {
	t.Helper()
	const step = 1 << 16
	baby := make(map[uint64]uint64, step)
	for i, v := uint64(0), uint64(1); i < step; i++ {
		if _, ok := baby[v]; !ok {
			baby[v] = i
		}
		v = v * (g % p) % p
	}
	giant := ssp.PowMod(g, p-1-step%(p-1), p) // g^-step
	for j, v := uint64(0), y%p; j < step; j++ {
		if i, ok := baby[v]; ok {
			return j*step + i
		}
		v = v * giant % p
	}
	t.Fatalf("no logarithm of %d to base %d mod %d", y, g, p)
	return 0
}

type replay struct {
	t            *testing.T
	host, device *ssp.Session
}

func (r replay) exchange(i int, x ssptest.Exchange) {
	r.t.Helper()
	out, back := r.frame(i, x.HostWire), r.frame(i, x.DeviceWire)
	if out.Seq != back.Seq || out.Addr != back.Addr {
		r.t.Errorf("exchange %d: the answer is to another frame", i)
	}
	if x.HostE == nil {
		if !bytes.Equal(out.Data, x.Host) || !bytes.Equal(back.Data, x.Device) {
			r.t.Errorf("exchange %d: % X, % X; want % X, % X", i, out.Data, back.Data, x.Host, x.Device)
		}
		return
	}
	count := r.host.Count()
	if count != r.device.Count() || x.HostCount != count || x.DevCount != count+1 {
		r.t.Errorf("exchange %d: counts %d and %d by rule, %d and %d in the session", i, count, count+1, x.HostCount, x.DevCount)
	}
	r.crypt(i, out, x.HostE, count, r.device, r.host)
	r.host.SetCount(count + 1)
	r.device.SetCount(count + 1)
	r.crypt(i, back, x.DeviceE, count+1, r.host, r.device)

	cmd := ssp.Command(x.HostE[0])
	if text := ssp.DescribeReply(cmd, x.DeviceE, 6, false); strings.Contains(text, "unreadable") {
		r.t.Errorf("exchange %d: %v: %s", i, cmd, text)
	}
}

// crypt opens f as its receiver and makes the same bytes again as its sender.
func (r replay) crypt(i int, f ssp.Frame, want []byte, count uint32, receiver, sender *ssp.Session) {
	r.t.Helper()
	eData, n, err := receiver.Decrypt(f.Data)
	if err != nil || n != count || !bytes.Equal(eData, want) {
		r.t.Errorf("exchange %d: % X, count %d, %v; want % X, count %d", i, eData, n, err, want, count)
		return
	}
	again, err := sender.Encrypt(nil, eData, bytes.NewReader(filler(r.t, sender, f.Data)))
	if err != nil || !bytes.Equal(again, f.Data) {
		r.t.Errorf("exchange %d: encrypted % X, %v; want % X", i, again, err, f.Data)
	}
}

// frame decodes one frame and checks that it encodes to the same bytes.
func (r replay) frame(i int, wire []byte) ssp.Frame {
	r.t.Helper()
	frames := ssp.DecodeAll(wire)
	if len(frames) != 1 {
		r.t.Fatalf("exchange %d: %d frames in % X", i, len(frames), wire)
	}
	again, err := ssp.AppendFrame(nil, frames[0])
	if err != nil || !bytes.Equal(again, wire) {
		r.t.Errorf("exchange %d: % X, %v; want % X", i, again, err, wire)
	}
	return frames[0]
}

// filler returns the random bytes inside an encrypted DATA field, opened without the help of the codec.
func filler(t *testing.T, s *ssp.Session, data []byte) []byte {
	t.Helper()
	key := s.Key()
	block, err := aes.NewCipher(key[:])
	if err != nil {
		t.Fatal(err)
	}
	plain := bytes.Clone(data[1:])
	for b := plain; len(b) > 0; b = b[16:] {
		block.Decrypt(b[:16], b[:16])
	}
	if binary.LittleEndian.Uint16(plain[len(plain)-2:]) != ssp.CRC16(plain[:len(plain)-2]) {
		t.Fatal("inner checksum is wrong")
	}
	return plain[5+int(plain[0]) : len(plain)-2]
}

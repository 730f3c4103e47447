package sim

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"
	"testing/synctest"

	"coffer/ssp"
)

// recorded is an encrypted dialogue of somebody else's host with a throw-away machine (ssp/testdata).
type recorded struct {
	Name string
	Keys struct{ Generator, Modulus, SlaveInterKey, Key uint64 }
	// The dialogue, in order.
	Exchanges []struct {
		HostHex    string `json:"host_hex"`
		DeviceHex  string `json:"device_hex"`
		HostData   string `json:"host_data"` // plain exchanges
		HostEData  string `json:"host_e_data"`
		DeviceData string `json:"device_e_data"`
	}
}

// TestRecordedHosts: a machine takes every frame of hosts that others wrote, and what it answers has their form: with
// the same secret it answers the key exchange byte for byte, and what the two machines do alike is alike on the wire.
func TestRecordedHosts(t *testing.T) {
	raw, err := os.ReadFile("../../ssp/testdata/ssp-frames.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Sessions []recorded }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Sessions) != 2 {
		t.Fatalf("%d sessions", len(file.Sessions))
	}
	for _, s := range file.Sessions {
		for _, profile := range Profiles() {
			t.Run(s.Name+"/"+profile, bubble(func(t *testing.T) { replay(t, s, profile) }))
		}
	}
}

// replay says to a machine what the host has said to its own. One of another family than the host expected answers what
// it does not have with UNKNOWN COMMAND, and has a setup reply of its own.
func replay(t *testing.T, s recorded, profile string) {
	secret := discreteLog(s.Keys.Generator, s.Keys.SlaveInterKey, s.Keys.Modulus)
	if secret == 0 {
		t.Fatal("no secret makes that inter key")
	}
	random := &scripted{}
	random.u64(secret)
	opt := Options{Serial: 1873452, Dataset: []int64{500, 1000, 2000, 5000}, Random: random}
	if p, err := findProfile(profile); err != nil {
		t.Fatal(err)
	} else if p.Store > 0 {
		opt.Levels = map[int64]int{500: 10}
	}
	m, h := newMachineOnPipe(t, profile, 0, opt)
	key := ssp.NewSession(ssp.DefaultFixedKey, s.Keys.Key)
	alike := 0
	for i, x := range s.Exchanges {
		want := ssp.DecodeAll(unhex(t, x.DeviceHex))[0]
		if want.Encrypted() {
			random.b = filler(t, key, want.Data)
		}
		got, ok := h.wire(unhex(t, x.HostHex))
		if !ok || got.Seq != want.Seq || got.Encrypted() != want.Encrypted() {
			t.Fatalf("exchange %d: answered % X, %v", i, got.Data, ok)
		}
		if bytes.Equal(got.Data, want.Data) {
			alike++
			continue
		}
		if !got.Encrypted() {
			t.Fatalf("exchange %d: answered % X, want % X", i, got.Data, want.Data)
		}
		plain, count, err := key.Decrypt(got.Data)
		_, wantCount, _ := key.Decrypt(want.Data)
		asked := ssp.Command(unhex(t, x.HostEData)[0])
		off := asked == ssp.CmdPayoutAmount && bytes.Equal(plain, []byte{0xF5, disabled}) // no host sent 5C
		lacks := plain[0] == byte(ssp.UnknownCommand)
		if err != nil || count != wantCount || lacks == m.prof.commands[asked] || plain[0] != 0xF0 && !off && !lacks {
			t.Fatalf("exchange %d: %s is answered % X, count %d, %v", i, x.HostEData, plain, count, err)
		}
		if asked == ssp.CmdSetupRequest {
			if setup, err := ssp.ParseSetup(plain[1:]); err != nil || byte(setup.UnitType) != m.prof.UnitType || len(setup.Channels) != 4 {
				t.Errorf("setup reply % X: %+v, %v", plain, setup, err)
			}
		}
		t.Logf("%s: % X; the other machine %s", x.HostEData, plain, x.DeviceData)
	}
	if least := map[string]int{"spectral-payout": 7}[profile]; alike < max(least, 5) {
		t.Errorf("%d of %d answers are alike", alike, len(s.Exchanges))
	}
	synctest.Wait()
}

// filler returns the filler bytes of an encrypted answer.
func filler(t *testing.T, key *ssp.Session, data []byte) []byte {
	t.Helper()
	k := key.Key()
	plain := decryptECB(t, k[:], data[1:])
	return bytes.Clone(plain[5+plain[0] : len(plain)-2])
}

func decryptECB(t *testing.T, key, b []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, len(b))
	for i := 0; i < len(b); i += aes.BlockSize {
		block.Decrypt(out[i:], b[i:])
	}
	return out
}

// scripted gives out given bytes, then zeros.
type scripted struct{ b []byte }

func (s *scripted) u64(v uint64) { s.b = binary.LittleEndian.AppendUint64(s.b, v) }

func (s *scripted) Read(p []byte) (int, error) {
	clear(p[copy(p, s.b):])
	s.b = s.b[min(len(p), len(s.b)):]
	return len(p), nil
}

// discreteLog finds x with g^x = want modulo m, for a modulus below 2^32: by small steps and giant steps.
func discreteLog(g, want, m uint64) uint64 {
	step := uint64(math.Sqrt(float64(m))) + 1
	small := map[uint64]uint64{}
	for x, v := uint64(0), want%m; x < step; x++ {
		small[v] = x
		v = v * (g % m) % m
	}
	giant := ssp.PowMod(g, step, m)
	for k, v := uint64(1), giant; k <= step; k++ {
		if x, ok := small[v]; ok && ssp.PowMod(g, k*step-x, m) == want {
			return k*step - x
		}
		v = v * giant % m
	}
	return 0
}

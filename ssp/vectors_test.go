package ssp_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"coffer/ssp"
	"coffer/ssp/ssptest"
)

const vectorFile = "testdata/ssp-frames.json"

// TestVectors runs every vector both ways and holds the totals, so that none is skipped in silence.
func TestVectors(t *testing.T) {
	f := ssptest.Load(t, vectorFile)
	var framed, unframed, parsed, rebuilt int
	for _, v := range f.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			payload := []byte(v.Bytes)
			got := map[string]any{}
			if v.Framed {
				framed++
				payload = checkFrame(t, v, got)
			} else {
				unframed++
			}
			p, r := understand(t, v, payload, got)
			if p {
				parsed++
			}
			if r {
				rebuilt++
			}
			compare(t, v.Decoded, got)
		})
	}
	says := f.About.Counts
	for _, c := range []struct {
		what      string
		got, want int
	}{
		{"vectors", len(f.Vectors), 193}, {"vectors by the file's own count", says.Vectors, 193},
		{"framed", framed, 154}, {"framed by the file's own count", says.Framed, 154},
		{"unframed", unframed, 39}, {"unframed by the file's own count", says.Unframed, 39},
		{"streams", len(f.Streams), 6}, {"streams by the file's own count", says.Streams, 6},
		{"sessions", len(f.Sessions), 2}, {"sessions by the file's own count", says.Sessions, 2},
		{"parsed", parsed, 192},   // all but one whose key nobody knows
		{"rebuilt", rebuilt, 190}, // all but two slips of the manual, which no machine sends
	} {
		if c.got != c.want {
			t.Errorf("%d %s, want %d", c.got, c.what, c.want)
		}
	}
}

// checkFrame decodes the frame and encodes it again, from what was decoded and from the members of the vector. It returns
// the payload, decrypted where the vector has the key.
func checkFrame(t *testing.T, v ssptest.Vector, got map[string]any) []byte {
	t.Helper()
	frames := ssp.DecodeAll(v.Bytes)
	if len(frames) != 1 {
		t.Fatalf("%d frames in % X, want 1", len(frames), v.Bytes)
	}
	f := frames[0]
	wire, err := ssp.AppendFrame(nil, f)
	if err != nil || !bytes.Equal(wire, v.Bytes) {
		t.Errorf("encoded again: % X, %v; want % X", wire, err, v.Bytes)
	}
	body := append([]byte{byte(f.Addr), byte(len(f.Data))}, f.Data...)
	if f.Seq {
		body[0] |= 0x80
	}
	got["seq"], got["slave_id"], got["length"] = body[0]>>7, f.Addr, len(f.Data)
	got["data"], got["crc"] = spaced(f.Data), fmt.Sprintf("0x%04X", ssp.CRC16(body))
	got["stex"] = f.Encrypted()

	member := f
	if data, ok := v.Decoded["data"]; ok { // from the members alone
		member.Seq = number(t, v.Decoded["seq"]) == 1
		member.Addr = ssp.Address(number(t, v.Decoded["slave_id"]))
		member.Data = unhex(t, data)
	} else {
		member.Data = encryptMembers(t, v)
	}
	wire, err = ssp.AppendFrame(nil, member)
	if err != nil || !bytes.Equal(wire, v.Bytes) {
		t.Errorf("encoded from members: % X, %v; want % X", wire, err, v.Bytes)
	}
	if v.Decoded["encrypted"] == true {
		return decrypt(t, v, f.Data, got)
	}
	return f.Data
}

// encryptMembers makes the DATA of an encrypted vector from its members.
func encryptMembers(t *testing.T, v ssptest.Vector) []byte {
	t.Helper()
	s := sessionOf(t, v)
	s.SetCount(uint32(number(t, v.Decoded["e_count"])))
	data, err := s.Encrypt(nil, unhex(t, v.Decoded["e_data"]), bytes.NewReader(unhex(t, v.Decoded["e_packing"])))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func sessionOf(t *testing.T, v ssptest.Vector) *ssp.Session {
	t.Helper()
	key := unhex(t, v.Decoded["aes_key"])
	if len(key) != 16 {
		t.Fatalf("key of %d bytes", len(key))
	}
	return ssp.NewSession(binary.LittleEndian.Uint64(key), binary.LittleEndian.Uint64(key[8:]))
}

// decrypt opens the DATA of an encrypted vector, encrypts it again with the filler it had, and lists its parts.
func decrypt(t *testing.T, v ssptest.Vector, data []byte, got map[string]any) []byte {
	t.Helper()
	s := sessionOf(t, v)
	eData, count, err := s.Decrypt(data)
	if err != nil {
		t.Fatal(err)
	}
	plain := unhex(t, v.Decoded["plain_block"])
	packing := plain[5+len(eData) : len(plain)-2]
	s.SetCount(count)
	again, err := s.Encrypt(nil, eData, bytes.NewReader(packing))
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("encrypted again: % X, %v; want % X", again, err, data)
	}
	block := binary.LittleEndian.AppendUint32([]byte{byte(len(eData))}, count)
	block = append(append(block, eData...), packing...)
	block = binary.LittleEndian.AppendUint16(block, ssp.CRC16(block))
	key := s.Key()
	maps.Copy(got, map[string]any{
		"encrypted": true, "aes_key": strings.ToUpper(hex.EncodeToString(key[:])),
		"fixed_key": binary.LittleEndian.Uint64(key[:]), "negotiated_key": binary.LittleEndian.Uint64(key[8:]),
		"plain_block": spaced(block), "cipher_block": spaced(data[1:]), "e_length": len(eData), "e_count": count,
		"e_count_endianness": "little", "e_data": spaced(eData), "e_packing": spaced(packing),
	})
	return eData
}

// understand parses the payload, puts what it found into got by the names that vectors use, and builds it again.
func understand(t *testing.T, v ssptest.Vector, payload []byte, got map[string]any) (parsed, rebuilt bool) {
	t.Helper()
	var again []byte
	switch {
	case v.Direction == "calculation":
		again = calculate(t, v, got)
	case len(payload) > 0 && payload[0] == ssp.STEX:
		return false, false // nobody knows the key
	case v.FromHost():
		again = request(t, v, payload, got)
	default:
		again = reply(t, v, payload, got)
	}
	if again == nil {
		return true, false
	}
	if !bytes.Equal(again, payload) {
		t.Errorf("built again: % X; want % X", again, payload)
	}
	if text := ssp.Describe(payload, v.FromHost(), v.Protocol(), coins(v)); text == "" {
		t.Error("not described")
	}
	return true, true
}

func calculate(t *testing.T, v ssptest.Vector, got map[string]any) []byte {
	t.Helper()
	if v.Decoded["crc"] != nil {
		crc := ssp.CRC16(v.Bytes)
		got["crc"], got["wire_bytes"] = fmt.Sprintf("0x%04X", crc), spaced([]byte{byte(crc), byte(crc >> 8)})
		return slices.Clip(append([]byte{}, v.Bytes...))
	}
	in := func(name string) uint64 { return number(t, v.Decoded[name]) }
	k := ssp.NewKeyExchangeWith(in("generator"), in("modulus"), in("host_random"))
	shared := k.Shared(in("slave_inter_key"))
	key := ssp.NewSession(ssp.DefaultFixedKey, shared).Key()
	maps.Copy(got, map[string]any{
		"generator": k.Generator, "modulus": k.Modulus, "host_random": in("host_random"), "host_inter_key": k.HostInter,
		"slave_inter_key": in("slave_inter_key"), "shared_key": shared, "fixed_key": ssp.DefaultFixedKey,
		"aes128_key": strings.ToUpper(hex.EncodeToString(key[:])),
	})
	return key[:]
}

// compare holds every member of a vector against what the codec found, and fails for a member that it did not find.
func compare(t *testing.T, want, got map[string]any) {
	t.Helper()
	for name, w := range want {
		if name == "note" {
			continue
		}
		g, ok := got[name]
		if !ok {
			t.Errorf("member %q is not understood", name)
			continue
		}
		if !same(t, w, g) {
			t.Errorf("%s: got %v, want %v", name, g, w)
		}
	}
}

// same compares a member with a value of ours. Numbers may be written in hex, and names with underscores.
func same(t *testing.T, want, got any) bool {
	t.Helper()
	raw, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var g any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&g); err != nil {
		t.Fatal(err)
	}
	if w, ok := want.(string); ok {
		if n, isNumber := g.(json.Number); isNumber {
			v, err := strconv.ParseUint(strings.TrimPrefix(w, "0x"), 16, 64)
			return err == nil && n.String() == fmt.Sprint(v)
		}
	}
	return reflect.DeepEqual(want, g)
}

func coins(v ssptest.Vector) bool {
	f := strings.ToLower(v.Family)
	return strings.HasPrefix(f, "hopper") || strings.HasPrefix(f, "smart hopper") || strings.HasPrefix(f, "smart coin")
}

func number(t *testing.T, v any) uint64 {
	t.Helper()
	n, ok := v.(json.Number)
	if !ok {
		t.Fatalf("%v is no number", v)
	}
	u, err := strconv.ParseUint(n.String(), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func unhex(t *testing.T, v any) []byte {
	t.Helper()
	s, ok := v.(string)
	if !ok {
		t.Fatalf("%v is no hex text", v)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func spaced(b []byte) string { return fmt.Sprintf("% X", b) }

func TestVectorStreams(t *testing.T) {
	for _, s := range ssptest.Load(t, vectorFile).Streams {
		for _, chunk := range []int{1, 2, 3, 5, len(s.Bytes)} {
			t.Run(fmt.Sprintf("%s/%d", s.Name, chunk), func(t *testing.T) {
				var d ssp.Decoder
				var got []ssptest.Hex
				for b := []byte(s.Bytes); len(b) > 0; b = b[min(chunk, len(b)):] {
					for c := b[:min(chunk, len(b))]; len(c) > 0; {
						n, f, ok := d.Feed(c)
						c = c[n:]
						if ok {
							got = append(got, unstuffed(f))
						}
					}
				}
				if !reflect.DeepEqual(got, s.Frames) {
					t.Errorf("got % X, want % X", got, s.Frames)
				}
			})
		}
	}
}

func unstuffed(f ssp.Frame) []byte {
	b := []byte{byte(f.Addr), byte(len(f.Data))}
	if f.Seq {
		b[0] |= 0x80
	}
	b = append(b, f.Data...)
	return binary.LittleEndian.AppendUint16(b, ssp.CRC16(b))
}

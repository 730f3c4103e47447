package ssp_test

import (
	"bytes"
	"testing"

	"coffer/ssp"
)

// exchange is both sides of one exchange, with the memory they use again and again.
type exchange struct {
	wire         []byte
	data, opened []byte
	events       []ssp.Event
	decoder      ssp.Decoder
	seq          bool
	reply        []byte // DATA of the answer
	host, device *ssp.Session
}

func newExchange(reply ...byte) *exchange {
	return &exchange{
		wire: make([]byte, 0, ssp.MaxWire), data: make([]byte, 0, 256), opened: make([]byte, 0, 256),
		events: make([]ssp.Event, 0, 16), reply: reply,
		host: ssp.NewSession(ssp.DefaultFixedKey, 26005), device: ssp.NewSession(ssp.DefaultFixedKey, 26005),
	}
}

// frame builds a frame and decodes it.
func (x *exchange) frame(data []byte) ssp.Frame {
	x.wire, _ = ssp.AppendFrame(x.wire[:0], ssp.Frame{Seq: x.seq, Data: data})
	_, f, ok := x.decoder.Feed(x.wire)
	if !ok {
		panic("no frame")
	}
	return f
}

// plain builds and parses a POLL, and its answer.
func (x *exchange) plain() {
	x.seq = !x.seq
	x.frame(ssp.CmdPoll.Data())
	x.parse(x.frame(x.reply).Data)
}

func (x *exchange) parse(data []byte) {
	rest, err := ssp.CheckReply(data)
	if err == nil {
		x.events, err = ssp.ParsePoll(rest, 8, false, x.events[:0])
	}
	if err != nil {
		panic(err)
	}
}

// encrypted does the same through a key.
func (x *exchange) encrypted() {
	x.seq = !x.seq
	x.crypt(x.host, x.device, ssp.CmdPoll.Data())
	count := x.host.Count() + 1
	x.host.SetCount(count)
	x.device.SetCount(count)
	x.parse(x.crypt(x.device, x.host, x.reply))
}

func (x *exchange) crypt(from, to *ssp.Session, eData []byte) []byte {
	var err error
	if x.data, err = from.Encrypt(x.data[:0], eData, nil); err != nil {
		panic(err)
	}
	if x.opened, _, err = to.AppendDecrypt(x.opened[:0], x.frame(x.data).Data); err != nil {
		panic(err)
	}
	return x.opened
}

// TestExchangesDoNotAllocate: idle and busy without values.
func TestExchangesDoNotAllocate(t *testing.T) {
	for name, reply := range map[string][]byte{"idle": {0xF0}, "accepting": {0xF0, 0xCC, 0xEE, 2, 0xE8}} {
		x := newExchange(reply...)
		for kind, do := range map[string]func(){"plain": x.plain, "encrypted": x.encrypted} {
			do()
			if n := testing.AllocsPerRun(200, do); n != 0 {
				t.Errorf("%s %s: %v allocations", kind, name, n)
			}
		}
	}
}

func BenchmarkPlainPoll(b *testing.B) {
	x := newExchange(0xF0)
	b.ReportAllocs()
	for b.Loop() {
		x.plain()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
}

// BenchmarkPlainPollHost is the host's share alone: build the POLL, read the answer.
func BenchmarkPlainPollHost(b *testing.B) {
	x := newExchange(0xF0)
	answer := []byte{0x7F, 0x80, 0x01, 0xF0, 0x23, 0x80}
	b.ReportAllocs()
	for b.Loop() {
		x.wire, _ = ssp.AppendFrame(x.wire[:0], ssp.Frame{Seq: true, Data: ssp.CmdPoll.Data()})
		_, f, ok := x.decoder.Feed(answer)
		if !ok {
			b.Fatal("no frame")
		}
		x.parse(f.Data)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
}

func BenchmarkEncryptedPoll(b *testing.B) {
	x := newExchange(0xF0)
	b.ReportAllocs()
	for b.Loop() {
		x.encrypted()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
}

func BenchmarkPollDispensing(b *testing.B) {
	x := newExchange(join([]byte{0xF0, 0xDA, 1}, vc(100, "EUR"))...)
	b.ReportAllocs()
	for b.Loop() {
		x.plain()
	}
}

func BenchmarkCRC16(b *testing.B) {
	data := bytes.Repeat([]byte{0x5A}, 241)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		ssp.CRC16(data)
	}
}

func BenchmarkDecodeSetup(b *testing.B) {
	wire := notes(ssp.TypePayout, 8, 500, 1000, 2000, 5000, 10000, 20000, 50000).Append([]byte{0xF0})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ssp.ParseSetup(wire[1:]); err != nil {
			b.Fatal(err)
		}
	}
}

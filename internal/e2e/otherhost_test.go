package e2e

import (
	"bytes"
	"context"
	le "encoding/binary"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/ssp"
)

// otherHost is a host as somebody else would write it, from the fact sheet and the codec: it knows frames, the sequence
// flag and keys, and nothing of drivers.
type otherHost struct {
	t       *testing.T
	conn    net.Conn
	addr    ssp.Address
	seq     bool
	session *ssp.Session
	numbers *ssp.KeyExchange // under way
	dec     ssp.Decoder
	rest    []byte
}

// ask sends one command and returns the useful bytes of the answer, nil for silence until deadline. A command that
// stayed without an answer goes out unchanged if it is asked again.
func (h *otherHost) ask(cmd []byte, deadline time.Time) []byte {
	h.t.Helper()
	code := ssp.Command(cmd[0])
	switch code {
	case ssp.CmdSync:
		h.seq = true
	case ssp.CmdSetGenerator:
		h.session, h.numbers = nil, ssp.NewKeyExchangeWith(0x5A7CCAB, 0x4C564CF, 0x4E9EFC7)
		cmd = le.LittleEndian.AppendUint64([]byte{cmd[0]}, h.numbers.Generator)
	case ssp.CmdSetModulus:
		cmd = le.LittleEndian.AppendUint64([]byte{cmd[0]}, h.numbers.Modulus)
	case ssp.CmdRequestKeyExchange:
		cmd = le.LittleEndian.AppendUint64([]byte{cmd[0]}, h.numbers.HostInter)
	}
	data := cmd
	if h.session != nil && !code.PlainOnly() {
		var err error
		if data, err = h.session.Encrypt(nil, cmd, nil); err != nil {
			h.t.Fatal(err)
		}
	}
	wire, err := ssp.AppendFrame(nil, ssp.Frame{Seq: h.seq, Addr: h.addr, Data: data})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.conn.Write(wire); err != nil {
		h.t.Fatal(err)
	}
	f, ok := h.hear(deadline)
	if !ok {
		return nil
	}
	if f.Seq != h.seq || f.Addr != h.addr {
		h.t.Fatalf("% X is answered by %d, flag %v", cmd, f.Addr, f.Seq)
	}
	h.seq = !h.seq
	plain := h.unseal(f)
	if code == ssp.CmdRequestKeyExchange && len(plain) == 9 {
		h.session = ssp.NewSession(ssp.DefaultFixedKey, h.numbers.Shared(le.LittleEndian.Uint64(plain[1:])))
		return plain[:1]
	}
	return plain
}

func (h *otherHost) hear(deadline time.Time) (ssp.Frame, bool) {
	_ = h.conn.SetReadDeadline(deadline)
	buf := make([]byte, 1024)
	for {
		for len(h.rest) > 0 {
			n, f, ok := h.dec.Feed(h.rest)
			if h.rest = h.rest[n:]; ok {
				f.Data = bytes.Clone(f.Data)
				return f, true
			}
		}
		n, err := h.conn.Read(buf)
		if h.rest = append(h.rest, buf[:n]...); err != nil {
			return ssp.Frame{}, false
		}
	}
}

func (h *otherHost) unseal(f ssp.Frame) []byte {
	h.t.Helper()
	if !f.Encrypted() {
		return f.Data
	}
	plain, count, err := h.session.Decrypt(f.Data)
	if err != nil || count != h.session.Count()+1 {
		h.t.Fatalf("an answer counts %d after %d: %v", count, h.session.Count(), err)
	}
	h.session.SetCount(count)
	return plain
}

// heard is what happened on a line, and what was done to the machine meanwhile: at is since the beginning.
type heard struct {
	at     time.Duration
	act    func(m *sim.Machine)
	cmd    []byte
	plain  bool   // the command went out unencrypted
	answer []byte // nil for silence
}

// recorder keeps a tabletop's dialogue.
type recorder struct {
	began time.Time
	mu    sync.Mutex
	list  []heard
	ended chan struct{}
	stop  func()
}

// record listens to the tabletop's line from its beginning.
func (tt *tabletop) record(began time.Time) *recorder {
	l, ok := tt.station.Trace(recyclerPort)
	if !ok {
		tt.t.Fatal("no line")
	}
	entries, stop := l.Subscribe()
	r := &recorder{began: began, stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		for e := range entries {
			r.mu.Lock()
			if e.Tx {
				r.list = append(r.list, heard{at: e.At.Sub(began), cmd: e.Plain, plain: !sealed(e.Raw)})
			} else {
				for i := len(r.list) - 1; i >= 0; i-- { // none: its command went out before
					if r.list[i].cmd != nil {
						r.list[i].answer = e.Plain
						break
					}
				}
			}
			r.mu.Unlock()
		}
	}()
	return r
}

// sealed says whether a frame is encrypted; one that the line does not show carries a key, and is not.
func sealed(raw []byte) bool {
	frames := ssp.DecodeAll(raw)
	return len(frames) == 1 && frames[0].Encrypted()
}

// do does something to the machine, at a moment that no poll shares.
func (r *recorder) do(m *sim.Machine, act func(m *sim.Machine)) {
	time.Sleep(137 * time.Microsecond)
	synctest.Wait()
	r.mu.Lock()
	r.list = append(r.list, heard{at: time.Since(r.began), act: act})
	r.mu.Unlock()
	act(m)
}

func (r *recorder) end() []heard {
	r.stop()
	<-r.ended
	return r.list
}

// startUps are the sequences of ssp.md section 15 with the comparison of section 14.2 in them, up to the machine taking
// money: codes in the order in which they must go out. Others may stand between them: polls, and steps in brackets there.
// Routes are read the first time (3C) and sent from then on (3B).
var startUps = map[string]string{
	"validator":  "11 06 4A 4B 4C 05 0C 20 21 4F 58 02 0A 56",
	"recycler":   "11 06 4A 4B 4C 05 0C 20 21 4F 22 58 0C 3C 02 5C 0A 56",
	"note float": "11 06 4A 4B 4C 05 0C 20 21 4F 41 58 0C 45 3C 02 5C 0A 56",
	"NV4000":     "11 06 4A 4B 4C 05 0C 20 21 4F 22 58 0C 0C 0C 0C 0C 3C 02 5C 0A 56",
	"hopper":     "11 06 4A 4B 4C 05 0C 20 21 4F 22 58 50 3C 40 5A 49 0A 56 49",
	"system":     "11 06 4A 4B 4C 05 0C 20 21 4F 22 58 0C 50 3C 40 49 0A 56 49",
	"twin":       "11 06 4A 4B 4C 05 0C 20 21 4F 22 58 0C 0C 0C 50 3C 30 30 40 49 0A 56 49",
}

// startUpOf is the row of startUps for a profile.
func startUpOf(profile string) string {
	switch profile {
	case "spectral-payout", "nv22":
		return startUps["recycler"]
	case "nv11":
		return startUps["note float"]
	case "nv4000":
		return startUps["NV4000"]
	case "hopper3", "hopper4":
		return startUps["hopper"]
	case "scs":
		return startUps["system"]
	case "twin":
		return startUps["twin"]
	}
	return startUps["validator"]
}

// checkStartUp holds what was sent to section 15.
func checkStartUp(t *testing.T, profile string, list []heard) {
	t.Helper()
	var sent []string
	for _, x := range list {
		if x.cmd != nil {
			sent = append(sent, fmt.Sprintf("%02X", x.cmd[0]))
		}
	}
	rest := sent
	for _, code := range strings.Fields(startUpOf(profile)) {
		i := slices.Index(rest, code)
		if i < 0 {
			t.Fatalf("sent %v: no %s where section 15 has it (%s)", sent, code, startUpOf(profile))
		}
		rest = rest[i+1:]
	}
}

// TestOtherHost lets the driver live with a machine for a while, and then another host say the same to a machine like it
// at the same times: it must hear the same. Nothing in the simulator is there to please the driver.
func TestOtherHost(t *testing.T) {
	for _, kind := range slices.Concat(dayMachines, longDayExtra) {
		t.Run(kind.profile, func(t *testing.T) {
			t.Parallel()
			var r *recorder
			var list []heard
			onTabletop(t, kind, func(tt *tabletop) {
				defer r.end()
				enabled := tt.visit(r)
				list = r.end()
				checkStartUp(tt.t, kind.profile, list[:enabled])
			}, func(tt *tabletop) { r = tt.record(time.Now()) })
			exchanges := 0
			for _, x := range list {
				if x.cmd != nil {
					exchanges++
				}
			}
			if exchanges < 100 {
				t.Fatalf("only %d exchanges", exchanges)
			}
			synctest.Test(t, func(t *testing.T) { sayAgain(t, kind, list) })
			t.Logf("%d exchanges", exchanges)
		})
	}
}

// visit is what the driver lives through. It returns how much was heard when the machine was ready for money.
func (tt *tabletop) visit(r *recorder) (enabled int) {
	d := tt.device()
	tt.enable(d)
	time.Sleep(time.Second)
	r.mu.Lock()
	enabled = len(r.list)
	r.mu.Unlock()
	small, large := int64(500), int64(2000)
	if tt.kind.coins {
		small, large = 50, 200
	}
	put := func(in sim.Insert) {
		r.do(tt.machine, func(m *sim.Machine) { _, _ = m.Insert(in) })
		time.Sleep(5 * time.Second)
	}
	fault := func(kind string, lasts time.Duration) {
		r.do(tt.machine, func(m *sim.Machine) { _ = m.Fault(sim.Fault{Kind: kind, ForMS: lasts.Milliseconds()}) })
		time.Sleep(lasts + 3*time.Second)
	}
	put(sim.Insert{Value: small, Currency: "EUR", Count: 2})
	put(sim.Insert{Value: large, Currency: "EUR"})
	put(sim.Insert{Value: small, Currency: "EUR", Unreadable: true})
	put(sim.Insert{Value: small, Currency: "EUR", Fraud: true})
	fault(sim.FaultJam, time.Second)
	fault(sim.FaultCashboxRemoved, time.Second)
	if tt.kind.hasPayout() {
		_, _ = tt.till.Dispense(context.Background(), me, d, eur(2*small))
		time.Sleep(10 * time.Second)
		_, _ = tt.till.Float(context.Background(), me, d, cash.Counts{{Value: small, Currency: "EUR"}: 1})
		time.Sleep(10 * time.Second)
	}
	fault(sim.FaultReset, 8*time.Second)
	tt.device()
	put(sim.Insert{Value: small, Currency: "EUR"})
	if e, ok := d.(devices.Emptier); ok && tt.kind.hasPayout() {
		_ = e.StartEmpty(context.Background(), 0)
		time.Sleep(20 * time.Second)
	}
	return enabled
}

// sayAgain says it all again to a machine like the first.
func sayAgain(t *testing.T, kind model, list []heard) {
	world := sim.NewWorld(nil)
	defer world.Close()
	if err := world.SetSpeed(10); err != nil {
		t.Fatal(err)
	}
	cable := world.AddLine(recyclerPort)
	m, err := cable.AddMachine(kind.address(), kind.profile, sim.Options{
		Currency: "EUR", Dataset: kind.dataset(), Levels: kind.levels, Cassette: kind.spare,
	})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := cable.Pipe()(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	h := &otherHost{t: t, conn: conn, addr: kind.address()}
	began := time.Now()
	for i, x := range list {
		time.Sleep(x.at - time.Since(began))
		if x.act != nil {
			x.act(m)
			continue
		}
		deadline := time.Now().Add(10 * time.Second)
		if x.answer == nil {
			deadline = time.Now().Add(time.Millisecond)
		}
		if x.plain && !ssp.Command(x.cmd[0]).PlainOnly() {
			h.session = nil // given up
		}
		if got := h.ask(x.cmd, deadline); !bytes.Equal(got, x.answer) {
			t.Fatalf("exchange %d at %v: %v is answered % X; the driver heard % X", i, x.at, ssp.Describe(x.cmd, true, 8, kind.coins), got, x.answer)
		}
	}
}

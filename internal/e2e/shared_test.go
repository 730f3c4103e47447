package e2e

import (
	"bytes"
	"context"
	le "encoding/binary"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/devices/coin"
	"coffer/devices/line"
	"coffer/devices/note"
	"coffer/devices/sim"
	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/journal"
	"coffer/internal/till"
	"coffer/ssp"
)

// shared is the pair of specs/nv9-and-coin.md on one port, driven by all of coffer but its edges, in a bubble.
type shared struct {
	t           *testing.T
	notes, coin *sim.Machine
	cable       *sim.Line
	station     *devices.Station
	ledger      *journal.Journal
}

const (
	sharedPort               = "COM7"
	notesID    cash.DeviceID = "NOTE_VALIDATOR-COM7"
	coinsID    cash.DeviceID = "SMART_COIN_SYSTEM-COM7"
)

// sharedReply is how long an answer is waited for, and tries how often; together the deadline of an exchange.
const (
	sharedReply = 100 * time.Millisecond
	tries       = 3
	sharedPoll  = 200 * time.Millisecond
)

// onShared runs f in a bubble over the pair; before is called with the machines before anybody drives them.
func onShared(t *testing.T, keys map[ssp.Address]devices.SessionKey, before, f func(s *shared)) {
	synctest.Test(t, func(t *testing.T) {
		world := sim.NewWorld(nil)
		defer world.Close()
		s := &shared{t: t, cable: world.AddLine(sharedPort)}
		var err error
		if s.notes, err = s.cable.AddMachine(0, "nv9", sim.Options{Currency: "GBP"}); err != nil {
			t.Fatal(err)
		}
		if s.coin, err = s.cable.AddMachine(16, "scs", sim.Options{Currency: "GBP", Levels: map[int64]int{50: 20, 100: 20}}); err != nil {
			t.Fatal(err)
		}
		before(s)
		if s.ledger, err = journal.Open(context.Background(), t.TempDir(), time.Now); err != nil {
			t.Fatal(err)
		}
		defer s.ledger.Close()
		log := logrus.New()
		log.SetOutput(io.Discard)
		books := till.New(s.ledger, bus.New(4096), log, time.Now)
		cfg := devices.LineConfig{Port: sharedPort, ReplyTimeout: sharedReply, Devices: []devices.DeviceConfig{
			{ID: "notes", Address: 0, Poll: sharedPoll, FixedKey: keys[0]}, {ID: "coins", Address: 16, Poll: sharedPoll, FixedKey: keys[16]},
		}}
		s.station = devices.NewStation([]devices.LineConfig{cfg}, map[string]line.Opener{sharedPort: line.ConnOpener(s.cable.Pipe())},
			[]devices.Family{note.Family(), note.FloatFamily(), coin.Family()}, books, log)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- s.station.Run(ctx) }()
		f(s)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		brief, done := context.WithTimeout(context.Background(), 15*time.Second)
		defer done()
		_ = books.Close(brief)
	})
}

// device waits until a device is ready.
func (s *shared) device(id cash.DeviceID) devices.Device {
	s.t.Helper()
	for range 600 {
		if d, ok := s.station.Device(id); ok && d.Snapshot().Ready {
			return d
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.t.Fatalf("%s is not ready within a minute", id)
	return nil
}

// soon lets time pass until cond holds, and says whether it did.
func soon(limit time.Duration, cond func() bool) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if cond() {
			return true
		}
	}
	return cond()
}

// gaps listens to the polls of one address, and returns a function that ends it and tells the longest pause between two.
func (s *shared) gaps(addr ssp.Address) (end func() time.Duration) {
	l, _ := s.station.Trace(sharedPort)
	entries, stop := l.Subscribe()
	worst := make(chan time.Duration)
	go func() {
		var last time.Time
		longest := time.Duration(0)
		for e := range entries {
			if !e.Tx || e.Addr != addr {
				continue
			}
			if !last.IsZero() {
				longest = max(longest, e.At.Sub(last))
			}
			last = e.At
		}
		worst <- longest
	}()
	return func() time.Duration {
		stop()
		return <-worst
	}
}

func nothing(*shared) {}

// TestSharedLineSilence: a machine that falls silent costs the other one exchange's deadline at the most, and from then on
// one try; whichever it is.
func TestSharedLineSilence(t *testing.T) {
	for name, c := range map[string]struct {
		silent func(s *shared) *sim.Machine
		other  ssp.Address
	}{
		"the coins": {func(s *shared) *sim.Machine { return s.coin }, 0},
		"the notes": {func(s *shared) *sim.Machine { return s.notes }, 16},
	} {
		t.Run(name, func(t *testing.T) {
			onShared(t, nil, nothing, func(s *shared) {
				s.device(notesID)
				s.device(coinsID)
				end := s.gaps(c.other)
				time.Sleep(5 * time.Second)
				if err := c.silent(s).Fault(sim.Fault{Kind: sim.FaultMute}); err != nil {
					s.t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				if worst := end(); worst > sharedPoll+tries*sharedReply {
					s.t.Errorf("at first the other machine waits %v", worst)
				}
				end = s.gaps(c.other)
				time.Sleep(time.Minute)
				if worst := end(); worst > sharedPoll+sharedReply {
					s.t.Errorf("later the other machine waits %v", worst)
				}
			})
		})
	}
}

// TestSharedLineUnplugged: one of two machines is pulled off and put back, while the other goes on taking money.
func TestSharedLineUnplugged(t *testing.T) {
	onShared(t, nil, nothing, func(s *shared) {
		notes, coins := s.device(notesID), s.device(coinsID)
		for _, d := range []devices.Device{notes, coins} {
			if err := d.Enable(context.Background()); err != nil {
				s.t.Fatal(err)
			}
		}
		for _, c := range []struct {
			gone     *sim.Machine
			goneIs   devices.Device
			other    *sim.Machine
			otherIs  devices.Device
			insert   int64
			currency string
		}{{s.coin, coins, s.notes, notes, 1000, "GBP"}, {s.notes, notes, s.coin, coins, 50, "GBP"}} {
			if err := c.gone.Fault(sim.Fault{Kind: sim.FaultUnplug}); err != nil {
				s.t.Fatal(err)
			}
			if !soon(3*time.Second, func() bool { return !c.goneIs.Snapshot().Connected }) {
				s.t.Errorf("%s was unplugged, and shows as connected", c.gone.Profile())
			}
			before := len(rowsOf(c.other.Truth().Inserted))
			if _, err := c.other.Insert(sim.Insert{Value: c.insert, Currency: c.currency}); err != nil {
				s.t.Fatal(err)
			}
			if !soon(10*time.Second, func() bool { return !c.other.Truth().Moving }) || len(rowsOf(c.other.Truth().Inserted)) == before {
				s.t.Errorf("the %s took nothing meanwhile", c.other.Profile())
			}
			if sn := c.otherIs.Snapshot(); !sn.Ready || !sn.AcceptorEnabled {
				s.t.Errorf("the other machine shows %+v", sn)
			}
			if len(rowsOf(c.other.Truth().Returned)) != 0 {
				s.t.Errorf("the %s gave it back", c.other.Profile())
			}
			if err := c.gone.Fault(sim.Fault{Kind: sim.FaultPlug}); err != nil {
				s.t.Fatal(err)
			}
			if !soon(6*time.Second, func() bool { return c.goneIs.Snapshot().Ready && c.gone.Truth().Enabled }) {
				s.t.Errorf("%s was plugged in again, and shows %+v", c.gone.Profile(), c.goneIs.Snapshot())
			}
		}
		s.balanced()
	})
}

func rowsOf(list []sim.Row) (out []sim.Row) {
	for _, r := range list {
		if r.Count != 0 {
			out = append(out, r)
		}
	}
	return out
}

// balanced holds the ledger against both machines.
func (s *shared) balanced() {
	s.t.Helper()
	time.Sleep(5 * time.Second)
	for id, m := range map[cash.DeviceID]*sim.Machine{notesID: s.notes, coinsID: s.coin} {
		list, err := s.ledger.Balance(context.Background(), id)
		if err != nil {
			s.t.Fatal(err)
		}
		books := map[cash.Place]map[int64]int{cash.Payout: {}, cash.Cashbox: {}, cash.Escrow: {}}
		for _, b := range list {
			books[b.Place][b.Value] += b.Count
		}
		tr := m.Truth()
		for place, rows := range map[cash.Place][]sim.Row{cash.Payout: tr.Payout, cash.Cashbox: tr.Cashbox, cash.Escrow: tr.Escrow} {
			for _, r := range rows {
				if books[place][r.Value] != r.Count {
					s.t.Errorf("%s %s of %d: the ledger has %d, in truth there are %d", id, place, r.Value, books[place][r.Value], r.Count)
				}
			}
		}
	}
}

// TestSharedLineKeys: both machines are talked to encrypted, each with a key of its own: the fixed halves differ, a frame
// for one means nothing to the other, and a wrong half is no way in.
func TestSharedLineKeys(t *testing.T) {
	const own = 0x1122334455667788
	setKey := func(s *shared) {
		conn, err := s.cable.Pipe()(context.Background())
		if err != nil {
			s.t.Fatal(err)
		}
		defer conn.Close()
		h := &otherHost{t: s.t, conn: conn, addr: 16}
		for _, c := range [][]byte{{0x11}, {0x06, 8}, {0x4A}, {0x4B}, {0x4C}, le.LittleEndian.AppendUint64([]byte{0x60}, own)} {
			if answer := h.ask(c, time.Now().Add(time.Second)); !bytes.Equal(answer, []byte{0xF0}) {
				s.t.Fatalf("% X is answered % X", c, answer)
			}
		}
	}
	onShared(t, map[ssp.Address]devices.SessionKey{16: own}, setKey, func(s *shared) {
		for _, id := range []cash.DeviceID{notesID, coinsID} {
			if sn := s.device(id).Snapshot(); !sn.Encrypted {
				s.t.Errorf("%s is not encrypted", id)
			}
		}
		l, _ := s.station.Trace(sharedPort)
		sealedFor := map[ssp.Address]bool{}
		for _, e := range l.Trace() {
			sealedFor[e.Addr] = sealedFor[e.Addr] || e.Tx && sealed(e.Raw)
		}
		if !sealedFor[0] || !sealedFor[16] {
			s.t.Errorf("encrypted frames went to %v", sealedFor)
		}
	})
	onShared(t, nil, setKey, func(s *shared) {
		s.device(notesID)
		time.Sleep(30 * time.Second)
		if d, ok := s.station.Device(coinsID); ok && d.Snapshot().Ready {
			s.t.Error("the coin system was opened with another key than its own")
		}
	})
}

package machines_test

import (
	"slices"
	"sync"
	"testing"

	"coffer/devices"
	"coffer/upos/machines"
)

// A machine that has said who it is, and is not through with telling what it can do, has a store that is not known; one
// that comes back has the store that it had.
func TestStoreUntold(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		start := func(s *devices.Snapshot) {
			s.Ready, s.Channels = false, slices.Clone(s.Channels)
			for i := range s.Channels {
				s.Channels[i].Recyclable, s.Channels[i].ToPayout = false, false
			}
		}
		station := &posed{Station: b.station, look: start}
		m, err := machines.New(machines.Deps{Station: station, Till: b.till, Bus: b.bus, Log: quiet()}, "notes", "coins")
		b.must(err)
		defer m.Close()
		for i, p := range m.Parts() {
			if !p.StoreUntold || len(p.Accepts) == 0 {
				t.Errorf("while it starts, part %d: %+v", i, p)
			}
		}
		for _, through := range []bool{true, false} {
			if through {
				station.as(nil)
			} else {
				station.as(start)
			}
			for i, p := range m.Parts() {
				if p.StoreUntold || len(p.Holds) == 0 || p.Online != through {
					t.Errorf("through %v, part %d: %+v", through, i, p)
				}
			}
		}
		v, err := machines.New(machines.Deps{Station: &posed{Station: b.station, look: start}, Till: b.till, Bus: b.bus, Log: quiet()}, "bills")
		b.must(err)
		defer v.Close()
		if p := v.Parts()[0]; p.StoreUntold {
			t.Error("a validator has no store to tell of")
		}
	}, notes, coins, bills)
}

// A jam that was found before a machine was ready is over once it is ready without, also when it is lost again.
func TestJamIsOver(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		station := &posed{Station: b.station}
		m, err := machines.New(machines.Deps{Station: station, Till: b.till, Bus: b.bus, Log: quiet()}, "notes")
		b.must(err)
		defer m.Close()
		for n, c := range []struct{ ready, jammed, want bool }{
			{false, true, true}, {false, false, true}, {true, false, false}, {false, false, false}, {true, true, true},
		} {
			station.as(func(s *devices.Snapshot) { s.Ready, s.Jammed, s.CashboxRemoved = c.ready, c.jammed, c.jammed })
			if p := m.Parts()[0]; p.Jammed != c.want || p.BoxOut != c.want {
				t.Errorf("picture %d: jammed %v, cashbox out %v", n, p.Jammed, p.BoxOut)
			}
		}
	}, notes)
}

// posed is a station whose machines look as a test wants.
type posed struct {
	*devices.Station
	mu   sync.Mutex
	look func(*devices.Snapshot)
}

// as sets the look, nil as they are.
func (s *posed) as(look func(*devices.Snapshot)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look = look
}

func (s *posed) Lines() []devices.LineStatus {
	out := s.Station.Lines()
	for i := range out {
		for k, d := range out[i].Devices {
			out[i].Devices[k] = model{d, s}
		}
	}
	return out
}

type model struct {
	devices.Device
	of *posed
}

func (d model) Snapshot() *devices.Snapshot {
	s := *d.Device.Snapshot()
	d.of.mu.Lock()
	defer d.of.mu.Unlock()
	if d.of.look != nil {
		d.of.look(&s)
	}
	return &s
}

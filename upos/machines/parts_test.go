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
		look := &pose{look: start}
		m, err := machines.New(machines.Deps{Station: look.of(b.station), Till: b.till, Bus: b.bus, Log: quiet()}, "notes", "coins")
		b.must(err)
		defer m.Close()
		for i, p := range m.Parts() {
			if !p.StoreUntold || len(p.Accepts) == 0 {
				t.Errorf("while it starts, part %d: %+v", i, p)
			}
		}
		for _, through := range []bool{true, false} {
			if through {
				look.as(nil)
			} else {
				look.as(start)
			}
			for i, p := range m.Parts() {
				if p.StoreUntold || len(p.Holds) == 0 || p.Online != through {
					t.Errorf("through %v, part %d: %+v", through, i, p)
				}
			}
		}
		v, err := machines.New(machines.Deps{Station: (&pose{look: start}).of(b.station), Till: b.till, Bus: b.bus, Log: quiet()}, "bills")
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
		look := &pose{}
		m, err := machines.New(machines.Deps{Station: look.of(b.station), Till: b.till, Bus: b.bus, Log: quiet()}, "notes")
		b.must(err)
		defer m.Close()
		for n, c := range []struct{ ready, jammed, want bool }{
			{false, true, true}, {false, false, true}, {true, false, false}, {false, false, false}, {true, true, true},
		} {
			look.as(func(s *devices.Snapshot) { s.Ready, s.Jammed, s.CashboxRemoved = c.ready, c.jammed, c.jammed })
			if p := m.Parts()[0]; p.Jammed != c.want || p.BoxOut != c.want {
				t.Errorf("picture %d: jammed %v, cashbox out %v", n, p.Jammed, p.BoxOut)
			}
		}
	}, notes)
}

// pose is how machines look as a test wants.
type pose struct {
	mu   sync.Mutex
	look func(*devices.Snapshot)
}

// of is station with machines that look so.
func (p *pose) of(station *devices.Station) dressed {
	return dressed{station, func(d devices.Device) devices.Device { return posed{d, p} }}
}

// as sets the look, nil as they are.
func (p *pose) as(look func(*devices.Snapshot)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.look = look
}

type posed struct {
	devices.Device
	pose *pose
}

func (d posed) Snapshot() *devices.Snapshot {
	s := *d.Device.Snapshot()
	d.pose.mu.Lock()
	defer d.pose.mu.Unlock()
	if d.pose.look != nil {
		d.pose.look(&s)
	}
	return &s
}

package sim

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
)

// Speeds that SetSpeed takes.
const (
	MinSpeed = 0.05
	MaxSpeed = 1000
)

// Errors to test for.
var (
	// ErrInvalid: the request makes no sense for this machine.
	ErrInvalid = errors.New("invalid")
	// ErrRefused: the machine cannot do it now: it is off, unplugged or its path is full.
	ErrRefused = errors.New("refused")
	// ErrUnknown: no such machine or insert.
	ErrUnknown = errors.New("unknown")
)

// World is all simulated lines of one process.
type World struct {
	log   func(format string, args ...any)
	speed atomic.Uint64 // math.Float64bits

	mu      sync.Mutex
	lines   []*Line
	inserts insertBook
}

// NewWorld returns a world without lines, at speed 1. log gets one line for what a technician would want to know (a
// damaged encrypted frame, a connection); nil drops it.
func NewWorld(log func(format string, args ...any)) *World {
	if log == nil {
		log = func(string, ...any) {}
	}
	w := &World{log: log}
	w.speed.Store(math.Float64bits(1))
	return w
}

// Speed returns the factor by which mechanics are faster than in the real world.
func (w *World) Speed() float64 { return math.Float64frombits(w.speed.Load()) }

// SetSpeed changes the factor for what moves now and later. ErrInvalid outside MinSpeed to MaxSpeed. It changes neither
// the wire nor what a machine's firmware measures in real time, as the ten seconds of escrow.
func (w *World) SetSpeed(factor float64) error {
	if !(factor >= MinSpeed && factor <= MaxSpeed) {
		return fmt.Errorf("%w: speed %v, use %v to %v", ErrInvalid, factor, MinSpeed, MaxSpeed)
	}
	old := math.Float64frombits(w.speed.Swap(math.Float64bits(factor)))
	for _, m := range w.Machines() {
		m.rescale(old, factor)
	}
	return nil
}

// AddLine adds a line. The name is what API callers use; it is not opened.
func (w *World) AddLine(port string) *Line {
	l := &Line{world: w, port: port}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, l)
	return l
}

// Lines returns the lines in the order in which they were added.
func (w *World) Lines() []*Line {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*Line(nil), w.lines...)
}

// Machines returns all machines, line by line, in the order in which they were added.
func (w *World) Machines() []*Machine {
	var out []*Machine
	for _, l := range w.Lines() {
		out = append(out, l.Machines()...)
	}
	return out
}

// Machine finds a machine by line name and SSP address.
func (w *World) Machine(port string, addr int) (*Machine, bool) {
	for _, m := range w.Machines() {
		if m.line.port == port && int(m.addr) == addr {
			return m, true
		}
	}
	return nil, false
}

// InsertState tells what became of what Machine.Insert took. ErrUnknown for an id that was never given out, or so long
// ago that it is forgotten.
func (w *World) InsertState(id string) (InsertState, error) {
	r := w.inserts.find(id)
	if r == nil {
		return InsertState{}, fmt.Errorf("%w: insert %q", ErrUnknown, id)
	}
	return r.state(), nil
}

// Close ends every connection and every movement, and waits for the goroutines behind them.
func (w *World) Close() error {
	for _, l := range w.Lines() {
		l.Close()
	}
	return nil
}

package sim

import (
	"time"
)

// task is something a machine does when its time has come.
type task struct {
	name string
	due  time.Time
	kind taskKind
	held bool        // due, and waiting for gate to open
	gate func() bool // false: not now; nil: always
	run  func()
}

type taskKind int

const (
	mechanic taskKind = iota // a step of the mechanics: scaled by the world's speed, gone with the power
	firmware                 // real time, gone with the power
	outside                  // real time, whatever the power does: the end of a fault
)

// after plans a step of the mechanics, d from now at speed 1, that waits while the machine may not move.
func (m *Machine) after(name string, d time.Duration, run func()) {
	m.plan(&task{name: name, kind: mechanic, due: m.at(d), gate: m.mayMove, run: run})
}

// afterIf is after with a condition of its own beside mayMove.
func (m *Machine) afterIf(name string, d time.Duration, gate func() bool, run func()) {
	m.plan(&task{name: name, kind: mechanic, due: m.at(d), gate: func() bool { return m.mayMove() && gate() }, run: run})
}

// anyway plans a step of the mechanics that nothing holds up but the power.
func (m *Machine) anyway(name string, d time.Duration, run func()) {
	m.plan(&task{name: name, kind: mechanic, due: m.at(d), run: run})
}

// inRealTime plans something that the firmware or the outside does d from now, whatever the speed.
func (m *Machine) inRealTime(name string, kind taskKind, d time.Duration, run func()) {
	m.plan(&task{name: name, kind: kind, due: time.Now().Add(d), run: run})
}

// at returns when mechanics that take d at speed 1 are done.
func (m *Machine) at(d time.Duration) time.Time {
	return time.Now().Add(time.Duration(float64(d) / m.line.world.Speed()))
}

func (m *Machine) plan(t *task) { m.tasks = append(m.tasks, t) }

// cancel forgets planned tasks by name.
func (m *Machine) cancel(name string) {
	keep := m.tasks[:0]
	for _, t := range m.tasks {
		if t.name != name {
			keep = append(keep, t)
		}
	}
	m.tasks = keep
}

// enter runs f as the only one who touches the machine, with everything done before that was due, and afterwards
// everything that f made possible.
func (m *Machine) enter(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runDue()
	f()
	m.runDue()
	m.arm()
}

// runDue runs all tasks whose time has come and whose gate is open, in the order of their time.
func (m *Machine) runDue() {
	for _, t := range m.tasks {
		t.held = false
	}
	for {
		now := time.Now()
		best := -1
		for i, t := range m.tasks {
			if !t.held && !t.due.After(now) && (best < 0 || t.due.Before(m.tasks[best].due)) {
				best = i
			}
		}
		if best < 0 {
			return
		}
		t := m.tasks[best]
		if t.gate != nil && !t.gate() {
			t.held = true
			continue
		}
		m.tasks = append(m.tasks[:best], m.tasks[best+1:]...)
		if t.kind == mechanic && !m.step(t.name) {
			continue
		}
		t.run()
		for _, o := range m.tasks { // what ran may have opened a gate
			o.held = false
		}
	}
}

// arm sets the timer to the next task that does not wait for something else.
func (m *Machine) arm() {
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
	if m.stopped {
		return
	}
	var next time.Time
	for _, t := range m.tasks {
		if !t.held && (next.IsZero() || t.due.Before(next)) {
			next = t.due
		}
	}
	if !next.IsZero() {
		m.timer = time.AfterFunc(time.Until(next), func() { m.enter(func() {}) })
	}
}

// rescale changes when the mechanics under way are done, after the world's speed has changed.
func (m *Machine) rescale(old, factor float64) {
	m.enter(func() {
		now := time.Now()
		for _, t := range m.tasks {
			if left := t.due.Sub(now); t.kind == mechanic && left > 0 {
				t.due = now.Add(time.Duration(float64(left) * old / factor))
			}
		}
	})
}

// stop ends all movement for good.
func (m *Machine) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped = true
	m.tasks = nil
	m.arm()
}

// step announces a step of the mechanics before it takes effect, and reports whether it may: a test's hook or a
// planned fault may cut the power instead.
func (m *Machine) step(name string) bool {
	cut := m.onStep != nil && m.onStep(name)
	restart := false
	if m.cutIn > 0 {
		if m.cutIn--; m.cutIn == 0 {
			cut, restart = true, m.cutThen.Kind == FaultReset
		}
	}
	if !cut {
		return true
	}
	m.powerOff()
	switch {
	case restart:
		m.powerOn()
	case m.cutThen.ForMS > 0:
		m.endFault(m.cutThen, m.powerOn)
	}
	m.cutThen = Fault{}
	return false
}

package sim

import (
	"coffer/ssp"
)

// The two hoppers of a Twin SMART Coin System, as sorter routes name them.
const (
	primary byte = iota
	secondary
)

// Twin modes (ssp.md 16.5). What the lateral path of mode 2 is nobody public says: it works as mode 1 here.
const (
	twinSingle   byte = iota // the primary hopper alone
	twinFull                 // each coin into the hopper of its sorter route
	twinLateral              //
	twinBalanced             // as full, and small coins go where fewer of them lie
	twinModes
)

// twin is what a Twin SMART Coin System remembers beyond its levels, which count both hoppers together.
type twin struct {
	mode   byte
	routes map[denom]byte
	second map[denom]int // of the pieces in the store, those in the secondary hopper
}

func newTwin() twin { return twin{mode: twinFull, routes: map[denom]byte{}, second: map[denom]int{}} }

// fill lets a hand put n pieces into the store, or take -n out.
func (m *Machine) fill(d denom, n int) {
	m.stock.fill(d, inPayout, n)
	m.stow(d, n)
}

// stow follows n pieces that the store has gained, or -n that it has lost, into the hoppers. What leaves is taken from
// the hopper in which its kind belongs, as long as there is some.
func (m *Machine) stow(d denom, n int) {
	t := &m.nv.twin
	if !m.prof.has(featureTwin) || n == 0 {
		return
	}
	in := m.hopperOf(d)
	had := m.stock.count(d, inPayout) - n // before
	switch {
	case n > 0 && in == secondary:
		t.second[d] += n
	case n < 0 && in == secondary:
		t.second[d] = max(t.second[d]+n, 0)
	case n < 0:
		t.second[d] -= max(-n-(had-t.second[d]), 0)
	}
}

// hopperOf says into which hopper a coin is sorted.
func (m *Machine) hopperOf(d denom) byte {
	t := &m.nv.twin
	switch {
	case t.mode == twinSingle:
		return primary
	case t.mode == twinBalanced && int(m.channel(d)) <= len(m.data)/2:
		if 2*t.second[d] < m.stock.count(d, inPayout) {
			return secondary
		}
		return primary
	}
	return t.routes[d]
}

// content is how many pieces lie in a hopper. Pieces beyond what its profile gives the store are possible: a hand can
// fill both hoppers as it likes.
func (m *Machine) content(hopper byte) int {
	n := 0
	for _, k := range m.nv.twin.second {
		n += k
	}
	if hopper == primary {
		n = m.stock.pieces(inPayout) - n
	}
	return n
}

// hopperTakes reports whether the hopper that a coin is sorted into has room; true for a machine with one.
func (m *Machine) hopperTakes(d denom) bool {
	return !m.prof.has(featureTwin) || m.content(m.hopperOf(d)) < m.prof.Store/2
}

// hopperFull reports whether one of two hoppers is full.
func (m *Machine) hopperFull() bool {
	return m.prof.has(featureTwin) && max(m.content(primary), m.content(secondary)) >= m.prof.Store/2
}

// twinExpansion is what of 30 only machines with two hoppers know. All of it is our coding (ssp.md 16.5).
func (m *Machine) twinExpansion(sub ssp.Expansion, p *params) answer {
	if !m.prof.has(featureTwin) {
		return reply(ssp.OutOfRange)
	}
	switch sub {
	case ssp.ExpSetSorterRoute:
		return m.setSorterRoute(p)
	case ssp.ExpGetSorterRoute:
		d := p.money()
		return m.checked(p, m.knows(d), func() answer { return reply(ssp.OK, m.nv.twin.routes[d]) })
	case ssp.ExpSetTwinMode:
		mode := p.u8()
		return m.checked(p, mode < twinModes, func() answer {
			m.nv.twin.mode = mode
			return reply(ssp.OK)
		})
	case ssp.ExpGetTwinMode:
		return m.checked(p, true, func() answer { return reply(ssp.OK, m.nv.twin.mode) })
	}
	return reply(ssp.OutOfRange)
}

// checked answers when the parameters were all read and make sense.
func (m *Machine) checked(p *params, sense bool, then func() answer) answer {
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case !sense:
		return reply(ssp.OutOfRange)
	}
	return then()
}

func (m *Machine) setSorterRoute(p *params) answer {
	hopper, d := p.u8(), p.money()
	return m.checked(p, hopper <= secondary && m.knows(d), func() answer {
		m.nv.twin.routes[d] = hopper
		return reply(ssp.OK)
	})
}

// States of the lifter, as event 9F tells them.
const (
	lifterReady byte = iota
	lifterRuns
	lifterJammed
	lifterBlocked // something covers its light barrier
)

// Flags of the lifter's status.
const (
	lifterConnected byte = 1 << iota
	lifterOptoClear
	lifterIsJammed
)

// lifterState: the lifter runs as long as coins are paid out, and it is what a payout jam jams. Nothing is paid while
// its light barrier is covered.
func (m *Machine) lifterState() byte {
	op := m.nv.op
	switch {
	case m.faults.payoutJam:
		return lifterJammed
	case m.faults.opto:
		return lifterBlocked
	case op != nil && !op.cut && op.kind == opPayout:
		return lifterRuns
	}
	return lifterReady
}

// lifterFlags are none where no lifter is connected.
func (m *Machine) lifterFlags() byte {
	if !m.prof.has(featureLifter) {
		return 0
	}
	flags := lifterConnected
	switch m.lifterState() {
	case lifterReady:
		flags |= lifterOptoClear
	case lifterJammed:
		flags |= lifterIsJammed
	}
	return flags
}

// watchLifter tells a host that knows of the lifter when its state has changed.
func (m *Machine) watchLifter() {
	s := m.lifterState()
	if m.ram.extended && m.prof.has(featureLifter) && m.ram.lifter != s {
		m.ram.lifter = s
		m.tell(ssp.Event{Code: ssp.EvLifter, Error: s})
	}
}

package sim

import "coffer/ssp"

// All of this file but the division itself is our coding (ssp.md 16.4).

// ownExpansions is the first byte of the expansion commands that we have made up.
const ownExpansions = 0xE0

// Routes of the expansion commands; those behind routeAny are the recyclers, then the cassette.
const (
	ownRouteCashbox byte = 0
	routeAny        byte = 1
)

// Modules by number: recycler 1 in serial numbers and levels, and the cassette there and of 52.
const (
	recyclerModule byte = 0x11
	cassetteModule byte = 0x17
	emptyCassette  byte = 5
)

// recyclers is how a payout store is divided into several.
type recyclers struct {
	routes   map[denom]byte  // recycler of denominations that have a certain one, from 1
	held     []map[denom]int // what is in each, the cassette last
	cassette byte            // its mode
	byHand   bool            // what the store gains or loses now, the cassette does
	inward   bool            // what it gains now, a recycler does
}

func newRecyclers(n int) recyclers {
	r := recyclers{routes: map[denom]byte{}, held: make([]map[denom]int, n+1)}
	for i := range r.held {
		r.held[i] = map[denom]int{}
	}
	return r
}

// recyclerRoom is how many notes fit into recycler i, from 0, or into the cassette.
func (m *Machine) recyclerRoom(i int) int {
	if i == m.prof.Recyclers {
		return cassetteCapacity - pieces(m.inCassette())
	}
	return m.prof.Store/m.prof.Recyclers - pieces(m.nv.recyclers.held[i])
}

// recyclerFor chooses the recycler of a note that comes in: its own, which may be the cassette, or the first that has
// room. False if it is full.
func (m *Machine) recyclerFor(d denom) (i int, ok bool) {
	if n := int(m.nv.recyclers.routes[d]); n > 0 {
		return n - 1, m.recyclerRoom(n-1) > 0 && (n <= m.prof.Recyclers || !m.faults.cassetteOut)
	}
	for i := range m.prof.Recyclers {
		if m.recyclerRoom(i) > 0 {
			return i, true
		}
	}
	return 0, false
}

// recyclerTakes reports whether there is room where the note would go; true for a store that is one.
func (m *Machine) recyclerTakes(d denom) bool {
	if m.prof.Recyclers == 0 {
		return true
	}
	_, ok := m.recyclerFor(d)
	return ok
}

// shelve follows n pieces that the store has gained, or -n that it has lost, into the recyclers. A hand puts what does not
// fit where there is room.
func (m *Machine) shelve(d denom, n int) {
	held := m.nv.recyclers.held
	if m.nv.recyclers.byHand {
		m.inCassette()[d] += n
		return
	}
	for ; n > 0; n-- {
		i, ok := m.recyclerFor(d)
		ok = ok && !(m.nv.recyclers.inward && i == m.prof.Recyclers)
		for j := range m.prof.Recyclers {
			if !ok && m.recyclerRoom(j) > 0 {
				i, ok = j, true
			}
		}
		held[i][d]++
	}
	for ; n < 0; n++ {
		held[m.recyclerWith(d)][d]--
	}
}

// recyclerWith is where a note that leaves the store comes from: the recycler that is being emptied, the cassette that
// the others are filled from, else the first that has one.
func (m *Machine) recyclerWith(d denom) int {
	held := m.nv.recyclers.held
	switch op := m.nv.op; {
	case op != nil && op.kind == opReplenish:
		return m.prof.Recyclers
	case op != nil && op.module > 0 && held[op.module-1][d] > 0:
		return op.module - 1
	}
	for i := range held {
		if held[i][d] > 0 {
			return i
		}
	}
	return 0
}

// emptyModule is 52 with a module: 1 to 4 for a recycler, 5 for the cassette.
func (m *Machine) emptyModule(module byte) answer {
	if int(module) > m.prof.Recyclers && module != emptyCassette {
		return reply(ssp.OutOfRange)
	}
	if module == emptyCassette && m.faults.cassetteOut {
		return reply(ssp.CannotProcess)
	}
	if a, ok := m.ready(); !ok {
		return a
	}
	var pieces []denom
	sum := int64(0)
	for i := len(m.data) - 1; i >= 0; i-- {
		for range m.nv.recyclers.held[module-1][m.data[i]] {
			pieces = append(pieces, m.data[i])
			sum += m.data[i].value
		}
	}
	a := m.begin(opSmartEmpty, sum, pieces)
	m.nv.op.module = int(module)
	return a
}

// recyclerExpansion is 30 E0.
func (m *Machine) recyclerExpansion(b []byte) answer {
	m.ram.extended = true
	sub, args, err := ssp.ParseExpansion(b)
	switch {
	case err == ssp.ErrParamCount:
		return reply(ssp.WrongParameters)
	case err != nil:
		return reply(ssp.OutOfRange)
	}
	switch p := (params{b: args}); sub {
	case ssp.ExpSetRecyclerRoute:
		return m.setRecyclerRoute(&p)
	case ssp.ExpGetRecyclerRoute:
		return m.getRecyclerRoute(&p)
	case ssp.ExpGetCassetteMode:
		if !p.done() {
			return reply(ssp.WrongParameters)
		}
		if m.faults.cassetteOut {
			return reply(ssp.CannotProcess)
		}
		return reply(ssp.OK, m.nv.recyclers.cassette)
	case ssp.ExpSetCassetteMode:
		if m.faults.cassetteOut {
			return reply(ssp.CannotProcess)
		}
		return m.setSwitch(&p, func(on byte) { m.nv.recyclers.cassette = on })
	case ssp.ExpReplenish:
		return m.replenish(&p)
	case ssp.ExpDispenseToBezel:
		return m.setSwitch(&p, func(on byte) { m.ram.toBezel = on == 1 })
	case ssp.ExpModuleLevels:
		return m.moduleLevels(&p)
	}
	return reply(ssp.OutOfRange)
}

// setSwitch reads one byte, 0 or 1.
func (m *Machine) setSwitch(p *params, set func(on byte)) answer {
	on := p.u8()
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case on > 1:
		return reply(ssp.OutOfRange)
	}
	set(on)
	return reply(ssp.OK)
}

// setRecyclerRoute is 30 E0 01. Behind the recyclers' routes comes the cassette's.
func (m *Machine) setRecyclerRoute(p *params) answer {
	route, d := p.u8(), p.money()
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case int(route) > m.prof.Recyclers+2, !m.knows(d):
		return reply(ssp.OutOfRange)
	}
	delete(m.nv.recyclers.routes, d)
	m.nv.routes[d] = routeStore
	switch {
	case route == ownRouteCashbox:
		m.nv.routes[d] = routeCashbox
	case route > routeAny:
		m.nv.recyclers.routes[d] = route - routeAny
	}
	return reply(ssp.OK)
}

// getRecyclerRoute is 30 E0 02.
func (m *Machine) getRecyclerRoute(p *params) answer {
	d := p.money()
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case !m.knows(d):
		return reply(ssp.OutOfRange)
	case m.nv.routes[d] == routeCashbox:
		return reply(ssp.OK, ownRouteCashbox)
	}
	return reply(ssp.OK, routeAny+m.nv.recyclers.routes[d])
}

// moduleLevels is 30 E0 07: what is in one recycler or in the cassette, and how many notes fit in.
func (m *Machine) moduleLevels(p *params) answer {
	module := p.u8()
	i := int(module) - int(recyclerModule)
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case module != cassetteModule && (i < 0 || i >= m.prof.Recyclers):
		return reply(ssp.OutOfRange)
	}
	held, capacity := m.inCassette(), cassetteCapacity
	if module != cassetteModule {
		held, capacity = m.nv.recyclers.held[i], m.prof.Store/m.prof.Recyclers
	}
	out := []byte{byte(ssp.OK), byte(len(m.data))}
	for _, d := range m.data {
		out = appendDenom(le.AppendUint16(out, uint16(held[d])), d)
	}
	return answer{data: le.AppendUint16(out, uint16(capacity))}
}

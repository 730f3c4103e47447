package sim

import "coffer/ssp"

// All of this file but the division itself is our coding (ssp.md 16.4).

// ownExpansions is the first byte of the expansion commands that we have made up.
const ownExpansions = 0xE0

// Routes of the expansion commands; those between routeAny and routeCassette are the recyclers.
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

// cassetteCapacity is how many notes fit into the replenishment cassette. Nothing can put any into the simulated one.
const cassetteCapacity = 60

// recyclers is how a payout store is divided into several.
type recyclers struct {
	routes   map[denom]byte  // recycler of denominations that have a certain one, from 1
	held     []map[denom]int // what is in each
	cassette byte            // its mode: 0 replenish, 1 payout
}

func newRecyclers(n int) recyclers {
	r := recyclers{routes: map[denom]byte{}, held: make([]map[denom]int, n)}
	for i := range r.held {
		r.held[i] = map[denom]int{}
	}
	return r
}

// recyclerRoom is how many notes fit into recycler i, from 0.
func (m *Machine) recyclerRoom(i int) int {
	n := m.prof.Store / m.prof.Recyclers
	for _, k := range m.nv.recyclers.held[i] {
		n -= k
	}
	return n
}

// recyclerFor chooses the recycler of a note that comes in: its own, or the first that has room. False if it is full.
func (m *Machine) recyclerFor(d denom) (i int, ok bool) {
	if n := m.nv.recyclers.routes[d]; n > 0 {
		return int(n) - 1, m.recyclerRoom(int(n)-1) > 0
	}
	for i := range m.nv.recyclers.held {
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
	for ; n > 0; n-- {
		i, ok := m.recyclerFor(d)
		for j := range held {
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

// recyclerWith is where a note that leaves the store comes from: the recycler that is being emptied, else the first that
// has one.
func (m *Machine) recyclerWith(d denom) int {
	held := m.nv.recyclers.held
	if op := m.nv.op; op != nil && op.module > 0 && held[op.module-1][d] > 0 {
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
	if a, ok := m.ready(); !ok {
		return a
	}
	if module == emptyCassette {
		return m.begin(opSmartEmpty, 0, nil)
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
		return reply(ssp.OK, m.nv.recyclers.cassette)
	case ssp.ExpSetCassetteMode:
		return m.setSwitch(&p, func(on byte) { m.nv.recyclers.cassette = on })
	case ssp.ExpReplenish:
		if p.u16(); !p.done() {
			return reply(ssp.WrongParameters)
		}
		return refuse(notEnough)
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

// setRecyclerRoute is 30 E0 01. Notes cannot be sent into the cassette.
func (m *Machine) setRecyclerRoute(p *params) answer {
	route, d := p.u8(), p.money()
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case int(route) > m.prof.Recyclers+1, !m.knows(d):
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
	held, capacity := map[denom]int(nil), cassetteCapacity
	if module != cassetteModule {
		held, capacity = m.nv.recyclers.held[i], m.prof.Store/m.prof.Recyclers
	}
	out := []byte{byte(ssp.OK), byte(len(m.data))}
	for _, d := range m.data {
		out = appendDenom(le.AppendUint16(out, uint16(held[d])), d)
	}
	return answer{data: le.AppendUint16(out, uint16(capacity))}
}

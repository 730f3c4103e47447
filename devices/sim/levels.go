package sim

import (
	"slices"

	"coffer/ssp"
)

// getAllLevels is 22: every denomination of the dataset, also those with none.
func getAllLevels(m *Machine) answer {
	out := []byte{byte(ssp.OK), byte(len(m.data))}
	for _, d := range m.data {
		out = appendDenom(le.AppendUint16(out, m.level(d)), d)
	}
	return answer{data: out}
}

func appendDenom(out []byte, d denom) []byte {
	return append(le.AppendUint32(out, uint32(d.value)), d.currency...)
}

// denomOf reads a denomination as a command carries it at the protocol version in force: with its currency from 6 on,
// below as u32, on coin machines also as u16.
func (m *Machine) denomOf(p *params) denom {
	switch {
	case m.ram.version >= 6:
		return p.money()
	case m.prof.Family == familyCoin && p.left(2):
		return denom{int64(p.u16()), m.data[0].currency}
	}
	return denom{p.u32(), m.data[0].currency}
}

func (m *Machine) knows(d denom) bool { return slices.Contains(m.data, d) }

// setLevel is 34: it adds coins, and 0 clears. There is no counter beside the coins, so the simulator takes it for the
// hand that fills the hopper and says so.
func setLevel(m *Machine, b []byte) answer {
	p := params{b: b}
	n := int(p.u16())
	d := m.denomOf(&p)
	now := m.stock.count(d, inPayout)
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case !m.knows(d), m.stock.pieces(inPayout)+n > m.prof.Store:
		return reply(ssp.OutOfRange)
	case m.nv.op != nil:
		return refuse(busy)
	case n == 0:
		m.fill(d, -now)
	default:
		m.fill(d, n)
	}
	return reply(ssp.OK)
}

// getLevel is 35.
func getLevel(m *Machine, b []byte) answer {
	p := params{b: b}
	d := m.denomOf(&p)
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case !m.knows(d):
		return reply(ssp.OutOfRange)
	}
	return reply(ssp.OK, le.AppendUint16(nil, m.level(d))...)
}

// Routes on the wire.
const (
	routeStore   byte = 0
	routeCashbox byte = 1
)

// invalidCurrency is the error byte of 3B and 3C for a denomination the machine does not have (ssp.md 5.1).
const invalidCurrency byte = 2

// setRoute is 3B.
func setRoute(m *Machine, b []byte) answer {
	p := params{b: b}
	route := p.u8()
	d := m.denomOf(&p)
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case route > routeCashbox:
		return reply(ssp.OutOfRange)
	case !m.knows(d):
		return refuse(invalidCurrency)
	case m.faults.floatOut:
		return refuse(floatGone)
	case route == routeStore && m.prof.has(featureFloat):
		m.recycle(d)
		return reply(ssp.OK)
	}
	m.nv.routes[d] = route
	delete(m.nv.recyclers.routes, d)
	return reply(ssp.OK)
}

// getRoute is 3C.
func getRoute(m *Machine, b []byte) answer {
	p := params{b: b}
	d := m.denomOf(&p)
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case !m.knows(d):
		return refuse(invalidCurrency)
	}
	return reply(ssp.OK, m.nv.routes[d])
}

// getMinimumPayout is 3E, with or without a currency: the smallest piece in the store, 0 for none.
func getMinimumPayout(m *Machine, b []byte) answer {
	if len(b) != 0 && len(b) != 3 {
		return reply(ssp.WrongParameters)
	}
	for _, d := range m.data {
		if m.within(d, opPayout) > 0 && (len(b) == 0 || string(b) == d.currency) {
			return reply(ssp.OK, le.AppendUint32(nil, uint32(d.value))...)
		}
	}
	return reply(ssp.OK, 0, 0, 0, 0)
}

// setCashboxLimit is 4E: the most pieces of a denomination that stay in the store, 0 for no limit.
func setCashboxLimit(m *Machine, b []byte) answer {
	p := params{b: b}
	limits := map[denom]uint16{}
	for range p.u8() {
		n, d := p.u16(), p.money()
		if !p.bad && !m.knows(d) {
			return reply(ssp.OutOfRange)
		}
		limits[d] = n
	}
	if !p.done() {
		return reply(ssp.WrongParameters)
	}
	for d, n := range limits {
		m.ram.limits[d] = n
	}
	return reply(ssp.OK)
}

// cashboxPayoutData is 53: what the last operation moved to the cashbox.
func cashboxPayoutData(m *Machine) answer {
	out := []byte{byte(ssp.OK), byte(len(m.data))}
	for _, d := range m.data {
		out = appendDenom(le.AppendUint16(out, uint16(m.nv.moved[d])), d)
	}
	return answer{data: le.AppendUint32(out, uint32(m.nv.unknown))}
}

// storeTakes reports whether an accepted piece goes into the payout store: it is routed there and there is room.
func (m *Machine) storeTakes(d denom) bool {
	level, limit := m.stock.count(d, inPayout), int(m.ram.limits[d])
	return m.prof.Store > 0 && !m.faults.payoutJam && !m.faults.payoutOut && !m.faults.floatOut && m.nv.routes[d] == routeStore &&
		(m.storeUsed() < m.prof.Store || m.toCassette(d)) && (limit == 0 || level < limit) && (level > 0 || m.reelFree()) &&
		m.hopperTakes(d) && m.recyclerTakes(d)
}

// reelFree reports whether a denomination that the store does not hold has room in it.
func (m *Machine) reelFree() bool { return m.prof.Reels == 0 || m.stock.kinds(inPayout) < m.prof.Reels }

// storeFull reports whether the machine says DEVICE FULL.
func (m *Machine) storeFull() bool {
	return m.prof.Store > 0 && (m.storeUsed() >= m.prof.Store || m.hopperFull())
}

// payoutCapacity is 6F in our coding: how many pieces of each denomination would still go into the store, were they of
// that one alone [proj] (ssp.md 16.2).
func payoutCapacity(m *Machine) answer {
	out := []byte{byte(ssp.OK), byte(len(m.data))}
	for _, d := range m.data {
		out = appendDenom(le.AppendUint16(out, uint16(m.freePlaces(d))), d)
	}
	return answer{data: out}
}

// freePlaces is how many more pieces of d the store takes: none that does not go there.
func (m *Machine) freePlaces(d denom) int {
	if !m.storeTakes(d) {
		return 0
	}
	free := m.prof.Store - m.storeUsed()
	if i := int(m.nv.recyclers.routes[d]) - 1; i >= 0 {
		free = m.recyclerRoom(i)
	}
	if limit := int(m.ram.limits[d]); limit > 0 {
		free = min(free, limit-m.stock.count(d, inPayout))
	}
	return max(free, 0)
}

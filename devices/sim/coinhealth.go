package sim

import "coffer/ssp"

// All of this file is our coding (ssp.md 16.5): what a coin machine knows of itself beyond money.

// Units of a coin machine, as COIN ACCEPTANCE and the service book name them.
const (
	unitPrimary byte = iota
	unitFeeder
	unitSecondary
	unitLifter
	unitMech // named by GLOBAL ERROR alone
	units    = unitMech
)

// First bytes of GLOBAL ERROR; the second is the unit.
const (
	errNone byte = iota
	errPathJam
	errPayoutJam
	errCalibration
	errCoinMech
	errCoverOpen
)

// coinHealth is what a coin machine remembers of itself beyond levels and counters, without power as well.
type coinHealth struct {
	units       [units]unitBook
	boxed       map[denom]int // coins in the cashbox, by what fell in since somebody set the count
	unpaidFor   int           // payouts since a coin came in
	onCommand   bool          // calibration waits for command 48
	serviceDays [3]serviceDay // the newest first
}

// unitBook is what one unit has seen in its life, and what of that before its last service.
type unitBook struct{ life, served unitCount }

type unitCount struct{ seen, accepted, jams, calibrations uint32 }

func (u unitBook) since() unitCount {
	return unitCount{u.life.seen - u.served.seen, u.life.accepted - u.served.accepted, u.life.jams - u.served.jams,
		u.life.calibrations - u.served.calibrations}
}

// percent is how many of the coins seen were recognised; 100 as long as there was none.
func (c unitCount) percent() uint32 {
	if c.seen == 0 {
		return 100
	}
	return uint32(uint64(c.accepted) * 100 / uint64(c.seen))
}

// hasUnit reports whether the machine has a unit of that number.
func (m *Machine) hasUnit(unit byte) bool {
	switch unit {
	case unitPrimary:
		return true
	case unitFeeder:
		return m.prof.has(featureFeeder)
	case unitSecondary:
		return m.prof.has(featureTwin)
	case unitLifter:
		return m.prof.has(featureLifter)
	}
	return false
}

// sees notes that a unit had a coin before its sensors.
func (m *Machine) sees(unit byte, accepted bool) {
	if !m.hasUnit(unit) {
		return
	}
	u := &m.nv.health.units[unit].life
	u.seen++
	if accepted {
		u.accepted++
	}
}

// gaveOut notes that a coin has left a hopper, and whether it was the one that was wanted.
func (m *Machine) gaveOut(d denom, front, wanted bool) {
	hopper := unitPrimary
	if m.prof.has(featureTwin) && m.hopperOf(d) == secondary {
		hopper = unitSecondary
	}
	m.sees(hopper, wanted)
	if front && wanted {
		m.sees(unitLifter, true)
	}
}

// jamUnit is what jams on its way in, or on its way out.
func (m *Machine) jamUnit(out bool) byte {
	switch {
	case out && m.prof.has(featureLifter):
		return unitLifter
	case !out && m.prof.has(featureFeeder):
		return unitFeeder
	}
	return unitPrimary
}

// coinExpansion is 30 on a coin machine. Only a host that uses it is told of what it alone can know.
func (m *Machine) coinExpansion(b []byte) answer {
	sub, args, err := ssp.ParseExpansion(b)
	switch {
	case err == ssp.ErrParamCount:
		return reply(ssp.WrongParameters)
	case err != nil:
		return reply(ssp.OutOfRange)
	}
	m.ram.extended = true
	p := params{b: args}
	switch sub {
	case ssp.ExpCoinAcceptance:
		unit := p.u8()
		return m.checked(&p, unit < unitLifter && m.hasUnit(unit), func() answer { return m.acceptance(unit) })
	case ssp.ExpGlobalError:
		return m.checked(&p, true, func() answer { return reply(ssp.OK, m.globalError()...) })
	case ssp.ExpSetPayoutLimit:
		n := p.u16()
		return m.checked(&p, true, func() answer { m.ram.payoutLimit = int(n); return reply(ssp.OK) })
	case ssp.ExpPayoutCoinCount:
		return m.checked(&p, true, func() answer { return reply(ssp.OK, le.AppendUint16(nil, uint16(m.ram.tested))...) })
	case ssp.ExpSetNoPayinCount:
		n := p.u8()
		return m.checked(&p, true, func() answer { m.ram.noPayin = int(n); return reply(ssp.OK) })
	case ssp.ExpCashboxLevels:
		return m.checked(&p, true, m.cashboxLevels)
	case ssp.ExpAddCashboxLevel:
		return m.addCashboxLevel(&p)
	case ssp.ExpClearCashboxLevels:
		return m.checked(&p, true, func() answer {
			for _, d := range m.data {
				m.unbox(d)
			}
			return reply(ssp.OK)
		})
	case ssp.ExpLifterStatus: // a coin system says so if it has none; to a hopper none can be connected
		return m.checked(&p, m.prof.has(featureFeeder), func() answer { return reply(ssp.OK, m.lifterFlags()) })
	case ssp.ExpModuleServiceInfo:
		unit, about := p.u8(), p.u8()
		return m.checked(&p, m.hasUnit(unit) && about <= serviceLife, func() answer { return m.serviceInfo(unit, about) })
	case ssp.ExpMaintenanceReset:
		return m.maintained(&p)
	}
	return m.twinExpansion(sub, &p)
}

func (m *Machine) acceptance(unit byte) answer {
	c := m.nv.health.units[unit].life
	out := le.AppendUint32([]byte{byte(ssp.OK), byte(c.percent())}, c.seen)
	return answer{data: le.AppendUint32(out, c.accepted)}
}

// globalError names the worst of what is wrong, and where.
func (m *Machine) globalError() []byte {
	f := &m.faults
	switch {
	case f.payoutJam:
		return []byte{errPayoutJam, m.jamUnit(true)}
	case f.jam && m.prof.has(featureCoinMech):
		return []byte{errPathJam, unitMech}
	case f.jam:
		return []byte{errPathJam, m.jamUnit(false)}
	case f.calibration:
		return []byte{errCalibration, unitPrimary}
	case f.mechError:
		return []byte{errCoinMech, unitMech}
	case f.pathOpen:
		return []byte{errCoverOpen, m.jamUnit(false)}
	}
	return []byte{errNone, 0}
}

// forbids reports why a payout of so many coins is not made: a host's limit is below it, or too many came before it
// without a coin coming in.
func (m *Machine) forbids(coins int) (answer, bool) {
	switch {
	case m.ram.payoutLimit > 0 && coins > m.ram.payoutLimit:
		return refuse(notExact), true
	case m.ram.noPayin > 0 && m.nv.health.unpaidFor >= m.ram.noPayin:
		return refuse(disabled), true
	}
	return answer{}, false
}

// box counts a coin that falls into the cashbox.
func (m *Machine) box(d denom) { m.nv.health.boxed[d]++ }

// unbox sets the count of a coin to 0. The simulator takes it, as it takes 34, for the hand that has emptied the cashbox.
func (m *Machine) unbox(d denom) {
	delete(m.nv.health.boxed, d)
	m.stock.fill(d, inCashbox, -m.stock.count(d, inCashbox))
}

func (m *Machine) cashboxLevels() answer {
	out := []byte{byte(ssp.OK), byte(len(m.data))}
	for _, d := range m.data {
		out = appendDenom(le.AppendUint16(out, uint16(min(m.nv.health.boxed[d], 0xFFFF))), d)
	}
	return answer{data: le.AppendUint32(out, 0)}
}

// addCashboxLevel is 30 E0 17: a hand puts so many coins into the cashbox, or 0 for one that has taken them all out.
func (m *Machine) addCashboxLevel(p *params) answer {
	n, d := int(p.u16()), p.money()
	return m.checked(p, m.knows(d) && m.nv.health.boxed[d]+n <= 0xFFFF, func() answer {
		if n == 0 {
			m.unbox(d)
		} else {
			m.nv.health.boxed[d] += n
			m.stock.fill(d, inCashbox, n)
		}
		return reply(ssp.OK)
	})
}

package sim

import (
	"time"

	"coffer/ssp"
)

// Bits of the option registers that change what the simulator does (ssp.md 10.10).
const (
	emptyToCashbox byte = 1 << 4 // REG0: a coin whose level is 0 goes to the cashbox
	valueAdded     byte = 1 << 7 // REG0: BF instead of DF
	reportRejects  byte = 1 << 0 // REG1: BA
	emptyToFront   byte = 1 << 2 // REG1: emptying pays out at the front
)

// mustCalibrate is the reason byte of CALIBRATION FAILED: command 48 is wanted.
const mustCalibrate byte = 7

// setCoinMechInhibit is 40: 1 accepts.
func setCoinMechInhibit(m *Machine, b []byte) answer {
	p := params{b: b}
	on, d := p.u8(), denom{int64(p.u16()), m.data[0].currency}
	if m.ram.version >= 6 {
		d.currency = p.cc3()
	}
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case on > 1 || !m.knows(d):
		return reply(ssp.OutOfRange)
	}
	m.ram.coins[d] = on == 1
	return reply(ssp.OK)
}

// globalInhibit is 49: 1 lets the feeder run, or the coin mech take coins.
func globalInhibit(m *Machine, p []byte) answer { return onOff(p, &m.ram.feederOn) }

// setCalibration is 47: 0 automatic, 1 on command. It is remembered: on command, a machine that was switched on asks for
// 48 before anything moves.
func setCalibration(m *Machine, p []byte) answer { return onOff(p, &m.nv.health.onCommand) }

// runCalibration is 48.
func runCalibration(m *Machine) answer {
	if m.nv.op != nil && !m.faults.calibration {
		return refuse(busy)
	}
	m.faults.calibration = false
	return reply(ssp.OK)
}

// setOptions is 50.
func setOptions(m *Machine, p []byte) answer {
	if len(p) != 2 {
		return reply(ssp.WrongParameters)
	}
	m.ram.reg0, m.ram.reg1 = p[0], p[1]
	return reply(ssp.OK)
}

// mechErrorsBit of 5A: report COIN MECH ERROR.
const mechErrorsBit byte = 1

// faultyCreditSensor is a ccTalk fault code, the one that a broken coin mech reports here.
const faultyCreditSensor byte = 3

// coinMechOptions is 5A.
func coinMechOptions(m *Machine, p []byte) answer {
	if len(p) != 1 {
		return reply(ssp.WrongParameters)
	}
	m.ram.mechErrors = p[0]&mechErrorsBit != 0
	return reply(ssp.OK)
}

// passThrough is 37: the machine speaks no SSP any more until its power goes.
func passThrough(m *Machine) answer {
	m.ram.bridge = true
	return reply(ssp.OK)
}

// splitPayout is 39: the first value in coins of the split denomination and above, the second in smaller ones. The
// layout is our coding (ssp.md 16.2).
func splitPayout(m *Machine, b []byte) answer {
	p := params{b: b}
	high, low := p.u32(), p.u32()
	at := p.money()
	commit, ok := option(p.u8())
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case !ok || high+low == 0 || !m.knows(at):
		return reply(ssp.OutOfRange)
	}
	m.ram.tested = 0
	if a, ok := m.ready(); !ok {
		return a
	}
	above, below := m.held(at.currency, opPayout), map[denom]int{}
	for d, n := range above {
		if d.value < at.value {
			below[d] = n
			delete(above, d)
		}
	}
	if worth(above) < high || worth(below) < low {
		return refuse(notEnough)
	}
	first, okFirst := split(high, above)
	second, okSecond := split(low, below)
	if !okFirst || !okSecond {
		return refuse(notExact)
	}
	return m.pay(commit, high+low, append(first, second...))
}

// coinEscrow is 3A: 1 lets the feeder stand still with what is in it, 0 lets it go on. The layout is our coding.
func coinEscrow(m *Machine, p []byte) answer { return onOff(p, &m.ram.held) }

// coinStir is 5D: the hopper turns for so many seconds, and pays nothing meanwhile. The layout is our coding.
func coinStir(m *Machine, p []byte) answer {
	switch {
	case len(p) != 1:
		return reply(ssp.WrongParameters)
	case p[0] == 0:
		return reply(ssp.OutOfRange)
	case m.ram.stirring:
		return refuse(busy)
	}
	if a, ok := m.ready(); !ok {
		return a
	}
	m.ram.stirring = true
	m.anyway("coin:stir", time.Duration(p[0])*time.Second, func() { m.ram.stirring = false })
	return reply(ssp.OK)
}

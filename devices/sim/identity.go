package sim

import (
	"cmp"
	"encoding/binary"
	"time"

	"coffer/ssp"
)

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)

// multipliers returns what a note machine's channel bytes are multiplied with to become whole units, and whole units
// to become minor units (ssp.md 6.2). A value multiplier of 0 says that the bytes mean nothing.
func (m *Machine) multipliers() (value, real int64) {
	real = 100
	for _, d := range m.data {
		if d.value%100 != 0 {
			real = 1
		}
	}
	top := m.data[len(m.data)-1].value / real
	if top <= 0xFF {
		return 1, real
	}
	common := int64(0)
	for _, d := range m.data {
		common = gcd(common, d.value/real)
	}
	if top/common <= 0xFF && common <= 0xFFFFFF {
		return common, real
	}
	return 0, real
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// appendU24 appends the low three bytes, big endian.
func appendU24(dst []byte, v int64) []byte { return append(dst, byte(v>>16), byte(v>>8), byte(v)) }

// datasetName and firmwareName are the profile's, until a download has brought others.
func (m *Machine) datasetName() string {
	return cmp.Or(m.nv.dataset, m.nv.card.active, m.data[0].currency+m.prof.Dataset)
}

func (m *Machine) firmwareName() string { return cmp.Or(m.nv.firmware, m.prof.Firmware) }

// setupRequest is SETUP REQUEST; one byte more is known from a manual's example (ssp.md 8.2).
func setupRequest(m *Machine, p []byte) answer {
	if len(p) > 1 {
		return reply(ssp.WrongParameters)
	}
	out := append([]byte{byte(ssp.OK), m.prof.UnitType}, m.prof.Version...)
	out = append(out, m.data[0].currency...)
	if m.prof.Family == familyCoin {
		return answer{data: m.appendCoinSetup(out)}
	}
	value, real := m.multipliers()
	out = append(appendU24(out, value), byte(len(m.data)))
	out = m.appendChannelBytes(out)
	for range m.data {
		out = append(out, 2)
	}
	out = append(appendU24(out, real), byte(m.ram.version))
	if m.ram.version >= 6 {
		out = m.appendExpanded(out)
	}
	return answer{data: out}
}

// appendCoinSetup appends the rest of section 8.2.
func (m *Machine) appendCoinSetup(out []byte) []byte {
	out = append(out, byte(m.ram.version), byte(len(m.data)))
	for _, d := range m.data {
		out = le.AppendUint16(out, uint16(d.value))
	}
	if m.ram.version >= 6 {
		for _, d := range m.data {
			out = append(out, d.currency...)
		}
	}
	return out
}

func (m *Machine) appendChannelBytes(out []byte) []byte {
	value, real := m.multipliers()
	for _, d := range m.data {
		if value == 0 {
			out = append(out, 0)
		} else {
			out = append(out, byte(d.value/real/value))
		}
	}
	return out
}

// appendExpanded appends the lists that came with protocol 6: currencies, then values in whole units.
func (m *Machine) appendExpanded(out []byte) []byte {
	_, real := m.multipliers()
	for _, d := range m.data {
		out = append(out, d.currency...)
	}
	for _, d := range m.data {
		out = le.AppendUint32(out, uint32(d.value/real))
	}
	return out
}

func unitData(m *Machine) answer {
	value, _ := m.multipliers()
	out := append([]byte{byte(ssp.OK), m.prof.UnitType}, m.prof.Version...)
	out = appendU24(append(out, m.data[0].currency...), value)
	return answer{data: append(out, byte(m.ram.version))}
}

func channelValues(m *Machine) answer {
	out := m.appendChannelBytes([]byte{byte(ssp.OK), byte(len(m.data))})
	if value, _ := m.multipliers(); m.ram.version >= 6 || value == 0 {
		out = m.appendExpanded(out)
	}
	return answer{data: out}
}

// channelSecurity tells standard security, or 4 for an inhibited channel.
func channelSecurity(m *Machine) answer {
	out := []byte{byte(ssp.OK), byte(len(m.data))}
	for _, on := range m.ram.inhibits {
		if on {
			out = append(out, 2)
		} else {
			out = append(out, 4)
		}
	}
	return answer{data: out}
}

func channelReteach(m *Machine) answer {
	return reply(ssp.OK, append([]byte{byte(len(m.data))}, make([]byte, len(m.data))...)...)
}

func getSerialNumber(m *Machine, p []byte) answer {
	module := byte(0)
	switch {
	case len(p) > 1:
		return reply(ssp.WrongParameters)
	case len(p) == 1:
		module = p[0]
	}
	offset, ok := m.prof.Modules[module]
	if !ok {
		return reply(ssp.OutOfRange)
	}
	return reply(ssp.OK, be.AppendUint32(nil, m.serial+offset)...)
}

func buildRevision(m *Machine) answer {
	out := []byte{byte(ssp.OK)}
	for _, r := range m.prof.Revisions {
		out = append(out, r.Module, r.Minor, r.Major)
	}
	return answer{data: out}
}

// The clock, ssp.md 16.1.

func getClock(m *Machine) answer {
	t := time.Now().Add(m.nv.clockSkew)
	return reply(ssp.OK, byte(t.Year()-2000), byte(t.Month()), byte(t.Day()), byte(t.Hour()), byte(t.Minute()), byte(t.Second()))
}

func setClock(m *Machine, p []byte) answer {
	if len(p) != 6 {
		return reply(ssp.WrongParameters)
	}
	want := time.Date(2000+int(p[0]), time.Month(p[1]), int(p[2]), int(p[3]), int(p[4]), int(p[5]), 0, time.Local)
	if p[0] > 99 || want.Month() != time.Month(p[1]) || want.Day() != int(p[2]) ||
		p[3] > 23 || p[4] > 59 || p[5] > 59 {
		return reply(ssp.OutOfRange)
	}
	m.nv.clockSkew = time.Until(want)
	return reply(ssp.OK)
}

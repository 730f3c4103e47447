package sim

import (
	"slices"
	"time"

	"coffer/ssp"
)

// The service book of a note machine (ssp.md 16.6). All of it is our coding.

// What a note machine is asked about.
const (
	noteServiceDate  byte = iota // of the last service: year and week, as 2507 for week 7 of 2025; 0 for never
	noteServiceNotes             // notes since service, download, power-on, jam
	noteServiceTaken             // notes accepted since service, download, power-on
	noteServiceJams              // jams since service, download, and within the last 1000 notes
	noteServiceFlags             // 1 jammed, 4 due
)

// lifeModule is the module that has the counts of the whole life.
const lifeModule = 5

// jamWindow is of how many notes the last jams are counted.
const jamWindow = 1000

// noteCount is what a note machine counts: notes read, notes accepted, jams.
type noteCount struct{ notes, taken, jams uint32 }

func (c noteCount) since(then noteCount) noteCount {
	return noteCount{c.notes - then.notes, c.taken - then.taken, c.jams - then.jams}
}

// noteBook is the service book.
type noteBook struct {
	life                       noteCount
	served, downloaded, powerd noteCount // life at those moments
	jamAt                      []uint32  // notes at each jam of the last jamWindow notes
}

// countJam notes a jam of a note machine.
func (b *noteBook) countJam() {
	b.life.jams++
	b.jamAt = append(b.recentJams(), b.life.notes)
}

// recentJams are those within the last jamWindow notes.
func (b *noteBook) recentJams() []uint32 {
	return slices.DeleteFunc(slices.Clone(b.jamAt), func(at uint32) bool { return b.life.notes-at >= jamWindow })
}

// sinceJam is how many notes there were since the last jam, or in all.
func (b *noteBook) sinceJam() uint32 {
	if len(b.jamAt) == 0 {
		return b.life.notes
	}
	return b.life.notes - b.jamAt[len(b.jamAt)-1]
}

// noteServiceCommand is 30 E0 20 to 22 of a note machine; false for other commands.
func (m *Machine) noteServiceCommand(b []byte) (answer, bool) {
	sub, args, err := ssp.ParseExpansion(b)
	if sub != ssp.ExpServiceInfo && sub != ssp.ExpModuleServiceInfo && sub != ssp.ExpMaintenanceReset {
		return answer{}, false
	}
	if err != nil {
		return reply(ssp.WrongParameters), true
	}
	m.ram.extended = true
	p := params{b: args}
	switch sub {
	case ssp.ExpServiceInfo:
		about := p.u8()
		return m.checked(&p, about <= noteServiceFlags, func() answer { return fields(about, m.noteService(about)) }), true
	case ssp.ExpModuleServiceInfo:
		module, about := p.u8(), p.u8()
		return m.checked(&p, module == lifeModule && m.prof.Recyclers > 0, func() answer { return fields(about, m.noteLife()) }), true
	}
	a := m.maintained(&p)
	if a.data[0] == byte(ssp.OK) {
		m.nv.book.served = m.nv.book.life
	}
	return a, true
}

// fields answers with what was asked about and the fields.
func fields(about byte, list []uint32) answer {
	out := []byte{byte(ssp.OK), about}
	for _, f := range list {
		out = le.AppendUint32(out, f)
	}
	return answer{data: out}
}

func (m *Machine) noteService(about byte) []uint32 {
	b := &m.nv.book
	served, loaded, power := b.life.since(b.served), b.life.since(b.downloaded), b.life.since(b.powerd)
	switch about {
	case noteServiceDate:
		day := m.nv.health.serviceDays[0]
		return []uint32{100*uint32(day.year) + uint32(day.week)}
	case noteServiceNotes:
		return []uint32{served.notes, loaded.notes, power.notes, b.sinceJam()}
	case noteServiceTaken:
		return []uint32{served.taken, loaded.taken, power.taken}
	case noteServiceJams:
		return []uint32{served.jams, loaded.jams, uint32(len(b.recentJams()))}
	}
	return []uint32{bitIf(m.faults.jam || m.faults.payoutJam, 1) | bitIf(m.serviceDue(), 4)}
}

// noteLife is cycles, power-ons, hours with power.
func (m *Machine) noteLife() []uint32 {
	up := m.nv.upBefore + time.Since(m.ram.since)
	return []uint32{m.nv.book.life.notes, m.nv.powerOns, uint32(up / time.Hour)}
}

package sim

import (
	"slices"
	"time"

	"coffer/ssp"
)

// Smart Currency (ssp.md 16.7): the bytes are our coding. The status shows in no answer to a poll.

// The states of the card, as the wire has them.
const (
	cardMissing byte = iota
	cardInitialising
	cardReady
	cardNoDataset // none of the card's is in force
	cardChanging
	cardDatasetReady
)

// How long the card takes, at speed 1.
const (
	cardReadTime   = 800 * time.Millisecond  // until its dataset is ready
	cardChangeTime = 2500 * time.Millisecond // until another one is in force
)

// dataset is one on the card of a profile.
type dataset struct {
	Currency string  `yaml:"currency"`
	Code     string  `yaml:"dataset"` // what follows the currency in its name
	Values   []int64 `yaml:"values"`  // minor units, rising
}

func (d dataset) name() string { return d.Currency + d.Code }

// smartCard is the card of a machine.
type smartCard struct {
	sets   []dataset
	active string // name of the one in force
}

// newCard makes the machine's card. What it was made with is the dataset in force; a set of the card in its currency has
// those denominations then.
func (m *Machine) newCard() smartCard {
	c := smartCard{sets: slices.Clone(m.prof.Card)}
	for i, s := range c.sets {
		if s.Currency == m.data[0].currency {
			values := make([]int64, len(m.data))
			for k, d := range m.data {
				values[k] = d.value
			}
			c.sets[i].Values, c.active = values, s.name()
		}
	}
	return c
}

// cardStatus is what the machine says of its card now.
func (m *Machine) cardStatus() byte {
	known := slices.ContainsFunc(m.nv.card.sets, func(s dataset) bool { return s.name() == m.nv.card.active })
	switch {
	case m.faults.cardOut:
		return cardMissing
	case m.initialising:
		return cardInitialising
	case m.ram.cardChanging:
		return cardChanging
	case !known:
		return cardNoDataset
	case time.Now().Before(m.ram.cardUntil):
		return cardReady
	}
	return cardDatasetReady
}

// cardLets reports whether the card lets notes in; true for a machine without one.
func (m *Machine) cardLets() bool {
	return !m.prof.has(featureSmart) || m.cardStatus() == cardDatasetReady
}

// smartExpansion is 30 E0 3x.
func (m *Machine) smartExpansion(b []byte) answer {
	m.ram.extended = true
	sub, args, err := ssp.ParseExpansion(b)
	switch {
	case err == ssp.ErrParamCount:
		return reply(ssp.WrongParameters)
	case err != nil:
		return reply(ssp.OutOfRange)
	}
	switch p := (params{b: args}); sub {
	case ssp.ExpDatasetStatus:
		return m.checked(&p, true, func() answer { return reply(ssp.OK, m.cardStatus()) })
	case ssp.ExpDatasetEntry:
		i := int(p.u8())
		return m.checked(&p, true, func() answer { return m.cardEntry(i) })
	case ssp.ExpActivateDataset:
		name := string(p.take(8))
		return m.checked(&p, true, func() answer { return m.activate(name) })
	}
	return reply(ssp.OutOfRange)
}

// cardEntry is 30 E0 31.
func (m *Machine) cardEntry(i int) answer {
	switch {
	case m.faults.cardOut:
		return reply(ssp.CannotProcess)
	case i >= len(m.nv.card.sets):
		return reply(ssp.OutOfRange)
	}
	s := m.nv.card.sets[i]
	on := byte(0)
	if s.name() == m.nv.card.active {
		on = 1
	}
	out := append([]byte{byte(ssp.OK), on}, s.Currency...)
	return answer{data: append(append(out, s.name()...), byte(len(s.Values)))}
}

// activate is 30 E0 32: the machine restarts with the new denominations when they are in force.
func (m *Machine) activate(name string) answer {
	i := slices.IndexFunc(m.nv.card.sets, func(s dataset) bool { return s.name() == name })
	switch {
	case m.faults.cardOut:
		return reply(ssp.CannotProcess)
	case i < 0:
		return reply(ssp.OutOfRange)
	case m.cardStatus() != cardDatasetReady && m.cardStatus() != cardNoDataset, m.mech.busy(), !m.mech.idle(), m.faults.jam:
		return refuse(busy)
	}
	m.ram.cardChanging = true
	m.after("card:change", cardChangeTime, func() {
		m.load(m.nv.card.sets[i])
		m.powerOff()
		m.powerOn()
	})
	return reply(ssp.OK)
}

// load brings a dataset into force.
func (m *Machine) load(s dataset) {
	m.nv.card.active, m.nv.dataset = s.name(), ""
	m.data = nil
	for _, v := range s.Values {
		d := denom{v, s.Currency}
		m.data = append(m.data, d)
		m.stock.row(d)
	}
}

// valued adds currency and value to READ and CREDIT, where the host's version of the protocol has them instead of the
// channel.
func (m *Machine) valued(e ssp.Event) ssp.Event {
	if m.ram.version < 9 || e.Code != ssp.EvRead && e.Code != ssp.EvCredit {
		return e
	}
	e.Values = money(0, m.data[0].currency)
	if i := int(e.Channel) - 1; i >= 0 && i < len(m.data) {
		e.Values = money(m.data[i].value, m.data[i].currency)
	}
	return e
}

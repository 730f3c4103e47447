package machines

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/internal/bus"
	"coffer/internal/cash"
	"coffer/internal/till"
	"coffer/upos"
)

// tick is how often machines are looked at that tell nothing.
const tick = 250 * time.Millisecond

// Station knows the machines. devices.Station satisfies it.
type Station interface {
	Lines() []devices.LineStatus
}

// Deps is what a mechanism is built on.
type Deps struct {
	Station    Station
	Till       *till.Till
	Bus        *bus.Bus
	Downloader devices.Downloader // nil where firmware cannot be put into machines
	Log        logrus.FieldLogger
}

// Mechanism is one machine, or several that make one till. Safe for use from any goroutine.
type Mechanism struct {
	Deps
	ctx   context.Context
	stop  func()
	ended chan struct{}
	work  chan func() // for the goroutine that tells changes
	seen  position

	mu       sync.Mutex
	parts    []*part
	owner    string          // of the claim
	leased   []cash.DeviceID // under it
	watchers map[int]func(upos.Change)
	next     int
}

var _ upos.Mechanism = (*Mechanism)(nil)

// part is what is remembered of one machine; guarded by Mechanism.mu.
type part struct {
	way chan struct{} // full while acceptance is turned on or off: one at a time, so that the last word counts

	id     string        // of the configuration
	dev    cash.DeviceID // "" until it was identified
	mark   int64         // last ledger row that was looked at
	doubt  bool
	off    bool // acceptance is to be turned off as soon as it answers
	manual bool // it held notes for its host before acceptance was turned on
	jammed bool // seen since it was ready without, likewise boxOut
	boxOut bool
	told   upos.Part
	ready  *upos.Part  // as it was when it answered last, without what the ledger says; nil for never
	store  upos.Pieces // as last read
	box    upos.Pieces
}

// New returns the mechanism of the configured machines called ids, which need not be connected. cash.ErrUnknown for an
// id that is not in the configuration. It watches the bus until Close.
func New(deps Deps, ids ...string) (*Mechanism, error) {
	m := &Mechanism{Deps: deps, ended: make(chan struct{}), work: make(chan func()), watchers: map[int]func(upos.Change){}}
	m.seen.changed = make(chan struct{})
	for _, id := range ids {
		if m.find(id) == nil {
			return nil, fmt.Errorf("%w: %q is not the id of a configured machine", cash.ErrUnknown, id)
		}
		m.parts = append(m.parts, &part{id: id, way: make(chan struct{}, 1)})
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%w: a mechanism needs a machine", cash.ErrInvalid)
	}
	m.ctx, m.stop = context.WithCancel(context.Background())
	entries := make(chan arrival)
	cursor := m.Bus.Cursor("")
	m.seen.at = m.Bus.Last()
	m.identify()
	go m.read(cursor, entries)
	go m.run(entries)
	return m, nil
}

// Close ends the watching. Nothing is told any more.
func (m *Mechanism) Close() {
	m.stop()
	<-m.ended
}

// find returns the machine with this id of the configuration, nil for none.
func (m *Mechanism) find(id string) devices.Device {
	for _, l := range m.Station.Lines() {
		for _, d := range l.Devices {
			if d.Snapshot().ConfigID == id {
				return d
			}
		}
	}
	return nil
}

// device returns the machine of part i as it is driven now.
func (m *Mechanism) device(i int) devices.Device { return m.find(m.parts[i].id) }

// identify takes in machines that have said who they are, and puts them under the claim.
func (m *Mechanism) identify() {
	for i, p := range m.parts { // the list itself never changes
		id := m.device(i).Snapshot().ID
		m.mu.Lock()
		known := p.dev
		m.mu.Unlock()
		if id == "" || id == known {
			continue
		}
		mark, err := m.Till.LastRow(m.ctx, id)
		doubt, err2 := m.Till.InDoubt(m.ctx, id)
		if err != nil || err2 != nil {
			return // the ledger is away: again with the next tick
		}
		m.mu.Lock()
		p.dev, p.mark, p.doubt = id, mark, doubt
		m.lease()
		m.mu.Unlock()
	}
}

// lease binds the machines that are known to the owner. The caller holds mu.
func (m *Mechanism) lease() {
	if m.owner == "" {
		return
	}
	for _, p := range m.parts {
		if p.dev == "" || slices.Contains(m.leased, p.dev) {
			continue
		}
		if err := m.Till.Lease([]cash.DeviceID{p.dev}, m.owner); err != nil {
			m.Log.WithField("device", p.dev).WithError(err).Warn("a machine that came later is not under the claim")
			continue
		}
		m.leased = append(m.leased, p.dev)
	}
}

// Claim implements upos.Mechanism by a lease of the till. A machine that was never seen is bound when it appears.
func (m *Mechanism) Claim(owner string) error {
	m.identify()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case owner == "":
		return fmt.Errorf("%w: a claim needs an owner", cash.ErrInvalid)
	case m.owner == owner:
		return nil
	case m.owner != "":
		return fmt.Errorf("%w: %s has it", cash.ErrClaimed, m.owner)
	}
	var known []cash.DeviceID
	for _, p := range m.parts {
		if p.dev != "" {
			known = append(known, p.dev)
		}
	}
	if err := m.Till.Lease(known, owner); err != nil {
		return err
	}
	m.owner, m.leased = owner, known
	return nil
}

// Release implements upos.Mechanism.
func (m *Mechanism) Release(owner string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if owner == "" || m.owner != owner {
		return
	}
	if err := m.Till.Unlease(m.leased, owner); err != nil {
		m.Log.WithError(err).Error("a claim could not be given back whole")
	}
	m.owner, m.leased = "", nil
}

// use checks that the caller has the claim.
func (m *Mechanism) use(r upos.Request) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.owner == "" || m.owner != r.Owner {
		return fmt.Errorf("%w: not by %q", cash.ErrClaimed, r.Owner)
	}
	return nil
}

// scope lists the parts of a request.
func (m *Mechanism) scope(r upos.Request) []int {
	if r.Parts != nil {
		return r.Parts
	}
	all := make([]int, len(m.parts))
	for i := range all {
		all[i] = i
	}
	return all
}

// by is how the till sees a request. The dialect stands behind the user, as rows of the ledger show who moved money.
func by(r upos.Request) till.Call {
	actor := "upos"
	switch {
	case strings.Contains(r.Actor, " via "): // another dialect speaks through UnifiedPOS
		actor = r.Actor
	case r.Actor != "":
		actor = r.Actor + " via upos"
	}
	return till.Call{Actor: actor, Key: r.Key, Owner: r.Owner}
}

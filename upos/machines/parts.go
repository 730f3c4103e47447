package machines

import (
	"maps"
	"reflect"
	"slices"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/upos"
)

// Parts implements upos.Mechanism. What is in stores and cashboxes is what the ledger says. What a machine can do, and
// whether it is full, is known while it is away: a picture from the middle of its coming back would have it without a
// store, and full no more.
func (m *Mechanism) Parts() []upos.Part {
	out := make([]upos.Part, len(m.parts))
	for i := range m.parts {
		out[i] = m.part(i)
	}
	return out
}

// part makes the picture of part i.
func (m *Mechanism) part(i int) upos.Part {
	d := m.device(i)
	s := d.Snapshot()
	out := upos.Part{ID: m.parts[i].id, Model: s.Model, Serial: s.Serial, Firmware: s.Firmware}
	if s.ID != "" {
		m.abilities(&out, d, s)
	}
	out.Online = s.Connected && s.Ready
	out.Jammed, out.BoxOut = s.Jammed || s.State == cash.StateCoinMechJammed, s.CashboxRemoved
	out.Full = s.StackerFull || s.DeviceFull
	m.settled(i, &out, s.HasPayout)
	out.Moving = s.Moving || s.Escrow != nil || s.MultiHeld.Pieces() > 0 || s.Operation != ""
	store, box, err := cash.Counts(nil), cash.Counts(nil), error(nil)
	if s.ID != "" {
		store, box, err = m.Till.Stock(m.ctx, s.ID)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.parts[i]
	if err == nil { // else as last read: the ledger is away
		p.store, p.box = pieces(store, s), pieces(box, s)
	}
	out.Store, out.Box, out.InDoubt = maps.Clone(p.store), maps.Clone(p.box), p.doubt
	return out
}

// settled remembers the picture of a machine that is ready, and completes that of one that is not with it. A jam, and a
// cashbox that is out, may be found before it is ready; only a machine that is ready says that they are over, for each
// new connection begins without them. Of one that never was, with a store, the store is not known.
func (m *Mechanism) settled(i int, out *upos.Part, hasStore bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.parts[i]
	if out.Online {
		now := ownLists(*out)
		p.ready, p.jammed, p.boxOut = &now, out.Jammed, out.BoxOut
		return
	}
	p.jammed, p.boxOut = p.jammed || out.Jammed, p.boxOut || out.BoxOut
	if p.ready != nil {
		*out = ownLists(*p.ready)
	} else {
		out.StoreUntold = hasStore
	}
	out.Online, out.Jammed, out.BoxOut = false, p.jammed, p.boxOut
}

// ownLists returns the part with lists of its own.
func ownLists(p upos.Part) upos.Part {
	p.Accepts, p.Holds, p.Pays = slices.Clone(p.Accepts), slices.Clone(p.Holds), slices.Clone(p.Pays)
	return p
}

// abilities fills in what the hardware can do.
func (m *Mechanism) abilities(out *upos.Part, d devices.Device, s *devices.Snapshot) {
	out.Bills = !s.Coins
	kept := true
	for _, ch := range s.Channels {
		p := piece(ch.Denom, s)
		stored := s.HasPayout && ch.Recyclable
		if !ch.Inhibited {
			out.Accepts = append(out.Accepts, p)
			kept = kept && stored && ch.ToPayout
		}
		if stored {
			out.Holds = append(out.Holds, p)
		}
		if stored && ch.ToPayout {
			out.Pays = append(out.Pays, p)
		}
	}
	for _, list := range [][]upos.Piece{out.Accepts, out.Holds, out.Pays} {
		slices.SortFunc(list, func(a, b upos.Piece) int { return int(a.Value - b.Value) })
	}
	_, floats := d.(devices.Floater)
	out.CanPause, out.CanFull, out.CanUpdate = len(out.Accepts) > 0, true, m.Downloader != nil
	out.CanRepay, out.CanFloat = kept && len(out.Accepts) > 0, floats && s.HasPayout
}

// piece is a denomination of a machine in the words of UnifiedPOS.
func piece(d cash.Denom, s *devices.Snapshot) upos.Piece {
	return upos.Piece{Value: d.Value, Currency: d.Currency, Bill: !s.Coins}
}

func pieces(c cash.Counts, s *devices.Snapshot) upos.Pieces {
	out := upos.Pieces{}
	for d, n := range c {
		if n != 0 {
			out[piece(d, s)] = n
		}
	}
	return out
}

// differs says whether something of a part changed that upos.Change calls its status.
func differs(a, b upos.Part) bool {
	return a.Online != b.Online || a.Jammed != b.Jammed || a.Full != b.Full || a.BoxOut != b.BoxOut || a.InDoubt != b.InDoubt ||
		!maps.Equal(a.Store, b.Store) || !maps.Equal(a.Box, b.Box) || !reflect.DeepEqual(a.Pays, b.Pays)
}

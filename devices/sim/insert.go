package sim

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Insert is what a customer feeds in: Count notes or coins one after the other (0 means 1), or a ticket.
type Insert struct {
	Value      int64  `json:"value"` // minor units
	Currency   string `json:"currency"`
	Count      int    `json:"count"`
	Fraud      bool   `json:"fraud"`      // a fraud attempt; Value may be 0
	Unreadable bool   `json:"unreadable"` // a reject; Value may be 0
	Barcode    string `json:"barcode"`    // a ticket, not money
}

// Where an insert is.
const (
	InPath     = "path"
	InEscrow   = "escrow"
	InPayout   = "payout"
	InCashbox  = "cashbox"
	IsReturned = "returned"
)

// InsertState is what became of an insert. With several pieces, State is that of the piece that is least far ("path"
// until the last has arrived), else of the last, and WireAt has the times of the last.
type InsertState struct {
	ID    string `json:"id"`
	State string `json:"state"`
	// WireAt says for ESCROW, CREDIT, STORED, STACKED and REJECTED when the reply that carried that event first left.
	WireAt map[string]time.Time `json:"wire_at"`
}

// piece is one thing in the path of a machine.
type piece struct {
	d          denom
	channel    byte // 0: not in the dataset
	isMoney    bool // false: a ticket, or something without a value, which the stock does not count
	fraud      bool
	unreadable bool
	barcode    string
	rec        *record
}

// arrived notes that the piece has come to rest.
func (p *piece) arrived(at string) { p.rec.arrived(at) }

// Insert feeds something in. It returns at once with an id for World.InsertState. ErrRefused when the machine cannot
// take it into its path, ErrInvalid for a request that makes no sense. An acceptor that is off, or does not want this
// denomination, takes nothing and has no error: the pieces count as inserted and returned.
func (m *Machine) Insert(in Insert) (id string, err error) {
	if in.Count == 0 {
		in.Count = 1
	}
	if err := m.checkInsert(in); err != nil {
		return "", err
	}
	m.enter(func() {
		switch {
		case m.stopped, !m.power, !m.booted:
			err = fmt.Errorf("%w: it is off; use fault power_on and wait", ErrRefused)
			return
		case !m.plugged:
			err = fmt.Errorf("%w: it is unplugged; use fault plug", ErrRefused)
			return
		}
		if err = m.mech.room(in.Count); err != nil {
			return
		}
		rec := m.line.world.inserts.add(in.Count)
		pieces := make([]*piece, in.Count)
		for i := range pieces {
			d := denom{in.Value, in.Currency}
			pieces[i] = &piece{d: d, channel: m.channel(d), isMoney: in.Value > 0, fraud: in.Fraud,
				unreadable: in.Unreadable, barcode: in.Barcode, rec: rec}
		}
		if in.Value > 0 {
			m.stock.feed(pieces[0].d, in.Count)
		}
		m.mech.insert(pieces)
		id = rec.id
	})
	return id, err
}

func (m *Machine) checkInsert(in Insert) error {
	free := in.Fraud || in.Unreadable || in.Barcode != ""
	switch {
	case in.Count < 0 || in.Count > maxInsert:
		return fmt.Errorf("%w: count %d, use 1 to %d", ErrInvalid, in.Count, maxInsert)
	case in.Value == 0 && in.Currency == "" && free:
	case in.Value < 1 || in.Value > math.MaxUint32 || !isCurrency(in.Currency):
		return fmt.Errorf("%w: value %d of currency %q; use minor units and three capitals", ErrInvalid, in.Value, in.Currency)
	}
	switch {
	case in.Barcode == "":
	case m.prof.Family != familyNote:
		return fmt.Errorf("%w: a %s takes no tickets", ErrInvalid, m.prof.Name)
	case in.Value != 0 || in.Fraud || in.Unreadable || len(in.Barcode) > 24:
		return fmt.Errorf("%w: a ticket has a barcode of up to 24 characters and nothing else", ErrInvalid)
	}
	return nil
}

const maxInsert = 10000

// record is an insert as the simulator follows it.
type record struct {
	id string

	mu     sync.Mutex
	left   int // pieces still under way
	at     string
	wireAt map[string]time.Time
}

func (r *record) state() InsertState {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := InsertState{ID: r.id, State: r.at, WireAt: map[string]time.Time{}}
	for k, t := range r.wireAt {
		s.WireAt[k] = t
	}
	return s
}

// moved notes that a piece of the insert is in escrow or on the way again.
func (r *record) moved(at string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = at
}

// arrived notes that a piece of the insert has come to rest.
func (r *record) arrived(at string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left--; r.left > 0 {
		at = InPath
	}
	r.at = at
}

// onWire notes when the reply that carries an event left the machine; a repeat of the reply changes nothing.
func (r *record) onWire(s *stamp, t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !s.done {
		s.done = true
		r.wireAt[s.event] = t.UTC()
	}
}

// insertBook finds inserts by id. It forgets the oldest beyond bookSize.
type insertBook struct {
	next  atomic.Uint64
	mu    sync.Mutex
	byID  map[string]*record
	order []string
}

const bookSize = 20000

func (b *insertBook) add(pieces int) *record {
	r := &record{id: fmt.Sprintf("ins-%06d", b.next.Add(1)), left: pieces, at: InPath, wireAt: map[string]time.Time{}}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byID == nil {
		b.byID = map[string]*record{}
	}
	b.byID[r.id] = r
	if b.order = append(b.order, r.id); len(b.order) > bookSize {
		delete(b.byID, b.order[0])
		b.order = b.order[1:]
	}
	return r
}

func (b *insertBook) find(id string) *record {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.byID[id]
}

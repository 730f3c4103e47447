package sim

import (
	"fmt"
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

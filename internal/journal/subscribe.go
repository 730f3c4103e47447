package journal

import (
	"sync"

	"coffer/internal/cash"
)

// subscribers are those who want to see each new row.
type subscribers struct {
	mu   sync.Mutex
	open map[chan cash.Entry]struct{}
	done bool
}

// Subscribe returns a channel of every row committed from now on, in order, and a function that ends it. size is how
// many rows may wait in it, at least 1. The channel is closed when it is full and a row comes, when cancel is called,
// and when the ledger is closed: a writer never waits for a reader. Whoever lost rows gets them with Entries.
func (j *Journal) Subscribe(size int) (rows <-chan cash.Entry, cancel func()) {
	c := make(chan cash.Entry, max(size, 1))
	s := &j.subs
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		close(c)
		return c, func() {}
	}
	if s.open == nil {
		s.open = map[chan cash.Entry]struct{}{}
	}
	s.open[c] = struct{}{}
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.drop(c)
	}
}

// drop ends one subscription; mu is held.
func (s *subscribers) drop(c chan cash.Entry) {
	if _, ok := s.open[c]; ok {
		delete(s.open, c)
		close(c)
	}
}

// publish hands rows to all subscribers and drops those that have no room.
func (s *subscribers) publish(rows []cash.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		if !offer(c, rows) {
			s.drop(c)
		}
	}
}

// offer puts rows into c as far as there is room, and says whether there was room for all.
func offer(c chan cash.Entry, rows []cash.Entry) bool {
	for _, e := range rows {
		select {
		case c <- e:
		default:
			return false
		}
	}
	return true
}

func (s *subscribers) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = true
	for c := range s.open {
		s.drop(c)
	}
}

package cashdevice

import "sync"

// Bounds of a queue that nobody reads. Above maxEvents the oldest news of the device's state go first; what tells of
// money stays, up to a number that only a forgotten client reaches.
const (
	maxEvents = 1000
	maxMoney  = 100_000
)

// happening is one entry of the answer to GetDeviceStatus.
type happening struct {
	money bool // never dropped for being old
	body  object
}

// message is the sentence of an entry, "" for none.
func (h happening) message() string {
	for _, m := range h.body {
		if text, ok := m.value.(string); ok && m.name == "message" {
			return text
		}
	}
	return ""
}

// queue holds what a client has not fetched yet. Safe for use from any goroutine.
type queue struct {
	mu      sync.Mutex
	entries []happening
	states  int // entries without money
	dropped int // money entries lost since the last drain
}

// add appends what happened.
func (q *queue) add(h ...happening) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range h {
		q.entries = append(q.entries, e)
		if !e.money {
			q.states++
		}
		if len(q.entries) > maxEvents && q.states > 0 {
			q.dropState()
		}
		if len(q.entries) > maxMoney {
			q.entries = q.entries[1:]
			q.dropped++
		}
	}
}

// dropState removes the oldest entry that is no money. The caller holds mu and knows that there is one.
func (q *queue) dropState() {
	for i, e := range q.entries {
		if !e.money {
			q.entries = append(q.entries[:i:i], q.entries[i+1:]...)
			q.states--
			return
		}
	}
}

// drain takes all entries out. dropped is how many were lost before them.
func (q *queue) drain() (entries []happening, dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	entries, dropped = q.entries, q.dropped
	q.entries, q.states, q.dropped = nil, 0, 0
	return entries, dropped
}

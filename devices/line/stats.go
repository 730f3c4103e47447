package line

import (
	"sync"
	"sync/atomic"
)

// stats are the counters behind State.
type stats struct {
	exchanges, retries, timeouts, crc, opens atomic.Uint64

	mu   sync.Mutex
	open bool
	err  error
}

// setOpen returns what open was before.
func (s *stats) setOpen(open bool, err error) (before bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, s.open, s.err = s.open, open, err
	if open && !before {
		s.opens.Add(1)
	}
	return before
}

func (s *stats) state() State {
	s.mu.Lock()
	open, err := s.open, s.err
	s.mu.Unlock()
	return State{
		Open:      open,
		Err:       err,
		Exchanges: s.exchanges.Load(),
		Retries:   s.retries.Load(),
		Timeouts:  s.timeouts.Load(),
		CRCErrors: s.crc.Load(),
		Opens:     s.opens.Load(),
	}
}

package upos

import (
	"maps"
	"time"
)

// Saved is what of a device's statistics outlasts the process.
type Saved struct {
	Installed time.Time        `json:"installed"` // when the device was run first
	Powered   time.Duration    `json:"powered"`   // how long it was run, in nanoseconds
	Counters  map[string]int64 `json:"counters"`
	Base      map[string]int64 `json:"base"` // what each counter had when it was last set, minus the value it was set to
}

// Keeper keeps the statistics of all devices, by name, from one start to the next.
type Keeper interface {
	// Load returns what was saved last, empty for nothing.
	Load() (map[string]Saved, error)
	// Save replaces all of it.
	Save(map[string]Saved) error
}

// How soon a counter that has changed is saved, and how often the time that a device was run.
const (
	saveSoon  = 10 * time.Second
	saveHours = time.Hour
)

// resume takes up what was saved of the devices. Counters that cannot be read begin anew: they are no money.
func (s *Service) resume() {
	if s.opts.Statistics == nil {
		return
	}
	saved, err := s.opts.Statistics.Load()
	if err != nil {
		s.opts.Log.Warnf("upos: statistics begin anew, they could not be read: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		if was, ok := saved[d.cfg.Name]; ok {
			d.stats.resume(was)
		}
	}
	s.keeping.Go(s.keep)
}

// resume goes on where was ended; something may have been counted already.
func (s *statistics) resume(was Saved) {
	for name, n := range was.Counters {
		s.counters[name] += n
	}
	maps.Copy(s.base, was.Base)
	s.before = was.Powered
	if !was.Installed.IsZero() {
		s.installed = was.Installed
	}
}

// powered is how long the device was run, in this life and those before.
func (s *statistics) powered(now time.Time) time.Duration { return s.before + now.Sub(s.since) }

// keep saves what has changed until the service ends, and then once more.
func (s *Service) keep() {
	every := time.NewTicker(saveSoon)
	defer every.Stop()
	last, broken := time.Now(), false
	for {
		ended := false
		select {
		case <-every.C:
		case <-s.ctx.Done():
			ended = true
		}
		all, changed := s.toSave()
		if !changed && !ended && time.Since(last) < saveHours {
			continue
		}
		err := s.opts.Statistics.Save(all)
		if err != nil && !broken {
			s.opts.Log.Warnf("upos: statistics are not saved: %v", err)
		}
		if broken = err != nil; broken {
			s.unsaved()
		} else {
			last = time.Now()
		}
		if ended {
			return
		}
	}
}

// toSave is what there is to save, and whether a counter has changed since the last time.
func (s *Service) toSave() (all map[string]Saved, changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all = make(map[string]Saved, len(s.devices))
	for _, d := range s.devices {
		st := &d.stats
		all[d.cfg.Name] = Saved{st.installed, st.powered(s.opts.Now()), maps.Clone(st.counters), maps.Clone(st.base)}
		changed = changed || st.dirty
		st.dirty = false
	}
	return all, changed
}

// unsaved has the next look save again.
func (s *Service) unsaved() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		d.stats.dirty = true
	}
}

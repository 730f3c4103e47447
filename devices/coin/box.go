package coin

import (
	"coffer/devices"
	"coffer/internal/cash"
)

// boxTally keeps the counter of coins that were sent to the cashbox beside the coins that were told to be there.
type boxTally struct {
	last uint32 // of the counter
	open int    // coins that the counter has and no event has told yet
}

// boxCounter returns the machine's count of coins sent to the cashbox (ssp.md section 10.12); not every firmware has it.
func boxCounter(p *devices.Snapshot) (uint32, bool) {
	switch {
	case p.CounterKind == cash.CountersHopper && len(p.Counters) == 6:
		return p.Counters[3], true
	case p.CounterKind == cash.CountersCoin && len(p.Counters) == 9:
		return p.Counters[8], true
	}
	return 0, false
}

// follow begins anew where the counters were read by others.
func (b *boxTally) follow(p *devices.Snapshot) {
	if n, ok := boxCounter(p); ok && n != b.last {
		*b = boxTally{last: n}
	}
}

// boxed says whether n coins that should be in the hopper, whose levels do not show them, have gone into the cashbox: its
// counter has that many more. A hopper that is jammed takes none, and what was assumed of its coins could not be compared
// with its books until it moves again.
func (d *driver) boxed(n int) (bool, error) {
	p := d.core.Picture()
	if _, ok := boxCounter(p); !ok || p.Operation != "" {
		return false, nil
	}
	d.box.follow(p)
	if d.box.open < n {
		if err := d.core.ReadCounters(); err != nil {
			return false, err
		}
		now, _ := boxCounter(d.core.Picture())
		d.box = boxTally{last: now, open: d.box.open + int(now-d.box.last)}
	}
	return d.box.open >= n, nil
}

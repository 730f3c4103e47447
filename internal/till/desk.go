package till

import "coffer/internal/cash"

// desk is what the till knows of one device beyond the ledger.
type desk struct {
	owner     string // of the lease, "" for none
	autoClear bool
	cashbox   bool // removed, as last reported
	running   *Operation
}

// desk returns dev's desk. The caller holds t.mu.
func (t *Till) desk(dev cash.DeviceID) *desk {
	d := t.desks[dev]
	if d == nil {
		d = &desk{}
		t.desks[dev] = d
	}
	return d
}

package upos

// view is what the machines amount to in the statuses of the standard, with the numbers of the CashChanger.
type view struct {
	level  int32 // CHAN_STATUS_OK, _EMPTY or _NEAREMPTY
	full   int32 // CHAN_STATUS_OK, _FULL or _NEARFULL
	jam    bool
	online bool
	boxOut bool
}

// look sums the parts up; service is 0 for all of them or the number of one.
func (d *device) look(parts []Part, service int32) view {
	v := view{online: true}
	for i, p := range parts {
		if service != 0 && int(service) != i+1 {
			continue
		}
		v.jam = v.jam || p.Jammed
		v.online = v.online && p.Online
		v.boxOut = v.boxOut || p.BoxOut
		v.level = worse(v.level, d.levelOf(p))
		v.full = worse(v.full, d.fullOf(p))
	}
	return v
}

// worse picks the status that wins: EMPTY over NEAREMPTY, FULL over NEARFULL, anything over OK.
func worse(a, b int32) int32 {
	if a == CHAN_STATUS_OK || b != CHAN_STATUS_OK && b < a {
		return b
	}
	return a
}

// levelOf looks at the pieces that a part is meant to pay.
func (d *device) levelOf(p Part) int32 {
	level := CHAN_STATUS_OK
	for _, piece := range p.Pays {
		switch n := p.Store[piece]; {
		case n <= 0:
			return CHAN_STATUS_EMPTY
		case n <= d.cfg.NearEmpty:
			level = CHAN_STATUS_NEAREMPTY
		}
	}
	return level
}

// fullOf looks at what a part says, and at the configured thresholds: a denomination of the store, or the cashbox of a
// machine without store.
func (d *device) fullOf(p Part) int32 {
	if p.Full && p.CanFull {
		return CHAN_STATUS_FULL
	}
	if d.cfg.NearFull == 0 {
		return CHAN_STATUS_OK
	}
	if len(p.Holds) == 0 && count(p.Box) >= d.cfg.NearFull {
		return CHAN_STATUS_NEARFULL
	}
	for _, n := range p.Store {
		if n >= d.cfg.NearFull {
			return CHAN_STATUS_NEARFULL
		}
	}
	return CHAN_STATUS_OK
}

// anyJam asks the machinery. The caller does not hold mu.
func (d *device) anyJam() bool { return d.look(d.parts(), 0).jam }

// deviceStatus is DeviceStatus: JAM wins.
func (v view) deviceStatus() int32 {
	if v.jam {
		return CHAN_STATUS_JAM
	}
	return v.level
}

// dispenserStatus is DispenserStatus, whose numbers are its own.
func (v view) dispenserStatus() int32 {
	return map[int32]int32{CHAN_STATUS_OK: COIN_STATUS_OK, CHAN_STATUS_EMPTY: COIN_STATUS_EMPTY,
		CHAN_STATUS_NEAREMPTY: COIN_STATUS_NEAREMPTY, CHAN_STATUS_JAM: COIN_STATUS_JAM}[v.deviceStatus()]
}

// report compares with what was reported last and queues an event for every change, at every handle that has the device
// enabled. The caller holds mu.
func (d *device) report(parts []Part) {
	old, now := d.seen, d.look(parts, 0)
	d.seen = now
	d.enabled(func(h *Handle) {
		if h.powerNotify == PN_ENABLED && old.online != now.online && !now.online {
			h.power(false)
		}
		h.reportStatus(old, now)
		if h.powerNotify == PN_ENABLED && old.online != now.online && now.online {
			h.power(true)
		}
	})
	if old.online && !now.online {
		d.stats.add("CommunicationErrorCount", 1)
	}
}

// reportStatus queues the events of the class. The caller holds mu.
func (h *Handle) reportStatus(old, now view) {
	if h.class == CoinDispenser {
		if old.dispenserStatus() != now.dispenserStatus() {
			h.status(now.dispenserStatus(), "DispenserStatus")
		}
		return
	}
	if old.jam != now.jam {
		code := CHAN_STATUS_JAMOK
		if now.jam {
			code = CHAN_STATUS_JAM
		}
		h.status(code, "DeviceStatus", "DepositStatus")
	}
	if old.level != now.level && h.class.dispenses() {
		h.status(orOK(now.level, CHAN_STATUS_EMPTYOK), "DeviceStatus")
	}
	if old.full != now.full && h.class.accepts() {
		h.status(orOK(now.full, CHAN_STATUS_FULLOK), "FullStatus")
	}
}

// orOK is the event for a status: the status itself, or the one that says that all is well again.
func orOK(status, ok int32) int32 {
	if status == CHAN_STATUS_OK {
		return ok
	}
	return status
}

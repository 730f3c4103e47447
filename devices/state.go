package devices

import (
	"coffer/internal/cash"
	"coffer/ssp"
)

// StateRule says how an event shows in the state of a device.
type StateRule struct {
	State cash.State
	// Via is entered first if the device is in neither state, so that a caller sees the usual order even if the machine
	// was faster than the polls. StateNotConnected, the zero value, means none.
	Via cash.State
	// Rank orders what stands in one answer: the highest is the state.
	Rank int
	// Moment: the event tells of a moment. Its state is entered where it stands in the answer, and is over with the
	// next one.
	Moment bool
}

// Ranks of the conditions that can stand together in one answer.
const (
	RankMaintenance = 10 * (iota + 1)
	RankFull
	RankCalibration
	RankAccepting
	RankRejecting
	RankCashbox
	RankInitialising
	RankOperation
	RankBezel
	RankPathOpen
	RankFault
	RankRecovery
)

// sharedRules are the states of events that every family can report (ssp.md section 11.3, specs/itl-rest.md section
// 6.8).
var sharedRules = map[ssp.EventCode]StateRule{
	ssp.EvDispensing:          {State: cash.StateDispensing, Rank: RankOperation},
	ssp.EvDispensed:           {State: cash.StateDispensing, Rank: RankOperation},
	ssp.EvFloating:            {State: cash.StateFloating, Rank: RankOperation},
	ssp.EvFloated:             {State: cash.StateFloating, Rank: RankOperation},
	ssp.EvSmartEmptying:       {State: cash.StateEmptying, Rank: RankOperation},
	ssp.EvSmartEmptied:        {State: cash.StateEmptying, Rank: RankOperation},
	ssp.EvEmptying:            {State: cash.StateEmptying, Rank: RankOperation},
	ssp.EvEmptied:             {State: cash.StateEmptying, Rank: RankOperation},
	ssp.EvJammed:              {State: cash.StateError, Rank: RankFault},
	ssp.EvJamRecovery:         {State: cash.StateJamRecovery, Rank: RankRecovery},
	ssp.EvErrorDuringPayout:   {State: cash.StateError, Moment: true},
	ssp.EvFraudAttempt:        {State: cash.StateFraudAttempt, Moment: true},
	ssp.EvCashboxRemoved:      {State: cash.StateCashboxRemoved, Rank: RankCashbox},
	ssp.EvCashboxReplaced:     {State: cash.StateCashboxReplace, Moment: true},
	ssp.EvDeviceFull:          {State: cash.StateDeviceFull, Rank: RankFull},
	ssp.EvMaintenanceRequired: {State: cash.StateMaintenanceRequired, Rank: RankMaintenance},
	ssp.EvInitialising:        {State: cash.StateInitialising, Rank: RankInitialising},
	ssp.EvCalibrationFailed:   {State: cash.StateCalibrationFailed, Rank: RankCalibration},
	ssp.EvPayoutOutOfService:  {State: cash.StateError, Rank: RankFault},
}

// Step is a state that an answer brings. It is entered just before the event at index At is told; At may be the number
// of events.
type Step struct {
	At    int
	State cash.State
}

// Walk returns the states that an answer brings to a device in state now. rule gives the rule of an event, rest is the
// state when nothing stands in the answer. Only changes are returned.
func Walk(rule func(ssp.EventCode) (StateRule, bool), now, rest cash.State, answer []ssp.Event) []Step {
	standing, first := StateRule{Rank: -1}, -1
	moments := false
	for i, e := range answer {
		r, ok := rule(e.Code)
		switch {
		case !ok:
		case r.Moment:
			moments = true
		default:
			if first < 0 {
				first = i
			}
			if r.Rank > standing.Rank {
				standing = r
			}
		}
	}
	w := walker{now: now}
	for i, e := range answer {
		if i == first {
			w.enter(i, standing)
		}
		if r, ok := rule(e.Code); ok && r.Moment {
			w.enter(i, r)
		}
	}
	if first < 0 && !moments {
		w.enter(len(answer), StateRule{State: rest})
	}
	return w.steps
}

type walker struct {
	now   cash.State
	steps []Step
}

func (w *walker) enter(at int, r StateRule) {
	if w.now == r.State {
		return
	}
	if r.Via != cash.StateNotConnected && w.now != r.Via {
		w.steps = append(w.steps, Step{at, r.Via})
	}
	w.steps = append(w.steps, Step{at, r.State})
	w.now = r.State
}

// rule returns the rule of an event: the family's own, else the shared one.
func (c *Core) rule(code ssp.EventCode) (StateRule, bool) {
	if r, ok := c.driver.State(code); ok {
		return r, true
	}
	r, ok := sharedRules[code]
	return r, ok
}

// resting is the state of a machine with nothing but what its acceptor is set to in its answer.
func (c *Core) resting(answer []ssp.Event) cash.State {
	if s, ok := c.stepState(); ok {
		return s
	}
	if r, ok := c.driver.(Rester); ok {
		if s, busy := r.Resting(); busy {
			return s
		}
	}
	switch {
	case c.pic.CashboxRemoved:
		return cash.StateCashboxRemoved
	case !c.pic.AcceptorEnabled, has(answer, ssp.EvDisabled):
		return cash.StateDisabled
	case has(answer, ssp.EvChannelDisable):
		return cash.StateChannelDisable
	}
	return cash.StateIdle
}

func has(answer []ssp.Event, code ssp.EventCode) bool {
	for _, e := range answer {
		if e.Code == code {
			return true
		}
	}
	return false
}

package devices_test

import (
	"slices"
	"testing"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

func TestWalk(t *testing.T) {
	rules := map[ssp.EventCode]devices.StateRule{
		ssp.EvRead:            {State: cash.StateAccepting, Rank: devices.RankAccepting},
		ssp.EvRejecting:       {State: cash.StateRejecting, Rank: devices.RankRejecting},
		ssp.EvRejected:        {State: cash.StateRejected, Via: cash.StateRejecting, Moment: true},
		ssp.EvDispensing:      {State: cash.StateDispensing, Rank: devices.RankOperation},
		ssp.EvNoteHeldInBezel: {State: cash.StateNoteHeldInBezel, Via: cash.StateDispensing, Rank: devices.RankBezel},
		ssp.EvCashboxReplaced: {State: cash.StateCashboxReplace, Moment: true},
		ssp.EvJammed:          {State: cash.StateError, Rank: devices.RankFault},
	}
	rule := func(c ssp.EventCode) (devices.StateRule, bool) {
		r, ok := rules[c]
		return r, ok
	}
	tests := map[string]struct {
		now    cash.State
		answer []ssp.EventCode
		want   []devices.Step
	}{
		"nothing, at rest":       {cash.StateIdle, nil, nil},
		"nothing, before not":    {cash.StateAccepting, nil, []devices.Step{{At: 0, State: cash.StateIdle}}},
		"no rule":                {cash.StateAccepting, []ssp.EventCode{ssp.EvDisabled}, []devices.Step{{At: 1, State: cash.StateIdle}}},
		"stands":                 {cash.StateIdle, []ssp.EventCode{ssp.EvRead}, []devices.Step{{At: 0, State: cash.StateAccepting}}},
		"still stands":           {cash.StateAccepting, []ssp.EventCode{ssp.EvRead}, nil},
		"the higher rank":        {cash.StateIdle, []ssp.EventCode{ssp.EvDispensing, ssp.EvJammed}, []devices.Step{{At: 0, State: cash.StateError}}},
		"moment":                 {cash.StateIdle, []ssp.EventCode{ssp.EvCashboxReplaced}, []devices.Step{{At: 0, State: cash.StateCashboxReplace}}},
		"moment by way of":       {cash.StateAccepting, []ssp.EventCode{ssp.EvRejected}, []devices.Step{{At: 0, State: cash.StateRejecting}, {At: 0, State: cash.StateRejected}}},
		"moment, was on its way": {cash.StateRejecting, []ssp.EventCode{ssp.EvRejected}, []devices.Step{{At: 0, State: cash.StateRejected}}},
		"both in one answer": {cash.StateAccepting, []ssp.EventCode{ssp.EvRejecting, ssp.EvRejected},
			[]devices.Step{{At: 0, State: cash.StateRejecting}, {At: 1, State: cash.StateRejected}}},
		"moment, then the next note": {cash.StateRejecting, []ssp.EventCode{ssp.EvRejected, ssp.EvRead},
			[]devices.Step{{At: 0, State: cash.StateRejected}, {At: 1, State: cash.StateAccepting}}},
		"bezel by way of dispensing": {cash.StateIdle, []ssp.EventCode{ssp.EvDispensing, ssp.EvNoteHeldInBezel},
			[]devices.Step{{At: 0, State: cash.StateDispensing}, {At: 0, State: cash.StateNoteHeldInBezel}}},
		"bezel while dispensing": {cash.StateDispensing, []ssp.EventCode{ssp.EvDispensing, ssp.EvNoteHeldInBezel},
			[]devices.Step{{At: 0, State: cash.StateNoteHeldInBezel}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var answer []ssp.Event
			for _, c := range tc.answer {
				answer = append(answer, ssp.Event{Code: c})
			}
			if got := devices.Walk(rule, tc.now, cash.StateIdle, answer); !slices.Equal(got, tc.want) {
				t.Errorf("%v, want %v", got, tc.want)
			}
		})
	}
}

package cash

import "fmt"

// CloseWhole returns how an operation over several machines has ended, once each of its legs has an outcome, if that is
// not what is written of it already: as the sum of its legs. A leg of unknown outcome makes the whole unknown; a person
// settles the leg, and thereby the whole. The detail of a whole that moved less than was asked says what is owed.
func CloseWhole(whole Op, legs []Op) (OpClose, bool) {
	if !whole.Open() || len(legs) == 0 {
		return OpClose{}, false
	}
	unknown, done, paid := false, true, Counts{}
	for _, leg := range legs {
		if leg.State == "" {
			return OpClose{}, false
		}
		unknown = unknown || leg.State == OpUnknown
		done = done && leg.State == OpDone
		paid = paid.Plus(leg.Paid)
	}
	if unknown && whole.State == OpUnknown {
		return OpClose{}, false
	}
	c := OpClose{ID: whole.ID, Result: OpPartial, Paid: paid}
	total := paid.Total(whole.Asked.Currency).Value
	switch {
	case unknown:
		c.Result, c.Detail = OpUnknown, "a leg is to be settled"
		return c, true
	case done, total >= whole.Asked.Value:
		c.Result = OpDone
		return c, true
	case total == 0:
		c.Result = OpFailed
	}
	c.Detail = fmt.Sprintf("owed: %s", Amount{Value: whole.Asked.Value - total, Currency: whole.Asked.Currency})
	if total == 0 && legs[0].Detail != "" {
		c.Detail = legs[0].Detail + "; " + c.Detail // why the first did not begin
	}
	return c, true
}

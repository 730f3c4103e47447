package devices

import (
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// lostEnd is how long a machine may show nothing of an operation before its end counts as lost.
const lostEnd = 5 * time.Second

// operation is what the machine is doing with its store.
type operation struct {
	running bool
	kind    cash.OpKind
	total   int64       // minor units moved so far, as the machine says
	seen    time.Time   // when an answer showed it last, or when it was begun
	levels  cash.Counts // the store when pieces were last accounted for
	booked  int64       // total then
	jammed  bool        // it has jammed
	diverts bool        // something of it went to the cashbox
	steps   Steps       // it is made of steps; nil for one command
	done    int64       // minor units moved by the steps that are over
}

// begin is called when a command was taken, or when an answer shows an operation that was not known to run.
func (c *Core) begin(kind cash.OpKind, levels cash.Counts) {
	c.op = operation{running: true, kind: kind, seen: time.Now(), levels: levels}
	c.Edit(func(s *Snapshot) { s.Operation = kind })
}

// operationOf says which operation an event belongs to, "" for none.
func operationOf(code ssp.EventCode) cash.OpKind {
	switch code {
	case ssp.EvDispensing, ssp.EvDispensed:
		return cash.OpDispense
	case ssp.EvFloating, ssp.EvFloated:
		return cash.OpFloat
	case ssp.EvSmartEmptying, ssp.EvSmartEmptied, ssp.EvEmptying, ssp.EvEmptied:
		return cash.OpEmpty
	}
	return ""
}

// take translates one event, those of operations here and the rest by the family.
func (c *Core) take(e ssp.Event) ([]cash.Event, error) {
	switch e.Code {
	case ssp.EvDispensing, ssp.EvFloating, ssp.EvSmartEmptying, ssp.EvEmptying:
		return c.progress(e)
	case ssp.EvDispensed, ssp.EvFloated, ssp.EvSmartEmptied, ssp.EvEmptied:
		return c.ended(operationOf(e.Code), cash.OpDone, e)
	case ssp.EvHalted:
		return c.ended(c.kind(), cash.OpHalted, e)
	case ssp.EvTimeOut:
		return c.ended(c.kind(), cash.OpTimedOut, e)
	case ssp.EvIncompletePayout:
		return c.ended(cash.OpDispense, cash.OpCut, e)
	case ssp.EvIncompleteFloat:
		return c.ended(cash.OpFloat, cash.OpCut, e)
	case ssp.EvErrorDuringPayout:
		ended, err := c.ended(c.kind(), cash.OpErrored, e)
		return append([]cash.Event{cash.PayoutError{Amount: c.Amount(e)}}, ended...), err
	case ssp.EvCashboxPaid:
		c.op.diverts = true
		if !c.op.running {
			c.AuditSoon()
		}
		return []cash.Event{cash.MovedToCashbox{Amount: c.Amount(e)}}, nil
	case ssp.EvJammed:
		return c.jammed(e), nil
	case ssp.EvJamRecovery:
		c.op.diverts = true
		c.AuditSoon()
		return nil, nil
	case ssp.EvCalibrationFailed:
		if has(c.before, e.Code) {
			return nil, nil
		}
		return []cash.Event{cash.CalibrationFailed{Reason: e.Error}}, nil
	case ssp.EvFraudAttempt:
		return []cash.Event{cash.Fraud{Amount: c.Amount(e)}}, nil
	}
	return c.driver.Take(e)
}

// kind is the kind of the running operation; what a machine ends without one that we know of counts as a payout.
func (c *Core) kind() cash.OpKind {
	if c.op.running {
		return c.op.kind
	}
	return cash.OpDispense
}

// progress follows a running operation. Whenever its total has grown, the levels show which pieces moved, if what they
// fell by is worth just that much.
func (c *Core) progress(e ssp.Event) ([]cash.Event, error) {
	kind := operationOf(e.Code)
	if !c.op.running || c.op.kind != kind {
		c.begin(kind, c.pic.Levels)
	}
	c.op.seen = time.Now()
	total := c.Amount(e)
	total.Value += c.op.done
	return c.advanced(total)
}

// advanced tells that the running operation has moved total, if that is more than was told before.
func (c *Core) advanced(total cash.Amount) ([]cash.Event, error) {
	if total.Value <= c.op.total {
		return nil, nil
	}
	c.op.total = total.Value
	told := cash.Progress{Op: c.op.kind, Total: total}
	levels, err := c.ReadLevels()
	if c.lost != nil {
		return nil, c.lost
	}
	moved := c.op.levels.Minus(levels)
	if err == nil && worth(moved, total.Currency) == total.Value-c.op.booked {
		told.Pieces, c.op.levels, c.op.booked = moved, levels, total.Value
	}
	return []cash.Event{told}, nil
}

// worth is the value of pieces that moved one way, in currency cur; 0 if some moved the other way, or in another
// currency.
func worth(moved cash.Counts, cur cash.Currency) int64 {
	for d, n := range moved {
		if n < 0 || d.Currency != cur {
			return 0
		}
	}
	return moved.Total(cur).Value
}

// ended closes the operation: the machine's books are read before its answer is acknowledged.
func (c *Core) ended(kind cash.OpKind, result cash.OpResult, e ssp.Event) ([]cash.Event, error) {
	total := c.Amount(e)
	if s := c.op.steps; s != nil && c.op.kind == kind {
		if result = s.Ended(result, total); result == "" {
			return c.stepped(total)
		}
		total.Value += c.op.done
	}
	moved := kind != cash.OpDispense || c.op.diverts || result != cash.OpDone || has(c.events, ssp.EvCashboxPaid)
	if kind != cash.OpDispense && c.op.steps != nil {
		moved = false // the machine knows that only of the last step
	}
	acc, err := c.ReadAccount(moved)
	if err != nil {
		if c.lost != nil {
			return nil, c.lost
		}
		c.Log.WithError(err).Warn("operation ended, its levels could not be read")
		c.AuditSoon()
	}
	end := cash.Ended{Op: kind, Result: result, Total: total, Account: acc}
	if e.Code == ssp.EvEmptied { // carries no value
		end.Total.Value = c.op.total
	}
	if result == cash.OpCut {
		end.Asked = c.requested(e)
	}
	c.op = operation{}
	c.Edit(func(s *Snapshot) { s.Operation = "" })
	return []cash.Event{end}, nil
}

// jammed tells a jam once while it lasts. The operation is not over: it may go on once the jam is cleared.
func (c *Core) jammed(e ssp.Event) []cash.Event {
	c.op.jammed, c.op.seen = true, time.Now()
	if has(c.before, e.Code) {
		return nil
	}
	paid := c.Amount(e)
	paid.Value += c.op.done
	return []cash.Event{cash.Jammed{Amount: paid}}
}

// opQuiet ends an operation of which the machine shows nothing any more: its end was lost, or a jam has ended it.
func (c *Core) opQuiet(answer []ssp.Event) {
	if !c.op.running {
		return
	}
	if moving(answer) || c.pic.Jammed {
		c.op.seen = time.Now()
	}
	if time.Since(c.op.seen) < lostEnd {
		return
	}
	result := cash.OpErrored
	if c.op.jammed {
		result = cash.OpJammed
	}
	c.Log.Warn("the machine no longer shows its operation; it counts as ended")
	acc, err := c.ReadAccount(true)
	if err != nil {
		return // again with the next answer
	}
	total := cash.Amount{Value: c.op.total, Currency: c.pic.Currency}
	c.pending = append(c.pending, cash.Ended{Op: c.op.kind, Result: result, Total: total, Account: acc})
	c.op = operation{}
	c.Edit(func(s *Snapshot) { s.Operation = "" })
	c.AuditSoon()
}

// Amount is the value of an event in the currency of the dataset.
func (c *Core) Amount(e ssp.Event) cash.Amount {
	cur := c.pic.Currency
	if len(e.Values) == 1 && e.Values[0].Currency != "" {
		cur = cash.Currency(e.Values[0].Currency)
	}
	if len(e.Values) == 0 {
		d, _ := c.Note(e)
		return cash.Amount{Value: d.Value, Currency: cur}
	}
	return cash.Amount{Value: e.Total(string(cur)), Currency: cur}
}

func (c *Core) requested(e ssp.Event) cash.Amount {
	a := cash.Amount{Currency: c.Amount(e).Currency}
	for _, v := range e.Values {
		if v.Currency == "" || cash.Currency(v.Currency) == a.Currency {
			a.Value += int64(v.Requested)
		}
	}
	return a
}

// Note returns the denomination that an event names by channel or by value; false if it names none.
func (c *Core) Note(e ssp.Event) (cash.Denom, bool) {
	if n := int(e.Channel); n > 0 && n <= len(c.pic.Channels) {
		return c.pic.Channels[n-1].Denom, true
	}
	if len(e.Values) == 1 && e.Values[0].Paid > 0 {
		return c.denom(e.Values[0].Paid, e.Values[0].Currency), true
	}
	return cash.Denom{Currency: c.pic.Currency}, false
}

// evidence translates one event for the time when a machine is drained: without asking, and without believing in what
// came before.
func (c *Core) evidence(e ssp.Event) []cash.Event {
	total := c.Amount(e)
	switch e.Code {
	case ssp.EvDispensed, ssp.EvFloated, ssp.EvSmartEmptied, ssp.EvEmptied:
		return []cash.Event{cash.Ended{Op: operationOf(e.Code), Result: cash.OpDone, Total: total}}
	case ssp.EvHalted:
		return []cash.Event{cash.Ended{Op: c.kind(), Result: cash.OpHalted, Total: total}}
	case ssp.EvTimeOut:
		return []cash.Event{cash.Ended{Op: c.kind(), Result: cash.OpTimedOut, Total: total}}
	case ssp.EvErrorDuringPayout:
		return []cash.Event{cash.Ended{Op: c.kind(), Result: cash.OpErrored, Total: total}}
	case ssp.EvIncompletePayout:
		return []cash.Event{cash.Ended{Op: cash.OpDispense, Result: cash.OpCut, Total: total, Asked: c.requested(e)}}
	case ssp.EvIncompleteFloat:
		return []cash.Event{cash.Ended{Op: cash.OpFloat, Result: cash.OpCut, Total: total, Asked: c.requested(e)}}
	case ssp.EvCashboxPaid:
		return []cash.Event{cash.MovedToCashbox{Amount: total}}
	}
	return c.driver.Evidence(e)
}

// flags brings the picture's flags up to date with an answer, the first of a connection or another.
func (c *Core) flags(answer []ssp.Event, first bool) {
	jammed := has(answer, ssp.EvJammed) || has(answer, ssp.EvSafeJam) || has(answer, ssp.EvUnsafeJam)
	stacker, full := has(answer, ssp.EvStackerFull), has(answer, ssp.EvDeviceFull)
	cashbox := (c.pic.CashboxRemoved && !first || has(answer, ssp.EvCashboxRemoved)) && !has(answer, ssp.EvCashboxReplaced)
	p := &c.pic
	if p.Jammed == jammed && p.StackerFull == stacker && p.DeviceFull == full && p.CashboxRemoved == cashbox {
		return
	}
	c.Edit(func(s *Snapshot) {
		s.Jammed, s.StackerFull, s.DeviceFull, s.CashboxRemoved = jammed, stacker, full, cashbox
	})
}

// showOperation shows what a machine is doing while it is drained.
func (c *Core) showOperation(answer []ssp.Event) {
	kind := cash.OpKind("")
	for _, e := range answer {
		if e.Code.Moving() && operationOf(e.Code) != "" {
			kind = operationOf(e.Code)
		}
	}
	if kind != c.pic.Operation {
		c.Edit(func(s *Snapshot) { s.Operation = kind })
	}
	c.op = operation{running: kind != "", kind: kind} // so that it can be halted
}

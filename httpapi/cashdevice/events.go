package cashdevice

import (
	"fmt"
	"strings"

	"coffer/internal/cash"
)

// story makes the events of one machine into what its REST client is told (specs/itl-rest.md §6.3–6.8). It is a plain
// value without clock or locks; the view owns it.
type story struct {
	told    []happening // since the last take
	running bool        // isRunning in state events
	silent  bool        // stopped: states are followed and not told; money always is

	shown   cash.State // the last state told
	machine cash.State // the last state that the machine reported
	last    string     // stateAsString of the last transaction, "" before the first

	op       *chapter
	closed   string             // ID of the operation that was closed last
	credited map[cash.Denom]int // credits whose place is not known yet
	to       map[cash.Denom]cash.Place
	early    map[cash.Denom]int // pieces told before their place was known
	away     bool               // the connection was lost, and the machine has not been at rest since
	rejected bool               // REJECTED was told for the note in hand

	committing bool // notes of a multi escrow are being taken
}

// chapter is a payout, float or empty under way.
type chapter struct {
	id    string // "" until the till has told it
	kind  cash.OpKind
	total cash.Amount   // moved so far
	moved int64         // of it told as MOVED_TO_CASHBOX
	end   cash.OpResult // the machine's own word for how it ended
	told  bool          // JAMMED or ERROR_DURING_PAYOUT was told already
}

// transaction numbers and names of the manual.
var transactions = map[cash.OpKind]struct {
	number int
	name   string
	state  cash.State
	short  string // cash event of one that moved less than asked
}{
	cash.OpDispense: {0, "PAYOUT", cash.StateDispensing, "INCOMPLETE_PAYOUT"},
	cash.OpFloat:    {1, "FLOAT", cash.StateFloating, "INCOMPLETE_FLOAT"},
	cash.OpEmpty:    {3, "EMPTY", cash.StateEmptying, "INCOMPLETE_FLOAT"},
	opReplenish:     {2, "REPLENISH", cash.StateReplenishing, ""},
}

// opReplenish is a transaction of this API that is no operation of the till: nothing leaves the store by it.
const opReplenish cash.OpKind = "replenish"

// States of a transaction; their numbers are 0, 1, 2.
var transactionStates = []string{"IN_PROGRESS", "COMPLETED", "ERROR"}

func newStory() *story {
	return &story{credited: map[cash.Denom]int{}, to: map[cash.Denom]cash.Place{}, early: map[cash.Denom]int{}}
}

// take returns what was told since the last call.
func (s *story) take() []happening {
	out := s.told
	s.told = nil
	return out
}

// tell adds what a client is told of e. Every kind of event is decided here.
func (s *story) tell(e cash.Event) {
	switch e := e.(type) {
	case cash.StateChanged:
		s.changed(e.State)
	case cash.NoteHeld:
		s.arriving()
		s.money("ESCROW", e.Note.Value, 0, e.Note.Currency)
	case cash.NoteCredited:
		s.credited[e.Note]++
		s.to[e.Note] = e.To
	case cash.NotePlaced:
		s.placed(e.Note, e.To)
	case cash.NoteReturned:
		s.reject()
		s.money("REJECTED", e.Note.Value, 0, e.Note.Currency)
	case cash.NoteRejected:
		s.reject()
	case cash.CoinCredited:
		s.coins(e)
	case cash.NoteInBezel:
		s.enter(cash.StateNoteHeldInBezel)
		s.money("NOTE_IN_BEZEL_HOLD", e.Note.Value, 0, e.Note.Currency)
	case cash.OpStarted, cash.Progress, cash.Ended, cash.OpClosed, cash.Jammed, cash.PayoutError:
		s.operate(e)
	case cash.MovedToCashbox:
		if s.op == nil || s.op.kind == cash.OpDispense { // a float tells its own
			s.money("MOVED_TO_CASHBOX", e.Amount.Value, 0, e.Amount.Currency)
		}
	case cash.ClearedAtPowerUp:
		s.cleared(e)
	case cash.MultiEscrow:
		s.multiEscrow(e)
	case cash.Replenish:
		s.replenish(e)
	case cash.Fraud:
		s.money("FRAUD_ATTEMPT", e.Amount.Value, 0, e.Amount.Currency)
	case cash.CalibrationFailed:
		s.money("CALIBRATION_FAILED", int64(e.Reason), 0, "")
	case cash.RouteSet:
		s.add(true, "SetDenominationRouteFinishedEventResponse", member{"result", e.OK},
			member{"message", "Set denomination route finished: " + truth(e.OK)})
	case cash.CoinRejected, cash.CoinReturnPressed, cash.Filled, cash.CashboxSet, cash.UnknownEvent, cash.Discrepancy:
		// Not in this API: the first four have no event, the others are for the operator, in the ledger and the log.
	}
}

// changed follows the machine's state. At rest in the middle of an operation is told after the operation is closed, so
// that IDLE comes last.
func (s *story) changed(to cash.State) {
	s.machine = to
	switch to {
	case cash.StateNotConnected, cash.StateReset:
		s.away, s.committing = true, false
	case cash.StateIdle, cash.StateDisabled:
		if s.op != nil && s.op.id != "" && !s.away {
			return
		}
		s.settle()
	case cash.StateAccepting:
		s.rejected = false
	case cash.StateRejected:
		s.rejected = true
	case cash.StateDispensing, cash.StateFloating, cash.StateEmptying, cash.StateReplenishing:
		if !s.away {
			s.begin(kindOf(to), "")
		}
	}
	s.enter(to)
}

// enter tells a state, once.
func (s *story) enter(to cash.State) {
	if s.silent || to == s.shown {
		return
	}
	s.shown = to
	s.add(false, "DeviceStatusResponse", member{"state", int(to)}, member{"stateAsString", to.String()},
		member{"isRunning", s.running}, member{"message", "Device state changed: " + to.String()})
}

// arriving tells ACCEPTING for a note of which the machine has not said that it was being read.
func (s *story) arriving() {
	s.rejected = false
	switch s.shown {
	case cash.StateIdle, cash.StateDisabled, cash.StateStarted, cash.StateConnected:
		s.enter(cash.StateAccepting)
	}
}

// reject tells REJECTING and REJECTED where the machine has not.
func (s *story) reject() {
	if s.rejected {
		return
	}
	s.enter(cash.StateRejecting)
	s.enter(cash.StateRejected)
	s.rejected = true
}

// placed tells the one event that carries the value of an accepted note.
func (s *story) placed(note cash.Denom, to cash.Place) {
	if s.early[note] > 0 {
		s.early[note]--
		return
	}
	if s.credited[note]--; s.credited[note] <= 0 {
		delete(s.credited, note)
	}
	if s.committing && to == cash.Payout {
		return
	}
	name := "STORED"
	if to == cash.Cashbox {
		name = "STACKED"
	}
	s.money(name, note.Value, 0, note.Currency)
}

// settle is called when the machine is at rest and nothing more is to come: of an operation that is not the till's, of
// one that the till cannot close, and of notes that were credited before the connection was lost and of whose place no
// word came while the books were reconciled.
func (s *story) settle() {
	if op := s.op; op != nil {
		result := op.end
		if op.id != "" {
			result = cash.OpUnknown
		} else if result == "" {
			result = cash.OpDone
		}
		s.close(cash.OpClosed{ID: op.id, Op: op.kind, Result: result, Asked: op.total, Paid: op.total})
	}
	if !s.away {
		return
	}
	s.away = false
	for note, n := range s.credited {
		to := s.to[note]
		for range n {
			s.placed(note, to)
			s.early[note]++
		}
	}
}

// coins tells one event for each coin.
func (s *story) coins(e cash.CoinCredited) {
	name := "COIN_CREDIT"
	if e.Added {
		name = "VALUE_ADDED"
	}
	for range e.Count {
		s.money(name, e.Coin.Value, 0, e.Coin.Currency)
	}
}

// cleared tells where the machine has moved a note that was in its path at power-up. The manual has no event for one that
// went into the store: STORED tells of it, if it was not told before.
func (s *story) cleared(e cash.ClearedAtPowerUp) {
	switch e.To {
	case cash.Cashbox:
		s.money("NOTE_CLEARED_TO_CASHBOX", e.Note.Value, 0, e.Note.Currency)
	case cash.Customer:
		s.money("NOTE_CLEARED_FROM_FRONT", e.Note.Value, 0, e.Note.Currency)
	}
}

// operate tells payouts, floats and empties.
func (s *story) operate(e cash.Event) {
	switch e := e.(type) {
	case cash.OpStarted:
		if e.ID != s.closed || e.ID == "" {
			s.begin(e.Op, e.ID)
			if e.Op == cash.OpDispense && s.op.total == (cash.Amount{}) { // clients wait for one, and a single piece has no other
				s.money("DISPENSING", 0, 0, e.Asked.Currency)
			}
		}
	case cash.Progress:
		s.begin(e.Op, "")
		s.op.total = e.Total
		if e.Op == cash.OpDispense {
			s.money("DISPENSING", e.Total.Value, 0, e.Total.Currency)
			return
		}
		s.moved(e.Total)
	case cash.Ended:
		if s.op != nil {
			s.op.end, s.op.total = e.Result, e.Total
		}
	case cash.Jammed:
		s.fault("JAMMED", e.Amount)
	case cash.PayoutError:
		s.fault("ERROR_DURING_PAYOUT", e.Amount)
	case cash.OpClosed:
		s.close(e)
	}
}

// begin opens a chapter: by the till's word, which has an ID, or by the machine's, which may come first.
func (s *story) begin(kind cash.OpKind, id string) {
	if s.op != nil && s.op.kind == opReplenish && kind != opReplenish {
		s.settle() // its end was not told
	}
	if s.op != nil {
		if s.op.id == "" {
			s.op.id = id
		}
		return
	}
	s.op = &chapter{id: id, kind: kind}
	s.transaction(0, kind, "")
	s.enter(transactions[kind].state)
}

// moved tells what a float or empty has moved since the last word of it.
func (s *story) moved(total cash.Amount) {
	if more := total.Value - s.op.moved; more > 0 {
		s.op.moved = total.Value
		s.money("MOVED_TO_CASHBOX", more, 0, total.Currency)
	}
}

// fault tells a jam or error with what was paid before it; the end of the operation does not tell it again.
func (s *story) fault(name string, paid cash.Amount) {
	if s.op != nil {
		s.op.told = true
	}
	s.money(name, paid.Value, 0, paid.Currency)
}

// close ends the chapter with its outcome.
func (s *story) close(e cash.OpClosed) {
	if e.ID != "" && e.ID == s.closed {
		return // told already; a person has settled it since
	}
	op := s.op
	if op == nil {
		op = &chapter{kind: e.Op}
	}
	s.op, s.closed = nil, e.ID
	currency := e.Paid.Currency
	if currency == "" {
		currency = e.Asked.Currency
	}
	report := operationData(e, currency)
	if e.Result == cash.OpDone {
		if e.Op == cash.OpDispense {
			s.money("DISPENSED", e.Paid.Value, 0, currency)
		} else if more := e.Paid.Value - op.moved; more > 0 && e.Op != opReplenish {
			s.money("MOVED_TO_CASHBOX", more, 0, currency)
		}
		s.transaction(1, e.Op, report)
	} else {
		s.short(e, op, currency)
		s.transaction(2, e.Op, report)
	}
	if atRest(s.machine) {
		s.enter(s.machine)
	}
}

// atRest says whether a machine in state s does nothing.
func atRest(s cash.State) bool { return s == cash.StateIdle || s == cash.StateDisabled }

// short tells why less was moved than asked.
func (s *story) short(e cash.OpClosed, op *chapter, currency cash.Currency) {
	why := e.Result
	switch e.Result {
	case cash.OpPartial, cash.OpFailed:
		if op.end != "" {
			why = op.end
		}
	}
	switch why {
	case cash.OpHalted:
		s.money("HALTED", e.Paid.Value, 0, currency)
	case cash.OpTimedOut:
		s.money("TIME_OUT", e.Paid.Value, 0, currency)
	case cash.OpJammed:
		if !op.told {
			s.money("JAMMED", e.Paid.Value, 0, currency)
		}
	case cash.OpErrored:
		if !op.told {
			s.money("ERROR_DURING_PAYOUT", e.Paid.Value, 0, currency)
		}
	default:
		s.money(transactions[e.Op].short, e.Paid.Value, e.Asked.Value, currency)
	}
}

// money tells a cash event.
func (s *story) money(name string, value, value2 int64, currency cash.Currency) {
	s.add(true, "CashEventResponse", member{"eventTypeAsString", name}, member{"value", value}, member{"value2", value2},
		member{"countryCode", string(currency)},
		member{"message", fmt.Sprintf("Cash event: %s - Value: %d Value2: %d - CountryCode: %s", name, value, value2, currency)})
}

// transaction tells a step of an operation.
func (s *story) transaction(state int, kind cash.OpKind, report string) {
	name := transactionStates[state]
	s.last = name
	if report == "" {
		report = transactions[kind].name
	}
	s.add(true, "DispenserTransactionEventResponse", member{"state", state}, member{"stateAsString", name},
		member{"transactionType", transactions[kind].number}, member{"operationData", report},
		member{"message", "Dispenser transaction: " + name})
}

func (s *story) add(money bool, kind string, rest ...member) {
	s.told = append(s.told, happening{money, append(object{{"type", kind}}, rest...)})
}

// operationData is the report in a transaction event: "PAYOUT 1500 EUR: 1 x 500 EUR, 1 x 1000 EUR".
func operationData(e cash.OpClosed, currency cash.Currency) string {
	var pieces []string
	for _, r := range e.Pieces.Rows() {
		pieces = append(pieces, fmt.Sprintf("%d x %s", r.Count, r.Denom()))
	}
	text := fmt.Sprintf("%s %d %s", transactions[e.Op].name, e.Paid.Value, currency)
	if len(pieces) > 0 {
		text += ": " + strings.Join(pieces, ", ")
	}
	return text
}

// kindOf is the operation that a state belongs to.
func kindOf(s cash.State) cash.OpKind {
	switch s {
	case cash.StateFloating:
		return cash.OpFloat
	case cash.StateEmptying:
		return cash.OpEmpty
	case cash.StateReplenishing:
		return opReplenish
	}
	return cash.OpDispense
}

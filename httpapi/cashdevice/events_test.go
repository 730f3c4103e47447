package cashdevice

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"coffer/internal/cash"
)

func gbp(v int64) cash.Denom        { return cash.Denom{Value: v, Currency: "GBP"} }
func amount(v int64) cash.Amount    { return cash.Amount{Value: v, Currency: "GBP"} }
func state(s cash.State) cash.Event { return cash.StateChanged{State: s} }

// summary writes what was told as states in capitals, cash events with value and value2, and transactions with their type.
func summary(told []happening) string {
	var out []string
	for _, h := range told {
		text := styles[DotNet].render(nil, h.body)
		var e struct {
			Type, StateAsString, EventTypeAsString, CountryCode string
			Value, Value2                                       int64
			TransactionType                                     *int
			Result                                              *bool
		}
		if err := json.Unmarshal(text, &e); err != nil {
			return err.Error()
		}
		switch {
		case e.Result != nil:
			out = append(out, fmt.Sprintf("route:%v", *e.Result))
		case e.TransactionType != nil:
			out = append(out, fmt.Sprintf("%s/%d", e.StateAsString, *e.TransactionType))
		case e.EventTypeAsString != "" && e.Value2 != 0:
			out = append(out, fmt.Sprintf("%s(%d,%d)", e.EventTypeAsString, e.Value, e.Value2))
		case e.EventTypeAsString != "":
			out = append(out, fmt.Sprintf("%s(%d)", e.EventTypeAsString, e.Value))
		default:
			out = append(out, e.StateAsString)
		}
	}
	return strings.Join(out, " ")
}

// TestOrders holds the story to the event orders of specs/itl-rest.md §6.8 and wire-truths.md.
func TestOrders(t *testing.T) {
	idle, disabled, accepting := state(cash.StateIdle), state(cash.StateDisabled), state(cash.StateAccepting)
	dispensing, lost := state(cash.StateDispensing), state(cash.StateNotConnected)
	started := cash.OpStarted{ID: "1", Op: cash.OpDispense, Asked: amount(1500)}
	progress := func(v int64) cash.Event { return cash.Progress{Op: cash.OpDispense, Total: amount(v)} }
	ended := func(r cash.OpResult, v int64) cash.Event {
		return cash.Ended{Op: cash.OpDispense, Result: r, Total: amount(v)}
	}
	closed := func(r cash.OpResult, paid int64) cash.Event {
		return cash.OpClosed{ID: "1", Op: cash.OpDispense, Result: r, Asked: amount(1500), Paid: amount(paid)}
	}
	tests := []struct {
		name   string
		events []cash.Event
		want   string
	}{
		{"multi escrow, taken", []cash.Event{accepting, cash.NoteHeld{Note: gbp(500)}, cash.NoteHeld{Note: gbp(1000)},
			cash.MultiEscrow{Step: cash.EscrowCommitting, Amount: amount(0)},
			cash.NoteCredited{Note: gbp(500), To: cash.Payout}, cash.NotePlaced{Note: gbp(500), To: cash.Payout},
			cash.NoteCredited{Note: gbp(1000), To: cash.Payout}, cash.NotePlaced{Note: gbp(1000), To: cash.Payout},
			cash.MultiEscrow{Step: cash.EscrowCommitted, Amount: amount(1500)}, idle},
			"ACCEPTING ESCROW(500) ESCROW(1000) MULTIESCROW_COMMITTING(0) MULTIESCROW_COMMITTED(1500) IDLE"},
		{"multi escrow, given back", []cash.Event{accepting, cash.NoteHeld{Note: gbp(500)},
			cash.MultiEscrow{Step: cash.EscrowCancelling, Amount: amount(0)}, cash.NoteReturned{Note: gbp(500), Code: 8},
			cash.MultiEscrow{Step: cash.EscrowCancelled, Amount: amount(500)}, idle},
			"ACCEPTING ESCROW(500) REJECTING REJECTED REJECTED(500) MULTIESCROW_CANCELLED(500) IDLE"},
		{"multi escrow, commit cut short", []cash.Event{accepting, cash.MultiEscrow{Step: cash.EscrowCommitIncomplete, Amount: amount(500)}},
			"ACCEPTING MULTIESCROW_INCOMPLETE_COMMIT(500)"},
		{"replenishment", []cash.Event{state(cash.StateReplenishing), cash.Replenish{Step: cash.ReplenishStored, Amount: amount(500)}, idle},
			"IN_PROGRESS/2 REPLENISHING REPLENISH_STORED COMPLETED/2 IDLE"},
		{"note to the payout, auto accept", []cash.Event{accepting, cash.NoteHeld{Note: gbp(500)}, cash.NoteCredited{Note: gbp(500), To: cash.Payout}, cash.NotePlaced{Note: gbp(500), To: cash.Payout}, idle},
			"ACCEPTING ESCROW(500) STORED(500) IDLE"},
		{"note to the cashbox, auto accept", []cash.Event{accepting, cash.NoteHeld{Note: gbp(500)}, cash.NoteCredited{Note: gbp(500), To: cash.Payout}, cash.NotePlaced{Note: gbp(500), To: cash.Cashbox}, idle},
			"ACCEPTING ESCROW(500) STACKED(500) IDLE"},
		{"the machine did not say that it was reading", []cash.Event{cash.NoteHeld{Note: gbp(500)}, accepting},
			"ACCEPTING ESCROW(500)"},
		{"note returned", []cash.Event{accepting, cash.NoteHeld{Note: gbp(2000)}, state(cash.StateRejecting), state(cash.StateRejected), cash.NoteReturned{Note: gbp(2000), Code: 8}, idle},
			"ACCEPTING ESCROW(2000) REJECTING REJECTED REJECTED(2000) IDLE"},
		{"note returned, the states come late", []cash.Event{accepting, cash.NoteHeld{Note: gbp(2000)}, cash.NoteReturned{Note: gbp(2000), Code: 8}, state(cash.StateRejected), idle},
			"ACCEPTING ESCROW(2000) REJECTING REJECTED REJECTED(2000) IDLE"},
		{"note refused", []cash.Event{accepting, state(cash.StateRejecting), state(cash.StateRejected), cash.NoteRejected{Code: 6}, idle},
			"ACCEPTING REJECTING REJECTED IDLE"},
		{"two notes refused", []cash.Event{accepting, cash.NoteRejected{}, idle, accepting, cash.NoteRejected{}, idle},
			"ACCEPTING REJECTING REJECTED IDLE ACCEPTING REJECTING REJECTED IDLE"},
		{"coin", []cash.Event{state(cash.StatePayInActive), cash.CoinCredited{Coin: gbp(10), Count: 1, To: cash.Payout}, idle},
			"PAY_IN_ACTIVE COIN_CREDIT(10) IDLE"},
		{"coins with value added", []cash.Event{cash.CoinCredited{Coin: gbp(10), Count: 2, Added: true}},
			"VALUE_ADDED(10) VALUE_ADDED(10)"},
		{"payout", []cash.Event{started, dispensing, progress(500), progress(1500), ended(cash.OpDone, 1500), closed(cash.OpDone, 1500), idle},
			"IN_PROGRESS/0 DISPENSING DISPENSING(0) DISPENSING(500) DISPENSING(1500) DISPENSED(1500) COMPLETED/0 IDLE"},
		{"payout, the machine is told first", []cash.Event{dispensing, progress(500), started, closed(cash.OpDone, 1500), disabled},
			"IN_PROGRESS/0 DISPENSING DISPENSING(500) DISPENSED(1500) COMPLETED/0 DISABLED"},
		{"payout, the state of rest is told before the end", []cash.Event{started, dispensing, progress(1500), idle, closed(cash.OpDone, 1500)},
			"IN_PROGRESS/0 DISPENSING DISPENSING(0) DISPENSING(1500) DISPENSED(1500) COMPLETED/0 IDLE"},
		{"payout faster than the polls", []cash.Event{idle, started, closed(cash.OpDone, 1500)},
			"IDLE IN_PROGRESS/0 DISPENSING DISPENSING(0) DISPENSED(1500) COMPLETED/0 IDLE"},
		{"the till's start comes after its end", []cash.Event{dispensing, progress(1500), closed(cash.OpDone, 1500), started, idle},
			"IN_PROGRESS/0 DISPENSING DISPENSING(1500) DISPENSED(1500) COMPLETED/0 IDLE"},
		{"bezel", []cash.Event{started, dispensing, cash.NoteInBezel{Note: gbp(500)}, dispensing, closed(cash.OpDone, 1500), idle},
			"IN_PROGRESS/0 DISPENSING DISPENSING(0) NOTE_HELD_IN_BEZEL NOTE_IN_BEZEL_HOLD(500) DISPENSING DISPENSED(1500) COMPLETED/0 IDLE"},
		{"halted", []cash.Event{started, dispensing, progress(500), ended(cash.OpHalted, 500), closed(cash.OpPartial, 500), idle},
			"IN_PROGRESS/0 DISPENSING DISPENSING(0) DISPENSING(500) HALTED(500) ERROR/0 IDLE"},
		{"timed out", []cash.Event{started, dispensing, ended(cash.OpTimedOut, 0), closed(cash.OpFailed, 0), idle},
			"IN_PROGRESS/0 DISPENSING DISPENSING(0) TIME_OUT(0) ERROR/0 IDLE"},
		{"jammed", []cash.Event{started, dispensing, state(cash.StateError), cash.Jammed{Amount: amount(500)}, ended(cash.OpJammed, 500), closed(cash.OpPartial, 500)},
			"IN_PROGRESS/0 DISPENSING DISPENSING(0) ERROR JAMMED(500) ERROR/0"},
		{"jam without a word of the machine before", []cash.Event{started, dispensing, closed(cash.OpJammed, 500), idle},
			"IN_PROGRESS/0 DISPENSING DISPENSING(0) JAMMED(500) ERROR/0 IDLE"},
		{"error during payout", []cash.Event{started, dispensing, cash.PayoutError{Amount: amount(500)}, ended(cash.OpErrored, 500), closed(cash.OpPartial, 500), idle},
			"IN_PROGRESS/0 DISPENSING DISPENSING(0) ERROR_DURING_PAYOUT(500) ERROR/0 IDLE"},
		{"power cut in a payout", []cash.Event{started, dispensing, progress(500), lost, state(cash.StateStarting), closed(cash.OpPartial, 500), disabled},
			"IN_PROGRESS/0 DISPENSING DISPENSING(0) DISPENSING(500) NOT_CONNECTED STARTING INCOMPLETE_PAYOUT(500,1500) ERROR/0 DISABLED"},
		{"nothing paid", []cash.Event{started, dispensing, closed(cash.OpFailed, 0), idle},
			"IN_PROGRESS/0 DISPENSING DISPENSING(0) INCOMPLETE_PAYOUT(0,1500) ERROR/0 IDLE"},
		{"outcome unknown", []cash.Event{started, dispensing, progress(500), lost, closed(cash.OpUnknown, 500), disabled, closed(cash.OpDone, 1500)},
			"IN_PROGRESS/0 DISPENSING DISPENSING(0) DISPENSING(500) NOT_CONNECTED INCOMPLETE_PAYOUT(500,1500) ERROR/0 DISABLED"},
		{"an operation that stays open", []cash.Event{started, dispensing, progress(500), lost, disabled, idle},
			"IN_PROGRESS/0 DISPENSING DISPENSING(0) DISPENSING(500) NOT_CONNECTED INCOMPLETE_PAYOUT(500,500) ERROR/0 DISABLED IDLE"},
		{"a payout that is not the till's", []cash.Event{dispensing, progress(500), ended(cash.OpDone, 500), idle},
			"IN_PROGRESS/0 DISPENSING DISPENSING(500) DISPENSED(500) COMPLETED/0 IDLE"},
		{"an operation of before, seen while connecting", []cash.Event{lost, dispensing, disabled, idle},
			"NOT_CONNECTED DISPENSING DISABLED IDLE"},
		{"float", []cash.Event{cash.OpStarted{ID: "2", Op: cash.OpFloat}, state(cash.StateFloating), cash.Progress{Op: cash.OpFloat, Total: amount(500)}, cash.MovedToCashbox{Amount: amount(500)}, cash.Progress{Op: cash.OpFloat, Total: amount(1500)}, cash.OpClosed{ID: "2", Op: cash.OpFloat, Result: cash.OpDone, Paid: amount(3500)}, idle},
			"IN_PROGRESS/1 FLOATING MOVED_TO_CASHBOX(500) MOVED_TO_CASHBOX(1000) MOVED_TO_CASHBOX(2000) COMPLETED/1 IDLE"},
		{"float cut short", []cash.Event{cash.OpStarted{ID: "2", Op: cash.OpFloat}, cash.OpClosed{ID: "2", Op: cash.OpFloat, Result: cash.OpPartial, Asked: amount(900), Paid: amount(500)}},
			"IN_PROGRESS/1 FLOATING INCOMPLETE_FLOAT(500,900) ERROR/1"},
		{"empty", []cash.Event{cash.OpStarted{ID: "3", Op: cash.OpEmpty}, state(cash.StateEmptying), cash.Progress{Op: cash.OpEmpty, Total: amount(500)}, cash.OpClosed{ID: "3", Op: cash.OpEmpty, Result: cash.OpDone, Paid: amount(500)}, disabled},
			"IN_PROGRESS/3 EMPTYING MOVED_TO_CASHBOX(500) COMPLETED/3 DISABLED"},
		{"coins to the cashbox during a payout", []cash.Event{started, dispensing, cash.MovedToCashbox{Amount: amount(20)}},
			"IN_PROGRESS/0 DISPENSING DISPENSING(0) MOVED_TO_CASHBOX(20)"},
		{"cashbox out and in", []cash.Event{state(cash.StateCashboxRemoved), state(cash.StateCashboxReplace), idle},
			"CASHBOX_REMOVED CASHBOX_REPLACE IDLE"},
		{"jam and recovery", []cash.Event{state(cash.StateError), cash.Jammed{Amount: amount(0)}, state(cash.StateJamRecovery), idle},
			"ERROR JAMMED(0) JAM_RECOVERY IDLE"},
		{"fraud", []cash.Event{state(cash.StateFraudAttempt), cash.Fraud{Amount: amount(500)}}, "FRAUD_ATTEMPT FRAUD_ATTEMPT(500)"},
		{"calibration", []cash.Event{cash.CalibrationFailed{Reason: 4}}, "CALIBRATION_FAILED(4)"},
		{"cleared at power-up", []cash.Event{cash.ClearedAtPowerUp{Note: gbp(500), From: cash.Customer, To: cash.Cashbox}, cash.ClearedAtPowerUp{Note: gbp(500), From: cash.Customer, To: cash.Customer}},
			"NOTE_CLEARED_TO_CASHBOX(500) NOTE_CLEARED_FROM_FRONT(500)"},
		{"lost while the notes of one customer are taken: the next one's note is told", []cash.Event{cash.MultiEscrow{Step: cash.EscrowCommitting, Amount: amount(0)}, lost, idle,
			cash.NoteHeld{Note: gbp(500)}, cash.NoteCredited{Note: gbp(500), To: cash.Payout}, cash.NotePlaced{Note: gbp(500), To: cash.Payout}},
			"MULTIESCROW_COMMITTING(0) NOT_CONNECTED IDLE ACCEPTING ESCROW(500) STORED(500)"},
		{"cleared at power-up on its way out", []cash.Event{cash.ClearedAtPowerUp{Note: gbp(500), From: cash.Payout, To: cash.Customer}},
			"NOTE_CLEARED_FROM_FRONT(500)"},
		{"cleared into the store at power-up", []cash.Event{cash.ClearedAtPowerUp{Note: gbp(500), From: cash.Customer, To: cash.Payout},
			cash.NoteCredited{Note: gbp(500), To: cash.Payout}, cash.NotePlaced{Note: gbp(500), To: cash.Payout}}, "STORED(500)"},
		{"route", []cash.Event{cash.RouteSet{Denom: gbp(500), OK: true}, cash.RouteSet{Denom: gbp(500)}}, "route:true route:false"},
		{"not of this API", []cash.Event{cash.CoinRejected{}, cash.UnknownEvent{}, cash.Discrepancy{}}, ""},
		{"states are told once", []cash.Event{idle, idle, accepting, accepting, idle}, "IDLE ACCEPTING IDLE"},

		// For every accepted note exactly one event carries its value.
		{"late credit found at reconnect", []cash.Event{lost, cash.NoteCredited{Note: gbp(500), To: cash.Payout}, cash.NotePlaced{Note: gbp(500), To: cash.Payout}, disabled},
			"NOT_CONNECTED STORED(500) DISABLED"},
		{"lost between credit and place, no more word of it", []cash.Event{cash.NoteCredited{Note: gbp(500), To: cash.Cashbox}, lost, disabled, idle},
			"NOT_CONNECTED STACKED(500) DISABLED IDLE"},
		{"lost between credit and place, placed by the books", []cash.Event{cash.NoteCredited{Note: gbp(500), To: cash.Cashbox}, lost, cash.NotePlaced{Note: gbp(500), To: cash.Payout}, disabled, idle},
			"NOT_CONNECTED STORED(500) DISABLED IDLE"},
		{"the same, and the place comes after all", []cash.Event{cash.NoteCredited{Note: gbp(500), To: cash.Payout}, lost, disabled, cash.NotePlaced{Note: gbp(500), To: cash.Payout}, idle},
			"NOT_CONNECTED STORED(500) DISABLED IDLE"},
		{"the next note after that is told", []cash.Event{cash.NoteCredited{Note: gbp(500), To: cash.Payout}, lost, disabled, cash.NotePlaced{Note: gbp(500), To: cash.Payout}, cash.NoteCredited{Note: gbp(500)}, cash.NotePlaced{Note: gbp(500), To: cash.Payout}},
			"NOT_CONNECTED STORED(500) DISABLED STORED(500)"},
		{"opened between credit and place", []cash.Event{cash.NotePlaced{Note: gbp(500), To: cash.Payout}}, "STORED(500)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStory()
			s.running, s.shown = true, cash.StateStarted
			for _, e := range tt.events {
				s.tell(e)
			}
			if got := summary(s.take()); got != tt.want {
				t.Errorf("told\n %s\nwant\n %s", got, tt.want)
			}
		})
	}
}

// TestEventBodies holds whole bodies to the manual's and the specification's samples.
func TestEventBodies(t *testing.T) {
	s := newStory()
	s.running = true
	s.tell(state(cash.StateConnecting))
	s.tell(cash.NotePlaced{Note: gbp(500), To: cash.Payout})
	s.tell(cash.OpStarted{ID: "1", Op: cash.OpDispense, Asked: amount(1500)})
	s.tell(cash.OpClosed{ID: "1", Op: cash.OpDispense, Result: cash.OpDone, Asked: amount(1500), Paid: amount(1500),
		Pieces: cash.Counts{gbp(500): 1, gbp(1000): 1}})
	want := []string{
		`{"type":"DeviceStatusResponse","state":1,"stateAsString":"CONNECTING","isRunning":true,"message":"Device state changed: CONNECTING"}`,
		`{"type":"CashEventResponse","eventTypeAsString":"STORED","value":500,"value2":0,"countryCode":"GBP","message":"Cash event: STORED - Value: 500 Value2: 0 - CountryCode: GBP"}`,
		`{"type":"DispenserTransactionEventResponse","state":0,"stateAsString":"IN_PROGRESS","transactionType":0,"operationData":"PAYOUT","message":"Dispenser transaction: IN_PROGRESS"}`,
		`{"type":"DeviceStatusResponse","state":7,"stateAsString":"DISPENSING","isRunning":true,"message":"Device state changed: DISPENSING"}`,
		`{"type":"CashEventResponse","eventTypeAsString":"DISPENSING","value":0,"value2":0,"countryCode":"GBP","message":"Cash event: DISPENSING - Value: 0 Value2: 0 - CountryCode: GBP"}`,
		`{"type":"CashEventResponse","eventTypeAsString":"DISPENSED","value":1500,"value2":0,"countryCode":"GBP","message":"Cash event: DISPENSED - Value: 1500 Value2: 0 - CountryCode: GBP"}`,
		`{"type":"DispenserTransactionEventResponse","state":1,"stateAsString":"COMPLETED","transactionType":0,"operationData":"PAYOUT 1500 GBP: 1 x 500 GBP, 1 x 1000 GBP","message":"Dispenser transaction: COMPLETED"}`,
	}
	told := s.take()
	if len(told) != len(want) {
		t.Fatalf("%d events, want %d: %s", len(told), len(want), summary(told))
	}
	for i, h := range told {
		if got := string(styles[DotNet].render(nil, h.body)); got != want[i] {
			t.Errorf("event %d\n %s\nwant\n %s", i, got, want[i])
		}
	}
}

func TestStateNumbers(t *testing.T) {
	for n, name := range map[cash.State]string{0: "NOT_CONNECTED", 1: "CONNECTING", 15: "CONNECTED", 45: "SCSTATUS_DATASET_READY"} {
		if n.String() != name {
			t.Errorf("state %d is %s, want %s", n, n, name)
		}
	}
}

func TestQueueKeepsMoney(t *testing.T) {
	var q queue
	money := func(n int) happening { return happening{true, object{{"n", n}}} }
	for i := range 3000 {
		q.add(happening{body: object{{"state", i}}})
		if i%2 == 0 {
			q.add(money(i))
		}
	}
	entries, dropped := q.drain()
	last := -2
	states := 0
	for _, e := range entries {
		if !e.money {
			states++
			continue
		}
		n := e.body[0].value.(int)
		if n != last+2 {
			t.Fatalf("money entry %d after %d", n, last)
		}
		last = n
	}
	if last != 2998 || dropped != 0 {
		t.Errorf("last money entry %d, %d dropped", last, dropped)
	}
	if states != 0 {
		t.Errorf("%d states kept although money alone fills the queue", states)
	}
	if entries, _ := q.drain(); len(entries) != 0 {
		t.Error("drained twice")
	}
	for i := range 1500 {
		q.add(happening{body: object{{"state", i}}})
	}
	if entries, _ := q.drain(); len(entries) != maxEvents || entries[0].body[0].value != 500 {
		t.Errorf("%d states kept, the first %v", len(entries), entries[0].body[0].value)
	}
}

func TestQueueIsBoundedAtLast(t *testing.T) {
	var q queue
	for range maxMoney + 7 {
		q.add(happening{money: true})
	}
	if entries, dropped := q.drain(); len(entries) != maxMoney || dropped != 7 {
		t.Errorf("%d kept, %d dropped", len(entries), dropped)
	}
}

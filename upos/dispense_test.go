package upos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/cash"
	"coffer/upos"
	"coffer/upos/upostest"
)

func dispenseChange(h *upos.Handle, amount int32, key string) error {
	_, err := h.Call(context.Background(), upos.Invocation{Method: "DispenseChange", Args: map[string]any{"amount": amount}, Key: key})
	return err
}

func dispenseCash(h *upos.Handle, counts string) error {
	return call(h, "DispenseCash", map[string]any{"cashCounts": counts})
}

// resultOf checks code and extended code.
func result(t *testing.T, err error, code, extended int32) {
	t.Helper()
	var e *upos.Error
	if codeOf(t, err) != code {
		t.Errorf("%v, want %d/%d", err, code, extended)
	} else if e, _ = err.(*upos.Error); e != nil && e.Extended != extended {
		t.Errorf("%v, want %d/%d", err, code, extended)
	}
}

func TestDispenseErrors(t *testing.T) {
	w := newWorld(t)
	till, bills, coins := ready(t, w, upos.CashChanger, "Till1"), ready(t, w, upos.BillDispenser, "Bills2"), ready(t, w, upos.CoinDispenser, "Coins2")
	result(t, dispenseChange(till, 99_999_999, ""), upos.E_EXTENDED, upos.ECHAN_OVERDISPENSE)
	result(t, dispenseCash(till, ";500:5"), upos.E_EXTENDED, upos.ECHAN_OVERDISPENSE)
	result(t, dispenseCash(till, ";5000:1"), upos.E_ILLEGAL, 0) // not routed to the payout: not at this exit
	result(t, dispenseCash(till, "1:0"), upos.E_ILLEGAL, 0)
	result(t, dispenseCash(till, "1:1,1:1"), upos.E_ILLEGAL, 0)
	result(t, dispenseCash(bills, "500:1"), upos.E_ILLEGAL, 0)
	result(t, dispenseCash(bills, ";500:5"), upos.E_EXTENDED, upos.EBDSP_OVERDISPENSE)
	must(t, dispenseCash(bills, " ; 1000 : 1 , 500 : 1 "))
	result(t, dispenseChange(coins, 0, ""), upos.E_ILLEGAL, 0)
	result(t, dispenseChange(coins, 15, ""), upos.E_ILLEGAL, 0)        // no pieces make it
	result(t, dispenseChange(coins, 1_000_000, ""), upos.E_ILLEGAL, 0) // "more than can be dispensed"
	must(t, dispenseChange(coins, 60, ""))
	if m := w.machines["Coins2"]; m.InStore(0, upostest.Coin(50)) != 99 || m.InStore(0, upostest.Coin(10)) != 99 {
		t.Error("60 was not paid as one of 50 and one of 10")
	}
}

// TestPartialPayout: a composite till pays its notes, then the coin machine fails.
func TestPartialPayout(t *testing.T) {
	for _, async := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
			must(t, h.Set("AsyncMode", async))
			m.Short(upostest.Short{Pieces: upos.Pieces{upostest.Bill(500): 1}, Sure: true,
				Err: &cash.PartialError{Asked: cash.Amount{Value: 550, Currency: "EUR"}, Paid: cash.Amount{Value: 500, Currency: "EUR"}}})
			err := dispenseChange(h, 550, "")
			synctest.Wait()
			ev := next(t, h)
			if ev == nil || ev.Number != upos.DirectPartial || ev.Data != upos.E_FAILURE {
				t.Fatalf("%+v", ev)
			}
			out, errIO := h.Call(context.Background(), upos.Invocation{Method: "DirectIO", Args: map[string]any{"command": upos.DirectOutcome}})
			must(t, errIO)
			var last struct {
				Operation, Asked, Paid string
				Sure                   bool
				Code                   int32
			}
			must(t, json.Unmarshal([]byte(out["obj"].(string)), &last))
			if last.Operation == "" || last.Asked != "5.50 EUR" || last.Paid != "EUR ;500:1" || !last.Sure || last.Code != upos.E_FAILURE {
				t.Errorf("%+v", last)
			}
			if !async {
				result(t, err, upos.E_FAILURE, 0)
				expectStatus(t, h)
				return
			}
			must(t, err)
			expectStatus(t, h, upos.CHAN_STATUS_ASYNC)
			is(t, h, "AsyncResultCode", upos.E_FAILURE)
		})
	}
}

// TestUnknownOutcome: a payout of which nobody knows how it ended is a failure, whatever broke it off; a code that says that
// nothing was begun would be an invitation to pay again.
func TestUnknownOutcome(t *testing.T) {
	for _, because := range []error{cash.ErrNotConnected, cash.ErrBusy, context.DeadlineExceeded} {
		w := newWorld(t)
		h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
		m.Short(upostest.Short{Err: fmt.Errorf("%w: %w", because, cash.ErrOutcomeUnknown)})
		result(t, dispenseChange(h, 550, ""), upos.E_FAILURE, 0)
	}
}

func TestAsyncPayout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
		m.PayTime(3 * time.Second)
		must(t, h.Set("AsyncMode", true))
		result(t, dispenseChange(h, -1, ""), upos.E_ILLEGAL, 0) // thrown at the call
		must(t, dispenseChange(h, 10, ""))
		is(t, h, "State", upos.S_BUSY)
		for _, busy := range []error{dispenseChange(h, 10, ""), dispenseCash(h, "10:1"), call(h, "ReadCashCounts", nil),
			call(h, "BeginDeposit", nil), call(h, "AdjustCashCounts", map[string]any{"cashCounts": "10:1"})} {
			result(t, busy, upos.E_BUSY, 0)
		}
		is(t, h, "CurrentExit", int32(1)) // reads work
		must(t, h.Set("FreezeEvents", true))
		time.Sleep(4 * time.Second)
		is(t, h, "State", upos.S_IDLE) // the values do not wait for the event
		is(t, h, "AsyncResultCode", upos.SUCCESS)
		expectStatus(t, h)
		must(t, h.Set("FreezeEvents", false))
		expectStatus(t, h, upos.CHAN_STATUS_ASYNC)
	})
}

// TestLeavingHaltsAPayout: the payout is halted and its end waited for.
func TestLeavingHaltsAPayout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
		m.PayTime(time.Hour)
		must(t, h.Set("AsyncMode", true))
		must(t, dispenseChange(h, 10, ""))
		must(t, h.Set("DeviceEnabled", false))
		is(t, h, "State", upos.S_IDLE)
		must(t, h.Set("DeviceEnabled", true))
		is(t, h, "AsyncResultCode", upos.E_FAILURE)
		expectStatus(t, h, upos.CHAN_STATUS_ASYNC)
		if m.InStore(1, upostest.Coin(10)) != 50 {
			t.Error("a halted payout paid")
		}
	})
}

// TestLeavingAStuckPayout: a payout that is stuck, in a jam or because its machine went away, keeps nobody in Release,
// Close or DeviceEnabled. It stays the device's until it ends: the next application is told E_BUSY meanwhile.
func TestLeavingAStuckPayout(t *testing.T) {
	stuck := map[string]func(*upostest.Mechanism, bool){
		"jam": func(m *upostest.Mechanism, on bool) { m.Jam(1, on) }, "away": func(m *upostest.Mechanism, on bool) { m.Online(1, !on) },
	}
	leave := map[string]func(*upos.Handle) error{
		"disable": func(h *upos.Handle) error { return h.Set("DeviceEnabled", false) },
		"Release": func(h *upos.Handle) error { return call(h, "Release", nil) },
		"Close":   (*upos.Handle).Close,
	}
	for how, fault := range stuck {
		for name, leave := range leave {
			t.Run(how+"/"+name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newWorld(t)
					h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
					release := m.Hold()
					m.Fault("Halt", cash.ErrBusy) // no safe point comes
					must(t, h.Set("AsyncMode", true))
					must(t, dispenseChange(h, 10, ""))
					fault(m, true)
					begin := time.Now()
					must(t, leave(h))
					if took := time.Since(begin); took > 5*time.Second {
						t.Errorf("it took %v", took)
					}
					if name == "disable" {
						is(t, h, "State", upos.S_BUSY)
						must(t, call(h, "Release", nil))
					}
					next, err := w.service.Open(upos.CashChanger, "Till1")
					must(t, err)
					must(t, call(next, "Claim", map[string]any{"timeout": 0}))
					must(t, next.Set("PowerNotify", upos.PN_ENABLED))
					must(t, next.Set("DeviceEnabled", true))
					result(t, dispenseChange(next, 10, ""), upos.E_BUSY, 0)
					fault(m, false)
					release()
					synctest.Wait()
					must(t, dispenseChange(next, 10, ""))
					if n := m.InStore(1, upostest.Coin(10)); n != 48 {
						t.Errorf("%d coins left, want 48: both were to be paid once", n)
					}
				})
			})
		}
	}
}

// TestKeyPaysOnce: the same key again gives the same outcome, while it runs and after it.
func TestKeyPaysOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
		m.PayTime(time.Second)
		done := make(chan error, 2)
		go func() { done <- dispenseChange(h, 10, "sale 7") }()
		synctest.Wait()
		result(t, dispenseChange(h, 10, "sale 8"), upos.E_BUSY, 0)
		result(t, dispenseChange(h, 20, "sale 7"), upos.E_ILLEGAL, 0) // which is another payout
		go func() { done <- dispenseChange(h, 10, "sale 7") }()
		must(t, <-done)
		must(t, <-done)
		must(t, dispenseChange(h, 10, "sale 7"))
		if n := m.InStore(1, upostest.Coin(10)); n != 49 {
			t.Errorf("%d coins left, want 49: one was to be paid once", n)
		}
	})
}

// TestCallerGivesUp: the payout goes on without it.
func TestCallerGivesUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
		m.PayTime(time.Minute)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := h.Call(ctx, upos.Invocation{Method: "DispenseChange", Args: map[string]any{"amount": 10}})
		result(t, err, upos.E_TIMEOUT, 0)
		is(t, h, "State", upos.S_BUSY)
		time.Sleep(time.Minute)
		is(t, h, "State", upos.S_IDLE)
		if m.InStore(1, upostest.Coin(10)) != 49 {
			t.Error("the coin was not paid")
		}
	})
}

// TestSecondExit moves from the store to the cashbox.
func TestSecondExit(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	is(t, h, "DeviceExits", int32(2))
	is(t, h, "ExitCashList", "1,2,5,10,20,50,100,200;500,1000,2000")
	must(t, h.Set("CurrentExit", 2))
	is(t, h, "ExitCashList", "1,2,5,10,20,50,100,200;500,1000,2000,5000,10000,20000,50000")
	must(t, dispenseCash(h, ";500:2"))
	if m.InStore(0, upostest.Bill(500)) != 2 || m.InBox(0, upostest.Bill(500)) != 2 {
		t.Error("two notes were to go to the cashbox")
	}
}

func read(t *testing.T, h *upos.Handle) (string, bool) {
	t.Helper()
	out, err := h.Call(context.Background(), upos.Invocation{Method: "ReadCashCounts"})
	must(t, err)
	return out["cashCounts"].(string), out["discrepancy"].(bool)
}

func adjust(h *upos.Handle, counts string) error {
	return call(h, "AdjustCashCounts", map[string]any{"cashCounts": counts})
}

func TestCashCounts(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	const full = "1:50,2:50,5:50,10:50,20:50,50:50,100:50,200:50;500:4,1000:4,2000:4,5000:0,10000:0,20000:0,50000:0"
	if got, doubt := read(t, h); got != full || doubt {
		t.Errorf("%s %v", got, doubt)
	}
	m.Doubt(0)
	if _, doubt := read(t, h); !doubt {
		t.Error("no discrepancy is told of")
	}
	must(t, adjust(h, "10:7;500:3"))
	if m.InStore(1, upostest.Coin(10)) != 7 || m.InStore(0, upostest.Bill(500)) != 4 || m.InBox(0, upostest.Bill(500)) != 3 {
		t.Error("a coin store takes the person's count, a note store counts itself and the cashbox takes it")
	}
	for _, bad := range []string{"", ";", "7:1", "10", "10:-1", "10:1;;500:1", "x:1", "10:1,10:2", "0:1", "10:1.5"} {
		refused(t, adjust(h, bad), upos.E_ILLEGAL)
	}
	begin(t, h)
	refused(t, adjust(h, "10:7"), upos.E_ILLEGAL)
	if got, _ := read(t, h); got == "" { // may be read in a deposit
		t.Error("no counts")
	}
}

// TestAcceptorsCountWhatTheyCollected: a person's zeros say that it was taken out.
func TestAcceptorsCountWhatTheyCollected(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		class        upos.Class
		name         string
		piece        upos.Piece
		n            int
		before, zero string
	}{
		{upos.BillAcceptor, "Bills1", upostest.Bill(2000), 3, ";500:0,1000:0,2000:3,5000:0,10000:0,20000:0,50000:0", ";2000:0"},
		{upos.CoinAcceptor, "Coins1", upostest.Coin(50), 3, "10:100,50:103", "10:0,50:0"},
	} {
		h, m := ready(t, w, c.class, c.name), w.machines[c.name]
		begin(t, h)
		m.Insert(c.piece, c.n)
		fix(t, h)
		must(t, finish(t, h, upos.BACC_DEPOSIT_COMPLETE))
		if got, _ := read(t, h); got != c.before {
			t.Errorf("%s: %s, want %s", c.class, got, c.before)
		}
		must(t, adjust(h, c.zero))
		if m.InBox(0, c.piece)+m.InStore(0, c.piece) != 0 {
			t.Errorf("%s: still %d", c.class, m.InBox(0, c.piece)+m.InStore(0, c.piece))
		}
	}
	refused(t, adjust(ready(t, newWorld(t), upos.CoinAcceptor, "Coins1"), "50:3;500:1"), upos.E_ILLEGAL)
}

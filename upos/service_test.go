package upos_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/cash"
	"coffer/upos"
	"coffer/upos/upostest"
)

// TestCloseEndsInTime: money under way and a payout that cannot be halted do not hold up the end of the program.
func TestCloseEndsInTime(t *testing.T) {
	for name, stick := range map[string]func(*testing.T, *upos.Handle, *upostest.Mechanism){
		"deposit": func(t *testing.T, h *upos.Handle, m *upostest.Mechanism) {
			begin(t, h)
			m.Fault("Settle", upostest.ErrHang)
		},
		"question": func(t *testing.T, h *upos.Handle, m *upostest.Mechanism) {
			m.Fault("Counts", upostest.ErrHang)
			go func() { _ = call(h, "ReadCashCounts", nil) }()
			synctest.Wait()
		},
		"payout": func(t *testing.T, h *upos.Handle, m *upostest.Mechanism) {
			m.Fault("Halt", cash.ErrUnsupported)
			m.PayTime(time.Hour)
			must(t, h.Set("AsyncMode", true))
			must(t, dispenseChange(h, 10, ""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				h := ready(t, w, upos.CashChanger, "Till1")
				stick(t, h, w.machines["Till1"])
				began := time.Now()
				w.service.Close()
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("Close took %v", took)
				}
				refused(t, h.Close(), upos.E_CLOSED)
				time.Sleep(time.Hour) // the fake pays at last
			})
		})
	}
}

// TestFixGivesUpInTime: FixDeposit ends with E_TIMEOUT when money stays under way, and may be called again.
func TestFixGivesUpInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
		begin(t, h)
		m.Fault("Settle", upostest.ErrHang)
		refused(t, call(h, "FixDeposit", nil), upos.E_TIMEOUT)
		is(t, h, "DepositStatus", upos.CHAN_STATUS_DEPOSIT_START)
		m.Fault("Settle", nil)
		fix(t, h)
	})
}

// TestConcurrentUse: threads, handlers and customers at once. At the end the amounts are the machine's truth.
func TestConcurrentUse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		m := w.machines["Till1"]
		m.PayTime(time.Millisecond)
		h := ready(t, w, upos.CashChanger, "Till1")
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		all.Go(func() { // the handler
			for {
				ev, err := h.Next(ctx)
				if err != nil {
					return
				}
				_ = h.Set("DataEventEnabled", true)
				_, _ = h.Get("DepositAmount")
				_ = h.Ack(ev.Seq)
			}
		})
		all.Go(func() { // customers
			for ctx.Err() == nil {
				m.Insert(upostest.Coin(10), 1)
				m.Jam(0, rand.N(20) == 0)
				time.Sleep(time.Millisecond)
			}
		})
		all.Go(func() { // one who only looks on
			for ctx.Err() == nil {
				other := openTill(t, w)
				other.Properties()
				_ = claimFor(other, 1)
				_ = other.Close()
				time.Sleep(5 * time.Millisecond)
			}
		})
		calls := []func() error{
			func() error { return call(h, "BeginDeposit", nil) },
			func() error { return call(h, "PauseDeposit", map[string]any{"control": upos.CHAN_DEPOSIT_PAUSE}) },
			func() error { return call(h, "PauseDeposit", map[string]any{"control": upos.CHAN_DEPOSIT_RESTART}) },
			func() error { return call(h, "FixDeposit", nil) },
			func() error { return call(h, "EndDeposit", map[string]any{"success": upos.CHAN_DEPOSIT_NOCHANGE}) },
			func() error { return dispenseChange(h, 20, "") },
			func() error { return call(h, "ReadCashCounts", nil) },
			func() error { return call(h, "ClearInput", nil) },
			func() error { return h.Set("AsyncMode", rand.N(2) == 0) },
			func() error { return h.Set("FreezeEvents", rand.N(4) == 0) },
			func() error { return h.Set("DeviceEnabled", rand.N(8) != 0) },
			func() error { h.Properties(); return nil },
		}
		for range 3 {
			all.Go(func() {
				for range 1000 {
					_ = calls[rand.N(len(calls))]() // whatever it answers: nothing may hang, race or get lost
					time.Sleep(time.Duration(rand.N(int64(2 * time.Millisecond))))
				}
			})
		}
		time.Sleep(3 * time.Second)
		cancel()
		all.Wait()
		synctest.Wait()
		m.Jam(0, false)
		must(t, h.Set("DeviceEnabled", false))
		must(t, h.Set("DeviceEnabled", true))
		before := m.InStore(1, upostest.Coin(10))
		begin(t, h)
		m.Insert(upostest.Coin(10), 7)
		fix(t, h)
		is(t, h, "DepositAmount", int32(70))
		if now := m.InStore(1, upostest.Coin(10)); now != before+7 {
			t.Errorf("%d coins, want %d", now, before+7)
		}
	})
}

package upos_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/cash"
	"coffer/upos"
	"coffer/upos/upostest"
)

// ready opens, claims and enables a device.
func ready(t testing.TB, w *world, class upos.Class, name string) *upos.Handle {
	t.Helper()
	h, err := w.service.Open(class, name)
	must(t, err)
	must(t, claimFor(h, 0))
	must(t, h.Set("DeviceEnabled", true))
	return h
}

func is(t testing.TB, h *upos.Handle, name string, want any) {
	t.Helper()
	if got, err := h.Get(name); err != nil || got != want {
		t.Errorf("%s is %v (%v), want %v", name, got, err, want)
	}
}

func refused(t *testing.T, err error, code int32) {
	t.Helper()
	if got := codeOf(t, err); got != code {
		t.Errorf("%d (%v), want %d", got, err, code)
	}
}

// next returns the next event and acknowledges it, or nil if there is none now.
func next(t testing.TB, h *upos.Handle) *upos.Event {
	t.Helper()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	ev, err := h.Next(now)
	if err != nil {
		return nil
	}
	must(t, h.Ack(ev.Seq))
	return &ev
}

// expectStatus checks that these status events come next, and nothing else.
func expectStatus(t testing.TB, h *upos.Handle, codes ...int32) {
	t.Helper()
	for _, code := range codes {
		if ev := next(t, h); ev == nil || ev.Kind != upos.StatusUpdateEvent || ev.Status != code {
			t.Errorf("%+v came, want StatusUpdateEvent %d", ev, code)
		}
	}
	if ev := next(t, h); ev != nil {
		t.Errorf("%+v came, want nothing more", ev)
	}
}

func begin(t testing.TB, h *upos.Handle) { t.Helper(); must(t, call(h, "BeginDeposit", nil)) }
func fix(t testing.TB, h *upos.Handle)   { t.Helper(); must(t, call(h, "FixDeposit", nil)) }
func finish(t testing.TB, h *upos.Handle, success int32) error {
	return call(h, "EndDeposit", map[string]any{"success": success})
}
func pauseIt(t testing.TB, h *upos.Handle, control int32) {
	t.Helper()
	must(t, call(h, "PauseDeposit", map[string]any{"control": control}))
}

// TestBurstsOverPauses: 37 pieces in bursts while the application pauses and restarts, some of them under way when it
// does. Nothing is lost and nothing is counted twice.
func TestBurstsOverPauses(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	must(t, h.Set("RealTimeDataEnabled", true))
	must(t, h.Set("DataEventEnabled", true))
	begin(t, h)
	told := 0
	for i := range 37 {
		switch {
		case i%5 == 4: // in the path when the pause comes: Settle has it credited
			m.InPath(upostest.Bill(500))
			pauseIt(t, h, upos.CHAN_DEPOSIT_PAUSE)
			pauseIt(t, h, upos.CHAN_DEPOSIT_RESTART)
		case i%2 == 0:
			m.Insert(upostest.Bill(500), 1)
		default:
			m.Insert(upostest.Coin(10), 1)
		}
		for ev := next(t, h); ev != nil; ev = next(t, h) {
			if ev.Kind == upos.DataEvent {
				told++
			}
			must(t, h.Set("DataEventEnabled", true))
		}
	}
	fix(t, h)
	bills, coins := m.InStore(0, upostest.Bill(500))-4, m.InStore(1, upostest.Coin(10))-50
	is(t, h, "DepositAmount", int32(500*bills+10*coins))
	if told != 37 || bills+coins != 37 {
		t.Errorf("%d DataEvents, %d bills and %d coins; 37 pieces went in", told, bills, coins)
	}
	must(t, finish(t, h, upos.CHAN_DEPOSIT_NOCHANGE))
	is(t, h, "DepositCounts", "1:0,2:0,5:0,10:15,20:0,50:0,100:0,200:0;500:22,1000:0,2000:0,5000:0,10000:0,20000:0,50000:0")
}

func TestAmountsWithoutRealTimeData(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	must(t, h.Set("DataEventEnabled", true))
	begin(t, h)
	m.Insert(upostest.Bill(1000), 1)
	if ev := next(t, h); ev == nil || ev.Kind != upos.DataEvent {
		t.Errorf("%+v", ev)
	}
	is(t, h, "DepositAmount", int32(0))
	must(t, h.Set("RealTimeDataEnabled", true)) // of the next deposit only
	must(t, h.Set("DataEventEnabled", true))
	m.Insert(upostest.Bill(1000), 1)
	next(t, h)
	is(t, h, "DepositAmount", int32(0))
	pauseIt(t, h, upos.CHAN_DEPOSIT_PAUSE)
	is(t, h, "DepositAmount", int32(2000))
	pauseIt(t, h, upos.CHAN_DEPOSIT_RESTART)
	m.Insert(upostest.Coin(1), 1)
	is(t, h, "DepositAmount", int32(2000))
	fix(t, h)
	is(t, h, "DepositAmount", int32(2001))
}

// TestLateDataEvent: an event that waits does not overwrite the final figures, and comes even after EndDeposit.
func TestLateDataEvent(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	must(t, h.Set("RealTimeDataEnabled", true))
	begin(t, h)
	m.Insert(upostest.Bill(500), 2)
	fix(t, h)
	is(t, h, "DepositAmount", int32(1000))
	must(t, finish(t, h, upos.CHAN_DEPOSIT_NOCHANGE))
	must(t, h.Set("DataEventEnabled", true))
	if ev := next(t, h); ev == nil || ev.Kind != upos.DataEvent {
		t.Errorf("%+v", ev)
	}
	is(t, h, "DepositAmount", int32(1000))
	begin(t, h)
	is(t, h, "DepositAmount", int32(0))
	must(t, h.Set("DataEventEnabled", true))
	next(t, h) // the second one of the deposit before
	is(t, h, "DepositAmount", int32(0))
}

// TestEnablingTurnsAcceptanceOff: a deposit alone takes money, so that what another program left on goes off when an
// instance that takes deposits is enabled. One that only pays leaves it as it is.
func TestEnablingTurnsAcceptanceOff(t *testing.T) {
	w := newWorld(t)
	m := w.machines["Till1"]
	m.LeftOn()
	h := ready(t, w, upos.CashChanger, "Till1")
	if m.Insert(upostest.Bill(500), 1) || m.InStore(0, upostest.Bill(500)) != 4 {
		t.Error("a note was taken though DepositStatus is END")
	}
	begin(t, h)
	if !m.Insert(upostest.Bill(500), 1) {
		t.Error("a note was refused in a deposit")
	}
	out := w.machines["Bills2"]
	out.LeftOn()
	ready(t, w, upos.BillDispenser, "Bills2")
	if !out.Insert(upostest.Bill(500), 1) {
		t.Error("a dispenser turned acceptance off, which it has nothing to do with")
	}
	m = w.machines["Coins1"]
	m.Fault("Quiet", cash.ErrJam) // it is turned off as soon as that can be
	ready(t, w, upos.CoinAcceptor, "Coins1")
}

// TestMoneyOutsideADeposit is told and logged, and never in an amount. What comes in while no application holds the device
// is somebody else's sale, and nothing to be warned of.
func TestMoneyOutsideADeposit(t *testing.T) {
	w := newWorld(t)
	m := w.machines["Till1"]
	m.Credit(0, upostest.Bill(500), 1)
	if all := w.log.list(); len(all) > 0 {
		t.Errorf("nobody holds the device, and the log says: %q", all)
	}
	h := ready(t, w, upos.CashChanger, "Till1")
	m.Credit(0, upostest.Bill(500), 1)
	if all := w.log.list(); len(all) != 1 || !strings.Contains(all[0], "outside a deposit") {
		t.Errorf("the log says: %q", all)
	}
	ev := next(t, h)
	if ev == nil || ev.Kind != upos.DirectIOEvent || ev.Number != upos.DirectLateCredit || ev.Data != 0 || ev.Obj != "EUR ;500:1" {
		t.Errorf("%+v", ev)
	}
	is(t, h, "DepositAmount", int32(0))
}

// TestFixWaitsForMoneyUnderWay adds what arrives while it waits.
func TestFixWaitsForMoneyUnderWay(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	begin(t, h)
	m.InPath(upostest.Bill(2000))
	fix(t, h)
	is(t, h, "DepositAmount", int32(2000))
	refused(t, finish(t, h, 0), upos.E_ILLEGAL)
	must(t, finish(t, h, upos.CHAN_DEPOSIT_CHANGE))
	if m.InStore(0, upostest.Bill(2000)) != 5 {
		t.Error("EndDeposit(CHANGE) moved money")
	}
}

func TestFixOfADeadMachineCanBeRepeated(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	begin(t, h)
	m.Insert(upostest.Bill(500), 1)
	m.Online(0, false)
	refused(t, call(h, "FixDeposit", nil), upos.E_OFFLINE)
	is(t, h, "DepositStatus", upos.CHAN_STATUS_DEPOSIT_START)
	m.Online(0, true)
	fix(t, h)
	is(t, h, "DepositAmount", int32(500))
}

func TestBeginRefusedByTheMachine(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*upostest.Mechanism)
		code int32
	}{
		"cashbox out": {func(m *upostest.Mechanism) { m.Box(0, true) }, upos.E_FAILURE},
		"jam":         {func(m *upostest.Mechanism) { m.Jam(0, true) }, upos.E_FAILURE},
		"full":        {func(m *upostest.Mechanism) { m.Full(0, true) }, upos.E_FAILURE},
		"dead":        {func(m *upostest.Mechanism) { m.Online(0, false) }, upos.E_OFFLINE},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
			c.do(m)
			refused(t, call(h, "BeginDeposit", nil), c.code)
			is(t, h, "DepositStatus", upos.CHAN_STATUS_DEPOSIT_END)
			if m.Insert(upostest.Coin(10), 1) {
				t.Error("a part still accepts after BeginDeposit failed")
			}
		})
	}
}

// TestRestartRefusedByTheMachine: what a failed RESTART had turned on goes off again; the deposit stays paused.
func TestRestartRefusedByTheMachine(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	begin(t, h)
	pauseIt(t, h, upos.CHAN_DEPOSIT_PAUSE)
	m.Box(0, true)
	refused(t, call(h, "PauseDeposit", map[string]any{"control": upos.CHAN_DEPOSIT_RESTART}), upos.E_FAILURE)
	if m.Insert(upostest.Coin(10), 1) {
		t.Error("a part accepts though the deposit is paused")
	}
	m.Box(0, false)
	pauseIt(t, h, upos.CHAN_DEPOSIT_RESTART)
	if !m.Insert(upostest.Coin(10), 1) {
		t.Error("no part accepts after RESTART")
	}
}

// TestAccessIsLookedAtWhenTheTurnComes: a call that waited behind the Release of its instance is refused like one after it.
func TestAccessIsLookedAtWhenTheTurnComes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
		begin(t, h)
		m.Fault("Settle", upostest.ErrHang)
		fixed, released, begun := make(chan error, 1), make(chan error, 1), make(chan error, 1)
		go func() { fixed <- call(h, "FixDeposit", nil) }()
		synctest.Wait()
		go func() { released <- call(h, "Release", nil) }()
		synctest.Wait()
		go func() { begun <- call(h, "BeginDeposit", nil) }()
		synctest.Wait()
		m.Fault("Settle", nil)
		refused(t, <-fixed, upos.E_TIMEOUT)
		must(t, <-released)
		refused(t, <-begun, upos.E_NOTCLAIMED)
	})
}

// TestJamInADeposit: the status is JAM, the application may still fix and end, and acceptance goes on where it can.
func TestJamInADeposit(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	begin(t, h)
	m.Insert(upostest.Bill(500), 1)
	m.Jam(0, true)
	expectStatus(t, h, upos.CHAN_STATUS_JAM)
	is(t, h, "DepositStatus", upos.CHAN_STATUS_DEPOSIT_JAM)
	is(t, h, "DeviceStatus", upos.CHAN_STATUS_JAM)
	refused(t, call(h, "DispenseChange", map[string]any{"amount": 100}), upos.E_FAILURE)
	refused(t, call(h, "PauseDeposit", map[string]any{"control": upos.CHAN_DEPOSIT_PAUSE}), upos.E_ILLEGAL)
	refused(t, call(h, "BeginDeposit", nil), upos.E_ILLEGAL)
	refused(t, finish(t, h, upos.CHAN_DEPOSIT_NOCHANGE), upos.E_ILLEGAL)
	m.Jam(0, false)
	expectStatus(t, h, upos.CHAN_STATUS_JAMOK)
	is(t, h, "DepositStatus", upos.CHAN_STATUS_DEPOSIT_START)
	m.Jam(0, true)
	m.Fault("Settle", cash.ErrJam)
	fix(t, h)
	is(t, h, "DepositStatus", upos.CHAN_STATUS_DEPOSIT_JAM)
	fix(t, h)
	must(t, finish(t, h, upos.CHAN_DEPOSIT_NOCHANGE))
	is(t, h, "DepositStatus", upos.CHAN_STATUS_DEPOSIT_END)
	is(t, h, "DepositAmount", int32(500))
}

// TestLeavingADepositKeepsTheMoney: disable, release and close end it, settle and keep.
func TestLeavingADepositKeepsTheMoney(t *testing.T) {
	for name, leave := range map[string]func(*upos.Handle) error{
		"disable": func(h *upos.Handle) error { return h.Set("DeviceEnabled", false) },
		"release": func(h *upos.Handle) error { return call(h, "Release", nil) },
		"close":   (*upos.Handle).Close,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
			begin(t, h)
			m.Insert(upostest.Bill(500), 1)
			m.InPath(upostest.Coin(10))
			must(t, leave(h))
			if m.InStore(0, upostest.Bill(500)) != 5 || m.InStore(1, upostest.Coin(10)) != 51 {
				t.Error("the money is not in the store")
			}
			if m.Insert(upostest.Coin(10), 1) {
				t.Error("the machine still accepts")
			}
			if name == "close" {
				h = ready(t, w, upos.CashChanger, "Till1")
			} else {
				is(t, h, "DepositAmount", int32(510))
				must(t, claimFor(h, 0))
				must(t, h.Set("DeviceEnabled", true))
			}
			is(t, h, "DepositStatus", upos.CHAN_STATUS_DEPOSIT_END)
		})
	}
}

func TestRepay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		h, m := ready(t, w, upos.CashChanger, "Till2"), w.machines["Till2"]
		m.PayTime(time.Second)
		begin(t, h)
		m.Insert(upostest.Bill(500), 1)
		m.Insert(upostest.Coin(20), 3)
		fix(t, h)
		done := make(chan error, 1)
		go func() { done <- finish(t, h, upos.CHAN_DEPOSIT_REPAY) }()
		synctest.Wait()
		is(t, h, "DepositStatus", upos.CHAN_STATUS_DEPOSIT_COUNT)
		must(t, <-done)
		is(t, h, "DepositStatus", upos.CHAN_STATUS_DEPOSIT_END)
		if m.InStore(0, upostest.Bill(500)) != 4 || m.InStore(1, upostest.Coin(20)) != 50 {
			t.Error("the repaid pieces are not those of the deposit")
		}

		begin(t, h) // nothing was deposited: nothing to pay
		fix(t, h)
		must(t, finish(t, h, upos.CHAN_DEPOSIT_REPAY))

		begin(t, h)
		m.Insert(upostest.Coin(20), 1)
		fix(t, h)
		m.Jam(1, true) // refused before anything moved: the application can keep the money instead
		refused(t, finish(t, h, upos.CHAN_DEPOSIT_REPAY), upos.E_FAILURE)
		is(t, h, "DepositStatus", upos.CHAN_STATUS_DEPOSIT_JAM)
		m.Jam(1, false)
		m.Short(upostest.Short{Sure: true, Err: &cash.PartialError{}})
		refused(t, finish(t, h, upos.CHAN_DEPOSIT_REPAY), upos.E_FAILURE)
		is(t, h, "DepositStatus", upos.CHAN_STATUS_DEPOSIT_END) // it cannot be repaid twice
	})
}

// TestHandlersMayCallAnything: a handler calls while another thread is in FixDeposit, and closes the handle.
func TestHandlersMayCallAnything(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
		must(t, h.Set("RealTimeDataEnabled", true))
		must(t, h.Set("DataEventEnabled", true))
		begin(t, h)
		handled := make(chan error, 1)
		go func() {
			ev, err := h.Next(context.Background())
			if err != nil {
				handled <- err
				return
			}
			for _, f := range []func() error{
				func() error { return call(h, "ClearInput", nil) },
				func() error { return h.Set("DataEventEnabled", true) },
				func() error { return call(h, "FixDeposit", nil) },
				func() error { return finish(t, h, upos.CHAN_DEPOSIT_NOCHANGE) },
				func() error { return call(h, "Release", nil) },
				func() error { return h.Ack(ev.Seq) },
				h.Close,
			} {
				if err := f(); err != nil {
					handled <- err
					return
				}
			}
			handled <- nil
		}()
		m.Insert(upostest.Bill(500), 1)
		must(t, <-handled)
		if _, err := h.Next(context.Background()); err != upos.ErrClosed {
			t.Errorf("Next after Close: %v", err)
		}
	})
}

// TestTakenBack: a machine gives a piece back after all that it had credited.
func TestTakenBack(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	must(t, h.Set("RealTimeDataEnabled", true))
	begin(t, h)
	m.Insert(upostest.Bill(500), 2)
	m.Credit(0, upostest.Bill(500), -1)
	for _, want := range []int32{500, 1000, 500} {
		must(t, h.Set("DataEventEnabled", true))
		next(t, h)
		is(t, h, "DepositAmount", want)
	}
	fix(t, h)
	is(t, h, "DepositAmount", int32(500))
}

// TestTakenBackFromBefore: what a machine gives back that came in before the deposit is none of its money, and a deposit of
// which everything was given back is repaid without a payout.
func TestTakenBackFromBefore(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till2"), w.machines["Till2"]
	must(t, h.Set("RealTimeDataEnabled", true))
	begin(t, h)
	m.Insert(upostest.Bill(1000), 1)
	m.Credit(0, upostest.Bill(500), -1)
	m.Credit(0, upostest.Bill(1000), -1)
	m.Insert(upostest.Bill(500), 1)
	m.Credit(0, upostest.Bill(500), -1)
	fix(t, h)
	is(t, h, "DepositAmount", int32(0))
	is(t, h, "DepositCounts", "1:0,2:0,5:0,10:0,20:0,50:0,100:0,200:0;500:0,1000:0,2000:0,5000:0,10000:0,20000:0,50000:0")
	must(t, finish(t, h, upos.CHAN_DEPOSIT_REPAY))
	is(t, h, "DepositStatus", upos.CHAN_STATUS_DEPOSIT_END)
}

// TestEventOlderThanAPause does not turn the amounts back that the pause brought up to date.
func TestEventOlderThanAPause(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	must(t, h.Set("RealTimeDataEnabled", true))
	begin(t, h)
	m.Insert(upostest.Bill(500), 2)
	is(t, h, "DepositAmount", int32(0))
	pauseIt(t, h, upos.CHAN_DEPOSIT_PAUSE)
	is(t, h, "DepositAmount", int32(1000))
	must(t, h.Set("DataEventEnabled", true))
	next(t, h)
	is(t, h, "DepositAmount", int32(1000))
}

package upostest

import (
	"strings"
	"testing"

	"coffer/upos"
)

// Scenario is one acceptance scenario of the standard's fact sheet.
type Scenario struct {
	Number int
	Name   string
	Run    func(t testing.TB, w World)
}

// Scenarios lists all forty. Each opens what it needs and leaves the devices closed, with money moved.
func Scenarios() []Scenario {
	var out []Scenario
	for _, group := range [][]Scenario{lifeCycle, deposits, payouts, events, classes} {
		out = append(out, group...)
	}
	return out
}

const (
	change   = upos.CHAN_DEPOSIT_CHANGE
	noChange = upos.CHAN_DEPOSIT_NOCHANGE
	repay    = upos.CHAN_DEPOSIT_REPAY
	pause    = upos.CHAN_DEPOSIT_PAUSE
	start    = upos.CHAN_STATUS_DEPOSIT_START
	end      = upos.CHAN_STATUS_DEPOSIT_END
	counted  = upos.CHAN_STATUS_DEPOSIT_COUNT
)

var lifeCycle = []Scenario{
	{1, "state before open", func(t testing.TB, w World) { newUser(t, w, Changer).is("State", upos.S_CLOSED) }},
	{2, "any other getter before open", func(t testing.TB, w World) {
		u := newUser(t, w, Changer)
		for _, m := range upos.Members(upos.CashChanger) {
			if !m.Method && m.Access != upos.Always {
				u.getFails(upos.E_CLOSED, m.Name)
			}
		}
	}},
	{3, "open", func(t testing.TB, w World) { opened(t, w, Changer).is("State", upos.S_IDLE) }},
	{4, "currency list after open", func(t testing.TB, w World) {
		u := opened(t, w, Changer)
		coins, bills, _ := strings.Cut(u.get("CurrencyCashList").(string), ";")
		if !strings.Contains(","+coins+",", ",100,") || !strings.Contains(","+bills+",", ",500,") {
			t.Fatalf("CurrencyCashList %q;%q has no coin of 100 or no bill of 500", coins, bills)
		}
	}},
	{5, "before claim", func(t testing.TB, w World) {
		u := opened(t, w, Changer)
		u.getFails(upos.E_NOTCLAIMED, "DepositStatus")
		u.fails(upos.E_NOTCLAIMED, "BeginDeposit")
		u.setFails(upos.E_NOTCLAIMED, "DeviceEnabled", true)
	}},
	{6, "claim of a second instance", func(t testing.TB, w World) {
		claimed(t, w, Changer)
		opened(t, w, Changer).fails(upos.E_TIMEOUT, "Claim", "timeout", 0)
	}},
	{7, "after claim, before enable", func(t testing.TB, w World) {
		u := claimed(t, w, Changer)
		u.getFails(upos.E_DISABLED, "DepositStatus")
		u.fails(upos.E_DISABLED, "BeginDeposit")
	}},
	{8, "power notification", func(t testing.TB, w World) {
		u := claimed(t, w, Changer)
		u.set("PowerNotify", upos.PN_ENABLED)
		u.set("DeviceEnabled", true)
		u.event(upos.StatusUpdateEvent, upos.SUE_POWER_ONLINE)
		u.is("PowerState", upos.PS_ONLINE)
	}},
	{9, "power notification while enabled", func(t testing.TB, w World) {
		enabled(t, w, Changer).setFails(upos.E_ILLEGAL, "PowerNotify", upos.PN_DISABLED)
	}},
	{35, "release twice", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		u.call("Release")
		u.is("DeviceEnabled", false)
		u.fails(upos.E_NOTCLAIMED, "Release")
	}},
	{36, "state after close", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		u.call("Close")
		u.is("State", upos.S_CLOSED)
	}},
}

var deposits = []Scenario{
	{10, "deposit status after enable", func(t testing.TB, w World) { enabled(t, w, Changer).is("DepositStatus", end) }},
	{11, "deposit methods without BeginDeposit", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		u.fails(upos.E_ILLEGAL, "FixDeposit")
		u.fails(upos.E_ILLEGAL, "EndDeposit", "success", change)
		u.fails(upos.E_ILLEGAL, "PauseDeposit", "control", pause)
	}},
	{12, "BeginDeposit twice", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		u.call("BeginDeposit")
		u.is("DepositStatus", start)
		u.fails(upos.E_ILLEGAL, "BeginDeposit")
	}},
	{13, "money with real-time data", func(t testing.TB, w World) {
		u := listening(t, w, Changer)
		u.call("BeginDeposit")
		u.insert(Bill(500), 1)
		u.event(upos.DataEvent, 0)
		u.is("DepositAmount", 500)
		u.is("DataEventEnabled", false)
	}},
	{14, "money while data events are off", func(t testing.TB, w World) {
		u := listening(t, w, Changer)
		u.fiveThenTwo()
		u.is("DataCount", 1)
		u.is("DepositAmount", 500)
	}},
	{15, "data events on again", func(t testing.TB, w World) {
		u := listening(t, w, Changer)
		u.fiveThenTwo()
		u.set("DataEventEnabled", true)
		u.event(upos.DataEvent, 0)
		u.is("DepositAmount", 700)
	}},
	{16, "payout during a deposit", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		u.call("BeginDeposit")
		u.fails(upos.E_ILLEGAL, "DispenseChange", "amount", 100)
		u.fails(upos.E_ILLEGAL, "DispenseCash", "cashCounts", "100:1")
	}},
	{17, "EndDeposit before FixDeposit", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		u.call("BeginDeposit")
		u.fails(upos.E_ILLEGAL, "EndDeposit", "success", noChange)
	}},
	{18, "FixDeposit twice", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		u.call("BeginDeposit")
		u.call("FixDeposit")
		u.is("DepositStatus", counted)
		u.fails(upos.E_ILLEGAL, "FixDeposit")
	}},
	{19, "EndDeposit with a wrong code", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		u.call("BeginDeposit")
		u.call("FixDeposit")
		u.fails(upos.E_ILLEGAL, "EndDeposit", "success", 99)
	}},
	{20, "EndDeposit keeps the money", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		before := w.Stock(t, u.name, Bill(500)) + w.Stock(t, u.name, Coin(200))
		u.call("BeginDeposit")
		u.insert(Bill(500), 1)
		u.insert(Coin(200), 1)
		u.call("FixDeposit")
		u.is("DepositAmount", 700)
		u.call("EndDeposit", "success", noChange)
		u.is("DepositStatus", end)
		if now := w.Stock(t, u.name, Bill(500)) + w.Stock(t, u.name, Coin(200)); now != before+2 {
			t.Fatalf("%d pieces in store, want %d: nothing is to be dispensed", now, before+2)
		}
	}},
	{30, "repay", func(t testing.TB, w World) {
		u := enabled(t, w, RepayChanger)
		before := w.Stock(t, u.name, Coin(50))
		u.call("BeginDeposit")
		u.insert(Coin(50), 2)
		u.call("FixDeposit")
		u.is("DepositAmount", 100)
		u.call("EndDeposit", "success", repay)
		u.is("DepositStatus", end)
		if now := w.Stock(t, u.name, Coin(50)); now != before {
			t.Fatalf("%d coins in store, want %d as before the deposit", now, before)
		}
	}},
	{31, "repay where the machine cannot", func(t testing.TB, w World) {
		u := enabled(t, w, KeepChanger)
		u.is("CapRepayDeposit", false)
		u.call("BeginDeposit")
		u.call("FixDeposit")
		u.fails(upos.E_ILLEGAL, "EndDeposit", "success", repay)
	}},
}

// fiveThenTwo takes 5.00, hears of it, and takes 2.00 without turning data events on again.
func (u *user) fiveThenTwo() {
	u.t.Helper()
	u.call("BeginDeposit")
	u.insert(Bill(500), 1)
	u.event(upos.DataEvent, 0)
	u.insert(Coin(200), 1)
}

var payouts = []Scenario{
	{21, "DispenseChange of nothing", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		u.fails(upos.E_ILLEGAL, "DispenseChange", "amount", 0)
		u.fails(upos.E_ILLEGAL, "DispenseChange", "amount", -1)
	}},
	{22, "DispenseCash of nonsense", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		for _, s := range []string{"3:1", "", "abc"} {
			u.fails(upos.E_ILLEGAL, "DispenseCash", "cashCounts", s)
		}
	}},
	{23, "more pieces than in stock", func(t testing.TB, w World) {
		enabled(t, w, Changer).failsExtended(upos.ECHAN_OVERDISPENSE, "DispenseCash", "cashCounts", "100:30000")
	}},
	{24, "a coin and a bill", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		coins, bills := w.Stock(t, u.name, Coin(100)), w.Stock(t, u.name, Bill(500))
		u.call("DispenseCash", "cashCounts", "100:1;500:1")
		if c, b := w.Stock(t, u.name, Coin(100)), w.Stock(t, u.name, Bill(500)); c != coins-1 || b != bills-1 {
			t.Fatalf("%d coins and %d bills left of %d and %d", c, b, coins, bills)
		}
	}},
	{25, "asynchronous payout", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		u.set("AsyncMode", true)
		u.call("DispenseChange", "amount", 100)
		u.is("State", upos.S_BUSY)
		u.event(upos.StatusUpdateEvent, upos.CHAN_STATUS_ASYNC)
		u.is("AsyncResultCode", upos.SUCCESS)
		u.is("State", upos.S_IDLE)
	}},
	{26, "asynchronous shortage", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		u.set("AsyncMode", true)
		u.call("DispenseCash", "cashCounts", "100:30000")
		u.event(upos.StatusUpdateEvent, upos.CHAN_STATUS_ASYNC)
		u.is("AsyncResultCode", upos.E_EXTENDED)
		u.is("AsyncResultCodeExtended", upos.ECHAN_OVERDISPENSE)
	}},
	{27, "counts while a payout runs", func(t testing.TB, w World) {
		u := enabled(t, w, Changer)
		u.set("AsyncMode", true)
		u.call("DispenseChange", "amount", 100)
		u.fails(upos.E_BUSY, "ReadCashCounts")
		u.event(upos.StatusUpdateEvent, upos.CHAN_STATUS_ASYNC)
	}},
	{28, "an exit that is not there", func(t testing.TB, w World) {
		enabled(t, w, Changer).setFails(upos.E_ILLEGAL, "CurrentExit", 9)
	}},
	{29, "a currency that is not there", func(t testing.TB, w World) {
		enabled(t, w, Changer).setFails(upos.E_ILLEGAL, "CurrencyCode", "USD")
	}},
}

var events = []Scenario{
	{32, "freeze", func(t testing.TB, w World) {
		u := listening(t, w, Changer)
		u.call("BeginDeposit")
		u.set("FreezeEvents", true)
		u.insert(Bill(500), 1)
		u.silent(upos.DataEvent)
		u.is("DataCount", 1)
		u.is("DepositAmount", 0)
		u.is("DataEventEnabled", true)
		u.set("FreezeEvents", false)
		u.event(upos.DataEvent, 0)
		u.is("DataCount", 0)
		u.is("DepositAmount", 500)
	}},
	{33, "ClearInput", func(t testing.TB, w World) {
		u := listening(t, w, Changer)
		u.set("DataEventEnabled", false)
		u.call("BeginDeposit")
		u.insert(Coin(100), 1)
		u.insert(Bill(500), 1)
		u.is("DataCount", 2)
		u.call("ClearInput")
		u.is("DataCount", 0)
		u.set("DataEventEnabled", true)
		u.silent(upos.DataEvent)
	}},
	{34, "release discards", func(t testing.TB, w World) {
		u := listening(t, w, Changer)
		u.set("DataEventEnabled", false)
		u.call("BeginDeposit")
		u.insert(Bill(500), 1)
		u.call("Release")
		u.call("Claim", "timeout", 5000)
		u.set("DeviceEnabled", true)
		u.set("DataEventEnabled", true)
		u.is("DataCount", 0)
		u.silent(upos.DataEvent)
	}},
}

var classes = []Scenario{
	{37, "BillAcceptor EndDeposit", func(t testing.TB, w World) {
		u := enabled(t, w, BillsIn)
		u.call("BeginDeposit")
		u.call("FixDeposit")
		u.fails(upos.E_ILLEGAL, "EndDeposit", "success", change)
		u.call("EndDeposit", "success", upos.BACC_DEPOSIT_COMPLETE)
	}},
	{38, "BillAcceptor counts without semicolon", func(t testing.TB, w World) {
		enabled(t, w, BillsIn).fails(upos.E_ILLEGAL, "AdjustCashCounts", "cashCounts", "500:3")
	}},
	{39, "CashDrawer opens for all", func(t testing.TB, w World) {
		a, b := opened(t, w, RegisterBox), opened(t, w, RegisterBox)
		a.set("DeviceEnabled", true)
		b.set("DeviceEnabled", true)
		a.call("OpenDrawer")
		a.event(upos.StatusUpdateEvent, upos.CASH_SUE_DRAWEROPEN)
		b.event(upos.StatusUpdateEvent, upos.CASH_SUE_DRAWEROPEN)
	}},
	{40, "CashDrawer claimed by another", func(t testing.TB, w World) {
		claimed(t, w, RegisterBox)
		b := opened(t, w, RegisterBox)
		b.set("DeviceEnabled", true)
		b.fails(upos.E_CLAIMED, "OpenDrawer")
	}},
}

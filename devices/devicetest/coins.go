package devicetest

import (
	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Models whose machines can do more than other coin machines.
const (
	modelHopper3 = "SMART_HOPPER_3"
	modelHopper4 = "SMART_HOPPER_4"
	modelTwin    = "TWIN_SMART_COIN_SYSTEM"
)

// filledByHand: levels that a person sets are adjusted, also while coins come in, and are what is paid from.
func filledByHand(b *bench) {
	b.accept()
	d := b.dev.(devices.Filler)
	b.is(d.AddLevel(b.ctx(), piece(7), 1), cash.ErrInvalid)
	b.is(d.AddLevel(b.ctx(), piece(50), -1), cash.ErrInvalid)
	b.is(d.AddLevel(b.ctx(), piece(50), 60000), cash.ErrInvalid)
	b.ok(d.AddLevel(b.ctx(), piece(50), 10))
	b.event("Filled 10x 50 EUR")
	b.rest()
	b.ok(d.AddLevel(b.ctx(), piece(20), 0))
	b.event("Filled -50x 20 EUR")
	b.ok(d.AddLevel(b.ctx(), piece(20), 0)) // nothing is left to be told
	b.rest()
	b.went(b.insert(20, 1), sim.InPayout)
	b.rest()
	if n := b.till.count("Filled"); n != 2 {
		b.Errorf("told %d times", n)
	}
	b.ok(b.dev.(devices.Payer).StartPayout(b.ctx(), money(20)))
	b.is(d.AddLevel(b.ctx(), piece(20), 1), cash.ErrBusy)
	b.event("Ended dispense done 20")
	b.rest()
}

// options: what is set stays set over a restart, and what the books cannot follow is refused.
func options(b *bench) {
	b.accept()
	d := b.dev.(devices.Optioner)
	got, err := d.Options(b.ctx())
	if err != nil || got != (devices.Options{Reg0: ssp.Reg0Default}) {
		b.Errorf("options %+v, %v", got, err)
	}
	b.is(d.SetOptions(b.ctx(), devices.Options{Reg0: ssp.Reg0CashboxPay}), cash.ErrInvalid)
	b.is(d.SetOptions(b.ctx(), devices.Options{Reg1: ssp.Reg1EmptyToFront}), cash.ErrInvalid)
	want := devices.Options{Reg0: ssp.Reg0Default | ssp.Reg0ValueAdded, Reg1: ssp.Reg1CoinRejected}
	b.ok(d.SetOptions(b.ctx(), want))
	b.ok(b.dev.Reset(b.ctx()))
	b.lostAndBack()
	if got, err = d.Options(b.ctx()); err != nil || got != want {
		b.Errorf("after a restart: options %+v, %v", got, err)
	}
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled })
	b.went(b.insert(50, 1), sim.InPayout)
	if _, err := b.Machine.Insert(sim.Insert{Value: 50, Currency: "EUR", Unreadable: true}); err != nil {
		b.Fatal(err)
	}
	b.event("CoinRejected")
	b.rest()
}

// coinMech: what happens to the coin mech of a hopper shows, and nothing is taken meanwhile.
func coinMech(b *bench) {
	if m := b.dev.Snapshot().Model; m != modelHopper3 && m != modelHopper4 {
		return
	}
	b.accept()
	b.fault(sim.Fault{Kind: sim.FaultMechOff})
	b.event("state COIN_MECH_DISABLED")
	b.went(b.insert(50, 1), sim.IsReturned)
	b.fault(sim.Fault{Kind: sim.FaultMechOn})
	b.event("state COIN_MECH_ENABLED")
	b.event("state IDLE")
	b.fault(sim.Fault{Kind: sim.FaultMechError})
	b.event("state ERROR")
	b.fault(sim.Fault{Kind: sim.FaultMechOK})
	b.went(b.insert(50, 1), sim.InPayout)
	b.rest()
	b.ok(b.World.SetSpeed(1))
	id := b.insert(50, 3)
	b.fault(sim.Fault{Kind: sim.FaultMechReturn})
	b.went(id, sim.IsReturned)
	b.rest()
}

// twoHoppers: routes, modes and the lifter of a twin, by the coding that simulated machines understand.
func twoHoppers(b *bench) {
	if b.dev.Snapshot().Model != modelTwin {
		return
	}
	b.accept()
	d := b.dev.(devices.Twin)
	b.is(d.SetSorterRoute(b.ctx(), piece(7), 1), cash.ErrInvalid)
	b.is(d.SetSorterRoute(b.ctx(), piece(50), 2), cash.ErrInvalid)
	b.is(d.SetTwinMode(b.ctx(), 4), cash.ErrInvalid)
	b.ok(d.SetSorterRoute(b.ctx(), piece(50), 1))
	b.ok(d.SetTwinMode(b.ctx(), 3))
	b.ok(b.dev.Reset(b.ctx()))
	b.lostAndBack()
	s := b.dev.Snapshot()
	if ch, _ := s.Channel(piece(50)); ch.Hopper != 1 || s.TwinMode != 3 || s.ModuleSerials[2] == "" || s.ModuleSerials[3] == "" {
		b.Errorf("the picture shows %+v", s)
	}
	want := devices.LifterStatus{Connected: true, OptoClear: true}
	if got, err := b.dev.(devices.Lifter).LifterStatus(b.ctx()); err != nil || got != want {
		b.Errorf("lifter %+v, %v", got, err)
	}
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled })
	b.went(b.insert(50, 1), sim.InPayout)
	b.rest()
	b.ok(b.dev.(devices.Payer).StartPayout(b.ctx(), money(250)))
	b.event("state LIFTER_EVENT")
	b.event("Ended dispense done 250")
	b.rest()
}

// realTwin: without bytes that are known, and on every machine with one hopper, there is nothing to be set.
func realTwin(b *bench) {
	_, err := b.dev.(devices.Lifter).LifterStatus(b.ctx())
	b.is(err, cash.ErrUnsupported)
	b.is(b.dev.(devices.Twin).SetTwinMode(b.ctx(), 1), cash.ErrUnsupported)
	b.is(b.dev.(devices.Twin).SetSorterRoute(b.ctx(), piece(50), 1), cash.ErrUnsupported)
}

// cashboxCounts: what falls into the cashbox is counted, and what a person says of it is booked.
func cashboxCounts(b *bench) {
	b.accept()
	d := b.dev.(devices.CashboxCounter)
	shows := func(want cash.Counts) {
		b.Helper()
		got, unknown, err := d.CashboxLevels(b.ctx())
		if err != nil || unknown != 0 || !same(got, want) {
			b.Errorf("cashbox %v, unknown %d, %v; want %v", got.Rows(), unknown, err, want.Rows())
		}
		if truth := rows(b.Machine.Truth().Cashbox); !same(truth, want) {
			b.Errorf("in truth %v; want %v", truth.Rows(), want.Rows())
		}
	}
	shows(nil)
	b.ok(b.dev.(devices.Router).SetRoute(b.ctx(), piece(50), false))
	b.went(b.insert(50, 3), sim.InCashbox)
	b.rest()
	shows(cash.Counts{piece(50): 3})
	b.is(d.AddCashboxLevel(b.ctx(), piece(7), 1), cash.ErrInvalid)
	b.is(d.AddCashboxLevel(b.ctx(), piece(50), -1), cash.ErrInvalid)
	b.ok(d.AddCashboxLevel(b.ctx(), piece(200), 4))
	b.event("CashboxSet {200 EUR 4}")
	b.rest()
	shows(cash.Counts{piece(50): 3, piece(200): 4})
	b.ok(d.AddCashboxLevel(b.ctx(), piece(50), 0))
	b.event("CashboxSet {50 EUR 0}")
	b.rest()
	shows(cash.Counts{piece(200): 4})
	b.ok(b.dev.(devices.Emptier).StartEmpty(b.ctx(), 0))
	b.event("Ended empty done")
	b.rest()
	b.ok(d.ClearCashboxLevels(b.ctx()))
	b.rest()
	shows(nil)
}

// payoutLimits: a payout takes no more coins than it may, no more payouts are made without a coin coming in than may be,
// and both are still so after a restart.
func payoutLimits(b *bench) {
	b.accept()
	d, p := b.dev.(devices.CoinHealth), b.dev.(devices.Payer)
	b.ok(p.TestPayout(b.ctx(), money(370)))
	if n, err := d.PayoutCount(b.ctx()); err != nil || n != 4 {
		b.Errorf("%d coins, %v", n, err)
	}
	b.is(d.SetPayoutLimit(b.ctx(), 65536), cash.ErrInvalid)
	b.ok(d.SetPayoutLimit(b.ctx(), 3))
	b.ok(d.SetNoPayinCount(b.ctx(), 1))
	b.ok(b.dev.Reset(b.ctx()))
	b.lostAndBack()
	b.until("accepting again", func() bool { return b.Machine.Truth().Enabled })
	b.is(p.TestPayout(b.ctx(), money(370)), cash.ErrNotExact)
	b.is(p.StartPayout(b.ctx(), money(370)), cash.ErrNotExact)
	b.ok(p.StartPayout(b.ctx(), money(350)))
	b.event("Ended dispense done 350")
	b.rest()
	b.is(p.StartPayout(b.ctx(), money(50)), cash.ErrDisabled)
	b.went(b.insert(50, 1), sim.InPayout)
	b.rest()
	b.ok(d.SetPayoutLimit(b.ctx(), 0))
	b.ok(p.StartPayout(b.ctx(), money(370)))
	b.event("Ended dispense done 370")
	b.rest()
	b.ok(d.SetNoPayinCount(b.ctx(), 0))
	b.ok(p.TestPayout(b.ctx(), money(50)))
}

// coinHealth: how well coins are told, what is wrong, and the service book.
func coinHealth(b *bench) {
	b.accept()
	d, book := b.dev.(devices.CoinHealth), b.dev.(devices.Servicer)
	b.ok(b.dev.(devices.Payer).StartPayout(b.ctx(), money(200)))
	b.event("Ended dispense done 200")
	b.rest()
	want := devices.CoinAcceptance{Percent: 100, Seen: 1, Accepted: 1}
	if a, err := d.CoinAcceptance(b.ctx(), 0); err != nil || a != want {
		b.Errorf("acceptance %+v, %v", a, err)
	}
	_, err := d.CoinAcceptance(b.ctx(), 3)
	b.is(err, cash.ErrInvalid)
	if code, err := d.GlobalError(b.ctx()); err != nil || code != [2]byte{} {
		b.Errorf("error %v, %v", code, err)
	}
	b.fault(sim.Fault{Kind: sim.FaultPayoutJam})
	if code, err := d.GlobalError(b.ctx()); err != nil || code[0] == 0 {
		b.Errorf("jammed: error %v, %v", code, err)
	}
	b.fault(sim.Fault{Kind: sim.FaultUnjam})
	b.rest()
	for sub, n := range []int{1, 1, 9, 4, 1, 3} {
		if fields, err := book.ModuleServiceInformation(b.ctx(), 0, byte(sub)); err != nil || len(fields) != n {
			b.Errorf("service %d: %v, %v", sub, fields, err)
		}
	}
	_, err = book.ModuleServiceInformation(b.ctx(), 9, 0)
	b.is(err, cash.ErrInvalid)
	b.ok(book.SetMaintenanceReset(b.ctx(), 7, 25))
	if fields, err := book.ModuleServiceInformation(b.ctx(), 0, 2); err != nil || fields[0] != 7 || fields[1] != 25 {
		b.Errorf("serviced %v, %v", fields, err)
	}
	_, err = book.ServiceInformation(b.ctx(), 0)
	b.is(err, cash.ErrUnsupported)
}

// realCoins: without bytes that are known there is nothing of it.
func realCoins(b *bench) {
	d, c := b.dev.(devices.CoinHealth), b.dev.(devices.CashboxCounter)
	_, err := d.CoinAcceptance(b.ctx(), 0)
	b.is(err, cash.ErrUnsupported)
	_, err = d.GlobalError(b.ctx())
	b.is(err, cash.ErrUnsupported)
	b.is(d.SetPayoutLimit(b.ctx(), 1), cash.ErrUnsupported)
	b.is(d.SetNoPayinCount(b.ctx(), 1), cash.ErrUnsupported)
	_, _, err = c.CashboxLevels(b.ctx())
	b.is(err, cash.ErrUnsupported)
	b.is(c.ClearCashboxLevels(b.ctx()), cash.ErrUnsupported)
	b.is(b.dev.(devices.Servicer).SetMaintenanceReset(b.ctx(), 1, 25), cash.ErrUnsupported)
}

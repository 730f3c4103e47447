package devicetest

import (
	"strings"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

func identify(b *bench) {
	s := b.dev.Snapshot()
	if s.ID != cash.DeviceID(s.Model+"-"+port) || s.Serial == "" || s.Firmware == "" || s.Dataset == "" || s.Protocol != b.protocol() {
		b.Errorf("picture %+v", s)
	}
	if !s.Encrypted || s.State != cash.StateDisabled && s.State != cash.StateStarted || s.AcceptorEnabled {
		b.Errorf("picture %+v", s)
	}
	if d, ok := b.station.Device(cash.DeviceID(strings.ToLower(string(s.ID)))); !ok || d != b.dev {
		b.Errorf("found %v, %v by its name", d, ok)
	}
	for i, ch := range s.Channels {
		if ch.Number != i+1 || ch.Inhibited || ch.ToPayout != b.recycles(ch.Denom.Value) || ch.Level != s.Levels[ch.Denom] {
			b.Errorf("channel %+v", ch)
		}
	}
	b.rest()
}

func accept(b *bench) {
	b.accept()
	small, large := b.values()
	for _, v := range []int64{small, large} {
		b.went(b.insert(v, 1), b.stores(v))
		b.rest()
	}
	if b.coins() {
		b.event("CoinCredited 1x 50 EUR payout")
		b.event("CoinCredited 1x 200 EUR payout")
	} else {
		b.event("NoteHeld 500 EUR")
		b.event("NoteCredited 500 EUR " + b.stores(500))
		b.event("NotePlaced 500 EUR " + b.stores(500))
		b.event("NotePlaced 2000 EUR " + b.stores(2000))
	}
	b.event("state IDLE")
	b.ok(b.dev.Disable(b.ctx()))
	b.event("state DISABLED")
}

func disabled(b *bench) {
	b.accept()
	b.ok(b.dev.Disable(b.ctx()))
	b.until("disabled", func() bool { return b.dev.Snapshot().State == cash.StateDisabled })
	small, _ := b.values()
	b.went(b.insert(small, 1), sim.IsReturned)
	b.rest()
	if n := b.till.count("NoteCredited") + b.till.count("CoinCredited"); n != 0 {
		b.Errorf("%d credits", n)
	}
}

func inhibit(b *bench) {
	b.accept()
	small, large := b.values()
	b.is(b.dev.SetInhibits(b.ctx(), []cash.Denom{piece(small), piece(7)}, true), cash.ErrInvalid)
	b.ok(b.dev.SetInhibits(b.ctx(), []cash.Denom{piece(small)}, true))
	if ch, _ := b.dev.Snapshot().Channel(piece(small)); !ch.Inhibited {
		b.Error("the picture does not show the inhibit")
	}
	b.went(b.insert(small, 1), sim.IsReturned)
	b.went(b.insert(large, 1), b.stores(large))
	b.ok(b.dev.SetInhibits(b.ctx(), []cash.Denom{piece(small)}, false))
	b.went(b.insert(small, 1), b.stores(small))
	b.rest()
}

func escrow(b *bench) {
	b.accept()
	d := b.dev.(devices.Escrow)
	b.is(d.AcceptEscrow(b.ctx()), cash.ErrNothing)
	id := b.insert(500, 1)
	b.event("NoteHeld 500 EUR")
	b.until("held", func() bool { s := b.dev.Snapshot().Escrow; return s != nil && *s == piece(500) })
	b.went(id, sim.InEscrow)
	b.ok(d.AcceptEscrow(b.ctx()))
	b.went(id, b.stores(500))
	b.event("NotePlaced 500 EUR")
	b.rest()

	b.till.forget()
	id = b.insert(2000, 1)
	b.event("NoteHeld 2000 EUR")
	b.ok(d.ReturnEscrow(b.ctx()))
	b.is(d.ReturnEscrow(b.ctx()), cash.ErrNothing)
	b.went(id, sim.IsReturned)
	b.event("NoteReturned 2000 EUR 8")
	b.event("state REJECTED")
	b.rest()

	b.ok(d.SetAutoAccept(b.ctx(), true))
	b.went(b.insert(2000, 1), b.stores(2000))
	b.rest()
}

func unreadable(b *bench) {
	b.accept()
	if _, err := b.Machine.Insert(sim.Insert{Unreadable: true}); err != nil {
		b.Fatal(err)
	}
	b.event("NoteRejected")
	b.event("state REJECTED")
	b.rest()
	if _, err := b.dev.(devices.LastRejecter).LastReject(b.ctx()); err != nil {
		b.Error(err)
	}
	if b.till.count("NoteHeld") > 0 {
		b.Error("a note that was not read was held")
	}
}

func route(b *bench) {
	b.accept()
	small, large := b.values()
	d := b.dev.(devices.Router)
	b.is(d.SetRoute(b.ctx(), piece(7), true), cash.ErrInvalid)
	b.ok(d.SetRoute(b.ctx(), piece(small), false))
	b.went(b.insert(small, 1), sim.InCashbox)
	b.went(b.insert(large, 1), b.stores(large))
	b.rest()
	b.ok(d.SetRoute(b.ctx(), piece(small), true))
	b.went(b.insert(small, 1), sim.InPayout)
	b.rest()
}

func cashbox(b *bench) {
	b.accept()
	b.fault(sim.Fault{Kind: sim.FaultCashboxRemoved})
	b.event("state CASHBOX_REMOVED")
	b.until("shown", func() bool { return b.dev.Snapshot().CashboxRemoved })
	b.went(b.insert(500, 1), sim.IsReturned)
	b.fault(sim.Fault{Kind: sim.FaultCashboxReplaced})
	b.event("state CASHBOX_REPLACE")
	b.until("shown", func() bool { return !b.dev.Snapshot().CashboxRemoved })
	b.went(b.insert(500, 1), b.stores(500))
	b.rest()
}

func calibration(b *bench) {
	b.accept()
	b.fault(sim.Fault{Kind: sim.FaultCalibrationFail})
	b.event("CalibrationFailed")
	b.event("state IDLE")
	b.went(b.insert(50, 1), sim.InPayout)
	b.rest()
}

func many(b *bench) {
	b.accept()
	small, large := b.values()
	want := map[int64]int{small: 20, large: 20}
	for v, n := range want {
		b.insert(v, n)
	}
	b.until("all in", func() bool {
		t := b.Machine.Truth()
		return !t.Moving && len(rows(t.Inserted).Minus(cash.Counts{piece(small): 20, piece(large): 20})) == 0
	})
	b.rest()
	truth := b.Machine.Truth()
	if back := rows(truth.Returned); len(back) > 0 {
		b.Errorf("went back: %v", back.Rows())
	}
	if n := b.till.count("NoteCredited") + b.till.count("CoinCredited"); n != 40 {
		b.Errorf("%d credits, want 40", n)
	}
}

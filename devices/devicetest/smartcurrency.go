package devicetest

import (
	"slices"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

// modelSmart is the validator with several datasets on a card.
const modelSmart = "SMART_CURRENCY_SYSTEM"

// protocol is the version in force with the machine under test.
func (b *bench) protocol() int {
	if b.dev.Snapshot().Model == modelSmart {
		return 9
	}
	return 8
}

// datasets: another one is brought into force, and money of its denominations is taken.
func datasets(b *bench) {
	d := b.dev.(devices.SmartCurrency)
	if b.dev.Snapshot().Model != modelSmart {
		_, err := d.SmartDatasets(b.ctx())
		b.is(err, cash.ErrUnsupported)
		b.is(d.ActivateDataset(b.ctx(), "GBP07057"), cash.ErrUnsupported)
		return
	}
	b.event("state SCSTATUS_DATASET_READY")
	b.card(d, devices.SmartDataset{Enabled: true, Country: "EUR", Code: "EUR01045", Denominations: 7})
	b.is(d.ActivateDataset(b.ctx(), "GBP"), cash.ErrInvalid)
	b.is(d.ActivateDataset(b.ctx(), "GBP99999"), cash.ErrInvalid)
	b.accept()
	b.went(b.insert(500, 1), sim.InCashbox)
	b.rest()

	b.till.forget()
	b.ok(d.ActivateDataset(b.ctx(), "GBP07057"))
	b.event("state SCSTATUS_CHANGING_DATASET")
	b.lostAndBack()
	b.event("state SCSTATUS_DATASET_READY")
	b.card(d, devices.SmartDataset{Enabled: true, Country: "GBP", Code: "GBP07057", Denominations: 4})
	s := b.dev.Snapshot()
	if s.Dataset != "GBP07057" || s.Currency != "GBP" || len(s.Channels) != 4 || s.Channels[3].Denom.Currency != "GBP" {
		b.Errorf("the picture shows %+v", s)
	}
	b.accept()
	if _, err := b.Machine.Insert(sim.Insert{Value: 2000, Currency: "GBP"}); err != nil {
		b.Fatal(err)
	}
	b.event("NotePlaced 2000 GBP cashbox")
	b.went(b.insert(500, 1), sim.IsReturned) // euros are no longer known
	b.rest()
}

// card checks that the list has the dataset, and no other is enabled.
func (b *bench) card(d devices.SmartCurrency, want devices.SmartDataset) {
	b.Helper()
	list, err := d.SmartDatasets(b.ctx())
	if err != nil || len(list) != 3 || !slices.Contains(list, want) {
		b.Errorf("datasets %+v, %v; want %+v among them", list, err, want)
	}
	for _, s := range list {
		if s.Enabled && s != want {
			b.Errorf("%+v is enabled", s)
		}
	}
}

// cardAway: without its card nothing is taken in.
func cardAway(b *bench) {
	if b.dev.Snapshot().Model != modelSmart {
		return
	}
	d := b.dev.(devices.SmartCurrency)
	b.accept()
	b.fault(sim.Fault{Kind: sim.FaultCardOut})
	b.event("state SCSTATUS_NO_CARD")
	_, err := d.SmartDatasets(b.ctx())
	b.is(err, cash.ErrNothing)
	b.is(d.ActivateDataset(b.ctx(), "GBP07057"), cash.ErrNothing)
	b.went(b.insert(500, 1), sim.IsReturned)
	b.fault(sim.Fault{Kind: sim.FaultCardBack})
	b.event("state SCSTATUS_DATASET_READY")
	b.event("state IDLE")
	b.went(b.insert(500, 1), sim.InCashbox)
	b.rest()
}

// realDatasets: without bytes that are known nobody asks for the card.
func realDatasets(b *bench) {
	d, ok := b.dev.(devices.SmartCurrency)
	if !ok {
		return
	}
	_, err := d.SmartDatasets(b.ctx())
	b.is(err, cash.ErrUnsupported)
	b.is(d.ActivateDataset(b.ctx(), "GBP07057"), cash.ErrUnsupported)
}

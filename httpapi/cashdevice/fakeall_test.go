package cashdevice

import (
	"context"
	"fmt"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
)

// fakeAll is a machine that has every capability there is, and notes what it is told.
type fakeAll struct{ fakeNV4000 }

func (d fakeAll) AddLevel(_ context.Context, coin cash.Denom, n int) error {
	return d.did(fmt.Sprintf("level %s %d", coin, n))
}
func (d fakeAll) Options(context.Context) (devices.Options, error) {
	return devices.Options{Reg0: 4}, d.did("options")
}
func (d fakeAll) SetOptions(_ context.Context, o devices.Options) error {
	return d.did(fmt.Sprintf("options %d %d", o.Reg0, o.Reg1))
}
func (d fakeAll) SetSorterRoute(_ context.Context, coin cash.Denom, hopper byte) error {
	return d.did(fmt.Sprintf("sorter %s %d", coin, hopper))
}
func (d fakeAll) SetTwinMode(_ context.Context, mode byte) error {
	if mode > 3 {
		return cash.ErrInvalid
	}
	return d.did(fmt.Sprintf("twin %d", mode))
}
func (d fakeAll) LifterStatus(context.Context) (devices.LifterStatus, error) {
	return devices.LifterStatus{Connected: true, OptoClear: true}, d.did("lifter")
}
func (d fakeAll) CoinAcceptance(_ context.Context, unit byte) (devices.CoinAcceptance, error) {
	return devices.CoinAcceptance{Percent: 100}, d.did(fmt.Sprintf("acceptance %d", unit))
}
func (d fakeAll) GlobalError(context.Context) ([2]byte, error) {
	return [2]byte{}, d.did("global-error")
}
func (d fakeAll) SetPayoutLimit(_ context.Context, n int) error {
	return d.did(fmt.Sprintf("payout-limit %d", n))
}
func (d fakeAll) PayoutCount(context.Context) (int, error) { return 0, d.did("payout-count") }
func (d fakeAll) SetNoPayinCount(_ context.Context, n byte) error {
	return d.did(fmt.Sprintf("no-payin %d", n))
}
func (d fakeAll) CashboxLevels(context.Context) (cash.Counts, int, error) {
	return cash.Counts{{Value: 10, Currency: "GBP"}: 10}, 0, d.did("cashbox")
}
func (d fakeAll) AddCashboxLevel(_ context.Context, coin cash.Denom, n int) error {
	return d.did(fmt.Sprintf("cashbox-level %s %d", coin, n))
}
func (d fakeAll) ClearCashboxLevels(context.Context) error { return d.did("clear-cashbox") }
func (d fakeAll) ServiceInformation(_ context.Context, sub byte) ([]uint32, error) {
	return []uint32{11902, 461, 2, 2}, d.did(fmt.Sprintf("service %d", sub))
}
func (d fakeAll) ModuleServiceInformation(_ context.Context, module, sub byte) ([]uint32, error) {
	return []uint32{32717, 157, 20580}, d.did(fmt.Sprintf("module %d %d", module, sub))
}
func (d fakeAll) SetMaintenanceReset(_ context.Context, week, year int) error {
	return d.did(fmt.Sprintf("maintenance %d %d", week, year))
}
func (d fakeAll) Time(context.Context) (time.Time, error) { return at(), nil }
func (d fakeAll) SetTime(_ context.Context, t time.Time) error {
	return d.did("time " + t.Format(time.RFC3339))
}
func (d fakeAll) MultiEscrowSize(context.Context) (int, error) { return 20, d.did("escrow-size") }
func (d fakeAll) SetMultiEscrowSize(_ context.Context, n int) error {
	return d.did(fmt.Sprintf("set-escrow-size %d", n))
}
func (d fakeAll) MultiEscrowValue(context.Context) (cash.Amount, error) {
	return cash.Amount{Value: 1000, Currency: "EUR"}, d.did("escrow-value")
}
func (d fakeAll) CommitMultiEscrow(context.Context) error { return d.did("commit") }
func (d fakeAll) CancelMultiEscrow(context.Context) error { return d.did("cancel") }
func (d fakeAll) BarcodeConfig(context.Context) (devices.BarcodeConfig, error) {
	return devices.BarcodeConfig{Hardware: 3, Enabled: 3, Format: 1, Characters: 18}, d.did("barcode")
}
func (d fakeAll) SetBarcodeConfig(_ context.Context, c devices.BarcodeConfig) error {
	return d.did(fmt.Sprintf("set-barcode %d %d %d", c.Enabled, c.Format, c.Characters))
}
func (d fakeAll) Ticket(context.Context) (devices.Ticket, error) {
	return devices.Ticket{Status: devices.TicketStacked, Data: "123456789012345678"}, d.did("ticket")
}
func (d fakeAll) CassetteMode(context.Context) (devices.CassetteMode, error) {
	return devices.CassettePayout, d.did("cassette")
}
func (d fakeAll) Replenish(_ context.Context, n int) error {
	return d.did(fmt.Sprintf("replenish %d", n))
}
func (d fakeAll) RefillMode(context.Context) (bool, error) { return false, nil }
func (d fakeAll) SetRefillMode(_ context.Context, on bool) error {
	return d.did("refill " + truth(on))
}
func (d fakeAll) SetCashboxPayoutLimit(_ context.Context, limit cash.Counts) error {
	text := "box-limit"
	for _, ch := range d.Snapshot().Channels {
		text += fmt.Sprintf(" %d", limit[ch.Denom])
	}
	return d.did(text)
}
func (d fakeAll) EnablePayoutWith(_ context.Context, options byte) error {
	return d.did(fmt.Sprintf("payout-with %d", options))
}
func (d fakeAll) SmartDatasets(context.Context) ([]devices.SmartDataset, error) {
	return []devices.SmartDataset{
		{Country: "GBP", Code: "GBP07057", Denominations: 4}, {Country: "USD", Code: "USD01010", Denominations: 6},
		{Enabled: true, Country: "EUR", Code: "EUR01045", Denominations: 7},
	}, d.did("datasets")
}
func (d fakeAll) ActivateDataset(_ context.Context, code string) error {
	return d.did("dataset " + code)
}
func (d fakeAll) Raw(_ context.Context, cmd []byte) ([]byte, error) {
	return []byte{0xF0, 0x01, 0x02}, d.did(fmt.Sprintf("raw %X", cmd))
}

// withAll puts a machine with every capability on COM5 and opens it. As a coin machine it is called coinsID.
func (b *bench) withAll(model string) (*fakeDevice, string) {
	b.t.Helper()
	b.notes.edit(func(s *devices.Snapshot) {
		s.Model, s.Coins = model, model == modelCoins || model == modelTwin
		s.ID = cash.DeviceID(model + "-COM5")
		for i := range s.Channels {
			s.Channels[i].Hopper = byte(i % 2)
		}
	})
	b.station.machines["COM5"] = fakeAll{fakeNV4000{fakeNotes{b.notes}}}
	if a := b.post("OpenConnection", `{"ComPort":"COM5","SspAddress":0}`); a.status != 200 {
		b.t.Fatalf("OpenConnection: %d %s", a.status, a.body)
	}
	b.notes.took()
	b.till.took()
	return b.notes, model + "-COM5"
}

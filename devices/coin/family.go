package coin

import (
	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Family returns the family of coin machines that this driver knows: SMART Coin Systems (type 09).
func Family() devices.Family {
	return devices.Family{Name: "coin", Accepts: accepts, Model: model, New: newDriver}
}

func accepts(s ssp.Setup, _ string) bool { return s.UnitType == ssp.TypeCoinSystem }

func model(ssp.Setup, string) string { return "SMART_COIN_SYSTEM" }

// feederModule is the module byte of the feeder (ssp.md section 8.5).
const feederModule = 1

// driver is the goroutine's side of a coin machine.
type driver struct {
	core    *devices.Core
	device  *Device
	unitOn  bool        // ENABLE was sent since the connection began
	running bool        // the last answer showed coins running through
	read    bool        // the levels were read for the answer that is being handled
	arrived cash.Counts // what the levels have grown by and no event has named yet
	before  []ssp.EventCode
}

func newDriver(c *devices.Core) devices.Driver {
	d := &driver{core: c}
	d.device = &Device{Base: c.Base(), Store: devices.NewStore(c, d)}
	return d
}

// Device implements devices.Driver.
func (d *driver) Device() devices.Device { return d.device }

// Lost implements devices.Driver.
func (d *driver) Lost() {
	d.unitOn, d.running, d.read, d.arrived, d.before = false, false, false, nil, nil
}

// Busy implements devices.Driver.
func (d *driver) Busy() bool { return d.running }

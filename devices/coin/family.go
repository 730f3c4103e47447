package coin

import (
	"strings"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Models of the REST dialects.
const (
	modelHopper3 = "SMART_HOPPER_3"
	modelHopper4 = "SMART_HOPPER_4"
	modelSystem  = "SMART_COIN_SYSTEM"
	modelTwin    = "TWIN_SMART_COIN_SYSTEM"
)

// Beginnings of firmware texts that tell the machines of a unit type apart. SMART Hopper 4 and the coin systems around
// it have SH0004; that its predecessor has SH0003 is inferred. The twin is known by its firmware's number alone.
const (
	firmwareHopper3 = "SH0003"
	firmwareTwin    = "SH0004139"
)

// Family returns the family of coin machines that this driver knows: SMART Hoppers (type 03) and SMART Coin Systems
// (type 09), single and twin.
func Family() devices.Family {
	return devices.Family{Name: "coin", Accepts: accepts, Model: model, New: newDriver}
}

func accepts(s ssp.Setup, _ string) bool { return s.UnitType.Coins() }

func model(s ssp.Setup, firmware string) string {
	switch {
	case s.UnitType == ssp.TypeHopper && strings.HasPrefix(firmware, firmwareHopper3):
		return modelHopper3
	case s.UnitType == ssp.TypeHopper:
		return modelHopper4
	case strings.HasPrefix(firmware, firmwareTwin):
		return modelTwin
	}
	return modelSystem
}

// Module bytes of GET SERIAL NUMBER (ssp.md section 8.5). Those of hopper and lifter are the project's own.
const (
	feederModule = 1
	hopperModule = 2
	lifterModule = 3
)

// driver is the goroutine's side of a coin machine.
type driver struct {
	core    *devices.Core
	device  *Device
	unitOn  bool        // ENABLE was sent since the connection began
	noGate  bool        // the machine has no COIN MECH GLOBAL INHIBIT: it is enabled and disabled as a whole
	running bool        // the last answer showed coins running through
	read    bool        // the levels were read for the answer that is being handled
	arrived cash.Counts // what the levels have grown by and no event has named yet
	before  []ssp.EventCode
	box     boxTally
}

func newDriver(c *devices.Core) devices.Driver {
	d := &driver{core: c}
	d.device = &Device{Base: c.Base(), Store: devices.NewStore(c, d), driver: d}
	return d
}

// Device implements devices.Driver.
func (d *driver) Device() devices.Device { return d.device }

// Lost implements devices.Driver.
func (d *driver) Lost() {
	d.unitOn, d.noGate, d.running, d.read, d.arrived, d.before = false, false, false, false, nil, nil
	d.box = boxTally{}
}

// Busy implements devices.Driver.
func (d *driver) Busy() bool { return d.running }

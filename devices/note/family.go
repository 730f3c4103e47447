package note

import (
	"strings"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Family returns the family of note machines that this driver knows: validators without a payout store (type 00) and
// multi-denomination recyclers (type 06).
func Family() devices.Family {
	return devices.Family{Name: "note", Accepts: accepts, Model: model, New: newDriver}
}

func accepts(s ssp.Setup, _ string) bool {
	return s.UnitType == ssp.TypeValidator || s.UnitType == ssp.TypePayout
}

func model(s ssp.Setup, firmware string) string {
	switch {
	case s.UnitType == ssp.TypeValidator && strings.HasSuffix(firmware, smartFirmware):
		return modelSmart
	case s.UnitType == ssp.TypeValidator:
		return "NOTE_VALIDATOR"
	case strings.HasSuffix(firmware, "NV4"):
		return modelNV4000
	}
	return "SPECTRAL_PAYOUT"
}

// payoutModule is the module byte of the payout unit (ssp.md section 8.5).
const payoutModule = 1

// driver is the goroutine's side of a note machine.
type driver struct {
	core     *devices.Core
	device   *Device
	escrow   escrow
	unit     unit        // what ENABLE and DISABLE have made of it
	open     []bool      // the inhibits last sent, true for accepted; nil if none were
	credit   cash.Denom  // credited, and not placed yet; zero for none
	grown    cash.Counts // what readings of the levels have shown to have come into the store, and no event has yet
	several  several
	cassette cassette
	card     smartCard
	moving   bool // the last answer showed a note on its way in
	before   []ssp.EventCode
	tickets  *bool // whether tickets are let in, as sent last; nil: nothing was
	option   *byte // of ENABLE PAYOUT DEVICE; nil for none

	payoutRetry time.Time // when a store that was refused may be asked for again
}

// unit is the switch that ENABLE and DISABLE turn.
type unit int

const (
	unitUnknown unit = iota
	unitOn
	unitOff
)

func newDriver(c *devices.Core) devices.Driver {
	d := &driver{core: c}
	d.escrow.auto = c.Picture().AutoAccept
	d.device = newDevice(c, d, d)
	return d
}

// Device implements devices.Driver.
func (d *driver) Device() devices.Device { return d.device }

// Lost implements devices.Driver.
func (d *driver) Lost() {
	d.escrow.clear()
	d.several, d.cassette, d.card, d.tickets = several{}, cassette{}, smartCard{}, nil
	d.unit, d.open, d.credit, d.grown, d.moving, d.before = unitUnknown, nil, cash.Denom{}, nil, false, nil
}

// Busy implements devices.Driver.
func (d *driver) Busy() bool { return d.pathBusy() || d.several.busy() || d.cassette.busy() }

// pathBusy says whether a note is in the path.
func (d *driver) pathBusy() bool {
	return d.moving || d.escrow.is != nowhere || d.credit != cash.Denom{}
}

package coin

import (
	"errors"

	"coffer/devices"
	"coffer/ssp"
)

// Secure implements devices.Driver: the way in is closed, and the machine with it where it lets itself be disabled; a
// coin system refuses while coins are running through (ssp.md section 5.1).
func (d *driver) Secure() error {
	if err := d.gate(false); err != nil {
		return err
	}
	_, _, err := d.core.Try(ssp.CmdDisable.Data())
	return err
}

// Configure implements devices.Driver (ssp.md sections 15.6 to 15.8). The hopper has no payout switch.
func (d *driver) Configure() error {
	for _, step := range []func() error{d.serials, d.options, d.core.Routes, d.core.Limits, d.twin, d.health} {
		if err := step(); err != nil {
			return err
		}
	}
	d.core.Edit(func(s *devices.Snapshot) { s.PayoutEnabled = true })
	if err := d.Inhibits(); err != nil || !d.isHopper() {
		return err
	}
	_, _, err := d.core.Try(ssp.CoinMechOptions(true))
	return err
}

// isHopper says whether the machine is a hopper with a coin mech, and not a coin system.
func (d *driver) isHopper() bool { return d.core.Identity().UnitType == ssp.TypeHopper }

// isTwin says whether the machine has two hoppers.
func (d *driver) isTwin() bool { return d.core.Identity().Model == modelTwin }

// serials asks for those of the modules.
func (d *driver) serials() error {
	switch {
	case d.isHopper():
		return nil
	case d.isTwin() && d.core.Extended():
		return d.core.ModuleSerials(feederModule, hopperModule, lifterModule)
	}
	return d.core.ModuleSerials(feederModule)
}

// Inhibits implements devices.Driver with one SET COIN MECH INHIBITS a coin.
func (d *driver) Inhibits() error {
	version := d.core.Identity().Protocol
	for _, ch := range d.core.Picture().Channels {
		open := !d.core.Set.Inhibited[ch.Denom]
		cmd := ssp.SetCoinMechInhibit(version, open, uint16(ch.Denom.Value), string(ch.Denom.Currency))
		if _, err := d.core.Tx(cmd); err != nil {
			return err
		}
	}
	return nil
}

// Accept implements devices.Driver. The machine itself stays enabled, so that it can pay, and the way in is switched;
// one that cannot switch it is disabled as a whole.
func (d *driver) Accept(on bool) error {
	if err := d.gate(on); err != nil {
		return err
	}
	switch {
	case d.noGate && !on:
		return d.disable()
	case d.unitOn:
		return nil
	}
	_, err := d.core.Tx(ssp.CmdEnable.Data())
	d.unitOn = err == nil
	return err
}

// Refused implements devices.Driver.
func (d *driver) Refused() error {
	if err := d.gate(false); err != nil || !d.noGate {
		return err
	}
	return d.disable()
}

// disable disables the whole machine.
func (d *driver) disable() error {
	_, err := d.core.Tx(ssp.CmdDisable.Data())
	d.unitOn = d.unitOn && err != nil
	return err
}

// gate opens or closes the way in with COIN MECH GLOBAL INHIBIT.
func (d *driver) gate(open bool) error {
	if d.noGate {
		return nil
	}
	_, err := d.core.Tx(ssp.CoinMechGlobalInhibit(open))
	var r *ssp.StatusError
	if errors.As(err, &r) && r.Reply == ssp.UnknownCommand {
		d.noGate, err = true, nil
	}
	return err
}

// After implements devices.Driver. Coins are never held. A machine that asks for its calibration gets it (ssp.md
// section 11.3, event 83).
func (d *driver) After(answer []ssp.Event, _ bool) (hold bool, err error) {
	wasAsked := d.wasShown(ssp.EvCalibrationFailed)
	d.running, d.read = false, false
	d.before = d.before[:0]
	for _, e := range answer {
		d.before = append(d.before, e.Code)
		switch {
		case e.Code == ssp.EvPayInActive:
			d.running = true
		case e.Code == ssp.EvCalibrationFailed && e.Error == recalibrate && !wasAsked:
			_, _, err = d.core.Try(ssp.CmdRunCalibration.Data())
		}
	}
	if !d.running {
		d.arrived = nil
	}
	return false, err
}

// recalibrate is the reason byte of CALIBRATION FAILED that asks for RUN CALIBRATION.
const recalibrate = 7

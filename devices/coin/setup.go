package coin

import (
	"coffer/devices"
	"coffer/ssp"
)

// Secure implements devices.Driver: the feeder stops, and the machine with it where it lets itself be disabled; it
// refuses while coins are running through (ssp.md section 5.1).
func (d *driver) Secure() error {
	if err := d.feeder(false); err != nil {
		return err
	}
	_, _, err := d.core.Try(ssp.CmdDisable.Data())
	return err
}

// Configure implements devices.Driver (ssp.md section 15.7). The hopper has no payout switch.
func (d *driver) Configure() error {
	if err := d.core.ModuleSerials(feederModule); err != nil {
		return err
	}
	if err := d.core.Routes(); err != nil {
		return err
	}
	d.core.Edit(func(s *devices.Snapshot) { s.PayoutEnabled = true })
	return d.Inhibits()
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

// Accept implements devices.Driver. The machine itself stays enabled, so that it can pay, and the feeder is switched.
func (d *driver) Accept(on bool) error {
	if err := d.feeder(on); err != nil || d.unitOn {
		return err
	}
	_, err := d.core.Tx(ssp.CmdEnable.Data())
	d.unitOn = err == nil
	return err
}

// Refused implements devices.Driver.
func (d *driver) Refused() error { return d.feeder(false) }

// feeder sends COIN MECH GLOBAL INHIBIT.
func (d *driver) feeder(on bool) error {
	_, err := d.core.Tx(ssp.CoinMechGlobalInhibit(on))
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

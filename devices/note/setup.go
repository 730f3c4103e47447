package note

import (
	"slices"
	"time"

	"coffer/devices"
	"coffer/ssp"
)

// Secure implements devices.Driver: a note that waits in escrow would be taken by the first poll, so it goes back
// before (ssp.md section 14.2).
func (d *driver) Secure() error {
	_, held, err := d.core.Try(ssp.CmdHold.Data())
	if err == nil && held {
		_, _, err = d.core.Try(ssp.CmdRejectNote.Data())
	}
	if err == nil {
		err = d.switchUnit(unitOff)
	}
	return err
}

// Configure implements devices.Driver (ssp.md sections 15.2, 15.3 and 15.5).
func (d *driver) Configure() error {
	c := d.core
	if err := d.setUpReaders(); err != nil {
		return err
	}
	if !c.Identity().HasPayout {
		if err := d.startCard(); err != nil {
			return err
		}
		return d.Inhibits()
	}
	if err := c.ModuleSerials(d.modules()...); err != nil {
		return err
	}
	if err := c.Routes(); err != nil {
		return err
	}
	if err := d.recyclers(); err != nil {
		return err
	}
	if err := d.Inhibits(); err != nil {
		return err
	}
	if err := c.Limits(); err != nil {
		return err
	}
	if err := d.escrowSize(); err != nil {
		return err
	}
	if err := d.refill(); err != nil {
		return err
	}
	return d.startPayout()
}

// startPayout brings the store to what is wanted. A machine that refuses, as one may while it is still starting up, is
// asked again; until then the store is off and the picture says so.
func (d *driver) startPayout() error {
	want := d.core.Set.Payout
	d.payoutRetry = time.Now().Add(payoutPause)
	err := d.sendPayout(want)
	if !devices.Refused(err) {
		return err
	}
	if want {
		d.core.Log.WithError(err).Warn("payout store stays off for now")
	}
	d.core.Edit(func(s *devices.Snapshot) { s.PayoutEnabled = false })
	return nil
}

// payoutPause is the pause before a machine is asked again to enable its store.
const payoutPause = 2 * time.Second

// retryPayout enables the store that was wanted and refused.
func (d *driver) retryPayout() error {
	p := d.core.Picture()
	if !p.HasPayout || !d.core.Set.Payout || p.PayoutEnabled || time.Now().Before(d.payoutRetry) {
		return nil
	}
	if err := d.startPayout(); err != nil || !p.PayoutEnabled {
		return err
	}
	return d.Accept(d.core.Accepting())
}

// sendPayout sends ENABLE or DISABLE PAYOUT DEVICE.
func (d *driver) sendPayout(on bool) error {
	cmd := ssp.CmdDisablePayout.Data()
	if on {
		cmd = ssp.EnablePayoutDevice(d.option)
	}
	if _, err := d.core.Tx(cmd); err != nil {
		return err
	}
	d.core.Edit(func(s *devices.Snapshot) { s.PayoutEnabled = on })
	return nil
}

// Inhibits implements devices.Driver. While acceptance is off and the unit has to stay on for payouts, every channel is
// blocked.
func (d *driver) Inhibits() error {
	return d.sendInhibits(d.unit == unitOn && !d.core.Accepting())
}

func (d *driver) sendInhibits(all bool) error {
	channels := d.core.Picture().Channels
	open := make([]bool, len(channels))
	for i, ch := range channels {
		open[i] = !all && !d.core.Set.Inhibited[ch.Denom]
	}
	if d.open != nil && slices.Equal(open, d.open) {
		return nil
	}
	_, err := d.core.Tx(ssp.SetInhibits(open))
	if err == nil {
		d.open = open
	}
	return err
}

// Accept implements devices.Driver. A machine whose payout is enabled stays on, since DISABLE may stop its payouts, and
// has its channels blocked instead (ssp.md section 13.6); any other is switched off.
func (d *driver) Accept(on bool) error {
	if !on && !d.core.Picture().PayoutEnabled {
		if err := d.switchUnit(unitOff); err != nil {
			return err
		}
		return d.sendInhibits(false)
	}
	if err := d.sendInhibits(!on); err != nil {
		return err
	}
	if err := d.letTickets(on); err != nil {
		return err
	}
	return d.switchUnit(unitOn)
}

// Refused implements devices.Driver.
func (d *driver) Refused() error {
	if err := d.Accept(false); err != nil && !devices.Refused(err) {
		return err
	}
	if d.several.waits() {
		d.several.giveBack = true
		if _, _, err := d.core.Try(ssp.CmdCancelEscrow.Data()); err != nil {
			return err
		}
	}
	if d.escrow.is != held {
		return nil
	}
	if err := d.returnHeld(); err != nil && !gone(err) {
		return err
	}
	return nil
}

// switchUnit sends ENABLE or DISABLE, unless that was done already.
func (d *driver) switchUnit(to unit) error {
	if d.unit == to {
		return nil
	}
	cmd := ssp.CmdDisable
	if to == unitOn {
		cmd = ssp.CmdEnable
	}
	_, err := d.core.Tx(cmd.Data())
	if devices.Refused(err) && to == unitOff {
		d.core.Log.WithError(err).Warn("the machine refuses to be disabled")
		return nil
	}
	if err == nil {
		d.unit = to
	}
	return err
}

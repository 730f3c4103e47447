package note

import (
	"context"
	"errors"
	"fmt"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Device is a validator or recycler as callers see it.
type Device struct {
	*devices.Base
	*devices.Store
	driver *driver
	owner  devices.Driver // driver, or what it is part of
}

var (
	_ devices.Device         = (*Device)(nil)
	_ devices.Escrow         = (*Device)(nil)
	_ devices.LastRejecter   = (*Device)(nil)
	_ devices.Payer          = (*Device)(nil)
	_ devices.Floater        = (*Device)(nil)
	_ devices.Emptier        = (*Device)(nil)
	_ devices.Router         = (*Device)(nil)
	_ devices.CashboxLimiter = (*Device)(nil)
	_ devices.PayoutOptioner = (*Device)(nil)
	_ devices.PiecePayer     = (*Device)(nil)
	_ devices.AmountFloater  = (*Device)(nil)
)

// newDevice returns the device of d, which is the owner or part of it.
func newDevice(c *devices.Core, d *driver, owner devices.Driver) *Device {
	return &Device{Base: c.Base(), Store: devices.NewStore(c, owner), driver: d, owner: owner}
}

// do carries out work on the device's goroutine.
func (v *Device) do(ctx context.Context, need devices.Need, work func(d *driver) error) error {
	d := v.driver
	return d.core.Do(ctx, v.owner, need, func() error { return work(d) })
}

// SetAutoAccept implements devices.Escrow. A note that is held already stays held.
func (v *Device) SetAutoAccept(ctx context.Context, on bool) error {
	return v.do(ctx, devices.NeedAnswer, func(d *driver) error {
		d.escrow.auto = on
		d.core.Edit(func(s *devices.Snapshot) { s.AutoAccept = on })
		return nil
	})
}

// AcceptEscrow implements devices.Escrow: the next poll takes the note.
func (v *Device) AcceptEscrow(ctx context.Context) error {
	return v.do(ctx, devices.NeedReady, func(d *driver) error { return d.acceptHeld() })
}

// ReturnEscrow implements devices.Escrow with REJECT NOTE.
func (v *Device) ReturnEscrow(ctx context.Context) error {
	return v.do(ctx, devices.NeedReady, func(d *driver) error { return d.returnHeld() })
}

// LastReject implements devices.LastRejecter.
func (v *Device) LastReject(ctx context.Context) (code byte, err error) {
	err = v.do(ctx, devices.NeedAnswer, func(d *driver) error {
		code, err = d.lastReject()
		return err
	})
	return code, err
}

// EnablePayout implements devices.Payer. cash.ErrBusy while the store is still starting up.
func (v *Device) EnablePayout(ctx context.Context) error {
	return v.do(ctx, devices.NeedReady, func(d *driver) error { return d.switchPayout(true) })
}

// DisablePayout implements devices.Payer. cash.ErrBusy while an operation runs.
func (v *Device) DisablePayout(ctx context.Context) error {
	return v.do(ctx, devices.NeedReady, func(d *driver) error {
		if d.core.Picture().Operation != "" {
			return cash.ErrBusy
		}
		return d.switchPayout(false)
	})
}

// EnablePayoutWith implements devices.PayoutOptioner with ENABLE PAYOUT DEVICE and its option byte. Errors as for
// EnablePayout.
func (v *Device) EnablePayoutWith(ctx context.Context, options byte) error {
	return v.do(ctx, devices.NeedReady, func(d *driver) error {
		usual := d.option
		defer func() { d.option = usual }()
		d.option = &options
		return d.switchPayout(true)
	})
}

// SetCashboxPayoutLimit implements devices.CashboxLimiter. An NV4000 has no such limit.
func (v *Device) SetCashboxPayoutLimit(ctx context.Context, limit cash.Counts) error {
	if v.Snapshot().Model == modelNV4000 {
		return cash.ErrUnsupported
	}
	return v.Store.SetCashboxPayoutLimit(ctx, limit)
}

// switchPayout turns the store on or off and keeps acceptance as it is.
func (d *driver) switchPayout(on bool) error {
	if !d.core.Identity().HasPayout {
		return cash.ErrUnsupported
	}
	if err := d.sendPayout(on); err != nil {
		return payoutRefusal(err)
	}
	d.core.Set.Payout = on
	return d.Accept(d.core.Accepting())
}

// payoutRefusal gives the error byte of ENABLE PAYOUT its meaning (ssp.md section 5.1).
func payoutRefusal(err error) error {
	var r *ssp.StatusError
	if !errors.As(err, &r) {
		return err
	}
	kind := cash.ErrUnsupported
	if r.Reply == ssp.CannotProcess {
		switch r.Code() {
		case 0, 3:
			kind = cash.ErrBusy
		case 2:
			kind = cash.ErrInvalid
		case 4, 5:
			kind = cash.ErrDisabled
		}
	}
	return fmt.Errorf("%w: %w", kind, err)
}

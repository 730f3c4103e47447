package coin

import (
	"context"
	"fmt"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// Option bits that let coins go where no books can follow (ssp.md section 10.10).
const (
	unfollowed0 = ssp.Reg0CashboxPay | ssp.Reg0UnknownToFront
	unfollowed1 = ssp.Reg1EmptyToFront
)

// options sends the option registers: those that were set, else the machine's own without the bits that its books could
// not follow. A machine that does not tell its own has the documented defaults.
func (d *driver) options() error {
	if o := d.core.Set.Options; o != nil {
		_, _, err := d.core.Try(ssp.SetOptions(o.Reg0, o.Reg1))
		return err
	}
	rest, ok, err := d.core.Try(ssp.CmdGetOptions.Data())
	if err != nil {
		return err
	}
	reg0, reg1 := byte(ssp.Reg0Default), byte(ssp.Reg1Default)
	if ok && len(rest) >= 2 {
		reg0, reg1 = rest[0], rest[1]
	}
	_, _, err = d.core.Try(ssp.SetOptions(reg0&^unfollowed0, reg1&^unfollowed1))
	return err
}

// Options implements devices.Optioner.
func (d *Device) Options(ctx context.Context) (o devices.Options, err error) {
	err = d.call(ctx, devices.NeedAnswer, func(r *driver) error {
		rest, err := r.core.Tx(ssp.CmdGetOptions.Data())
		if err != nil {
			return err
		}
		o.Reg0, o.Reg1, err = ssp.ParseOptions(rest)
		return err
	})
	return o, err
}

// SetOptions implements devices.Optioner.
func (d *Device) SetOptions(ctx context.Context, o devices.Options) error {
	if o.Reg0&unfollowed0 != 0 || o.Reg1&unfollowed1 != 0 {
		return fmt.Errorf("%w: options %02X %02X would pay coins out that the ledger cannot see; clear bits 3 and 6 of the first register, bit 2 of the second",
			cash.ErrInvalid, o.Reg0, o.Reg1)
	}
	return d.call(ctx, devices.NeedReady, func(r *driver) error {
		if _, err := r.core.Tx(ssp.SetOptions(o.Reg0, o.Reg1)); err != nil {
			return err
		}
		r.core.Set.Options = &o
		return nil
	})
}

// call hands work to the device's goroutine; a refusal of the machine becomes an error of package cash.
func (d *Device) call(ctx context.Context, need devices.Need, work func(*driver) error) error {
	return d.driver.core.Do(ctx, d.driver, need, func() error { return devices.Refusal(work(d.driver)) })
}

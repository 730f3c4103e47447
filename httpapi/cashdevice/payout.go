package cashdevice

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"coffer/devices"
	"coffer/internal/cash"
)

// enablePayout: POST EnablePayout, with any body.
func (c *call) enablePayout() (any, error) {
	return c.switchPayout("enable payout", "Payout enabled successfully.", true)
}

// disablePayout: POST DisablePayout.
func (c *call) disablePayout() (any, error) {
	return c.switchPayout("disable payout", "Payout disabled successfully.", false)
}

// enablePayoutDevice: POST EnablePayoutDevice.
func (c *call) enablePayoutDevice() (any, error) {
	return payoutDevice(c.switchPayout("enable payout", c.id+": Payout device enabled successfully.", true))
}

// payoutDevice words a refusal of the endpoints that have a text for it.
func payoutDevice(answer any, err error) (any, error) {
	if err == nil {
		return answer, nil
	}
	text := "Failed to enable payout device. Error: " + err.Error()
	if word := rowOf(err).word; strings.Contains(word, "BUSY") {
		text += " (" + word + ")"
	}
	return nil, &refusal{status: 500, body: text, err: err}
}

// enablePayoutDeviceWithByte: POST EnablePayoutDeviceWithByte {"EnablePayoutDeviceByte":0}. The options are lost when the
// machine restarts.
func (c *call) enablePayoutDeviceWithByte() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	option := in.number(0, 255, "EnablePayoutDeviceByte", "Byte")
	if err := in.err(); err != nil {
		return nil, err
	}
	return payoutDevice(tell(c, "enable payout", c.id+": Payout device enabled successfully.", func(ctx context.Context, m devices.PayoutOptioner) error {
		return m.EnablePayoutWith(ctx, byte(option))
	}))
}

func (c *call) switchPayout(name, text string, on bool) (any, error) {
	return c.change(name, text, func(ctx context.Context, d devices.Device) error { return payoutStore(ctx, d, on) })
}

func payoutStore(ctx context.Context, d devices.Device, on bool) error {
	m, ok := d.(devices.Payer)
	switch {
	case !ok:
		return cash.ErrUnsupported
	case on:
		return m.EnablePayout(ctx)
	}
	return m.DisablePayout(ctx)
}

// dispenseValue: POST DispenseValue {"Value":1500,"CountryCode":"GBP"}. It answers once the machine has started; the
// rest is told by events. Where the command went out and no answer came it counts as started: the events say what
// became of it, and a refusal would invite the client to pay again.
func (c *call) dispenseValue() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	want, err := in.valueAndCountry()
	if p := new(problem); errors.As(err, &p) {
		return nil, err
	}
	d, derr := c.device()
	if err == nil {
		err = derr
	}
	if err == nil {
		err = payable(d.Snapshot(), want)
	}
	if err == nil {
		_, err = c.api.till.Dispense(c.ctx, c.by(), d, cash.Amount(want))
	}
	if err != nil && !errors.Is(err, cash.ErrOutcomeUnknown) {
		return nil, c.notDispensed(err)
	}
	return "Dispense operation initiated successfully.", nil
}

// errUnit: the sum is no multiple of what the dataset's denominations have in common, so that no stock could pay it.
var errUnit = fmt.Errorf("%w: not a multiple of the smallest unit", cash.ErrInvalid)

// payable checks what no level can change: the machine has a store, and the currency and unit are its own.
func payable(s *devices.Snapshot, want cash.Denom) error {
	if !s.HasPayout {
		return cash.ErrUnsupported
	}
	unit := int64(0)
	for _, ch := range s.Channels {
		if ch.Denom.Currency == want.Currency {
			unit = gcd(unit, ch.Denom.Value)
		}
	}
	switch {
	case unit == 0:
		return fmt.Errorf("%w: no %s in this device", cash.ErrInvalid, want.Currency)
	case want.Value%unit != 0:
		return errUnit
	}
	return nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// notDispensed words a refusal: the documented sentence with its reason, or JSON where the client asks for it.
func (c *call) notDispensed(err error) error {
	r := rowOf(err)
	reason, word := r.reason, r.word
	switch {
	case errors.Is(err, errUnit):
		reason = 2
	case errors.Is(err, cash.ErrUnsupported):
		word = "INVALID_INPUT"
	case word == "":
		word = "INTERNAL_ERROR"
	}
	out := &refusal{status: or(r.status, 400), body: "Failed to initiate dispense operation: " + word, reason: reason, err: err}
	if !wantsJSON(c.r) {
		return out
	}
	body := object{{"message", out.body}}
	if reason != 0 {
		body = append(body, member{"errorReason", reason})
	}
	out.body = body
	return out
}

// float: POST Float with one count per channel, the pieces to keep. It answers once the machine has started.
func (c *call) float() (any, error) {
	keep, err := c.bareCounts()
	if err != nil {
		return nil, err
	}
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	_, err = c.api.till.Float(c.ctx, c.by(), d, keep)
	switch {
	case errors.Is(err, cash.ErrNotEnough):
		return nil, &refusal{status: 400, body: "Not enough value to perform float.", reason: 1, err: err}
	case err != nil && !errors.Is(err, cash.ErrOutcomeUnknown):
		return nil, err
	}
	return c.id + ": Float operation completed successfully.", nil
}

// smartEmpty: POST SmartEmpty {"ModuleNumber":0,"IsNV4000":false}. It answers when the store is empty or the machine
// gave up.
func (c *call) smartEmpty() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	module := in.number(0, 255, "ModuleNumber")
	if !in.flag("IsNV4000", "NV4000") {
		module = 0 // other machines have no modules to choose from
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	op, err := c.api.till.Empty(c.ctx, c.by(), d, byte(module))
	if op == nil {
		return nil, err
	}
	outcome, err := op.Wait(c.ctx)
	result := emptied(outcome.Ended, outcome.Result, err)
	if result != "COMPLETED" {
		return nil, &refusal{status: 400, body: object{{"dispenseResult", result}}, err: err}
	}
	return object{{"dispenseResult", result}}, nil
}

// emptied is the dispenseResult of an operation that has ended.
func emptied(ended, result cash.OpResult, err error) string {
	if result == cash.OpDone && err == nil {
		return "COMPLETED"
	}
	switch ended {
	case cash.OpHalted:
		return "HALTED"
	case cash.OpJammed:
		return "JAMMED"
	case cash.OpTimedOut:
		return "TIME_OUT"
	case cash.OpErrored:
		return "ERROR"
	}
	return "INCOMPLETE"
}

// haltPayout: POST HaltPayout.
func (c *call) haltPayout() (any, error) {
	return c.do("Payout halted successfully.", func(d devices.Device) error {
		return c.api.till.Halt(c.ctx, c.by(), d)
	})
}

package nv9coin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"coffer/devices"
	"coffer/httpapi"
	"coffer/internal/cash"
	"coffer/internal/till"
)

// stopGrace is how long a payout that runs while coffer stops is waited for.
const stopGrace = 5 * time.Second

// order is what a Dispense asks for.
type order struct {
	want cash.Amount
	key  string // names the operation, "" where a repeat is to be carried out
}

// amount reads the arguments of CheckCanDispense.
func (c *call) amount() (any, error) {
	want, err := amountOf(members(c.body), c.currencies())
	return want, err
}

// currencies are those of the coin machine's dataset, as far as they are known.
func (c *call) currencies() []cash.Currency {
	var out []cash.Currency
	_, s := c.api.machine(c.api.Coins)
	if s == nil {
		return nil
	}
	for _, ch := range s.Channels {
		out = append(out, ch.Denom.Currency)
	}
	return out
}

// order reads the arguments of Dispense: amount, timestamp, signature, and whether it was accepted before.
func (c *call) order() (any, error) {
	a, in := c.api, members(c.body)
	want, err := amountOf(in, c.currencies())
	if err != nil {
		return nil, err
	}
	at, err := timestampOf(in, a.Now(), a.Window)
	if err != nil {
		return nil, err
	}
	if err := a.checkSignature(in, at); err != nil {
		return nil, err
	}
	if a.Password == DefaultPassword && !a.Gate.AllowDefaults && !httpapi.OnLoopback(c.r) {
		a.log.Error("Dispense refused: the dispensing password of a fresh installation is good on this machine only; set dispense_password_file")
		return nil, errSignature
	}
	o := order{want: want}
	if a.AllowReplay {
		return o, nil
	}
	// The signature holds for a whole second and says nothing of the amount.
	o.key = fmt.Sprintf("nv9coin/%s/%s/%d%s", a.Coins, at.Format("20060102T150405Z"), want.Value, want.Currency)
	_, used, err := a.Ledger.OpByKey(c.r.Context(), o.key)
	switch {
	case err != nil:
		return nil, errCoin.because(err)
	case used:
		return nil, errSignature
	}
	return o, nil
}

// payer returns the coin machine if it can be asked to pay now.
func (c *call) payer() (devices.Device, devices.Payer, error) {
	d, s := c.api.machine(c.api.Coins)
	p, ok := d.(devices.Payer)
	switch {
	case s == nil || !s.Connected:
		return nil, nil, errCoin.because(cash.ErrNotConnected)
	case !ok:
		return nil, nil, errCoin.because(cash.ErrUnsupported)
	}
	return d, p, nil
}

// possible asks the machine whether it could pay want now, the same question that a payout begins with.
func (c *call) possible(ctx context.Context, d devices.Device, p devices.Payer, want cash.Amount) error {
	if want.Value > maxPayout {
		return cash.ErrNotEnough
	}
	return c.api.Till.Do(ctx, c.by(""), d, "check", func(ctx context.Context) error { return p.TestPayout(ctx, want) })
}

// maxPayout is the largest amount that fits the machines' commands, in minor units.
const maxPayout = 1<<32 - 1

// checkCanDispense: POST CheckCanDispense. Nothing moves.
func (c *call) checkCanDispense(ctx context.Context, args any) (any, error) {
	d, p, err := c.payer()
	if err != nil {
		return nil, err
	}
	switch err := c.possible(ctx, d, p, args.(cash.Amount)); {
	case err == nil:
		return []byte(`{"CanDispense":true}`), nil
	case errors.Is(err, cash.ErrNotEnough), errors.Is(err, cash.ErrNotExact):
		return []byte(`{"CanDispense":false}`), nil
	default:
		return nil, orBusy(err, errCoin)
	}
}

// dispense: POST Dispense. It answers when the payout has ended: with what was paid, or errCoin where that is nothing, or
// nobody can know.
func (c *call) dispense(ctx context.Context, args any) (any, error) {
	o := args.(order)
	d, p, err := c.payer()
	if err != nil {
		return nil, err
	}
	if err := c.possible(ctx, d, p, o.want); err != nil { // before anything of it is in the ledger
		return nil, orBusy(err, errCoin)
	}
	op, err := c.api.Till.Dispense(ctx, c.by(o.key), d, o.want)
	switch {
	case op != nil && op.Repeat:
		return nil, errSignature
	case op == nil:
		return nil, orBusy(err, errCoin)
	}
	out, err := c.wait(ctx, op)
	switch {
	case out.Result == "":
		return nil, errStopping
	case out.Result == cash.OpUnknown, out.Paid.Value == 0:
		return nil, errCoin.because(err)
	}
	return json.Marshal(struct {
		Currency  cash.Currency `json:"currency"`
		Dispensed major         `json:"dispensed_amount"`
	}{o.want.Currency, major(out.Paid.Value)})
}

// standstill is how long a payout is waited for while its machine is away or jammed. Then nobody knows what it will have
// paid: the caller is told so, other commands go on, and the lists have it when the machine is well again.
const standstill = 30 * time.Second

var errStandstill = fmt.Errorf("%w: the machine has been away or jammed for %v; the ledger and the lists tell what it has paid when it is back",
	cash.ErrOutcomeUnknown, standstill)

// wait waits for the end of a payout, a little longer than coffer runs. It gives up with OpUnknown at a standstill.
func (c *call) wait(ctx context.Context, op *till.Operation) (till.Outcome, error) {
	look := time.NewTicker(standstill / 30)
	defer look.Stop()
	for well := time.Now(); ; {
		select {
		case <-op.Done():
			return op.Wait(ctx)
		case <-ctx.Done():
			return waitOn(ctx, op)
		case <-look.C:
		}
		if _, m := c.api.machine(c.api.Coins); m != nil && m.Connected && !m.Jammed {
			well = time.Now()
		}
		if time.Since(well) >= standstill {
			return till.Outcome{Result: cash.OpUnknown}, errStandstill
		}
	}
}

// waitOn waits a little longer, since coffer is stopping.
func waitOn(ctx context.Context, op *till.Operation) (till.Outcome, error) {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	return op.Wait(grace)
}

package till

import (
	"context"
	"fmt"

	"coffer/devices"
	"coffer/internal/cash"
)

// Lease binds the devices to owner, all or none: until Unlease, calls for another owner answer cash.ErrClaimed, as does
// a second Lease for another owner. Leasing one's own again does nothing. cash.ErrInvalid for an empty owner.
func (t *Till) Lease(dev []cash.DeviceID, owner string) error {
	if owner == "" {
		return fmt.Errorf("%w: a lease needs an owner", cash.ErrInvalid)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range dev {
		if other := t.leases[id]; other != "" && other != owner {
			return fmt.Errorf("%s: %w", id, cash.ErrClaimed)
		}
	}
	for _, id := range dev {
		t.leases[id] = owner
	}
	return nil
}

// Unlease frees the devices, all or none; cash.ErrNotClaimed if owner does not hold one of them.
func (t *Till) Unlease(dev []cash.DeviceID, owner string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range dev {
		if owner == "" || t.leases[id] != owner {
			return fmt.Errorf("%s: %w", id, cash.ErrNotClaimed)
		}
	}
	for _, id := range dev {
		delete(t.leases, id)
	}
	return nil
}

// Leased returns the owner that dev is bound to, "" for none.
func (t *Till) Leased(dev cash.DeviceID) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.leases[dev]
}

// bound returns cash.ErrClaimed if another than owner holds the device.
func (t *Till) bound(dev cash.DeviceID, owner string) error {
	if holder := t.Leased(dev); holder != "" && holder != owner {
		return cash.ErrClaimed
	}
	return nil
}

// Do runs f, any other call that changes the state of d, under the rules that bind all: cash.ErrClaimed under another
// owner's lease. name is the call as errors show it ("enable"). An error comes back as *cash.OpError.
func (t *Till) Do(ctx context.Context, c Call, d devices.Device, name string, f func(context.Context) error) error {
	id := d.Snapshot().ID
	err := t.bound(id, c.Owner)
	if err == nil {
		err = f(ctx)
	}
	if err != nil {
		return &cash.OpError{Device: id, Op: name, Err: err}
	}
	return nil
}

// Enable and Disable turn acceptance on and off.
func (t *Till) Enable(ctx context.Context, c Call, d devices.Device) error {
	return t.Do(ctx, c, d, "enable", d.Enable)
}

// Disable is the opposite of Enable.
func (t *Till) Disable(ctx context.Context, c Call, d devices.Device) error {
	return t.Do(ctx, c, d, "disable", d.Disable)
}

// Halt stops the running operation at the next safe point; its outcome comes from the operation. cash.ErrNothing if
// none runs, cash.ErrUnsupported by a machine that cannot pay.
func (t *Till) Halt(ctx context.Context, c Call, d devices.Device) error {
	return t.Do(ctx, c, d, "halt", func(ctx context.Context) error {
		if r := t.desk(d.Snapshot().ID).running.Load(); r != nil && r.waiting.CompareAndSwap(true, false) {
			return nil // a leg that is not to begin any more
		}
		p, ok := d.(devices.Payer)
		if !ok {
			return cash.ErrUnsupported
		}
		return p.Halt(ctx)
	})
}

// Money is Do for a call by which money changes its owner or its place although it is no operation of its own: who has
// asked is written to the ledger before f is called, as an operation row. A caller who knows that there is nothing to
// act on does not come here, so that a refused call leaves no row.
func (t *Till) Money(ctx context.Context, c Call, d devices.Device, name string, f func(context.Context) error) error {
	return t.Do(ctx, c, d, name, func(ctx context.Context) error {
		s := d.Snapshot()
		if s.ID == "" {
			return cash.ErrNotConnected
		}
		row := cash.Line{
			Device: s.ID, Kind: cash.KindOperation, Currency: s.Currency, From: cash.Unknown, To: cash.Unknown, Detail: name + by(c.Actor),
		}
		if _, err := t.journal.Write(ctx, cash.LedgerWrite{Lines: []cash.Line{row}}); err != nil {
			return t.unhealthy(err)
		}
		t.healthy()
		return f(ctx)
	})
}

// AcceptEscrow takes the held note; who has asked is written to the ledger. cash.ErrNothing if none is held,
// cash.ErrUnsupported by a machine without escrow.
func (t *Till) AcceptEscrow(ctx context.Context, c Call, d devices.Device) error {
	return t.escrow(ctx, c, d, "accept from escrow", func(ctx context.Context, e devices.Escrow) error { return e.AcceptEscrow(ctx) })
}

// ReturnEscrow gives the held note back. Otherwise as AcceptEscrow.
func (t *Till) ReturnEscrow(ctx context.Context, c Call, d devices.Device) error {
	return t.escrow(ctx, c, d, "return from escrow", func(ctx context.Context, e devices.Escrow) error { return e.ReturnEscrow(ctx) })
}

func (t *Till) escrow(ctx context.Context, c Call, d devices.Device, name string, f func(context.Context, devices.Escrow) error) error {
	do := t.Money
	if d.Snapshot().Escrow == nil {
		do = t.Do // the machine refuses
	}
	return do(ctx, c, d, name, func(ctx context.Context) error {
		e, ok := d.(devices.Escrow)
		if !ok {
			return cash.ErrUnsupported
		}
		return f(ctx, e)
	})
}

// CommitMultiEscrow takes everything that is held in a multi escrow, CancelMultiEscrow gives it back; who has asked is
// written to the ledger. They return when the machine has the command. cash.ErrNothing if nothing is held,
// cash.ErrUnsupported by a machine without multi escrow.
func (t *Till) CommitMultiEscrow(ctx context.Context, c Call, d devices.Device) error {
	return t.multiEscrow(ctx, c, d, "commit multi escrow", devices.MultiEscrow.CommitMultiEscrow)
}

// CancelMultiEscrow is the opposite of CommitMultiEscrow.
func (t *Till) CancelMultiEscrow(ctx context.Context, c Call, d devices.Device) error {
	return t.multiEscrow(ctx, c, d, "cancel multi escrow", devices.MultiEscrow.CancelMultiEscrow)
}

func (t *Till) multiEscrow(ctx context.Context, c Call, d devices.Device, name string, f func(devices.MultiEscrow, context.Context) error) error {
	m, ok := d.(devices.MultiEscrow)
	if !ok {
		return refuse(d, cash.OpKind(name), cash.ErrUnsupported)
	}
	do := t.Money
	if held, err := m.MultiEscrowValue(ctx); err != nil || held.Value == 0 {
		do = t.Do // the machine refuses
	}
	return do(ctx, c, d, name, func(ctx context.Context) error { return f(m, ctx) })
}

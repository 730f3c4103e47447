package till

import (
	"context"

	"coffer/devices"
	"coffer/internal/cash"
)

var _ devices.Sink = (*Till)(nil)

// Record implements devices.Sink.
func (t *Till) Record(ctx context.Context, dev cash.DeviceID, events ...cash.Event) error {
	return cash.ErrUnsupported
}

// Evidence implements devices.Sink.
func (t *Till) Evidence(ctx context.Context, dev cash.DeviceID, events ...cash.Event) error {
	return cash.ErrUnsupported
}

// Reconcile implements devices.Sink.
func (t *Till) Reconcile(ctx context.Context, dev cash.DeviceID, acc cash.Account) error {
	return cash.ErrUnsupported
}

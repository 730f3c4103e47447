package devices

import (
	"context"

	"github.com/sirupsen/logrus"

	"coffer/internal/cash"
)

// TestDevice runs one device over a peer of a test.
type TestDevice struct{ base *Base }

// NewTestDevice makes the device; port "COM5", the name "<model>-COM5".
func NewTestDevice(cfg DeviceConfig, peer Peer, families []Family, sink Sink, log logrus.FieldLogger) *TestDevice {
	return &TestDevice{newBase(baseConfig{
		port: "COM5", device: cfg, peer: peer, sink: sink, families: families,
		name: func(_ *Base, model string) cash.DeviceID { return cash.DeviceID(model + "-COM5") },
	}, log)}
}

// Run drives the device until ctx ends.
func (d *TestDevice) Run(ctx context.Context) { d.base.run(ctx) }

// Device is the device as callers see it now.
func (d *TestDevice) Device() Device { return d.base.current() }

// Wait waits until ok holds for the picture.
func (d *TestDevice) Wait(ctx context.Context, ok func(*Snapshot) bool) error {
	return d.base.wait(ctx, ok)
}

// ResetReady is Reset, and says whether the device shows as ready in the moment before the caller is answered.
func (d *TestDevice) ResetReady(ctx context.Context) (ready bool, err error) {
	err = d.base.do(ctx, NeedAnswer, nil, func(c *Core) error {
		err := c.reset()
		c.show() // as after any call
		ready = d.base.Snapshot().Ready
		return err
	})
	return ready, err
}

// Rekey gives the device another session key.
func (d *TestDevice) Rekey(ctx context.Context, key uint64) error { return d.base.rekey(ctx, key) }

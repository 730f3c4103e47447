package coin

import (
	"context"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// ServiceInformation implements devices.Servicer: coin machines keep a service book by module.
func (*Device) ServiceInformation(context.Context, byte) ([]uint32, error) {
	return nil, cash.ErrUnsupported
}

// ModuleServiceInformation implements devices.Servicer: module 0 primary hopper, 1 feeder, 2 secondary hopper, 3
// lifter; sub-command 0 status (1: due), 1 coins until the next service, 2 the last three services (week, year and kind
// of each), 3 since then (coins, acceptance in percent, jams, calibration failures), 4 flags, 5 life (cycles, power-ons,
// hours).
func (d *Device) ModuleServiceInformation(ctx context.Context, module, sub byte) (fields []uint32, err error) {
	err = d.call(ctx, devices.NeedAnswer, func(r *driver) error {
		fields, err = r.core.ServiceFields(devices.OwnModuleService, module, sub, ssp.Expand(ssp.ExpModuleServiceInfo, module, sub))
		return err
	})
	return fields, err
}

// SetMaintenanceReset implements devices.Servicer.
func (d *Device) SetMaintenanceReset(ctx context.Context, week, year int) error {
	return d.call(ctx, devices.NeedReady, func(r *driver) error { return r.core.SendMaintenanceReset(week, year) })
}

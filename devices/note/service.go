package note

import (
	"context"

	"coffer/devices"
	"coffer/ssp"
)

// ServiceInformation implements devices.Servicer: sub-command 0 the last service as year and week (2507 for week 7 of
// 2025, 0 for none), 1 notes since service, download, power-on and jam, 2 accepted notes since service, download and
// power-on, 3 jams since service, download and within the last 1000 notes, 4 flags (1 jammed, 4 due).
func (v *Device) ServiceInformation(ctx context.Context, sub byte) ([]uint32, error) {
	return v.serviceFields(ctx, devices.OwnService, 0, sub, ssp.Expand(ssp.ExpServiceInfo, sub))
}

// ModuleServiceInformation implements devices.Servicer: an NV4000 has module 5, with cycles, power-ons and hours with
// power whatever the sub-command.
func (v *Device) ModuleServiceInformation(ctx context.Context, module, sub byte) ([]uint32, error) {
	return v.serviceFields(ctx, devices.OwnModuleService, module, sub, ssp.Expand(ssp.ExpModuleServiceInfo, module, sub))
}

// serviceFields asks for fields, which follow the sub-command in the answer.
func (v *Device) serviceFields(ctx context.Context, feature string, module, sub byte, cmd []byte) (fields []uint32, err error) {
	err = v.do(ctx, devices.NeedAnswer, func(d *driver) error {
		fields, err = d.core.ServiceFields(feature, module, sub, cmd)
		return err
	})
	return fields, err
}

// SetMaintenanceReset implements devices.Servicer.
func (v *Device) SetMaintenanceReset(ctx context.Context, week, year int) error {
	return v.do(ctx, devices.NeedReady, func(d *driver) error { return d.core.SendMaintenanceReset(week, year) })
}

var _ devices.Servicer = (*Device)(nil)

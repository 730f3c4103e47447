package note

import (
	"context"
	"encoding/binary"
	"fmt"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// ServiceInformation implements devices.Servicer: sub-command 0 the last service as year and week (2507 for week 7 of
// 2025, 0 for none), 1 notes since service, download, power-on and jam, 2 accepted notes since service, download and
// power-on, 3 jams since service, download and within the last 1000 notes, 4 flags (1 jammed, 4 due).
func (v *Device) ServiceInformation(ctx context.Context, sub byte) ([]uint32, error) {
	return v.serviceFields(ctx, sub, ssp.Expand(ssp.ExpServiceInfo, sub))
}

// ModuleServiceInformation implements devices.Servicer: an NV4000 has module 5, with cycles, power-ons and hours with
// power whatever the sub-command.
func (v *Device) ModuleServiceInformation(ctx context.Context, module, sub byte) ([]uint32, error) {
	return v.serviceFields(ctx, sub, ssp.Expand(ssp.ExpModuleServiceInfo, module, sub))
}

// serviceFields asks for fields, which follow the sub-command in the answer.
func (v *Device) serviceFields(ctx context.Context, sub byte, cmd []byte) (fields []uint32, err error) {
	err = v.doOurs(ctx, devices.NeedAnswer, func(d *driver) error {
		rest, err := d.core.Tx(cmd)
		if err != nil {
			return devices.Refusal(err)
		}
		if len(rest) == 0 || rest[0] != sub || len(rest)%4 != 1 {
			return fmt.Errorf("%w: service information % X", errUnreadable, rest)
		}
		for rest = rest[1:]; len(rest) > 0; rest = rest[4:] {
			fields = append(fields, binary.LittleEndian.Uint32(rest))
		}
		return nil
	})
	return fields, err
}

// SetMaintenanceReset implements devices.Servicer.
func (v *Device) SetMaintenanceReset(ctx context.Context, week, year int) error {
	if week < 1 || week > 53 || year < 0 || year > 99 {
		return fmt.Errorf("%w: week %d of year %d; use 1 to 53 and 0 to 99", cash.ErrInvalid, week, year)
	}
	return v.doOurs(ctx, devices.NeedReady, func(d *driver) error {
		_, err := d.core.Tx(ssp.Expand(ssp.ExpMaintenanceReset, fmt.Appendf(nil, "%02d%02d", week, year)...))
		return devices.Refusal(err)
	})
}

var _ devices.Servicer = (*Device)(nil)

package coin

import (
	"context"
	"encoding/binary"
	"fmt"

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
	err = d.callExtended(ctx, devices.NeedAnswer, func(r *driver) error {
		rest, err := r.core.Tx(ssp.Expand(ssp.ExpModuleServiceInfo, module, sub))
		if err != nil {
			return err
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
func (d *Device) SetMaintenanceReset(ctx context.Context, week, year int) error {
	if week < 1 || week > 53 || year < 0 || year > 99 {
		return fmt.Errorf("%w: week %d of year %d; use 1 to 53 and 0 to 99", cash.ErrInvalid, week, year)
	}
	return d.callExtended(ctx, devices.NeedReady, func(r *driver) error {
		_, err := r.core.Tx(ssp.Expand(ssp.ExpMaintenanceReset, fmt.Appendf(nil, "%02d%02d", week, year)...))
		return err
	})
}

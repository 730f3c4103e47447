package devices

import (
	"context"
	"time"
)

// Clock is a machine with a real-time clock (ssp.md §16.1). The bytes are the project's own: cash.ErrUnsupported unless
// the machine understands them (Core.Extended).
type Clock interface {
	Time(ctx context.Context) (time.Time, error)    // local time, to the second
	SetTime(ctx context.Context, t time.Time) error // years 2000…2099, else cash.ErrInvalid
}

// Servicer is a machine that keeps a service book (ssp.md §16.6; itl-rest.md ITL-48…50). The bytes are the project's
// own: cash.ErrUnsupported unless the machine understands them (Core.Extended).
type Servicer interface {
	// ServiceInformation reads the fields of sub-command 0 date, 1 notes, 2 accepted notes, 3 jams, 4 flags, in the
	// order in which ITL-48 names them. cash.ErrInvalid for another sub-command.
	ServiceInformation(ctx context.Context, sub byte) ([]uint32, error)
	// ModuleServiceInformation reads the fields of a module (ITL-49). cash.ErrInvalid for a module or sub-command that
	// the machine does not have.
	ModuleServiceInformation(ctx context.Context, module, sub byte) ([]uint32, error)
	// SetMaintenanceReset notes week (1…53) and year (0…99) of a service; counts since the last one begin anew.
	SetMaintenanceReset(ctx context.Context, week, year int) error
}

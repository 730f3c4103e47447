package devices

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
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
	// SetMaintenanceReset notes week (1…53) and year (0…99) of a service, both 0 for one whose date nobody tells; counts
	// since the last one begin anew.
	SetMaintenanceReset(ctx context.Context, week, year int) error
}

// ErrUnreadable is an answer that is not laid out as any known one.
var ErrUnreadable = errors.New("answer cannot be read")

// ServiceFields asks for sub-command sub of a service book with cmd, or with the site's own bytes, and returns the
// fields that follow the sub-command in the answer (ssp.md §16.6). Errors: those of Tx as Refusal has them,
// ErrUnreadable, cash.ErrUnsupported where neither may be sent.
func (c *Core) ServiceFields(feature string, module, sub byte, cmd []byte) (fields []uint32, err error) {
	switch v, own, err := c.Own(feature, map[string]int{"module": int(module), "sub": int(sub)}); {
	case err != nil:
		return nil, err
	case own:
		for _, name := range serviceFields {
			n, there := v[name]
			if !there {
				break
			}
			fields = append(fields, uint32(n))
		}
		return fields, nil
	case !c.Extended():
		return nil, cash.ErrUnsupported
	}
	rest, err := c.Tx(cmd)
	if err != nil {
		return nil, refusal(err)
	}
	if len(rest) == 0 || rest[0] != sub || len(rest)%4 != 1 {
		return nil, fmt.Errorf("%w: service information % X", ErrUnreadable, rest)
	}
	for rest = rest[1:]; len(rest) > 0; rest = rest[4:] {
		fields = append(fields, binary.LittleEndian.Uint32(rest))
	}
	return fields, nil
}

// SendMaintenanceReset tells the machine of a service; see Servicer.SetMaintenanceReset.
func (c *Core) SendMaintenanceReset(week, year int) error {
	dated := week >= 1 && week <= 53 && year >= 0 && year <= 99
	if !dated && (week != 0 || year != 0) {
		return fmt.Errorf("%w: week %d of year %d; use 1 to 53 and 0 to 99, or 0 and 0", cash.ErrInvalid, week, year)
	}
	switch _, own, err := c.Own(OwnMaintenanceReset, map[string]int{"week": week, "year": year}); {
	case own:
		return err
	case !c.Extended():
		return cash.ErrUnsupported
	}
	_, err := c.Tx(ssp.Expand(ssp.ExpMaintenanceReset, fmt.Appendf(nil, "%02d%02d", week, year)...))
	return refusal(err)
}

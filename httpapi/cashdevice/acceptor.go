package cashdevice

import (
	"context"
	"fmt"
	"strings"

	"coffer/devices"
	"coffer/internal/cash"
)

// enableAcceptor: POST EnableAcceptor. Payout modules are left as they are.
func (c *call) enableAcceptor() (any, error) {
	return c.do(c.id+": Acceptor enabled successfully.", func(d devices.Device) error { return c.accept(d, true) })
}

// disableAcceptor: POST DisableAcceptor. Enabled payout modules can still pay.
func (c *call) disableAcceptor() (any, error) {
	return c.do(c.id+": Acceptor disabled successfully.", func(d devices.Device) error { return c.accept(d, false) })
}

// accept turns the acceptor on or off.
func (c *call) accept(d devices.Device, on bool) error {
	change := c.api.till.Disable
	if on {
		change = c.api.till.Enable
	}
	err := change(c.ctx, c.by(), d)
	if err == nil {
		c.view.rested(func() bool { return c.api.accepts(c.view.device) })
	}
	return err
}

// setDenominationInhibits: POST SetDenominationInhibits {"ValueCountryCodes":["2000 GBP"],"Inhibit":true}, all or none.
func (c *call) setDenominationInhibits() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	codes, inhibit := in.texts("ValueCountryCodes"), in.flag("Inhibit")
	if err := in.err(); err != nil {
		return nil, err
	}
	denoms, err := denominations(codes)
	if err != nil {
		return nil, err
	}
	return c.change("set inhibits", c.id+": Denomination inhibits set successfully.", func(ctx context.Context, d devices.Device) error {
		return d.SetInhibits(ctx, denoms, inhibit)
	})
}

// denominations reads texts as "500 GBP"; cash.ErrInvalid for a wrong one or none at all.
func denominations(texts []string) ([]cash.Denom, error) {
	var out []cash.Denom
	for _, t := range texts {
		d, err := cash.ParseDenom(t)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: no denomination is named", cash.ErrInvalid)
	}
	return out, nil
}

// setDenominationRoute: POST SetDenominationRoute {"Value":500,"CountryCode":"EUR","Route":1}.
func (c *call) setDenominationRoute() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	denom, err := in.valueAndCountry()
	if err != nil {
		return nil, err
	}
	r, err := in.route()
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("%s: Set %s route to %s successfully!", c.id, denom, r)
	return c.change("set route", text, func(ctx context.Context, d devices.Device) error {
		err := setRoute(ctx, d, denom, r)
		c.view.hear(cash.RouteSet{Denom: denom, OK: err == nil})
		return err
	})
}

// route is where pieces of a denomination go (specs/itl-rest.md §6.1).
type route int

var routeNames = [...]string{
	"CASHBOX", "RECYCLER", "RECYCLER_1", "RECYCLER_2", "RECYCLER_3", "RECYCLER_4", "REPLENISHMENT_CASSETTE", "PAYOUT",
}

const (
	routeCashbox   route = 0
	routeRecycler  route = 1
	routeRecycler1 route = 2 // and three more, of an NV4000
	routeRecycler4 route = 5
	routePayout    route = 7
)

func (r route) String() string { return routeNames[r] }

// route reads the member Route, a number or a name; cash.ErrInvalid where there is none or no such.
func (f *form) route() (route, error) {
	v, _ := f.get("Route")
	if n, ok := asInt(v); ok && n >= 0 && int(n) < len(routeNames) {
		return route(n), nil
	}
	if name, ok := v.(string); ok {
		for i, n := range routeNames {
			if strings.EqualFold(n, name) {
				return route(i), nil
			}
		}
	}
	return 0, fmt.Errorf("%w: no route %v", cash.ErrInvalid, v)
}

// setRoute sends denom to the cashbox or the store. Routes to single recyclers and to the replenishment cassette belong to
// the NV4000.
func setRoute(ctx context.Context, d devices.Device, denom cash.Denom, r route) error {
	m, ok := d.(devices.Router)
	if !ok {
		return cash.ErrUnsupported
	}
	switch r {
	case routeCashbox, routeRecycler, routePayout:
		return m.SetRoute(ctx, denom, r != routeCashbox)
	}
	if p, ok := d.(devices.Recyclers); ok && d.Snapshot().Model == modelNV4000 {
		if r >= routeRecycler1 && r <= routeRecycler4 {
			return p.SetRecycler(ctx, denom, byte(r-routeRecycler1)+1)
		}
		return p.SetRecycler(ctx, denom, devices.Cassette)
	}
	return fmt.Errorf("%w: this device has no %s", cash.ErrInvalid, r)
}

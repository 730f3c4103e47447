package cashdevice

import (
	"context"

	"coffer/devices"
)

// setSorterRoute: POST SetSorterRoute {"Value":100,"CountryCode":"USD","SorterRoute":0}, flat or nested.
func (c *call) setSorterRoute() (any, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	hopper := in.required(0, 1, "SorterRoute", "Route")
	coin, err := in.valueAndCountry()
	if err := in.err(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	return tell(c, "set sorter route", c.id+": Sorter route set successfully.", func(ctx context.Context, m devices.Twin) error {
		return m.SetSorterRoute(ctx, coin, byte(hopper))
	})
}

// sorterRouteAssignment: GET GetSorterRouteAssignment → one object a coin of the dataset; 404 on a machine without a
// sorter, as the manual has it for one without assignments.
func (c *call) sorterRouteAssignment() (any, error) {
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	routes := sorterRoutes(d.Snapshot())
	if len(routes) == 0 {
		return nil, &refusal{status: 404, body: c.id + ": No sorter route assignments found."}
	}
	return routes, nil
}

// sorterRoutes lists where the sorter sends each coin, in dataset order.
func sorterRoutes(s *devices.Snapshot) list {
	out := list{}
	if s.Model == modelTwin {
		for _, ch := range s.Channels {
			out = append(out, object{{"currentSorterRoute", int(ch.Hopper)}})
		}
	}
	return out
}

// setTwinMode: POST SetTwinMode with a bare byte from 0 to 3.
func (c *call) setTwinMode() (any, error) {
	mode, err := c.bareNumber(0, 255)
	if err != nil {
		return nil, err
	}
	return tell(c, "set twin mode", c.id+": Twin mode set successfully.", func(ctx context.Context, m devices.Twin) error {
		return m.SetTwinMode(ctx, byte(mode))
	})
}

// lifterStatus: GET GetLifterStatus → dump of three booleans.
func (c *call) lifterStatus() (any, error) {
	m, err := as[devices.Lifter](c)
	if err != nil {
		return nil, err
	}
	s, err := m.LifterStatus(c.ctx)
	if err != nil {
		return nil, err
	}
	c.remember(func(k *memory) { k.lifter = s })
	return dump(c.id, "LifterConnected", truth(s.Connected), "LifterOptoClear", truth(s.OptoClear), "LifterJammed", truth(s.Jammed)), nil
}

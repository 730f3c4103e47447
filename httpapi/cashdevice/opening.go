package cashdevice

import (
	"coffer/devices"
	"coffer/internal/cash"
)

// setup is what an OpenConnection asks of the machine.
type setup struct {
	inhibits  []inhibitEntry
	routes    []routeEntry
	coinMech  *coinMechEntry
	boxLevels []levelEntry
	feeder    []routeEntry
	accept    bool
	auto      bool
	payout    bool
	bezel     bool // notes that are paid wait in the bezel

	log      string // file of the device log, "" for none
	options  *devices.Options
	boxLimit []any // one count a channel, nil for none
	twin     *byte
}

// changes says whether the request names something to be changed. Booleans that are false do not: they say the same as
// those that are left out.
func (s *setup) changes() bool {
	lists := len(s.inhibits) + len(s.routes) + len(s.feeder) + len(s.boxLevels) + len(s.boxLimit)
	return s.accept || s.auto || s.payout || s.bezel || lists > 0 || s.coinMech != nil || s.options != nil || s.twin != nil
}

type (
	inhibitEntry struct {
		denom   cash.Denom
		inhibit bool
	}
	routeEntry struct {
		denom cash.Denom
		route route
	}
	coinMechEntry struct {
		denoms  []cash.Denom
		inhibit bool
	}
	levelEntry struct {
		denom cash.Denom
		count int
	}
)

// setup reads the optional members of an OpenConnection (specs/itl-rest.md §8.1). Missing booleans count as false.
func (f *form) setup() setup {
	s := setup{accept: f.flag("EnableAcceptor"), auto: f.flag("EnableAutoAcceptEscrow"), payout: f.flag("EnablePayout"), bezel: f.flag("DispenseToBezel")}
	for _, e := range f.list("SetInhibits") {
		s.inhibits = append(s.inhibits, inhibitEntry{f.denom(e, "SetInhibits"), e.flag("Inhibit")})
		f.faults = append(f.faults, e.faults...)
	}
	for _, e := range f.list("SetRoutes") {
		if v, _ := e.get("Route"); v != nil { // one published sample has an inhibit entry among its routes
			s.routes = append(s.routes, f.routeEntry(e, "SetRoutes"))
		}
	}
	for _, e := range f.list("SetFeederRoutes") {
		s.feeder = append(s.feeder, f.routeEntry(e, "SetFeederRoutes"))
	}
	for _, e := range f.list("SetCashBoxLevels") {
		s.boxLevels = append(s.boxLevels, levelEntry{f.denom(e, "SetCashBoxLevels"), int(e.number(0, 65535, "NumCoins"))})
		f.faults = append(f.faults, e.faults...)
	}
	if m := f.inner("SetCoinMechInhibits"); m != nil {
		s.coinMech = &coinMechEntry{inhibit: m.flag("Inhibit")}
		for _, t := range m.texts("ValueCountryCodes") {
			s.coinMech.denoms = append(s.coinMech.denoms, f.denomText(t, "SetCoinMechInhibits"))
		}
		f.faults = append(f.faults, m.faults...)
	}
	s.log = f.text("LogFilePath", "LogFile Path")
	f.coinSetup(&s)
	return s
}

// coinSetup reads the members that machines with a store, and coin machines, take alone.
func (f *form) coinSetup(s *setup) {
	if m := f.inner("SetHopperOptions"); m != nil {
		o := m.options()
		s.options = &o
		f.faults = append(f.faults, m.faults...)
	}
	if v, name := f.get("SetCashBoxPayoutLimit"); v != nil {
		if _, ok := counts(v); !ok {
			f.wrong(name, "An array of counts")
		}
		s.boxLimit, _ = v.([]any)
	}
	if v, _ := f.get("SetTwinMode"); v != nil && v != false {
		mode := byte(f.number(0, 3, "SetTwinMode"))
		s.twin = &mode
	}
}

// denom reads the Denomination of an entry of the list name.
func (f *form) denom(e *form, name string) cash.Denom {
	return f.denomText(e.text("Denomination"), name)
}

func (f *form) denomText(text, name string) cash.Denom {
	d, err := cash.ParseDenom(text)
	if err != nil {
		f.wrong(name, `A denomination as "500 GBP"`)
	}
	return d
}

func (f *form) routeEntry(e *form, name string) routeEntry {
	r, err := e.route()
	if err != nil {
		f.wrong(name, "A route from 0 to 7")
	}
	return routeEntry{f.denom(e, name), r}
}

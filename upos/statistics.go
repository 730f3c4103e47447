package upos

import (
	"encoding/xml"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// statistics are the counters of a device. Those of the machinery are read when they are asked for; base is what was
// counted when a counter was last set, so that it can be reset though the machine cannot.
type statistics struct {
	since     time.Time     // of this life
	before    time.Duration // run in earlier ones
	installed time.Time     // the day of the first
	counters  map[string]int64
	base      map[string]int64
	dirty     bool // changed since it was saved
}

// standardStatistics are the names that UnifiedPOS defines; the drawer has two more. All others are ours.
var standardStatistics = []string{"HoursPoweredCount", "CommunicationErrorCount"}

// drawerStatistics are the standard's names for a drawer.
var drawerStatistics = []string{"DrawerGoodOpenCount", "DrawerFailedOpenCount"}

// together names counters that only make sense with each other: one may not be set without the other.
var together = map[string]string{"DispenseCount": "DispenseFailureCount", "DispenseFailureCount": "DispenseCount"}

func (s *statistics) start(now time.Time) {
	s.since, s.installed, s.counters, s.base = now, now, map[string]int64{}, map[string]int64{}
}

// add counts. The caller holds mu.
func (s *statistics) add(name string, n int64) {
	s.counters[name] += n
	s.dirty = s.dirty || n != 0
}

// value is a counter as it is shown. Where it is lower than when it was set, it is another machine's: that one began at 0.
func (s *statistics) value(name string, raw int64) int64 {
	if n := raw - s.base[name]; n >= 0 {
		return n
	}
	return raw
}

// ours are the service's own counters of a class, which exist from the start.
func ours(class Class) []string {
	switch {
	case class == CashDrawer:
		return nil
	case !class.dispenses():
		return []string{"DepositCount", "PiecesTaken", "ReturnedCount", "FraudCount", "DiscrepancyCount", "CashboxRemovedCount"}
	case !class.accepts():
		return []string{"DispenseCount", "DispenseFailureCount", "PiecesPaid", "DiscrepancyCount"}
	}
	return []string{"DepositCount", "PiecesTaken", "ReturnedCount", "FraudCount", "DiscrepancyCount", "CashboxRemovedCount",
		"DispenseCount", "DispenseFailureCount", "PiecesPaid"}
}

// standard lists the UnifiedPOS statistics of a class.
func standard(class Class) []string {
	if class == CashDrawer {
		return append(slices.Clone(standardStatistics), drawerStatistics...)
	}
	return standardStatistics
}

// raw reads all counters without their base. machine is what the machinery counts. The caller holds mu.
func (d *device) raw(machine map[string]int64) map[string]int64 {
	out := map[string]int64{}
	for _, name := range append(slices.Clone(standard(d.cfg.Class)), ours(d.cfg.Class)...) {
		out[name] = d.stats.counters[name]
	}
	out["HoursPoweredCount"] = int64(d.stats.powered(d.service.opts.Now()) / time.Hour)
	maps.Copy(out, machine)
	return out
}

// machineStatistics asks the machinery. The caller does not hold mu.
func (h *Handle) machineStatistics() map[string]int64 {
	h.service.mu.Lock()
	d := h.dev
	h.service.mu.Unlock()
	if d == nil || d.mech == nil {
		return nil
	}
	return d.mech.Statistics()
}

// split reads a list of names; a selector stands for its names: "" for all, U_ for the standard's, M_ for ours.
func (d *device) split(buffer string, all map[string]int64) []string {
	var out []string
	if strings.TrimSpace(buffer) == "" {
		return slices.Sorted(maps.Keys(all))
	}
	for name := range strings.SplitSeq(buffer, ",") {
		out = append(out, d.selected(strings.TrimSpace(name), all)...)
	}
	return out
}

// selected expands one name or selector.
func (d *device) selected(name string, all map[string]int64) []string {
	var out []string
	switch name {
	case "":
		return slices.Sorted(maps.Keys(all))
	case "U_", "M_":
		for _, n := range slices.Sorted(maps.Keys(all)) {
			if slices.Contains(standard(d.cfg.Class), n) == (name == "U_") {
				out = append(out, n)
			}
		}
		return out
	}
	return []string{name}
}

// resetStatistics sets counters to 0.
func (c *call) resetStatistics() (map[string]any, error) {
	machine := c.h.machineStatistics()
	c.h.service.mu.Lock()
	defer c.h.service.mu.Unlock()
	if err := c.h.allowed(c.member.Access); err != nil {
		return nil, err
	}
	d := c.h.dev
	all := d.raw(machine)
	set := map[string]int64{}
	for _, name := range d.split(c.string("statisticsBuffer"), all) {
		set[name] = 0
	}
	return nil, d.setStatistics(all, set)
}

// updateStatistics sets counters to the values given as name=value.
func (c *call) updateStatistics() (map[string]any, error) {
	machine := c.h.machineStatistics()
	c.h.service.mu.Lock()
	defer c.h.service.mu.Unlock()
	if err := c.h.allowed(c.member.Access); err != nil {
		return nil, err
	}
	d := c.h.dev
	all := d.raw(machine)
	set := map[string]int64{}
	for pair := range strings.SplitSeq(c.string("statisticsBuffer"), ",") {
		name, text, ok := strings.Cut(pair, "=")
		value, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if !ok || err != nil || value < 0 {
			return nil, fail(E_ILLEGAL, "statistics: %q is not name=value", pair)
		}
		for _, n := range d.selected(strings.TrimSpace(name), all) {
			set[n] = value
		}
	}
	return nil, d.setStatistics(all, set)
}

// setStatistics sets all of them or none. The caller holds mu.
func (d *device) setStatistics(all, set map[string]int64) error {
	for name := range set {
		if _, known := all[name]; !known {
			return &Error{Code: E_EXTENDED, Extended: ESTATS_ERROR, Message: "statistic " + name + " cannot be set"}
		}
		if other := together[name]; other != "" {
			_, there := all[other]
			if _, named := set[other]; there && !named {
				return &Error{Code: E_EXTENDED, Extended: ESTATS_DEPENDENCY, Message: "set " + other + " together with " + name}
			}
		}
	}
	for name, value := range set {
		d.stats.base[name] = all[name] - value
	}
	d.stats.dirty = true
	return nil
}

// The document of RetrieveStatistics.
type (
	statDocument struct {
		XMLName   xml.Name `xml:"UPOSStat"`
		Version   string   `xml:"version,attr"`
		XSI       string   `xml:"xmlns:xsi,attr"`
		Namespace string   `xml:"xmlns,attr"`
		Schema    string   `xml:"xsi:schemaLocation,attr"`
		Event     statEvent
		Equipment statEquipment
	}
	statEvent struct {
		Parameter            []statPair
		ManufacturerSpecific []statPair
	}
	statPair      struct{ Name, Value string }
	statEquipment struct {
		UnifiedPOSVersion string
		DeviceCategory    struct {
			UPOS string `xml:",attr"`
		}
		ManufacturerName string
		ModelName        string
		SerialNumber     string
		FirmwareRevision string
		Interface        string
		InstallationDate string
	}
)

const (
	statNamespace = "http://www.nrf-arts.org/UnifiedPOS/namespace/"
	statRelease   = "1.16"
)

// retrieveStatistics writes the counters asked for as XML; a name that is not known has an empty value.
func (c *call) retrieveStatistics() (map[string]any, error) {
	h, machine := c.h, c.h.machineStatistics()
	_, parts, err := h.device(c.member.Access)
	if err != nil {
		return nil, err
	}
	h.service.mu.Lock()
	defer h.service.mu.Unlock()
	if err := h.allowed(c.member.Access); err != nil {
		return nil, err
	}
	d := h.dev
	all := d.raw(machine)
	doc := statDocument{Version: statRelease + ".0", XSI: "http://www.w3.org/2001/XMLSchema-instance", Namespace: statNamespace,
		Schema: statNamespace + " UPOSStat.xsd", Equipment: d.equipment(parts)}
	for _, name := range d.split(c.string("statisticsBuffer"), all) {
		pair := statPair{Name: name}
		if n, known := all[name]; known {
			pair.Value = strconv.FormatInt(d.stats.value(name, n), 10)
		}
		if slices.Contains(standard(h.class), name) {
			doc.Event.Parameter = append(doc.Event.Parameter, pair)
		} else {
			doc.Event.ManufacturerSpecific = append(doc.Event.ManufacturerSpecific, pair)
		}
	}
	text, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fail(E_FAILURE, "writing the statistics: %v", err)
	}
	return map[string]any{"statisticsBuffer": "<?xml version='1.0'?>\n" + string(text) + "\n"}, nil
}

// equipment describes the machines; several are joined by a plus sign.
func (d *device) equipment(parts []Part) statEquipment {
	join := func(of func(Part) string) string {
		var out []string
		for _, p := range parts {
			out = append(out, of(p))
		}
		return strings.Join(out, " + ")
	}
	e := statEquipment{UnifiedPOSVersion: statRelease, ManufacturerName: "Innovative Technology", ModelName: physicalName(d, parts),
		SerialNumber: join(func(p Part) string { return p.Serial }), FirmwareRevision: join(func(p Part) string { return p.Firmware }),
		Interface: "SSP", InstallationDate: d.stats.installed.Format(time.DateOnly)}
	if d.mech == nil {
		e.ManufacturerName, e.Interface = "", ""
	}
	e.DeviceCategory.UPOS = string(d.cfg.Class)
	return e
}

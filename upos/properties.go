package upos

import (
	"cmp"
	"maps"
	"strings"
)

// version is the release of the standard in the coding of DeviceControlVersion: 1.16, build 0.
const version int32 = 1*1_000_000 + 16*1_000

// getters say the value of every property of every class. Whether it may be read now is decided before, from the members
// table. The caller holds mu; parts are the machines as they are.
var getters map[string]func(h *Handle, parts []Part) any

// ofMachines are the properties whose getters look at the parts.
var ofMachines = map[string]bool{"CurrencyCashList": true, "CurrencyCodeList": true, "DepositCashList": true,
	"DepositCodeList": true, "DepositCounts": true, "DepositStatus": true, "DeviceStatus": true, "DispenserStatus": true,
	"ExitCashList": true, "FullStatus": true, "PhysicalDeviceDescription": true, "PhysicalDeviceName": true}

// setters write the properties that can be written; the value has the property's type. The caller holds mu.
var setters map[string]func(h *Handle, parts []Part, value any) error

func init() { // not a literal: the functions look into the maps themselves
	getters = map[string]func(h *Handle, parts []Part) any{}
	for _, group := range []map[string]func(h *Handle, parts []Part) any{commonGetters, cashGetters} {
		maps.Copy(getters, group)
	}
	for name, of := range capabilityOf {
		getters[name] = func(h *Handle, _ []Part) any { return of(h.now()) }
	}
	setters = cashSetters
}

var commonGetters = map[string]func(h *Handle, parts []Part) any{
	"OpenResult":               func(h *Handle, _ []Part) any { return h.openResult },
	"BinaryConversion":         func(h *Handle, _ []Part) any { return h.binary },
	"ResultCode":               func(h *Handle, _ []Part) any { return h.result },
	"ResultCodeExtended":       func(h *Handle, _ []Part) any { return h.extended },
	"CheckHealthText":          func(h *Handle, _ []Part) any { return h.healthText },
	"Claimed":                  func(h *Handle, _ []Part) any { return h.dev != nil && h.dev.holder == h },
	"DataCount":                func(h *Handle, _ []Part) any { return h.dataCount() },
	"DataEventEnabled":         func(h *Handle, _ []Part) any { return h.dataEnabled },
	"DeviceEnabled":            func(h *Handle, _ []Part) any { return h.enabled },
	"FreezeEvents":             func(h *Handle, _ []Part) any { return h.frozen },
	"PowerNotify":              func(h *Handle, _ []Part) any { return h.powerNotify },
	"PowerState":               func(h *Handle, _ []Part) any { return h.powerState },
	"State":                    func(h *Handle, _ []Part) any { return h.stateNow() },
	"DeviceControlVersion":     func(*Handle, []Part) any { return version },
	"DeviceServiceVersion":     func(*Handle, []Part) any { return version },
	"DeviceControlDescription": func(h *Handle, _ []Part) any { return "coffer UnifiedPOS " + string(h.class) + " control" },
	"DeviceServiceDescription": func(h *Handle, _ []Part) any {
		return strings.TrimSpace("coffer UnifiedPOS " + string(h.class) + " service " + h.service.opts.Version)
	},
	"PhysicalDeviceDescription": func(h *Handle, parts []Part) any { return physicalDescription(h.dev, h.inScope(parts)) },
	"PhysicalDeviceName":        func(h *Handle, parts []Part) any { return physicalName(h.dev, h.inScope(parts)) },
}

// can is the value of a capability property.
func (c *capabilities) can(name string) any { return capabilityOf[name](c) }

var capabilityOf = map[string]func(c *capabilities) any{
	"CapCompareFirmwareVersion":  func(c *capabilities) any { return c.firmware },
	"CapDeposit":                 func(c *capabilities) any { return c.deposit },
	"CapDepositDataEvent":        func(c *capabilities) any { return c.deposit },
	"CapDiscrepancy":             func(c *capabilities) any { return c.discrepancy },
	"CapEmptySensor":             func(c *capabilities) any { return c.empty },
	"CapFullSensor":              func(c *capabilities) any { return c.full },
	"CapJamSensor":               func(c *capabilities) any { return c.jam },
	"CapNearEmptySensor":         func(c *capabilities) any { return c.nearEmpty },
	"CapNearFullSensor":          func(c *capabilities) any { return c.nearFull },
	"CapPauseDeposit":            func(c *capabilities) any { return c.pause },
	"CapPowerReporting":          func(c *capabilities) any { return c.power },
	"CapRealTimeData":            func(c *capabilities) any { return c.realTime },
	"CapRepayDeposit":            func(c *capabilities) any { return c.repay },
	"CapStatisticsReporting":     func(c *capabilities) any { return c.statistics },
	"CapStatus":                  func(c *capabilities) any { return c.status },
	"CapStatusMultiDrawerDetect": func(c *capabilities) any { return c.multiDrawers },
	"CapUpdateFirmware":          func(c *capabilities) any { return c.firmware },
	"CapUpdateStatistics":        func(c *capabilities) any { return c.statistics },
}

// now is the capabilities that are read: of the whole, or of the part that CurrentService means. The caller holds mu.
func (h *Handle) now() *capabilities {
	if h.part > 0 && int(h.part) <= len(h.each) {
		return &h.each[h.part-1]
	}
	return &h.caps
}

// depositAmount is DepositAmount: of the part that CurrentService means, what is of its kind. The caller holds mu.
func (h *Handle) depositAmount() int32 {
	shown := h.deposit.shown
	if h.part > 0 {
		shown = maps.Clone(shown)
		maps.DeleteFunc(shown, func(p Piece, _ int) bool { return p.Bill != h.bills[h.part-1] })
	}
	return amount32(shown.total(h.currency), h.service.scaleOf(h))
}

var cashGetters = map[string]func(h *Handle, parts []Part) any{
	"AsyncMode":               func(h *Handle, _ []Part) any { return h.async },
	"AsyncResultCode":         func(h *Handle, _ []Part) any { return h.asyncCode },
	"AsyncResultCodeExtended": func(h *Handle, _ []Part) any { return h.asyncExt },
	"CurrencyCode":            func(h *Handle, _ []Part) any { return string(h.currency) },
	"CurrencyCodeList":        func(h *Handle, parts []Part) any { return strings.Join(h.codeList(parts), ",") },
	"CurrencyCashList": func(h *Handle, parts []Part) any {
		return cashList(h.class, h.currencyList(parts), h.service.scaleOf(h))
	},
	"CurrentExit":    func(h *Handle, _ []Part) any { return h.exit },
	"CurrentService": func(h *Handle, _ []Part) any { return h.part },
	"DepositAmount":  func(h *Handle, _ []Part) any { return h.depositAmount() },
	"DepositCashList": func(h *Handle, parts []Part) any {
		return cashList(h.class, h.depositList(parts), h.service.scaleOf(h))
	},
	"DepositCodeList": func(h *Handle, parts []Part) any { return strings.Join(h.depositCodes(parts), ",") },
	"DepositCounts": func(h *Handle, parts []Part) any {
		return cashCounts(h.class, h.depositList(parts), h.deposit.shown, h.service.scaleOf(h))
	},
	"DepositStatus": func(h *Handle, parts []Part) any { return h.depositStatusRead(parts) },
	"DeviceExits":   func(h *Handle, _ []Part) any { return h.now().exits },
	"DeviceStatus":  func(h *Handle, parts []Part) any { return h.dev.look(parts, h.part).deviceStatus() },
	"DispenserStatus": func(h *Handle, parts []Part) any {
		return h.dev.look(parts, 0).dispenserStatus()
	},
	"DrawerOpened": func(h *Handle, _ []Part) any { return h.caps.status && h.dev.opened },
	"ExitCashList": func(h *Handle, parts []Part) any {
		return cashList(h.class, h.exitList(parts), h.service.scaleOf(h))
	},
	"FullStatus":          func(h *Handle, parts []Part) any { return h.dev.look(parts, h.part).full },
	"RealTimeDataEnabled": func(h *Handle, _ []Part) any { return h.realTime },
	"ServiceCount":        func(h *Handle, _ []Part) any { return h.caps.services },
	"ServiceIndex":        func(h *Handle, _ []Part) any { return h.caps.serviceIndex },
}

// cashSetters lacks DeviceEnabled, which talks to the machines: see enable.
var cashSetters = map[string]func(h *Handle, parts []Part, value any) error{
	"AsyncMode":        func(h *Handle, _ []Part, v any) error { h.async = v.(bool); return nil },
	"BinaryConversion": func(h *Handle, _ []Part, v any) error { return h.setBinary(v.(int32)) },
	"CurrencyCode":     func(h *Handle, parts []Part, v any) error { return h.setCurrency(parts, v.(string)) },
	"CurrentExit":      func(h *Handle, _ []Part, v any) error { return h.setExit(v.(int32)) },
	"CurrentService":   func(h *Handle, _ []Part, v any) error { return h.setService(v.(int32)) },
	"DataEventEnabled": func(h *Handle, _ []Part, v any) error { h.dataEnabled = v.(bool); h.poke(); return nil },
	"FreezeEvents":     func(h *Handle, _ []Part, v any) error { h.frozen = v.(bool); h.poke(); return nil },
	"PowerNotify":      func(h *Handle, _ []Part, v any) error { return h.setPowerNotify(v.(int32)) },
	"RealTimeDataEnabled": func(h *Handle, _ []Part, v any) error {
		if v.(bool) && !h.caps.realTime {
			return fail(E_ILLEGAL, "CapRealTimeData is false")
		}
		h.realTime = v.(bool)
		return nil
	},
}

func (h *Handle) setExit(n int32) error {
	if n < 1 || n > h.caps.exits {
		return fail(E_ILLEGAL, "CurrentExit %d: use 1 to %d", n, h.caps.exits)
	}
	h.exit = n
	return nil
}

func (h *Handle) setBinary(n int32) error {
	if n != BC_NONE && n != BC_NIBBLE && n != BC_DECIMAL {
		return fail(E_ILLEGAL, "BinaryConversion %d: use %d, %d or %d", n, BC_NONE, BC_NIBBLE, BC_DECIMAL)
	}
	h.binary = n
	return nil
}

// physicalDescription tells models, serial numbers and firmware; physicalName the models alone.
func physicalDescription(d *device, parts []Part) string {
	if d.mech == nil {
		return "cash drawer " + strings.Join(d.cfg.Devices, " ")
	}
	var out []string
	for _, p := range parts {
		out = append(out, strings.Join(strings.Fields(cmp.Or(p.Model, p.ID)+" "+p.Serial+" "+p.Firmware), " "))
	}
	return strings.Join(out, "; ")
}

func physicalName(d *device, parts []Part) string {
	if d.mech == nil {
		return "cash drawer"
	}
	var out []string
	for _, p := range parts {
		out = append(out, cmp.Or(p.Model, p.ID))
	}
	return strings.Join(out, " + ")
}

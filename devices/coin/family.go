package coin

import (
	"coffer/devices"
	"coffer/ssp"
)

// Family returns the family of coin machines that this driver knows: SMART Coin Systems (type 09).
func Family() devices.Family {
	return devices.Family{Name: "coin", Accepts: accepts, Model: model}
}

func accepts(s ssp.Setup, _ string) bool { return s.UnitType == ssp.TypeCoinSystem }

func model(ssp.Setup, string) string { return "SMART_COIN_SYSTEM" }

package note

import (
	"strings"

	"coffer/devices"
	"coffer/ssp"
)

// Family returns the family of note machines that this driver knows: validators without a payout store (type 00) and
// multi-denomination recyclers (type 06).
func Family() devices.Family {
	return devices.Family{Name: "note", Accepts: accepts, Model: model}
}

func accepts(s ssp.Setup, _ string) bool {
	return s.UnitType == ssp.TypeValidator || s.UnitType == ssp.TypePayout
}

func model(s ssp.Setup, firmware string) string {
	switch {
	case s.UnitType == ssp.TypeValidator:
		return "NOTE_VALIDATOR"
	case strings.HasSuffix(firmware, "NV4"):
		return "NV4000"
	}
	return "SPECTRAL_PAYOUT"
}

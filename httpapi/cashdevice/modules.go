package cashdevice

import (
	"fmt"
	"strconv"

	"coffer/devices"
	"coffer/ssp"
)

// Models that are answered in a form of their own.
const (
	modelNV4000 = "NV4000"
	modelPayout = "SPECTRAL_PAYOUT"
	modelFloat  = "NV11"
	modelCoins  = "SMART_COIN_SYSTEM"
	modelTwin   = "TWIN_SMART_COIN_SYSTEM"
)

// Module numbers of the serial numbers (specs/ssp.md §8.5).
const (
	partPayout    = 1 // of note machines
	partFeeder    = 1 // of coin machines
	partSecondary = 2
	partLifter    = 3
	partRecycler1 = 0x11
	partInterface = 0x15
	partDock      = 0x16
	partCassette  = 0x17
	partConveyor  = 0x18
)

// modules are the members for serial numbers and revisions: text, except that an NV4000 has numbers. parts are those of
// an NV4000, nil for other machines.
func modules(s *devices.Snapshot, parts any) object {
	only := func(here bool, value string) any {
		if !here {
			return nil
		}
		return orNil(value)
	}
	pays, twin := s.Model == modelPayout || s.Model == modelFloat, s.Model == modelTwin
	coins := twin || s.Model == modelCoins
	var main, build any
	if s.Model == modelNV4000 {
		main, build = serial(s.Serial), orNil(revision(s, 0))
	}
	return object{
		{"mainSerialNumber", main},
		{"validatorSerialNumber", only(pays, s.Serial)},
		{"payoutModuleSerialNumber", only(pays, s.ModuleSerials[partPayout])},
		{"primaryHopperSerialNumber", only(coins, s.Serial)},
		{"coinFeederSerialNumber", only(coins, s.ModuleSerials[partFeeder])},
		{"secondaryHopperSerialNumber", only(twin, s.ModuleSerials[partSecondary])},
		{"coinLifterSerialNumber", only(coins, s.ModuleSerials[partLifter])},
		{"validatorRevision", only(pays, revision(s, 0))},
		{"payoutModuleRevision", only(pays, revision(s, 1))},
		{"primaryHopperBuildRevision", only(coins, revision(s, 0))},
		{"coinFeederBuildRevision", only(coins, revision(s, 1))},
		{"secondaryHopperBuildRevision", only(twin, revision(s, 2))},
		{"coinLifterBuildRevision", only(coins, revision(s, 3))},
		{"buildRevision", build},
		{"nV4000Fields", parts},
	}
}

// parts are the serial numbers of an NV4000's parts, as numbers in every dialect, and what the dialect says of its
// cassette; nil for other machines.
func (o *opened) parts(s *devices.Snapshot) any {
	if s.Model != modelNV4000 {
		return nil
	}
	out := object{}
	for i := range 4 {
		out = append(out, member{fmt.Sprintf("recycler%dSerialNumber", i+1), number(s, byte(partRecycler1+i))})
	}
	out = append(out,
		member{"interfaceSerialNumber", number(s, partInterface)},
		member{"dockSerialNumber", number(s, partDock)},
		member{"replenishmentCassetteSerialNumber", number(s, partCassette)},
		member{"conveyorSerialNumber", number(s, partConveyor)},
	)
	if o.c.api.dialect == Android {
		return append(out, member{"rCCurrentMode", orNil(o.cassetteMode)}, member{"currentRC_PayoutValue", 0})
	}
	return append(out, member{"currentRC_PayoutValue", 0}, member{"rcNoteCount", o.inCassette})
}

// number is the serial number of a part, 0 for none.
func number(s *devices.Snapshot, part byte) any {
	v := s.ModuleSerials[part]
	if v == "" {
		return 0
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return n
	}
	return v
}

// revision is the build revision of the nth module that the machine reports, "9.10", "" for none.
func revision(s *devices.Snapshot, n int) string {
	if n >= len(s.Revisions) {
		return ""
	}
	return revisionText(s.Revisions[n])
}

func revisionText(r ssp.Revision) string {
	return fmt.Sprintf("%d.%02d", r.Revision>>8, r.Revision&0xFF)
}

package cashdevice

import (
	"fmt"

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

// modules are the members for serial numbers and revisions: text, except that an NV4000 has numbers.
// inCassette is what is in the cassette of an NV4000.
func modules(s *devices.Snapshot, inCassette int) object {
	only := func(here bool, value string) any {
		if !here {
			return nil
		}
		return orNil(value)
	}
	pays, twin := s.Model == modelPayout || s.Model == modelFloat, s.Model == modelTwin
	coins := twin || s.Model == modelCoins
	out := object{{"mainSerialNumber", nil}, {"buildRevision", nil}, {"nV4000Fields", nil}}
	if s.Model == modelNV4000 {
		out = object{{"mainSerialNumber", serial(s.Serial)}, {"buildRevision", orNil(revision(s, 0))}, {"nV4000Fields", nv4000(s, inCassette)}}
	}
	return append(out,
		member{"validatorSerialNumber", only(pays, s.Serial)},
		member{"payoutModuleSerialNumber", only(pays, s.ModuleSerials[partPayout])},
		member{"primaryHopperSerialNumber", only(coins, s.Serial)},
		member{"coinFeederSerialNumber", only(coins, s.ModuleSerials[partFeeder])},
		member{"secondaryHopperSerialNumber", only(twin, s.ModuleSerials[partSecondary])},
		member{"coinLifterSerialNumber", only(coins, s.ModuleSerials[partLifter])},
		member{"validatorRevision", only(pays, revision(s, 0))},
		member{"payoutModuleRevision", only(pays, revision(s, 1))},
		member{"primaryHopperBuildRevision", only(coins, revision(s, 0))},
		member{"coinFeederBuildRevision", only(coins, revision(s, 1))},
		member{"secondaryHopperBuildRevision", only(twin, revision(s, 2))},
		member{"coinLifterBuildRevision", only(coins, revision(s, 3))},
	)
}

// nv4000 are the serial numbers of an NV4000's parts.
func nv4000(s *devices.Snapshot, inCassette int) object {
	out := object{}
	for i := range 4 {
		out = append(out, member{fmt.Sprintf("recycler%dSerialNumber", i+1), number(s, byte(partRecycler1+i))})
	}
	return append(out,
		member{"interfaceSerialNumber", number(s, partInterface)},
		member{"dockSerialNumber", number(s, partDock)},
		member{"replenishmentCassetteSerialNumber", number(s, partCassette)},
		member{"conveyorSerialNumber", number(s, partConveyor)},
		member{"currentRC_PayoutValue", 0},
		member{"rcNoteCount", inCassette},
	)
}

// number is the serial number of a part, 0 for none.
func number(s *devices.Snapshot, part byte) serial {
	if v := s.ModuleSerials[part]; v != "" {
		return serial(v)
	}
	return "0"
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

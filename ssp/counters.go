package ssp

import (
	"encoding/binary"
	"fmt"
)

// Places of the counters of note devices in the answer to GET COUNTERS (section 10.12).
const (
	NoteStacked = iota
	NoteStored
	NoteDispensed
	NoteTransferred // store to stacker
	NoteRejected
	NoteCounters // how many there are
)

// Places of the counters of coin systems and of SMART Hopper 4. The last is missing before firmware 1.26.
const (
	CoinPaidOut = iota // including what went to the cashbox
	CoinPaidIn
	CoinFeederRejects
	CoinHopperJams
	CoinFeederJams
	CoinFraudAttempts
	CoinCalibrationFails
	CoinResets
	CoinToCashbox
	CoinCounters
)

// Places of the counters of SMART Hopper 3.
const (
	HopperPastSensors = iota
	HopperPaidIn
	HopperPaidOut
	HopperToCashbox
	HopperPayoutRequests
	HopperFloatRequests
	HopperCounters
)

// ParseCounters reads what follows OK in the answer to GET COUNTERS. How many there are tells the family: 5 note device,
// 8 or 9 coin system or SMART Hopper 4, 6 SMART Hopper 3, which alone sends no count byte. ErrShort for a wrong length.
func ParseCounters(rest []byte) ([]uint32, error) {
	switch {
	case len(rest) == 4*HopperCounters:
	case len(rest) > 0 && len(rest) == 1+4*int(rest[0]):
		rest = rest[1:]
	default:
		return nil, fmt.Errorf("counters: %w", ErrShort)
	}
	out := make([]uint32, len(rest)/4)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(rest[4*i:])
	}
	return out, nil
}

// AppendCounters is the other way: without count byte for six counters, with it for any other number.
func AppendCounters(dst []byte, counters []uint32) []byte {
	if len(counters) != HopperCounters {
		dst = append(dst, byte(len(counters)))
	}
	for _, c := range counters {
		dst = binary.LittleEndian.AppendUint32(dst, c)
	}
	return dst
}

var (
	noteCounterNames = []string{"stacked", "stored", "dispensed", "transferred", "rejected"}
	coinCounterNames = []string{"paid out", "paid in", "feeder rejects", "hopper jams", "feeder jams", "fraud attempts",
		"calibration fails", "resets", "to cashbox"}
	hopperCounterNames = []string{"past sensors", "paid in", "paid out", "to cashbox", "payout requests", "float requests"}
)

// CounterNames returns what an answer of n counters counts, nil if that is not known.
func CounterNames(n int) []string {
	switch n {
	case NoteCounters:
		return noteCounterNames
	case CoinCounters, CoinCounters - 1:
		return coinCounterNames[:n]
	case HopperCounters:
		return hopperCounterNames
	}
	return nil
}

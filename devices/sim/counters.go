package sim

import "coffer/ssp"

// counter is one of the counters of a machine, by what it counts; where it stands depends on the family. A machine
// that lacks it does not count.
type counter int

const (
	stacked     counter = iota // notes from the front into the cashbox
	stored                     // notes from the front into the store
	paidNotes                  // notes handed out
	transferred                // notes from the store into the cashbox
	rejected                   // notes that went back out at the front
	coinsOut                   // coins out of the hopper, to the cashbox as well
	coinsIn                    // coins accepted
	feederRejects
	hopperJams
	feederJams
	frauds
	calibrationFails
	resets
	coinsToCashbox // from the feeder and from the hopper
	pastSensors    // coins in and out
	payoutRequests
	floatRequests
)

// countersHopper3 is a layout of its own, the only one without a count byte.
const countersHopper3 = "hopper3"

// counterOrder is the layout of GET COUNTERS, by family but for the SMART Hopper 3 (ssp.md 10.12).
var counterOrder = map[string][]counter{
	familyNote:      {stacked, stored, paidNotes, transferred, rejected},
	familyCoin:      {coinsOut, coinsIn, feederRejects, hopperJams, feederJams, frauds, calibrationFails, resets, coinsToCashbox},
	countersHopper3: {pastSensors, coinsIn, coinsOut, coinsToCashbox, payoutRequests, floatRequests},
}

// counterNames are the names of Truth.Counters, in the same order.
var counterNames = map[string][]string{
	familyNote: {"stacked", "stored", "dispensed", "transferred", "rejected"},
	familyCoin: {"paid_out", "paid_in", "feeder_rejects", "hopper_jams", "feeder_jams", "fraud_attempts",
		"calibration_fails", "resets", "to_cashbox"},
	countersHopper3: {"past_sensors", "paid_in", "paid_out", "to_cashbox", "payout_requests", "float_requests"},
}

func (m *Machine) count(c counter, n uint32) {
	for i, o := range counterOrder[m.prof.counters()] {
		if o == c {
			m.nv.counters[i] += n
		}
	}
}

func getCounters(m *Machine) answer {
	n := len(counterOrder[m.prof.counters()])
	out := []byte{byte(ssp.OK)}
	if m.prof.counters() != countersHopper3 {
		out = append(out, byte(n))
	}
	for _, c := range m.nv.counters[:n] {
		out = le.AppendUint32(out, c)
	}
	return answer{data: out}
}

func resetCounters(m *Machine) answer {
	m.nv.counters = [9]uint32{}
	return reply(ssp.OK)
}

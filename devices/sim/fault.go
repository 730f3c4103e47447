package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"coffer/ssp"
)

// The faults that every machine or some machines take. Repeating one changes nothing.
const (
	FaultJam             = "jam"              // holds what is in the path; reported at once
	FaultUnjam           = "unjam"            // ends jam and payout_jam
	FaultCashboxRemoved  = "cashbox_removed"  //
	FaultCashboxReplaced = "cashbox_replaced" // Empty: without what was in it, which also ends stacker_full
	FaultStackerFull     = "stacker_full"     //
	FaultStackerOK       = "stacker_ok"       // ends stacker_full
	FaultPayoutJam       = "payout_jam"       // of a machine without a store: in the way to the cashbox, as jam
	FaultCalibrationFail = "calibration_fail" // ends by command 48 or a restart. Note machines: their sensors; they want maintenance, and know no note
	FaultPathOpen        = "note_path_open"   // the cover over the path, of coins as well: nothing goes in or out
	FaultPathClosed      = "note_path_closed" // ends note_path_open
	FaultUnplug          = "unplug"           // the data cable; the machine goes on
	FaultPlug            = "plug"             //
	FaultPowerOff        = "power_off"        // AtStep: not now but instead of that step of the mechanics, 1 = the next
	FaultPowerOn         = "power_on"         //
	FaultReset           = "reset"            // power off and on; AtStep as there
	FaultBitFlips        = "bit_flips"        // Rate a byte, both directions
	FaultDropBytes       = "drop_bytes"       // Rate a byte, both directions
	FaultDuplicates      = "duplicate_replies"
	FaultDelay           = "delay" // each reply leaves ForMS later
	FaultMute            = "mute"  // it hears and acts; its replies are lost
	FaultLoseKey         = "lose_key"
	FaultHaltPayoutAfter = "halt_payout_after" // the next payout that reaches Paid is halted there, once
	FaultDivert          = "divert"            // the next piece to be paid goes to the cashbox, once
	FaultFloatRemoved    = "float_removed"     // note floats; what is in it stays in it
	FaultFloatAttached   = "float_attached"    // ends float_removed
	FaultCassetteOut     = "cassette_removed"  // machines with a replenishment cassette; what is in it stays in it
	FaultCassetteBack    = "cassette_replaced" // Empty: without what was in it
	FaultCardOut         = "card_removed"      // Smart Currency validators
	FaultCardBack        = "card_inserted"     // ends card_removed
	FaultMechOff         = "coin_mech_off"     // machines with a coin mech: it is pulled off
	FaultMechOn          = "coin_mech_on"      // and back
	FaultMechError       = "coin_mech_error"   // it reports a fault of its own
	FaultMechOK          = "coin_mech_ok"      // ends coin_mech_error
	FaultMechReturn      = "coin_mech_return"  // somebody presses its return lever
	FaultJamRecovery     = "jam_recovery"      // recyclers: they clear a jam by themselves, which costs up to five stored notes a move to the cashbox
	FaultPayoutOut       = "payout_out"        // recyclers: the payout module is out of service
	FaultPayoutBack      = "payout_back"       // ends payout_out
	FaultLifterBlocked   = "lifter_blocked"    // machines with a lifter: its light barrier is covered, and nothing is paid
	FaultLifterClear     = "lifter_clear"      // ends lifter_blocked
	FaultServiceDue      = "service_due"       // the machine wants its maintenance
	FaultServiceDone     = "service_done"      // ends service_due, as the host's maintenance reset does
	FaultClear           = "clear"             // ends bit_flips, drop_bytes, duplicate_replies, delay and mute
)

// Fault is something that goes wrong, or right again.
type Fault struct {
	Kind   string  `json:"kind"`
	ForMS  int64   `json:"for_ms"`  // ends by itself after so many milliseconds of real time; 0: lasts
	Rate   float64 `json:"rate"`    // bit_flips, drop_bytes: 0 to 1; 0 ends it
	Empty  bool    `json:"empty"`   // cashbox_replaced
	Paid   int64   `json:"paid"`    // halt_payout_after, minor units
	AtStep int     `json:"at_step"` // power_off, reset
}

// faults are conditions of the mechanics. They outlast the power, calibration excepted.
type faults struct {
	jam, payoutJam, calibration bool
	pathOpen                    bool
	cashboxOut, stackerFull     bool
	haltAfter                   int64 // minor units
	haltPaid                    int64 // paid since halt was set
	halt                        bool  // haltAfter is to come
	divert                      bool
	floatOut, cassetteOut       bool
	cardOut                     bool
	mechOff, mechError          bool
	recovering, payoutOut       bool
	serviceDue, opto            bool
}

// faultKind is how a kind works: begin makes it so, end is what ForMS does later, nil where there is nothing to end.
type faultKind struct {
	family     string // "" for all
	begin, end func(m *Machine, f Fault)
}

// mechFaults are of machines with a coin mech only.
var mechFaults = []string{FaultMechOff, FaultMechOn, FaultMechError, FaultMechOK, FaultMechReturn}

// storeFaults are of machines with a payout store only.
var storeFaults = map[string]bool{FaultPayoutOut: true, FaultPayoutBack: true, FaultJamRecovery: true}

// set makes the two halves of a condition.
func set(on func(m *Machine) *bool) (begin, end func(*Machine, Fault)) {
	return func(m *Machine, _ Fault) { *on(m) = true }, func(m *Machine, _ Fault) { *on(m) = false }
}

var faultKinds = func() map[string]faultKind {
	jam, _ := set(func(m *Machine) *bool { return &m.faults.jam })
	payoutJam, _ := set(func(m *Machine) *bool {
		if m.prof.Store == 0 { // what leads out of the path is the way to the cashbox
			return &m.faults.jam
		}
		return &m.faults.payoutJam
	})
	full, fullEnd := set(func(m *Machine) *bool { return &m.faults.stackerFull })
	open, _ := set(func(m *Machine) *bool { return &m.faults.pathOpen })
	mute, muteEnd := set(func(m *Machine) *bool { return &m.noise.mute })
	twice, twiceEnd := set(func(m *Machine) *bool { return &m.noise.duplicates })
	cardOut, _ := set(func(m *Machine) *bool { return &m.faults.cardOut })
	divert, divertEnd := set(func(m *Machine) *bool { return &m.faults.divert })
	calib, calibEnd := set(func(m *Machine) *bool { return &m.faults.calibration })
	mechError, mechOK := set(func(m *Machine) *bool { return &m.faults.mechError })
	out, back := set(func(m *Machine) *bool { return &m.faults.payoutOut })
	blocked, unblocked := set(func(m *Machine) *bool { return &m.faults.opto })
	due, serviced := set(func(m *Machine) *bool { return &m.faults.serviceDue })
	plug, unplug := set(func(m *Machine) *bool { return &m.plugged })
	return map[string]faultKind{
		FaultJam:             {"", counted(jam, countJamIn, func(m *Machine) bool { return m.faults.jam }), unjam},
		FaultUnjam:           {"", unjam, nil},
		FaultPayoutJam:       {"", counted(payoutJam, countJamOut, func(m *Machine) bool { return m.faults.payoutJam }), unjam},
		FaultCashboxRemoved:  {"", func(m *Machine, _ Fault) { m.faults.cashboxOut = true }, replaceCashbox},
		FaultCashboxReplaced: {"", replaceCashbox, nil},
		FaultStackerFull:     {"", full, fullEnd},
		FaultStackerOK:       {"", fullEnd, nil},
		FaultCalibrationFail: {"", counted(calib, countCalibration, func(m *Machine) bool { return m.faults.calibration }), calibEnd},
		FaultPathOpen:        {"", open, closePath},
		FaultPathClosed:      {"", closePath, nil},
		FaultUnplug:          {"", unplug, plug},
		FaultPlug:            {"", plug, nil},
		FaultPowerOff:        {"", cutPower, func(m *Machine, _ Fault) { m.powerOn() }},
		FaultPowerOn:         {"", func(m *Machine, _ Fault) { m.cutIn = 0; m.powerOn() }, nil},
		FaultReset:           {"", cutPower, nil},
		FaultBitFlips: {"", func(m *Machine, f Fault) { m.noise.bitFlips = f.Rate },
			func(m *Machine, _ Fault) { m.noise.bitFlips = 0 }},
		FaultDropBytes: {"", func(m *Machine, f Fault) { m.noise.dropBytes = f.Rate },
			func(m *Machine, _ Fault) { m.noise.dropBytes = 0 }},
		FaultDuplicates:      {"", twice, twiceEnd},
		FaultDelay:           {"", func(m *Machine, f Fault) { m.noise.delay = time.Duration(f.ForMS) * time.Millisecond }, nil},
		FaultMute:            {"", mute, muteEnd},
		FaultLoseKey:         {"", func(m *Machine, _ Fault) { m.wire.session = nil }, nil},
		FaultFloatRemoved:    {familyNote, func(m *Machine, _ Fault) { m.removeFloat() }, func(m *Machine, _ Fault) { m.attachFloat() }},
		FaultFloatAttached:   {familyNote, func(m *Machine, _ Fault) { m.attachFloat() }, nil},
		FaultCassetteOut:     {familyNote, func(m *Machine, _ Fault) { m.faults.cassetteOut = true }, replaceCassette},
		FaultCassetteBack:    {familyNote, replaceCassette, nil},
		FaultCardOut:         {familyNote, cardOut, cardBack},
		FaultCardBack:        {familyNote, cardBack, nil},
		FaultHaltPayoutAfter: {"", haltAfter, func(m *Machine, _ Fault) { m.faults.halt = false }},
		FaultDivert:          {"", divert, divertEnd},

		FaultMechOff:    {familyCoin, func(m *Machine, _ Fault) { m.faults.mechOff = true }, mechOn},
		FaultMechOn:     {familyCoin, mechOn, nil},
		FaultMechError:  {familyCoin, mechError, mechOK},
		FaultMechOK:     {familyCoin, mechOK, nil},
		FaultMechReturn: {familyCoin, mechReturn, nil},

		FaultJamRecovery:   {familyNote, func(m *Machine, _ Fault) { m.recover() }, nil},
		FaultPayoutOut:     {familyNote, out, back},
		FaultPayoutBack:    {familyNote, back, nil},
		FaultLifterBlocked: {familyCoin, blocked, unblocked},
		FaultLifterClear:   {familyCoin, unblocked, nil},
		FaultServiceDue:    {"", due, serviced},
		FaultServiceDone:   {"", serviced, nil},

		FaultClear: {"", func(m *Machine, _ Fault) { m.noise = noise{rnd: m.noise.rnd} }, nil},
	}
}()

// faultNames lists the kinds of all machines, for who misspelt one.
func faultNames() string { return strings.Join(slices.Sorted(maps.Keys(faultKinds)), ", ") }

// Fault makes something go wrong, or right again. ErrInvalid for a kind that this machine does not know, or for
// numbers that make no sense.
func (m *Machine) Fault(f Fault) error {
	k, ok := faultKinds[f.Kind]
	switch {
	case !ok:
		return fmt.Errorf("%w: no fault %q; there are %s", ErrInvalid, f.Kind, faultNames())
	case k.family != "" && k.family != m.prof.Family,
		slices.Contains(mechFaults, f.Kind) && !m.prof.has(featureCoinMech):
		return fmt.Errorf("%w: fault %q is none of a %s", ErrInvalid, f.Kind, m.prof.Name)
	case storeFaults[f.Kind] && m.prof.Store == 0, f.Kind == FaultJamRecovery && m.prof.has(featureFloat):
		return fmt.Errorf("%w: a %s has no payout store for fault %q", ErrInvalid, m.prof.Name, f.Kind)
	case (f.Kind == FaultLifterBlocked || f.Kind == FaultLifterClear) && !m.prof.has(featureLifter):
		return fmt.Errorf("%w: a %s has no lifter", ErrInvalid, m.prof.Name)
	case (f.Kind == FaultFloatRemoved || f.Kind == FaultFloatAttached) && !m.prof.has(featureFloat):
		return fmt.Errorf("%w: a %s has no note float", ErrInvalid, m.prof.Name)
	case (f.Kind == FaultCassetteOut || f.Kind == FaultCassetteBack) && !m.prof.has(featureCassette):
		return fmt.Errorf("%w: a %s has no replenishment cassette", ErrInvalid, m.prof.Name)
	case (f.Kind == FaultCardOut || f.Kind == FaultCardBack) && !m.prof.has(featureSmart):
		return fmt.Errorf("%w: a %s has no card", ErrInvalid, m.prof.Name)
	case f.ForMS < 0 || f.ForMS > maxForMS, f.Rate < 0 || f.Rate > 1, f.Paid < 0, f.AtStep < 0:
		return fmt.Errorf("%w: for_ms, rate, paid or at_step out of range", ErrInvalid)
	}
	m.enter(func() {
		k.begin(m, f)
		m.watchLifter()
		if k.end != nil && f.ForMS > 0 && f.AtStep == 0 {
			m.endFault(f, func() {
				k.end(m, Fault{})
				m.watchLifter()
			})
		}
	})
	return nil
}

const maxForMS = 24 * 60 * 60 * 1000

// endFault plans the end of a fault. The newest plan for a kind holds.
func (m *Machine) endFault(f Fault, end func()) {
	name := "fault:" + f.Kind
	m.cancel(name)
	m.inRealTime(name, outside, time.Duration(f.ForMS)*time.Millisecond, end)
}

// counted makes begin count the fault where it is new.
func counted(begin func(*Machine, Fault), count func(*Machine), already func(*Machine) bool) func(*Machine, Fault) {
	return func(m *Machine, f Fault) {
		if !already(m) {
			count(m)
		}
		begin(m, f)
	}
}

// countJamIn counts a jam on the way in, countJamOut one on the way out.
func countJamIn(m *Machine) {
	m.nv.book.countJam()
	c := hopperJams
	if m.prof.has(featureFeeder) {
		c = feederJams
	}
	m.count(c, 1)
	m.nv.health.units[m.jamUnit(false)].life.jams++
}

func countJamOut(m *Machine) {
	m.nv.book.countJam()
	m.count(hopperJams, 1)
	m.nv.health.units[m.jamUnit(true)].life.jams++
}

func countCalibration(m *Machine) {
	m.count(calibrationFails, 1)
	m.nv.health.units[unitPrimary].life.calibrations++
}

// haltAfter has the next payout that gets so far halted. What was paid counts from the first time that it was said.
func haltAfter(m *Machine, f Fault) {
	if !m.faults.halt || m.faults.haltAfter != f.Paid {
		m.faults.halt, m.faults.haltAfter, m.faults.haltPaid = true, f.Paid, 0
	}
}

// closePath closes the cover. A coin machine says that it takes coins again.
func closePath(m *Machine, _ Fault) {
	if m.faults.pathOpen {
		m.faults.pathOpen = false
		if m.prof.Family == familyCoin && m.power && m.booted {
			m.tell(ssp.Event{Code: ssp.EvCoinMechEnabled})
		}
	}
}

// cardBack puts the card of a Smart Currency validator back, which then reads it.
func cardBack(m *Machine, _ Fault) {
	if m.faults.cardOut {
		m.faults.cardOut = false
		m.ram.cardUntil = m.at(cardReadTime)
	}
}

// mechOn puts the coin mech back.
func mechOn(m *Machine, _ Fault) {
	if m.faults.mechOff {
		m.faults.mechOff = false
		if m.power && m.booted {
			m.tell(ssp.Event{Code: ssp.EvCoinMechEnabled})
		}
	}
}

// mechReturn presses the return lever, which works without power.
func mechReturn(m *Machine, _ Fault) {
	m.mech.(*coinPath).giveAllBack()
	if m.power && m.booted {
		m.tell(ssp.Event{Code: ssp.EvCoinReturnPressed})
	}
}

func unjam(m *Machine, _ Fault) { m.faults.jam, m.faults.payoutJam = false, false }

// replaceCashbox puts the cashbox back, with Empty an empty one.
func replaceCashbox(m *Machine, f Fault) {
	if f.Empty && (m.faults.cashboxOut || m.faults.stackerFull) {
		m.stock.emptyCashbox()
		m.faults.stackerFull = false
	}
	if m.faults.cashboxOut {
		m.faults.cashboxOut = false
		if m.power && m.booted {
			m.tellCashboxReplaced()
		}
	}
}

// cutPower takes the power now or at a step, and for a reset gives it back at once.
func cutPower(m *Machine, f Fault) {
	if f.AtStep > 0 {
		m.cutIn, m.cutThen = f.AtStep, f
		return
	}
	m.powerOff()
	if f.Kind == FaultReset {
		m.powerOn()
	}
}

package sim

import (
	"math"
	"slices"
	"time"

	"coffer/ssp"
)

// opKind is an operation that moves stored money.
type opKind int

const (
	opPayout     opKind = iota // 33, 46: to the customer
	opFloat                    // 3D, 44: what is too much, to the cashbox
	opSmartEmpty               // 52: everything, to the cashbox, with values
	opEmpty                    // 3F: everything, to the cashbox, without values
	opStack                    // 43: the top note of a float, to the cashbox
	opReplenish                // 30 E0 05: from the cassette into the recyclers; it has events of its own
)

// operation is one under way, or cut by the power and not yet reported.
type operation struct {
	kind     opKind
	currency string
	asked    int64   // minor units
	paid     int64   // so far: handed out, or for the other kinds moved to the cashbox
	module   int     // recycler that they come from, from 1; 0: wherever they are
	left     []denom // pieces still to be moved, in order
	diverted int64   // went to the cashbox though it was to be paid
	halt     bool    // the host wants it to end
	cut      bool    // the power went; its report waits for the host
}

// The events of an operation: while it runs, and when it is done.
var (
	runningEvent = map[opKind]ssp.EventCode{opPayout: ssp.EvDispensing, opFloat: ssp.EvFloating,
		opSmartEmpty: ssp.EvSmartEmptying, opEmpty: ssp.EvEmptying, opStack: ssp.EvStacking}
	doneEvent = map[opKind]ssp.EventCode{opPayout: ssp.EvDispensed, opFloat: ssp.EvFloated,
		opSmartEmpty: ssp.EvSmartEmptied, opEmpty: ssp.EvEmptied, opStack: ssp.EvTransferredToStacker}
)

func money(value int64, currency string) []ssp.Value {
	return []ssp.Value{{Paid: uint32(min(value, math.MaxUint32)), Currency: currency}}
}

// total is the value paid so far, as events carry it.
func (op *operation) total() []ssp.Value { return money(op.paid, op.currency) }

// outcome is paid and asked.
func (op *operation) outcome() []ssp.Value {
	v := op.total()
	v[0].Requested = uint32(min(op.asked, math.MaxUint32))
	return v
}

// operationStatus appends what a running operation shows in every answer, or a jammed payout without one.
func (m *Machine) operationStatus(out []ssp.Event) []ssp.Event {
	op := m.nv.op
	running := op != nil && !op.cut
	jammed := m.faults.payoutJam || m.faults.jam && (running || m.prof.Family == familyCoin)
	switch {
	case running && jammed:
		return append(out, ssp.Event{Code: ssp.EvJammed, Values: op.total()})
	case jammed:
		return append(out, ssp.Event{Code: ssp.EvJammed, Values: money(0, m.data[0].currency)})
	case running && op.kind != opReplenish:
		out = append(out, ssp.Event{Code: runningEvent[op.kind], Values: op.total()})
	}
	if n, ok := m.mech.(*notePath); ok && n.phase == phaseBezel {
		out = append(out, ssp.Event{Code: ssp.EvNoteHeldInBezel, Values: money(n.piece.d.value, n.piece.d.currency)})
	}
	return out
}

// begin starts an operation on pieces that the store has. The host's answer is OK.
func (m *Machine) begin(kind opKind, asked int64, pieces []denom) answer {
	currency := m.data[0].currency
	if len(pieces) > 0 {
		currency = pieces[0].currency
	}
	m.nv.op = &operation{kind: kind, currency: currency, asked: asked, left: pieces}
	m.nv.moved, m.nv.unknown = map[denom]int{}, 0
	switch kind {
	case opPayout:
		m.count(payoutRequests, 1)
	case opFloat:
		m.count(floatRequests, 1)
	}
	m.watchLifter()
	m.after("op:start", startTime, m.nextPiece)
	return reply(ssp.OK)
}

const startTime = 150 * time.Millisecond

// nextPiece goes on with the operation: ends it if it is to end, else lets the mechanics move the next piece.
func (m *Machine) nextPiece() {
	op := m.nv.op
	if m.faults.halt && op.kind == opPayout && m.haltReached(op) {
		m.faults.halt = false
		op.halt = true
	}
	switch {
	case len(op.left) == 0:
		m.finish(doneEvent[op.kind])
	case op.halt:
		m.finish(ssp.EvHalted)
	case m.within(op.left[0], op.kind) == 0: // somebody has taken it out
		m.finish(ssp.EvTimeOut)
	default:
		m.mech.next()
	}
}

// haltReached reports whether the planned halt is due. A note float pays note by note: the sum of its payouts counts, and
// the one is halted that would go beyond.
func (m *Machine) haltReached(op *operation) bool {
	if m.prof.has(featureFloat) {
		return len(op.left) > 0 && m.faults.haltPaid >= m.faults.haltAfter
	}
	return op.paid >= m.faults.haltAfter
}

// finish ends the operation with an event.
func (m *Machine) finish(c ssp.EventCode) {
	op := m.nv.op
	m.nv.op = nil
	if op.kind == opReplenish {
		return
	}
	m.tell(ssp.Event{Code: c, Values: op.total()})
	if op.diverted > 0 && m.prof.Family == familyCoin {
		m.tell(ssp.Event{Code: ssp.EvCashboxPaid, Values: money(op.diverted, op.currency)})
	}
	m.watchLifter()
}

// toCashbox notes that the running operation has moved a piece there.
func (m *Machine) toCashbox(d denom) { m.nv.moved[d]++ }

// ready reports whether an operation may start: the answer to refuse with if not.
func (m *Machine) ready() (answer, bool) {
	switch {
	case m.nv.op != nil, m.holding(), m.initialising, m.mech.busy(), m.ram.stirring, m.faults.jam, m.faults.payoutJam, m.faults.recovering:
		return refuse(busy), false
	case m.prof.commands[ssp.CmdEnablePayout] && !m.ram.payoutEnabled,
		m.opt.DisableStopsPayout && !m.ram.enabled,
		m.faults.pathOpen, m.faults.calibration, m.faults.payoutOut:
		return refuse(disabled), false
	}
	return answer{}, true
}

// held lists the store's pieces of one currency that an operation can move.
func (m *Machine) held(currency string, kind opKind) map[denom]int {
	out := map[denom]int{}
	for _, d := range m.data {
		if n := m.within(d, kind); n > 0 && d.currency == currency {
			out[d] = n
		}
	}
	return out
}

// option reads the last byte of a payout or float: 19 test, 58 commit.
func option(b byte) (commit, ok bool) { return b == 0x58, b == 0x58 || b == 0x19 }

// payoutAmount is 33.
func payoutAmount(m *Machine, b []byte) answer {
	p := params{b: b}
	want, currency, opt := p.u32(), m.data[0].currency, byte(0x58)
	if m.ram.version >= 6 {
		currency, opt = p.cc3(), p.u8()
	}
	commit, ok := option(opt)
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case !ok || want == 0:
		return reply(ssp.OutOfRange)
	}
	m.ram.tested = 0
	if a, ok := m.ready(); !ok {
		return a
	}
	have := m.held(currency, opPayout)
	if worth(have) < want {
		return refuse(notEnough)
	}
	pieces, ok := splitBy(want, have, m.preference())
	if !ok {
		return refuse(notExact)
	}
	return m.pay(commit, want, pieces)
}

// preference is which denominations the machine would rather pay with: the highest, but for a machine with reels that
// was not told so, which keeps its reels even (ssp.md 10.8 names the option; what it is the opposite of is chosen here).
func (m *Machine) preference() func(map[denom]int, denom, denom) int {
	if m.prof.Reels > 0 && m.ram.payoutOptions&highestSplitBit == 0 {
		return byLevel
	}
	return byValue
}

// pay answers a payout of pieces that the store has, which is tested or begins.
func (m *Machine) pay(commit bool, want int64, pieces []denom) answer {
	if a, no := m.forbids(len(pieces)); no {
		return a
	}
	m.ram.tested = len(pieces)
	if !commit {
		return reply(ssp.OK)
	}
	m.nv.health.unpaidFor++
	return m.begin(opPayout, want, pieces)
}

// listed reads count, then count times (pieces, value, currency), then the option.
func (m *Machine) listed(b []byte) (list map[denom]int, commit bool, bad *answer) {
	p := params{b: b}
	list = map[denom]int{}
	fail := func(r ssp.Reply) (map[denom]int, bool, *answer) { a := reply(r); return nil, false, &a }
	for range p.u8() {
		n, d := int(p.u16()), p.money()
		if p.bad {
			break
		}
		if !slices.Contains(m.data, d) {
			return fail(ssp.OutOfRange)
		}
		list[d] += n
	}
	commit, ok := option(p.u8())
	switch {
	case !p.done():
		return fail(ssp.WrongParameters)
	case !ok:
		return fail(ssp.OutOfRange)
	}
	return list, commit, nil
}

// payoutByDenomination is 46.
func payoutByDenomination(m *Machine, b []byte) answer {
	list, commit, bad := m.listed(b)
	switch {
	case bad != nil:
		return *bad
	case worth(list) == 0:
		return reply(ssp.OutOfRange)
	}
	m.ram.tested = 0
	if a, ok := m.ready(); !ok {
		return a
	}
	var pieces []denom
	for _, d := range slices.Backward(m.data) {
		if list[d] > m.within(d, opPayout) {
			return refuse(notEnough)
		}
		for range list[d] {
			pieces = append(pieces, d)
		}
	}
	return m.pay(commit, worth(list), pieces)
}

// floatAmount is 3D: keep an amount, so that any payout of at least a minimum can still be made.
func floatAmount(m *Machine, b []byte) answer {
	p := params{b: b}
	lowest, keep := int64(p.u16()), p.u32()
	currency, opt := m.data[0].currency, byte(0x58)
	if m.ram.version >= 6 {
		currency, opt = p.cc3(), p.u8()
	}
	commit, ok := option(opt)
	switch {
	case !p.done():
		return reply(ssp.WrongParameters)
	case !ok:
		return reply(ssp.OutOfRange)
	}
	if a, ok := m.ready(); !ok {
		return a
	}
	have := m.held(currency, opFloat)
	if worth(have) < keep {
		return refuse(notEnough)
	}
	pieces, ok := split(worth(have)-keep, have)
	if !ok || !keepsSmall(have, pieces, lowest, keep) {
		return refuse(notExact)
	}
	if !commit {
		return reply(ssp.OK)
	}
	return m.begin(opFloat, worth(have)-keep, pieces)
}

// keepsSmall reports whether what stays after pieces are gone has one of at most lowest.
func keepsSmall(have map[denom]int, pieces []denom, lowest, keep int64) bool {
	if keep == 0 || lowest == 0 {
		return true
	}
	gone := map[denom]int{}
	for _, d := range pieces {
		gone[d]++
	}
	for d, n := range have {
		if n > gone[d] && d.value <= lowest {
			return true
		}
	}
	return false
}

// floatByDenomination is 44: keep so many of each, move out all others.
func floatByDenomination(m *Machine, b []byte) answer {
	list, commit, bad := m.listed(b)
	if bad != nil {
		return *bad
	}
	if a, ok := m.ready(); !ok {
		return a
	}
	var pieces []denom
	sum := int64(0)
	for _, d := range slices.Backward(m.data) {
		n := m.within(d, opFloat) - list[d]
		if n < 0 {
			return refuse(notEnough)
		}
		for range n {
			pieces = append(pieces, d)
			sum += d.value
		}
	}
	if !commit {
		return reply(ssp.OK)
	}
	return m.begin(opFloat, sum, pieces)
}

// smartEmpty is 52, with or without a module byte.
func smartEmpty(m *Machine, p []byte) answer {
	switch {
	case len(p) > 1:
		return reply(ssp.WrongParameters)
	case len(p) == 1 && p[0] != 0 && m.prof.has(featureCassette):
		return m.emptyModule(p[0])
	case len(p) == 1 && p[0] != 0:
		return reply(ssp.OutOfRange)
	}
	return m.empty(opSmartEmpty)
}

// empty starts 3F or 52.
func (m *Machine) empty(kind opKind) answer {
	if a, ok := m.ready(); !ok {
		return a
	}
	pieces := m.stored()
	sum := int64(0)
	for _, d := range pieces {
		sum += d.value
	}
	return m.begin(kind, sum, pieces)
}

// stored lists what is in the store in the order in which emptying moves it: the highest values first, and a pile from
// its top.
func (m *Machine) stored() []denom {
	var pieces []denom
	if m.stock.piled {
		for _, d := range slices.Backward(m.stock.pile) {
			pieces = append(pieces, d)
		}
		return pieces
	}
	for _, d := range slices.Backward(m.data) {
		for range m.within(d, opEmpty) {
			pieces = append(pieces, d)
		}
	}
	return pieces
}

// haltPayout is 38: the operation ends at the next safe point.
func haltPayout(m *Machine) answer {
	if m.nv.op == nil || m.nv.op.cut || m.nv.op.kind == opReplenish {
		return reply(ssp.CannotProcess)
	}
	m.nv.op.halt = true
	return reply(ssp.OK)
}

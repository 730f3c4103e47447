package till

import (
	"fmt"
	"sort"

	"coffer/internal/cash"
)

// dice decides; rapid draws them, so that a failure shrinks.
type dice interface {
	// roll returns 0 … n-1.
	roll(what string, n int) int
}

// machine is an abstract cash machine: where every piece is, what its counters say, what it has to report. It knows
// nothing of the till.
type machine struct {
	dice
	coins, ninth bool
	hopper       bool // tells its counters as a SMART Hopper 3 does
	store, box   cash.Counts
	counters     []uint32
	capacity     int
	enabled      bool
	misdirect    bool // may put pieces elsewhere than their route says
	vague        bool // may not know what it found at power-up

	path *pathNote
	op   *motion
	last *motion
	done map[string]*motion // by the till's operation

	queue  []report // not read yet
	answer []report // read; kept until acknowledged if one of them needs it

	touched  bool        // an operation was started since the books were compared
	strayed  bool        // a coin went elsewhere than expected since then
	credited cash.Counts // taken for good, ever
	untold   bool        // a coin's report was lost for ever
	fog      []string    // what nobody could know from outside
}

// pathNote is a note on its way in.
type pathNote struct {
	piece   cash.Denom
	step    int // of the steps below
	to      cash.Place
	refused bool
}

const (
	inEscrow = iota
	accepted
	creditReported
)

// motion is an operation of the machine.
type motion struct {
	id      string // the till's operation
	kind    cash.OpKind
	asked   int64
	plan    []cash.Denom
	transit *cash.Denom
	total   int64
	paid    cash.Counts
	shifted cash.Counts
	result  cash.OpResult
}

func (o *motion) moved() cash.Counts {
	if o.kind == cash.OpDispense {
		return o.paid
	}
	return o.shifted
}

// report is one event of a poll answer.
type report struct {
	event cash.Event
	ack   bool
	to    cash.Place // of a coin: where it is in truth
}

var euro = map[bool][]cash.Denom{
	false: {{Value: 500, Currency: "EUR"}, {Value: 1000, Currency: "EUR"}, {Value: 2000, Currency: "EUR"}, {Value: 5000, Currency: "EUR"}},
	true:  {{Value: 10, Currency: "EUR"}, {Value: 20, Currency: "EUR"}, {Value: 50, Currency: "EUR"}, {Value: 100, Currency: "EUR"}},
}

// Counter positions of ssp.md §10.12.
const (
	noteStacked, noteStored, notePaid, noteShifted, noteRejected = 0, 1, 2, 3, 4
	coinOut, coinIn, coinBox                                     = 0, 1, 8
)

func newMachine(d dice) *machine {
	m := &machine{dice: d, store: cash.Counts{}, box: cash.Counts{}, credited: cash.Counts{}, done: map[string]*motion{}, capacity: 6}
	m.coins = d.roll("coins", 2) == 1
	m.ninth = d.roll("ninth counter", 3) > 0
	if m.hopper = d.roll("hopper", 3) == 0; m.hopper {
		m.ninth = true
	}
	m.misdirect = d.roll("misdirects", 2) == 1
	m.vague = d.roll("vague", 4) == 0
	n := 5
	if m.coins {
		n = 8
		if m.ninth {
			n = 9
		}
	}
	m.counters = make([]uint32, n)
	for i := range m.counters {
		m.counters[i] = uint32(d.roll("counter", 5)) - 3 // some wrap soon
	}
	for _, p := range m.denoms() {
		m.store[p] = d.roll("level", 5)
	}
	return m
}

func (m *machine) denoms() []cash.Denom { return euro[m.coins] }

func (m *machine) account() cash.Account {
	a := cash.Account{Serial: "1234", Levels: m.store.Clone(), Counters: append([]uint32(nil), m.counters...), Kind: cash.CountersNote}
	if m.coins {
		a.Kind = cash.CountersCoin
	}
	if c := m.counters; m.coins && m.hopper {
		a.Kind = cash.CountersHopper
		a.Counters = []uint32{c[coinIn] + c[coinOut], c[coinIn], c[coinOut], c[coinBox], 0, 0}
	}
	if l := m.last; l != nil {
		if m.roll("asked 53", 2) == 1 {
			a.Moved = l.shifted.Clone()
		} else if m.coins && !m.ninth && len(l.paid) > 0 && len(l.shifted) > 0 && m.touched {
			m.fog = append(m.fog, "coins were diverted, and nobody asked which")
		}
	}
	return a
}

func (m *machine) count(note, coin int) {
	if m.coins && coin < len(m.counters) {
		m.counters[coin]++
	} else if !m.coins {
		m.counters[note]++
	}
}

// say queues an event; a running total replaces the one before.
func (m *machine) say(ev cash.Event, ack bool) {
	if _, ok := ev.(cash.Progress); ok && len(m.queue) > 0 {
		if _, ok := m.queue[len(m.queue)-1].event.(cash.Progress); ok {
			m.queue = m.queue[:len(m.queue)-1]
		}
	}
	m.queue = append(m.queue, report{event: ev, ack: ack})
}

// route says where a piece that comes in goes, and where one would expect it to go.
func (m *machine) route(p cash.Denom) (to, expected cash.Place) {
	expected = cash.Payout
	if p.Value == m.denoms()[3].Value || m.store[p] >= m.capacity {
		expected = cash.Cashbox
	}
	to = expected
	if m.misdirect && m.roll("misdirected", 4) == 0 {
		if to = cash.Cashbox; expected == cash.Cashbox && !m.coins {
			to = cash.Payout
		}
	}
	return to, expected
}

// insert is a customer with a piece.
func (m *machine) insert(p cash.Denom) {
	switch {
	case !m.enabled:
	case m.coins:
		to, expected := m.route(p)
		m.strayed = m.strayed || to != expected
		m.mist()
		m.credited[p]++
		m.counters[coinIn]++
		m.arrive(p, to)
		m.say(cash.CoinCredited{Coin: p, Count: 1, To: expected}, true)
		m.queue[len(m.queue)-1].to = to
	case m.path == nil && m.op == nil && !m.busy():
		m.path = &pathNote{piece: p}
		m.say(cash.NoteHeld{Note: p}, false)
	}
}

// mist notes when nobody can tell coins that strayed into the cashbox from coins that an operation moved there.
func (m *machine) mist() {
	if m.strayed && m.touched {
		m.fog = append(m.fog, "coins strayed around an operation")
	}
}

// arrive puts a piece from the front into its place.
func (m *machine) arrive(p cash.Denom, to cash.Place) {
	if to == cash.Payout {
		m.store[p]++
		if !m.coins {
			m.counters[noteStored]++
		}
		return
	}
	m.box[p]++
	m.count(noteStacked, coinBox)
}

// shift puts a piece that has left the store into the cashbox.
func (m *machine) shift(p cash.Denom) {
	m.box[p]++
	if m.coins {
		m.counters[coinOut]++
	}
	m.count(noteShifted, coinBox)
	m.op.shifted[p]++
}

func (m *machine) pay(p cash.Denom) {
	m.count(notePaid, coinOut)
	m.op.paid[p]++
}

// busy says whether an answer waits to be acknowledged or read.
func (m *machine) busy() bool { return len(m.answer) > 0 || len(m.queue) > 0 }

// resting says whether nothing is under way and nothing to be told.
func (m *machine) resting() bool { return m.path == nil && m.op == nil && !m.busy() }

// poll returns what there is to report. The note in escrow is accepted by a poll after it was reported.
func (m *machine) poll() []report {
	if len(m.answer) > 0 {
		return m.answer
	}
	if len(m.queue) == 0 {
		m.step()
	}
	out := m.queue
	m.queue = nil
	for _, r := range out {
		if r.ack {
			m.answer = out
		}
	}
	return out
}

func (m *machine) ack() { m.answer = nil }

// step lets the mechanics do one thing.
func (m *machine) step() {
	switch {
	case m.path != nil:
		m.stepNote()
	case m.op != nil:
		m.stepOp()
	}
}

func (m *machine) stepNote() {
	p := m.path
	switch {
	case p.refused:
		m.counters[noteRejected]++
		m.say(cash.NoteReturned{Note: p.piece, Code: 8}, false)
		m.path = nil
	case p.step == inEscrow:
		p.step = accepted
	case p.step == accepted:
		var expected cash.Place
		p.to, expected = m.route(p.piece)
		m.credited[p.piece]++
		p.step = creditReported
		m.say(cash.NoteCredited{Note: p.piece, To: expected}, true)
		if m.roll("placed at once", 3) == 0 {
			m.placeNote()
		}
	default:
		m.placeNote()
	}
}

func (m *machine) placeNote() {
	m.arrive(m.path.piece, m.path.to)
	m.say(cash.NotePlaced{Note: m.path.piece, To: m.path.to}, false)
	m.path = nil
}

// giveBack is REJECT NOTE.
func (m *machine) giveBack() bool {
	if m.path == nil || m.path.step != inEscrow {
		return false
	}
	m.path.refused = true
	return true
}

// test says why a payout is refused.
func (m *machine) test(want int64) error {
	switch {
	case m.op != nil || m.path != nil:
		return cash.ErrBusy
	case m.store.Total("EUR").Value < want:
		return cash.ErrNotEnough
	}
	_, err := cash.Plan(m.store, cash.Amount{Value: want, Currency: "EUR"}, cash.HighestFirst)
	return err
}

// start begins an operation.
func (m *machine) start(op cash.Op) error {
	o := &motion{id: op.ID, kind: op.Kind, asked: op.Asked.Value, paid: cash.Counts{}, shifted: cash.Counts{}, result: cash.OpDone}
	var pieces cash.Counts
	switch {
	case m.op != nil || m.path != nil:
		return cash.ErrBusy
	case op.Kind == cash.OpDispense:
		if err := m.test(op.Asked.Value); err != nil {
			return err
		}
		pieces, _ = cash.Plan(m.store, op.Asked, cash.HighestFirst)
	default:
		pieces = positive(m.store.Minus(op.Keep))
	}
	for _, r := range pieces.Rows() {
		for range r.Count {
			o.plan = append(o.plan, r.Denom())
		}
	}
	sort.SliceStable(o.plan, func(i, k int) bool { return o.plan[k].Less(o.plan[i]) })
	m.op, m.done[o.id], m.touched = o, o, true
	m.mist()
	return nil
}

func (m *machine) stepOp() {
	o := m.op
	switch {
	case o.transit == nil && len(o.plan) > 0:
		p := o.plan[0]
		o.plan = o.plan[1:]
		if m.store[p] == 0 { // a coin system may run out when levels are wrong; not here
			panic("model: store is empty")
		}
		m.store[p]--
		o.transit = &p
	case o.transit != nil:
		m.deliver()
	default:
		m.say(cash.Ended{Op: o.kind, Result: o.result, Total: cash.Amount{Value: o.total, Currency: "EUR"}}, true)
		m.last, m.op = o, nil
	}
}

// deliver ends the way of the piece in transit.
func (m *machine) deliver() {
	o, p := m.op, *m.op.transit
	o.transit = nil
	if o.kind != cash.OpDispense {
		m.shift(p)
		o.total += p.Value
	} else if m.roll("diverted", 12) == 0 { // a coin into the cashbox, or a jam recovered
		m.shift(p)
		o.result = cash.OpErrored
		return
	} else {
		m.pay(p)
		o.total += p.Value
	}
	m.say(cash.Progress{Op: o.kind, Total: cash.Amount{Value: o.total, Currency: "EUR"}}, false)
}

func (m *machine) halt() {
	if m.op != nil {
		m.op.plan, m.op.result = nil, cash.OpHalted
	}
}

// powerCut ends everything at once; what the machine finds when power returns it reports. Events not read are lost.
func (m *machine) powerCut() {
	for _, r := range append(m.queue, m.answer...) {
		if r.to == cash.Cashbox || r.to != "" && (m.touched || m.misdirect) {
			m.untold = true
			m.fog = append(m.fog, "a coin that was not told of, in the cashbox or paid out again")
		}
	}
	if l := m.last; l != nil && m.touched && (m.coins && !m.ninth || len(l.paid) > 0 && len(l.shifted) > 0) {
		for _, r := range append(m.queue, m.answer...) {
			if _, ok := r.event.(cash.Ended); ok {
				m.fog = append(m.fog, "the end of an operation that moved both ways was not told of")
			}
		}
	}
	m.queue, m.answer, m.enabled = nil, nil, false
	if p := m.path; p != nil {
		m.path = nil
		if p.step == creditReported || p.step == accepted && !p.refused && m.roll("past the point", 2) == 1 {
			m.clearIn(p)
		} else {
			m.counters[noteRejected]++
			m.say(cash.ClearedAtPowerUp{Note: m.name(p.piece), From: cash.Customer, To: cash.Customer}, true)
		}
	}
	if o := m.op; o != nil {
		if o.transit != nil {
			m.clearOut()
		}
		m.say(cash.Ended{
			Op: o.kind, Result: cash.OpCut, Total: cash.Amount{Value: o.total, Currency: "EUR"},
			Asked: cash.Amount{Value: o.asked, Currency: "EUR"},
		}, true)
		m.last, m.op = o, nil
	}
}

// clearIn places a note that was past the point of no return.
func (m *machine) clearIn(p *pathNote) {
	if p.step == accepted {
		m.credited[p.piece]++
	}
	to := []cash.Place{cash.Payout, cash.Cashbox}[m.roll("cleared into", 2)]
	m.arrive(p.piece, to)
	name := m.name(p.piece)
	if name.Value == 0 && to == cash.Cashbox {
		m.fog = append(m.fog, fmt.Sprintf("an unnamed note of %s in the cashbox", p.piece))
	}
	m.say(cash.ClearedAtPowerUp{Note: name, From: cash.Customer, To: to}, true)
}

// clearOut gets rid of a piece on its way out.
func (m *machine) clearOut() {
	o, p := m.op, *m.op.transit
	o.transit = nil
	to := []cash.Place{cash.Customer, cash.Cashbox, cash.Payout}[m.roll("cleared to", 3)]
	switch {
	case to == cash.Customer && o.kind == cash.OpDispense:
		m.pay(p)
		o.total += p.Value
	case to == cash.Payout:
		m.store[p]++
	default:
		to = cash.Cashbox
		m.shift(p)
		if o.kind != cash.OpDispense {
			o.total += p.Value
		}
	}
	if !m.coins {
		m.say(cash.ClearedAtPowerUp{Note: m.name(p), From: cash.Payout, To: to}, true)
	}
}

// name is what the machine says of a piece that it found.
func (m *machine) name(p cash.Denom) cash.Denom {
	if m.vague && m.roll("nameless", 2) == 0 {
		return cash.Denom{}
	}
	return p
}

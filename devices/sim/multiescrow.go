package sim

import (
	"time"

	"coffer/ssp"
)

// All of this file is our coding, but for the codes of the commands and what they are for (ssp.md 16.3). What the fact
// sheet leaves open is decided so: held notes are in no level and on no counter until they are committed; nothing else
// can be done with the store while there are any; they outlast the power, the size does not.

// maxEscrow is how many notes can be held at most.
const maxEscrow = 20

// holdStepTime is how long the store takes to make a held note its own, at speed 1.
const holdStepTime = 150 * time.Millisecond

// multiEscrow is what a store holds until the host decides.
type multiEscrow struct {
	held     []*piece  // as they came in
	decision *decision // under way, or cut by the power and not yet reported; nil for none
}

// decision is a commit or a cancellation.
type decision struct {
	commit bool
	done   int64 // minor units committed or given back
	cut    bool  // the power went; its report waits for the host
}

func (d *decision) running() bool { return d != nil && !d.cut }

// event is what the decision shows: while it runs, at its end, or when the power has cut it.
func (d *decision) event(commit, cancel ssp.EventCode, currency string) ssp.Event {
	if d.commit {
		cancel = commit
	}
	return ssp.Event{Code: cancel, Values: money(d.done, currency)}
}

// holding reports whether the store has notes that are not its own yet, or is about to give some back.
func (m *Machine) holding() bool { return len(m.nv.escrow.held) > 0 || m.nv.escrow.decision != nil }

// storeUsed is how many places of the store are taken, those of a cassette aside.
func (m *Machine) storeUsed() int {
	return m.stock.pieces(inPayout) + len(m.nv.escrow.held) - pieces(m.inCassette())
}

// holdsMore reports whether there is room for another note to be held.
func (m *Machine) holdsMore() bool {
	return m.ram.payoutEnabled && !m.faults.payoutJam && m.nv.escrow.decision == nil &&
		len(m.nv.escrow.held) < int(m.ram.escrowSize) && m.storeUsed() < m.prof.Store
}

// setEscrowSize is 7A.
func setEscrowSize(m *Machine, p []byte) answer {
	switch {
	case len(p) != 1:
		return reply(ssp.WrongParameters)
	case p[0] < 1 || p[0] > maxEscrow:
		return reply(ssp.OutOfRange)
	case m.holding(), m.mech.busy():
		return refuse(busy)
	}
	m.ram.escrowSize = p[0]
	return reply(ssp.OK)
}

// readEscrowValue is 78.
func readEscrowValue(m *Machine) answer {
	sum := int64(0)
	for _, p := range m.nv.escrow.held {
		sum += p.d.value
	}
	return answer{data: appendDenom([]byte{byte(ssp.OK)}, denom{sum, m.data[0].currency})}
}

// commitEscrow is 77, cancelEscrow is 76.
func commitEscrow(m *Machine) answer { return m.decide(true) }
func cancelEscrow(m *Machine) answer { return m.decide(false) }

func (m *Machine) decide(commit bool) answer {
	switch {
	case !m.holding():
		return reply(ssp.CannotProcess)
	case m.initialising, m.nv.op != nil, m.nv.escrow.decision != nil, m.mech.busy(), m.faults.jam, m.faults.payoutJam:
		return refuse(busy)
	}
	m.nv.escrow.decision = &decision{commit: commit}
	m.after("escrow:start", startTime, m.mech.(*notePath).nextHeld)
	return reply(ssp.OK)
}

// nextHeld goes on with the decision: with the next note, or with its end.
func (n *notePath) nextHeld() {
	m := n.m
	e := &m.nv.escrow
	switch {
	case len(e.held) == 0:
		m.after("escrow:end", 0, func() {
			d := e.decision
			e.decision = nil
			m.tell(d.event(ssp.EvEscrowCommitted, ssp.EvEscrowCancelled, m.data[0].currency))
		})
	case e.decision.commit:
		m.afterIf("escrow:commit", holdStepTime, n.payoutRuns, n.commitHeld)
	default:
		m.afterIf("escrow:pick", notePickTime, n.pathFree, n.pickHeld)
	}
}

// keep is the end of the way of a note that is to be held.
func (n *notePath) keep() {
	m, p := n.m, n.piece
	n.place(p, inTransit, inEscrow)
	m.nv.escrow.held = append(m.nv.escrow.held, p)
	m.nv.book.life.taken++
	m.tellOf(m.noteStored(p.d), p.rec, "STORED")
	p.rec.moved(InEscrow)
	n.left()
}

// commitHeld makes the first held note the store's: from then on it is the host's money.
func (n *notePath) commitHeld() {
	m, e := n.m, &n.m.nv.escrow
	p := e.held[0]
	e.held = e.held[1:]
	m.stock.move(p.d, inEscrow, inPayout)
	m.count(stored, 1)
	e.decision.done += p.d.value
	m.tellOf(ssp.Event{Code: ssp.EvCredit, Channel: p.channel}, p.rec, "CREDIT")
	p.arrived(InPayout)
	n.nextHeld()
}

// pickHeld takes the last held note out of the store, on its way back to the customer.
func (n *notePath) pickHeld() {
	e := &n.m.nv.escrow
	n.piece = e.held[len(e.held)-1]
	e.held = e.held[:len(e.held)-1]
	n.m.stock.move(n.piece.d, inEscrow, inTransit)
	n.phase = phaseGivingBack
	n.m.afterIf("escrow:return", noteExitTime, n.payoutRuns, func() {
		n.gaveBack(n.piece)
		n.phase, n.piece = phaseClear, nil
		n.nextHeld()
	})
}

// gaveBack is the customer's hand on a note that was held.
func (n *notePath) gaveBack(p *piece) {
	m := n.m
	m.stock.move(p.d, inTransit, returned)
	m.count(rejected, 1)
	m.ram.lastReject = rejectByHost
	m.nv.escrow.decision.done += p.d.value
	p.arrived(IsReturned)
}

// escrowStatus appends what a multi escrow shows in every answer.
func (m *Machine) escrowStatus(out []ssp.Event) []ssp.Event {
	e := &m.nv.escrow
	if len(e.held) > 0 {
		out = append(out, ssp.Event{Code: ssp.EvEscrowActive})
	}
	if e.decision.running() {
		out = append(out, e.decision.event(ssp.EvEscrowCommitting, ssp.EvEscrowCancelling, m.data[0].currency))
	}
	return out
}

// reportDecision tells of a decision that the power has cut. What is still held waits for another.
func (m *Machine) reportDecision() {
	if d := m.nv.escrow.decision; d != nil {
		m.tell(d.event(ssp.EvIncompleteCommit, ssp.EvIncompleteCancel, m.data[0].currency))
	}
}

package sim

import (
	"fmt"
	"time"

	"coffer/ssp"
)

// next moves the next note of the running operation.
func (n *notePath) next() {
	op := n.m.nv.op
	d := op.left[0]
	n.m.afterIf("op:pick", notePickTime, n.pathFree, func() {
		if n.m.within(d, op.kind) == 0 { // somebody has taken it out
			n.m.nextPiece()
			return
		}
		op.left = op.left[1:]
		n.piece = &piece{d: d, channel: n.m.channel(d), isMoney: true}
		n.m.stock.move(d, inPayout, inTransit)
		if op.kind == opPayout {
			n.phase = phasePaying
			n.m.afterIf("op:exit", noteExitTime, n.payoutRuns, n.exit)
			return
		}
		n.phase = phaseMoving
		if op.kind == opReplenish {
			n.m.afterIf("op:place", noteMoveTime, n.payoutRuns, func() {
				n.replenished()
				n.m.nextPiece()
			})
			return
		}
		n.m.afterIf("op:place", noteMoveTime, n.cashboxOpen, func() {
			n.intoCashbox()
			op.paid += d.value
			n.m.nextPiece()
		})
	})
}

func (n *notePath) payoutRuns() bool {
	return !n.m.faults.payoutJam && !n.m.faults.floatOut && !n.m.faults.payoutOut
}
func (n *notePath) pathFree() bool { return n.payoutRuns() && !n.m.faults.pathOpen }
func (n *notePath) cashboxOpen() bool {
	return n.payoutRuns() && !n.m.faults.cashboxOut && !n.m.faults.stackerFull
}

// intoCashbox ends the way of a note from the store to the cashbox.
func (n *notePath) intoCashbox() {
	n.m.stock.move(n.piece.d, inTransit, inCashbox)
	n.m.count(transferred, 1)
	n.m.toCashbox(n.piece.d)
	n.phase, n.piece = phaseClear, nil
}

// exit brings a note that is paid to the bezel. One that is not recognised on its way ends the payout.
func (n *notePath) exit() {
	m := n.m
	if m.faults.divert {
		m.faults.divert = false
		op := m.nv.op
		m.nv.op = nil
		n.intoCashbox()
		m.tell(ssp.Event{Code: ssp.EvErrorDuringPayout, Values: op.total()})
		return
	}
	if m.prof.has(featureCassette) && !m.ram.toBezel { // into the tray
		n.taken()
		return
	}
	n.phase = phaseBezel
	if m.ram.noHold {
		n.taken()
		return
	}
	if !m.opt.HoldBezel {
		m.anyway("op:take", noteTakeTime, n.taken)
	}
}

// taken is the customer's hand.
func (n *notePath) taken() {
	m := n.m
	m.stock.move(n.piece.d, inTransit, dispensed)
	m.count(paidNotes, 1)
	m.nv.op.paid += n.piece.d.value
	m.faults.haltPaid += n.piece.d.value
	n.phase, n.piece = phaseClear, nil
	m.nextPiece()
}

// Take takes the note that waits in the bezel. ErrRefused if there is none.
func (m *Machine) Take() (err error) {
	m.enter(func() {
		n, ok := m.mech.(*notePath)
		if !ok || n.phase != phaseBezel {
			err = fmt.Errorf("%w: no note is in the bezel", ErrRefused)
			return
		}
		m.cancel("op:take")
		if m.step("op:take") {
			n.taken()
		}
	})
	return err
}

// cut notes what the lost power left in the path. What the customer held ready, he keeps.
func (n *notePath) cut() {
	for _, p := range n.waiting {
		n.place(p, inTransit, returned)
		p.arrived(IsReturned)
	}
	n.waiting, n.announced = nil, nil
	if n.phase != phaseClear {
		n.lying = n.phase
	}
	n.phase = phaseClear
	n.ticket = ticket{}
}

// clear sorts out what the power cut left in the path: ssp.md 14.4.
func (n *notePath) clear() {
	p, was := n.piece, n.lying
	n.piece, n.lying = nil, phaseClear
	switch was {
	case phaseClear:
	case phaseCredited:
		n.clearCredited(p)
	case phasePaying, phaseMoving:
		n.clearFromStore(p, was)
	case phaseGivingBack:
		n.gaveBack(p)
		n.m.report(ssp.Event{Code: ssp.EvClearedFromFront, Channel: p.channel})
	case phaseBezel:
		n.m.stock.move(p.d, inTransit, dispensed)
		n.m.count(paidNotes, 1)
		n.m.nv.op.paid += p.d.value
		n.m.report(ssp.Event{Code: ssp.EvDispensedAtReset, Values: money(p.d.value, p.d.currency)})
	default:
		from, channel := inTransit, byte(0)
		if was == phaseEscrow {
			from = inEscrow
		}
		if was == phaseEscrow || was == phaseStacking {
			channel = p.channel
		}
		n.place(p, from, returned)
		n.m.count(rejected, 1)
		n.m.report(ssp.Event{Code: ssp.EvClearedFromFront, Channel: channel})
		p.arrived(IsReturned)
	}
}

// clearCredited brings a note that was past the point of no return to where it was going.
func (n *notePath) clearCredited(p *piece) {
	m := n.m
	n.place(p, inTransit, n.dest)
	value := money(p.d.value, p.d.currency)
	switch {
	case p.barcode != "":
		m.report(ssp.Event{Code: ssp.EvClearedIntoCashbox})
		p.arrived(InCashbox)
	case n.dest == inPayout:
		m.count(stored, 1)
		m.report(ssp.Event{Code: ssp.EvIntoStoreAtReset, Values: value})
		p.arrived(InPayout)
	default:
		m.count(stacked, 1)
		if m.prof.Store > 0 {
			m.report(ssp.Event{Code: ssp.EvIntoStackerAtReset, Values: value})
		} else {
			m.report(ssp.Event{Code: ssp.EvClearedIntoCashbox, Channel: p.channel})
		}
		p.arrived(InCashbox)
	}
}

// clearFromStore brings a note that had left the store, and not the machine, to the cashbox.
func (n *notePath) clearFromStore(p *piece, was phase) {
	if n.m.nv.op != nil && n.m.nv.op.kind == opReplenish { // on into a recycler
		n.m.shelveFrom(p.d, inTransit)
		return
	}
	n.piece = p
	n.intoCashbox()
	if was == phaseMoving {
		n.m.nv.op.paid += p.d.value
	}
	n.m.report(ssp.Event{Code: ssp.EvIntoStackerAtReset, Values: money(p.d.value, p.d.currency)})
}

// A recycler that clears a jam by itself: how long it takes, and how many stored notes it costs at most (ssp.md 13.4).
const (
	recoverTime  = 2 * time.Second
	recoverNotes = 5
)

// recover lets a recycler clear a jam by itself, as soon as nothing else moves. The notes go to the cashbox.
func (m *Machine) recover() {
	if m.faults.recovering {
		return
	}
	m.faults.recovering = true
	m.afterIf("jam:recover", recoverTime, func() bool { return m.nv.op == nil && m.mech.idle() && !m.faults.cashboxOut }, func() {
		m.faults.recovering = false
		m.nv.moved, m.nv.unknown = map[denom]int{}, 0
		for i, d := range m.stored() {
			if i == recoverNotes {
				break
			}
			m.stock.move(d, inPayout, inCashbox)
			m.count(transferred, 1)
			m.toCashbox(d)
		}
	})
}

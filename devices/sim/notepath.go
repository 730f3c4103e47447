package sim

import (
	"fmt"
	"slices"
	"time"

	"coffer/ssp"
)

// How long a note takes for each part of its way, at speed 1.
const (
	noteReadTime   = 900 * time.Millisecond // from the slot past the sensors
	noteStackTime  = 700 * time.Millisecond // from escrow past the point of no return
	notePlaceTime  = 500 * time.Millisecond // from there into cashbox or store
	noteReturnTime = 700 * time.Millisecond // back out at the front
	noteNextTime   = 300 * time.Millisecond // until the customer offers the next one
	notePickTime   = 450 * time.Millisecond // out of the store
	noteExitTime   = 450 * time.Millisecond // to the bezel
	noteTakeTime   = 350 * time.Millisecond // until the customer takes it
	noteMoveTime   = 450 * time.Millisecond // from the store's mouth into the cashbox
)

// escrowTime is how long a note waits for its host, in real time (ssp.md 3.2).
const escrowTime = 10 * time.Second

// phase is where the one piece in a note machine's path is.
type phase int

const (
	phaseClear      phase = iota // nothing is in the path
	phaseEntering                // moving in, not recognised yet
	phaseEscrow                  // recognised, waits for the host
	phaseStacking                // accepted, not credited yet
	phaseCredited                // ours, on its way into dest
	phaseRejecting               // on its way back
	phasePaying                  // out of the store, before the exit
	phaseBezel                   // past the exit, waits to be taken
	phaseMoving                  // from the store to the cashbox
	phaseGivingBack              // held in the store before, on its way back
)

// notePath is the mechanics of a validator with cashbox, and with a store if its profile has one: one path that holds
// one note.
type notePath struct {
	m         *Machine
	phase     phase
	piece     *piece
	waiting   []*piece // in the customer's hand, to be fed in one by one
	dest      place    // of an accepted piece
	announced *stamp   // the escrow event of the piece
	answered  bool     // an answer has carried that event: the next poll accepts
	ticket    ticket
	lying     phase // what the power cut found in the path: phase of piece
}

// ticket is the state of the last ticket, as GET BARCODE DATA tells it.
type ticket struct {
	status byte // 0 none, 1 in escrow, 2 stacked, 3 rejected
	data   string
}

// enabled: a host stops acceptance by DISABLE, or where payouts must go on by blocking every channel.
func (n *notePath) enabled() bool {
	return n.m.ram.enabled && !n.m.faults.floatOut && (slices.Contains(n.m.ram.inhibits, true) || n.m.ram.barcodeOn != 0)
}

func (n *notePath) idle() bool {
	return (n.phase == phaseClear || n.phase == phaseEscrow) && len(n.waiting) == 0 && n.lying == phaseClear &&
		!n.m.nv.escrow.decision.running()
}

func (n *notePath) busy() bool { return n.phase != phaseClear || len(n.waiting) > 0 }

// accepts reports whether the machine draws a note in at all.
func (n *notePath) accepts() bool {
	m := n.m
	return n.enabled() && m.cardLets() && !m.initialising && !m.faults.cashboxOut && !m.faults.stackerFull
}

func (n *notePath) room(count int) error {
	switch {
	case n.phase != phaseClear || len(n.waiting) > 0 || n.lying != phaseClear:
		return fmt.Errorf("%w: a note is in the path; wait until it has left", ErrRefused)
	case n.m.nv.op != nil && !n.m.nv.op.cut, n.m.nv.escrow.decision.running():
		return fmt.Errorf("%w: the path is in use by a payout or an escrow; wait until it has ended", ErrRefused)
	case n.m.faults.jam || n.m.faults.pathOpen:
		return fmt.Errorf("%w: the path is jammed or open; use fault unjam or note_path_closed", ErrRefused)
	case count > n.m.prof.Feeder:
		return fmt.Errorf("%w: %d notes are more than the customer holds ready, %d", ErrRefused, count, n.m.prof.Feeder)
	}
	return nil
}

func (n *notePath) insert(pieces []*piece) {
	n.waiting = pieces
	n.offer()
}

// offer lets the customer feed in the next note, or keep all if the machine does not take any.
func (n *notePath) offer() {
	if !n.accepts() {
		for _, p := range n.waiting {
			n.place(p, inTransit, returned)
			p.arrived(IsReturned)
		}
		n.waiting = nil
	}
	if len(n.waiting) == 0 {
		return
	}
	n.piece, n.waiting = n.waiting[0], n.waiting[1:]
	n.phase = phaseEntering
	n.m.after("note:read", noteReadTime, n.read)
}

// place moves a piece of money in the stock.
func (n *notePath) place(p *piece, from, to place) {
	if p.isMoney {
		n.m.stock.move(p.d, from, to)
	}
}

// read decides about the note that has passed the sensors.
func (n *notePath) read() {
	m, p := n.m, n.piece
	m.nv.book.life.notes++
	switch {
	case m.faults.calibration:
		n.reject(rejectSensor)
	case p.fraud:
		m.tell(ssp.Event{Code: ssp.EvFraudAttempt, Channel: p.channel})
		n.reject(rejectStrimming)
	case p.barcode != "":
		n.readTicket()
	case p.unreadable || p.channel == 0:
		n.reject(rejectUnknown)
	case !m.ram.enabled, !m.cardLets():
		n.reject(rejectDisabled)
	case !m.ram.inhibits[p.channel-1] || m.ram.currencyOff:
		n.reject(rejectInhibited)
	case m.ram.escrowSize > 0 && !m.holdsMore(),
		m.faults.cashboxOut || m.faults.stackerFull, m.ram.refill && n.destination() == inCashbox:
		n.reject(rejectUnableToStack)
	default:
		n.toEscrow()
	}
}

// destination is where an accepted note would go now.
func (n *notePath) destination() place {
	if n.piece.isMoney && n.m.ram.escrowSize > 0 {
		return inEscrow
	}
	if n.piece.isMoney && n.m.ram.payoutEnabled && n.m.storeTakes(n.piece.d) {
		return inPayout
	}
	return inCashbox
}

func (n *notePath) toEscrow() {
	n.place(n.piece, inTransit, inEscrow)
	n.phase, n.answered = phaseEscrow, false
	n.announced = &stamp{rec: n.piece.rec, event: "ESCROW"}
	n.piece.rec.moved(InEscrow)
	n.restartEscrow()
}

// restartEscrow gives the host ten seconds more.
func (n *notePath) restartEscrow() {
	n.m.cancel("escrow")
	n.m.inRealTime("escrow", firmware, escrowTime, func() { n.reject(rejectEscrowTimeOut) })
}

// polled accepts the note in escrow if its host knows of it: any poll after READ does.
func (n *notePath) polled() {
	switch {
	case n.phase != phaseEscrow, n.m.faults.jam:
	case !n.answered:
		n.answered = true
		n.restartEscrow()
	default:
		n.accept()
	}
}

func (n *notePath) accept() {
	m := n.m
	if !m.step("note:accept") {
		return
	}
	m.cancel("escrow")
	n.place(n.piece, inEscrow, inTransit)
	n.piece.rec.moved(InPath)
	n.phase, n.dest = phaseStacking, n.destination()
	m.ram.lastReject = 0
	if n.dest == inEscrow {
		m.after("note:keep", noteStackTime+notePlaceTime, n.keep)
		return
	}
	m.after("note:credit", n.payIn(noteStackTime), n.credit)
}

// credit is the point of no return: the money is the host's.
func (n *notePath) credit() {
	n.m.nv.book.life.taken++
	n.phase = phaseCredited
	if n.piece.barcode == "" {
		n.m.tellOf(ssp.Event{Code: ssp.EvCredit, Channel: n.piece.channel}, n.piece.rec, "CREDIT")
	}
	n.m.afterIf("note:place", n.payIn(notePlaceTime), n.destOpen, n.arrive)
}

// payIn is how long an accepted note takes for a part of its way that takes d as a rule.
func (n *notePath) payIn(d time.Duration) time.Duration {
	if n.dest == inPayout && n.m.ram.payoutOptions&payInSpeedBit != 0 {
		return d / 2
	}
	return d
}

// destOpen reports whether there is something where the note is going.
func (n *notePath) destOpen() bool { return n.dest == inPayout || !n.m.faults.cashboxOut }

func (n *notePath) arrive() {
	m, p := n.m, n.piece
	n.place(p, inTransit, n.dest)
	switch {
	case p.barcode != "":
		n.ticket.status = 2
		m.tellOf(ssp.Event{Code: ssp.EvBarcodeAck}, p.rec, "STACKED")
		p.arrived(InCashbox)
	case n.dest == inPayout:
		m.count(stored, 1)
		m.tellOf(m.noteStored(p.d), p.rec, "STORED")
		p.arrived(InPayout)
	default:
		m.count(stacked, 1)
		m.tellOf(ssp.Event{Code: ssp.EvStacked}, p.rec, "STACKED")
		p.arrived(InCashbox)
	}
	n.left()
}

// left ends the way of a note, and lets the customer offer the next one.
func (n *notePath) left() {
	n.phase, n.piece, n.announced = phaseClear, nil, nil
	if len(n.waiting) > 0 {
		n.m.after("note:enter", noteNextTime, n.offer)
	}
}

// reject sends the note back to the customer.
func (n *notePath) reject(code byte) {
	m := n.m
	m.cancel("escrow")
	m.ram.lastReject = code
	if n.phase == phaseEscrow {
		n.place(n.piece, inEscrow, inTransit)
		n.piece.rec.moved(InPath)
	}
	if n.piece.barcode != "" {
		n.ticket.status = 3
	}
	n.phase = phaseRejecting
	m.after("note:rejected", noteReturnTime, func() {
		p := n.piece
		n.place(p, inTransit, returned)
		m.count(rejected, 1)
		m.tellOf(ssp.Event{Code: ssp.EvRejected}, p.rec, "REJECTED")
		p.arrived(IsReturned)
		n.left()
	})
}

func (n *notePath) statuses(out []ssp.Event) []ssp.Event {
	m := n.m
	add := func(on bool, e ssp.Event) {
		if on {
			out = append(out, e)
		}
	}
	inhibited := m.ram.enabled && !slices.Contains(m.ram.inhibits, true)
	ours := n.phase == phaseCredited || n.lying == phaseCredited
	add(inhibited, ssp.Event{Code: ssp.EvChannelDisable})
	add(m.faults.stackerFull, ssp.Event{Code: ssp.EvStackerFull})
	add(m.faults.pathOpen, ssp.Event{Code: ssp.EvNotePathOpen})
	add(m.storeFull(), ssp.Event{Code: ssp.EvDeviceFull})
	out = m.cassetteStatus(out)
	add(m.faults.floatOut, ssp.Event{Code: ssp.EvFloatRemoved})
	add(m.faults.jam && ours, ssp.Event{Code: ssp.EvSafeJam})
	add(m.faults.jam && !ours, ssp.Event{Code: ssp.EvUnsafeJam})
	switch n.phase {
	case phaseEntering:
		add(true, ssp.Event{Code: ssp.EvRead})
	case phaseEscrow:
		add(n.piece.barcode == "", ssp.Event{Code: ssp.EvRead, Channel: n.piece.channel})
		add(n.piece.barcode != "", ssp.Event{Code: ssp.EvBarcodeValidated})
	case phaseStacking, phaseCredited:
		add(true, ssp.Event{Code: ssp.EvStacking})
	case phaseRejecting:
		add(true, ssp.Event{Code: ssp.EvRejecting})
	}
	return out
}

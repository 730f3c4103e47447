package till

import "coffer/internal/cash"

// departures books the pieces that left the store. The levels say which those are, the counters how many went to the
// customer and how many to the cashbox. What the machine says it moved, in value and by denomination, decides where
// the counters leave a choice; a choice that is still open is left for residue.
func (r *reconciler) departures() {
	r.retracted()
	p := puzzle{wrong: r.wrong, paidWorth: anyNumber, shiftedWorth: anyNumber}
	caps, gone := r.wrongCaps(), 0
	for _, row := range r.missing().Rows() {
		if row.Count < 0 {
			p.kinds = append(p.kinds, kind{denom: row.Denom(), gone: -row.Count, wrongCap: caps[row.Denom()], mostMov: -row.Count})
			gone -= row.Count
		}
	}
	if gone == 0 {
		r.countedOut(r.flows.paid + r.flows.shifted)
		return
	}
	if r.blind {
		r.sure = false
		return
	}
	h := r.hints()
	for _, q := range r.readings(p, gone, h) {
		if s := q.solve(); s.found {
			r.sure = r.sure && (s.unique || s.placed && (r.op == nil || r.op.Kind == cash.OpDispense))
			for i, k := range q.kinds {
				r.bookOut(k.denom, s.sure[i])
			}
			return
		}
	}
}

// bookOut books what of one denomination left the store.
func (r *reconciler) bookOut(d cash.Denom, n share) {
	op := ""
	if r.op != nil {
		op = r.op.ID
	}
	r.replace(d, n.wrong, cash.Payout, cash.Cashbox)
	r.d.move(cash.KindMove, d, n.shifted, cash.Payout, cash.Cashbox, op, "")
	r.d.move(cash.KindMove, d, n.boxed-n.wrong-n.shifted, cash.Payout, cash.Cashbox, "", "on its way in or out")
	if r.op != nil && r.op.Kind == cash.OpDispense {
		r.d.move(cash.KindPayout, d, n.paid, cash.Payout, cash.Customer, op, "")
		return
	}
	r.d.move(cash.KindDiscrepancy, d, n.paid, cash.Payout, cash.Customer, op, "handed out without a payout of ours")
}

// countedOut writes pieces that the counters show and the levels do not miss.
func (r *reconciler) countedOut(n int) {
	if n <= 0 || r.acc.Levels == nil {
		return
	}
	r.sure = false
	r.unnamed(n, cash.Unknown, cash.Unknown, "counted out of the payout store, although its levels miss nothing")
}

// retracted corrects pieces that are booked as paid and that the machine took back, from the bezel into the cashbox or
// the store, before the customer had them.
func (r *reconciler) retracted() {
	n := -r.flows.paid
	if n <= 0 || !r.flows.apart {
		return
	}
	if d, ok := r.retractedPiece(n); ok {
		to := cash.Cashbox
		if r.missing()[d] >= n && r.flows.shifted < n {
			to = cash.Payout
		}
		if to == cash.Payout || r.flows.shifted >= n {
			r.d.move(cash.KindMove, d, n, cash.Customer, to, r.op.ID, "not taken, and drawn in again")
			if r.flows.paid = 0; to == cash.Cashbox {
				r.flows.shifted -= n
			}
			return
		}
	}
	r.sure = false
}

// retractedPiece names the denomination of n pieces that were booked as paid: the only one that was, or for one piece
// the one by which the machine's total falls short.
func (r *reconciler) retractedPiece(n int) (cash.Denom, bool) {
	if r.op == nil || r.op.Kind != cash.OpDispense {
		return cash.Denom{}, false
	}
	rows := nonZero(r.d.books.moved[r.op.ID]).Rows()
	short := int64(0)
	if r.ended != nil {
		short = r.d.books.moved[r.op.ID].Total(r.op.Asked.Currency).Value - r.ended.Total.Value
	}
	for _, row := range rows {
		if row.Count >= n && (len(rows) == 1 || n == 1 && row.Value == short) {
			return row.Denom(), true
		}
	}
	return cash.Denom{}, false
}

// hints are what the machine says of its operation beyond levels and counters. They are tried, and dropped where they
// contradict those.
type hints struct {
	worth int64 // of what the operation has moved and is not booked, or anyNumber
	extra int64 // what left at power-up, in case the machine's total does not hold it

	paid, shifted cash.Counts // what events at power-up say
	listed        cash.Counts // shifted pieces by the machine's list of its last operation; nil for none
	whole         bool        // and the list is complete
}

func (r *reconciler) hints() hints {
	h := hints{worth: anyNumber, paid: cash.Counts{}, shifted: cash.Counts{}}
	for _, k := range r.d.books.evidence {
		e, ok := k.event.(cash.ClearedAtPowerUp)
		switch {
		case !ok || k.mark == again || e.From == cash.Customer || e.Note.Value == 0:
		case e.To == cash.Customer:
			h.paid[e.Note]++
			h.extra += e.Note.Value
		case e.To == cash.Cashbox:
			h.shifted[e.Note]++
		}
	}
	if r.op == nil {
		return h
	}
	booked := r.d.books.moved[r.op.ID]
	if r.ended != nil {
		h.worth = max(r.ended.Total.Value-booked.Total(r.op.Asked.Currency).Value, anyNumber)
	}
	if r.acc.Moved != nil {
		h.listed, h.whole = r.acc.Moved, r.acc.MovedUnknown == 0
		if r.op.Kind != cash.OpDispense {
			h.listed = h.listed.Minus(booked)
		}
	}
	return h
}

// readings lists the ways to read the machine's books, the most telling first; the first that has a solution counts.
// gone is how many pieces left the store in all.
func (r *reconciler) readings(p puzzle, gone int, h hints) []puzzle {
	f := r.flows
	out := f.paid + f.shifted
	exact := f.known && f.paid >= 0 && f.shifted >= 0 && gone >= p.wrong+out
	p.left = anyNumber
	if exact {
		p.left = gone - p.wrong - out
	}
	p.paid, p.shifted = anyNumber, anyNumber
	switch {
	case exact && f.apart:
		p.paid, p.shifted = f.paid, f.shifted
	case r.op != nil && r.op.Kind != cash.OpDispense:
		p.paid = 0 // a float or an empty hands nothing out
	case r.op != nil && !exact:
		p.shifted = h.shifted.Pieces() // nothing but events tells of the cashbox
	}
	var tries []puzzle
	if r.op != nil && h.worth != anyNumber {
		full := p.worth(r.op.Kind, h.worth)
		tries = append(tries, full.listed(h).events(h), full.listed(h), full.events(h),
			p.worth(r.op.Kind, h.worth+h.extra).events(h), full)
	}
	if h.listed != nil && exact {
		tries = append(tries, p.listed(h))
	}
	if exact && (f.apart || p.paid == 0) || !f.known && p.paid == 0 {
		if !exact {
			p.left = 0
		}
		return append(tries, p.events(h), p)
	}
	p.paid, p.shifted, p.left = h.paid.Pieces(), h.shifted.Pieces(), anyNumber
	return append(tries, p.events(h))
}

// worth adds what the pieces that an operation moves are worth in all.
func (p puzzle) worth(op cash.OpKind, v int64) puzzle {
	if op == cash.OpDispense {
		p.paidWorth = v
	} else {
		p.shiftedWorth = v
	}
	return p
}

// events demands what events at power-up say.
func (p puzzle) events(h hints) puzzle {
	return p.demand(func(k *kind) {
		k.leastPay, k.leastMov = max(k.leastPay, h.paid[k.denom]), max(k.leastMov, h.shifted[k.denom])
	})
}

// listed demands what the machine's list of its last operation says.
func (p puzzle) listed(h hints) puzzle {
	if h.listed == nil {
		return p
	}
	return p.demand(func(k *kind) {
		k.leastMov = max(k.leastMov, h.listed[k.denom])
		if h.whole {
			k.mostMov = min(k.mostMov, h.listed[k.denom])
		}
	})
}

func (p puzzle) demand(change func(*kind)) puzzle {
	p.kinds = append([]kind(nil), p.kinds...)
	for i := range p.kinds {
		change(&p.kinds[i])
	}
	return p
}

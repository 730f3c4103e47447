package till

import (
	"fmt"
	"slices"

	"coffer/internal/cash"
)

// reconcile compares a machine's own books with the ledger's, while the machine is at rest with nothing in escrow and
// no event untold, and writes into d what the ledger lacks. It is a function of its arguments alone; nothing is on disk
// before d is written.
//
// The levels say per denomination how the store differs from the ledger; the counters say how many pieces came and went
// which way since the baseline; events kept as evidence, notes in escrow and the open operation give the denominations
// that the counters lack. An event that was booked before it could be acknowledged comes back as evidence: it is known
// by the counters, which then show nothing unbooked.
//
// What is sure is booked as what it is. Everything else becomes discrepancy rows, so that the payout balance equals the
// machine's levels in any case; a piece of an unknown denomination has no value there. The open operation is closed,
// unless starting says that its command has not been answered yet and nothing shows that it was carried out; where its share of the pieces is not sure it is
// marked as unknown. Then acc is the new baseline.
func reconcile(d *draft, acc cash.Account, starting bool) {
	switch base := d.books.base; {
	case base == nil:
		firstSight(d, acc, "first sight of this machine")
	case base.Account.Serial != acc.Serial && base.Account.Serial != "" && acc.Serial != "":
		replaceMachine(d, acc)
	default:
		r := newReconciler(d, acc)
		r.tellEvidence()
		r.arrivals()
		r.departures()
		r.releaseHolds()
		r.residue()
		if r.op != nil && (!starting || !r.sure || d.books.moved[r.op.ID].Pieces() > 0) {
			r.closeOp()
		}
		if r.nothingNew() {
			return
		}
	}
	d.rebase(acc)
}

// nothingNew says whether the books are word for word those of the baseline.
func (r *reconciler) nothingNew() bool {
	b := r.d.books
	return r.d.empty() && b.since.rows == 0 && len(b.evidence) == 0 && len(b.fillings) == 0 && b.base.Account.Kind == r.acc.Kind &&
		b.base.Account.Serial == r.acc.Serial && slices.Equal(b.base.Account.Counters, r.acc.Counters) &&
		len(b.base.Account.Levels.Minus(r.acc.Levels)) == 0
}

// firstSight adjusts the ledger to what a machine holds that was never compared before.
func firstSight(d *draft, acc cash.Account, why string) {
	if acc.Levels == nil {
		return
	}
	for _, row := range acc.Levels.Minus(d.books.payout).Rows() {
		if row.Count > 0 {
			d.move(cash.KindAdjust, row.Denom(), row.Count, cash.Operator, cash.Payout, "", why)
		} else {
			d.move(cash.KindAdjust, row.Denom(), -row.Count, cash.Payout, cash.Operator, "", why)
		}
	}
}

// replaceMachine adjusts the content of the machine that stood here before away. What it was doing nobody can ask it.
func replaceMachine(d *draft, acc cash.Account) {
	why := fmt.Sprintf("machine %s was replaced by %s", d.books.base.Account.Serial, acc.Serial)
	for _, op := range slices.Clone(d.books.ops) {
		if op.State == "" {
			d.close(op, cash.OpUnknown, "", why)
		}
	}
	for _, from := range []cash.Place{cash.Payout, cash.Cashbox, cash.Escrow} {
		clearPlace(d, from, why)
	}
	firstSight(d, acc, why)
}

// clearPlace adjusts everything in a place to the operator.
func clearPlace(d *draft, p cash.Place, why string) {
	for _, row := range d.books.at(p).Clone().Rows() {
		clearCoin(d, p, row.Denom(), why)
	}
}

// clearCoin adjusts all of one denomination in a place to the operator.
func clearCoin(d *draft, p cash.Place, coin cash.Denom, why string) {
	if n := d.books.at(p)[coin]; n > 0 {
		d.move(cash.KindAdjust, coin, n, p, cash.Operator, "", why)
	} else {
		d.move(cash.KindAdjust, coin, -n, cash.Operator, p, "", why)
	}
}

// reconciler is one comparison under way.
type reconciler struct {
	d     *draft
	acc   cash.Account
	coins bool
	op    *cash.Op    // the operation that may have moved what left the store, nil for none
	ended *cash.Ended // how the machine says that it ended, nil if it has not said so
	flows flows
	wrong int  // pieces booked into the store that are in the cashbox, of denominations still to be found
	blind bool // pieces came in that nothing names while others went out: no balance of the two is sure
	sure  bool // so far nothing is left that op might have moved
}

func newReconciler(d *draft, acc cash.Account) *reconciler {
	r := &reconciler{d: d, acc: acc, coins: acc.Kind.Coins(), flows: unbooked(d.books, acc), sure: true}
	if op := d.books.running(); op != nil {
		c := *op
		r.op = &c
	}
	for _, k := range d.books.evidence {
		if e, ok := k.event.(cash.Ended); ok && r.op != nil && e.Op == r.op.Kind {
			r.ended = &e
		}
	}
	return r
}

// tellEvidence publishes what was kept of operations and of the power-up, and not published yet.
func (r *reconciler) tellEvidence() {
	ended := false // an end that was published comes again where its acknowledgement was lost
	for _, k := range r.d.books.evidence {
		switch e := k.event.(type) {
		case cash.Ended:
			if ended = ended || k.mark == told; !ended && k.mark != again {
				r.d.pass(e)
			}
		case cash.ClearedAtPowerUp:
			if k.mark != again {
				r.d.pass(e)
			}
		}
	}
}

// missing returns per denomination how many pieces the store has more (positive) or fewer (negative) than the ledger;
// nothing for a machine without a store.
func (r *reconciler) missing() cash.Counts {
	if r.acc.Levels == nil {
		return nil
	}
	return r.acc.Levels.Minus(r.d.books.payout)
}

// releaseHolds gives notes back that the ledger still has in escrow: the machine is at rest with nothing in escrow, and
// did not credit them.
func (r *reconciler) releaseHolds() {
	code := byte(0)
	for _, k := range r.d.books.evidence {
		switch e := k.event.(type) {
		case cash.NoteReturned:
			code = e.Code
		case cash.NoteRejected:
			code = e.Code
		}
	}
	for _, row := range r.d.books.escrow.Clone().Rows() {
		if row.Count < 0 {
			r.d.move(cash.KindDiscrepancy, row.Denom(), -row.Count, cash.Unknown, cash.Escrow, "", "escrow was below zero")
			continue
		}
		for range row.Count {
			r.d.move(cash.KindReturn, row.Denom(), 1, cash.Escrow, cash.Customer, "", "")
			r.d.tell(cash.NoteReturned{Note: row.Denom(), Code: code})
		}
	}
}

// residue makes the payout balance equal to the levels.
func (r *reconciler) residue() {
	for _, row := range r.missing().Rows() {
		if r.byHand(row) {
			continue
		}
		op := ""
		if row.Count < 0 {
			if r.sure = false; r.op != nil {
				op = r.op.ID
			}
			r.d.move(cash.KindDiscrepancy, row.Denom(), -row.Count, cash.Payout, cash.Unknown, op,
				"left the payout store, and the machine's books do not say where to")
			continue
		}
		r.d.move(cash.KindDiscrepancy, row.Denom(), row.Count, cash.Unknown, cash.Payout, "",
			"in the payout store, and the machine's books do not say where from")
	}
}

// unnamed writes that n pieces of an unknown denomination went from one place to another.
func (r *reconciler) unnamed(n int, from, to cash.Place, what string) {
	r.d.book(cash.Line{Kind: cash.KindDiscrepancy, Count: n, From: from, To: to, Detail: what})
}

package till

import (
	"coffer/internal/cash"
)

// finish closes op, or books what an operation of somebody else moved where op is nil, from the books that came with the
// machine's end event. It returns false, and nothing else, where those do not say enough: pieces that are coming in at
// the same time are counted by the machine before their events are told, so only what went out may be booked here. Then
// the event is kept, and reconcile finishes once the machine is at rest.
func finish(d *draft, op *cash.Op, e cash.Ended) (*draft, bool) {
	base := d.books.base
	if e.Account == nil || base == nil || base.Account.Serial != e.Account.Serial || e.Account.Levels == nil {
		return nil, false
	}
	trial := d.fork()
	r := newReconciler(trial, *e.Account)
	r.op, r.ended = op, &e
	if !r.flows.known && len(e.Account.Counters) > 0 {
		return nil, false // they were cleared
	}
	quiet := r.flows.stored == 0 && r.flows.stacked == 0
	if positive(r.missing()).Pieces() != max(r.flows.stored, 0) || r.flows.stored < 0 {
		return nil, false
	}
	r.departures()
	if quiet {
		r.residue()
	} else if !r.sure || r.missing().Minus(positive(r.missing())).Pieces() != 0 {
		return nil, false
	}
	if op != nil {
		r.closeOp()
	}
	if quiet && r.flows.known {
		trial.rebase(*e.Account)
	}
	return trial, true
}

// closeOp closes the operation by what is booked for it: what the ledger says counts, whatever the machine called it.
func (r *reconciler) closeOp() {
	op := *r.op
	moved := r.d.books.moved[op.ID]
	total := moved.Total(op.Asked.Currency).Value
	ended, detail := cash.OpResult(""), ""
	if r.ended != nil {
		ended, detail = r.ended.Result, "machine: "+string(r.ended.Result)
		if r.ended.Total.Value != total {
			detail += ", " + r.ended.Total.String() + " in all"
		}
	}
	result := cash.OpPartial
	switch {
	case op.Kind == cash.OpDispense && total == op.Asked.Value:
		result = cash.OpDone
	case !r.sure:
		result = cash.OpUnknown
	case op.Kind == cash.OpDispense && total > op.Asked.Value, op.Kind != cash.OpDispense && r.reached(op, ended):
		result = cash.OpDone
	case total == 0:
		result = cash.OpFailed
	}
	r.d.close(op, result, ended, detail)
}

// reached says whether a float or an empty has moved all that it should have.
func (r *reconciler) reached(op cash.Op, ended cash.OpResult) bool {
	if ended == cash.OpDone {
		return true
	}
	if op.Kind == cash.OpEmpty && op.Module != 0 {
		return false
	}
	if op.Worth != (cash.Amount{}) {
		return r.acc.Levels.Total(op.Worth.Currency).Value <= op.Worth.Value
	}
	for d, n := range r.acc.Levels {
		if n > op.Keep[d] {
			return false
		}
	}
	return true
}

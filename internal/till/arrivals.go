package till

import (
	"slices"
	"time"

	"coffer/internal/cash"
)

// arrival is a piece that came in at the front, and where it is said to have gone; In is "" where nothing says so.
type arrival struct {
	piece cash.Denom
	in    cash.Place
	at    time.Time // of the answer that told of it
}

// arrivals books the pieces that came in unbooked, and corrects where booked ones were expected to go. In the machine's
// terms: stored = into the store - wrong + right, stacked = into the cashbox + wrong - right, where wrong ones were
// booked into the store and are in the cashbox, and right ones the other way round.
//
// Wrong ones whose denomination the levels leave open, because pieces also went out, are left to departures.
func (r *reconciler) arrivals() {
	r.takeBack()
	if !r.flows.known {
		r.guessArrivals()
	}
	grown := positive(r.missing())
	if r.mixed(grown) {
		return
	}
	wrong := r.misplaced(grown)
	inStore := r.flows.stored + wrong // so many of the unbooked pieces and the right ones together
	total := max(r.flows.stored+r.flows.stacked, 0)

	fresh := r.fresh(total, grown)
	stored, others := match(fresh, grown)
	others = r.dropBooked(others, grown, inStore-len(stored)-grown.Pieces(), wrong)
	unnamed := total - len(stored) - len(others) // new pieces that nothing names but, perhaps, the level
	if unnamed > 0 && r.flows.paid+r.flows.shifted > 0 {
		r.blind = true
	}
	for _, row := range grown.Rows() {
		for range min(row.Count, unnamed, inStore-len(stored)) {
			stored = append(stored, arrival{piece: row.Denom(), in: cash.Payout})
			grown[row.Denom()]--
			unnamed--
		}
	}
	n := inStore - len(stored) - grown.Pieces() // so many went in and out again
	n -= r.foundAndGone(n - len(others) - unnamed)
	again, others, late := r.goneAgain(others, n, unnamed == 0)
	wrong += late
	right := r.found(grown, len(others)+wrong-r.flows.stacked)
	r.creditAll(append(stored, again...), cash.Payout)
	r.creditBox(others, r.flows.stacked-wrong+right)
}

// mixed books the arrivals of a time in which pieces also went out, so that the levels alone do not show where those
// went that came in: to where they were expected, which leaves the wrong ones to departures. It does nothing, and
// returns false, where nothing went out or not every piece is named.
func (r *reconciler) mixed(grown cash.Counts) bool {
	f := r.flows
	total := f.stored + f.stacked
	if !f.known || f.paid+f.shifted <= 0 || f.stacked < 0 || total < 0 || r.acc.Levels == nil {
		return false
	}
	fresh := r.fresh(total, grown)
	if len(fresh) < total {
		return false
	}
	var store, box []arrival
	for _, a := range fresh {
		if a.in == cash.Cashbox && len(box) < f.stacked {
			box = append(box, a)
		} else {
			store = append(store, a)
		}
	}
	r.creditAll(store, cash.Payout)
	r.creditAll(box, cash.Cashbox)
	r.wrong = f.stacked - len(box)
	return true
}

// takeBack books credited pieces that the machine has given back after all, where it says so and its counters agree.
func (r *reconciler) takeBack() {
	for _, k := range r.d.books.evidence {
		e, ok := k.event.(cash.ClearedAtPowerUp)
		if !ok || e.To != cash.Customer || e.From == cash.Payout || e.Note.Value == 0 || r.flows.stored+r.flows.stacked >= 0 {
			continue
		}
		if r.missing()[e.Note] < 0 && r.flows.stored < 0 {
			r.d.move(cash.KindReturn, e.Note, 1, cash.Payout, cash.Customer, "", "given back at power-up")
			r.flows.stored++
		} else if r.flows.stacked < 0 && r.d.books.cashbox[e.Note] > 0 {
			r.d.move(cash.KindReturn, e.Note, 1, cash.Cashbox, cash.Customer, "", "given back at power-up")
			r.flows.stacked++
		}
	}
}

// guessArrivals fills the counters in that the machine lacks: what the store has gained was stored, and what evidence
// says of the cashbox is true unless it repeats the last credit of the ledger.
func (r *reconciler) guessArrivals() {
	r.flows.stored = positive(r.missing()).Pieces()
	seen := r.credits(plain)
	if last := r.d.books.since.last; last != nil && len(seen) > 0 && seen[0].piece == last.piece {
		seen = seen[1:]
	}
	for _, a := range seen {
		if a.in == cash.Cashbox {
			r.flows.stacked++
		}
	}
}

// misplaced returns how many credited pieces the ledger believes in the store although they are in the cashbox, and
// corrects them where the books say which; else departures does. They are as many as the levels have gained more than
// was stored, unless more would have to be in the cashbox than the machine has stacked and the ledger has there too many.
func (r *reconciler) misplaced(grown cash.Counts) int {
	limit := r.wrongCaps()
	fits, right := limit.Pieces(), 0
	for d, n := range grown {
		right += max(min(n, r.d.books.since.intoBox[d]), 0)
	}
	n := max(min(grown.Pieces()-r.flows.stored, r.flows.stacked+right, fits), 0)
	last := r.d.books.since.last
	switch {
	case n == 0:
		return 0
	case n == fits:
	case n == 1 && !r.coins && last != nil && limit[last.piece] > 0: // a machine handles one note at a time
		limit = cash.Counts{last.piece: 1}
	default:
		r.wrong = n
		return n
	}
	for _, row := range limit.Rows() {
		r.replace(row.Denom(), row.Count, cash.Payout, cash.Cashbox)
	}
	return n
}

// wrongCaps returns per denomination how many pieces may have been booked into the store and be in the cashbox.
func (r *reconciler) wrongCaps() cash.Counts {
	caps := cash.Counts{}
	for d, n := range r.missing() {
		if k := min(-n, r.d.books.since.intoStore[d]); k > 0 {
			caps[d] = k
		}
	}
	return caps
}

// credits lists the pieces that events kept as evidence, with this mark, say were taken, in order.
func (r *reconciler) credits(m mark) []arrival {
	var out []arrival
	open := false // the last one may still be placed
	for _, k := range r.d.books.evidence {
		if k.mark != m {
			continue
		}
		switch e := k.event.(type) {
		case cash.NoteCredited:
			out, open = append(out, arrival{e.Note, e.To, k.at}), true
		case cash.NotePlaced:
			if open {
				out[len(out)-1].in, open = e.To, false
			}
		case cash.CoinCredited:
			for range e.Count {
				out = append(out, arrival{e.Coin, e.To, k.at})
			}
		}
	}
	return out
}

// fresh names up to n unbooked pieces that came in. Events come in order, and those that were booked before they could
// be acknowledged come first, so the last n count. Where there are fewer, more may be behind events that look like a
// repetition, or behind what was cleared at power-up, or in escrow.
func (r *reconciler) fresh(n int, grown cash.Counts) []arrival {
	out := r.credits(plain)
	if len(out) >= n {
		return out[len(out)-n:]
	}
	if maybe := r.credits(again); len(out)+len(maybe) >= n {
		out = repeated(out, maybe, n, grown)
	}
	for _, k := range r.d.books.evidence {
		e, ok := k.event.(cash.ClearedAtPowerUp)
		if ok && k.mark != again && len(out) < n && e.From != cash.Payout && e.To != cash.Customer && e.Note.Value > 0 && !has(out, e.Note) {
			out = append(out, arrival{piece: e.Note, in: e.To})
		}
	}
	return append(out, r.held(out, n-len(out), grown)...)
}

// held names up to n pieces out of escrow: all that are there, or those that the levels show.
func (r *reconciler) held(named []arrival, n int, grown cash.Counts) (out []arrival) {
	var all []arrival
	for _, row := range positive(r.d.books.escrow).Rows() {
		if !has(named, row.Denom()) {
			for range row.Count {
				all = append(all, arrival{piece: row.Denom()})
			}
		}
	}
	if len(all) <= n {
		return all
	}
	left := grown.Clone()
	match(named, left)
	shown, _ := match(all, left)
	return shown[:min(max(n, 0), len(shown))]
}

// repeated adds to out, up to n in all, those of maybe that are no repetition: whole answers where all are alike, or what
// the levels show.
func repeated(out, maybe []arrival, n int, grown cash.Counts) []arrival {
	need := n - len(out)
	if size := alike(maybe); size > 0 && need%size == 0 {
		return append(out, maybe[:need]...)
	}
	left := grown.Clone()
	match(out, left)
	for _, a := range maybe {
		if len(out) < n && left[a.piece] > 0 {
			left[a.piece]--
			out = append(out, a)
		}
	}
	return out
}

// alike returns how many pieces each answer tells of, if all tell of the same, else 0. Pieces of one denomination are
// alike in any number.
func alike(in []arrival) int {
	if len(in) == 0 {
		return 0
	}
	if !slices.ContainsFunc(in, func(a arrival) bool { return a.piece != in[0].piece }) {
		return 1
	}
	size := 1
	for size < len(in) && in[size].at.Equal(in[0].at) {
		size++
	}
	for i := size; i < len(in); i++ {
		if in[i].piece != in[i-size].piece {
			return 0
		}
	}
	return size
}

// goneAgain picks those of others that went into the store and out of it again, so that the levels do not show them; n
// in all. named says that the others are all there are. Where it is not sure which they are, all are booked into the
// store and departures finds the wrong ones, which are in the cashbox; what is not even named is written without a value.
func (r *reconciler) goneAgain(others []arrival, n int, named bool) (again, rest []arrival, wrong int) {
	if n <= 0 {
		return nil, others, 0
	}
	again, rest = pick(others, n, cash.Payout)
	switch k := n - len(again); {
	case k == 0 || !r.flows.known:
	case named && k < len(rest):
		r.wrong += len(rest) - k
		return append(again, rest...), nil, len(rest) - k
	default:
		r.sure = false
		r.unnamed(k, cash.Customer, cash.Unknown, "taken, and out of the payout store again")
	}
	return again, rest, 0
}

// dropBooked drops those of others that the machine has not counted: events that were booked before they could be
// acknowledged come first, and take the place of pieces that no event told of. gone pieces went in and out again.
func (r *reconciler) dropBooked(others []arrival, grown cash.Counts, gone, wrong int) []arrival {
	excess := len(others) - max(gone, 0) - max(r.flows.stacked-wrong, 0)
	right := 0
	for d, n := range grown {
		right += max(min(n, r.d.books.since.intoBox[d]), 0)
	}
	if !r.flows.known || excess <= right {
		return others
	}
	return others[excess:]
}

// foundAndGone corrects n credited pieces that the ledger believes in the cashbox, and that went into the store and out
// of it again, where it is sure which; departures then finds where to.
func (r *reconciler) foundAndGone(n int) int {
	boxed := positive(r.d.books.since.intoBox)
	if n <= 0 || len(boxed) != 1 && boxed.Pieces() != n {
		return 0
	}
	done := 0
	for _, row := range boxed.Rows() {
		k := min(row.Count, n-done)
		r.replace(row.Denom(), k, cash.Cashbox, cash.Payout)
		done += k
	}
	return done
}

// found corrects credited pieces that the ledger believes in the cashbox and that the levels show in the store. grown is
// what nothing else explains, n how many there may be.
func (r *reconciler) found(grown cash.Counts, n int) int {
	right := 0
	for _, row := range grown.Rows() {
		k := min(row.Count, r.d.books.since.intoBox[row.Denom()], n-right)
		if k > 0 {
			r.replace(row.Denom(), k, cash.Cashbox, cash.Payout)
			right += k
		}
	}
	return right
}

// creditBox books n pieces that came into the cashbox, as far as others names them.
func (r *reconciler) creditBox(others []arrival, n int) {
	if n < 0 {
		r.unnamed(-n, cash.Cashbox, cash.Unknown, "the ledger has more pieces in the cashbox than the machine has counted")
		return
	}
	in, _ := pick(others, n, cash.Cashbox)
	r.creditAll(in, cash.Cashbox)
	if k := n - len(in); k > 0 {
		r.unnamed(k, cash.Customer, cash.Cashbox, "in the cashbox, of an unknown denomination")
	}
}

// creditAll books pieces that came in, and tells of them as the driver would have.
func (r *reconciler) creditAll(in []arrival, to cash.Place) {
	sum := cash.Counts{}
	for _, a := range in {
		sum[a.piece]++
	}
	for _, row := range sum.Rows() {
		if r.coins {
			r.d.credit(row.Denom(), row.Count, to)
			r.d.tell(cash.CoinCredited{Coin: row.Denom(), Count: row.Count, To: to})
			continue
		}
		for range row.Count {
			r.d.credit(row.Denom(), 1, to)
			r.d.tell(cash.NoteCredited{Note: row.Denom(), To: to})
			r.d.tell(cash.NotePlaced{Note: row.Denom(), To: to})
		}
	}
}

// replace corrects where n credited pieces are.
func (r *reconciler) replace(p cash.Denom, n int, from, to cash.Place) {
	r.d.move(cash.KindMove, p, n, from, to, "", placed)
	for range n {
		if !r.coins {
			r.d.tell(cash.NotePlaced{Note: p, To: to})
		}
	}
}

// match splits arrivals into those that the store has gained, which it takes off grown, and the others.
func match(in []arrival, grown cash.Counts) (stored, others []arrival) {
	for _, a := range in {
		if grown[a.piece] > 0 {
			grown[a.piece]--
			stored = append(stored, a)
		} else {
			others = append(others, a)
		}
	}
	return stored, others
}

// pick returns n of the arrivals, and the rest, if it is sure which: all of them, those that are said to have gone to p,
// or any of one denomination. Else it returns none.
func pick(in []arrival, n int, p cash.Place) (picked, rest []arrival) {
	if len(in) <= n {
		return in, nil
	}
	same := true
	for _, a := range in {
		same = same && a.piece == in[0].piece
		if a.in == p {
			picked = append(picked, a)
		} else {
			rest = append(rest, a)
		}
	}
	switch {
	case same:
		return in[:n], in[n:]
	case len(picked) == n:
		return picked, rest
	}
	return nil, in
}

func has(in []arrival, p cash.Denom) bool {
	return slices.ContainsFunc(in, func(a arrival) bool { return a.piece == p })
}

// positive returns the counts above zero.
func positive(c cash.Counts) cash.Counts {
	out := cash.Counts{}
	for d, n := range c {
		if n > 0 {
			out[d] = n
		}
	}
	return out
}

package till

import "coffer/internal/cash"

// flows are pieces that a machine's books show since the baseline and the ledger does not, in the terms of tally. A
// negative figure means that the ledger has more.
type flows struct {
	stored, stacked, paid, shifted int

	known bool // the counters can be compared; all is zero otherwise
	apart bool // paid and shifted are known apart; otherwise paid holds both
}

// unbooked compares the machine's counters with the ledger's rows since the baseline.
func unbooked(b *books, acc cash.Account) flows {
	f, ok := flows{}, false
	if b.base != nil && b.base.Account.Kind == acc.Kind {
		switch acc.Kind {
		case cash.CountersNote:
			f, ok = noteFlows(b.base.Account.Counters, acc.Counters)
		case cash.CountersCoin:
			grown := acc.Levels.Pieces() - b.base.Account.Levels.Pieces() - b.since.adjusted
			f, ok = coinFlows(b.base.Account.Counters, acc.Counters, grown, b.since)
		case cash.CountersHopper:
			grown := acc.Levels.Pieces() - b.base.Account.Levels.Pieces() - b.since.adjusted
			f, ok = hopperFlows(b.base.Account.Counters, acc.Counters, grown, b.since)
		}
	}
	if !ok {
		return flows{}
	}
	f.known = true
	f.stored -= b.since.stored
	f.stacked -= b.since.stacked
	f.paid -= b.since.paid
	f.shifted -= b.since.shifted
	if !f.apart {
		f.paid, f.shifted = f.paid+f.shifted, 0
	}
	return f
}

// noteFlows reads the counters of note machines (ssp.md §10.12): stacked, stored, dispensed, transferred, rejected.
func noteFlows(before, now []uint32) (flows, bool) {
	c, ok := differences(before, now, 5)
	if !ok || len(c) != 5 {
		return flows{}, false
	}
	return flows{stacked: c[0], stored: c[1], paid: c[2], shifted: c[3], apart: true}, true
}

// coinFlows reads the counters of coin machines (ssp.md §10.12): out, in, six about faults, and from some firmware on
// the ninth, coins sent to the cashbox from either side. They tell four flows only together with the growth of the
// store: in = stored+stacked, out = paid+shifted, growth = stored-paid-shifted, ninth = stacked+shifted. Where no four
// flows make up such figures, a hand has filled the store or taken from it, and the ledger is believed in what went into
// the cashbox.
func coinFlows(before, now []uint32, growth int, since tally) (flows, bool) {
	c, ok := differences(before, now, 8)
	if !ok {
		return flows{}, false
	}
	out, in := c[0], c[1]
	least, most := 0, in
	if len(c) > 8 {
		least, most = max(0, c[8]-out), min(in, c[8])
	}
	f := flows{stacked: stackedIn(in-growth-out, least, most, since), paid: out}
	f.stored = in - f.stacked
	if len(c) > 8 {
		f.shifted, f.apart = c[8]-f.stacked, true
		f.paid -= f.shifted
	}
	return f, true
}

// stackedIn is how many coins went from the front into the cashbox: n if that can be, else what the ledger has, as near as
// the counters allow.
func stackedIn(n, least, most int, since tally) int {
	if n >= least && n <= most {
		return n
	}
	return max(least, min(most, since.stacked))
}

// hopperFlows reads the counters of the SMART Hopper 3 (ssp.md §10.12): past sensors, in, out, to cashbox, and requests.
// No document says whether out holds what went to the cashbox, as it does on its successor. It is read so, unless the
// figures then say that nothing went from store to cashbox although the ledger knows better, or that fewer than none
// came in: in that machine out is to the customer alone. Such books leave open how many of the pieces in the cashbox
// came straight from the front, and the ledger is believed.
func hopperFlows(before, now []uint32, growth int, since tally) (flows, bool) {
	c, ok := differences(before, now, 6)
	if !ok || len(c) != 6 {
		return flows{}, false
	}
	in, out, box := c[1], c[2], c[3]
	f := flows{stored: growth + out, apart: true}
	f.stacked = in - f.stored
	f.shifted = box - f.stacked
	if f.shifted == 0 && (f.stored < 0 || since.shifted > 0) {
		f.stacked = min(max(since.stacked, 0), in, box)
		f.stored, f.shifted, f.paid = in-f.stacked, box-f.stacked, out
		return f, true
	}
	f.stacked = stackedIn(f.stacked, max(0, box-out), min(in, box), since)
	f.stored, f.shifted = in-f.stacked, box-f.stacked
	f.paid = out - f.shifted
	return f, true
}

// differences subtracts counters, which wrap at 2^32. It returns false if there are fewer than least, if their number
// has changed, or if one went backwards (they were cleared).
func differences(before, now []uint32, least int) ([]int, bool) {
	if len(now) < least || len(before) != len(now) {
		return nil, false
	}
	out := make([]int, len(now))
	for i := range now {
		d := now[i] - before[i]
		if d > 1<<31 {
			return nil, false
		}
		out[i] = int(d)
	}
	return out, true
}

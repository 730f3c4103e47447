package upos

import (
	"slices"
	"strings"

	"coffer/internal/cash"
)

// capabilities are fixed when a handle is opened.
type capabilities struct {
	deposit, pause, repay, realTime            bool
	discrepancy, empty, nearEmpty              bool
	full, nearFull, jam                        bool
	statistics, firmware, status, multiDrawers bool
	power, exits, services, serviceIndex       int32
}

// capabilities derives them from the hardware; nothing that a machine cannot do is true.
func (d *device) capabilities(parts []Part) capabilities {
	if d.cfg.Class == CashDrawer {
		_, known := d.drawer.Opened()
		return capabilities{statistics: true, status: known, power: PR_NONE, exits: 1}
	}
	accepts, holds, any := false, false, func(f func(Part) bool) bool { return slices.ContainsFunc(parts, f) }
	accepts = d.cfg.Class.accepts() && any(func(p Part) bool { return len(p.Accepts) > 0 })
	holds = any(func(p Part) bool { return len(p.Holds) > 0 })
	every := func(f func(Part) bool) bool { // of those that accept
		return accepts && !any(func(p Part) bool { return len(p.Accepts) > 0 && !f(p) })
	}
	c := capabilities{
		deposit: accepts, realTime: accepts,
		pause:       every(func(p Part) bool { return p.CanPause }),
		repay:       every(func(p Part) bool { return p.CanRepay }),
		discrepancy: true, empty: holds, nearEmpty: holds && d.cfg.NearEmpty > 0,
		full: any(func(p Part) bool { return p.CanFull }), nearFull: d.cfg.NearFull > 0, jam: true,
		statistics: true, firmware: any(func(p Part) bool { return p.CanUpdate }),
		power: PR_STANDARD, exits: 1,
	}
	if holds && !any(func(p Part) bool { return len(p.Holds) > 0 && !p.CanFloat }) {
		c.exits = 2
	}
	if len(parts) > 1 {
		c.services, c.serviceIndex = int32(len(parts)), serviceIndex(parts)
	}
	return c
}

// serviceIndex packs the numbers of the parts, counted from 1: from the lowest byte up coin acceptor, coin dispenser,
// bill acceptor, bill dispenser. Where several can do one job the first counts.
func serviceIndex(parts []Part) int32 {
	var index [4]uint32
	for i := len(parts) - 1; i >= 0; i-- {
		at := 0
		if parts[i].Bills {
			at = 2
		}
		if len(parts[i].Accepts) > 0 {
			index[at] = uint32(i + 1)
		}
		if len(parts[i].Holds) > 0 {
			index[at+1] = uint32(i + 1)
		}
	}
	return int32(index[0] | index[1]<<8 | index[2]<<16 | index[3]<<24)
}

// usable says with E_NOSERVICE why the machines cannot be a device of the class: one has never answered, so that what it
// can do is not known, or it is of another kind.
func (d *device) usable(parts []Part) error {
	name, class := d.cfg.Name, d.cfg.Class
	accepts, holds := false, false
	for _, p := range parts {
		if len(p.Accepts) == 0 && len(p.Holds) == 0 {
			return fail(E_NOSERVICE, "machine %s of %s has not answered yet, so what it can do is not known (or all it takes is blocked): see to its power and cable", p.ID, name)
		}
		if p.StoreUntold && class.dispenses() {
			return fail(E_NOSERVICE, "machine %s of %s has not told of its store yet, as in the moment after it was found, or in a jam: try again", p.ID, name)
		}
		if p.Bills && (class == CoinAcceptor || class == CoinDispenser) || !p.Bills && (class == BillAcceptor || class == BillDispenser) {
			return fail(E_NOSERVICE, "machine %s cannot be the %s %s: it handles the other kind of money", p.ID, class, name)
		}
		accepts, holds = accepts || len(p.Accepts) > 0, holds || len(p.Holds) > 0
		for _, piece := range append(slices.Clone(p.Accepts), p.Holds...) {
			if piece.Value%d.cfg.scale() != 0 {
				return fail(E_NOSERVICE, "machine %s of %s knows a piece of %d minor units, which scale %d cannot show", p.ID, name, piece.Value, d.cfg.scale())
			}
		}
	}
	switch {
	case class == CashDrawer:
	case (class == BillAcceptor || class == CoinAcceptor) && !accepts:
		return fail(E_NOSERVICE, "no machine of %s accepts money", name)
	case class.dispenses() && !holds:
		return fail(E_NOSERVICE, "no machine of %s has a store to pay from", name)
	}
	return nil
}

// scope is the parts that CurrentService means, nil for all. The caller holds mu.
func (h *Handle) scope(n int) []int {
	if h.part == 0 || int(h.part) > n {
		return nil
	}
	return []int{int(h.part) - 1}
}

// inScope is the parts that CurrentService means. The caller holds mu.
func (h *Handle) inScope(parts []Part) []Part {
	if h.part == 0 || int(h.part) > len(parts) {
		return parts
	}
	return parts[h.part-1 : h.part]
}

// collect gathers pieces of the parts that CurrentService means. The caller holds mu.
func (h *Handle) collect(parts []Part, of func(Part) []Piece) []Piece {
	return gather(h.inScope(parts), of)
}

// gather puts pieces of parts in order.
func gather(parts []Part, of func(Part) []Piece) []Piece {
	var out []Piece
	for _, p := range parts {
		out = append(out, of(p)...)
	}
	return order(out)
}

// inCurrency keeps the pieces of the active currency. The caller holds mu.
func (h *Handle) inCurrency(pieces []Piece) []Piece {
	return slices.DeleteFunc(pieces, func(p Piece) bool { return p.Currency != h.currency })
}

// currencyList is CurrencyCashList: what the device works with, in the active currency. The caller holds mu.
func (h *Handle) currencyList(parts []Part) []Piece {
	return h.inCurrency(h.collect(parts, h.knows))
}

// knows is what of a part the class has to do with.
func (h *Handle) knows(p Part) []Piece {
	out := slices.Clone(p.Holds)
	if h.class.accepts() {
		out = append(out, p.Accepts...)
	}
	return out
}

// depositList is DepositCashList. The caller holds mu.
func (h *Handle) depositList(parts []Part) []Piece {
	if !h.now().deposit {
		return nil
	}
	return h.inCurrency(h.collect(parts, func(p Part) []Piece { return slices.Clone(p.Accepts) }))
}

// exitList is ExitCashList. The caller holds mu.
func (h *Handle) exitList(parts []Part) []Piece { return h.payable(h.inScope(parts)) }

// payable is what parts can pay to CurrentExit: exit 1 pays by route, exit 2 moves what the store can hold to the cashbox.
// The caller holds mu.
func (h *Handle) payable(parts []Part) []Piece {
	return h.inCurrency(gather(parts, func(p Part) []Piece {
		if h.exit == 2 {
			return slices.Clone(p.Holds)
		}
		return slices.Clone(p.Pays)
	}))
}

// countList is what ReadCashCounts lists. The caller holds mu.
func (h *Handle) countList(parts []Part) []Piece {
	if h.class == BillAcceptor || h.class == CoinAcceptor {
		return h.depositList(parts)
	}
	return h.currencyList(parts)
}

// currencies lists the codes of pieces, ascending.
func currencies(pieces []Piece) []string {
	var out []string
	for _, p := range pieces {
		out = append(out, string(p.Currency))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// codeList is CurrencyCodeList. The caller holds mu.
func (h *Handle) codeList(parts []Part) []string { return currencies(h.collect(parts, h.knows)) }

// depositCodes is DepositCodeList. The caller holds mu.
func (h *Handle) depositCodes(parts []Part) []string {
	if !h.now().deposit {
		return nil
	}
	return currencies(h.collect(parts, func(p Part) []Piece { return slices.Clone(p.Accepts) }))
}

// firstCurrency is CurrencyCode at open.
func (d *device) firstCurrency(parts []Part) cash.Currency {
	if d.cfg.Currency != "" {
		return d.cfg.Currency
	}
	for _, p := range parts {
		for _, piece := range append(slices.Clone(p.Accepts), p.Holds...) {
			return piece.Currency
		}
	}
	return ""
}

// setCurrency writes CurrencyCode. The caller holds mu.
func (h *Handle) setCurrency(parts []Part, code string) error {
	list := h.codeList(parts)
	if h.class == BillAcceptor || h.class == CoinAcceptor {
		list = h.depositCodes(parts)
	}
	if !slices.Contains(list, code) {
		return fail(E_ILLEGAL, "CurrencyCode %q: use one of %s", code, strings.Join(list, ","))
	}
	h.currency = cash.Currency(code)
	return nil
}

// setService writes CurrentService. The caller holds mu.
func (h *Handle) setService(n int32) error {
	index := uint32(h.caps.serviceIndex)
	there := n == 0
	for shift := 0; shift < 32; shift += 8 {
		there = there || n > 0 && n <= h.caps.services && index>>shift&0xff == uint32(n)
	}
	if !there {
		return fail(E_ILLEGAL, "CurrentService %d: use 0 or a number of ServiceIndex (%#08x)", n, index)
	}
	h.part = n
	return nil
}

// piecesText writes pieces as cash counts with their currencies: "EUR 1:3;500:1", several parted by a blank and a bar.
func (h *Handle) piecesText(p Pieces) string {
	var keys []Piece
	for piece, n := range p {
		if n != 0 {
			keys = append(keys, piece)
		}
	}
	keys = order(keys)
	var out []string
	for _, code := range currencies(keys) {
		of := slices.DeleteFunc(slices.Clone(keys), func(p Piece) bool { return string(p.Currency) != code })
		out = append(out, code+" "+cashCounts(CashChanger, of, p, h.service.scaleOf(h)))
	}
	return strings.Join(out, " | ")
}

// scaleOf is the scale of the handle's device. The caller holds mu.
func (s *Service) scaleOf(h *Handle) int64 {
	if h.dev == nil {
		return 1
	}
	return h.dev.cfg.scale()
}

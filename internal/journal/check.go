package journal

import "coffer/internal/cash"

var kinds = map[cash.Kind]bool{
	cash.KindCredit: true, cash.KindPayout: true, cash.KindMove: true, cash.KindAdjust: true, cash.KindHold: true,
	cash.KindReturn: true, cash.KindDiscrepancy: true, cash.KindOperation: true, cash.KindDocument: true,
}

var places = map[cash.Place]bool{
	cash.Customer: true, cash.Escrow: true, cash.Payout: true, cash.Cashbox: true, cash.Operator: true, cash.Unknown: true,
}

// checkLine returns the row as it will be written, or why it cannot be.
func checkLine(l cash.Line) (cash.Line, error) {
	if !kinds[l.Kind] {
		return l, invalid("no ledger kind %q", l.Kind)
	}
	moneyless := l.Kind == cash.KindOperation || l.Kind == cash.KindDocument
	if moneyless {
		l.From, l.To = orUnknown(l.From), orUnknown(l.To)
	}
	unknownPiece := l.Kind == cash.KindDiscrepancy && l.Value == 0
	switch {
	case l.Device == "" && l.Kind != cash.KindDocument:
		return l, invalid("%s row without a device", l.Kind)
	case !places[l.From] || !places[l.To]:
		return l, invalid("%s row from %q to %q: no such place", l.Kind, l.From, l.To)
	case moneyless && (l.Value != 0 || l.Count != 0):
		return l, invalid("%s row carries no money", l.Kind)
	case unknownPiece && l.Count < 0:
		return l, invalid("%s row with count %d", l.Kind, l.Count)
	case !moneyless && !unknownPiece && (l.Value < 1 || l.Count < 1 || !l.Currency.Valid()):
		return l, invalid("%s row of %d x %d %q: value and count begin at 1, with a currency", l.Kind, l.Count, l.Value, l.Currency)
	case !moneyless && l.From == l.To && l.Kind != cash.KindDiscrepancy:
		return l, invalid("%s row from %s to the same place", l.Kind, l.From)
	}
	l.Device, l.Op = cash.DeviceID(clean(string(l.Device))), clean(l.Op)
	l.Currency, l.Detail = cash.Currency(clean(string(l.Currency))), clean(l.Detail)
	return l, nil
}

func orUnknown(p cash.Place) cash.Place {
	if p == "" {
		return cash.Unknown
	}
	return p
}

// checkOp refuses an operation that the ledger cannot hold, and resets what Begin assigns.
func checkOp(op *cash.Op) error {
	switch {
	case op.Device == "":
		return invalid("operation without a device")
	case op.Kind == "":
		return invalid("operation without a kind")
	case op.Asked.Value < 0 || op.Worth.Value < 0 || op.Least < 0:
		return invalid("operation over %s", op.Asked)
	}
	op.ID, op.State, op.Paid = "", "", nil
	op.Key, op.Actor, op.Detail = clean(op.Key), clean(op.Actor), clean(op.Detail)
	op.Device, op.Asked.Currency = cash.DeviceID(clean(string(op.Device))), cash.Currency(clean(string(op.Asked.Currency)))
	return nil
}

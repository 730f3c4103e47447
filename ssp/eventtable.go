package ssp

// Properties of an event.
const (
	repeats = 1 << iota // status, not one-shot
	acked               // section 11.5
	fault
	moving
)

// layout is how the data of an event lies on the wire (section 11.2).
type layout uint8

const (
	none layout = iota
	ch          // channel
	errb        // error byte
	u32         // value without currency
	vc          // value, currency
	ccv         // currency, value: the order of READ and CREDIT at version 9
	nvc         // count, then value, currency each
	prq         // paid, requested
	nprc        // count, then paid, requested, currency each
	nvcE        // nvc, then error byte
)

// layouts names the layout of an event at each protocol version.
type layouts struct{ v4, v5, v6, v7, v8, v9 layout }

func (l layouts) at(version int) layout {
	switch {
	case version <= 4:
		return l.v4
	case version == 5:
		return l.v5
	case version == 6:
		return l.v6
	case version == 7:
		return l.v7
	case version == 8:
		return l.v8
	}
	return l.v9
}

func always(l layout) layouts       { return layouts{l, l, l, l, l, l} }
func from6(old, new layout) layouts { return layouts{old, old, new, new, new, new} }
func from7(old, new layout) layouts { return layouts{old, old, old, new, new, new} }
func from8(old, new layout) layouts { return layouts{old, old, old, old, new, new} }
func from9(old, new layout) layouts { return layouts{old, old, old, old, old, new} }

var (
	plain     = always(none)
	byChannel = always(ch)
	byError   = always(errb)
	amounts   = from6(u32, nvc)
)

type eventInfo struct {
	name string
	lay  layouts
	is   int
}

// eventTable is section 11.3, indexed by code. E6 depends on the family: see eventLayout.
var eventTable = [256]eventInfo{
	EvSlaveReset:           {"SLAVE RESET", plain, 0},
	EvRead:                 {"READ", from9(ch, ccv), repeats | moving},
	EvCredit:               {"CREDIT", from9(ch, ccv), acked},
	EvRejecting:            {"REJECTING", plain, repeats | moving},
	EvRejected:             {"REJECTED", plain, 0},
	EvStacked:              {"STACKED", plain, 0},
	EvSafeJam:              {"SAFE JAM", plain, repeats | fault},
	EvUnsafeJam:            {"UNSAFE JAM", plain, repeats | fault},
	EvDisabled:             {"DISABLED", plain, repeats},
	EvStackerFull:          {"STACKER FULL", plain, repeats | fault},
	EvFraudAttempt:         {"FRAUD ATTEMPT", byChannel, acked | fault},
	EvBarcodeValidated:     {"BARCODE TICKET VALIDATED", plain, repeats | moving},
	EvCashboxReplaced:      {"CASHBOX REPLACED", plain, 0},
	EvCashboxRemoved:       {"CASHBOX REMOVED", plain, repeats},
	EvClearedIntoCashbox:   {"NOTE CLEARED INTO CASHBOX", byChannel, acked},
	EvClearedFromFront:     {"NOTE CLEARED FROM FRONT", byChannel, acked},
	EvNotePathOpen:         {"NOTE PATH OPEN", plain, repeats},
	EvCoinCredit:           {"COIN CREDIT", from6(u32, vc), acked},
	EvCashboxPaid:          {"CASHBOX PAID", amounts, 0},
	EvIncompleteFloat:      {"INCOMPLETE FLOAT", from6(prq, nprc), acked},
	EvIncompletePayout:     {"INCOMPLETE PAYOUT", from6(prq, nprc), acked},
	EvNoteStored:           {"NOTE STORED IN PAYOUT", plain, 0},
	EvDispensing:           {"DISPENSING", amounts, repeats | moving},
	EvTimeOut:              {"TIME OUT", amounts, acked | fault},
	EvFloated:              {"FLOATED", amounts, acked},
	EvFloating:             {"FLOATING", amounts, repeats | moving},
	EvHalted:               {"HALTED", amounts, acked},
	EvJammed:               {"JAMMED", amounts, repeats | fault},
	EvCoinsEmpty:           {"COINS EMPTY", plain, repeats},
	EvCoinsLow:             {"COINS LOW", plain, repeats},
	EvDispensed:            {"DISPENSED", amounts, acked},
	EvBarcodeAck:           {"BARCODE TICKET ACK", plain, 0},
	EvDeviceFull:           {"DEVICE FULL", plain, repeats},
	EvNoteHeldInBezel:      {"NOTE HELD IN BEZEL", from8(none, vc), repeats | moving},
	EvDispensedAtReset:     {"NOTE DISPENSED AT RESET", from6(none, vc), acked},
	EvStacking:             {"STACKING", plain, repeats | moving},
	EvIntoStoreAtReset:     {"NOTE INTO STORE AT RESET", from8(none, vc), acked},
	EvIntoStackerAtReset:   {"NOTE INTO STACKER AT RESET", from8(none, vc), acked},
	EvTransferredToStacker: {"NOTE TRANSFERRED TO STACKER", from6(none, vc), acked},
	EvFloatAttached:        {"NOTE FLOAT ATTACHED", plain, 0},
	EvFloatRemoved:         {"NOTE FLOAT REMOVED", plain, repeats | fault},
	EvPayoutOutOfService:   {"PAYOUT OUT OF SERVICE", plain, repeats | fault},
	EvCoinReturnPressed:    {"COIN MECH RETURN PRESSED", plain, 0},
	EvCoinMechJammed:       {"COIN MECH JAMMED", plain, repeats | fault},
	EvEmptied:              {"EMPTIED", plain, 0},
	EvEmptying:             {"EMPTYING", plain, repeats | moving},
	EvPayInActive:          {"PAY-IN ACTIVE", plain, repeats | moving},
	EvMaintenanceRequired:  {"MAINTENANCE REQUIRED", plain, repeats},
	EvValueAdded:           {"VALUE ADDED", amounts, acked},
	EvCoinMechEnabled:      {"ATTACHED COIN MECH ENABLED", plain, 0},
	EvCoinMechDisabled:     {"ATTACHED COIN MECH DISABLED", plain, repeats},
	EvCoinRejected:         {"COIN REJECTED", plain, 0},
	EvCoinMechError:        {"COIN MECH ERROR", byError, repeats | fault},
	EvInitialising:         {"INITIALISING", plain, repeats | moving},
	EvChannelDisable:       {"CHANNEL DISABLE", plain, repeats},
	EvSmartEmptied:         {"SMART EMPTIED", amounts, acked},
	EvSmartEmptying:        {"SMART EMPTYING", amounts, repeats | moving},
	EvErrorDuringPayout:    {"ERROR DURING PAYOUT", from7(errb, nvcE), acked | fault},
	EvJamRecovery:          {"JAM RECOVERY", plain, repeats | moving},

	EvPrintedToCashbox:     {"PRINTED TO CASHBOX", plain, 0},
	EvPrintHalted:          {"PRINT HALTED", plain, 0},
	EvTicketInBezel:        {"TICKET IN BEZEL", plain, repeats},
	EvPaperReplaced:        {"PAPER REPLACED", plain, 0},
	EvNoPaper:              {"NO PAPER", plain, repeats},
	EvTicketPathClosed:     {"TICKET PATH CLOSED", plain, 0},
	EvPrinterHeadReplaced:  {"PRINTER HEAD REPLACED", plain, 0},
	EvTicketPrintingError:  {"TICKET PRINTING ERROR", byError, fault},
	EvTicketInBezelAtStart: {"TICKET IN BEZEL AT STARTUP", plain, 0}, // size not documented
	EvTicketPrinted:        {"TICKET PRINTED", plain, 0},
	EvTicketPrinting:       {"TICKET PRINTING", plain, repeats},
	EvTicketJam:            {"TICKET JAM", plain, repeats | fault},
	EvTicketPathOpen:       {"TICKET PATH OPEN", plain, repeats},
	EvPrinterHeadRemoved:   {"PRINTER HEAD REMOVED", plain, repeats},
	EvTicketsReplaced:      {"TICKETS REPLACED", plain, 0},
	EvTicketsLow:           {"TICKETS LOW", plain, repeats},

	EvLifter:             {"LIFTER EVENT", byError, 0},
	EvCassetteFull:       {"RC FULL", plain, repeats},
	EvCassetteReplaced:   {"RC REPLACED", plain, 0},
	EvCassetteRemoved:    {"RC REMOVED", plain, repeats},
	EvSentToCassetteTray: {"NOTE SENT TO RC TRAY", plain, 0},
	EvStoredFromCassette: {"NOTE STORED FROM RC", always(nvc), 0},
	EvIncompleteCommit:   {"INCOMPLETE ESCROW COMMIT", always(nvc), acked},
	EvIncompleteCancel:   {"INCOMPLETE ESCROW CANCEL", always(nvc), acked},
	EvEscrowCommitted:    {"ESCROW COMMITTED", always(nvc), acked},
	EvEscrowCommitting:   {"ESCROW COMMITTING", always(nvc), repeats | moving},
	EvEscrowCancelled:    {"ESCROW CANCELLED", always(nvc), acked},
	EvEscrowCancelling:   {"ESCROW CANCELLING", always(nvc), repeats | moving},

	EvCashboxUnlockEnabled: {"CASHBOX UNLOCK ENABLED", plain, 0},
	EvCashboxBackInService: {"CASHBOX BACK IN SERVICE", plain, 0},
	EvCashboxTamper:        {"CASHBOX TAMPER", plain, fault},
	EvCashboxOutOfService:  {"CASHBOX OUT OF SERVICE", byError, repeats | fault},
	EvEscrowActive:         {"ESCROW ACTIVE", plain, repeats},
	EvCalibrationFailed:    {"CALIBRATION FAILED", byError, repeats | fault},
}

// eventLayout returns the layout of an event at a protocol version, from a coin machine or from any other.
func eventLayout(c EventCode, version int, coins bool) layout {
	if c == EvFraudAttempt && coins {
		return amounts.at(version)
	}
	return eventTable[c].lay.at(version)
}

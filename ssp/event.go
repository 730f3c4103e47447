package ssp

import "fmt"

// EventCode is the code of an event in the answer to a poll (section 11.3).
type EventCode byte

// All events of section 11.3, and those of section 16 that are this project's own.
const (
	EvSlaveReset           EventCode = 0xF1
	EvRead                 EventCode = 0xEF
	EvCredit               EventCode = 0xEE
	EvRejecting            EventCode = 0xED
	EvRejected             EventCode = 0xEC
	EvStacked              EventCode = 0xEB
	EvSafeJam              EventCode = 0xEA
	EvUnsafeJam            EventCode = 0xE9
	EvDisabled             EventCode = 0xE8
	EvStackerFull          EventCode = 0xE7
	EvFraudAttempt         EventCode = 0xE6
	EvBarcodeValidated     EventCode = 0xE5
	EvCashboxReplaced      EventCode = 0xE4
	EvCashboxRemoved       EventCode = 0xE3
	EvClearedIntoCashbox   EventCode = 0xE2
	EvClearedFromFront     EventCode = 0xE1
	EvNotePathOpen         EventCode = 0xE0
	EvCoinCredit           EventCode = 0xDF
	EvCashboxPaid          EventCode = 0xDE
	EvIncompleteFloat      EventCode = 0xDD
	EvIncompletePayout     EventCode = 0xDC
	EvNoteStored           EventCode = 0xDB
	EvDispensing           EventCode = 0xDA
	EvTimeOut              EventCode = 0xD9
	EvFloated              EventCode = 0xD8
	EvFloating             EventCode = 0xD7
	EvHalted               EventCode = 0xD6
	EvJammed               EventCode = 0xD5
	EvCoinsEmpty           EventCode = 0xD4
	EvCoinsLow             EventCode = 0xD3
	EvDispensed            EventCode = 0xD2
	EvBarcodeAck           EventCode = 0xD1
	EvDeviceFull           EventCode = 0xCF
	EvNoteHeldInBezel      EventCode = 0xCE
	EvDispensedAtReset     EventCode = 0xCD
	EvStacking             EventCode = 0xCC
	EvIntoStoreAtReset     EventCode = 0xCB
	EvIntoStackerAtReset   EventCode = 0xCA
	EvTransferredToStacker EventCode = 0xC9
	EvFloatAttached        EventCode = 0xC8
	EvFloatRemoved         EventCode = 0xC7
	EvPayoutOutOfService   EventCode = 0xC6
	EvCoinReturnPressed    EventCode = 0xC5
	EvCoinMechJammed       EventCode = 0xC4
	EvEmptied              EventCode = 0xC3
	EvEmptying             EventCode = 0xC2
	EvPayInActive          EventCode = 0xC1
	EvMaintenanceRequired  EventCode = 0xC0
	EvValueAdded           EventCode = 0xBF
	EvCoinMechEnabled      EventCode = 0xBE
	EvCoinMechDisabled     EventCode = 0xBD
	EvCoinRejected         EventCode = 0xBA
	EvCoinMechError        EventCode = 0xB7
	EvInitialising         EventCode = 0xB6
	EvChannelDisable       EventCode = 0xB5
	EvSmartEmptied         EventCode = 0xB4
	EvSmartEmptying        EventCode = 0xB3
	EvErrorDuringPayout    EventCode = 0xB1
	EvJamRecovery          EventCode = 0xB0
	EvPrintedToCashbox     EventCode = 0xAF
	EvPrintHalted          EventCode = 0xAE
	EvTicketInBezel        EventCode = 0xAD
	EvPaperReplaced        EventCode = 0xAC
	EvNoPaper              EventCode = 0xAB
	EvTicketPathClosed     EventCode = 0xAA
	EvPrinterHeadReplaced  EventCode = 0xA9
	EvTicketPrintingError  EventCode = 0xA8
	EvTicketInBezelAtStart EventCode = 0xA7
	EvTicketPrinted        EventCode = 0xA6
	EvTicketPrinting       EventCode = 0xA5
	EvTicketJam            EventCode = 0xA4
	EvTicketPathOpen       EventCode = 0xA3
	EvPrinterHeadRemoved   EventCode = 0xA2
	EvTicketsReplaced      EventCode = 0xA1
	EvTicketsLow           EventCode = 0xA0
	EvLifter               EventCode = 0x9F // [proj]
	EvCassetteFull         EventCode = 0x9E // [proj] replenishment cassette of the NV4000
	EvCassetteReplaced     EventCode = 0x9D // [proj]
	EvCassetteRemoved      EventCode = 0x9C // [proj]
	EvSentToCassetteTray   EventCode = 0x9B // [proj]
	EvStoredFromCassette   EventCode = 0x9A // [proj]
	EvIncompleteCommit     EventCode = 0x99 // [proj] multi escrow
	EvIncompleteCancel     EventCode = 0x98 // [proj]
	EvEscrowCommitted      EventCode = 0x97 // [proj]
	EvEscrowCommitting     EventCode = 0x96 // [proj]
	EvEscrowCancelled      EventCode = 0x95 // [proj]
	EvEscrowCancelling     EventCode = 0x94 // [proj]
	EvCashboxUnlockEnabled EventCode = 0x93
	EvCashboxBackInService EventCode = 0x92
	EvCashboxTamper        EventCode = 0x91
	EvCashboxOutOfService  EventCode = 0x90
	EvEscrowActive         EventCode = 0x8B
	EvCalibrationFailed    EventCode = 0x83
)

// Event is one entry of the answer to a poll. Which fields are used depends on Code and on the protocol version.
type Event struct {
	Code    EventCode
	Channel byte    // of the note, from 1; 0 is unknown. EE, EF, E1, E2, E6 of note devices
	Error   byte    // error or reason byte: A8, B1, B7, 83, 90; state of the lifter, 9F
	Values  []Value // one a currency; one with Currency "" below protocol 6
}

// Value is an amount of money in an event.
type Value struct {
	Paid      uint32 // minor units: the value, or what was paid of Requested
	Requested uint32 // minor units; only DC and DD
	Currency  string // three capitals, "" where the layout carries none (below protocol 6)
}

// Total returns the sum of Paid over the event's values in currency cc, and values without a currency.
func (e Event) Total(cc string) (paid int64) {
	for _, v := range e.Values {
		if v.Currency == cc || v.Currency == "" {
			paid += int64(v.Paid)
		}
	}
	return paid
}

// String returns the name of section 11.3, or the number of an unknown code.
func (c EventCode) String() string {
	if n := eventTable[c].name; n != "" {
		return n
	}
	return fmt.Sprintf("0x%02X", byte(c))
}

// Known reports whether the parser knows the code.
func (c EventCode) Known() bool { return eventTable[c].name != "" }

// OneShot reports whether the event is told once. Any other is status: it stands in every answer while its condition
// lasts. CASHBOX REMOVED, about which the sources are silent, counts as status.
func (c EventCode) OneShot() bool { return eventTable[c].is&repeats == 0 && c.Known() }

// NeedsAck reports whether a machine polled with POLL WITH ACK repeats its answer until EVENT ACK comes: the list of
// section 11.5, which is wider than the manual's.
func (c EventCode) NeedsAck() bool { return eventTable[c].is&acked != 0 }

// Fault reports whether the event tells of something wrong ("Err" in section 11.3).
func (c EventCode) Fault() bool { return eventTable[c].is&fault != 0 }

// Moving reports whether money is on its way inside the machine while the event stands: a reading of levels would be
// out of date at once.
func (c EventCode) Moving() bool { return eventTable[c].is&moving != 0 }

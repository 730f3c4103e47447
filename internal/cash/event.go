package cash

import "strconv"

// Event is one fact that a device or the till reports. Only this package can add a kind, so a switch over Event can be
// complete; TestEventsAreDecided lists every edge that must decide about a new one.
type Event interface{ isEvent() }

// State is the state of a device as its API callers know it. The numbers are the positions of the list in the
// Cash Device REST manual, "DeviceStatusResponse" (specs/itl-rest.md §6.2).
type State int

// The states, in the order of the manual.
const (
	StateNotConnected State = iota
	StateConnecting
	StateStarting
	StateStarted
	StateDisabled
	StateIdle
	StateAccepting
	StateDispensing
	StateFloating
	StateEmptying
	StateReplenishing
	StateJamRecovery
	StateError
	StateDeviceFull
	StateReset
	StateConnected
	StateStopped
	StatePurging
	StatePurged
	StateInitialising
	StateCashboxRemoved
	StateCashboxReplace
	StateStopping
	StatePayInActive
	StateCoinMechEnabled
	StateCoinMechDisabled
	StateMaintenanceRequired
	StateChannelDisable
	StateCalibrationFailed
	StateFraudAttempt
	StateLifterEvent
	StateRejecting
	StateRejected
	StateCoinMechJammed
	StateNoteHeldInBezel
	StateBarcodeTicketValidated
	StateBarcodeTicketAcknowledge
	StateNoteFloatRemoved
	StateNoteFloatAttached
	StateNotePathOpen
	StateSCNoCard
	StateSCCardInitialising
	StateSCCardReady
	StateSCNoActiveDataset
	StateSCChangingDataset
	StateSCDatasetReady
)

var stateNames = [...]string{
	"NOT_CONNECTED", "CONNECTING", "STARTING", "STARTED", "DISABLED", "IDLE", "ACCEPTING", "DISPENSING", "FLOATING",
	"EMPTYING", "REPLENISHING", "JAM_RECOVERY", "ERROR", "DEVICE_FULL", "RESET", "CONNECTED", "STOPPED", "PURGING",
	"PURGED", "INITIALISING", "CASHBOX_REMOVED", "CASHBOX_REPLACE", "STOPPING", "PAY_IN_ACTIVE", "COIN_MECH_ENABLED",
	"COIN_MECH_DISABLED", "MAINTENANCE_REQUIRED", "CHANNEL_DISABLE", "CALIBRATION_FAILED", "FRAUD_ATTEMPT",
	"LIFTER_EVENT", "REJECTING", "REJECTED", "COIN_MECH_JAMMED", "NOTE_HELD_IN_BEZEL", "BAR_CODE_TICKET_VALIDATED",
	"BAR_CODE_TICKET_ACKNOWLEDGE", "NOTE_FLOAT_REMOVED", "NOTE_FLOAT_ATTACHED", "NOTE_PATH_OPEN", "SCSTATUS_NO_CARD",
	"SCSTATUS_CARD_INITIALISING", "SCSTATUS_CARD_READY", "SCSTATUS_NO_ACTIVE_DATASET", "SCSTATUS_CHANGING_DATASET",
	"SCSTATUS_DATASET_READY",
}

// OpKind is a kind of operation that moves stored money.
type OpKind string

// The operations.
const (
	OpDispense OpKind = "dispense"
	OpFloat    OpKind = "float"
	OpEmpty    OpKind = "empty"
)

// OpResult is how a machine ended an operation, or how the till closed it.
type OpResult string

// The results. Partial, Failed and Unknown are the till's; a machine reports the others.
const (
	OpDone     OpResult = "done"
	OpHalted   OpResult = "halted"
	OpTimedOut OpResult = "timed_out"
	OpJammed   OpResult = "jammed"
	OpErrored  OpResult = "error"
	OpCut      OpResult = "incomplete" // found at power-up (INCOMPLETE PAYOUT, INCOMPLETE FLOAT)
	OpPartial  OpResult = "partial"
	OpFailed   OpResult = "failed" // nothing moved
	OpUnknown  OpResult = "unknown"
)

// What a device reports. A driver hands these to its devices.Sink in the order in which they happened.
type (
	// StateChanged: the device went into State. Sent on change only.
	StateChanged struct{ State State }

	// NoteHeld: a note is in escrow and still the customer's. Written as a hold row.
	NoteHeld struct{ Note Denom }
	// NoteCredited: the note has passed the point of no return and is ours (CREDIT). To is where it is expected to
	// go, by route and room; NotePlaced corrects it. Written as a credit row.
	NoteCredited struct {
		Note Denom
		To   Place
	}
	// NotePlaced: a credited note has arrived in To (STACKED or NOTE STORED). Written as a move row if the credit
	// row said otherwise.
	NotePlaced struct {
		Note Denom
		To   Place
	}
	// NoteReturned: the held note is back with the customer. Written as a return row. Code is the last reject code.
	NoteReturned struct {
		Note Denom
		Code byte
	}
	// NoteRejected: a piece that was never held went back. Moves nothing. Code is the last reject code.
	NoteRejected struct{ Code byte }

	// CoinCredited: Count coins of one denomination were taken. Written as a credit row.
	CoinCredited struct {
		Coin  Denom
		Count int
		To    Place
		Added bool // reported as VALUE ADDED instead of COIN CREDIT
	}
	// Filled: a person has put Count coins into the store, or taken -Count out, and the machine's level was set to say
	// so. Written as an adjust row.
	Filled struct {
		Coin  Denom
		Count int
	}
	// CashboxSet: a person has put Count coins into the cashbox, and a count of the machine or of ours was set to say so.
	// Count 0 says that there is none of Coin any more; with the zero Coin, that the cashbox is empty. Written as adjust
	// rows.
	CashboxSet struct {
		Coin  Denom
		Count int
	}
	// CoinRejected: a coin came out of the feeder unread or unwanted.
	CoinRejected struct{}

	// CoinReturnPressed: somebody has pressed the return lever of the coin mech. Moves nothing by itself.
	CoinReturnPressed struct{}

	// NoteInBezel: a dispensed note waits to be taken.
	NoteInBezel struct{ Note Denom }

	// Progress: a running operation has moved Total so far. Pieces is what moved since the last Progress where the
	// machine's levels show it, else nil; it is written as payout or move rows.
	Progress struct {
		Op     OpKind
		Total  Amount
		Pieces Counts
	}
	// Ended: the machine has ended the operation. Total is what it says was moved; Asked is set for Result OpCut.
	// Account is the machine's own books, read before the event is acknowledged; from them the till writes what is
	// still missing per denomination.
	Ended struct {
		Op      OpKind
		Result  OpResult
		Total   Amount
		Asked   Amount
		Account *Account
	}
	// MovedToCashbox: pieces went from the store to the cashbox outside an operation of ours, or DURING one (cashbox
	// paid). Amount only: which pieces is learnt from Account.
	MovedToCashbox struct{ Amount Amount }

	// ClearedAtPowerUp: at power-up the machine found a note in its path and moved it From (path: Customer for a note
	// on its way in, Payout for one on its way out) To. Note is zero when the machine does not know it. Evidence only.
	ClearedAtPowerUp struct {
		Note Denom
		From Place
		To   Place
	}

	// MultiEscrow: what becomes of the notes that a machine holds in its store until its host decides on all of them.
	// NoteHeld told of each when it came in; NoteCredited with NotePlaced, or NoteReturned, tells what became of each, so
	// that this moves nothing. Amount is what was taken or given back so far, or in all.
	MultiEscrow struct {
		Step   MultiEscrowStep
		Amount Amount
	}
	// Replenish: a replenishment cassette. Nothing leaves the payout store by ReplenishStored. Amount is zero where the
	// step has no note.
	Replenish struct {
		Step   ReplenishStep
		Amount Amount
	}

	// Fraud: a manipulation attempt.
	Fraud struct{ Amount Amount }
	// Jammed: safe or unsafe note jam, or payout jam with the value paid so far.
	Jammed struct{ Amount Amount }
	// PayoutError: ERROR DURING PAYOUT, with the value paid so far.
	PayoutError struct{ Amount Amount }
	// CalibrationFailed with the reason byte of SSP event 83.
	CalibrationFailed struct{ Reason byte }
	// UnknownEvent: a poll answer held a code we cannot parse; Raw is the whole answer. The driver audits afterwards.
	UnknownEvent struct{ Raw []byte }
)

// MultiEscrowStep is how far a decision on the notes of a multi escrow has come.
type MultiEscrowStep string

// The steps. The incomplete ones are found at power-up: what was not taken or given back by then is still held.
const (
	EscrowCommitting       MultiEscrowStep = "committing"
	EscrowCommitted        MultiEscrowStep = "committed"
	EscrowCommitIncomplete MultiEscrowStep = "commit incomplete"
	EscrowCancelling       MultiEscrowStep = "cancelling"
	EscrowCancelled        MultiEscrowStep = "cancelled"
	EscrowCancelIncomplete MultiEscrowStep = "cancel incomplete"
)

// ReplenishStep is what a replenishment cassette reports.
type ReplenishStep string

// The steps.
const (
	ReplenishStored  ReplenishStep = "stored"       // a note went from the cassette into a recycler
	ReplenishTray    ReplenishStep = "sent to tray" // a note was no good: it lies in the cassette's tray, out of the store
	CassetteRemoved  ReplenishStep = "cassette removed"
	CassetteReplaced ReplenishStep = "cassette replaced"
	CassetteFull     ReplenishStep = "cassette full"
)

// What the till reports.
type (
	// OpStarted: an operation's intent is on disk and its command was accepted by the machine.
	OpStarted struct {
		ID    string
		Op    OpKind
		Asked Amount
	}
	// OpClosed: the till has closed the operation, or marked it as unknown. One that the machine refused is not told of:
	// whoever asked has the error.
	OpClosed struct {
		ID     string
		Op     OpKind
		Result OpResult
		Asked  Amount
		Paid   Amount
		Pieces Counts
	}
	// Discrepancy: machine and ledger disagreed; a row was written.
	Discrepancy struct{ Detail string }
	// RouteSet: a denomination's route was changed, or could not be.
	RouteSet struct {
		Denom Denom
		OK    bool
	}
)

func (StateChanged) isEvent()      {}
func (NoteHeld) isEvent()          {}
func (NoteCredited) isEvent()      {}
func (NotePlaced) isEvent()        {}
func (NoteReturned) isEvent()      {}
func (NoteRejected) isEvent()      {}
func (CoinCredited) isEvent()      {}
func (Filled) isEvent()            {}
func (CashboxSet) isEvent()        {}
func (CoinRejected) isEvent()      {}
func (CoinReturnPressed) isEvent() {}
func (NoteInBezel) isEvent()       {}
func (Progress) isEvent()          {}
func (Ended) isEvent()             {}
func (MovedToCashbox) isEvent()    {}
func (ClearedAtPowerUp) isEvent()  {}
func (MultiEscrow) isEvent()       {}
func (Replenish) isEvent()         {}
func (Fraud) isEvent()             {}
func (Jammed) isEvent()            {}
func (PayoutError) isEvent()       {}
func (CalibrationFailed) isEvent() {}
func (UnknownEvent) isEvent()      {}
func (OpStarted) isEvent()         {}
func (OpClosed) isEvent()          {}
func (Discrepancy) isEvent()       {}
func (RouteSet) isEvent()          {}

// String returns the state's name in capitals, as the Cash Device REST API prints it; an unknown state prints its
// number.
func (s State) String() string {
	if s >= 0 && int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "STATE_" + strconv.Itoa(int(s))
}

// Account is what a machine itself says of its stock, read while nothing moves: the second witness beside the ledger.
type Account struct {
	Serial   string      `json:"serial"`   // main serial number, "" if the machine has none
	Levels   Counts      `json:"levels"`   // pieces in the payout store; nil for a machine without one
	Counters []uint32    `json:"counters"` // as answered to GET COUNTERS (ssp.md §10.12); nil if the machine has none
	Kind     CounterKind `json:"kind"`
	Moved    Counts      `json:"moved,omitempty"` // CASHBOX PAYOUT OPERATION DATA of the last operation, nil if not asked
	// MovedUnknown is the count of pieces of that operation that the machine could not identify.
	MovedUnknown int `json:"moved_unknown,omitempty"`
}

// CounterKind says how to read Account.Counters.
type CounterKind string

// The layouts of ssp.md §10.12.
const (
	CountersNone CounterKind = ""
	CountersNote CounterKind = "note" // stacked, stored, dispensed, transferred store → stacker, rejected
	CountersCoin CounterKind = "coin" // out incl. to cashbox, in, feeder rejects, hopper jams, feeder jams, fraud, calibration fails, resets[, to cashbox]
	// CountersHopper are those of the SMART Hopper 3: past sensors, in, out, to cashbox, payout requests, float requests.
	CountersHopper CounterKind = "hopper"
)

// Coins says whether a coin machine counts so.
func (k CounterKind) Coins() bool { return k == CountersCoin || k == CountersHopper }

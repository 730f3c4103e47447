package cash

import "time"

// Op is an operation that moves stored money, as the ledger keeps it: its intent is on disk before its command is sent.
type Op struct {
	ID      string // assigned by the ledger
	Key     string // the caller's key, "" for none; a key names one operation for ever
	Kind    OpKind
	Device  DeviceID
	Actor   string // who asked: a user name or a dialect
	Asked   Amount // dispense
	Pieces  Counts // dispense: exactly these pieces, worth Asked; nil for the machine's choice
	Keep    Counts // float: pieces to keep
	Worth   Amount // float by amount: what is to be kept is worth this, instead of Keep; else the zero Amount
	Least   int64  // float by amount: the smallest amount that can still be paid afterwards, minor units
	Module  byte   // empty: module number, 0 = all
	Whole   string // of a leg: the operation over several machines that it is part of; "" for none
	State   OpResult
	Paid    Counts // pieces moved, known when closed
	Detail  string
	Started time.Time
	Ended   time.Time // zero while open

	// Across are the machines over which a whole was planned, nil for an operation of one machine. The Device of a whole
	// is the first of them; what it moves stands in its legs.
	Across []DeviceID
}

// Open says whether the outcome of the operation is not on disk yet. A result of unknown is open: a person or the
// machine's own books settle it.
func (o Op) Open() bool { return o.State == "" || o.State == OpUnknown }

// OpClose is the outcome of an operation.
type OpClose struct {
	ID     string
	Result OpResult // OpUnknown marks the operation and leaves it open
	Paid   Counts
	Detail string
}

// Baseline is a machine's own books at a moment when ledger and machine agreed: the differences of its counters since
// are compared with the ledger rows after Seq.
type Baseline struct {
	Device  DeviceID
	Account Account
	Seq     int64 // last ledger row then; filled in by the ledger
	At      time.Time
}

// Evidence is an event seen while a machine was drained, kept on disk until its books are reconciled.
type Evidence struct {
	Device DeviceID
	At     time.Time
	Type   string // name of the Event type, e.g. "NoteCredited"
	Data   []byte // the event as JSON
}

// LedgerWrite is what is committed in one transaction. Everything in it is on disk when the write returns, or nothing is.
type LedgerWrite struct {
	Lines         []Line
	Close         []OpClose
	Evidence      []Evidence
	ClearEvidence DeviceID  // forget what was kept for this device
	Baseline      *Baseline // replaces the device's baseline; its Seq is the last row of this write
}

// BalanceRow is how many pieces of one denomination are in one place of one device.
type BalanceRow struct {
	Device   DeviceID `json:"device"`
	Place    Place    `json:"place"` // payout, cashbox or escrow
	Value    int64    `json:"value"`
	Currency Currency `json:"currency"`
	Count    int      `json:"count"`
}

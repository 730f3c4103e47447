package cash

import "time"

// DeviceID names a machine in every API and in the ledger: "<deviceModel>-<port name>", as "SPECTRAL_PAYOUT-COM5"; a
// second machine of one model on the same port adds "@ADDRESS" (contract, section 6).
type DeviceID string

// Place is where a piece of money is.
type Place string

// The places of the ledger (contract, section 6).
const (
	Customer Place = "customer"
	Escrow   Place = "escrow"
	Payout   Place = "payout"
	Cashbox  Place = "cashbox"
	Operator Place = "operator"
	Unknown  Place = "unknown"
)

// Kind is what a ledger row says.
type Kind string

// The kinds of the ledger (contract, section 6).
const (
	KindCredit      Kind = "credit"      // a piece taken for good, into payout or cashbox
	KindPayout      Kind = "payout"      // handed out
	KindMove        Kind = "move"        // from one place in the machine to another
	KindAdjust      Kind = "adjust"      // by a person, or at first sight of a machine
	KindHold        Kind = "hold"        // into escrow, still the customer's
	KindReturn      Kind = "return"      // given back, from escrow
	KindDiscrepancy Kind = "discrepancy" // machine and ledger disagreed; Detail says what is known
	KindOperation   Kind = "operation"   // an operation was opened or closed; Detail says which and how
	KindDocument    Kind = "document"    // a fiscal document
)

// Line is one row to be written. For money, Value and Count are at least 1; a discrepancy whose denomination is not
// known has Value 0 and is left out of the balance. Operation and document rows carry no money.
type Line struct {
	Device   DeviceID `json:"device"`
	Op       string   `json:"op"` // the operation it belongs to, "" for none
	Kind     Kind     `json:"kind"`
	Value    int64    `json:"value"`
	Currency Currency `json:"currency"`
	Count    int      `json:"count"`
	From     Place    `json:"from"`
	To       Place    `json:"to"`
	Detail   string   `json:"detail,omitempty"`
}

// Entry is a row as it stands in the ledger.
type Entry struct {
	Seq int64     `json:"seq"` // from 1, without gaps
	At  time.Time `json:"at"`  // UTC
	Line
	Hash string `json:"hash"` // hex SHA-256 over the row before and this row
}

package upos

import (
	"context"

	"coffer/internal/cash"
)

// Piece is one kind of money as UnifiedPOS tells them apart: the same value may exist as a coin and as a bill.
type Piece struct {
	Value    int64 // minor units, at least 1
	Currency cash.Currency
	Bill     bool
}

// Pieces says how many of each there are. The nil map reads as empty.
type Pieces map[Piece]int

// Part is one machine of a mechanism.
type Part struct {
	ID    string // of the configuration
	Bills bool   // notes, else coins

	Accepts   []Piece // what it can take, ascending; nil for one that cannot accept
	Holds     []Piece // what its store can hold and count, ascending; nil for one without a store
	Pays      []Piece // what it can hand out now, by route
	CanPause  bool    // acceptance can be interrupted
	CanRepay  bool    // everything that it accepts goes to its store, so the same can be given back
	CanFloat  bool    // it can move pieces from its store to its cashbox
	CanUpdate bool    // firmware can be put into it
	CanFull   bool    // it reports by itself when it is full

	StoreUntold bool // it has a store and has not told of it yet, so that Holds, Pays and what follows from them are not known

	Online   bool // it answers, and its books were compared
	Jammed   bool
	Full     bool // its cashbox or its store is full, as the machine says
	BoxOut   bool // its cashbox is removed
	Moving   bool // money is under way in it
	Store    Pieces
	Box      Pieces // its cashbox, by the ledger
	InDoubt  bool   // a discrepancy was written since its counts were last agreed
	Model    string
	Serial   string
	Firmware string
}

// Change is something that happened in a mechanism. What it says is on disk and Parts already shows it.
type Change struct {
	Part int // index in Parts

	Taken    Pieces // taken for good from a customer; below 0 what a machine has given back after all, as at power-up
	Doubt    bool   // a discrepancy was written
	Fraud    bool   // a manipulation attempt
	Returned bool   // a piece was refused or given back
	BoxOut   bool   // the cashbox was removed
	BoxIn    bool   // and put back
	Status   bool   // Online, Jammed, Full or a count of Parts has changed
}

// Request says who asks for what.
type Request struct {
	Owner string // of the claim
	Actor string // for the ledger
	Key   string // names one operation for ever, "" for none
	Parts []int  // the machines that may be used, nil for all
	Exit  int    // 1 to the customer, 2 to the cashbox (where all Parts CanFloat)

	Amount cash.Amount // of Dispense, if Pieces is nil: the mechanism chooses the pieces
	Pieces Pieces
}

// Paid is how a dispense ended. What is owed is asked minus Pieces.
type Paid struct {
	Pieces Pieces      // what is sure to have been handed out
	Amount cash.Amount // worth
	Sure   bool        // false: more may have been; only a person can tell
}

// Job is a dispense that has begun.
type Job interface {
	// ID is the operation in the ledger.
	ID() string
	// Wait waits for the end. Errors: nil where all was paid, *cash.PartialError, cash.ErrOutcomeUnknown, cash.ErrJam,
	// or ctx's.
	Wait(ctx context.Context) (Paid, error)
}

// Mechanism is the machinery behind a configured device: one machine, or a note recycler and a coin machine that make
// one till. upos/machines implements it over the till; this package only knows this interface. Errors are those of
// internal/cash. Safe for use from any goroutine.
type Mechanism interface {
	// Parts returns the machines as they are now, in the order of the configuration. The answer is the caller's.
	Parts() []Part
	// Watch has f called for every change from now on, one at a time and in order, until stop. f does not block, and may
	// call Parts: no lock that Parts needs is held around f.
	Watch(f func(Change)) (stop func())

	// Claim binds the machines to owner, all or none, so that nobody else can move their money; cash.ErrClaimed.
	// Release ends that.
	Claim(owner string) error
	Release(owner string)

	// Accept turns acceptance on or off in the parts of Request (what is held in escrow when it goes off is taken). What
	// was turned on stays wanted until it is turned off, over a jam and a lost connection too. Parts that cannot accept
	// are passed over. cash.ErrNotConnected, ErrJam, ErrNoCashbox, ErrFull; after an error some parts may be on.
	Accept(ctx context.Context, r Request, on bool) error
	// Quiet turns acceptance off that a program of another kind left on: what it holds in escrow goes back to its customer.
	// A part that is away, or refuses, is turned off as soon as that can be. Errors are those of Accept.
	Quiet(ctx context.Context, r Request) error
	// Settle waits until no money is under way in the parts: all that was inserted is credited (its changes were
	// delivered to every Watch) or returned. At most as long as ctx lasts.
	Settle(ctx context.Context, r Request) error

	// CanDispense asks whether Dispense would be refused now. Nothing moves. Errors: cash.ErrInvalid, ErrNotEnough
	// (stock is missing), ErrNotExact (no stock of these pieces could make it), ErrBusy, ErrNotConnected, ErrJam.
	CanDispense(ctx context.Context, r Request) error
	// Dispense pays r.Amount or r.Pieces, planned over all machines. It returns when the first machine has started;
	// with an error of CanDispense nothing has moved. A Key that was used before names an operation: its Job is
	// returned, running or ended, and nothing is paid again.
	Dispense(ctx context.Context, r Request) (Job, error)
	// Halt stops what runs at the next safe point; cash.ErrNothing if nothing does.
	Halt(ctx context.Context, r Request) error

	// Counts reads what is in place (cash.Payout or cash.Cashbox) now; doubt says that there may be pieces that could
	// not be counted. cash.ErrNotConnected.
	Counts(ctx context.Context, r Request, place cash.Place) (counts Pieces, doubt bool, err error)
	// Adjust says that place holds exactly r.Pieces of the pieces listed, and books the difference. Machines that count
	// their store themselves keep their own count.
	Adjust(ctx context.Context, r Request, place cash.Place) error

	// Ping asks one part for a sign of life.
	Ping(ctx context.Context, part int) error
	// Raw sends one SSP command to a part; see devices.Device.Raw for what is refused with cash.ErrInvalid.
	Raw(ctx context.Context, r Request, part int, command []byte) ([]byte, error)
	// CheckImage says whether image is a firmware file, and which firmware it holds ("" if it does not say):
	// cash.ErrInvalid. Update puts it into the part; progress gets 1…100.
	CheckImage(image []byte) (firmware string, err error)
	Update(ctx context.Context, r Request, part int, image []byte, progress func(percent int)) error
	// Statistics returns counters of the machines and of the service, by name.
	Statistics() map[string]int64
}

// Drawer is the opener of a cash drawer; the wiring plugs in who has one.
type Drawer interface {
	// Open opens the drawer: cash.ErrNotConnected.
	Open(ctx context.Context) error
	// Opened says whether the drawer is open; known is false where the drawer cannot tell.
	Opened() (open, known bool)
	// Watch has f called when the drawer was opened or closed, until stop.
	Watch(f func(open bool)) (stop func())
}

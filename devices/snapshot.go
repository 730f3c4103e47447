package devices

import (
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// Snapshot is an immutable picture of a device. Readers share it: change nothing in it.
type Snapshot struct {
	ID        cash.DeviceID // "" until the machine was identified for the first time
	Port      string        // the line's name
	Address   ssp.Address
	ConfigID  string // the id of the configuration, "" for a device opened ad hoc
	Connected bool   // the machine answers
	Ready     bool   // and its books were reconciled since the last connection
	State     cash.State
	Running   bool   // the device's goroutine polls it
	Error     string // why it is not connected or not ready, for people; "" if it is

	Identity

	AcceptorEnabled bool
	PayoutEnabled   bool
	PayToBezel      bool // notes that are paid wait in the bezel, and do not fall into the tray; see Recyclers
	AutoAccept      bool
	Escrow          *cash.Denom // the held note
	MultiEscrowSize int         // notes that the machine holds in its store at most; 0: it holds none there; see MultiEscrow
	MultiHeld       cash.Counts // notes that it holds there
	Operation       cash.OpKind // what the machine is doing, "" for nothing
	Moving          bool        // by its last answer money is on its way in it, or was told of a moment ago
	Channels        []Channel   // in dataset order; channel n is at n-1
	Levels          cash.Counts // payout store, as last read
	Counters        []uint32
	CounterKind     cash.CounterKind
	LastReject      byte
	Ticket          Ticket // the last barcode ticket of this connection
	TwinMode        byte   // of a machine with two hoppers; see Twin

	CashboxRemoved bool
	StackerFull    bool
	DeviceFull     bool
	Jammed         bool

	Changed time.Time // when this picture was taken

	attempts int  // to reach it that have ended, with a connection or without
	silent   bool // the last one did not get an answer to its first frame
}

// Identity is what a machine says of itself at start-up (ssp.md §8).
type Identity struct {
	Model          string // deviceModel of the REST dialects: SPECTRAL_PAYOUT, NOTE_VALIDATOR, SMART_COIN_SYSTEM, …
	UnitType       ssp.UnitType
	Coins          bool // a coin machine, else notes
	HasPayout      bool
	Protocol       int    // version in force, 4..9
	Encrypted      bool   // keys were negotiated
	Firmware       string // GET FIRMWARE VERSION
	Dataset        string // GET DATASET VERSION
	Serial         string // main serial number, decimal
	ModuleSerials  map[byte]string
	Revisions      []ssp.Revision
	Currency       cash.Currency // of the dataset
	RealMultiplier int64
}

// Channel is one denomination of the dataset.
type Channel struct {
	Number     int // from 1
	Denom      cash.Denom
	Inhibited  bool
	Recyclable bool // the machine can pay this denomination
	Recycler   byte // of a machine with several: the one it goes to if its route is the store, from 1; 0 any
	ToPayout   bool // route; false is the cashbox
	Level      int  // pieces in the payout store, as last read
	Hopper     byte // of a machine with two: where its sorter sends the coin, 0 primary, 1 secondary
}

// Channel returns the channel of d, and whether the dataset has it.
func (s *Snapshot) Channel(d cash.Denom) (Channel, bool) {
	for _, c := range s.Channels {
		if c.Denom == d {
			return c, true
		}
	}
	return Channel{}, false
}

package sim

// Row is how many pieces of one denomination are somewhere.
type Row struct {
	Value    int64  `json:"value"`
	Currency string `json:"currency"`
	Count    int    `json:"count"`
}

// Truth is where every piece of a machine really is, whatever its host believes. Every list has one row for each
// denomination of the dataset, and for others that were fed in. At all times, for each denomination:
// Start + Inserted = Payout + Cashbox + Escrow + Transit + Dispensed + Returned.
type Truth struct {
	Port      string            `json:"port"`
	Address   int               `json:"address"`
	Profile   string            `json:"profile"`
	Power     bool              `json:"power"`
	Plugged   bool              `json:"plugged"`
	Enabled   bool              `json:"enabled"`   // the acceptor
	Moving    bool              `json:"moving"`    // anything under way; a note that waits in escrow is not
	Start     []Row             `json:"start"`     // filled in by hand
	Payout    []Row             `json:"payout"`    // in the store that it can pay from
	Cashbox   []Row             `json:"cashbox"`   //
	Escrow    []Row             `json:"escrow"`    //
	Transit   []Row             `json:"transit"`   // on the way between two places, a note in the bezel included
	Inserted  []Row             `json:"inserted"`  // fed in by customers
	Dispensed []Row             `json:"dispensed"` // taken by customers
	Returned  []Row             `json:"returned"`  // rejected or given back
	Counters  map[string]uint32 `json:"counters"`  // by name, in the machine's non-volatile memory (ssp.md 10.12)
}

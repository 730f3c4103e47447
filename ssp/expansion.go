package ssp

import (
	"bytes"
	"encoding/binary"
)

// Expansion is a sub-command of EXPANSION 0x30 (sections 10.13 and 16.4 to 16.7). All but the refill mode are [proj].
type Expansion uint8

const (
	ExpUnknown            Expansion = iota
	ExpSetRefillMode                // mode(1)
	ExpGetRefillMode                //
	ExpSetSorterRoute               // route(1) VC: 0 primary hopper, 1 secondary
	ExpGetSorterRoute               // VC
	ExpSetTwinMode                  // mode(1) 0..3
	ExpGetTwinMode                  //
	ExpSetRecyclerRoute             // route(1) VC: 0 cashbox, 1 any recycler, 2..5 recycler 1..4, 6 cassette
	ExpGetRecyclerRoute             // VC
	ExpGetCassetteMode              //
	ExpSetCassetteMode              // mode(1) 0 replenish, 1 payout
	ExpReplenish                    // count u16
	ExpDispenseToBezel              // on(1)
	ExpModuleLevels                 // module(1)
	ExpLifterStatus                 //
	ExpCoinAcceptance               // device(1) 0 primary, 1 feeder, 2 secondary
	ExpGlobalError                  //
	ExpSetPayoutLimit               // limit u16, coins per payout
	ExpPayoutCoinCount              //
	ExpCashboxLevels                //
	ExpAddCashboxLevel              // count u16, VC; count 0 clears
	ExpClearCashboxLevels           //
	ExpSetNoPayinCount              // count(1), payouts without a coin coming in between; 0 any number
	ExpServiceInfo                  // sub(1)
	ExpModuleServiceInfo            // module(1) sub(1)
	ExpMaintenanceReset             // four digits: week, year
	ExpDatasetStatus                //
	ExpDatasetEntry                 // index(1)
	ExpActivateDataset              // code, 8 characters
)

// expansions is the prefix after 0x30, the name and the size of the arguments (at least; more is ignored).
var expansions = [...]struct {
	prefix string
	name   string
	args   int
}{
	ExpSetRefillMode:      {"\x05\x81\x10\x11", "SET REFILL MODE", 1},
	ExpGetRefillMode:      {"\x05\x81\x10\x01", "GET REFILL MODE", 0},
	ExpSetSorterRoute:     {"\x05\x85", "SET SORTER ROUTE", 8},
	ExpGetSorterRoute:     {"\x05\x86", "GET SORTER ROUTE", 7},
	ExpSetTwinMode:        {"\x05\x87", "SET TWIN MODE", 1},
	ExpGetTwinMode:        {"\x05\x88", "GET TWIN MODE", 0},
	ExpSetRecyclerRoute:   {"\xE0\x01", "SET RECYCLER ROUTE", 8},
	ExpGetRecyclerRoute:   {"\xE0\x02", "GET RECYCLER ROUTE", 7},
	ExpGetCassetteMode:    {"\xE0\x03", "GET RC MODE", 0},
	ExpSetCassetteMode:    {"\xE0\x04", "SET RC MODE", 1},
	ExpReplenish:          {"\xE0\x05", "REPLENISH FROM RC", 2},
	ExpDispenseToBezel:    {"\xE0\x06", "DISPENSE TO BEZEL", 1},
	ExpModuleLevels:       {"\xE0\x07", "MODULE LEVELS", 1},
	ExpLifterStatus:       {"\xE0\x11", "LIFTER STATUS", 0},
	ExpCoinAcceptance:     {"\xE0\x12", "COIN ACCEPTANCE", 1},
	ExpGlobalError:        {"\xE0\x13", "GLOBAL ERROR", 0},
	ExpSetPayoutLimit:     {"\xE0\x14", "SET PAYOUT LIMIT", 2},
	ExpPayoutCoinCount:    {"\xE0\x15", "PAYOUT COIN COUNT", 0},
	ExpCashboxLevels:      {"\xE0\x16", "CASHBOX LEVELS", 0},
	ExpAddCashboxLevel:    {"\xE0\x17", "ADD CASHBOX LEVEL", 9},
	ExpClearCashboxLevels: {"\xE0\x18", "CLEAR CASHBOX LEVELS", 0},
	ExpSetNoPayinCount:    {"\xE0\x19", "SET NO PAY-IN COUNT", 1},
	ExpServiceInfo:        {"\xE0\x20", "SERVICE INFORMATION", 1},
	ExpModuleServiceInfo:  {"\xE0\x21", "MODULE SERVICE INFORMATION", 2},
	ExpMaintenanceReset:   {"\xE0\x22", "MAINTENANCE RESET", 4},
	ExpDatasetStatus:      {"\xE0\x30", "SMART CURRENCY STATUS", 0},
	ExpDatasetEntry:       {"\xE0\x31", "SMART CURRENCY ENTRY", 1},
	ExpActivateDataset:    {"\xE0\x32", "ACTIVATE DATASET", 8},
}

// String returns the name of the sub-command.
func (e Expansion) String() string {
	if e == ExpUnknown || int(e) >= len(expansions) {
		return "UNKNOWN EXPANSION"
	}
	return expansions[e].name
}

// Expand builds an EXPANSION command; args are the arguments of the sub-command as its comment lists them.
func Expand(e Expansion, args ...byte) []byte {
	b := []byte{byte(CmdExpansion)}
	if int(e) < len(expansions) {
		b = append(b, expansions[e].prefix...)
	}
	return append(b, args...)
}

// ExpandMoney builds an EXPANSION command whose arguments are some bytes, then a value and its currency.
func ExpandMoney(e Expansion, value uint32, cc string, before ...byte) []byte {
	return appendMoney(Expand(e, before...), value, cc)
}

// ParseExpansion says which sub-command the parameters of 0x30 are and returns its arguments. Bytes beyond the arguments
// are left in place: public programs send some (section 20.2). ErrUnknownExpansion, or ErrParamCount if arguments miss.
func ParseExpansion(params []byte) (Expansion, []byte, error) {
	for e, x := range expansions {
		if e == int(ExpUnknown) || !bytes.HasPrefix(params, []byte(x.prefix)) {
			continue
		}
		args := params[len(x.prefix):]
		if len(args) < x.args {
			return Expansion(e), nil, ErrParamCount
		}
		return Expansion(e), args, nil
	}
	return ExpUnknown, nil, ErrUnknownExpansion
}

// SetRefillMode says what becomes of notes unfit for the store: back to the customer (on) or to the cashbox.
func SetRefillMode(on bool) []byte { return Expand(ExpSetRefillMode, bit(on)) }

// GetRefillMode asks for it; the answer is one byte.
func GetRefillMode() []byte { return Expand(ExpGetRefillMode) }

// Replenish moves notes from the replenishment cassette to the recyclers [proj].
func Replenish(notes uint16) []byte {
	return binary.LittleEndian.AppendUint16(Expand(ExpReplenish), notes)
}

// SetPayoutLimit limits the coins of one payout [proj].
func SetPayoutLimit(coins uint16) []byte {
	return binary.LittleEndian.AppendUint16(Expand(ExpSetPayoutLimit), coins)
}

// AddCashboxLevel adds to a level of the coin cashbox; a count of 0 clears it [proj].
func AddCashboxLevel(d DenomCount) []byte {
	b := binary.LittleEndian.AppendUint16(Expand(ExpAddCashboxLevel), d.Count)
	return appendMoney(b, d.Value, d.Currency)
}

package ssp

import "encoding/binary"

// DenomCount is a number of pieces of one denomination.
type DenomCount struct {
	Count    uint16
	Value    uint32 // minor units
	Currency string
}

// PayoutAmount pays value, or with commit false asks whether it could. Below protocol 6 the command carries neither
// currency nor option and always pays (section 9.4, 0x33).
func PayoutAmount(version int, value uint32, cc string, commit bool) []byte {
	b := appendVersioned([]byte{byte(CmdPayoutAmount)}, version, value, cc)
	return appendOption(b, version, commit)
}

// PayoutByDenomination pays the given pieces, or asks whether it could.
func PayoutByDenomination(list []DenomCount, commit bool) []byte {
	return append(appendList([]byte{byte(CmdPayoutByDenomination)}, list), optionByte(commit))
}

// FloatByDenomination keeps the given pieces and moves all others to the cashbox, or asks whether it could.
func FloatByDenomination(list []DenomCount, commit bool) []byte {
	return append(appendList([]byte{byte(CmdFloatByDenomination)}, list), optionByte(commit))
}

// FloatAmount keeps value, in such pieces that any amount from minPayout on can be paid (section 10.5).
func FloatAmount(version int, minPayout uint16, value uint32, cc string, commit bool) []byte {
	b := binary.LittleEndian.AppendUint16([]byte{byte(CmdFloatAmount)}, minPayout)
	return appendOption(appendVersioned(b, version, value, cc), version, commit)
}

// SetRoute sends a denomination to the cashbox or to the payout store. A hopper below protocol 6 takes two bytes of value
// (section 10.2).
func SetRoute(version int, toCashbox bool, value uint32, cc string, hopper bool) []byte {
	return appendDenomination([]byte{byte(CmdSetRoute), bit(toCashbox)}, version, value, cc, hopper)
}

// GetRoute asks for it.
func GetRoute(version int, value uint32, cc string, hopper bool) []byte {
	return appendDenomination([]byte{byte(CmdGetRoute)}, version, value, cc, hopper)
}

// SetDenominationLevel adds to the level counter of a hopper that was filled by hand; a count of 0 clears it
// (section 10.3).
func SetDenominationLevel(version int, d DenomCount) []byte {
	b := binary.LittleEndian.AppendUint16([]byte{byte(CmdSetLevel)}, d.Count)
	return appendDenomination(b, version, d.Value, d.Currency, true)
}

// GetDenominationLevel asks how many pieces of a denomination the store holds.
func GetDenominationLevel(version int, value uint32, cc string) []byte {
	return appendDenomination([]byte{byte(CmdGetLevel)}, version, value, cc, false)
}

// SetCoinMechInhibit accepts a coin or not; coins go by two bytes of value in all versions (section 10.9).
func SetCoinMechInhibit(version int, accept bool, value uint16, cc string) []byte {
	b := binary.LittleEndian.AppendUint16([]byte{byte(CmdSetCoinMechInhibit), bit(accept)}, value)
	if version >= 6 {
		b = appendCurrency(b, cc)
	}
	return b
}

// GetMinimumPayout asks for the smallest amount that can be paid.
func GetMinimumPayout(version int, cc string) []byte {
	b := []byte{byte(CmdGetMinimumPayout)}
	if version >= 6 {
		b = appendCurrency(b, cc)
	}
	return b
}

// SetCashboxPayoutLimit limits how many pieces of each denomination stay in the store, 0 for no limit (section 10.11).
func SetCashboxPayoutLimit(list []DenomCount) []byte {
	return appendList([]byte{byte(CmdSetCashboxLimit)}, list)
}

// SplitPayout pays two amounts, told apart by a denomination [proj] (section 16.2, 0x39).
func SplitPayout(p Split) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{byte(CmdSplitPayout)}, p.First)
	b = binary.LittleEndian.AppendUint32(b, p.Second)
	return append(appendMoney(b, p.At, p.Currency), optionByte(p.Commit))
}

// Split is the content of SplitPayout. Values are minor units.
type Split struct {
	First, Second, At uint32
	Currency          string
	Commit            bool
}

func optionByte(commit bool) byte {
	if commit {
		return OptionCommit
	}
	return OptionTest
}

func appendOption(b []byte, version int, commit bool) []byte {
	if version < 6 {
		return b
	}
	return append(b, optionByte(commit))
}

// appendVersioned appends a value, with its currency from protocol 6 on.
func appendVersioned(b []byte, version int, value uint32, cc string) []byte {
	if version < 6 {
		return binary.LittleEndian.AppendUint32(b, value)
	}
	return appendMoney(b, value, cc)
}

// appendDenomination is appendVersioned, with two bytes of value for a hopper below protocol 6.
func appendDenomination(b []byte, version int, value uint32, cc string, hopper bool) []byte {
	if version < 6 && hopper {
		return binary.LittleEndian.AppendUint16(b, uint16(value))
	}
	return appendVersioned(b, version, value, cc)
}

// appendList appends a count byte and at most 255 entries.
func appendList(b []byte, list []DenomCount) []byte {
	list = list[:min(len(list), 255)]
	b = append(b, byte(len(list)))
	for _, d := range list {
		b = binary.LittleEndian.AppendUint16(b, d.Count)
		b = appendMoney(b, d.Value, d.Currency)
	}
	return b
}

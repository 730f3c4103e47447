package ssp

import (
	"encoding/binary"
	"slices"
	"time"
)

// Payout options: the last byte of payout and float commands from protocol 6 on (section 10.4).
const (
	OptionTest   = 0x19 // only check
	OptionCommit = 0x58 // start
)

// HostProtocolVersion asks for the events of protocol v; the answer is Fail if the machine has it not (section 7).
func HostProtocolVersion(v byte) []byte { return []byte{byte(CmdHostProtocolVersion), v} }

// SetInhibits accepts the channels whose entry is true, channels[0] being channel 1. It sends one byte for up to 8
// channels, two for 16 and three for 24; what lies beyond is inhibited (section 10.1).
func SetInhibits(channels []bool) []byte {
	if len(channels) > 24 {
		channels = channels[:24]
	}
	b := make([]byte, 1+max(1, (len(channels)+7)/8))
	b[0] = byte(CmdSetInhibits)
	for i, on := range channels {
		if on {
			b[1+i/8] |= 1 << (i % 8)
		}
	}
	return b
}

// GetSerialNumber asks for the serial number of a module, of the machine itself without one (section 8.5).
func GetSerialNumber(module ...byte) []byte {
	return append([]byte{byte(CmdGetSerialNumber)}, module...)
}

// Bezel is the colour of the bezel light.
type Bezel struct {
	Red, Green, Blue byte
	Store            bool // keep it over a power cut
	Type             byte // 0 solid, 1 flashing, 2 off
}

// ConfigureBezel sets the bezel light.
func ConfigureBezel(z Bezel) []byte {
	return []byte{byte(CmdConfigureBezel), z.Red, z.Green, z.Blue, bit(z.Store), z.Type}
}

// Codes of SetBaudRate.
const (
	Baud9600   = 0
	Baud38400  = 1
	Baud115200 = 2
)

// SetBaudRate changes the speed of the line after the answer; persist keeps it over a reset.
func SetBaudRate(rate byte, persist bool) []byte {
	return []byte{byte(CmdSetBaudRate), rate, bit(persist)}
}

// SetGenerator is the first of the three frames of the key negotiation (section 4.1). All three go out plain.
func SetGenerator(v uint64) []byte { return command64(CmdSetGenerator, v) }

// SetModulus is the second.
func SetModulus(v uint64) []byte { return command64(CmdSetModulus, v) }

// RequestKeyExchange is the third.
func RequestKeyExchange(hostInter uint64) []byte { return command64(CmdRequestKeyExchange, hostInter) }

// SetFixedKey replaces the fixed half of the key from the next negotiation on. Only accepted encrypted.
func SetFixedKey(v uint64) []byte { return command64(CmdSetFixedKey, v) }

// Program kinds.
const (
	ProgramFirmware = 0
	ProgramDataset  = 1
	ProgramLoader   = 3
)

// Program begins a download (section 18).
func Program(kind byte) []byte { return []byte{byte(CmdProgram), kind} }

// SetBarcodeConfig says which readers read tickets (0 none, 1 top, 2 bottom, 3 both), in which format (1: interleaved 2
// of 5) and how many characters (6 to 24) they have.
func SetBarcodeConfig(readers, format, characters byte) []byte {
	return []byte{byte(CmdSetBarcodeConfig), readers, format, characters}
}

// SetBarcodeInhibit lets notes and tickets in or not.
func SetBarcodeInhibit(currency, barcode bool) []byte {
	return []byte{byte(CmdSetBarcodeInhibit), BarcodeInhibit(currency, barcode)}
}

// SetReportingType says how the note float names its notes.
func SetReportingType(byChannel bool) []byte {
	return []byte{byte(CmdSetReportingType), bit(byChannel)}
}

// CoinMechGlobalInhibit turns the whole coin acceptor or feeder on or off: 1 is on.
func CoinMechGlobalInhibit(on bool) []byte { return []byte{byte(CmdGlobalInhibit), bit(on)} }

// CoinMechOptions asks for COIN MECH ERROR events or not.
func CoinMechOptions(reportErrors bool) []byte {
	return []byte{byte(CmdCoinMechOptions), bit(reportErrors)}
}

// SetCalibration leaves calibration to the hopper, or to RUN CALIBRATION alone.
func SetCalibration(onCommand bool) []byte { return []byte{byte(CmdSetCalibration), bit(onCommand)} }

// SetOptions sets the option registers of a hopper (section 10.10, Reg0… and Reg1…).
func SetOptions(reg0, reg1 byte) []byte { return []byte{byte(CmdSetOptions), reg0, reg1} }

// Bits of the first option register (section 10.10).
const (
	Reg0FreePay        = 1 << 0
	Reg0LevelCheck     = 1 << 1
	Reg0MotorFast      = 1 << 2
	Reg0CashboxPay     = 1 << 3
	Reg0EmptyToCashbox = 1 << 4
	Reg0HighEfficiency = 1 << 5
	Reg0UnknownToFront = 1 << 6
	Reg0ValueAdded     = 1 << 7
	Reg0Default        = 0x26
)

// Bits of the second option register.
const (
	Reg1CoinRejected    = 1 << 0
	Reg1RejectedValue   = 1 << 1
	Reg1EmptyToFront    = 1 << 2
	Reg1FullToCashbox   = 1 << 3
	Reg1OneEventPerCoin = 1 << 4
	Reg1Default         = 0x00
)

// Bits of the option byte of EnablePayoutDevice (section 10.8).
const (
	PayoutGiveValue     = 1 << 0 // NV11: NOTE STORED carries its value
	PayoutNoHold        = 1 << 1 // NV11: pay fully out instead of holding in the bezel
	PayoutFullStartup   = 1 << 0 // recyclers: refuse until the payout has initialised
	PayoutOptimiseSpeed = 1 << 1 // recyclers
	PayoutHighestSplit  = 1 << 2 // NV22
	PayoutReverseValue  = 1 << 3 // Spectral: value of notes validated in reverse
)

// EnablePayoutDevice opens the payout store, with the option byte of section 10.8 or none.
func EnablePayoutDevice(option *byte) []byte { return optional(CmdEnablePayout, option) }

// SmartEmpty moves the whole store to the cashbox, counting. module picks a part of an NV4000 (section 16.4), 0 all.
func SmartEmpty(module *byte) []byte { return optional(CmdSmartEmpty, module) }

// SetClock sets the machine's clock to the wall time of t [proj] (section 16.1).
func SetClock(t time.Time) []byte { return AppendClock([]byte{byte(CmdSetClock)}, t) }

// CoinEscrow holds or releases coins in the feeder [proj].
func CoinEscrow(hold bool) []byte { return []byte{byte(CmdCoinEscrow), bit(hold)} }

// CoinStir turns the coins of a hopper over for some seconds [proj].
func CoinStir(seconds byte) []byte { return []byte{byte(CmdCoinStir), seconds} }

// SetEscrowSize sets how many notes the multi escrow holds, 1 to 20 [proj].
func SetEscrowSize(notes byte) []byte { return []byte{byte(CmdSetEscrowSize), notes} }

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func command64(c Command, v uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte{byte(c)}, v)
}

func optional(c Command, b *byte) []byte {
	if b == nil {
		return slices.Clone(c.Data())
	}
	return []byte{byte(c), *b}
}

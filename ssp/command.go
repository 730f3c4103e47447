package ssp

import "fmt"

// Command is the code of a command, the first DATA byte of what a host sends (section 9).
type Command byte

// All commands of sections 9.1 to 9.7.
const (
	CmdReset                Command = 0x01
	CmdSetInhibits          Command = 0x02
	CmdDisplayOn            Command = 0x03
	CmdDisplayOff           Command = 0x04
	CmdSetupRequest         Command = 0x05
	CmdHostProtocolVersion  Command = 0x06
	CmdPoll                 Command = 0x07
	CmdRejectNote           Command = 0x08
	CmdDisable              Command = 0x09
	CmdEnable               Command = 0x0A
	CmdProgram              Command = 0x0B
	CmdGetSerialNumber      Command = 0x0C
	CmdUnitData             Command = 0x0D
	CmdChannelValues        Command = 0x0E
	CmdChannelSecurity      Command = 0x0F
	CmdChannelReteach       Command = 0x10
	CmdSync                 Command = 0x11
	CmdProgramStatus        Command = 0x16
	CmdLastRejectCode       Command = 0x17
	CmdHold                 Command = 0x18
	CmdEnableHigherProtocol Command = 0x19
	CmdGetFirmware          Command = 0x20
	CmdGetDataset           Command = 0x21
	CmdGetAllLevels         Command = 0x22
	CmdGetBarcodeConfig     Command = 0x23
	CmdSetBarcodeConfig     Command = 0x24
	CmdGetBarcodeInhibit    Command = 0x25
	CmdSetBarcodeInhibit    Command = 0x26
	CmdGetBarcodeData       Command = 0x27
	CmdExpansion            Command = 0x30
	CmdPayoutAmount         Command = 0x33
	CmdSetLevel             Command = 0x34
	CmdGetLevel             Command = 0x35
	CmdPassThrough          Command = 0x37
	CmdHaltPayout           Command = 0x38
	CmdSplitPayout          Command = 0x39 // PAYOUT AMOUNT BY DENOMINATION: an amount split at a denomination
	CmdCoinEscrow           Command = 0x3A
	CmdSetRoute             Command = 0x3B
	CmdGetRoute             Command = 0x3C
	CmdFloatAmount          Command = 0x3D
	CmdGetMinimumPayout     Command = 0x3E
	CmdEmptyAll             Command = 0x3F
	CmdSetCoinMechInhibit   Command = 0x40
	CmdGetNotePositions     Command = 0x41
	CmdPayoutNote           Command = 0x42
	CmdStackNote            Command = 0x43
	CmdFloatByDenomination  Command = 0x44
	CmdSetReportingType     Command = 0x45
	CmdPayoutByDenomination Command = 0x46
	CmdSetCalibration       Command = 0x47
	CmdRunCalibration       Command = 0x48
	CmdGlobalInhibit        Command = 0x49 // coin mech or feeder
	CmdSetGenerator         Command = 0x4A
	CmdSetModulus           Command = 0x4B
	CmdRequestKeyExchange   Command = 0x4C
	CmdSetBaudRate          Command = 0x4D
	CmdSetCashboxLimit      Command = 0x4E // SET CASHBOX PAYOUT LIMIT
	CmdGetBuildRevision     Command = 0x4F
	CmdSetOptions           Command = 0x50
	CmdGetOptions           Command = 0x51
	CmdSmartEmpty           Command = 0x52
	CmdCashboxPayoutData    Command = 0x53 // CASHBOX PAYOUT OPERATION DATA
	CmdConfigureBezel       Command = 0x54
	CmdPollWithAck          Command = 0x56
	CmdEventAck             Command = 0x57
	CmdGetCounters          Command = 0x58
	CmdResetCounters        Command = 0x59
	CmdCoinMechOptions      Command = 0x5A
	CmdDisablePayout        Command = 0x5B
	CmdEnablePayout         Command = 0x5C
	CmdCoinStir             Command = 0x5D
	CmdSetFixedKey          Command = 0x60
	CmdResetFixedKey        Command = 0x61
	CmdClockConfig          Command = 0x62 // RTC CONFIGURATION
	CmdGetClock             Command = 0x63
	CmdSetClock             Command = 0x64
	CmdTEBSBarcode          Command = 0x65
	CmdTEBSLog              Command = 0x66
	CmdCashboxUnlock        Command = 0x67 // CASHBOX UNLOCK ENABLE
	CmdCashboxLock          Command = 0x68 // CASHBOX UNLOCK DISABLE
	CmdResetTEBSLogs        Command = 0x69
	CmdGetPayoutCapacity    Command = 0x6F
	CmdTicketPrint          Command = 0x70
	CmdPrinterConfig        Command = 0x71
	CmdEnableTITO           Command = 0x72
	CmdMultiDownload        Command = 0x74 // MULTI ADDRESS DOWNLOAD
	CmdCancelEscrow         Command = 0x76
	CmdCommitEscrow         Command = 0x77
	CmdReadEscrowValue      Command = 0x78
	CmdGetEscrowSize        Command = 0x79
	CmdSetEscrowSize        Command = 0x7A
)

var commandNames = [256]string{
	CmdReset: "RESET", CmdSetInhibits: "SET INHIBITS", CmdDisplayOn: "DISPLAY ON", CmdDisplayOff: "DISPLAY OFF",
	CmdSetupRequest: "SETUP REQUEST", CmdHostProtocolVersion: "HOST PROTOCOL VERSION", CmdPoll: "POLL",
	CmdRejectNote: "REJECT NOTE", CmdDisable: "DISABLE", CmdEnable: "ENABLE", CmdProgram: "PROGRAM",
	CmdGetSerialNumber: "GET SERIAL NUMBER", CmdUnitData: "UNIT DATA", CmdChannelValues: "CHANNEL VALUES",
	CmdChannelSecurity: "CHANNEL SECURITY", CmdChannelReteach: "CHANNEL RE-TEACH", CmdSync: "SYNC",
	CmdProgramStatus: "PROGRAM STATUS", CmdLastRejectCode: "LAST REJECT CODE", CmdHold: "HOLD",
	CmdEnableHigherProtocol: "ENABLE HIGHER PROTOCOL EVENTS", CmdGetFirmware: "GET FIRMWARE VERSION",
	CmdGetDataset: "GET DATASET VERSION", CmdGetAllLevels: "GET ALL LEVELS",
	CmdGetBarcodeConfig: "GET BARCODE CONFIG", CmdSetBarcodeConfig: "SET BARCODE CONFIG",
	CmdGetBarcodeInhibit: "GET BARCODE INHIBIT", CmdSetBarcodeInhibit: "SET BARCODE INHIBIT",
	CmdGetBarcodeData: "GET BARCODE DATA", CmdExpansion: "EXPANSION", CmdPayoutAmount: "PAYOUT AMOUNT",
	CmdSetLevel: "SET DENOMINATION LEVEL", CmdGetLevel: "GET DENOMINATION LEVEL",
	CmdPassThrough: "COMMUNICATION PASS THROUGH", CmdHaltPayout: "HALT PAYOUT",
	CmdSplitPayout: "PAYOUT AMOUNT BY DENOMINATION", CmdCoinEscrow: "COIN ESCROW",
	CmdSetRoute: "SET DENOMINATION ROUTE", CmdGetRoute: "GET DENOMINATION ROUTE", CmdFloatAmount: "FLOAT AMOUNT",
	CmdGetMinimumPayout: "GET MINIMUM PAYOUT", CmdEmptyAll: "EMPTY ALL",
	CmdSetCoinMechInhibit: "SET COIN MECH INHIBITS", CmdGetNotePositions: "GET NOTE POSITIONS",
	CmdPayoutNote: "PAYOUT NOTE", CmdStackNote: "STACK NOTE", CmdFloatByDenomination: "FLOAT BY DENOMINATION",
	CmdSetReportingType: "SET REPORTING TYPE", CmdPayoutByDenomination: "PAYOUT BY DENOMINATION",
	CmdSetCalibration: "SET COMMAND CALIBRATION", CmdRunCalibration: "RUN CALIBRATION",
	CmdGlobalInhibit: "COIN MECH GLOBAL INHIBIT", CmdSetGenerator: "SET GENERATOR", CmdSetModulus: "SET MODULUS",
	CmdRequestKeyExchange: "REQUEST KEY EXCHANGE", CmdSetBaudRate: "SET BAUD RATE",
	CmdSetCashboxLimit: "SET CASHBOX PAYOUT LIMIT", CmdGetBuildRevision: "GET BUILD REVISION",
	CmdSetOptions: "SET OPTIONS", CmdGetOptions: "GET OPTIONS", CmdSmartEmpty: "SMART EMPTY",
	CmdCashboxPayoutData: "CASHBOX PAYOUT OPERATION DATA", CmdConfigureBezel: "CONFIGURE BEZEL",
	CmdPollWithAck: "POLL WITH ACK", CmdEventAck: "EVENT ACK", CmdGetCounters: "GET COUNTERS",
	CmdResetCounters: "RESET COUNTERS", CmdCoinMechOptions: "COIN MECH OPTIONS",
	CmdDisablePayout: "DISABLE PAYOUT DEVICE", CmdEnablePayout: "ENABLE PAYOUT DEVICE", CmdCoinStir: "COIN STIR",
	CmdSetFixedKey: "SET FIXED KEY", CmdResetFixedKey: "RESET FIXED KEY", CmdClockConfig: "RTC CONFIGURATION",
	CmdGetClock: "GET RTC", CmdSetClock: "SET RTC", CmdTEBSBarcode: "TEBS BARCODE", CmdTEBSLog: "TEBS LOG",
	CmdCashboxUnlock: "CASHBOX UNLOCK ENABLE", CmdCashboxLock: "CASHBOX UNLOCK DISABLE",
	CmdResetTEBSLogs: "RESET TEBS LOGS", CmdGetPayoutCapacity: "GET PAYOUT CAPACITY",
	CmdTicketPrint: "TICKET PRINT", CmdPrinterConfig: "PRINTER CONFIGURATION", CmdEnableTITO: "ENABLE TITO EVENTS",
	CmdMultiDownload: "MULTI ADDRESS DOWNLOAD", CmdCancelEscrow: "CANCEL ESCROW", CmdCommitEscrow: "COMMIT ESCROW",
	CmdReadEscrowValue: "READ ESCROW VALUE", CmdGetEscrowSize: "GET ESCROW SIZE", CmdSetEscrowSize: "SET ESCROW SIZE",
}

// String returns the name of section 9, or the number of an unknown code.
func (c Command) String() string {
	if n := commandNames[c]; n != "" {
		return n
	}
	return fmt.Sprintf("0x%02X", byte(c))
}

// Known reports whether section 9 lists the code.
func (c Command) Known() bool { return commandNames[c] != "" }

// Data returns the command without parameters. Do not change its bytes.
func (c Command) Data() []byte { return oneByte(byte(c)) }

// MoneyCommand reports whether some machine executes the command only if it is encrypted, because it moves money or
// decides where money goes: the union of all lists in section 4.5.
func (c Command) MoneyCommand() bool {
	switch c {
	case CmdPayoutAmount, CmdSetLevel, CmdHaltPayout, CmdSetRoute, CmdGetRoute, CmdFloatAmount, CmdEmptyAll,
		CmdFloatByDenomination, CmdPayoutByDenomination, CmdSmartEmpty, CmdSetFixedKey,
		CmdSetCoinMechInhibit, CmdGlobalInhibit, CmdSetCashboxLimit, CmdPayoutNote, CmdStackNote:
		return true
	}
	return false
}

// PlainOnly reports whether a host must send the command unencrypted even when keys exist (section 4.5).
func (c Command) PlainOnly() bool {
	switch c {
	case CmdSync, CmdSetGenerator, CmdSetModulus, CmdRequestKeyExchange, CmdProgram, CmdMultiDownload:
		return true
	}
	return false
}

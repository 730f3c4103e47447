package sim

import (
	"cmp"
	"encoding/binary"

	"coffer/ssp"
)

// answer is the DATA of a reply before encryption, and what goes with it.
type answer struct {
	data    []byte
	stamps  []*stamp  // events it carries
	events  []*queued // the one-shot ones, for EVENT ACK
	restart bool      // the machine restarts when the answer is out
	loader  *loader   // the machine leaves its firmware for it when the answer is out
}

// reply makes an answer of a generic response and what follows it.
func reply(r ssp.Reply, rest ...byte) answer { return answer{data: append([]byte{byte(r)}, rest...)} }

// refuse is CANNOT BE PROCESSED with an error byte (ssp.md 5.1).
func refuse(code byte) answer { return reply(ssp.CannotProcess, code) }

// Error bytes of CANNOT BE PROCESSED for payout and float; those of 5C in part.
const (
	notEnough byte = 1
	notExact  byte = 2
	busy      byte = 3
	disabled  byte = 4
)

// commands is everything that some machine can do, by code. p is what follows the code. Which machine has which is said
// by the profiles.
var commands = map[ssp.Command]func(m *Machine, p []byte) answer{
	ssp.CmdReset:               none(func(m *Machine) answer { return answer{data: []byte{byte(ssp.OK)}, restart: true} }),
	ssp.CmdSync:                none(func(*Machine) answer { return reply(ssp.OK) }),
	ssp.CmdHostProtocolVersion: hostProtocolVersion,
	ssp.CmdPoll:                none(func(m *Machine) answer { return m.poll(false) }),
	ssp.CmdPollWithAck:         none(func(m *Machine) answer { return m.poll(true) }),
	ssp.CmdEventAck:            none((*Machine).eventAck),

	ssp.CmdSetGenerator:       setGenerator,
	ssp.CmdSetModulus:         setModulus,
	ssp.CmdRequestKeyExchange: requestKeyExchange,
	ssp.CmdSetFixedKey:        setFixedKey,
	ssp.CmdResetFixedKey:      none(resetFixedKey),
	ssp.CmdSetBaudRate:        setBaudRate,
	ssp.CmdProgram:            program,

	ssp.CmdSetupRequest:     setupRequest,
	ssp.CmdGetSerialNumber:  getSerialNumber,
	ssp.CmdUnitData:         none(unitData),
	ssp.CmdChannelValues:    none(channelValues),
	ssp.CmdChannelSecurity:  none(channelSecurity),
	ssp.CmdChannelReteach:   none(channelReteach),
	ssp.CmdGetFirmware:      none(func(m *Machine) answer { return reply(ssp.OK, []byte(m.firmwareName())...) }),
	ssp.CmdGetDataset:       none(func(m *Machine) answer { return reply(ssp.OK, []byte(m.datasetName())...) }),
	ssp.CmdGetBuildRevision: none(buildRevision),
	ssp.CmdClockConfig:      none(func(*Machine) answer { return reply(ssp.OK, 0) }),
	ssp.CmdGetClock:         none(getClock),
	ssp.CmdSetClock:         setClock,

	ssp.CmdDisable:           none(disable),
	ssp.CmdEnable:            none(enable),
	ssp.CmdSetInhibits:       setInhibits,
	ssp.CmdDisplayOn:         none(func(*Machine) answer { return reply(ssp.OK) }),
	ssp.CmdDisplayOff:        none(func(*Machine) answer { return reply(ssp.OK) }),
	ssp.CmdRejectNote:        none(rejectNote),
	ssp.CmdHold:              none(hold),
	ssp.CmdLastRejectCode:    none(func(m *Machine) answer { return reply(ssp.OK, m.ram.lastReject) }),
	ssp.CmdConfigureBezel:    configureBezel,
	ssp.CmdGetBarcodeConfig:  none(getBarcodeConfig),
	ssp.CmdSetBarcodeConfig:  setBarcodeConfig,
	ssp.CmdGetBarcodeInhibit: none(func(m *Machine) answer { return reply(ssp.OK, m.ram.barcodeBits) }),
	ssp.CmdSetBarcodeInhibit: setBarcodeInhibit,
	ssp.CmdGetBarcodeData:    none(getBarcodeData),
	ssp.CmdExpansion:         expansion,

	ssp.CmdSplitPayout:        splitPayout,
	ssp.CmdCoinEscrow:         coinEscrow,
	ssp.CmdCoinStir:           coinStir,
	ssp.CmdSetCoinMechInhibit: setCoinMechInhibit,
	ssp.CmdGlobalInhibit:      globalInhibit,
	ssp.CmdSetCalibration:     setCalibration,
	ssp.CmdRunCalibration:     none(runCalibration),
	ssp.CmdSetOptions:         setOptions,
	ssp.CmdGetOptions:         none(func(m *Machine) answer { return reply(ssp.OK, m.ram.reg0, m.ram.reg1) }),
	ssp.CmdCoinMechOptions:    coinMechOptions,
	ssp.CmdPassThrough:        none(passThrough),

	ssp.CmdGetAllLevels:      none(getAllLevels),
	ssp.CmdSetLevel:          setLevel,
	ssp.CmdGetLevel:          getLevel,
	ssp.CmdSetRoute:          setRoute,
	ssp.CmdGetRoute:          getRoute,
	ssp.CmdGetMinimumPayout:  getMinimumPayout,
	ssp.CmdSetCashboxLimit:   setCashboxLimit,
	ssp.CmdCashboxPayoutData: none(cashboxPayoutData),
	ssp.CmdGetPayoutCapacity: none(payoutCapacity),
	ssp.CmdGetCounters:       none(getCounters),
	ssp.CmdResetCounters:     none(resetCounters),

	ssp.CmdEnablePayout:         enablePayout,
	ssp.CmdDisablePayout:        none(disablePayout),
	ssp.CmdPayoutAmount:         payoutAmount,
	ssp.CmdPayoutByDenomination: payoutByDenomination,
	ssp.CmdFloatAmount:          floatAmount,
	ssp.CmdFloatByDenomination:  floatByDenomination,
	ssp.CmdEmptyAll:             none(func(m *Machine) answer { return m.empty(opEmpty) }),
	ssp.CmdSmartEmpty:           smartEmpty,
	ssp.CmdHaltPayout:           none(haltPayout),

	ssp.CmdSetEscrowSize:   setEscrowSize,
	ssp.CmdGetEscrowSize:   none(func(m *Machine) answer { return reply(ssp.OK, m.ram.escrowSize) }),
	ssp.CmdReadEscrowValue: none(readEscrowValue),
	ssp.CmdCommitEscrow:    none(commitEscrow),
	ssp.CmdCancelEscrow:    none(cancelEscrow),

	ssp.CmdGetNotePositions: none(notePositions),
	ssp.CmdPayoutNote:       none(payoutNote),
	ssp.CmdStackNote:        none(stackNote),
	ssp.CmdSetReportingType: setReportingType,
}

// none wraps a command that takes no parameters.
func none(f func(*Machine) answer) func(*Machine, []byte) answer {
	return func(m *Machine, p []byte) answer {
		if len(p) > 0 {
			return reply(ssp.WrongParameters)
		}
		return f(m)
	}
}

// execute runs one command.
func (m *Machine) execute(ask []byte) answer {
	c := ssp.Command(ask[0])
	if m.isHeader(ask) {
		return m.header(ask)
	}
	m.ram.program = false
	switch {
	case m.nv.erased && c != ssp.CmdSync && c != ssp.CmdProgram:
		return reply(ssp.UnknownCommand)
	case !m.prof.commands[c]:
		return reply(ssp.UnknownCommand)
	}
	return commands[c](m, ask[1:])
}

// params reads the parameters of a command from the front. An impossible reading is remembered, so that only done has
// to be asked.
type params struct {
	b   []byte
	bad bool
}

func (p *params) take(n int) []byte {
	if len(p.b) < n {
		p.bad = true
		return make([]byte, n)
	}
	out := p.b[:n]
	p.b = p.b[n:]
	return out
}

func (p *params) u8() byte        { return p.take(1)[0] }
func (p *params) u16() uint16     { return binary.LittleEndian.Uint16(p.take(2)) }
func (p *params) u32() int64      { return int64(binary.LittleEndian.Uint32(p.take(4))) }
func (p *params) cc3() string     { return string(p.take(3)) }
func (p *params) money() denom    { return denom{p.u32(), p.cc3()} }
func (p *params) done() bool      { return !p.bad && len(p.b) == 0 }
func (p *params) left(n int) bool { return len(p.b) == n }

func hostProtocolVersion(m *Machine, p []byte) answer {
	switch {
	case len(p) != 1:
		return reply(ssp.WrongParameters)
	case p[0] < 4 || p[0] > cmp.Or(m.prof.Highest, 8):
		return reply(ssp.Fail)
	}
	m.ram.version = int(p[0])
	return reply(ssp.OK)
}

// setBaudRate has no effect on a line that is no UART.
func setBaudRate(_ *Machine, p []byte) answer {
	switch {
	case len(p) != 2:
		return reply(ssp.WrongParameters)
	case p[0] > 2 || p[1] > 1:
		return reply(ssp.OutOfRange)
	}
	return reply(ssp.OK)
}

// onOff takes the one parameter 0 or 1 of a command that does nothing but switch.
func onOff(p []byte, to *bool) answer {
	switch {
	case len(p) != 1:
		return reply(ssp.WrongParameters)
	case p[0] > 1:
		return reply(ssp.OutOfRange)
	}
	*to = p[0] == 1
	return reply(ssp.OK)
}

package ssp

import (
	"fmt"
	"strings"
)

// requestTexts describes the parameters of commands that have some.
var requestTexts = map[Command]func(p []byte, version int) (string, error){
	CmdSetInhibits: func(p []byte, _ int) (string, error) {
		channels, err := ParseInhibits(p)
		return channelList(channels), err
	},
	CmdHostProtocolVersion:  byteText,
	CmdGetSerialNumber:      moduleText,
	CmdSmartEmpty:           moduleText,
	CmdEnablePayout:         optionByteText,
	CmdCoinMechOptions:      optionByteText,
	CmdSetGenerator:         keyText,
	CmdSetModulus:           keyText,
	CmdRequestKeyExchange:   keyText,
	CmdSetFixedKey:          func([]byte, int) (string, error) { return "***", nil },
	CmdSetBaudRate:          baudText,
	CmdConfigureBezel:       bezelText,
	CmdSetBarcodeConfig:     barcodeText,
	CmdSetBarcodeInhibit:    func(p []byte, _ int) (string, error) { return barcodeInhibitText(p) },
	CmdExpansion:            expansionText,
	CmdPayoutAmount:         payoutText,
	CmdFloatAmount:          floatText,
	CmdPayoutByDenomination: denominationsText,
	CmdFloatByDenomination:  denominationsText,
	CmdSetCashboxLimit: func(p []byte, _ int) (string, error) {
		l, err := ParseCashboxLimit(p)
		return list(l), err
	},
	CmdSetLevel: func(p []byte, version int) (string, error) {
		d, err := ParseSetLevel(version, p)
		return list([]DenomCount{d}), err
	},
	CmdGetLevel:           denominationText,
	CmdGetRoute:           denominationText,
	CmdSetRoute:           routeText,
	CmdSetCoinMechInhibit: coinInhibitText,
	CmdGlobalInhibit:      flagText("off", "on"),
	CmdSetReportingType:   flagText("by value", "by channel"),
	CmdSetCalibration:     flagText("automatic", "on command"),
	CmdCoinEscrow:         flagText("release", "hold"),
	CmdSetOptions:         func(p []byte, _ int) (string, error) { return optionsText(p) },
	CmdGetMinimumPayout:   func(p []byte, _ int) (string, error) { return ParseMinimumPayoutRequest(p) },
	CmdSplitPayout:        splitText,
	CmdCoinStir:           byteText,
	CmdSetEscrowSize:      byteText,
	CmdProgram:            byteText,
	CmdSetClock:           func(p []byte, _ int) (string, error) { return clockText(p) },
}

// replyTexts describes what follows OK.
var replyTexts = map[Command]func(rest []byte) (string, error){
	CmdSetupRequest:      setupText,
	CmdUnitData:          unitDataText,
	CmdGetSerialNumber:   func(b []byte) (string, error) { v, err := ParseSerial(b); return fmt.Sprint(v), err },
	CmdGetFirmware:       plainText,
	CmdGetDataset:        plainText,
	CmdGetBuildRevision:  revisionsText,
	CmdGetAllLevels:      func(b []byte) (string, error) { l, err := ParseLevels(b); return levels(l), err },
	CmdGetPayoutCapacity: func(b []byte) (string, error) { l, err := ParseLevels(b); return levels(l), err },
	CmdGetLevel:          func(b []byte) (string, error) { v, err := ParseLevel(b); return fmt.Sprint(v), err },
	CmdGetMinimumPayout:  func(b []byte) (string, error) { v, err := ParseMinimumPayout(b); return fmt.Sprint(v), err },
	CmdGetRoute:          func(b []byte) (string, error) { c, err := ParseRoute(b); return route(c), err },
	CmdCashboxPayoutData: cashboxDataText,
	CmdGetCounters:       countersText,
	CmdGetNotePositions:  positionsText,
	CmdLastRejectCode: func(b []byte) (string, error) {
		r, err := ParseRejectCode(b)
		return fmt.Sprintf("%d %v", byte(r), r), err
	},
	CmdGetBarcodeData:     ticketText,
	CmdGetBarcodeInhibit:  barcodeInhibitText,
	CmdGetOptions:         optionsText,
	CmdGetClock:           clockText,
	CmdRequestKeyExchange: func(b []byte) (string, error) { return keyText(b, 0) },
	CmdReadEscrowValue:    func(b []byte) (string, error) { v, cc, err := ParseMoney(b); return money(v, cc), err },
}

func byteText(p []byte, _ int) (string, error) {
	v, err := ParseByte(p)
	return fmt.Sprint(v), err
}

func moduleText(p []byte, _ int) (string, error) {
	v, err := ParseByte(p)
	return fmt.Sprintf("module 0x%02X", v), err
}

func optionByteText(p []byte, _ int) (string, error) {
	v, err := ParseByte(p)
	return fmt.Sprintf("option 0x%02X", v), err
}

func keyText(p []byte, _ int) (string, error) {
	v, err := ParseUint64(p)
	return fmt.Sprint(v), err
}

func flagText(off, on string) func([]byte, int) (string, error) {
	return func(p []byte, _ int) (string, error) {
		v, err := ParseFlag(p)
		return choose(v, on, off), err
	}
}

func baudText(p []byte, _ int) (string, error) {
	rate, persist, err := ParseBaudRate(p)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %s", []int{9600, 38400, 115200}[rate], choose(persist, "stored", "until reset")), nil
}

func bezelText(p []byte, _ int) (string, error) {
	z, err := ParseBezel(p)
	return fmt.Sprintf("#%02X%02X%02X %s type %d", z.Red, z.Green, z.Blue, choose(z.Store, "stored", "volatile"), z.Type), err
}

func barcodeText(p []byte, _ int) (string, error) {
	readers, format, characters, err := ParseSetBarcodeConfig(p)
	return fmt.Sprintf("readers %d format %d characters %d", readers, format, characters), err
}

func barcodeInhibitText(p []byte) (string, error) {
	notes, tickets, err := ParseBarcodeInhibit(p)
	return "notes " + choose(notes, "on", "off") + " tickets " + choose(tickets, "on", "off"), err
}

func expansionText(p []byte, _ int) (string, error) {
	e, args, err := ParseExpansion(p)
	if err != nil || len(args) == 0 {
		return e.String(), err
	}
	return e.String() + " " + fmt.Sprintf("% X", args), nil
}

func payoutText(p []byte, version int) (string, error) {
	v, err := ParsePayoutAmount(version, p)
	return money(v.Value, v.Currency) + " " + option(v.Commit), err
}

func floatText(p []byte, version int) (string, error) {
	v, err := ParseFloatAmount(version, p)
	return fmt.Sprintf("%s minimum payout %d %s", money(v.Value, v.Currency), v.MinPayout, option(v.Commit)), err
}

func denominationsText(p []byte, _ int) (string, error) {
	l, commit, err := ParseDenominations(p)
	return strings.TrimSpace(list(l) + " " + option(commit)), err
}

func denominationText(p []byte, version int) (string, error) {
	v, cc, err := ParseDenomination(version, p)
	return money(v, cc), err
}

func routeText(p []byte, version int) (string, error) {
	r, err := ParseSetRoute(version, p)
	return money(r.Value, r.Currency) + " " + route(r.ToCashbox), err
}

func coinInhibitText(p []byte, version int) (string, error) {
	i, err := ParseCoinMechInhibit(version, p)
	return money(uint32(i.Value), i.Currency) + " " + choose(i.Accept, "accept", "inhibit"), err
}

func optionsText(p []byte) (string, error) {
	reg0, reg1, err := ParseOptions(p)
	return fmt.Sprintf("REG0 0x%02X REG1 0x%02X", reg0, reg1), err
}

func splitText(p []byte, _ int) (string, error) {
	s, err := ParseSplitPayout(p)
	return fmt.Sprintf("%s and %d split at %d %s", money(s.First, s.Currency), s.Second, s.At, option(s.Commit)), err
}

func plainText(b []byte) (string, error) {
	return strings.TrimRight(string(b), "\x00 "), nil
}

func setupText(b []byte) (string, error) {
	s, err := ParseSetup(b)
	text := fmt.Sprintf("%v firmware %s protocol %d %s", s.UnitType, s.Firmware, s.Protocol, s.Currency)
	for _, c := range s.Channels {
		text += fmt.Sprintf(" %d", c.Value)
	}
	return text, err
}

func unitDataText(b []byte) (string, error) {
	u, err := ParseUnitData(b)
	return fmt.Sprintf("%v firmware %s %s multiplier %d protocol %d",
		u.UnitType, u.Firmware, u.Currency, u.ValueMultiplier, u.Protocol), err
}

func revisionsText(b []byte) (string, error) {
	l, err := ParseRevisions(b)
	parts := make([]string, len(l))
	for i, r := range l {
		parts[i] = fmt.Sprintf("module %d revision %v", r.Module, r)
	}
	return strings.Join(parts, ", "), err
}

func cashboxDataText(b []byte) (string, error) {
	l, unknown, err := ParseCashboxData(b)
	return fmt.Sprintf("%s, unknown %d", list(l), unknown), err
}

func countersText(b []byte) (string, error) {
	l, err := ParseCounters(b)
	names := CounterNames(len(l))
	parts := make([]string, len(l))
	for i, v := range l {
		parts[i] = fmt.Sprint(v)
		if names != nil {
			parts[i] = fmt.Sprintf("%s %d", names[i], v)
		}
	}
	return strings.Join(parts, ", "), err
}

func positionsText(b []byte) (string, error) {
	p, err := ParseNotePositions(b)
	if len(p.Channels) > 0 {
		return fmt.Sprintf("channels %v", p.Channels), err
	}
	return fmt.Sprintf("%v", p.Values), err
}

func ticketText(b []byte) (string, error) {
	t, err := ParseBarcodeData(b)
	return fmt.Sprintf("%v %q", t.Status, t.Text), err
}

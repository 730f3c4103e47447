package ssp_test

import (
	"maps"
	"strings"
	"testing"

	"coffer/ssp"
	"coffer/ssp/ssptest"
)

// vectorNames are names of commands that vectors give otherwise than the fact sheet.
var vectorNames = map[ssp.Command]string{ssp.CmdRejectNote: "REJECT"}

// request parses what a host sends and builds it again; nil where no builder makes such bytes.
func request(t *testing.T, v ssptest.Vector, payload []byte, got map[string]any) []byte {
	t.Helper()
	cmd, params, version := ssp.Command(payload[0]), payload[1:], v.Protocol()
	got["command"], got["code"] = strings.ReplaceAll(cmd.String(), " ", "_"), byte(cmd)
	if n, ok := vectorNames[cmd]; ok {
		got["command"] = n
	}
	if len(params) == 0 {
		return cmd.Data()
	}
	parse, ok := requestParsers[cmd]
	if !ok {
		t.Fatalf("%v has parameters that nobody reads", cmd)
	}
	fields, again, err := parse(params, version)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(got, fields)
	if w, _ := v.Decoded["option"].(string); strings.HasPrefix(w, "0x") { // written as a byte
		got["option"] = map[any]int{"commit": ssp.OptionCommit, "test": ssp.OptionTest}[got["option"]]
	}
	return again
}

type fields = map[string]any

func route(toCashbox bool) string {
	if toCashbox {
		return "cashbox"
	}
	return "payout"
}

func option(commit bool) string {
	if commit {
		return "commit"
	}
	return "test"
}

func items(list []ssp.DenomCount) []fields {
	out := []fields{}
	for _, d := range list {
		out = append(out, fields{"count": d.Count, "value": d.Value, "country": d.Currency})
	}
	return out
}

var requestParsers = map[ssp.Command]func(p []byte, version int) (fields, []byte, error){
	ssp.CmdSetInhibits: func(p []byte, _ int) (fields, []byte, error) {
		channels, err := ssp.ParseInhibits(p)
		on := []int{}
		for i, accepted := range channels {
			if accepted {
				on = append(on, i+1)
			}
		}
		return fields{"enabled_channels": on}, ssp.SetInhibits(channels), err
	},
	ssp.CmdHostProtocolVersion: func(p []byte, _ int) (fields, []byte, error) {
		n, err := ssp.ParseByte(p)
		return fields{"version": n}, ssp.HostProtocolVersion(n), err
	},
	ssp.CmdGetSerialNumber: func(p []byte, _ int) (fields, []byte, error) {
		n, _, err := ssp.ParseOptionalByte(p)
		return fields{"module": n}, ssp.GetSerialNumber(n), err
	},
	ssp.CmdSetupRequest: func(p []byte, _ int) (fields, []byte, error) {
		n, _, err := ssp.ParseOptionalByte(p)
		return fields{"extra_byte": n}, nil, err // printed in the manual, sent by nobody
	},
	ssp.CmdConfigureBezel: func(p []byte, _ int) (fields, []byte, error) {
		z, err := ssp.ParseBezel(p)
		return fields{"red": z.Red, "green": z.Green, "blue": z.Blue, "non_volatile": z.Store, "type": z.Type},
			ssp.ConfigureBezel(z), err
	},
	ssp.CmdSetGenerator: func(p []byte, _ int) (fields, []byte, error) {
		n, err := ssp.ParseUint64(p)
		return fields{"value": n}, ssp.SetGenerator(n), err
	},
	ssp.CmdSetModulus: func(p []byte, _ int) (fields, []byte, error) {
		n, err := ssp.ParseUint64(p)
		return fields{"value": n}, ssp.SetModulus(n), err
	},
	ssp.CmdRequestKeyExchange: func(p []byte, _ int) (fields, []byte, error) {
		n, err := ssp.ParseUint64(p)
		return fields{"host_inter_key": n}, ssp.RequestKeyExchange(n), err
	},
	ssp.CmdSetFixedKey: func(p []byte, _ int) (fields, []byte, error) {
		n, err := ssp.ParseUint64(p)
		return fields{"key": n}, ssp.SetFixedKey(n), err
	},
	ssp.CmdSetBaudRate: func(p []byte, _ int) (fields, []byte, error) {
		rate, persist, err := ssp.ParseBaudRate(p)
		return fields{"rate_code": rate, "persist": persist}, ssp.SetBaudRate(rate, persist), err
	},
	ssp.CmdExpansion: func(p []byte, _ int) (fields, []byte, error) {
		e, args, err := ssp.ParseExpansion(p)
		f := fields{"sub": spaced(p[:len(p)-len(args)]), "command": strings.ReplaceAll(e.String(), " ", "_")}
		if e == ssp.ExpSetRefillMode && len(args) > 0 {
			f["mode"] = args[0]
			return f, ssp.SetRefillMode(args[0] == 1), err
		}
		return f, ssp.Expand(e, args...), err
	},
	ssp.CmdPayoutAmount: func(p []byte, version int) (fields, []byte, error) {
		r, err := ssp.ParsePayoutAmount(version, p)
		return fields{"value": r.Value, "country": r.Currency, "option": option(r.Commit)},
			ssp.PayoutAmount(version, r.Value, r.Currency, r.Commit), err
	},
	ssp.CmdPayoutByDenomination: func(p []byte, _ int) (fields, []byte, error) {
		list, commit, err := ssp.ParseDenominations(p)
		return fields{"items": items(list), "option": option(commit)}, ssp.PayoutByDenomination(list, commit), err
	},
	ssp.CmdSetRoute: func(p []byte, version int) (fields, []byte, error) {
		r, err := ssp.ParseSetRoute(version, p)
		return fields{"route": route(r.ToCashbox), "value": r.Value, "country": r.Currency},
			ssp.SetRoute(version, r.ToCashbox, r.Value, r.Currency, len(p) == 3), err
	},
	ssp.CmdGetRoute: func(p []byte, version int) (fields, []byte, error) {
		value, cc, err := ssp.ParseDenomination(version, p)
		return fields{"value": value, "country": cc}, ssp.GetRoute(version, value, cc, len(p) == 2), err
	},
	ssp.CmdSetLevel: func(p []byte, version int) (fields, []byte, error) {
		d, err := ssp.ParseSetLevel(version, p)
		return fields{"count": d.Count, "value": d.Value, "country": d.Currency}, ssp.SetDenominationLevel(version, d), err
	},
	ssp.CmdGetLevel: func(p []byte, version int) (fields, []byte, error) {
		value, cc, err := ssp.ParseDenomination(version, p)
		return fields{"value": value, "country": cc}, ssp.GetDenominationLevel(version, value, cc), err
	},
	ssp.CmdSetOptions: func(p []byte, _ int) (fields, []byte, error) {
		reg0, reg1, err := ssp.ParseOptions(p)
		return fields{"pay_mode": reg0 & 1, "level_check": reg0 >> 1 & 1, "motor_speed": reg0 >> 2 & 1,
			"cashbox_pay_active": reg0 >> 3 & 1}, ssp.SetOptions(reg0, reg1), err
	},
	ssp.CmdSetBarcodeConfig: func(p []byte, _ int) (fields, []byte, error) {
		readers, format, characters, err := ssp.ParseSetBarcodeConfig(p)
		return fields{"readers": readers, "format": format, "characters": characters},
			ssp.SetBarcodeConfig(readers, format, characters), err
	},
	ssp.CmdSetBarcodeInhibit: func(p []byte, _ int) (fields, []byte, error) {
		currency, barcode, err := ssp.ParseBarcodeInhibit(p)
		return fields{"currency_enabled": currency, "barcode_enabled": barcode},
			ssp.SetBarcodeInhibit(currency, barcode), err
	},
}

package ssp_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"coffer/ssp"
	"coffer/ssp/ssptest"
)

// reply parses what a machine answers and builds it again; nil where no builder makes such bytes. What kind of answer it
// is, the vector's members say: the bytes do not.
func reply(t *testing.T, v ssptest.Vector, payload []byte, got map[string]any) []byte {
	t.Helper()
	rest, err := ssp.CheckReply(payload)
	var status *ssp.StatusError
	switch {
	case errors.As(err, &status):
		got["response"] = vectorReply(status.Reply)
		got["error"] = status.Code()
		got["to"] = "HOST_PROTOCOL_VERSION 9" // what the vector answers; not in its bytes
		return append([]byte{byte(status.Reply)}, status.Detail...)
	case err != nil:
		t.Fatal(err)
	}
	got["response"] = "OK"
	got["payload"] = spaced(rest)
	if v.Decoded["events"] != nil {
		return append([]byte{byte(ssp.OK)}, events(t, v, rest, got)...)
	}
	for _, kind := range replyKinds {
		if v.Decoded[kind.member] == nil || kind.size != 0 && kind.size != len(rest) {
			continue
		}
		f, again, err := kind.parse(v, rest)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(got, f)
		if again == nil {
			return nil
		}
		return append([]byte{byte(ssp.OK)}, again...)
	}
	return append([]byte{byte(ssp.OK)}, rest...)
}

func vectorReply(r ssp.Reply) string {
	if r == ssp.CannotProcess {
		return "COMMAND_CANNOT_BE_PROCESSED"
	}
	return strings.ReplaceAll(r.String(), " ", "_")
}

// replyKinds says by which member a kind of answer is known, the more special first.
var replyKinds = []struct {
	member string
	size   int // of what follows OK, 0 for any
	parse  func(v ssptest.Vector, rest []byte) (fields, []byte, error)
}{
	{"unit_type", 12, func(_ ssptest.Vector, b []byte) (fields, []byte, error) {
		u, err := ssp.ParseUnitData(b)
		return fields{"unit_type": u.UnitType, "firmware": u.Firmware, "country": u.Currency,
			"value_multiplier": u.ValueMultiplier, "protocol_version": u.Protocol}, u.Append(nil), err
	}},
	{"unit_type", 0, setup},
	{"serial_number", 4, func(_ ssptest.Vector, b []byte) (fields, []byte, error) {
		n, err := ssp.ParseSerial(b)
		return fields{"serial_number": n, "endianness": "big"}, ssp.AppendSerial(nil, n), err
	}},
	{"firmware", 16, text("firmware")},
	{"dataset", 8, text("dataset")},
	{"reject_code", 1, func(_ ssptest.Vector, b []byte) (fields, []byte, error) {
		r, err := ssp.ParseRejectCode(b)
		return fields{"reject_code": r, "name": strings.Replace(strings.ToUpper(r.String()), "REJECTED", "REJECT", 1)},
			[]byte{byte(r)}, err
	}},
	{"stacked", 0, counters("stacked", "stored", "dispensed", "transferred", "rejected")},
	{"feeder_rejects", 0, counters("coins_paid_out", "coins_paid_in", "feeder_rejects", "hopper_jams", "feeder_jams",
		"fraud_attempts", "calibration_fails", "resets")},
	{"coins_past_sensors", 24, counters("coins_past_sensors", "coins_paid_in", "coins_paid_out", "coins_to_cashbox",
		"payout_requests", "float_requests")},
	{"slave_inter_key", 8, func(_ ssptest.Vector, b []byte) (fields, []byte, error) {
		n, err := ssp.ParseUint64(b)
		return fields{"slave_inter_key": n}, ssp.SetGenerator(n)[1:], err
	}},
	{"modules", 0, func(_ ssptest.Vector, b []byte) (fields, []byte, error) {
		list, err := ssp.ParseRevisions(b)
		out := []fields{}
		for _, r := range list {
			out = append(out, fields{"type": r.Module, "revision": r.Revision})
		}
		return fields{"modules": out}, ssp.AppendRevisions(nil, list), err
	}},
	{"ticket", 0, func(_ ssptest.Vector, b []byte) (fields, []byte, error) {
		k, err := ssp.ParseBarcodeData(b)
		return fields{"status": k.Status.String(), "length": len(k.Text), "ticket": k.Text}, k.Append(nil), err
	}},
	{"positions", 0, positions},
	{"positions_channels", 0, positions},
	{"minimum", 4, func(_ ssptest.Vector, b []byte) (fields, []byte, error) {
		n, err := ssp.ParseMinimumPayout(b)
		return fields{"minimum": n}, ssp.AppendMinimumPayout(nil, n), err
	}},
	{"moved", 0, func(_ ssptest.Vector, b []byte) (fields, []byte, error) {
		list, unknown, err := ssp.ParseCashboxData(b)
		var moved []ssp.DenomCount
		for _, d := range list {
			if d.Count > 0 {
				moved = append(moved, d)
			}
		}
		return fields{"denominations": len(list), "moved": items(moved), "unknown": unknown},
			ssp.AppendCashboxData(nil, list, unknown), err
	}},
	{"levels", 0, func(_ ssptest.Vector, b []byte) (fields, []byte, error) {
		list, err := ssp.ParseLevels(b)
		out := []fields{}
		cc := ""
		for _, l := range list {
			out = append(out, fields{"level": l.Level, "value": l.Value})
			if cc == "" || cc == l.Currency {
				cc = l.Currency
			} else {
				cc = "several"
			}
		}
		return fields{"levels": out, "country": cc}, ssp.AppendLevels(nil, list), err
	}},
	{"highest_channel", 0, func(_ ssptest.Vector, b []byte) (fields, []byte, error) {
		c, err := ssp.ParseChannelValues(b)
		if err == nil && fmt.Sprint(c.Values) != fmt.Sprint(c.Bytes) {
			err = errors.New("the two lists of values differ")
		}
		return fields{"highest_channel": len(c.Bytes), "values": c.Values, "country": c.Currencies[0]}, c.Append(nil), err
	}},
	{"level", 2, func(_ ssptest.Vector, b []byte) (fields, []byte, error) {
		n, err := ssp.ParseLevel(b)
		return fields{"level": n}, ssp.AppendLevel(nil, n), err
	}},
}

func text(name string) func(ssptest.Vector, []byte) (fields, []byte, error) {
	return func(_ ssptest.Vector, b []byte) (fields, []byte, error) {
		return fields{name: string(b)}, []byte(string(b)), nil
	}
}

func counters(names ...string) func(ssptest.Vector, []byte) (fields, []byte, error) {
	return func(_ ssptest.Vector, b []byte) (fields, []byte, error) {
		list, err := ssp.ParseCounters(b)
		if err == nil && len(list) != len(names) {
			err = fmt.Errorf("%d counters", len(list))
		}
		f := fields{"count": len(list)}
		for i, n := range list {
			f[names[i]] = n
		}
		return f, ssp.AppendCounters(nil, list), err
	}
}

func positions(_ ssptest.Vector, b []byte) (fields, []byte, error) {
	p, err := ssp.ParseNotePositions(b)
	channels := []int{}
	for _, c := range p.Channels {
		channels = append(channels, int(c))
	}
	return fields{"positions": p.Values, "positions_channels": channels}, p.Append(nil), err
}

func setup(v ssptest.Vector, b []byte) (fields, []byte, error) {
	s, err := ssp.ParseSetup(b)
	if err != nil {
		return nil, nil, err
	}
	values, raw, coins := []int64{}, []int64{}, []int64{}
	security, countries := []int{}, []string{}
	for _, c := range s.Channels {
		coins = append(coins, c.Value)
		security = append(security, int(c.Security))
		countries = append(countries, c.Currency)
		if s.RealMultiplier > 0 && s.ValueMultiplier > 0 {
			values = append(values, c.Value/int64(s.RealMultiplier))
			raw = append(raw, c.Value/int64(s.RealMultiplier)/int64(s.ValueMultiplier))
		}
	}
	again := s.Append(nil)
	if want, ok := v.Decoded["countries"].([]any); ok && len(want) < len(countries) {
		countries, again = countries[:len(want)], nil // one code short: the manual's slip, not a machine's
	}
	m := s.RealMultiplier
	return fields{
		"unit_type": s.UnitType, "firmware": s.Firmware, "country": s.Currency, "protocol_version": s.Protocol,
		"value_multiplier": s.ValueMultiplier, "real_value_multiplier": m,
		"real_value_multiplier_bytes": spaced([]byte{byte(m >> 16), byte(m >> 8), byte(m)}),
		"channels":                    values, "channel_values": values, "expanded_values": values, "channel_bytes": raw,
		"coin_values": coins, "security": security, "countries": countries,
	}, again, nil
}

// eventAliases are names of events that vectors give otherwise than the fact sheet.
var eventAliases = map[string]string{
	"NOTE CREDIT": "CREDIT", "HOPPER JAMMED": "JAMMED", "NOTE TRANSFERED TO STACKER": "NOTE TRANSFERRED TO STACKER",
	"POLL": "CREDIT",
}

// events parses the answer to a poll and builds it again from what was parsed.
func events(t *testing.T, v ssptest.Vector, rest []byte, got map[string]any) (again []byte) {
	t.Helper()
	list, err := ssp.ParsePoll(rest, v.Protocol(), coins(v), nil)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := v.Decoded["events"].([]any)
	if len(want) != len(list) {
		t.Fatalf("%d events, want %d", len(list), len(want))
	}
	var out []any
	for i, e := range list {
		one := ssp.AppendEvent(nil, e, v.Protocol(), coins(v))
		again = append(again, one...)
		f := eventFields(e, one)
		w, _ := want[i].(map[string]any)
		for name := range f {
			if _, ok := w[name]; !ok {
				delete(f, name)
			}
		}
		out = append(out, f)
	}
	got["events"] = out
	if name, ok := v.Decoded["event_name"].(string); ok {
		known := strings.ToUpper(name)
		if alias, ok := eventAliases[known]; ok {
			known = alias
		}
		if list[0].Code.String() == known {
			got["event_name"] = name
		}
	}
	return again
}

// eventFields lists an event by all the names that vectors use.
func eventFields(e ssp.Event, wire []byte) fields {
	f := fields{"code": e.Code, "code_hex": fmt.Sprintf("0x%02X", byte(e.Code)), "data": spaced(wire[1:]),
		"channel": e.Channel, "error": e.Error, "byte": e.Channel | e.Error}
	values := []fields{}
	for _, x := range e.Values {
		one := fields{"value": x.Paid, "country": x.Currency}
		if e.Code == ssp.EvIncompletePayout || e.Code == ssp.EvIncompleteFloat {
			one = fields{"paid": x.Paid, "requested": x.Requested, "country": x.Currency}
		}
		values = append(values, one)
	}
	f["values"] = values
	if len(e.Values) == 1 {
		x := e.Values[0]
		f["value"], f["paid"], f["requested"], f["country"] = x.Paid, x.Paid, x.Requested, x.Currency
	}
	return f
}

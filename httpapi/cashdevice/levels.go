package cashdevice

import (
	"fmt"
	"strings"

	"coffer/devices"
	"coffer/internal/cash"
)

// allLevels: GET GetAllLevels → the store's pieces by channel, read from the machine now. A failure has the same shape.
func (c *call) allLevels() (any, error) {
	d, err := c.device()
	var acc *cash.Account
	if err == nil {
		acc, err = d.Account(c.ctx)
	}
	if err != nil {
		body := object{{"levels", list{}}, {"success", false}, {"message", "Levels could not be read: " + err.Error()}}
		return nil, &refusal{status: 400, body: body, err: err}
	}
	return object{
		{"levels", levels(d.Snapshot(), acc.Levels)}, {"success", true}, {"message", "Successfully retrieved all levels."},
	}, nil
}

// levels lists the channels in dataset order with what is stored of each.
func levels(s *devices.Snapshot, stored cash.Counts) list {
	out := list{}
	for _, ch := range s.Channels {
		out = append(out, object{
			{"countryCode", string(ch.Denom.Currency)}, {"value", ch.Denom.Value}, {"stored", stored[ch.Denom]},
		})
	}
	return out
}

// currencyAssignment: GET GetCurrencyAssignment → one object per channel.
func (c *call) currencyAssignment() (any, error) {
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	acc, err := d.Account(c.ctx)
	if err != nil {
		return nil, err
	}
	out, err := c.assignment(d.Snapshot(), acc.Levels)
	if err == nil && len(out) == 0 {
		return nil, &refusal{status: 404, body: c.id + ": No currency assignments found."}
	}
	return out, err
}

// assignment lists the channels; what is in the cashbox is the ledger's knowledge.
func (c *call) assignment(s *devices.Snapshot, stored cash.Counts) (list, error) {
	boxed, err := c.boxed()
	if err != nil {
		return nil, err
	}
	kind := enum{1, "BANKNOTE"}
	if s.Coins {
		kind = enum{0, "COIN"}
	}
	out := list{}
	for _, ch := range s.Channels {
		country := string(ch.Denom.Currency)
		out = append(out, object{
			{"type", kind},
			{"valueCountryCode", object{
				{"value", ch.Denom.Value}, {"countryCode", country}, {"fraud_Attempt_Value", -1}, {"calibration_Failed_Value", -1},
			}},
			{"value", ch.Denom.Value}, {"countryCode", country},
			{"isInhibited", ch.Inhibited}, {"isRecyclable", ch.Recyclable}, {"acceptRoute", acceptRoute(s, ch)},
			{"stored", stored[ch.Denom]}, {"storedInCashbox", boxed[ch.Denom]}, {"channel", ch.Number},
		})
	}
	return out, nil
}

// acceptRoute is where pieces of the channel go, as the manual shows it: an inhibited channel has route 0.
func acceptRoute(s *devices.Snapshot, ch devices.Channel) enum {
	r := routeCashbox
	switch {
	case !ch.ToPayout || ch.Inhibited:
	case ch.Recycler > 0:
		r = routeRecycler1 + route(ch.Recycler) - 1
	case s.Model == modelNV4000:
		r = routeRecycler
	default:
		r = routePayout
	}
	return enum{int(r), r.String()}
}

// counters: GET GetCounters → dump of CountersData.
func (c *call) counters() (any, error) {
	d, err := c.device()
	if err != nil {
		return nil, err
	}
	acc, err := d.Account(c.ctx)
	if err != nil {
		return nil, err
	}
	if acc.Kind == cash.CountersNone {
		return nil, cash.ErrUnsupported
	}
	return dump(c.id, "CountersData", countersText(acc.Kind, acc.Counters)), nil
}

var (
	noteCounters = []string{"Stacked", "Stored", "Dispensed", "Transferred to stack", "Rejected"}
	coinCounters = []string{
		"Coins paid out, including to cashbox", "Coins paid in", "Feeder rejects", "Hopper jams", "Feeder jams",
		"Fraud attempts", "Calibration Fails", "Resets", "Coins sent to cashbox",
	}
	hopperCounters = []string{
		"Coins past sensors", "Coins paid in", "Coins paid out", "Coins sent to cashbox", "Payout requests", "Float requests",
	}
)

// countersText prints counters as the manual does, "" for a machine without.
func countersText(kind cash.CounterKind, values []uint32) string {
	names := noteCounters
	switch kind {
	case cash.CountersNone:
		return ""
	case cash.CountersCoin:
		names = coinCounters
	case cash.CountersHopper:
		names = hopperCounters
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Number of counters in set: %d\n", len(values))
	for i, v := range values {
		name := fmt.Sprintf("Counter %d", i+1)
		if i < len(names) {
			name = names[i]
		}
		fmt.Fprintf(&b, "%s: %d\n", name, v)
	}
	return b.String()
}

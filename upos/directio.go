package upos

import (
	"encoding/hex"
	"encoding/json"
	"strings"

	"coffer/internal/cash"
)

// Commands of DirectIO. data is the number of a machine of the device, from 0 in the order of the configuration; other
// commands are E_ILLEGAL. On return data is unchanged and obj is the answer.
const (
	// DirectRaw sends one SSP command: obj is its bytes in hexadecimal, code first; the answer likewise, generic response
	// first. Needs claim and enable. Commands that move money are refused with E_ILLEGAL: the books would not know.
	DirectRaw int32 = 1
	// DirectParts answers a JSON array of the machines: id, kind, state and stock.
	DirectParts int32 = 2
	// DirectOutcome answers how the last payout of this handle ended, as JSON: operation, asked, paid, sure, code,
	// extended, message. paid is what is sure to have gone out.
	DirectOutcome int32 = 3
	// DirectCashbox answers the cash counts of the machine's cashbox by the ledger, with their currency.
	DirectCashbox int32 = 4
)

// Numbers of DirectIOEvents. Data is the number of the machine unless said otherwise.
const (
	DirectBoxRemoved  int32 = 1 // the cashbox was taken out
	DirectBoxReplaced int32 = 2 // and put back
	DirectReturned    int32 = 3 // a piece was refused or given back
	DirectFraud       int32 = 4 // a manipulation attempt
	DirectLateCredit  int32 = 5 // money came in outside a deposit; Obj has the cash counts. It is in the ledger
	DirectPartial     int32 = 6 // a payout ended short; Data is its result code, Obj as of DirectOutcome
	DirectDiscrepancy int32 = 7 // machine and ledger disagreed
)

// unusual tells what the standard has no events for. The caller holds mu.
func (d *device) unusual(c Change, parts []Part) {
	id := ""
	if c.Part >= 0 && c.Part < len(parts) {
		id = parts[c.Part].ID
	}
	for _, e := range []struct {
		happened bool
		number   int32
		counter  string
	}{
		{c.BoxOut, DirectBoxRemoved, "CashboxRemovedCount"},
		{c.BoxIn, DirectBoxReplaced, ""},
		{c.Returned, DirectReturned, "ReturnedCount"},
		{c.Fraud, DirectFraud, "FraudCount"},
		{c.Doubt, DirectDiscrepancy, "DiscrepancyCount"},
	} {
		if !e.happened {
			continue
		}
		if e.counter != "" {
			d.stats.add(e.counter, 1)
		}
		d.enabled(func(h *Handle) { h.direct(e.number, int32(c.Part), id) })
	}
}

// directIO does the commands above.
func (c *call) directIO() (map[string]any, error) {
	obj := ""
	var err error
	command, data := c.int("command"), c.int("data")
	switch {
	case c.d.mech == nil:
		return nil, fail(E_ILLEGAL, "a %s has no DirectIO commands", c.h.class)
	case command == DirectParts:
		obj = asJSON(describe(c.parts))
	case command == DirectOutcome:
		s := c.h.service
		s.mu.Lock()
		obj = asJSON(c.h.last)
		s.mu.Unlock()
	case command != DirectRaw && command != DirectCashbox:
		return nil, fail(E_ILLEGAL, "DirectIO command %d: use %d to %d", command, DirectRaw, DirectCashbox)
	case data < 0 || int(data) >= len(c.parts):
		return nil, fail(E_ILLEGAL, "data %d: the device has machines 0 to %d", data, len(c.parts)-1)
	case command == DirectCashbox:
		s := c.h.service
		s.mu.Lock()
		obj = c.h.piecesText(c.parts[data].Box)
		s.mu.Unlock()
	default:
		obj, err = c.raw(int(data), c.string("obj"))
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"data": data, "obj": obj}, nil
}

// raw sends one SSP command.
func (c *call) raw(part int, text string) (string, error) {
	if _, err := c.h.check(AfterEnable); err != nil {
		return "", err
	}
	command, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil || len(command) == 0 {
		return "", fail(E_ILLEGAL, "obj %q: write the bytes of the command in hexadecimal", text)
	}
	if err := c.idle(); err != nil {
		return "", err
	}
	answer, err := c.d.mech.Raw(c.ctx, c.request(), part, command)
	return strings.ToUpper(hex.EncodeToString(answer)), wrap(err)
}

// partJSON is a machine as DirectParts shows it.
type partJSON struct {
	ID       string     `json:"id"`
	Bills    bool       `json:"bills"`
	Model    string     `json:"model"`
	Serial   string     `json:"serial"`
	Firmware string     `json:"firmware"`
	Online   bool       `json:"online"`
	Jammed   bool       `json:"jammed"`
	Full     bool       `json:"full"`
	BoxOut   bool       `json:"boxOut"`
	Moving   bool       `json:"moving"`
	InDoubt  bool       `json:"inDoubt"`
	Store    []cash.Row `json:"store"`
	Box      []cash.Row `json:"box"`
}

func describe(parts []Part) []partJSON {
	out := []partJSON{}
	for _, p := range parts {
		out = append(out, partJSON{p.ID, p.Bills, p.Model, p.Serial, p.Firmware, p.Online, p.Jammed, p.Full, p.BoxOut,
			p.Moving, p.InDoubt, rows(p.Store), rows(p.Box)})
	}
	return out
}

func rows(p Pieces) []cash.Row {
	c := cash.Counts{}
	for piece, n := range p {
		c[cash.Denom{Value: piece.Value, Currency: piece.Currency}] += n
	}
	return c.Rows()
}

// asJSON writes a value of this package's own types, which always can be written.
func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

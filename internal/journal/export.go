package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"coffer/internal/cash"
)

// entryJSON is one line of the export. Members and order are the contract's (section 6); detail comes last and only
// where a row has one.
type entryJSON struct {
	Seq      int64  `json:"seq"`
	At       string `json:"at"`
	Device   string `json:"device"`
	Op       string `json:"op"`
	Kind     string `json:"kind"`
	Value    int64  `json:"value"`
	Currency string `json:"currency"`
	Count    int    `json:"count"`
	From     string `json:"from"`
	To       string `json:"to"`
	Hash     string `json:"hash"`
	Detail   string `json:"detail,omitempty"`
}

func entryOut(e cash.Entry) entryJSON {
	return entryJSON{
		Seq: e.Seq, At: formatTime(e.At), Device: string(e.Device), Op: e.Op, Kind: string(e.Kind), Value: e.Value,
		Currency: string(e.Currency), Count: e.Count, From: string(e.From), To: string(e.To), Hash: e.Hash, Detail: e.Detail,
	}
}

// EncodeEntry returns one row as the JSON object of `coffer journal export --json`, without a line end.
func EncodeEntry(e cash.Entry) []byte { return encode(entryOut(e)) }

// EncodeEntries returns rows as {"entries":[…]}.
func EncodeEntries(rows []cash.Entry) []byte {
	out := make([]entryJSON, len(rows))
	for i, e := range rows {
		out[i] = entryOut(e)
	}
	return encode(struct {
		Entries []entryJSON `json:"entries"`
	}{out})
}

// EncodeBalance returns a balance as the JSON object of `coffer journal balance --json`: {"balances":[…]}.
func EncodeBalance(rows []cash.BalanceRow) []byte {
	if rows == nil {
		rows = []cash.BalanceRow{}
	}
	return encode(struct {
		Balances []cash.BalanceRow `json:"balances"`
	}{rows})
}

// opJSON is an operation as people and programs see it. state is "open" while no outcome is known, "unknown" when it is
// to be settled, else how it ended.
type opJSON struct {
	ID      string      `json:"id"`
	Key     string      `json:"key"`
	Kind    string      `json:"kind"`
	Device  string      `json:"device"`
	Actor   string      `json:"actor"`
	Asked   cash.Amount `json:"asked"`
	Keep    []cash.Row  `json:"keep"`
	Module  byte        `json:"module"`
	State   string      `json:"state"`
	Paid    []cash.Row  `json:"paid"`
	Detail  string      `json:"detail"`
	Started string      `json:"started"`
	Ended   string      `json:"ended,omitempty"`

	Pieces []cash.Row      `json:"pieces,omitempty"` // of a payout by pieces
	Worth  *cash.Amount    `json:"worth,omitempty"`  // of a float by amount
	Least  int64           `json:"least,omitempty"`
	Whole  string          `json:"whole,omitempty"`  // of a leg
	Across []cash.DeviceID `json:"across,omitempty"` // of an operation over several machines
}

// EncodeOps returns operations as {"operations":[…]}.
func EncodeOps(ops []cash.Op) []byte {
	out := make([]opJSON, len(ops))
	for i, o := range ops {
		state := string(o.State)
		if state == "" {
			state = "open"
		}
		out[i] = opJSON{
			ID: o.ID, Key: o.Key, Kind: string(o.Kind), Device: string(o.Device), Actor: o.Actor, Asked: o.Asked,
			Keep: o.Keep.Rows(), Module: o.Module, State: state, Paid: o.Paid.Rows(), Detail: o.Detail,
			Started: formatTime(o.Started), Ended: formatTime(o.Ended),
			Pieces: o.Pieces.Rows(), Least: o.Least, Whole: o.Whole, Across: o.Across,
		}
		if o.Worth != (cash.Amount{}) {
			out[i].Worth = &o.Worth
		}
	}
	return encode(struct {
		Operations []opJSON `json:"operations"`
	}{out})
}

// Export writes every row after the given sequence number as one line of JSON, and returns how many.
func (r *Reader) Export(ctx context.Context, w io.Writer, after int64) (n int64, err error) {
	const page = 1000
	for {
		rows, err := r.Entries(ctx, after, page)
		if err != nil {
			return n, err
		}
		var b bytes.Buffer
		for _, e := range rows {
			b.Write(EncodeEntry(e))
			b.WriteByte('\n')
			after = e.Seq
		}
		if _, err := w.Write(b.Bytes()); err != nil {
			return n, err
		}
		n += int64(len(rows))
		if len(rows) < page {
			return n, nil
		}
	}
}

// encode prints v as JSON on one line, <, > and & as they are. The types above cannot fail to encode.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

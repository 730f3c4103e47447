package journal

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coffer/internal/cash"
)

// Begin writes the intent of an operation, and one operation row, and returns it with ID, Started and the open State.
// It is on the disk when Begin returns. An op whose Key is not empty and was used before, for any operation, writes
// nothing: the earlier operation is returned with cash.ErrKeySeen, which does not wrap cash.ErrJournal. ID, State,
// Paid, Started and Ended of the argument are ignored.
func (j *Journal) Begin(ctx context.Context, op cash.Op) (cash.Op, error) {
	if err := checkOp(&op); err != nil {
		return cash.Op{}, err
	}
	var out cash.Op
	err := j.submit(ctx, &job{run: func(b *batch) (err error) {
		out, err = b.begin(op)
		return err
	}})
	if err != nil && !errors.Is(err, cash.ErrKeySeen) {
		return cash.Op{}, err
	}
	return out, err
}

// BeginLegs writes the intent of an operation over several machines in one transaction: the whole, and its legs, which
// it names. Otherwise as Begin; the key is the whole's. Without legs the whole is closed at once with its own State and
// Detail, as an operation that was refused.
func (j *Journal) BeginLegs(ctx context.Context, whole cash.Op, legs []cash.Op) (cash.Op, []cash.Op, error) {
	state, detail := whole.State, clean(whole.Detail)
	list := append([]cash.Op(nil), legs...)
	if err := checkLegs(&whole, list); err != nil {
		return cash.Op{}, nil, err
	}
	var out []cash.Op
	err := j.submit(ctx, &job{run: func(b *batch) (err error) {
		op := whole
		if op, err = b.begin(op); err != nil {
			out = []cash.Op{op}
			return err
		}
		out = append(out[:0], op)
		for _, leg := range list {
			leg.Whole = op.ID
			if leg, err = b.begin(leg); err != nil {
				return err
			}
			out = append(out, leg)
		}
		if len(list) > 0 {
			return nil
		}
		out[0].State, out[0].Detail, out[0].Ended = state, detail, b.at
		return b.closeOp(op, cash.OpClose{ID: op.ID, Result: state, Detail: detail})
	}})
	if err != nil && !errors.Is(err, cash.ErrKeySeen) {
		return cash.Op{}, nil, err
	}
	return out[0], out[1:], err
}

// checkLegs is checkOp for a whole and its legs.
func checkLegs(whole *cash.Op, legs []cash.Op) error {
	if len(whole.Across) == 0 || len(legs) == 0 && (whole.State == "" || whole.State == cash.OpUnknown) {
		return invalid("operation over no machines")
	}
	if err := checkOp(whole); err != nil {
		return err
	}
	for i := range legs {
		if err := checkOp(&legs[i]); err != nil {
			return err
		}
		if legs[i].Key != "" {
			return invalid("a leg has no key of its own")
		}
	}
	return nil
}

// Write commits w as one transaction and returns the rows that it made: those of w.Lines first and in their order, then
// one operation row for each of w.Close. ClearEvidence acts before Evidence is added, and a Baseline stands at the last
// of these rows. Evidence and Baseline without a time get the present one.
//
// Rows that the ledger cannot hold (a count or value below 1 for money, an unknown kind or place) and the closing of an
// operation that is unknown or already closed are refused as a whole with cash.ErrInvalid beside cash.ErrJournal.
func (j *Journal) Write(ctx context.Context, w cash.LedgerWrite) ([]cash.Entry, error) {
	lines := make([]cash.Line, len(w.Lines))
	for i, l := range w.Lines {
		var err error
		if lines[i], err = checkLine(l); err != nil {
			return nil, err
		}
	}
	w.Lines = lines
	var out []cash.Entry
	err := j.submit(ctx, &job{run: func(b *batch) error {
		first := len(b.rows)
		err := b.write(w)
		out = append([]cash.Entry(nil), b.rows[first:]...)
		return err
	}})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (b *batch) begin(op cash.Op) (cash.Op, error) {
	if op.Key != "" {
		switch earlier, err := scanOp(b.queryRow(b.stmts.opByKey, op.Key)); {
		case err == nil:
			return earlier, refusal{fmt.Errorf("%w: %q is operation %s", cash.ErrKeySeen, op.Key, earlier.ID)}
		case !errors.Is(err, sql.ErrNoRows):
			return op, err
		}
	}
	op.ID, op.Started = newOpID(b), b.at
	err := b.exec(b.stmts.op, op.ID, op.Key, string(op.Kind), string(op.Device), op.Actor, op.Asked.Value,
		string(op.Asked.Currency), toJSON(op.Keep), int64(op.Module), string(op.State), toJSON(op.Paid), op.Detail,
		formatTime(op.Started), "", toJSON(op.Pieces), op.Worth.Value, string(op.Worth.Currency), op.Least, op.Whole, toJSON(op.Across))
	if err != nil {
		return op, err
	}
	return op, b.add(opLine(op, "opened: "+describe(op)))
}

func (b *batch) write(w cash.LedgerWrite) error {
	ops := make([]cash.Op, len(w.Close))
	for i, c := range w.Close {
		op, err := scanOp(b.queryRow(b.stmts.opByID, c.ID))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return refusal{invalid("no operation %q", c.ID)}
		case err != nil:
			return err
		case !op.Open():
			return refusal{invalid("operation %s is closed already: %s", c.ID, op.State)}
		case slices.ContainsFunc(w.Close[:i], func(o cash.OpClose) bool { return o.ID == c.ID }):
			return refusal{invalid("operation %s: closed twice in one write", c.ID)}
		case c.Result == "":
			return refusal{invalid("operation %s: no result to close it with", c.ID)}
		}
		ops[i] = op
	}
	for _, l := range w.Lines {
		if err := b.add(l); err != nil {
			return err
		}
	}
	for i, c := range w.Close {
		if err := b.closeOp(ops[i], c); err != nil {
			return err
		}
	}
	for i, op := range ops {
		first := func(o cash.Op) bool { return o.Whole == op.Whole }
		if op.Whole == "" || slices.IndexFunc(ops, first) != i {
			continue
		}
		if err := b.closeWhole(op.Whole); err != nil {
			return err
		}
	}
	return b.notes(w)
}

// closeWhole writes the outcome of an operation over several machines, if it has one now.
func (b *batch) closeWhole(id string) error {
	whole, err := scanOp(b.queryRow(b.stmts.opByID, id))
	if err != nil {
		return err
	}
	rows, err := b.tx.StmtContext(b.ctx, b.stmts.opLegs).QueryContext(b.ctx, id)
	if err != nil {
		return err
	}
	defer rows.Close()
	var legs []cash.Op
	for rows.Next() {
		leg, err := scanOp(rows)
		if err != nil {
			return err
		}
		legs = append(legs, leg)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if c, ended := cash.CloseWhole(whole, legs); ended {
		return b.closeOp(whole, c)
	}
	return nil
}

// closeOp writes the outcome of op.
func (b *batch) closeOp(op cash.Op, c cash.OpClose) error {
	verb, ended := "closed", formatTime(b.at)
	if c.Result == cash.OpUnknown {
		verb, ended = "to be settled", ""
	}
	if err := b.exec(b.stmts.closeOp, op.ID, string(c.Result), toJSON(c.Paid), clean(c.Detail), ended); err != nil {
		return err
	}
	text := verb + ": " + string(c.Result) + ", moved " + describeCounts(c.Paid)
	if c.Detail != "" {
		text += "; " + clean(c.Detail)
	}
	return b.add(opLine(op, text))
}

// notes writes what is not a row of the ledger: evidence and baseline.
func (b *batch) notes(w cash.LedgerWrite) error {
	if w.ClearEvidence != "" {
		if err := b.exec(b.stmts.clearEvidence, string(w.ClearEvidence)); err != nil {
			return err
		}
	}
	for _, e := range w.Evidence {
		at := e.At
		if at.IsZero() {
			at = b.at
		}
		data := e.Data
		if data == nil {
			data = []byte{}
		}
		if err := b.exec(b.stmts.evidence, string(e.Device), formatTime(at), e.Type, data); err != nil {
			return err
		}
	}
	if w.Baseline == nil {
		return nil
	}
	at := w.Baseline.At
	if at.IsZero() {
		at = b.at
	}
	return b.exec(b.stmts.baseline, string(w.Baseline.Device), toJSON(accountJSON{w.Baseline.Account, w.Baseline.Account.Levels == nil}), b.seq, formatTime(at))
}

// opLine is the row that says what became of an operation. It carries no money.
func opLine(op cash.Op, detail string) cash.Line {
	return cash.Line{
		Device: op.Device, Op: op.ID, Kind: cash.KindOperation, Currency: op.Asked.Currency,
		From: cash.Unknown, To: cash.Unknown, Detail: detail,
	}
}

// describe says in words what an operation is to do.
func describe(op cash.Op) string {
	s := string(op.Kind)
	switch op.Kind {
	case cash.OpDispense:
		s += " " + op.Asked.String()
		if len(op.Pieces) > 0 {
			s += " as " + describeCounts(op.Pieces)
		}
	case cash.OpFloat:
		s += " keeping " + describeKept(op)
	case cash.OpEmpty:
		if op.Module != 0 {
			s += fmt.Sprintf(" module %d", op.Module)
		}
	}
	if op.Whole != "" {
		s += ", leg of " + op.Whole
	}
	for i, dev := range op.Across {
		s += []string{" over ", " and "}[min(i, 1)] + string(dev)
	}
	if op.Actor != "" {
		s += " by " + op.Actor
	}
	if op.Key != "" {
		s += ", key " + op.Key
	}
	return s
}

// describeKept says what a float is to leave in the store.
func describeKept(op cash.Op) string {
	if op.Worth == (cash.Amount{}) {
		return describeCounts(op.Keep)
	}
	return op.Worth.String() + ", with which " + cash.Amount{Value: op.Least, Currency: op.Worth.Currency}.String() + " can be paid"
}

// describeCounts prints "2 x 5.00 EUR, 1 x 10.00 EUR".
func describeCounts(c cash.Counts) string {
	rows := c.Rows()
	if len(rows) == 0 {
		return "nothing"
	}
	parts := make([]string, len(rows))
	for i, r := range rows {
		parts[i] = fmt.Sprintf("%d x %s", r.Count, cash.Amount{Value: r.Value, Currency: r.Currency})
	}
	return strings.Join(parts, ", ")
}

// newOpID makes an identifier that is short enough to be read out: the day and 40 random bits.
func newOpID(b *batch) string {
	var r [5]byte
	_, _ = rand.Read(r[:]) // never fails
	return b.at.Format("20060102") + "-" + strings.ToLower(base32.StdEncoding.EncodeToString(r[:]))
}

// accountJSON is a stored account. It keeps apart a machine without a store and one whose store is empty.
type accountJSON struct {
	cash.Account
	NoStore bool `json:"no_store,omitempty"`
}

// toJSON stores a value whose type cannot fail to encode.
func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// clean makes text that every reader of the export gets back unchanged.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"coffer/internal/cash"
)

// ErrChain: the ledger is not as it was written. The error says where; it also wraps cash.ErrJournal.
var ErrChain = errors.New("the ledger was changed after it was written: keep a copy of the file and compare it with a backup or export")

func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %w: %s", cash.ErrJournal, ErrChain, fmt.Sprintf(format, args...))
}

// Verify reads the whole ledger at one moment and returns the number of its rows if the file is sound, sequence numbers
// have no gap, every hash fits its row and the row before, the last row is the one that was written last, and the kept
// balance equals the sum over all rows. Else it returns how many rows were good, and ErrChain or what else is wrong.
func (r *Reader) Verify(ctx context.Context) (n int64, err error) {
	tx, err := r.db.R.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return 0, fail("read", err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing to undo
	var sound string
	if err := tx.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&sound); err != nil {
		return 0, fail("check the file", err)
	}
	if sound != "ok" {
		return 0, fmt.Errorf("%w: the file is damaged: keep a copy of it, then restore a backup (%s)", cash.ErrJournal, sound)
	}
	c := chain{hash: Genesis, sums: map[cash.BalanceRow]int64{}}
	if err := c.walk(ctx, tx); err != nil {
		return c.seq, err
	}
	if err := c.checkHead(ctx, tx); err != nil {
		return c.seq, err
	}
	return c.seq, c.checkBalances(ctx, tx)
}

// chain is how far a verification has come.
type chain struct {
	seq  int64
	hash string
	sums map[cash.BalanceRow]int64 // key with Count 0
}

func (c *chain) walk(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, "SELECT "+lineColumns+" FROM lines ORDER BY seq")
	if err != nil {
		return fail("read", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := c.step(rows); err != nil {
			return err
		}
	}
	return fail("read", rows.Err())
}

// step checks one row against the one before.
func (c *chain) step(s scanner) error {
	var seq int64
	var at, hash string
	var l cash.Line
	if err := s.Scan(&seq, &at, &l.Device, &l.Op, &l.Kind, &l.Value, &l.Currency, &l.Count, &l.From, &l.To, &l.Detail, &hash); err != nil {
		return fail("read", err)
	}
	if seq != c.seq+1 {
		return broken("row %d is missing", c.seq+1)
	}
	if hashRow(c.hash, seq, at, l) != hash {
		return broken("row %d does not fit its hash and the row before", seq)
	}
	c.seq, c.hash = seq, hash
	if l.Value == 0 {
		return nil
	}
	if counted(l.From) {
		c.sums[cash.BalanceRow{Device: l.Device, Place: l.From, Value: l.Value, Currency: l.Currency}] -= int64(l.Count)
	}
	if counted(l.To) {
		c.sums[cash.BalanceRow{Device: l.Device, Place: l.To, Value: l.Value, Currency: l.Currency}] += int64(l.Count)
	}
	return nil
}

func (c *chain) checkHead(ctx context.Context, tx *sql.Tx) error {
	seq, hash, err := readHead(ctx, tx)
	switch {
	case err != nil:
		return err
	case seq > c.seq:
		return broken("row %d is missing", c.seq+1)
	case seq < c.seq:
		return broken("row %d was added from outside", seq+1)
	case hash != c.hash:
		return broken("row %d is not the one that was written last", seq)
	}
	return nil
}

func (c *chain) checkBalances(ctx context.Context, tx *sql.Tx) error {
	kept, err := collect(ctx, tx, scanBalance, "SELECT device, place, value, currency, count FROM balances")
	if err != nil {
		return err
	}
	for _, b := range kept {
		count := int64(b.Count)
		b.Count = 0
		if c.sums[b] != count {
			return broken("the balance of %s in %s of %s says %d, its rows say %d",
				cash.Denom{Value: b.Value, Currency: b.Currency}, b.Place, b.Device, count, c.sums[b])
		}
		delete(c.sums, b)
	}
	for b, sum := range c.sums {
		if sum != 0 {
			return broken("the balance of %s in %s of %s is missing, its rows say %d",
				cash.Denom{Value: b.Value, Currency: b.Currency}, b.Place, b.Device, sum)
		}
	}
	return nil
}

// readHead returns the sequence number and hash of the row that was written last; 0 and Genesis for an empty ledger.
func readHead(ctx context.Context, q interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}) (seq int64, hash string, err error) {
	err = q.QueryRowContext(ctx, "SELECT seq, hash FROM head").Scan(&seq, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, Genesis, nil
	}
	return seq, hash, fail("read", err)
}

// checkTail is the quick look at Open: the last rows must be those that were written last. It saves the next row from
// being chained to a damaged one.
func (r *Reader) checkTail(ctx context.Context) error {
	seq, hash, err := readHead(ctx, r.db.R)
	if err != nil {
		return err
	}
	rows, err := r.entries(ctx, "ORDER BY seq DESC LIMIT 2")
	switch {
	case err != nil:
		return err
	case len(rows) == 0 && seq == 0:
		return nil
	case len(rows) == 0 || rows[0].Seq < seq:
		return broken("row %d is missing", seq)
	case rows[0].Seq > seq:
		return broken("row %d was added from outside", rows[0].Seq)
	}
	before := Genesis
	if len(rows) == 2 {
		before = rows[1].Hash
	}
	last := rows[0]
	if last.Hash != hash || hashRow(before, last.Seq, formatTime(last.At), last.Line) != hash {
		return broken("row %d does not fit its hash and the row before", seq)
	}
	return nil
}

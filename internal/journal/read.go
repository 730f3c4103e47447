package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"

	"coffer/internal/cash"
	"coffer/internal/sqlstore"
)

const (
	lineColumns = "seq, at, device, op, kind, value, currency, count, from_place, to_place, detail, hash"
	opColumns   = "id, key, kind, device, actor, asked_value, asked_currency, keep, module, state, paid, detail, started, ended, " +
		"pieces, worth_value, worth_currency, least, whole, across"
)

// Reader reads a ledger, beside the process that writes it or alone. Its methods are safe for any goroutine.
type Reader struct{ db *sqlstore.DB }

// OpenReadOnly opens the ledger in dir for reading, whether a coffer runs there or not. It takes no lock.
func OpenReadOnly(ctx context.Context, dir string) (*Reader, error) {
	path := filepath.Join(dir, FileName)
	db, err := sqlstore.OpenReadOnly(ctx, path, migrations())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fail("no ledger in "+dir+": start coffer once, or name its data directory with --data-dir", err)
	}
	if err != nil {
		return nil, fail("open "+path, err)
	}
	return &Reader{db}, nil
}

// Close ends the reader.
func (r *Reader) Close() error { return fail("close", r.db.Close()) }

// Entries returns up to limit rows (at least 1, else cash.ErrInvalid) with a sequence number greater than after, in
// rising order.
func (r *Reader) Entries(ctx context.Context, after int64, limit int) ([]cash.Entry, error) {
	if limit < 1 {
		return nil, invalid("limit %d: ask for at least 1 row", limit)
	}
	return r.entries(ctx, "WHERE seq > $1 ORDER BY seq LIMIT $2", after, limit)
}

// LinesSince returns all rows of one device with a sequence number greater than seq, in rising order.
func (r *Reader) LinesSince(ctx context.Context, dev cash.DeviceID, seq int64) ([]cash.Entry, error) {
	return r.entries(ctx, "WHERE device = $1 AND seq > $2 ORDER BY seq", string(dev), seq)
}

// OpLines returns all rows of one operation, in rising order.
func (r *Reader) OpLines(ctx context.Context, id string) ([]cash.Entry, error) {
	return r.entries(ctx, "WHERE op = $1 AND op <> '' ORDER BY seq", id)
}

func (r *Reader) entries(ctx context.Context, where string, args ...any) ([]cash.Entry, error) {
	return collect(ctx, r.db.R, scanEntry, "SELECT "+lineColumns+" FROM lines "+where, args...)
}

// OpenOps returns the operations of a device ("" for all) whose outcome is not on disk yet, or is unknown, oldest first.
func (r *Reader) OpenOps(ctx context.Context, dev cash.DeviceID) ([]cash.Op, error) {
	return collect(ctx, r.db.R, scanOp, "SELECT "+opColumns+" FROM ops WHERE state IN ('', 'unknown')"+
		" AND ($1 = '' OR device = $1) ORDER BY started, rowid", string(dev))
}

// Op returns the operation with this identifier, false if there is none.
func (r *Reader) Op(ctx context.Context, id string) (cash.Op, bool, error) {
	return one(collect(ctx, r.db.R, scanOp, "SELECT "+opColumns+" FROM ops WHERE id = $1", id))
}

// OpByKey returns the operation that a caller's key names, false if there is none. The empty key names none.
func (r *Reader) OpByKey(ctx context.Context, key string) (cash.Op, bool, error) {
	return one(collect(ctx, r.db.R, scanOp, "SELECT "+opColumns+" FROM ops WHERE key = $1 AND key <> ''", key))
}

// Legs returns the legs of an operation over several machines, in their order; none for any other.
func (r *Reader) Legs(ctx context.Context, id string) ([]cash.Op, error) {
	return collect(ctx, r.db.R, scanOp, "SELECT "+opColumns+" FROM ops WHERE whole = $1 AND whole <> '' ORDER BY rowid", id)
}

// LastSeq returns the sequence number of the device's last row of a kind ("" for any), 0 if there is none.
func (r *Reader) LastSeq(ctx context.Context, dev cash.DeviceID, kind cash.Kind) (int64, error) {
	last := func(s scanner) (seq int64, err error) { return seq, s.Scan(&seq) }
	seq, _, err := one(collect(ctx, r.db.R, last, "SELECT seq FROM lines WHERE device = $1 AND ($2 = '' OR kind = $2)"+
		" ORDER BY seq DESC LIMIT 1", string(dev), string(kind)))
	return seq, err
}

// Balance returns what is in payout, cashbox and escrow of a device ("" for all), rows of 0 pieces left out: by device,
// then payout, cashbox, escrow, then value and currency. A count below zero says that more left a place than the ledger
// saw go in.
func (r *Reader) Balance(ctx context.Context, dev cash.DeviceID) ([]cash.BalanceRow, error) {
	return collect(ctx, r.db.R, scanBalance, "SELECT device, place, value, currency, count FROM balances"+
		" WHERE count <> 0 AND ($1 = '' OR device = $1)"+
		" ORDER BY device, CASE place WHEN 'payout' THEN 1 WHEN 'cashbox' THEN 2 ELSE 3 END, value, currency", string(dev))
}

// Baseline returns the device's last baseline, false if it has none yet.
func (r *Reader) Baseline(ctx context.Context, dev cash.DeviceID) (cash.Baseline, bool, error) {
	return one(collect(ctx, r.db.R, scanBaseline, "SELECT device, account, seq, at FROM baselines WHERE device = $1", string(dev)))
}

// Evidence returns what was kept for a device, oldest first.
func (r *Reader) Evidence(ctx context.Context, dev cash.DeviceID) ([]cash.Evidence, error) {
	return collect(ctx, r.db.R, scanEvidence, "SELECT device, at, type, data FROM evidence WHERE device = $1 ORDER BY id", string(dev))
}

type scanner interface{ Scan(...any) error }

type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

// collect runs a query and reads all its rows.
func collect[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fail("read", err)
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fail("read", err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fail("read", err)
	}
	return out, nil
}

// one returns the only element of a list, if there is one.
func one[T any](list []T, err error) (v T, ok bool, _ error) {
	if err != nil || len(list) == 0 {
		return v, false, err
	}
	return list[0], true, nil
}

func scanEntry(s scanner) (e cash.Entry, err error) {
	var at string
	if err = s.Scan(&e.Seq, &at, &e.Device, &e.Op, &e.Kind, &e.Value, &e.Currency, &e.Count, &e.From, &e.To, &e.Detail, &e.Hash); err != nil {
		return e, err
	}
	e.At, err = parseTime(at)
	return e, err
}

func scanOp(s scanner) (o cash.Op, err error) {
	var keep, paid, started, ended, pieces, across string
	err = s.Scan(&o.ID, &o.Key, &o.Kind, &o.Device, &o.Actor, &o.Asked.Value, &o.Asked.Currency, &keep, &o.Module, &o.State,
		&paid, &o.Detail, &started, &ended, &pieces, &o.Worth.Value, &o.Worth.Currency, &o.Least, &o.Whole, &across)
	if err != nil {
		return o, err
	}
	if o.Started, err = parseTime(started); err != nil {
		return o, err
	}
	if o.Ended, err = parseTime(ended); err != nil {
		return o, err
	}
	return o, errors.Join(json.Unmarshal([]byte(keep), &o.Keep), json.Unmarshal([]byte(paid), &o.Paid),
		json.Unmarshal([]byte(pieces), &o.Pieces), json.Unmarshal([]byte(across), &o.Across))
}

func scanBalance(s scanner) (b cash.BalanceRow, err error) {
	err = s.Scan(&b.Device, &b.Place, &b.Value, &b.Currency, &b.Count)
	return b, err
}

func scanBaseline(s scanner) (b cash.Baseline, err error) {
	var account, at string
	if err = s.Scan(&b.Device, &account, &b.Seq, &at); err != nil {
		return b, err
	}
	if b.At, err = parseTime(at); err != nil {
		return b, err
	}
	var a accountJSON
	if err = json.Unmarshal([]byte(account), &a); err != nil {
		return b, err
	}
	if b.Account = a.Account; a.NoStore {
		b.Account.Levels = nil
	}
	return b, nil
}

func scanEvidence(s scanner) (e cash.Evidence, err error) {
	var at string
	if err = s.Scan(&e.Device, &at, &e.Type, &e.Data); err != nil {
		return e, err
	}
	e.At, err = parseTime(at)
	return e, err
}

package journal

import (
	"context"

	"coffer/internal/cash"
)

// Cursor returns how far the reader of this name has come: the row that it is done with last, and what it noted beside.
// found is false for a reader that has kept nothing yet.
func (r *Reader) Cursor(ctx context.Context, name string) (seq int64, note string, found bool, err error) {
	type kept struct {
		seq  int64
		note string
	}
	scan := func(s scanner) (k kept, err error) {
		err = s.Scan(&k.seq, &k.note)
		return k, err
	}
	k, found, err := one(collect(ctx, r.db.R, scan, "SELECT seq, note FROM cursors WHERE name = $1", name))
	return k.seq, k.note, found, err
}

// KeepCursor replaces what Cursor returns for name. It is on the disk when KeepCursor returns. It is no row of the ledger.
func (j *Journal) KeepCursor(ctx context.Context, name string, seq int64, note string) error {
	if name == "" || seq < 0 {
		return invalid("cursor %q at %d: a cursor needs a name and a row", name, seq)
	}
	return j.submit(ctx, &job{run: func(b *batch) error { return b.exec(b.stmts.cursor, name, seq, clean(note)) }})
}

// Head returns the number of the newest row of all, 0 for an empty ledger.
func (r *Reader) Head(ctx context.Context) (int64, error) {
	last := func(s scanner) (seq int64, err error) { return seq, s.Scan(&seq) }
	seq, _, err := one(collect(ctx, r.db.R, last, "SELECT seq FROM lines ORDER BY seq DESC LIMIT 1"))
	return seq, err
}

// LastLine returns the newest row of one device and kind with a sequence number up to upTo, false if there is none.
func (r *Reader) LastLine(ctx context.Context, dev cash.DeviceID, kind cash.Kind, upTo int64) (cash.Entry, bool, error) {
	return one(r.entries(ctx, "WHERE device = $1 AND kind = $2 AND seq <= $3 ORDER BY seq DESC LIMIT 1", string(dev), string(kind), upTo))
}

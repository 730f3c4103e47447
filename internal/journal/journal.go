package journal

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"coffer/internal/cash"
	"coffer/internal/sqlstore"
)

// FileName is the ledger's file in the data directory.
const FileName = "journal.db"

// ErrKeySeen is cash.ErrKeySeen: Begin met a key that names an earlier operation.
var ErrKeySeen = cash.ErrKeySeen

// errClosed answers calls after Close.
var errClosed = fmt.Errorf("%w: it is closed", cash.ErrJournal)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations is the folder of SQL files, at its root.
func migrations() fs.FS {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return sub
}

// Journal is the open ledger of this process, the only one that writes. Its methods are safe for any goroutine. The
// embedded Reader sees everything whose Write or Begin has returned.
type Journal struct {
	*Reader

	now   func() time.Time
	lock  *os.File
	stmts *statements

	jobs    chan *job     // to the writer goroutine
	closing chan struct{} // closed by Close
	ended   chan struct{} // closed by the writer goroutine
	once    sync.Once
	closed  error // what Close returned

	subs subscribers
}

// Open opens the ledger in dir for writing and makes both if they are not there. It fails with ErrLocked while another
// process (or another Journal) writes there, and refuses a file that is damaged. now stamps the rows; nil is the
// system's clock.
func Open(ctx context.Context, dir string, now func() time.Time) (*Journal, error) {
	if now == nil {
		now = time.Now
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fail("make the data directory", err)
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	j, err := open(ctx, dir, now)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	j.lock = lock
	go j.writer()
	return j, nil
}

func open(ctx context.Context, dir string, now func() time.Time) (*Journal, error) {
	path := filepath.Join(dir, FileName)
	db, err := sqlstore.Open(ctx, path, migrations())
	if err != nil {
		return nil, fail("open "+path, err)
	}
	j := &Journal{
		Reader: &Reader{db: db}, now: now,
		jobs: make(chan *job), closing: make(chan struct{}), ended: make(chan struct{}),
	}
	if err := j.checkTail(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if j.stmts, err = prepare(ctx, db.W); err != nil {
		return nil, errors.Join(fail("open "+path, err), db.Close())
	}
	return j, nil
}

// Made says whether Open began a new ledger: there was no file, or one without content.
func (j *Journal) Made() bool { return j.db.Made }

// Close ends the ledger: what was handed over is committed, later calls get an error, subscriptions end, and the lock
// is free again. A second call returns what the first did.
func (j *Journal) Close() error {
	j.once.Do(func() {
		close(j.closing)
		<-j.ended
		j.subs.closeAll()
		j.closed = errors.Join(j.Reader.Close(), j.lock.Close())
	})
	return j.closed
}

// Check says whether the ledger can still be written: it commits a mark that is no row of it. It gives up with ctx.
func (j *Journal) Check(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- j.submit(ctx, &job{run: (*batch).probe, quiet: true}) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fail("check that it can be written: no answer from the disk", ctx.Err())
	}
}

// statements are the writer's, prepared once.
type statements struct {
	head, setHead, line, balance, op, opByID, opByKey, opLegs, closeOp, baseline, evidence, clearEvidence, probe, cursor *sql.Stmt
}

func prepare(ctx context.Context, db *sql.DB) (*statements, error) {
	s := &statements{}
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&s.head, "SELECT seq, hash FROM head"},
		{&s.setHead, "INSERT INTO head (id, seq, hash) VALUES (1, $1, $2) ON CONFLICT (id) DO UPDATE SET seq = $1, hash = $2"},
		{&s.line, "INSERT INTO lines (" + lineColumns + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"},
		{&s.balance, "INSERT INTO balances (device, place, value, currency, count) VALUES ($1, $2, $3, $4, $5)" +
			" ON CONFLICT (device, place, value, currency) DO UPDATE SET count = count + $5"},
		{&s.op, "INSERT INTO ops (" + opColumns + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14," +
			" $15, $16, $17, $18, $19, $20)"},
		{&s.opByID, "SELECT " + opColumns + " FROM ops WHERE id = $1"},
		{&s.opByKey, "SELECT " + opColumns + " FROM ops WHERE key = $1 AND key <> ''"},
		{&s.opLegs, "SELECT " + opColumns + " FROM ops WHERE whole = $1 AND whole <> '' ORDER BY rowid"},
		{&s.closeOp, "UPDATE ops SET state = $2, paid = $3, detail = $4, ended = $5 WHERE id = $1"},
		{&s.baseline, "INSERT INTO baselines (device, account, seq, at) VALUES ($1, $2, $3, $4)" +
			" ON CONFLICT (device) DO UPDATE SET account = $2, seq = $3, at = $4"},
		{&s.evidence, "INSERT INTO evidence (device, at, type, data) VALUES ($1, $2, $3, $4)"},
		{&s.clearEvidence, "DELETE FROM evidence WHERE device = $1"},
		{&s.probe, "INSERT INTO probe (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = $1"},
		{&s.cursor, "INSERT INTO cursors (name, seq, note) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET seq = $2, note = $3"},
	} {
		var err error
		if *p.stmt, err = db.PrepareContext(ctx, p.text); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// fail is the one form of this package's errors: cash.ErrJournal, what was being done, the cause and what to do.
func fail(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, cash.ErrJournal):
		return err
	}
	return fmt.Errorf("%w: %s: %w", cash.ErrJournal, doing, sqlstore.Explain(err))
}

// invalid refuses what a caller wants written.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w: %s", cash.ErrJournal, cash.ErrInvalid, fmt.Sprintf(format, args...))
}

package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite", free of cgo
	sqlite3 "modernc.org/sqlite/lib"
)

// readers is how many connections read at the same time.
const readers = 4

// DB is one open SQLite file.
type DB struct {
	W *sql.DB // the only connection that writes; its transactions begin IMMEDIATE. nil when opened read-only
	R *sql.DB // reads what is committed, and is refused any write

	Made bool // this Open has made the tables: there was no file, or one without content

	path  string
	birth fs.FileInfo // the file as it was opened
}

// Open opens the SQLite file at path for writing, makes it if it is not there (mode 0640), and brings its tables to
// the form that the SQL files of migrations describe (goose, "00001_name.sql"). Only one process may do so at a time:
// the caller holds a lock. Errors are put into words by Explain.
func Open(ctx context.Context, path string, migrations fs.FS) (*DB, error) {
	if err := create(path); err != nil {
		return nil, Explain(err)
	}
	w, err := sql.Open("sqlite", dsn(path, "mode=rw", "_pragma=busy_timeout(10000)", "_pragma=journal_mode(WAL)",
		"_pragma=synchronous(FULL)", "_pragma=foreign_keys(1)", "_txlock=immediate"))
	if err != nil {
		return nil, Explain(err)
	}
	w.SetMaxOpenConns(1)
	w.SetMaxIdleConns(1)
	db := &DB{W: w, path: path}
	if err := db.settle(ctx, migrations); err != nil {
		return nil, errors.Join(Explain(err), w.Close())
	}
	if db.R, err = openReaders(path); err != nil {
		return nil, errors.Join(Explain(err), w.Close())
	}
	return db, nil
}

// settle checks the pragmas, migrates and remembers which file this is.
func (db *DB) settle(ctx context.Context, migrations fs.FS) error {
	var mode string
	var sync int
	if err := db.W.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if err := db.W.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&sync); err != nil {
		return err
	}
	if !strings.EqualFold(mode, "wal") || sync != 2 {
		return fmt.Errorf("%s: journal mode %s and synchronous %d: put it on a local disk that allows write-ahead logging",
			db.path, mode, sync)
	}
	var err error
	if db.Made, err = migrate(ctx, db.W, migrations); err != nil {
		return err
	}
	info, err := os.Stat(db.path)
	db.birth = info
	return err
}

// OpenReadOnly opens the SQLite file at path beside whoever writes it, or alone, also from a disk that cannot be
// written. The file must exist (else fs.ErrNotExist) and have the tables that migrations describe: it is never changed.
func OpenReadOnly(ctx context.Context, path string, migrations fs.FS) (*DB, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, Explain(err)
	}
	r, err := openChecked(ctx, path, migrations)
	if cannotShare(err) && !pending(path) {
		// Readers and a writer share a file beside this one, which cannot be made here. Nobody writes: read it alone.
		r, err = openChecked(ctx, path, migrations, "immutable=1")
	}
	if err != nil {
		return nil, Explain(err)
	}
	return &DB{R: r, path: path, birth: info}, nil
}

// openChecked opens readers and makes sure that the tables are as migrations describe.
func openChecked(ctx context.Context, path string, migrations fs.FS, more ...string) (*sql.DB, error) {
	r, err := openReaders(path, more...)
	if err != nil {
		return nil, err
	}
	if err := checkVersion(ctx, r, migrations); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func openReaders(path string, more ...string) (*sql.DB, error) {
	params := append([]string{"mode=ro", "_pragma=busy_timeout(10000)", "_pragma=query_only(1)"}, more...)
	r, err := sql.Open("sqlite", dsn(path, params...))
	if err != nil {
		return nil, err
	}
	r.SetMaxOpenConns(readers)
	r.SetMaxIdleConns(readers)
	r.SetConnMaxIdleTime(5 * time.Minute)
	return r, nil
}

// cannotShare says whether err may come from a directory in which nothing can be made.
func cannotShare(err error) bool {
	code := Code(err)
	return code == sqlite3.SQLITE_CANTOPEN || code == sqlite3.SQLITE_READONLY || code == sqlite3.SQLITE_IOERR
}

// pending says whether there is a write-ahead log with anything in it.
func pending(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0
}

// Present says whether the open file is still the one at its path. Writing to a file that was deleted or moved away
// would succeed and be lost. The error is fs.ErrNotExist, or says that another file took its place.
func (db *DB) Present() error {
	info, err := os.Stat(db.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s was deleted or moved away while in use: put it back: %w", db.path, fs.ErrNotExist)
	case err != nil:
		return Explain(err)
	case !os.SameFile(info, db.birth):
		return fmt.Errorf("%s was replaced by another file while in use: restart coffer to use the new one", db.path)
	}
	return nil
}

// Renew drops the writing connection, so that the next transaction opens the file anew. A connection that met a disk
// error may have fallen back to reading only, and would stay so when the disk has recovered.
func (db *DB) Renew(ctx context.Context) {
	conn, err := db.W.Conn(ctx)
	if err != nil {
		return // there is none to drop
	}
	_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // the documented way to have it discarded
	_ = conn.Close()
}

// Close ends all connections. The last one folds the write-ahead log into the file.
func (db *DB) Close() error {
	var errs []error
	if db.R != nil {
		errs = append(errs, db.R.Close())
	}
	if db.W != nil {
		errs = append(errs, db.W.Close())
	}
	return Explain(errors.Join(errs...))
}

// create makes an empty file, so that its mode is ours and not the driver's.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	return f.Close()
}

// dsn is the data source name of path: a file: URI, so that any character may be in a path.
func dsn(path string, params ...string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // C:/data → /C:/data
	}
	return "file://" + (&url.URL{Path: p}).EscapedPath() + "?" + strings.Join(params, "&")
}

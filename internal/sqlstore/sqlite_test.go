package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	sqlite3 "modernc.org/sqlite/lib"
)

const (
	one = "-- +goose Up\nCREATE TABLE a (n INTEGER PRIMARY KEY) STRICT;\n"
	two = "-- +goose Up\nALTER TABLE a ADD COLUMN t TEXT NOT NULL DEFAULT 'x';\n"
)

func files(texts ...string) fs.FS {
	m := fstest.MapFS{}
	for i, t := range texts {
		m["0000"+string(rune('1'+i))+"_step.sql"] = &fstest.MapFile{Data: []byte(t)}
	}
	return m
}

func open(t *testing.T, path string, migrations fs.FS) *DB {
	t.Helper()
	db, err := Open(t.Context(), path, migrations)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestOpenIsDurableAndMigrates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path, files(one))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
		var got string
		if err := db.W.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, %v; want %s", pragma, got, err, want)
		}
	}
	if _, err := db.W.ExecContext(t.Context(), "INSERT INTO a (n) VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.R.ExecContext(t.Context(), "INSERT INTO a (n) VALUES (2)"); Code(err) != sqlite3.SQLITE_READONLY {
		t.Errorf("a reader writes: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0 {
		t.Errorf("%v, %v: others may read the file", info.Mode(), err)
	}

	db = open(t, path, files(one, two)) // a newer program
	var text string
	if err := db.R.QueryRowContext(t.Context(), "SELECT t FROM a WHERE n = 1").Scan(&text); err != nil || text != "x" {
		t.Errorf("after migration: %q, %v", text, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(context.Context, string, fs.FS) (*DB, error){Open, OpenReadOnly} {
		if _, err := open(t.Context(), path, files(one)); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "install the newer coffer") {
			t.Errorf("older program: %v", err)
		}
	}
	if _, err := OpenReadOnly(t.Context(), path, files(one, two, two)); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "run this coffer once") {
		t.Errorf("newer program, reading: %v", err)
	}
}

func TestPathsWithSpecialCharacters(t *testing.T) {
	for _, name := range []string{"with space", "100%25", "what?", "a#b", "ü&=;", "file:x"} {
		if runtime.GOOS == "windows" && strings.ContainsAny(name, "?:") {
			continue
		}
		dir := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "x.db")
		db := open(t, path, files(one))
		if _, err := db.W.ExecContext(t.Context(), "INSERT INTO a (n) VALUES (1)"); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := os.Stat(path + "-wal"); err != nil {
			t.Errorf("%s: the database is elsewhere: %v", path, err)
		}
		if r, err := OpenReadOnly(t.Context(), path, files(one)); err != nil {
			t.Errorf("%s: %v", path, err)
		} else {
			_ = r.Close()
		}
	}
}

func TestRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	open(t, "x.db", files(one))
	if _, err := os.Stat("x.db-wal"); err != nil {
		t.Error(err)
	}
}

func TestOpenReadOnlyOfAnEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReadOnly(t.Context(), path, files(one)); !errors.Is(err, ErrEmpty) {
		t.Errorf("%v, want %v", err, ErrEmpty)
	}
}

func TestOpenReadOnlyMakesNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenReadOnly(t.Context(), filepath.Join(dir, "x.db"), files(one)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

func TestRenewOpensAnew(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"), files(one))
	stmt, err := db.W.PrepareContext(t.Context(), "INSERT INTO a (n) VALUES ($1)")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	if _, err := db.W.ExecContext(t.Context(), "PRAGMA query_only = 1"); err != nil { // as one that fell back to reading
		t.Fatal(err)
	}
	if _, err := stmt.ExecContext(t.Context(), 1); Code(err) != sqlite3.SQLITE_READONLY {
		t.Fatal(err)
	}
	db.Renew(t.Context())
	if _, err := stmt.ExecContext(t.Context(), 1); err != nil {
		t.Errorf("a statement prepared before: %v", err)
	}
	var sync int
	if err := db.W.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&sync); err != nil || sync != 2 {
		t.Errorf("the new connection is not durable: %d, %v", sync, err)
	}
}

func TestExplain(t *testing.T) {
	if Explain(nil) != nil || Code(nil) != 0 {
		t.Error("nil is an error")
	}
	plain := errors.New("plain")
	if err := Explain(plain); err != plain {
		t.Error(err)
	}
	denied := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}
	err := Explain(denied)
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "the right to write") {
		t.Error(err)
	}
	if again := Explain(err); again != err {
		t.Errorf("explained twice: %v", again)
	}

	dir := t.TempDir()
	path := filepath.Join(dir, "x.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), path, files(one))
	if Code(err) != sqlite3.SQLITE_NOTADB || !strings.Contains(err.Error(), "restore a backup") {
		t.Error(err)
	}
}

func TestTransactionsBeginImmediate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path, files(one))
	tx, err := db.W.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	other, err := sql.Open("sqlite", dsn(path, "mode=rw", "_txlock=immediate"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.BeginTx(t.Context(), nil); Code(err) != sqlite3.SQLITE_BUSY {
		t.Errorf("a second writer: %v", err)
	}
}

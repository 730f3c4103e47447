package sqlstore

import (
	"errors"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// advice is what a person can do about a primary SQLite result code.
var advice = map[int]string{
	sqlite3.SQLITE_FULL:     "the disk is full: free some space",
	sqlite3.SQLITE_READONLY: "the file or its directory is read-only: give coffer's user the right to write",
	sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: check that its directory exists and that coffer's user may write there",
	sqlite3.SQLITE_PERM:     "access was refused: give coffer's user the right to write",
	sqlite3.SQLITE_AUTH:     "access was refused: give coffer's user the right to write",
	sqlite3.SQLITE_IOERR:    "the disk reports an error: check the disk, its space and its rights",
	sqlite3.SQLITE_CORRUPT:  "the file is damaged: keep a copy of it, then restore a backup",
	sqlite3.SQLITE_NOTADB:   "the file is not a database: keep a copy of it, then restore a backup",
	sqlite3.SQLITE_BUSY:     "another program holds the file: end it",
	sqlite3.SQLITE_LOCKED:   "another program holds the file: end it",
}

// systemAdvice is the same for errors of the file system.
var systemAdvice = []struct {
	err  error
	text string
}{
	{syscall.EROFS, "the disk is read-only: make it writable, or use another data directory"},
	{syscall.ENOSPC, advice[sqlite3.SQLITE_FULL]},
	{fs.ErrPermission, advice[sqlite3.SQLITE_PERM]},
}

// explained is an error that says what to do.
type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text + " (" + e.err.Error() + ")" }
func (e *explained) Unwrap() error { return e.err }

// Explain puts what to do in front of an error of the database or the file system, and keeps the error wrapped. nil
// stays nil, and an error that it does not know, or has explained before, stays as it is.
func Explain(err error) error {
	var before *explained
	if err == nil || errors.As(err, &before) {
		return err
	}
	if text, ok := advice[Code(err)]; ok {
		return &explained{text, err}
	}
	for _, s := range systemAdvice {
		if errors.Is(err, s.err) {
			return &explained{s.text, err}
		}
	}
	return err
}

// Code returns the primary result code of SQLite in err, 0 if there is none.
func Code(err error) int {
	var se *sqlite.Error
	if errors.As(err, &se) {
		return se.Code() & 0xFF
	}
	return 0
}

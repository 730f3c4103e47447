package sqlstore

import (
	"errors"
	"fmt"
	"io/fs"

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

// Explain puts what to do in front of an error of the database or the file system, and keeps the error wrapped. nil
// stays nil, and an error that it does not know stays as it is.
func Explain(err error) error {
	var se *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &se):
		if text, ok := advice[se.Code()&0xFF]; ok {
			return fmt.Errorf("%s (%w)", text, err)
		}
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("access was refused: give coffer's user the right to write (%w)", err)
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

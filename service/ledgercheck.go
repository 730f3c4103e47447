package service

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"coffer/internal/journal"
)

// usedBefore says whether a coffer has run in this data directory: the first one makes the secret of the tokens.
func usedBefore(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "secrets", "jwt"))
	return !errors.Is(err, fs.ErrNotExist)
}

// inspect reads the whole ledger once after it was opened, beside everything else, and writes into the log what a person
// should know: rows that were changed behind coffer's back, which opening alone does not notice, and a ledger that was
// begun anew where there was one before. coffer goes on, because the machines' books and the new rows are good.
func (l *ledger) inspect(ctx context.Context, j *journal.Journal) {
	rows, err := j.Verify(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		l.log.WithError(err).Error("the ledger does not verify: a person should look, see `coffer journal verify`")
	case rows == 0 && l.used && j.Made():
		l.log.Warn("the ledger is empty, though this data directory was used before: every machine begins in it with what it holds; if the ledger was lost, stop coffer and restore a backup")
	}
}

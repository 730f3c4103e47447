package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"coffer/internal/cash"
)

// LockName is the file in the data directory that the writing process holds locked. It stays when the process ends;
// only the lock on it counts.
const LockName = "lock"

// ErrLocked: another process writes the ledger. The error that Open returns also wraps cash.ErrJournal.
var ErrLocked = errors.New("the data directory is in use")

// takeLock takes the lock of dir for as long as the returned file is open.
func takeLock(dir string) (*os.File, error) {
	path := filepath.Join(dir, LockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fail("take the lock "+path, err)
	}
	held, err := lockFile(f)
	switch {
	case err != nil:
		return nil, errors.Join(fail("take the lock "+path, err), f.Close())
	case held:
		err := fmt.Errorf("%w: %w: %s is held by %s: stop it, or use another data directory",
			cash.ErrJournal, ErrLocked, path, holder(path))
		return nil, errors.Join(err, f.Close())
	}
	_ = f.Truncate(0)
	_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) // only for the text above; the lock is what counts
	return f, nil
}

// holder names the process that holds the lock, as far as the file tells.
func holder(path string) string {
	b, err := os.ReadFile(path)
	pid, perr := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || perr != nil {
		return "another coffer"
	}
	return fmt.Sprintf("another coffer (process %d)", pid)
}

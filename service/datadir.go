package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// usableDir makes the data directory where it is missing, and refuses one that somebody has to set right before coffer
// can use it: a name that cannot be a directory, or one where this user may not write. A disk that is full, read-only or
// broken is no reason: that may pass, and coffer stays up to say so.
func usableDir(dir string) error {
	err := os.MkdirAll(dir, 0o750)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".may-write-*"); err == nil {
			f.Close()
			err = os.Remove(f.Name())
		}
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("data directory: %w; let coffer's user write there, or name another with --data-dir", err)
	}
	return nil
}

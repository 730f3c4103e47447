//go:build unix

package httpapi

import (
	"os"
	"path/filepath"
	"syscall"
)

// giveTo gives f, which is to become path, to the owner of the file that stands there; where there is none, or it is root's,
// to that of the directory. Only root can, and only root has to: coffer runs under an account of its own, and could not
// read what root leaves behind.
func giveTo(f *os.File, path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{path, filepath.Dir(path)} {
		info, err := os.Stat(name)
		if err != nil {
			continue // the file is new
		}
		if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 0 {
			return f.Chown(int(owner.Uid), int(owner.Gid))
		}
	}
	return nil
}

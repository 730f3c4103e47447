//go:build unix

package httpapi

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestFilesOfTheServiceStayItsOwn: root, who sets a password while coffer runs under its own account, leaves it a file that
// it can read, be it a new one, one that is replaced, or one that root has taken before.
func TestFilesOfTheServiceStayItsOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	const service = 65534
	dir := t.TempDir()
	if err := os.Chown(dir, service, service); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "users.yaml")
	for _, password := range []string{"new", "replaced", "root's"} {
		if password == "root's" {
			if err := os.Chown(file, 0, 0); err != nil {
				t.Fatal(err)
			}
		}
		u, err := OpenUsers(file, time.Now)
		if err == nil {
			err = u.Set("anna", password)
		}
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if s := info.Sys().(*syscall.Stat_t); s.Uid != service || s.Gid != service || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: belongs to %d:%d, mode %o", password, s.Uid, s.Gid, info.Mode().Perm())
		}
	}
}

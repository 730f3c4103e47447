package journal

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"coffer/internal/cash"
)

func init() { children["disk"] = realDisk }

// TestRealDisk runs realDisk in a mount namespace of its own, where it can have a small disk.
func TestRealDisk(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=disk", "DIR="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || strings.Contains(string(out), errNoMount.Error()) {
		t.Skipf("no mount namespace here: %v %s", err, out)
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

var errNoMount = errors.New("a small disk cannot be mounted")

// realDisk fills a disk of 2 MB under a ledger and frees it again, then opens the ledger on the same disk made
// read-only, and when it can be written again.
func realDisk() error {
	dir := os.Getenv("DIR")
	if err := syscall.Mount("coffer-test", dir, "tmpfs", 0, "size=2m"); err != nil {
		return fmt.Errorf("%w: %w", errNoMount, err)
	}
	j, err := Open(testContext(), dir, nil)
	if err != nil {
		return err
	}
	written, err := fillUp(j, dir)
	if err != nil {
		return err
	}
	if n, err := j.Verify(testContext()); err != nil || n != written {
		return fmt.Errorf("after the disk was full: %d rows, %w; want %d", n, err, written)
	}
	if err := j.Close(); err != nil {
		return err
	}
	return readOnly(dir, written)
}

var oneNote = cash.LedgerWrite{Lines: []cash.Line{credit(500, 1, cash.Payout)}}

func fillUp(j *Journal, dir string) (written int64, err error) {
	filler := filepath.Join(dir, "filler")
	for range 3 {
		if err := os.WriteFile(filler, make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			return written, fmt.Errorf("the disk takes more than it has: %w", err)
		}
		for err == nil {
			if _, err = j.Write(testContext(), oneNote); err == nil {
				written++
			}
		}
		if !errors.Is(err, cash.ErrJournal) || !strings.Contains(err.Error(), "the disk") {
			return written, fmt.Errorf("on a full disk: %w", err)
		}
		if err := j.Check(testContext()); !errors.Is(err, cash.ErrJournal) {
			return written, fmt.Errorf("check on a full disk: %w", err)
		}
		if err := os.Remove(filler); err != nil {
			return written, err
		}
		if err := j.Check(testContext()); err != nil {
			return written, fmt.Errorf("check after the disk recovered: %w", err)
		}
		if _, err := j.Write(testContext(), oneNote); err != nil {
			return written, fmt.Errorf("after the disk recovered: %w", err)
		}
		written++
		err = nil
	}
	return written, nil
}

func readOnly(dir string, rows int64) error {
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("%w: %w", errNoMount, err)
	}
	if j, err := Open(testContext(), dir, nil); !errors.Is(err, cash.ErrJournal) || !strings.Contains(err.Error(), "the disk is read-only") {
		return fmt.Errorf("open on a read-only disk: %v, %w", j, err)
	}
	r, err := OpenReadOnly(testContext(), dir)
	if err != nil {
		return fmt.Errorf("read on a read-only disk: %w", err)
	}
	if n, err := r.Verify(testContext()); err != nil || n != rows {
		return fmt.Errorf("verify on a read-only disk: %d rows, %w; want %d", n, err, rows)
	}
	if err := errors.Join(r.Close(), syscall.Mount("", dir, "", syscall.MS_REMOUNT, "")); err != nil {
		return err
	}
	j, err := Open(testContext(), dir, nil)
	if err != nil {
		return fmt.Errorf("open after the disk recovered: %w", err)
	}
	if n, err := j.Verify(testContext()); err != nil || n != rows {
		return fmt.Errorf("after the disk recovered: %d rows, %w; want %d", n, err, rows)
	}
	return j.Close()
}

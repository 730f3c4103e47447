package journal

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coffer/internal/cash"
)

func TestLockInOneProcess(t *testing.T) {
	dir := t.TempDir()
	j := openTest(t, dir)
	_, err := Open(t.Context(), dir, nil)
	says := fmt.Sprintf("%s is held by another coffer (process %d): stop it, or use another data directory", filepath.Join(dir, LockName), os.Getpid())
	if !errors.Is(err, ErrLocked) || !errors.Is(err, cash.ErrJournal) || !strings.Contains(err.Error(), says) {
		t.Errorf("second open: %v; want %q", err, says)
	}
	write(t, j, credit(500, 1, cash.Payout)) // the first is not disturbed
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	verified(t, openTest(t, dir), 1)
}

func init() { children["lock"] = holdLock }

// holdLock is a child that opens the ledger and waits until its standard input ends.
func holdLock() error {
	j, err := Open(testContext(), os.Getenv("DIR"), nil)
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, _ = os.Stdin.Read(make([]byte, 1))
	return j.Close()
}

func TestLockBetweenProcesses(t *testing.T) {
	dir := t.TempDir()
	cmd, out := startChild(t, "lock", "DIR="+dir)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatal(line, err)
	}
	if _, err := Open(t.Context(), dir, nil); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", cmd.Process.Pid)) {
		t.Errorf("beside another process: %v", err)
	}
	if r, err := OpenReadOnly(t.Context(), dir); err != nil {
		t.Errorf("reading beside another process: %v", err)
	} else {
		_ = r.Close()
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	openTest(t, dir) // a killed process leaves no lock
}

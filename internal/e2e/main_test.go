package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for anything that should come soon. It is long, because test machines are slow and
// stand still now and then; nothing waits that long when all is well.
const patience = 90 * time.Second

// workDir holds the built binaries for the length of the test run.
var workDir string

func TestMain(m *testing.M) {
	var err error
	if workDir, err = os.MkdirTemp("", "coffer-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(workDir)
	os.Exit(code)
}

// binary returns the path of coffer, built once a run.
var binary = sync.OnceValues(func() (string, error) { return build("coffer", "") })

// killable returns the path of a coffer that can be told to die at a ledger write.
var killable = sync.OnceValues(func() (string, error) { return build("coffer-killpoints", "killpoints") })

func build(name, tags string) (string, error) {
	path := filepath.Join(workDir, name)
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	cmd := exec.Command("go", "build", "-tags="+tags, "-o", path, "./cmd/coffer")
	cmd.Dir = "../.."
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// built returns what one of the above gives, or ends the test.
func built(t testing.TB, from func() (string, error)) string {
	t.Helper()
	path, err := from()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var errNotYet = errors.New("not yet")

// eventually asks again and again until cond returns nil, and ends the test with its last error after patience.
func eventually(t testing.TB, what string, cond func() error) {
	t.Helper()
	within(t, patience, what, cond)
}

// within is eventually with a limit of its own.
func within(t testing.TB, limit time.Duration, what string, cond func() error) {
	t.Helper()
	if err := waitFor(limit, cond); err != nil {
		t.Fatalf("%s: after %v: %v", what, limit, err)
	}
}

// waitFor asks again and again until cond returns nil, and returns its last error when limit has passed.
func waitFor(limit time.Duration, cond func() error) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		err := cond()
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-deadline.C:
			return cond() // it may have come while this process stood still
		}
	}
}

// until is for conditions without an error of their own.
func until(cond func() bool) func() error {
	return func() error {
		if cond() {
			return nil
		}
		return errNotYet
	}
}

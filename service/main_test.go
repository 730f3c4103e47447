package service

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coffer/internal/proof"
)

// patience is how long a test waits for what should come at once.
const patience = 90 * time.Second

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(proof.Tests(m, "service"),
		// Rotating files keep a goroutine for ever, also after Close.
		goleak.IgnoreTopFunction("gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"), // idle connections of the HTTP client
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
	)
}

// shell is what a command line printed.
type shell struct {
	code     int
	out, err string
}

// coffer runs a command line in this process, in an environment of its own.
func coffer(t *testing.T, env map[string]string, args ...string) shell {
	t.Helper()
	return cofferIn(t, env, "", args...)
}

func cofferIn(t *testing.T, env map[string]string, stdin string, args ...string) shell {
	t.Helper()
	var out, errs bytes.Buffer
	code := Main(t.Context(), args, Stdio{strings.NewReader(stdin), &out, &errs, func(n string) (string, bool) {
		v, ok := env[n]
		return v, ok
	}})
	return shell{code, out.String(), errs.String()}
}

// eventually asks until cond returns nil.
func eventually(t *testing.T, what string, cond func() error) {
	t.Helper()
	within(t, patience, what, cond)
}

// within is eventually with a patience of its own.
func within(t *testing.T, limit time.Duration, what string, cond func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := cond()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		if err := pause(context.Background(), 5*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
}

// write writes a file below a temporary directory and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := t.TempDir() + "/" + name
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// oneLineOf fails unless text is one line that holds all the words.
func oneLineOf(t *testing.T, text string, words ...string) {
	t.Helper()
	if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		t.Errorf("not one line: %q", text)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
}

func missing(name string) error { return fmt.Errorf("no %s", name) }

package service

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"coffer/internal/journal"
)

// heard collects what a log says.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *heard) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *heard) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.text.String(), text)
}

// TestStartSaysWhatIsWrongWithTheLedger: a row or balance that was changed, and a ledger that is gone, stand in the log
// of the next start; a sound ledger and the first start say nothing.
func TestStartSaysWhatIsWrongWithTheLedger(t *testing.T) {
	const changed, empty = "the ledger does not verify", "the ledger is empty"
	change := func(statement string) func(t *testing.T, file string) {
		return func(t *testing.T, file string) {
			db, err := sql.Open("sqlite", file)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, tc := range map[string]struct {
		harm func(t *testing.T, file string)
		want string
	}{
		"sound":   {func(*testing.T, string) {}, ""},
		"row":     {change("UPDATE lines SET count = count + 1 WHERE seq = 1"), changed},
		"balance": {change("UPDATE balances SET count = count + 1"), changed},
		"lost": {func(t *testing.T, file string) {
			for _, end := range []string{"", "-wal", "-shm"} {
				if err := os.Remove(file + end); err != nil && end == "" {
					t.Fatal(err)
				}
			}
		}, empty},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			life := func(want string) *heard {
				var log heard
				s := settingsFor(t, small, dir)
				s.log.SetOutput(io.MultiWriter(s.log.Out, &log))
				a, stop := start(t, s)
				ready(t, a.endpoints().url("main"))
				eventually(t, "in the log: "+want, func() error {
					if !log.has(want) {
						return errors.New(log.text.String())
					}
					return nil
				})
				if err := stop(); err != nil {
					t.Error(err)
				}
				return &log
			}
			if first := life(""); first.has(changed) || first.has(empty) {
				t.Errorf("the first start says: %s", first.text.String())
			}
			life("") // its machine is another, so that there are rows after the first
			tc.harm(t, filepath.Join(dir, journal.FileName))
			if log := life(tc.want); tc.want == "" && (log.has(changed) || log.has(empty)) {
				t.Errorf("a start with a sound ledger says: %s", log.text.String())
			}
		})
	}
}

// TestInspectEndsWithItsContext: a stop does not wait for the reading of a ledger, nor is it told as damage.
func TestInspectEndsWithItsContext(t *testing.T) {
	log := quiet()
	var told heard
	log.SetOutput(&told)
	l, err := openLedger(t.Context(), t.TempDir(), now, log)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := l.run(ctx); err != nil || told.has("verify") {
		t.Errorf("%v %s", err, told.text.String())
	}
}

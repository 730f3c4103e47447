package service

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coffer/internal/journal"
)

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
			life := func(want string) *printed {
				var log printed
				s := settingsFor(t, small, dir)
				s.log.SetOutput(io.MultiWriter(s.log.Out, &log))
				a, stop := start(t, s)
				ready(t, a.endpoints().url("main"))
				eventually(t, "in the log: "+want, func() error {
					if !strings.Contains(log.String(), want) {
						return errors.New(log.String())
					}
					return nil
				})
				if err := stop(); err != nil {
					t.Error(err)
				}
				return &log
			}
			if first := life(""); strings.Contains(first.String(), changed) || strings.Contains(first.String(), empty) {
				t.Errorf("the first start says: %s", first.String())
			}
			life("") // its machine is another, so that there are rows after the first
			tc.harm(t, filepath.Join(dir, journal.FileName))
			if log := life(tc.want); tc.want == "" && (strings.Contains(log.String(), changed) || strings.Contains(log.String(), empty)) {
				t.Errorf("a start with a sound ledger says: %s", log.String())
			}
		})
	}
}

// TestLedgerWithoutRowsIsNoLoss: a till whose machines were never there has an empty ledger from one start to the next,
// which is no reason to look for a backup.
func TestLedgerWithoutRowsIsNoLoss(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 {
		var told printed
		s := settingsFor(t, "version: 1\n", dir)
		s.log.SetOutput(&told)
		a, err := build(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		j, err := a.ledger.journal()
		if err != nil {
			t.Fatal(err)
		}
		a.ledger.inspect(t.Context(), j)
		a.close()
		if strings.Contains(told.String(), "empty") {
			t.Errorf("the log says: %s", told.String())
		}
	}
}

// TestInspectEndsWithItsContext: a stop does not wait for the reading of a ledger, nor is it told as damage.
func TestInspectEndsWithItsContext(t *testing.T) {
	log := quiet()
	var told printed
	log.SetOutput(&told)
	l, err := openLedger(t.Context(), t.TempDir(), now, log)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := l.run(ctx); err != nil || strings.Contains(told.String(), "verify") {
		t.Errorf("%v %s", err, told.String())
	}
}

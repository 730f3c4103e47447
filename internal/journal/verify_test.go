package journal

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coffer/internal/cash"
)

// tamper changes the file in dir behind the ledger's back.
func tamper(t *testing.T, dir string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVerifyFindsTampering(t *testing.T) {
	const (
		last   = "(SELECT max(seq) FROM lines)"
		insert = "INSERT INTO lines SELECT seq + 1, at, device, op, kind, value, currency, count, from_place, to_place, detail, hash FROM lines WHERE seq = "
	)
	sound := t.TempDir()
	j := openTest(t, sound)
	for range 10 {
		write(t, j, credit(500, 1, cash.Payout))
	}
	verified(t, j, 10)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change []string
		good   int64
		says   string
		opens  bool // a quick look at Open does not see it
	}{
		{"value changed", []string{"UPDATE lines SET value = 5000 WHERE seq = 4"}, 3, "row 4 does not fit", true},
		{"count changed", []string{"UPDATE lines SET count = 2 WHERE seq = 1"}, 0, "row 1 does not fit", true},
		{"time changed", []string{"UPDATE lines SET at = '2026-01-01T00:00:00Z' WHERE seq = 2"}, 1, "row 2 does not fit", true},
		{"detail changed", []string{"UPDATE lines SET detail = 'x' WHERE seq = 10"}, 9, "row 10 does not fit", false},
		{"hash changed", []string{"UPDATE lines SET hash = 'x' WHERE seq = 3"}, 2, "row 3 does not fit", true},
		{"row removed", []string{"DELETE FROM lines WHERE seq = 5"}, 4, "row 5 is missing", true},
		{"first row removed", []string{"DELETE FROM lines WHERE seq = 1"}, 0, "row 1 is missing", true},
		{"last row removed", []string{"DELETE FROM lines WHERE seq = " + last}, 9, "row 10 is missing", false},
		{"all rows removed", []string{"DELETE FROM lines"}, 0, "row 1 is missing", false},
		{"all rows and the head removed", []string{"DELETE FROM lines", "DELETE FROM head"}, 0, "the balance of", true},
		{"row removed, others moved up", []string{"DELETE FROM lines WHERE seq = 5", "UPDATE lines SET seq = seq - 1 WHERE seq > 5"}, 4, "row 5 does not fit", false},
		{"row inserted", []string{"UPDATE lines SET seq = -seq - 1 WHERE seq > 5", "UPDATE lines SET seq = -seq WHERE seq < 0", insert + "5"}, 5, "row 6 does not fit", false},
		{"row appended", []string{insert + last}, 10, "row 11 does not fit", false},
		{"rows swapped", []string{"UPDATE lines SET seq = 99 WHERE seq = 3", "UPDATE lines SET seq = 3 WHERE seq = 4", "UPDATE lines SET seq = 4 WHERE seq = 99"}, 2, "row 3 does not fit", true},
		{"head moved back", []string{"UPDATE head SET seq = 9, hash = (SELECT hash FROM lines WHERE seq = 9)"}, 10, "row 10 was added from outside", false},
		{"head of another chain", []string{"UPDATE head SET hash = 'x'"}, 10, "row 10 is not the one", false},
		{"balance changed", []string{"UPDATE balances SET count = count + 1"}, 10, "the balance of 500 EUR in payout of " + string(dev) + " says 11, its rows say 10", true},
		{"balance removed", []string{"DELETE FROM balances"}, 10, "is missing, its rows say 10", true},
		{"balance added", []string{"INSERT INTO balances VALUES ('X', 'payout', 1, 'EUR', 1)"}, 10, "of X says 1, its rows say 0", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(sound)); err != nil {
				t.Fatal(err)
			}
			tamper(t, dir, c.change...)
			r, err := OpenReadOnly(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			n, err := r.Verify(t.Context())
			if n != c.good || !errors.Is(err, ErrChain) || !errors.Is(err, cash.ErrJournal) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("verify: %d, %v; want %d and %q", n, err, c.good, c.says)
			}
			again, err := Open(t.Context(), dir, nil)
			if opens := err == nil; opens != c.opens {
				t.Errorf("open: %v", err)
			}
			if err == nil {
				_ = again.Close()
			} else if !errors.Is(err, ErrChain) || !errors.Is(err, cash.ErrJournal) {
				t.Errorf("open: %v", err)
			}
		})
	}
}

package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coffer/internal/cash"
)

func TestOpenRefuses(t *testing.T) {
	put := func(name, content string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, dir string)
		under   string // opened below dir
		says    string
	}{
		{"data directory is a file", put("data", ""), "data", "make the data directory"},
		{"ledger is a directory", func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, FileName), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "", FileName},
		{"not a database", put(FileName, strings.Repeat("money ", 1000)), "", "restore a backup"},
		{"damaged pages", func(t *testing.T, dir string) { damage(t, dir, 0) }, "", "restore a backup"},
		{"of a newer coffer", func(t *testing.T, dir string) {
			closeNow(t, dir)
			tamper(t, dir, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
		}, "", "install the newer coffer again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			c.prepare(t, dir)
			j, err := Open(t.Context(), filepath.Join(dir, c.under), nil)
			if !errors.Is(err, cash.ErrJournal) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("open: %v, %v; want %q", j, err, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("not one line: %v", err)
			}
			// A refused Open leaves no lock behind.
			if f, err := takeLock(dir); err != nil {
				t.Errorf("lock: %v", err)
			} else {
				_ = f.Close()
			}
		})
	}
}

func TestOpenReadOnlyRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenReadOnly(t.Context(), dir); !errors.Is(err, cash.ErrJournal) || !strings.Contains(err.Error(), "no ledger in "+dir) {
		t.Errorf("no ledger: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, FileName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReadOnly(t.Context(), dir); !errors.Is(err, cash.ErrJournal) || !strings.Contains(err.Error(), "the database is empty: restore a backup") {
		t.Errorf("empty file: %v", err)
	}
}

// closeNow makes a ledger with some rows in dir.
func closeNow(t *testing.T, dir string) {
	t.Helper()
	j := openTest(t, dir)
	for range 200 {
		write(t, j, credit(500, 1, cash.Payout))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// damage overwrites all pages of a ledger from the given one on, the first 100 bytes (the file's header) apart.
func damage(t *testing.T, dir string, page int64) {
	t.Helper()
	closeNow(t, dir)
	path := filepath.Join(dir, FileName)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := max(page*4096, 100); i < int64(len(b)); i++ {
		b[i] = 0xA5
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyFindsDamage(t *testing.T) {
	dir := t.TempDir()
	damage(t, dir, 3) // the schema is whole, the tables are not
	r, err := OpenReadOnly(t.Context(), dir)
	if err == nil {
		defer r.Close()
		_, err = r.Verify(t.Context())
	}
	if !errors.Is(err, cash.ErrJournal) || !strings.Contains(err.Error(), "restore a backup") {
		t.Errorf("verify: %v", err)
	}
}

// TestFullAndBack lets the file grow no further, as a full disk does: what does not fit leaves nothing, and when there
// is room again the same ledger goes on.
func TestFullAndBack(t *testing.T) {
	j := openTest(t, t.TempDir())
	ctx := t.Context()
	op, err := j.Begin(ctx, cash.Op{Kind: cash.OpEmpty, Device: dev})
	if err != nil {
		t.Fatal(err)
	}
	pages := func(n int) {
		t.Helper()
		if _, err := j.db.W.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	long := cash.Line{Device: dev, Kind: cash.KindDocument, Detail: strings.Repeat("x", 20_000)}
	large := cash.LedgerWrite{
		Lines:    []cash.Line{credit(500, 1, cash.Payout), long},
		Close:    []cash.OpClose{{ID: op.ID, Result: cash.OpDone}},
		Evidence: []cash.Evidence{{Device: dev, Type: "x"}}, Baseline: &cash.Baseline{Device: dev},
	}
	pages(1) // no more than there are
	rows, err := j.Write(ctx, large)
	if !errors.Is(err, cash.ErrJournal) || !strings.Contains(err.Error(), "free some space") || rows != nil {
		t.Fatalf("full: %v, %v", rows, err)
	}
	verified(t, j, 1)
	if got, _, err := j.Op(ctx, op.ID); err != nil || !got.Open() {
		t.Errorf("the operation was closed by a failed write: %+v, %v", got, err)
	}
	if _, ok, err := j.Baseline(ctx, dev); ok || err != nil {
		t.Errorf("a baseline of a failed write is there: %v", err)
	}
	if list, err := j.Evidence(ctx, dev); len(list) != 0 || err != nil {
		t.Errorf("evidence of a failed write is there: %v, %v", list, err)
	}
	// Renew has opened a new connection, whose page limit is the default: the disk has room again.
	if rows, err = j.Write(ctx, large); err != nil || len(rows) != 3 || rows[0].Seq != 2 {
		t.Fatalf("after the disk recovered: %v, %v", rows, err)
	}
	verified(t, j, 4)
}

// TestSmallFitsWhereLargeDoesNot: one member of a group that cannot be written does not take the others with it.
func TestSmallFitsWhereLargeDoesNot(t *testing.T) {
	j, err := open(t.Context(), t.TempDir(), fixedClock)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Reader.Close()
	full := errors.New("no room")
	small := func(b *batch) error {
		return b.write(cash.LedgerWrite{Lines: []cash.Line{credit(500, 1, cash.Payout)}})
	}
	large := func(b *batch) error { return errors.Join(small(b), full) }
	group := []*job{{run: small}, {run: large}, {run: small}}
	for _, jb := range group {
		jb.done = make(chan error, 1)
	}
	j.handle(group)
	for i, want := range []error{nil, full, nil} {
		if err := <-group[i].done; !errors.Is(err, want) {
			t.Errorf("member %d: %v, want %v", i, err, want)
		}
	}
	verified(t, j, 2)
}

// TestFileMovedAway: rows written to a deleted or replaced file would be lost, so they are refused.
func TestFileMovedAway(t *testing.T) {
	dir := t.TempDir()
	j := openTest(t, dir)
	write(t, j, credit(500, 1, cash.Payout))
	path := filepath.Join(dir, FileName)
	refused := func(says string) {
		t.Helper()
		if _, err := j.Begin(t.Context(), cash.Op{Kind: cash.OpEmpty, Device: dev}); !errors.Is(err, cash.ErrJournal) || !strings.Contains(err.Error(), says) {
			t.Errorf("begin: %v, want %q", err, says)
		}
		if err := j.Check(t.Context()); !errors.Is(err, cash.ErrJournal) || !strings.Contains(err.Error(), says) {
			t.Errorf("check: %v, want %q", err, says)
		}
	}
	if err := os.Rename(path, path+".away"); err != nil {
		t.Skip("this system does not let an open file be moved")
	}
	refused("put it back")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused("replaced by another file")
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	if err := j.Check(t.Context()); err != nil {
		t.Errorf("check with the file back: %v", err)
	}
	write(t, j, credit(500, 1, cash.Payout))
	verified(t, j, 2)
}

func TestClosed(t *testing.T) {
	j := openTest(t, t.TempDir())
	write(t, j, credit(500, 1, cash.Payout))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	_, werr := j.Write(t.Context(), cash.LedgerWrite{Lines: []cash.Line{credit(500, 1, cash.Payout)}})
	_, berr := j.Begin(t.Context(), cash.Op{Kind: cash.OpEmpty, Device: dev})
	_, rerr := j.Balance(t.Context(), "")
	_, verr := j.Verify(t.Context())
	for name, err := range map[string]error{"write": werr, "begin": berr, "balance": rerr, "verify": verr, "check": j.Check(t.Context())} {
		if !errors.Is(err, cash.ErrJournal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestContextGivesUpBeforeNeverAfter(t *testing.T) {
	j := openTest(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Write(ctx, cash.LedgerWrite{Lines: []cash.Line{credit(500, 1, cash.Payout)}}); !errors.Is(err, cash.ErrJournal) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	err := j.submit(ctx, &job{run: func(b *batch) error {
		cancel() // the writer has it
		return b.write(cash.LedgerWrite{Lines: []cash.Line{credit(500, 1, cash.Payout)}})
	}})
	if err != nil {
		t.Errorf("cancelled after: %v", err)
	}
	verified(t, j, 1)
}

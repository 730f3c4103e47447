package service

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/upos"
)

// TestStatisticsFile: nothing at first, then what was saved; a file that cannot be read is put aside and said so.
func TestStatisticsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "upos-statistics.json")
	f := statisticsFile(path)
	if all, err := f.Load(); err != nil || len(all) != 0 {
		t.Fatalf("at first: %v %v", all, err)
	}
	want := map[string]upos.Saved{"Till1": {Installed: time.Date(2024, 3, 1, 9, 0, 0, 0, time.UTC), Powered: 90 * time.Minute,
		Counters: map[string]int64{"DispenseCount": 3}, Base: map[string]int64{"NotesStacked": -2}}}
	if err := f.Save(want); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Load(); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v %s", err, cmp.Diff(want, got))
	}
	if err := os.WriteFile(path, []byte(`{"Till1":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if all, err := f.Load(); err == nil || len(all) != 0 {
		t.Errorf("half a file: %v %v", all, err)
	}
	if _, err := os.Stat(path + ".broken"); err != nil {
		t.Error(err)
	}
	if all, err := f.Load(); err != nil || len(all) != 0 {
		t.Errorf("after that: %v %v", all, err)
	}
}

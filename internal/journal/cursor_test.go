package journal

import (
	"errors"
	"testing"

	"coffer/internal/cash"
)

// TestCursor: a cursor stays over a restart, is no row of the ledger, and is refused without a name.
func TestCursor(t *testing.T) {
	dir := t.TempDir()
	j := openTest(t, dir)
	if _, _, found, err := j.Cursor(t.Context(), "lists"); found || err != nil {
		t.Errorf("before the first: %v %v", found, err)
	}
	for seq := range int64(3) {
		if err := j.KeepCursor(t.Context(), "lists", seq, `["a"]`); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := j.Head(t.Context()); n != 0 || err != nil {
		t.Errorf("cursors made %d rows (%v)", n, err)
	}
	if err := j.KeepCursor(t.Context(), "", 1, ""); !errors.Is(err, cash.ErrInvalid) {
		t.Errorf("no name: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = openTest(t, dir)
	if seq, note, found, err := j.Cursor(t.Context(), "lists"); seq != 2 || note != `["a"]` || !found || err != nil {
		t.Errorf("after a restart: %d %q %v %v", seq, note, found, err)
	}
}

// TestLastLine: the newest row of a kind and a device, not after a row.
func TestLastLine(t *testing.T) {
	j := openTest(t, t.TempDir())
	hold := func(dev cash.DeviceID, value int64) {
		line := cash.Line{Device: dev, Kind: cash.KindHold, Value: value, Currency: "EUR", Count: 1, From: cash.Customer, To: cash.Escrow}
		if _, err := j.Write(t.Context(), cash.LedgerWrite{Lines: []cash.Line{line}}); err != nil {
			t.Fatal(err)
		}
	}
	hold("A", 500)
	hold("B", 1000)
	hold("A", 2000)
	for _, tt := range []struct {
		upTo, value int64
		found       bool
	}{{9, 2000, true}, {3, 2000, true}, {2, 500, true}, {0, 0, false}} {
		e, found, err := j.LastLine(t.Context(), "A", cash.KindHold, tt.upTo)
		if e.Value != tt.value || found != tt.found || err != nil {
			t.Errorf("up to %d: %+v %v %v", tt.upTo, e, found, err)
		}
	}
	if n, err := j.Head(t.Context()); n != 3 || err != nil {
		t.Errorf("last row %d (%v)", n, err)
	}
}

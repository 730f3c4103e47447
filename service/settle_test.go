package service

import (
	"strings"
	"testing"

	"coffer/internal/cash"
	"coffer/internal/journal"
)

// openOp leaves an operation without an outcome in the ledger of dir, as a coffer that was killed does.
func openOp(t *testing.T, dir string) cash.Op {
	t.Helper()
	j, err := journal.Open(t.Context(), dir, now)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	const dev = cash.DeviceID("SPECTRAL_PAYOUT-COM5")
	stock := cash.Line{Device: dev, Kind: cash.KindAdjust, Value: 500, Currency: "EUR", Count: 4, From: cash.Operator, To: cash.Payout}
	if _, err := j.Write(t.Context(), cash.LedgerWrite{Lines: []cash.Line{stock}}); err != nil {
		t.Fatal(err)
	}
	op, err := j.Begin(t.Context(), cash.Op{Kind: cash.OpDispense, Device: dev, Actor: "test", Asked: cash.Amount{Value: 1000, Currency: "EUR"}})
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// TestSettle closes such an operation by hand: in the ledger while nothing runs, and through the coffer that has it.
func TestSettle(t *testing.T) {
	for name, running := range map[string]bool{"stopped": false, "running": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			op := openOp(t, dir)
			if running {
				start(t, settingsFor(t, "version: 1\nhttp:\n  - {listen: 127.0.0.1:0, serve: [journalapi, ops]}\n", dir))
			}
			env := map[string]string{"COFFER_DATA_DIR": dir}
			if got := coffer(t, env, "journal", "settle"); got.code != 0 || !strings.Contains(got.out, op.ID) {
				t.Fatalf("list: %+v", got)
			}
			if got := coffer(t, env, "journal", "settle", op.ID, "1x500eur"); got.code != 0 || !strings.Contains(got.out, "settled") {
				t.Fatalf("settle: %+v", got)
			}
			if got := coffer(t, env, "journal", "balance", "--json"); !strings.Contains(got.out, `"value":500,"currency":"EUR","count":3`) {
				t.Errorf("balance: %+v", got)
			}
			if got := coffer(t, env, "journal", "settle"); !strings.Contains(got.out, "no operation is open") {
				t.Errorf("list afterwards: %+v", got)
			}
			if got := coffer(t, env, "journal", "settle", op.ID, "--nothing"); got.code != 1 {
				t.Errorf("a second time: %+v", got)
			}
			if got := coffer(t, env, "journal", "verify"); got.code != 0 {
				t.Errorf("verify: %+v", got)
			}
		})
	}
}

func TestParsePieces(t *testing.T) {
	got, err := parsePieces([]string{"2x500EUR", "1x500eur", "1x2000EUR"})
	five, twenty := cash.Denom{Value: 500, Currency: "EUR"}, cash.Denom{Value: 2000, Currency: "EUR"}
	if err != nil || got[five] != 3 || got[twenty] != 1 || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"500EUR", "2x500", "-1x500EUR", "1x0EUR", "x500EUR", "2x5.00EUR"} {
		if _, err := parsePieces([]string{bad}); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

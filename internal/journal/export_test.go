package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"coffer/internal/cash"
)

// TestExportForm holds the export to the contract, section 6: members, their order, and their forms.
func TestExportForm(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir(), fixedClock)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	op, err := j.Begin(t.Context(), cash.Op{Key: "<k&1>", Kind: cash.OpDispense, Device: dev, Asked: cash.Amount{Value: 500, Currency: "EUR"}})
	if err != nil {
		t.Fatal(err)
	}
	l := credit(500, 1, cash.Payout)
	l.Op = op.ID
	rows := write(t, j, l)
	if _, err := j.Write(t.Context(), cash.LedgerWrite{Close: []cash.OpClose{{ID: op.ID, Result: cash.OpFailed}}}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if n, err := j.Export(t.Context(), &out, 0); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	lines := strings.SplitAfter(out.String(), "\n")
	want := `{"seq":2,"at":"2026-11-07T09:15:02.123456Z","device":"SPECTRAL_PAYOUT-COM5","op":"` + op.ID + `","kind":"credit","value":500,` +
		`"currency":"EUR","count":1,"from":"customer","to":"payout","hash":"` + rows[0].Hash + `"}` + "\n"
	if lines[1] != want {
		t.Errorf("credit:\n%s want\n%s", lines[1], want)
	}
	prefix := `{"seq":1,"at":"2026-11-07T09:15:02.123456Z","device":"SPECTRAL_PAYOUT-COM5","op":"` + op.ID + `","kind":"operation","value":0,` +
		`"currency":"EUR","count":0,"from":"unknown","to":"unknown","hash":"`
	if suffix := `","detail":"opened: dispense 5.00 EUR, key <k&1>"}` + "\n"; !strings.HasPrefix(lines[0], prefix) || !strings.HasSuffix(lines[0], suffix) {
		t.Errorf("operation:\n%s want\n%s…%s", lines[0], prefix, suffix)
	}
	if got, want := string(EncodeEntries(rows)), `{"entries":[`+strings.TrimSuffix(lines[1], "\n")+`]}`; got != want {
		t.Errorf("entries:\n%s want\n%s", got, want)
	}
	out.Reset()
	if n, err := j.Export(t.Context(), &out, 2); n != 1 || err != nil || out.String() != lines[2] {
		t.Errorf("export after 2: %d, %v, %s", n, err, out.String())
	}
}

func TestEncodeBalance(t *testing.T) {
	for want, rows := range map[string][]cash.BalanceRow{
		`{"balances":[]}`: nil,
		`{"balances":[{"device":"SPECTRAL_PAYOUT-COM5","place":"payout","value":500,"currency":"EUR","count":4}]}`: {
			{Device: dev, Place: cash.Payout, Value: 500, Currency: "EUR", Count: 4},
		},
	} {
		if got := string(EncodeBalance(rows)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := string(EncodeEntries(nil)); got != `{"entries":[]}` {
		t.Errorf("no entries: %s", got)
	}
}

func TestEncodeOps(t *testing.T) {
	ops := []cash.Op{
		{ID: "1", Kind: cash.OpDispense, Device: dev, Actor: "admin", Asked: cash.Amount{Value: 500, Currency: "EUR"}, Started: fixedClock()},
		{ID: "2", Kind: cash.OpFloat, Device: dev, Keep: cash.Counts{five: 1}, State: cash.OpUnknown, Started: fixedClock(), Paid: cash.Counts{ten: 2}},
	}
	want := `{"operations":[{"id":"1","key":"","kind":"dispense","device":"SPECTRAL_PAYOUT-COM5","actor":"admin",` +
		`"asked":{"value":500,"currency":"EUR"},"keep":[],"module":0,"state":"open","paid":[],"detail":"","started":"2026-11-07T09:15:02.123456Z"},` +
		`{"id":"2","key":"","kind":"float","device":"SPECTRAL_PAYOUT-COM5","actor":"","asked":{"value":0,"currency":""},` +
		`"keep":[{"value":500,"currency":"EUR","count":1}],"module":0,"state":"unknown","paid":[{"value":1000,"currency":"EUR","count":2}],` +
		`"detail":"","started":"2026-11-07T09:15:02.123456Z"}]}`
	if got := string(EncodeOps(ops)); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestChainFromExport recomputes the chain from the exported text alone, as an auditor would.
func TestChainFromExport(t *testing.T) {
	if sum := sha256.Sum256([]byte("coffer ledger 1")); hex.EncodeToString(sum[:]) != Genesis {
		t.Error("Genesis is not what its comment says")
	}
	j := openTest(t, t.TempDir())
	write(t, j, credit(500, 1, cash.Payout), cash.Line{
		Device: dev, Kind: cash.KindDiscrepancy, From: cash.Unknown, To: cash.Cashbox, Count: 1, Detail: "unbekannte Note, 5€\nzwei Zeilen",
	})
	if _, err := j.Begin(t.Context(), cash.Op{Kind: cash.OpEmpty, Device: dev}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := j.Export(t.Context(), &out, 0); err != nil {
		t.Fatal(err)
	}
	before := Genesis
	for line := range strings.Lines(out.String()) {
		var row map[string]any
		dec := json.NewDecoder(strings.NewReader(line))
		dec.UseNumber()
		if err := dec.Decode(&row); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%d:%s,", len(before), before)
		for _, member := range strings.Fields("seq at device op kind value currency count from to detail") {
			v := ""
			if row[member] != nil {
				v = fmt.Sprint(row[member])
			}
			text += fmt.Sprintf("%d:%s,", len(v), v)
		}
		sum := sha256.Sum256([]byte(text))
		if got := hex.EncodeToString(sum[:]); got != row["hash"] {
			t.Errorf("row %v: hash %s, exported %s", row["seq"], got, row["hash"])
		}
		before = row["hash"].(string)
	}
}

package journalapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"coffer/internal/cash"
	"coffer/internal/journal"
)

const dev = cash.DeviceID("SPECTRAL_PAYOUT-COM5")

// settler records what it is asked, and answers err.
type settler struct {
	asked string
	err   error
}

func (s *settler) Settle(_ context.Context, actor, op string, paid cash.Counts) error {
	s.asked = fmt.Sprint(actor, " ", op, " ", paid.Rows())
	return s.err
}

// brokenLedger is one whose disk is gone.
type brokenLedger struct{ Ledger }

var errDisk = fmt.Errorf("%w: the disk is full", cash.ErrJournal)

func (brokenLedger) Entries(context.Context, int64, int) ([]cash.Entry, error) { return nil, errDisk }
func (brokenLedger) Balance(context.Context, cash.DeviceID) ([]cash.BalanceRow, error) {
	return nil, errDisk
}
func (brokenLedger) OpByKey(context.Context, string) (op cash.Op, found bool, err error) {
	return op, false, errDisk
}
func (brokenLedger) OpenOps(context.Context, cash.DeviceID) ([]cash.Op, error) { return nil, errDisk }

func newJournal(t *testing.T) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// credits writes n rows.
func credits(t *testing.T, j *journal.Journal, n int) []cash.Entry {
	t.Helper()
	w := cash.LedgerWrite{}
	for range n {
		w.Lines = append(w.Lines, cash.Line{
			Device: dev, Kind: cash.KindCredit, Value: 500, Currency: "EUR", Count: 1, From: cash.Customer, To: cash.Payout,
		})
	}
	rows, err := j.Write(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func router(d Deps) *mux.Router {
	r := mux.NewRouter()
	Register(r, d)
	return r
}

func TestEntries(t *testing.T) {
	j := newJournal(t)
	rows := credits(t, j, 1500)
	h := router(Deps{Ledger: j})
	for target, want := range map[string][]cash.Entry{
		"":                           rows[:100],
		"?after=0&limit=2":           rows[:2],
		"?after=7&limit=1":           rows[7:8],
		"?limit=1000":                rows[:1000],
		"?limit=1001":                rows[:1000], // at most
		"?limit=9223372036854775807": rows[:1000],
		"?after=1499":                rows[1499:],
		"?after=1500":                nil,
		"?after=9223372036854775807": nil,
	} {
		w := call(t, h, http.MethodGet, "entries"+target, "")
		if got := w.Body.String(); w.Code != http.StatusOK || got != string(journal.EncodeEntries(want))+"\n" {
			t.Errorf("%s: %d, %.200s", target, w.Code, got)
		}
		if ct := w.Header().Get("Content-Type"); ct != "application/json; charset=utf-8" {
			t.Errorf("%s: content type %s", target, ct)
		}
	}
}

func TestBadParameters(t *testing.T) {
	h := router(Deps{Ledger: newJournal(t)})
	for target, want := range map[string]string{
		"entries?after=-1":                   `{"error":"invalid argument: after \"-1\": give a whole number from 0"}`,
		"entries?after=x":                    `{"error":"invalid argument: after \"x\": give a whole number from 0"}`,
		"entries?after=":                     `{"error":"invalid argument: after \"\": give a whole number from 0"}`,
		"entries?after=1.5":                  `{"error":"invalid argument: after \"1.5\": give a whole number from 0"}`,
		"entries?after=99999999999999999999": `{"error":"invalid argument: after \"99999999999999999999\": give a whole number from 0"}`,
		"entries?limit=0":                    `{"error":"invalid argument: limit \"0\": give a whole number from 1"}`,
		"entries?limit=all":                  `{"error":"invalid argument: limit \"all\": give a whole number from 1"}`,
		"stream?after=x":                     `{"error":"invalid argument: after \"x\": give a whole number from 0"}`,
		"operations?state=closed":            `{"error":"invalid argument: state \"closed\": only \"open\" can be asked for"}`,
	} {
		w := call(t, h, http.MethodGet, target, "")
		if w.Code != http.StatusBadRequest || strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%s: %d, %s", target, w.Code, w.Body)
		}
	}
}

func TestBalanceAndOperations(t *testing.T) {
	j := newJournal(t)
	h := router(Deps{Ledger: j})
	if w := call(t, h, http.MethodGet, "balance", ""); w.Body.String() != `{"balances":[]}`+"\n" {
		t.Errorf("empty balance: %d, %s", w.Code, w.Body)
	}
	credits(t, j, 4)
	op, err := j.Begin(t.Context(), cash.Op{Kind: cash.OpEmpty, Device: dev, Key: "k/1"})
	if err != nil {
		t.Fatal(err)
	}
	row := `{"device":"SPECTRAL_PAYOUT-COM5","place":"payout","value":500,"currency":"EUR","count":4}`
	for target, want := range map[string]string{
		"balance":                             `{"balances":[` + row + `]}`,
		"balance?device=SPECTRAL_PAYOUT-COM5": `{"balances":[` + row + `]}`,
		"balance?device=other":                `{"balances":[]}`,
		"operations?device=other":             `{"operations":[]}`,
		"operations":                          string(journal.EncodeOps([]cash.Op{op})),
		"operations?key=k/1":                  string(journal.EncodeOps([]cash.Op{op})),
		"operations?key=other":                `{"operations":[]}`,
		"operations?state=open":               string(journal.EncodeOps([]cash.Op{op})),
	} {
		if w := call(t, h, http.MethodGet, target, ""); w.Code != http.StatusOK || w.Body.String() != want+"\n" {
			t.Errorf("%s: %d, %s; want %s", target, w.Code, w.Body, want)
		}
	}
}

func TestLedgerUnavailable(t *testing.T) {
	h := router(Deps{Ledger: brokenLedger{}})
	for _, target := range []string{"entries", "balance", "operations"} {
		w := call(t, h, http.MethodGet, target, "")
		if w.Code != http.StatusServiceUnavailable || w.Body.String() != `{"error":"ledger unavailable: the disk is full"}`+"\n" {
			t.Errorf("%s: %d, %s", target, w.Code, w.Body)
		}
	}
}

func TestSettle(t *testing.T) {
	const good = `{"op":"o1","paid":[{"value":500,"currency":"EUR","count":2}]}`
	for _, c := range []struct {
		name, body string
		err        error
		status     int
		says       string // part of the error, or what the settler was asked
	}{
		{"paid", good, nil, 204, "anna o1 [{500 EUR 2}]"},
		{"nothing paid", `{"op":"o1","paid":[]}`, nil, 204, "anna o1 []"},
		{"no body", ``, nil, 400, "the body is not"},
		{"not JSON", `op=o1`, nil, 400, "the body is not"},
		{"wrong type", `{"op":1,"paid":[]}`, nil, 400, "the body is not"},
		{"fraction", `{"op":"o1","paid":[{"value":5.5,"currency":"EUR","count":1}]}`, nil, 400, "the body is not"},
		{"misspelt", `{"op":"o1","payed":[]}`, nil, 400, `unknown field \"payed\"`},
		{"two objects", good + good, nil, 400, "something follows"},
		{"no op", `{"paid":[]}`, nil, 400, "op is missing"},
		{"no paid", `{"op":"o1"}`, nil, 400, "paid is missing"},
		{"null paid", `{"op":"o1","paid":null}`, nil, 400, "paid is missing"},
		{"value 0", `{"op":"o1","paid":[{"value":0,"currency":"EUR","count":1}]}`, nil, 400, "value begins at 1"},
		{"count below 0", `{"op":"o1","paid":[{"value":5,"currency":"EUR","count":-1}]}`, nil, 400, "value begins at 1"},
		{"currency", `{"op":"o1","paid":[{"value":5,"currency":"euro","count":1}]}`, nil, 400, "three capitals"},
		{"too large", `{"op":"` + strings.Repeat("x", 2<<20) + `"}`, nil, 413, "too large"},
		{"no such operation", good, fmt.Errorf("%w: no operation", cash.ErrInvalid), 400, "no operation"},
		{"still running", good, cash.ErrBusy, 409, "device busy"},
		{"nothing open", good, cash.ErrNothing, 409, "nothing to act on"},
		{"disk", good, errDisk, 503, "the disk is full"},
		{"refused by the ledger", good, fmt.Errorf("%w: %w: x", cash.ErrJournal, cash.ErrInvalid), 400, "x"},
		{"anything else", good, errors.New("boom"), 500, "boom"},
	} {
		s := &settler{err: c.err}
		h := router(Deps{Settler: s, Actor: func(*http.Request) string { return "anna" }})
		w := call(t, h, http.MethodPost, "settle", c.body)
		got := w.Body.String()
		if c.status == http.StatusNoContent {
			got = s.asked
		} else if !strings.HasPrefix(got, `{"error":"`) {
			t.Errorf("%s: not an error object: %s", c.name, got)
		}
		if w.Code != c.status || !strings.Contains(got, c.says) {
			t.Errorf("%s: %d, %.200s; want %d, %q", c.name, w.Code, got, c.status, c.says)
		}
		if c.status >= 400 && c.err == nil && s.asked != "" {
			t.Errorf("%s: the settler was asked", c.name)
		}
	}
	if w := call(t, router(Deps{}), http.MethodPost, "settle", good); w.Code != http.StatusNotImplemented {
		t.Errorf("no settler: %d, %s", w.Code, w.Body)
	}
}

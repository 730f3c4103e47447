package till

import (
	"context"
	"errors"
	"testing"

	"coffer/internal/cash"
)

func TestRecordNote(t *testing.T) {
	start := notes(pieces(500, 4), 0, 0, 0, 0, 0)
	held := cash.NoteHeld{Note: eur(500)}
	for _, tc := range []struct {
		name  string
		calls [][]cash.Event
		rows  []string
	}{
		{"taken into the store", [][]cash.Event{{held}, {credited(500, cash.Payout)}, {cash.NotePlaced{Note: eur(500), To: cash.Payout}}},
			[]string{"hold 1x500 customer>escrow", "credit 1x500 escrow>payout"}},
		{"all in one answer", [][]cash.Event{{held, credited(500, cash.Payout), cash.NotePlaced{Note: eur(500), To: cash.Payout}}},
			[]string{"hold 1x500 customer>escrow", "credit 1x500 escrow>payout"}},
		{"goes into the cashbox instead", [][]cash.Event{{credited(500, cash.Payout)}, {cash.NotePlaced{To: cash.Cashbox}}},
			[]string{"credit 1x500 customer>payout", "move 1x500 payout>cashbox"}},
		{"goes into the store instead", [][]cash.Event{{credited(500, cash.Cashbox)}, {cash.NotePlaced{Note: eur(500), To: cash.Payout}}},
			[]string{"credit 1x500 customer>cashbox", "move 1x500 cashbox>payout"}},
		{"given back", [][]cash.Event{{held}, {cash.NoteReturned{Note: eur(500), Code: 8}}},
			[]string{"hold 1x500 customer>escrow", "return 1x500 escrow>customer"}},
		{"given back without a name", [][]cash.Event{{held}, {cash.NoteReturned{}}},
			[]string{"hold 1x500 customer>escrow", "return 1x500 escrow>customer"}},
		{"given back, never held", [][]cash.Event{{cash.NoteReturned{Note: eur(500)}}, {cash.NoteRejected{Code: 1}}}, nil},
		{"placed, never credited", [][]cash.Event{{cash.NotePlaced{Note: eur(500), To: cash.Payout}}}, nil},
		{"placed is another note", [][]cash.Event{{credited(500, cash.Payout)}, {cash.NotePlaced{Note: eur(1000), To: cash.Cashbox}}},
			[]string{"credit 1x500 customer>payout"}},
		{"without a name", [][]cash.Event{{cash.NoteCredited{To: cash.Cashbox}}}, []string{"discrepancy 1x0 customer>cashbox"}},
		{"coins", [][]cash.Event{{coin(100, 2, cash.Payout), coin(200, 1, cash.Cashbox)}},
			[]string{"credit 2x100 customer>payout", "credit 1x200 customer>cashbox"}},
		{"filled by hand, and cleared", [][]cash.Event{{cash.Filled{Coin: eur(500), Count: 6}}, {cash.Filled{Coin: eur(500), Count: -10}}},
			[]string{"adjust 6x500 operator>payout", "adjust 10x500 payout>operator"}},
		{"cashbox filled by hand, and cleared", [][]cash.Event{{coin(100, 2, cash.Cashbox)}, {cash.CashboxSet{Coin: eur(100), Count: 3}},
			{cash.CashboxSet{Coin: eur(200), Count: 4}}, {cash.CashboxSet{Coin: eur(100)}}, {cash.CashboxSet{Coin: eur(100)}}, {cash.CashboxSet{}}},
			[]string{"credit 2x100 customer>cashbox", "adjust 3x100 operator>cashbox", "adjust 4x200 operator>cashbox",
				"adjust 5x100 cashbox>operator", "adjust 4x200 cashbox>operator"}},
		{"moneyless", [][]cash.Event{{cash.StateChanged{State: cash.StateIdle}, cash.CoinRejected{}, cash.Fraud{}}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, start)
			n := 0
			for _, events := range tc.calls {
				before := r.j.commits
				r.record(events...)
				if r.j.commits > before+1 {
					t.Errorf("%d commits for one call", r.j.commits-before)
				}
				n += len(events)
			}
			r.rows(tc.rows...)
			if got := len(r.told); got < n {
				t.Errorf("%d events told of %d", got, n)
			}
		})
	}
}

func TestRecordPublishesAfterTheCommit(t *testing.T) {
	r := newRig(t, notes(pieces(500, 4), 0, 0, 0, 0, 0))
	r.j.fail = errDisk
	for range 3 {
		if err := r.till.Record(t.Context(), testDev, credited(500, cash.Payout)); !errors.Is(err, cash.ErrJournal) {
			t.Fatalf("%v; want the ledger's", err)
		}
	}
	if r.till.Health() == nil {
		t.Error("healthy with a full disk")
	}
	r.heard()
	r.rows()
	r.j.fail = nil
	r.record(credited(500, cash.Payout))
	r.rows("credit 1x500 customer>payout")
	r.heard("credited 500 payout @2")
	if err := r.till.Health(); err != nil {
		t.Errorf("not healthy again: %v", err)
	}
}

func TestStatesAreToldWithoutALedger(t *testing.T) {
	r := newRig(t, notes(pieces(500, 4), 0, 0, 0, 0, 0))
	r.j.fail = errDisk
	r.record(cash.StateChanged{State: cash.StateNotConnected})
	r.heard("NOT_CONNECTED")
}

// A write that a cancelled context tears apart would be made twice.
func TestRecordIgnoresACancelledContext(t *testing.T) {
	r := newRig(t, notes(pieces(500, 4), 0, 0, 0, 0, 0))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.must(r.till.Record(ctx, testDev, credited(500, cash.Payout)))
	r.rows("credit 1x500 customer>payout")
}

func TestAutoClearCashbox(t *testing.T) {
	removed, replaced := cash.StateChanged{State: cash.StateCashboxRemoved}, cash.StateChanged{State: cash.StateCashboxReplace}
	for _, tc := range []struct {
		name   string
		auto   bool
		states []cash.Event
		rows   []string
	}{
		{"removed and put back", true, []cash.Event{removed, replaced}, []string{"adjust 1x2000 cashbox>operator"}},
		{"twice", true, []cash.Event{removed, removed, replaced, replaced}, []string{"adjust 1x2000 cashbox>operator"}},
		{"never removed", true, []cash.Event{replaced}, nil},
		{"off", false, []cash.Event{removed, replaced}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, notes(pieces(500, 4), 0, 0, 0, 0, 0))
			r.till.AutoClearCashbox(testDev, tc.auto)
			r.record(credited(2000, cash.Cashbox))
			r.forget()
			for _, s := range tc.states {
				r.record(s)
			}
			r.rows(tc.rows...)
		})
	}
}

func TestDrainedEvents(t *testing.T) {
	r := newRig(t, notes(pieces(500, 4), 0, 0, 0, 0, 0))
	r.must(r.till.Evidence(t.Context(), testDev, credited(500, cash.Payout), cash.Fraud{}))
	r.rows()
	r.heard("cash.Fraud")
	r.restart() // before the acknowledgement: the machine repeats its answer
	r.must(r.till.Evidence(t.Context(), testDev, credited(500, cash.Payout)))
	r.must(r.till.Reconcile(t.Context(), testDev, notes(pieces(500, 5), 0, 1, 0, 0, 0)))
	r.rows("credit 1x500 customer>payout")
	r.heard("cash.Fraud", "credited 500 payout @2", "placed 500 payout @2")
	if len(r.j.evidence) != 0 {
		t.Errorf("evidence left: %v", r.j.evidence)
	}
	commits := r.j.commits
	r.must(r.till.Reconcile(t.Context(), testDev, notes(pieces(500, 5), 0, 1, 0, 0, 0)))
	if r.j.commits != commits {
		t.Error("an audit that finds nothing new writes")
	}
}

// The connection breaks between CREDIT and STACKED: the reader that saw the one must see the other.
func TestPlaceIsToldAfterAReconnection(t *testing.T) {
	for name, tc := range map[string]struct {
		now  cash.Account
		rows []string
		told string
	}{
		"as expected": {notes(pieces(500, 5), 0, 1, 0, 0, 0), nil, "placed 500 payout"},
		"elsewhere":   {notes(pieces(500, 4), 1, 0, 0, 0, 0), []string{"move 1x500 payout>cashbox"}, "placed 500 cashbox @3"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, notes(pieces(500, 4), 0, 0, 0, 0, 0))
			r.record(credited(500, cash.Payout))
			r.forget()
			r.must(r.till.Reconcile(t.Context(), testDev, tc.now))
			r.rows(tc.rows...)
			r.heard(tc.told)
		})
	}
}

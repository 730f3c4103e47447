package nv9coin

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/internal/cash"
	"coffer/internal/journal"
)

// pay has a customer put n coins of 1.00 in, and waits until they are in the ledger and the machine has heard of it: until
// then it is busy with them.
func (r *rig) pay(n int) {
	r.t.Helper()
	before := r.credited()
	for range n {
		r.insert(r.coins, 100, 1)
	}
	r.until("the coins are in the ledger", func() bool { return r.credited() == before+n })
	time.Sleep(time.Second)
}

func (r *rig) credited() (n int) {
	for _, e := range r.rows() {
		if e.Kind == cash.KindCredit {
			n += e.Count
		}
	}
	return n
}

// hangUp asks for the status by hand and closes the connection before a byte of the answer is read.
func (r *rig) hangUp() {
	r.t.Helper()
	conn, err := r.client.Transport.(*http.Transport).DialContext(context.Background(), "", "")
	if err != nil {
		r.t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /DeviceService/ITL/NV9AndCoin/Status HTTP/1.1\r\nHost: x\r\nAuthorization: Basic a2l0dGVuczphcmVzb2xvdmVseQ==\r\n\r\n")
	time.Sleep(time.Second)
	conn.Close()
	time.Sleep(time.Second)
}

// TestWhatDidNotGetThrough: an answer that its client did not take gives nothing away; order stays; a restart goes on where
// the last answer ended.
func TestWhatDidNotGetThrough(t *testing.T) {
	with(t, nil, func(r *rig) {
		r.post("Enable", "").is(t, 200, "")
		r.pay(2)
		r.hangUp()
		r.pay(1)
		r.hangUp()
		first := r.status().CashReceivedSinceLastCheck
		if values(first) != "1 1 1" || !(first[0].WhenInserted < first[1].WhenInserted && first[1].WhenInserted < first[2].WhenInserted) {
			t.Errorf("after two answers that were not taken: %v", first)
		}
		r.pay(2)
		r.post("Dispense", r.order("2")).is(t, 200, `{"currency":"GBP","dispensed_amount":2}`)
		r.hangUp()
		r.restart()
		s := r.status()
		if values(s.CashReceivedSinceLastCheck) != "1 1" || values(s.CashDispensedSinceLastCheck) != "2" {
			t.Errorf("after a restart: %+v", s)
		}
		if again := r.status(); len(again.CashReceivedSinceLastCheck)+len(again.CashDispensedSinceLastCheck) != 0 {
			t.Errorf("told twice: %+v", again)
		}
		r.restart()
		if again := r.status(); len(again.CashReceivedSinceLastCheck)+len(again.CashDispensedSinceLastCheck) != 0 {
			t.Errorf("told again after a restart: %+v", again)
		}
	})
}

// TestListsWhileAMachineIsAway: what a machine took before a restart is told also while nobody knows its name yet.
// TestGoneOrDone: a client that hangs up right behind its request is given nothing, even where the network would take the
// answer; one that hangs up because it has read the answer is not given the same twice.
func TestGoneOrDone(t *testing.T) {
	with(t, nil, func(r *rig) {
		r.post("Enable", "").is(t, 200, "")
		r.pay(1)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Millisecond, cancel)
		if got := r.statusOver(ctx, func() {}); got != 0 {
			t.Errorf("%d bytes for a client that is gone", got)
		}
		ctx, cancel = context.WithCancel(context.Background())
		if got := r.statusOver(ctx, cancel); got == 0 {
			t.Error("no answer")
		}
		if s := r.status(); len(s.CashReceivedSinceLastCheck) != 0 {
			t.Errorf("given twice: %v", s.CashReceivedSinceLastCheck)
		}
	})
}

// statusOver asks for the status over a network that takes everything, and returns the length of the answer. wrote is
// called when it has been written.
func (r *rig) statusOver(ctx context.Context, wrote func()) int {
	r.t.Helper()
	w := &taker{httptest.NewRecorder(), wrote}
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	r.api.ServeHTTP(w, r.request(ctx, http.MethodGet, "Status", ""))
	return w.Body.Len()
}

// taker is a connection that nothing goes wrong with.
type taker struct {
	*httptest.ResponseRecorder
	wrote func()
}

func (w *taker) Write(b []byte) (int, error) {
	defer w.wrote()
	return w.ResponseRecorder.Write(b)
}

func TestListsWhileAMachineIsAway(t *testing.T) {
	with(t, nil, func(r *rig) {
		r.post("Enable", "").is(t, 200, "")
		r.pay(1)
		if got := values(r.status().CashReceivedSinceLastCheck); got != "1" {
			t.Errorf("received %q", got)
		}
		r.pay(3)
		r.fault(r.coins, "power_off")
		r.stop()
		r.start()
		r.until("the note reader is there", func() bool { return r.snapshot(notesID) != nil })
		if s := r.status(); s.CurrentHopperState.IsConnected || values(s.CashReceivedSinceLastCheck) != "1 1 1" {
			t.Errorf("status %+v", s)
		}
	})
}

// TestHeldNoteOverARestart: coffer gives a note in escrow back when it starts again; then it is in no list.
func TestHeldNoteOverARestart(t *testing.T) {
	with(t, nil, func(r *rig) {
		r.post("Enable", "").is(t, 200, "")
		held := r.hold(1000)
		r.restart()
		s := r.status()
		switch tr := r.notes.Truth(); {
		case r.worth(tr.Returned) == 1000:
			if s.EscrowedBill != nil || len(s.CashReceivedSinceLastCheck) != 0 {
				t.Errorf("the note went back: %+v", s)
			}
		case r.worth(tr.Cashbox) == 1000:
			if len(s.CashReceivedSinceLastCheck) != 1 || s.CashReceivedSinceLastCheck[0] != held {
				t.Errorf("the note was stacked: %+v", s)
			}
		default:
			t.Errorf("the note is nowhere: %+v", tr)
		}
		r.agrees()
	})
}

// TestFirstStartBeginsNow: what the ledger holds when this API is configured for the first time is no news.
func TestFirstStartBeginsNow(t *testing.T) {
	with(t, nil, func(r *rig) {
		r.post("Enable", "").is(t, 200, "")
		r.pay(2)
		if err := r.ledger.KeepCursor(context.Background(), "other", 7, ""); err != nil {
			t.Fatal(err)
		}
		later := newLists(r.ledger, "nv9coin/new/pair", r.api.names, r.api.log)
		if d := later.take(context.Background()); len(d.received) != 0 {
			t.Errorf("told of %d pieces from before", len(d.received))
		} else {
			d.done(true)
		}
		r.pay(1)
		if d := later.take(context.Background()); len(d.received) != 1 {
			t.Errorf("told of %d pieces", len(d.received))
		} else {
			d.done(true)
		}
	})
}

// brokenLedger cannot be read for a while.
type brokenLedger struct {
	Ledger
	broken *bool
}

func (l brokenLedger) Entries(ctx context.Context, after int64, limit int) ([]cash.Entry, error) {
	if *l.broken {
		return nil, cash.ErrJournal
	}
	return l.Ledger.Entries(ctx, after, limit)
}

// TestStatusWithoutALedger: Status answers 200 whatever happens, and nothing is lost.
func TestStatusWithoutALedger(t *testing.T) {
	broken := false
	with(t, func(d *Deps) { d.Ledger = brokenLedger{d.Ledger, &broken} }, func(r *rig) {
		r.post("Enable", "").is(t, 200, "")
		r.pay(1)
		broken = true
		if s := r.status(); len(s.CashReceivedSinceLastCheck) != 0 || !s.CurrentHopperState.IsEnabled {
			t.Errorf("status %+v", s)
		}
		broken = false
		if s := r.status(); values(s.CashReceivedSinceLastCheck) != "1" {
			t.Errorf("status %+v", s)
		}
	})
}

// TestDispenseGoesOn: a client that breaks off has its payout all the same, nobody else gets in between, and the ledger
// says what became of it, with the key that the request makes.
func TestDispenseGoesOn(t *testing.T) {
	with(t, nil, func(r *rig) {
		if err := r.world.SetSpeed(0.5); err != nil {
			t.Fatal(err)
		}
		body := r.order("3.88")
		at := time.Now().UTC().Format("20060102T150405Z")
		ctx, hangUp := context.WithCancel(context.Background())
		gone := make(chan error)
		go func() {
			_, err := r.trySend(r.request(ctx, http.MethodPost, "Dispense", body))
			gone <- err
		}()
		r.until("the payout is under way", func() bool { return r.coins.Truth().Moving })
		hangUp()
		if err := <-gone; err == nil {
			t.Error("it was answered")
		}
		r.post("Enable", "").is(t, 400, paper(t, "busy_long"))
		if err := r.world.SetSpeed(100); err != nil {
			t.Fatal(err)
		}
		var op cash.Op
		r.until("the ledger has the result", func() bool {
			var err error
			if op, _, err = r.ledger.OpByKey(context.Background(), "nv9coin/gbp-coins/"+at+"/388GBP"); err != nil {
				t.Fatal(err)
			}
			return !op.Ended.IsZero()
		})
		if op.State != cash.OpDone || op.Paid.Total("GBP").Value != 388 || op.Actor != "kittens via nv9coin" {
			t.Errorf("operation %+v", op)
		}
		r.until("the next command is taken", func() bool { return r.post("Enable", "").status == 200 })
		if s := r.status(); values(s.CashDispensedSinceLastCheck) != "3.88" {
			t.Errorf("lists %+v", s)
		}
		r.restart()
		if a := r.post("Dispense", body); a.status != 400 || !strings.Contains(a.body, `"FieldName":"Signature"`) {
			t.Errorf("the same request after a restart: %d %s", a.status, a.body)
		}
		if got := r.worth(r.coins.Truth().Dispensed); got != 388 {
			t.Errorf("%d came out", got)
		}
		r.agrees()
	})
}

// TestDispenseOfAMachineThatStays: a payout whose machine is away or jammed is answered 500 after half a minute, and holds
// nobody up any more: the note of a customer goes into the cashbox. What became of the payout is in the list when the
// machine is well again.
func TestDispenseOfAMachineThatStays(t *testing.T) {
	for kind, end := range map[string]string{"power_off": "power_on", "jam": "unjam"} {
		t.Run(kind, func(t *testing.T) {
			with(t, nil, func(r *rig) {
				r.post("Enable", "").is(t, 200, "")
				r.hold(500)
				if err := r.world.SetSpeed(0.5); err != nil {
					t.Fatal(err)
				}
				order, answered := r.order("3.88"), make(chan answer)
				begun := time.Now()
				go func() { answered <- r.post("Dispense", order) }()
				r.until("the payout is under way", func() bool { return r.worth(r.coins.Truth().Dispensed) > 0 })
				r.fault(r.coins, kind)
				a := <-answered
				if took := time.Since(begun); a.status != 500 || took < standstill || took > standstill+30*time.Second {
					t.Errorf("after %v: %d %s", took, a.status, a.body)
				}
				r.post("StackEscrow", "").is(t, 200, "")
				if a := r.post("Dispense", order); a.status != 400 {
					t.Errorf("the same order again: %d %s", a.status, a.body)
				}
				if err := r.world.SetSpeed(100); err != nil {
					t.Fatal(err)
				}
				r.fault(r.coins, end)
				r.until("nothing is open", func() bool {
					ops, err := r.ledger.OpenOps(context.Background(), coinsID)
					return err == nil && len(ops) == 0
				})
				r.until("it is well", func() bool { return r.post("Enable", "").status == 200 })
				out := r.worth(r.coins.Truth().Dispensed)
				if s := r.status(); values(s.CashDispensedSinceLastCheck) != fmt.Sprint(float64(out)/100) || out > 388 {
					t.Errorf("%d came out, the list says %+v", out, s.CashDispensedSinceLastCheck)
				}
				r.agrees()
			})
		})
	}
}

// TestReplayAllowed: with the switch, the same request pays again.
func TestReplayAllowed(t *testing.T) {
	with(t, func(d *Deps) { d.AllowReplay = true }, func(r *rig) {
		body := r.order("1")
		for range 2 {
			r.post("Dispense", body).is(t, 200, `{"currency":"GBP","dispensed_amount":1}`)
		}
		if s := r.status(); values(s.CashDispensedSinceLastCheck) != "1 1" {
			t.Errorf("lists %+v", s)
		}
		r.agrees()
	})
}

// TestANoteThatMoves: while a note is on its way, commands are told that the device is busy, and Status is not.
func TestANoteThatMoves(t *testing.T) {
	with(t, nil, func(r *rig) {
		r.post("Enable", "").is(t, 200, "")
		if err := r.world.SetSpeed(0.2); err != nil {
			t.Fatal(err)
		}
		r.insert(r.notes, 500, 1)
		r.until("the note is seen", func() bool { return r.snapshot(notesID).State == cash.StateAccepting })
		r.post("Disable", "").is(t, 400, paper(t, "busy_short"))
		r.post("Dispense", r.order("1")).is(t, 400, paper(t, "busy_long"))
		r.status()
		if err := r.world.SetSpeed(100); err != nil {
			t.Fatal(err)
		}
		r.until("it is in escrow", func() bool { return r.status().EscrowedBill != nil })
		r.post("Dispense", r.order("1")).is(t, 200, `{"currency":"GBP","dispensed_amount":1}`) // a held note keeps nobody from anything
		r.post("ReturnEscrow", "").is(t, 200, "")
		r.agrees()
	})
}

// TestEscrowWhateverAnotherClientDid: Enable has notes held also where somebody has them taken at once.
func TestEscrowWhateverAnotherClientDid(t *testing.T) {
	with(t, nil, func(r *rig) {
		d, _ := r.station.Device(notesID)
		if err := d.(interface {
			SetAutoAccept(context.Context, bool) error
		}).SetAutoAccept(context.Background(), true); err != nil {
			t.Fatal(err)
		}
		r.post("Enable", "").is(t, 200, "")
		r.hold(500)
		r.post("StackEscrow", "").is(t, 200, "")
		details := ""
		for _, e := range r.rows() {
			details += e.Detail + "\n"
		}
		if !strings.Contains(details, "accept from escrow by kittens via nv9coin") {
			t.Errorf("the ledger does not say who took the note: %s", details)
		}
	})
}

// TestLogKeepsSecrets: passwords, the header and signatures are in no line of the log.
func TestLogKeepsSecrets(t *testing.T) {
	with(t, nil, func(r *rig) {
		body := r.order("1")
		r.post("Dispense", body)
		r.send(r.wrong(), "")
		log := r.log.String()
		for _, secret := range []string{"aresolovely", "a2l0dGVuczphcmVzb2xvdmVseQ", "dispense-secret", "fed6b0348ad2a286d55b88ee876a4678", signatureOf(time.Now(), "dispense-secret", false)} {
			if strings.Contains(log, secret) {
				t.Errorf("the log has %q", secret)
			}
		}
		if !strings.Contains(log, "login refused") {
			t.Error("the log does not tell of refused logins")
		}
	})
}

// TestPayoutOverSeveralMachines: of a payout over more machines than ours, what ours has paid is listed, once.
func TestPayoutOverSeveralMachines(t *testing.T) {
	j, err := journal.Open(t.Context(), t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	gbp := func(v int64) cash.Amount { return cash.Amount{Value: v, Currency: "GBP"} }
	l := newLists(j, "lists", func() []cash.DeviceID { return []cash.DeviceID{coinsID} }, logrus.New())
	l.take(t.Context())
	whole := cash.Op{Kind: cash.OpDispense, Device: coinsID, Asked: gbp(1200), Across: []cash.DeviceID{coinsID, "OTHER"}}
	_, legs, err := j.BeginLegs(t.Context(), whole, []cash.Op{
		{Kind: cash.OpDispense, Device: coinsID, Asked: gbp(200)}, {Kind: cash.OpDispense, Device: "OTHER", Asked: gbp(1000)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, paid := range []cash.Counts{{{Value: 200, Currency: "GBP"}: 1}, {{Value: 1000, Currency: "GBP"}: 1}} {
		if _, err := j.Write(t.Context(), cash.LedgerWrite{Close: []cash.OpClose{{ID: legs[i].ID, Result: cash.OpDone, Paid: paid}}}); err != nil {
			t.Fatal(err)
		}
	}
	d := l.take(t.Context())
	defer d.done(true)
	if len(d.paid) != 1 || d.paid[0].Value != 200 {
		t.Errorf("dispensed %+v", d.paid)
	}
}

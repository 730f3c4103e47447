package nv9coin

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/devices/sim"
	"coffer/internal/proof"
)

// What is wanted in these tests is copied from the paper (testdata/paper), or follows from what the machines were made to
// do. The pair of machines is what the API is for.
const pair = "NOTE_VALIDATOR+SMART_COIN_SYSTEM"

// row proves a row of the checklist.
func row(t *testing.T, name string, f func(*rig)) {
	t.Helper()
	t.Run(name+"/"+pair, func(t *testing.T) {
		proof.Of(t)
		with(t, nil, f)
	})
}

func TestRows(t *testing.T) {
	row(t, "GW-01 Get status, as printed", statusAsPrinted)
	row(t, "GW-01 Get status, machines away", statusOfMachinesAway)
	row(t, "GW-01 Get status, each piece once", eachPieceOnce)
	row(t, "GW-02 Enable", enabling)
	row(t, "GW-03 Check can dispense", checking)
	row(t, "GW-04 Dispense coins", dispensing)
	row(t, "GW-04 Dispense coins, a part", dispensingAPart)
	row(t, "GW-04 Dispense coins, arguments", dispenseArguments)
	row(t, "GW-05 Disable", disabling)
	row(t, "GW-06 Return escrowed note", returning)
	row(t, "GW-07 Stack escrowed note", stacking)
	row(t, "GW-C1 Basic authentication", credentials)
	row(t, "GW-C1 Paths and methods", paths)
	t.Run("GW-04 Signature vectors/"+pair, func(t *testing.T) {
		proof.Of(t)
		signatureVectors(t)
	})
}

// statusAsPrinted brings about what the paper's sample shows, and finds its members in its order.
func statusAsPrinted(r *rig) {
	r.post("Enable", "").is(r.t, 200, "")
	first := r.hold(1000)
	r.post("StackEscrow", "").is(r.t, 200, "")
	r.insert(r.notes, 500, 1)
	r.until("the second note is in escrow", func() bool { return r.snapshot(notesID).Escrow != nil })
	r.post("Disable", "").is(r.t, 200, "")
	a := r.get("Status")
	second := readStatus(r.t, a.body).EscrowedBill
	if second == nil || second.WhenInserted <= first.WhenInserted {
		r.t.Fatalf("%s, after %v", a.body, first)
	}
	want := paper(r.t, "status")
	for sample, is := range map[string]string{"2018-03-07T10:15:41.6316841Z": second.WhenInserted, "2018-03-07T10:15:38.0089773Z": first.WhenInserted} {
		want = strings.Replace(want, sample, is, 1)
	}
	a.is(r.t, 200, want)
	again := r.status()
	if again.EscrowedBill == nil || len(again.CashReceivedSinceLastCheck) != 0 {
		r.t.Errorf("asked again: %+v; the note stays, the list is given away", again)
	}
	r.agrees()
}

func statusOfMachinesAway(r *rig) {
	r.fault(r.notes, "cashbox_removed")
	r.until("the cashbox is out", func() bool { return !r.status().CurrentNoteAcceptorState.IsCashboxInPlace })
	r.fault(r.notes, "cashbox_replaced")
	r.until("the cashbox is back", func() bool { return r.status().CurrentNoteAcceptorState.IsCashboxInPlace })
	r.fault(r.notes, "stacker_full")
	r.until("the stacker is full", func() bool { return r.status().CurrentNoteAcceptorState.IsStackerFull })
	r.fault(r.notes, "jam")
	r.until("the note path is jammed", func() bool { return r.status().CurrentNoteAcceptorState.IsJammed })
	r.fault(r.notes, "unjam")
	r.fault(r.coins, "power_off")
	r.until("the coin machine is away", func() bool { return !r.status().CurrentHopperState.IsConnected })
	r.fault(r.notes, "power_off")
	r.until("both are away", func() bool {
		s := r.status()
		return !s.CurrentHopperState.IsConnected && !s.CurrentNoteAcceptorState.IsConnected && !s.CurrentNoteAcceptorState.IsEnabled
	})
}

// eachPieceOnce has 100 clients ask while 1000 coins run in: together they are told of every coin once.
func eachPieceOnce(r *rig) {
	const coins, clients = 1000, 100
	if err := r.world.SetSpeed(1000); err != nil {
		r.t.Fatal(err)
	}
	r.post("Enable", "").is(r.t, 200, "")
	var mu sync.Mutex
	told := map[string]int{}
	note := func(s seen) {
		mu.Lock()
		defer mu.Unlock()
		for _, i := range s.CashReceivedSinceLastCheck {
			told[i.WhenInserted+" "+i.Value.String()]++
		}
	}
	total := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(told)
	}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				if a, err := r.trySend(r.request(context.Background(), http.MethodGet, "Status", "")); err != nil || a.status != 200 {
					r.t.Errorf("Status: %d %v", a.status, err)
					return
				} else {
					note(readStatus(r.t, a.body))
				}
				time.Sleep(time.Second)
			}
		})
	}
	for i := range coins {
		r.until("the coin is taken", func() bool {
			_, err := r.coins.Insert(sim.Insert{Value: []int64{1, 20, 200}[i%3], Currency: "GBP", Count: 1})
			return err == nil
		})
	}
	r.until("all coins are told", func() bool { return total() >= coins })
	time.Sleep(time.Second)
	stop()
	all.Wait()
	if got := total(); got != coins {
		r.t.Errorf("%d different coins, %d were put in", got, coins)
	}
	for item, n := range told {
		if n != 1 {
			r.t.Errorf("%s was told %d times", item, n)
		}
	}
	r.agrees()
}

func enabling(r *rig) {
	for range 2 { // also when it is enabled already
		r.post("Enable", "").is(r.t, 200, "")
	}
	s := r.status()
	if !s.CurrentNoteAcceptorState.IsEnabled || !s.CurrentHopperState.IsEnabled || !r.notes.Truth().Enabled || !r.coins.Truth().Enabled {
		r.t.Errorf("enabled: %+v", s)
	}
	r.insert(r.coins, 20, 3)
	var got []seenItem
	r.until("three coins", func() bool {
		got = append(got, r.status().CashReceivedSinceLastCheck...)
		return len(got) == 3
	})
	if values(got) != "0.2 0.2 0.2" {
		r.t.Errorf("received %v", got)
	}
	r.slowly(func() { r.post("Enable", "").is(r.t, 400, paper(r.t, "busy_long")) })
	r.agrees()
	r.fault(r.coins, "power_off")
	r.until("the coin machine is away", func() bool { return !r.status().CurrentHopperState.IsConnected })
	r.post("Enable", "").is(r.t, 500, paper(r.t, "enable"))
	r.fault(r.coins, "power_on")
	r.ready()
	r.post("Enable", "").is(r.t, 200, "")
}

// slowly runs f while a payout of 2.00 in small coins is under way, and lets it end.
func (r *rig) slowly(f func()) {
	r.t.Helper()
	if err := r.world.SetSpeed(0.5); err != nil {
		r.t.Fatal(err)
	}
	before := r.worth(r.coins.Truth().Dispensed)
	ended := make(chan answer)
	body := r.order("3.88")
	req := r.request(context.Background(), http.MethodPost, "Dispense", body)
	go func() {
		a, err := r.trySend(req)
		if err != nil {
			r.t.Error(err)
		}
		ended <- a
	}()
	r.until("the payout is under way", func() bool { return r.coins.Truth().Moving })
	f()
	r.status() // is never busy
	select {
	case a := <-ended:
		r.t.Errorf("it ended before: %+v", a)
	default:
	}
	if err := r.world.SetSpeed(100); err != nil {
		r.t.Fatal(err)
	}
	if a := <-ended; a.status != 200 || a.body != `{"currency":"GBP","dispensed_amount":3.88}` {
		r.t.Errorf("payout: %d %s", a.status, a.body)
	}
	if got := r.worth(r.coins.Truth().Dispensed) - before; got != 388 {
		r.t.Errorf("%d came out", got)
	}
}

func (r *rig) worth(rows []sim.Row) (sum int64) {
	for _, row := range rows {
		sum += row.Value * int64(row.Count)
	}
	return sum
}

func disabling(r *rig) {
	r.post("Enable", "").is(r.t, 200, "")
	held := r.hold(2000)
	for range 2 {
		r.post("Disable", "").is(r.t, 200, "")
	}
	s := r.status()
	if s.CurrentNoteAcceptorState.IsEnabled || s.CurrentHopperState.IsEnabled || r.coins.Truth().Enabled {
		r.t.Errorf("still enabled: %+v", s)
	}
	time.Sleep(time.Minute)
	if s := r.status(); s.EscrowedBill == nil || *s.EscrowedBill != held || r.worth(r.notes.Truth().Escrow) != 2000 {
		r.t.Errorf("the held note: %+v", s.EscrowedBill)
	}
	r.insert(r.coins, 100, 1) // comes back
	r.until("the coin is back", func() bool { return r.worth(r.coins.Truth().Returned) == 100 })
	r.post("StackEscrow", "").is(r.t, 200, "") // while disabled
	if s := r.status(); values(s.CashReceivedSinceLastCheck) != "20" || s.EscrowedBill != nil {
		r.t.Errorf("after stacking: %+v", s)
	}
	r.slowly(func() { r.post("Disable", "").is(r.t, 400, paper(r.t, "busy_short")) })
	r.agrees()
	r.fault(r.notes, "power_off")
	r.until("the note reader is away", func() bool { return !r.status().CurrentNoteAcceptorState.IsConnected })
	r.post("Disable", "").is(r.t, 500, paper(r.t, "disable"))
	r.fault(r.notes, "power_on")
	r.ready()

	// One that is refused because a machine is away holds for when it is back: nobody waits for its money.
	r.post("Enable", "").is(r.t, 200, "")
	r.fault(r.notes, "power_off")
	r.until("the note reader is away", func() bool { return !r.status().CurrentNoteAcceptorState.IsConnected })
	r.post("Disable", "").is(r.t, 500, paper(r.t, "disable"))
	r.fault(r.notes, "power_on")
	r.ready()
	if s := r.status(); s.CurrentNoteAcceptorState.IsEnabled || s.CurrentHopperState.IsEnabled || r.notes.Truth().Enabled || r.coins.Truth().Enabled {
		r.t.Errorf("it came back enabled: %+v", s)
	}
}

func returning(r *rig) {
	r.post("ReturnEscrow", "").is(r.t, 400, paper(r.t, "no_escrow"))
	r.post("Enable", "").is(r.t, 200, "")
	r.hold(1000)
	r.post("ReturnEscrow", "").is(r.t, 200, "")
	if tr := r.notes.Truth(); r.worth(tr.Returned) != 1000 || r.worth(tr.Escrow) != 0 {
		r.t.Errorf("the note is not back: %+v", tr)
	}
	s := r.status()
	if s.EscrowedBill != nil || len(s.CashReceivedSinceLastCheck) != 0 || len(s.CashDispensedSinceLastCheck) != 0 {
		r.t.Errorf("the note is in a list: %+v", s)
	}
	r.post("ReturnEscrow", "").is(r.t, 400, paper(r.t, "no_escrow"))
	r.hold(500)
	r.post("Disable", "").is(r.t, 200, "")
	r.post("ReturnEscrow", "").is(r.t, 200, "") // while disabled
	r.slowly(func() { r.post("ReturnEscrow", "").is(r.t, 400, paper(r.t, "busy_short")) })
	r.agrees()
	r.fault(r.notes, "power_off")
	r.until("the note reader is away", func() bool { return !r.status().CurrentNoteAcceptorState.IsConnected })
	r.post("ReturnEscrow", "").is(r.t, 500, paper(r.t, "note"))
}

func stacking(r *rig) {
	r.post("StackEscrow", "").is(r.t, 400, paper(r.t, "no_escrow"))
	r.post("Enable", "").is(r.t, 200, "")
	held := r.hold(2000)
	r.post("StackEscrow", "").is(r.t, 200, "")
	if tr := r.notes.Truth(); r.worth(tr.Cashbox) != 2000 {
		r.t.Errorf("the note is not in the cashbox: %+v", tr)
	}
	s := r.status()
	if s.EscrowedBill != nil || len(s.CashReceivedSinceLastCheck) != 1 || s.CashReceivedSinceLastCheck[0] != held {
		r.t.Errorf("stacked %+v, was held as %+v", s, held)
	}
	if again := r.status(); len(again.CashReceivedSinceLastCheck) != 0 {
		r.t.Errorf("told twice: %+v", again)
	}
	r.slowly(func() { r.post("StackEscrow", "").is(r.t, 400, paper(r.t, "busy_short")) })
	r.agrees()
	r.hold(500)
	r.fault(r.notes, "jam") // in its way
	r.post("StackEscrow", "").is(r.t, 500, paper(r.t, "note"))
	r.fault(r.notes, "unjam")
	r.agrees()
	if got := values(r.status().CashReceivedSinceLastCheck); got != printed(r.worth(r.notes.Truth().Cashbox)-2000) && got != "" {
		r.t.Errorf("after the jam %q, in the cashbox %d", got, r.worth(r.notes.Truth().Cashbox))
	}
}

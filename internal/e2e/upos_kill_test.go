package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/upos/uposclient"
)

// till1Config is Till1 of the demo, in processes of its own.
const till1Config = `version: 1
lines:
  - port: COM5
    devices:
      - {id: recycler, address: 0, sim: spectral-payout, currency: EUR, dataset: [500, 1000, 2000, 5000], levels: {500: 4, 1000: 4, 2000: 4}, poll: 40ms}
  - port: COM9
    devices:
      - {id: coins, address: 16, sim: scs, currency: EUR, dataset: [10, 20, 50, 100, 200], levels: {10: 10, 20: 10, 50: 10, 100: 10, 200: 10}, poll: 40ms}
upos:
  - {name: Till1, class: CashChanger, devices: [recycler, coins]}
http:
  - {listen: 127.0.0.1:0, serve: [cashdevice]}
  - {listen: 127.0.0.1:0, serve: [uposapi, journalapi, simapi, ops]}
`

// uposRig is Till1 behind HTTP: a process of machines, and a coffer that may be killed.
type uposRig struct {
	t        testing.TB
	machines []*machine
	host     *coffer
	client   *uposclient.Client
	h        *uposclient.Handle
}

func newUposRig(t testing.TB) *uposRig {
	t.Helper()
	bin := built(t, binary)
	sim := serveSim(t, bin, till1Config)
	r := &uposRig{t: t}
	for _, s := range seats {
		r.machines = append(r.machines, sim.machine(s.port, int(s.address)))
	}
	r.machines[0].speed(50)
	r.host = newCoffer(t, bin, sim.configFor(t, nil))
	r.start()
	return r
}

// start starts coffer, and opens, claims and enables Till1.
func (r *uposRig) start() {
	r.t.Helper()
	if !r.host.start() {
		r.t.Fatal("coffer ended")
	}
	r.host.ready()
	ctx := r.t.Context()
	r.client = &uposclient.Client{Base: r.host.ends.Main}
	r.must(r.client.SignIn(ctx, "admin", "password"))
	eventually(r.t, "Till1 opens", func() (err error) {
		r.h, err = r.client.Open(ctx, "CashChanger", "Till1")
		return err
	})
	r.must(r.h.Claim(ctx, patience))
	r.must(r.h.Enable(ctx))
}

func (r *uposRig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *uposRig) call(method string, args uposclient.Args) uposclient.Args {
	r.t.Helper()
	out, err := r.h.Call(r.t.Context(), method, args)
	r.must(err)
	return out
}

// audit waits until the ledger agrees with both machines.
func (r *uposRig) audit() {
	r.t.Helper()
	for i, s := range seats {
		r.host.settled(string(s.id), r.machines[i])
	}
}

// taken is what the machines have taken for good.
func (r *uposRig) taken() map[string]int {
	r.t.Helper()
	var in, back []row
	for _, m := range r.machines {
		tr := m.truth()
		in = append(in, tr.Inserted...)
		for _, b := range tr.Returned {
			back = append(back, row{b.Value, b.Currency, -b.Count})
		}
	}
	return counts(in, back)
}

// feed puts pieces into both machines until they are in; what comes back is put in again. It returns how many are left,
// and ends them.
func (r *uposRig) feed(seed uint64, pieces int) (left func() int, end func()) {
	var n atomic.Int64
	n.Store(int64(pieces))
	ctx, cancel := context.WithCancel(r.t.Context())
	var wg sync.WaitGroup
	for i, m := range r.machines {
		share := pieces / 2 // notes
		if i == 1 {
			share = pieces - share
		}
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() {
			for k := 0; k < share && ctx.Err() == nil; {
				id, err := m.tryInsert(seats[i].dataset[rnd.IntN(len(seats[i].dataset))], "EUR", 1)
				if err != nil {
					pausing(ctx, 20*time.Millisecond) // the path is not free
					continue
				}
				if in, ok := m.arrived(ctx, id); ok && in {
					k++
					n.Add(-1)
				}
				pausing(ctx, time.Duration(rnd.IntN(60))*time.Millisecond)
			}
		})
	}
	return func() int { return int(n.Load()) }, func() { cancel(); wg.Wait() }
}

// pausing waits for the customers' next move.
func pausing(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// arrived waits until a piece is in the machine or back.
func (m *machine) arrived(ctx context.Context, id string) (in, ok bool) {
	for ctx.Err() == nil {
		switch m.insertion(id).State {
		case "payout", "cashbox":
			return true, true
		case "returned":
			return false, true
		}
		pausing(ctx, 10*time.Millisecond)
	}
	return false, false
}

// pauseUntil pauses and restarts the deposit until no more than n pieces are left.
func (r *uposRig) pauseUntil(left func() int, n int) {
	r.t.Helper()
	eventually(r.t, "the pieces are in", func() error {
		for _, control := range []int{11, 12} {
			r.call("PauseDeposit", uposclient.Args{"control": control})
		}
		for range 10 {
			if left() <= n {
				return nil
			}
			pausing(r.t.Context(), 50*time.Millisecond)
		}
		return fmt.Errorf("%d are left", left())
	})
}

// checkDeposit ends the deposit and holds its amounts against what the machines took since before.
func (r *uposRig) checkDeposit(before map[string]int) {
	r.t.Helper()
	ctx := r.t.Context()
	r.call("FixDeposit", nil)
	amount, err := r.h.Int(ctx, "DepositAmount")
	r.must(err)
	text, err := r.h.Text(ctx, "DepositCounts")
	r.must(err)
	want, coins, notes := 0, "", ""
	now := r.taken()
	for i, s := range seats {
		for k, v := range s.dataset {
			n := now[fmt.Sprintf("%d EUR", v)] - before[fmt.Sprintf("%d EUR", v)]
			want += int(v) * n
			one := fmt.Sprintf("%d:%d", v, n)
			if k > 0 {
				one = "," + one
			}
			if i == 0 {
				notes += one
			} else {
				coins += one
			}
		}
	}
	if int(amount) != want || text != coins+";"+notes {
		r.t.Errorf("DepositAmount %d, DepositCounts %s; the machines took %d: %s;%s", amount, text, want, coins, notes)
	}
	r.call("EndDeposit", uposclient.Args{"success": 2})
	r.audit()
	r.checkCounts()
}

// checkCounts holds ReadCashCounts against the stores.
func (r *uposRig) checkCounts() {
	r.t.Helper()
	out, coins, notes := r.call("ReadCashCounts", nil), "", ""
	for i, s := range seats {
		have := counts(r.machines[i].truth().Payout)
		for k, v := range s.dataset {
			one := fmt.Sprintf("%d:%d", v, have[fmt.Sprintf("%d EUR", v)])
			if k > 0 {
				one = "," + one
			}
			if i == 0 {
				notes += one
			} else {
				coins += one
			}
		}
	}
	if out["cashCounts"] != coins+";"+notes || out["discrepancy"] != false {
		r.t.Errorf("ReadCashCounts %v; in the stores %s;%s", out, coins, notes)
	}
}

// TestUPOSDepositKilled: 37 notes and coins go into Till1 over HTTP while the deposit is paused and restarted, and coffer
// is killed in the middle. The first deposit is in the ledger to the coin, the second has the rest.
func TestUPOSDepositKilled(t *testing.T) {
	t.Parallel()
	r := newUposRig(t)
	r.must(r.h.Set(t.Context(), "RealTimeDataEnabled", true))
	r.must(r.h.Set(t.Context(), "DataEventEnabled", true))
	r.call("BeginDeposit", nil)
	left, end := r.feed(1, depositPieces)
	defer end()
	r.pauseUntil(left, depositPieces/2)
	r.host.proc.kill()
	pausing(t.Context(), 200*time.Millisecond)
	r.start()
	r.audit()
	before := r.taken()
	r.call("BeginDeposit", nil)
	r.pauseUntil(left, 0)
	end()
	r.checkDeposit(before)
}

// TestUPOSDispenseKilled: coffer is killed while Till1 pays notes and coins. The next coffer knows what was paid, and the
// same request gives that outcome and moves nothing.
func TestUPOSDispenseKilled(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, 60 * time.Millisecond, 150 * time.Millisecond, 300 * time.Millisecond, 600 * time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			r := newUposRig(t)
			r.machines[0].speed(8)
			answered := make(chan error, 1)
			go func() {
				_, err := r.h.CallOnce(context.Background(), "sale-1", "DispenseChange", uposclient.Args{"amount": twoLegs})
				answered <- err
			}()
			pausing(t.Context(), after)
			r.host.proc.kill()
			<-answered
			for _, m := range r.machines {
				m.still()
			}
			r.start()
			r.audit()
			paid := r.paid()
			_, err := r.h.CallOnce(t.Context(), "sale-1", "DispenseChange", uposclient.Args{"amount": twoLegs})
			r.audit()
			var refused *uposclient.Error
			switch now := r.paid(); {
			case paid == 0 && now == twoLegs && err == nil: // it had not begun
			case now != paid:
				t.Errorf("paid %d before, %d now: %v", paid, now, err)
			case paid == twoLegs && err != nil, paid < twoLegs && !errors.As(err, &refused):
				t.Errorf("paid %d; answered %v", paid, err)
			}
			t.Logf("paid %d of %d; the same request: %v", paid, twoLegs, err)
		})
	}
}

// paid is what both machines have handed out.
func (r *uposRig) paid() (v int64) {
	for _, m := range r.machines {
		v += worth(m.truth().Dispensed)
	}
	return v
}

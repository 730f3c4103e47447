package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"coffer/devices/sim"
	"coffer/upos"
)

// depositPieces is how many notes and coins the customers of TestDeposit have for the machines.
const depositPieces = 37

// pocket is what a customer at one machine has left. What a machine gives back, as it does while a deposit is paused,
// is put in again.
type pocket struct {
	x       *till1
	machine int
	rnd     *rand.Rand
	left    []int64 // values, the next one first
	mu      sync.Mutex
	end     chan struct{}
	done    chan struct{}
	leave   func() // ends the feeding
}

// customer begins to feed pieces to a machine, in bursts.
func (x *till1) customer(machine int, seed uint64, values []int64) *pocket {
	p := &pocket{x: x, machine: machine, rnd: rand.New(rand.NewPCG(seed, uint64(machine))), left: values, end: make(chan struct{}), done: make(chan struct{})}
	p.leave = sync.OnceFunc(func() {
		close(p.end)
		<-p.done
	})
	x.guests = append(x.guests, p.leave)
	go p.feed()
	return p
}

func (p *pocket) feed() {
	defer close(p.done)
	m := p.x.machines[p.machine]
	for {
		p.mu.Lock()
		empty := len(p.left) == 0
		p.mu.Unlock()
		pause := time.Duration(p.rnd.IntN(400)) * time.Millisecond
		if p.rnd.IntN(5) == 0 {
			pause += 3 * time.Second
		}
		select {
		case <-p.end:
			return
		case <-time.After(pause):
		}
		if empty || m.Truth().Moving {
			continue
		}
		p.put(m)
	}
}

// put feeds one piece and waits until it is in or back.
func (p *pocket) put(m *sim.Machine) {
	p.mu.Lock()
	value := p.left[0]
	p.mu.Unlock()
	id, err := m.Insert(sim.Insert{Value: value, Currency: "EUR"})
	if err != nil {
		return // somebody has cut the power, or the path is not free
	}
	for {
		switch state, _ := p.x.world.InsertState(id); state.State {
		case sim.InPayout, sim.InCashbox:
			p.mu.Lock()
			p.left = p.left[1:]
			p.mu.Unlock()
			return
		case sim.IsReturned:
			return
		}
		select {
		case <-p.end:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *pocket) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.left)
}

// taken is what both machines have taken from customers: inserted, and not given back.
func (x *till1) taken() map[string]int {
	var in, back []row
	for i := range seats {
		tr := x.view(i).truth()
		in = append(in, tr.Inserted...)
		for _, r := range tr.Returned {
			back = append(back, row{r.Value, r.Currency, -r.Count})
		}
	}
	return counts(in, back)
}

// app is an application with Till1 open, claimed and enabled, that counts what its DataEvents tell.
type app struct {
	x      *till1
	h      *upos.Handle
	mu     sync.Mutex
	amount int32 // of the last DataEvent
	events int
	stop   func()
	done   chan struct{}
}

func (x *till1) app() *app {
	x.t.Helper()
	h, err := x.service.Open(upos.CashChanger, "Till1")
	x.must(err)
	a := &app{x: x, h: h, done: make(chan struct{})}
	a.call("Claim", map[string]any{"timeout": 1000})
	a.set("DeviceEnabled", true)
	a.set("RealTimeDataEnabled", true)
	a.set("DataEventEnabled", true)
	ctx, cancel := context.WithCancel(context.Background())
	a.stop = cancel
	go a.listen(ctx)
	return a
}

func (a *app) listen(ctx context.Context) {
	defer close(a.done)
	for {
		ev, err := a.h.Next(ctx)
		if err != nil {
			return
		}
		if ev.Kind == upos.DataEvent {
			amount, _ := a.h.Get("DepositAmount")
			a.mu.Lock()
			a.amount, a.events = amount.(int32), a.events+1
			a.mu.Unlock()
		}
		_ = a.h.Ack(ev.Seq)
		if ev.Kind == upos.DataEvent {
			_ = a.h.Set("DataEventEnabled", true)
		}
	}
}

func (a *app) close() {
	a.stop()
	<-a.done
}

func (a *app) call(method string, args map[string]any) map[string]any {
	a.x.t.Helper()
	out, err := a.h.Call(context.Background(), upos.Invocation{Method: method, Args: args, Actor: "pos"})
	a.x.must(err)
	return out
}

func (a *app) set(property string, value any) {
	a.x.t.Helper()
	a.x.must(a.h.Set(property, value))
}

func (a *app) get(property string) any {
	a.x.t.Helper()
	v, err := a.h.Get(property)
	a.x.must(err)
	return v
}

// fix ends acceptance and holds the deposit against what the machines took since before.
func (a *app) fix(before map[string]int) {
	x := a.x
	x.t.Helper()
	a.call("FixDeposit", nil)
	amount, want := a.get("DepositAmount"), map[string]int{}
	sum := int32(0)
	for k, n := range x.taken() {
		if n -= before[k]; n != 0 {
			want[k] = n
			value := 0
			_, err := fmt.Sscanf(k, "%d EUR", &value)
			x.must(err)
			sum += int32(value * n)
		}
	}
	if amount != sum {
		x.t.Errorf("DepositAmount %v; the machines have taken %d: %v", amount, sum, want)
	}
	text := ""
	for i, s := range seats {
		for k, v := range s.dataset {
			sep := ","
			if k == 0 {
				sep = []string{";", ""}[i]
			}
			if i == 0 {
				text += fmt.Sprintf("%s%d:%d", sep, v, want[fmt.Sprintf("%d EUR", v)])
			}
		}
	}
	coins := ""
	for k, v := range seats[1].dataset {
		if k > 0 {
			coins += ","
		}
		coins += fmt.Sprintf("%d:%d", v, want[fmt.Sprintf("%d EUR", v)])
	}
	if got := a.get("DepositCounts"); got != coins+text {
		x.t.Errorf("DepositCounts %v; want %s", got, coins+text)
	}
	a.call("EndDeposit", map[string]any{"success": upos.CHAN_DEPOSIT_NOCHANGE})
}

// readCounts holds ReadCashCounts against the machines' stores.
func (a *app) readCounts() {
	a.x.t.Helper()
	out := a.call("ReadCashCounts", nil)
	text, have := "", counts(a.x.view(0).truth().Payout, a.x.view(1).truth().Payout)
	for _, i := range []int{1, 0} {
		for k, v := range seats[i].dataset {
			switch {
			case k > 0:
				text += ","
			case i == 0:
				text += ";"
			}
			text += fmt.Sprintf("%d:%d", v, have[fmt.Sprintf("%d EUR", v)])
		}
	}
	if out["cashCounts"] != text || out["discrepancy"] != false {
		a.x.t.Errorf("ReadCashCounts %v; want %s", out, text)
	}
}

// pockets are the pieces of two customers: 17 notes, 20 coins.
func (x *till1) pockets(seed uint64) []*pocket {
	rnd := rand.New(rand.NewPCG(seed, 37))
	values := make([][]int64, 2)
	for n := range depositPieces {
		i := 0
		if n >= 17 {
			i = 1
		}
		values[i] = append(values[i], seats[i].dataset[rnd.IntN(len(seats[i].dataset))])
	}
	return []*pocket{x.customer(0, seed, values[0]), x.customer(1, seed, values[1])}
}

func left(customers []*pocket) (n int) {
	for _, p := range customers {
		n += p.count()
	}
	return n
}

// pauses pauses and restarts the deposit until no more than n pieces are left, or coffer is gone.
func (a *app) pauses(customers []*pocket, n int) {
	for k := range 400 {
		if left(customers) <= n || a.x.down.Load() {
			return
		}
		time.Sleep(time.Duration(700+k*137%900) * time.Millisecond)
		for _, control := range []int32{upos.CHAN_DEPOSIT_PAUSE, upos.CHAN_DEPOSIT_RESTART} {
			_, err := a.h.Call(context.Background(), upos.Invocation{Method: "PauseDeposit", Args: map[string]any{"control": control}})
			if err != nil { // perhaps its line died a moment ago
				time.Sleep(time.Second)
			}
			if a.x.down.Load() {
				return
			}
			a.x.must(err)
			time.Sleep(time.Duration(200+k*61%500) * time.Millisecond)
		}
	}
	a.x.t.Errorf("%d pieces are still left", left(customers))
}

// TestDeposit: two customers feed 37 notes and coins in bursts while the deposit is paused and restarted again and again.
// The amounts of the deposit, the counts and the ledger agree with the machines.
func TestDeposit(t *testing.T) {
	onTill1(t, func(x *till1) {
		a := x.app()
		a.call("BeginDeposit", nil)
		customers := x.pockets(1)
		a.pauses(customers, 0)
		for _, p := range customers {
			p.leave()
		}
		a.fix(nil)
		x.audit()
		a.readCounts()
		a.close()
		if a.events < 10 || int(a.amount) > int(a.get("DepositAmount").(int32)) {
			t.Errorf("%d DataEvents, the last one of %d", a.events, a.amount)
		}
	})
}

// TestDepositKilled is TestDeposit with a kill -9 in the middle, at frames and writes of a sample (all of them with
// KILLS=all). The deposit that was cut is in the ledger, to the coin; the next coffer takes the rest in a second one.
func TestDepositKilled(t *testing.T) {
	moments := 900 // of the middle of the deposit
	for _, n := range sample(t.Name(), moments, 6) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			onTill1(t, func(x *till1) {
				a := x.app()
				a.call("BeginDeposit", nil)
				customers := x.pockets(uint64(n))
				a.pauses(customers, depositPieces-8)
				x.tap.watch(func(i int) {
					if i == n {
						x.crash()
					}
				})
				a.pauses(customers, 0)
				if !x.down.Load() {
					t.Fatalf("the moment %d never came", n)
				}
				a.close()
				time.Sleep(5 * time.Second) // customers go on; what is not polled is not taken
				x.setUp()
				x.audit()
				before := x.taken()
				again := x.app()
				again.call("BeginDeposit", nil)
				again.pauses(customers, 0)
				for _, p := range customers {
					p.leave()
				}
				again.fix(before)
				x.audit()
				again.readCounts()
				again.close()
				if err := again.h.Close(); err != nil && !errors.Is(err, upos.ErrClosed) {
					t.Error(err)
				}
			})
		})
	}
}

package devicetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/devices/coin"
	"coffer/devices/line"
	"coffer/devices/note"
	"coffer/devices/sim"
	"coffer/internal/cash"
)

// patience bounds every wait of the suite.
const patience = 90 * time.Second

// port is the name of the line under test.
const port = "COM5"

// Rig is a machine and a way to reach it.
type Rig struct {
	World   *sim.World
	Machine *sim.Machine
	Link    line.Opener
}

// bench is a rig that is driven: the station, the device, and a till that only remembers.
type bench struct {
	*testing.T
	Rig
	bubble  bool // time is that of a bubble, and a limit of time can be held
	till    *till
	station *devices.Station
	dev     devices.Device
	end     func()
}

// drive starts a station over the rig and waits until the device is ready.
func drive(t *testing.T, rig *Rig, cfg devices.DeviceConfig, bubble bool) *bench {
	t.Helper()
	cfg.Address = rig.Machine.Address()
	if cfg.Poll == 0 {
		cfg.Poll = 20 * time.Millisecond
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	b := &bench{T: t, Rig: *rig, bubble: bubble, till: newTill()}
	b.station = devices.NewStation(
		[]devices.LineConfig{{Port: port, Devices: []devices.DeviceConfig{cfg}, DownloadPace: 0.3}},
		map[string]line.Opener{port: rig.Link},
		[]devices.Family{note.Family(), note.FloatFamily(), coin.Family()}, b.till, log)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = b.station.Run(ctx)
	}()
	b.end = func() {
		stop()
		<-ended
	}
	t.Cleanup(b.end)
	dev, err := b.station.Open(b.ctx(), port, cfg.Address)
	if err != nil {
		t.Fatal(err)
	}
	b.dev = dev
	return b
}

func (b *bench) ctx() context.Context { return b.Context() }

func (b *bench) coins() bool { return b.dev.Snapshot().Coins }

func (b *bench) hasPayout() bool { return b.dev.Snapshot().HasPayout }

// until waits for a condition of the outside world. It asks again whenever a little time has passed: the machine is
// another process as far as the suite is concerned.
func (b *bench) until(what string, ok func() bool) {
	b.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			inStore, inCashbox := b.till.books()
			b.Fatalf("%s: not within %v\npicture %+v\ntruth %+v\nevents %v\nbooks %v, %v", what, patience, b.dev.Snapshot(),
				b.Machine.Truth(), b.till.all(), inStore.Rows(), inCashbox.Rows())
		}
		<-tick.C
	}
}

// event waits until the till has heard the event, written as show writes it, since the last forget.
func (b *bench) event(want string) {
	b.Helper()
	b.until("event "+want, func() bool { return b.till.heard(want) })
}

// rest waits until machine and driver are at rest and the till's books are the truth.
func (b *bench) rest() {
	b.Helper()
	b.until("rest, with books that are true", func() bool {
		s := b.dev.Snapshot()
		still := s.Ready && s.Operation == "" && s.Escrow == nil &&
			(s.State == cash.StateIdle || s.State == cash.StateDisabled || s.State == cash.StateCashboxRemoved)
		truth := b.Machine.Truth()
		inStore, inCashbox := b.till.books()
		return still && !truth.Moving && same(inStore, rows(truth.Payout)) && same(inCashbox, rows(truth.Cashbox))
	})
	b.balanced()
}

func same(a, b cash.Counts) bool { return len(a.Minus(b)) == 0 }

// balanced compares the device's own account, as it reads it now and as its picture shows it, with where everything
// really is.
func (b *bench) balanced() {
	b.Helper()
	acc, err := b.dev.Account(b.ctx())
	if err != nil {
		b.Fatal(err)
	}
	truth := rows(b.Machine.Truth().Payout)
	if !same(acc.Levels, truth) || !same(b.dev.Snapshot().Levels, truth) {
		b.Errorf("the account has %v in the store, the picture %v, in truth there are %v", acc.Levels.Rows(),
			b.dev.Snapshot().Levels.Rows(), truth.Rows())
	}
}

// rows makes counts of the truth's lists.
func rows(list []sim.Row) cash.Counts {
	c := cash.Counts{}
	for _, r := range list {
		if r.Count != 0 {
			c[cash.Denom{Value: r.Value, Currency: cash.Currency(r.Currency)}] = r.Count
		}
	}
	return c
}

// insert feeds pieces in.
func (b *bench) insert(value int64, n int) string {
	b.Helper()
	var id string
	b.until(fmt.Sprintf("insert %d of %d", n, value), func() bool {
		var err error
		id, err = b.Machine.Insert(sim.Insert{Value: value, Currency: "EUR", Count: n})
		if err != nil && !errors.Is(err, sim.ErrRefused) {
			b.Fatal(err)
		}
		return err == nil
	})
	return id
}

// went waits until what was inserted is somewhere.
func (b *bench) went(id, where string) {
	b.Helper()
	b.until("insert in "+where, func() bool {
		s, err := b.World.InsertState(id)
		return err == nil && s.State == where
	})
}

func (b *bench) fault(f sim.Fault) {
	b.Helper()
	if err := b.Machine.Fault(f); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) is(err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Errorf("error %v, want %v", err, want)
	}
}

// money and piece are amounts in the dataset's currency.
func money(v int64) cash.Amount { return cash.Amount{Value: v, Currency: "EUR"} }
func piece(v int64) cash.Denom  { return cash.Denom{Value: v, Currency: "EUR"} }

// accept makes the machine take money, a recycler into its store.
func (b *bench) accept() {
	b.Helper()
	if p, ok := b.dev.(devices.Payer); ok && b.hasPayout() && !b.coins() {
		b.ok(p.EnablePayout(b.ctx()))
	}
	b.ok(b.dev.Enable(b.ctx()))
	b.until("accepting", func() bool { return b.Machine.Truth().Enabled && b.dev.Snapshot().State == cash.StateIdle })
	b.till.forget()
}

// values are two denominations of the machine under test.
func (b *bench) values() (small, large int64) {
	if b.coins() {
		return 50, 200
	}
	return 500, 2000
}

// amounts are two amounts that the machine under test can pay, each as one piece, in any order.
func (b *bench) amounts() (small, large int64) {
	small, large = b.values()
	if b.float() {
		return small, small
	}
	return small, large
}

// float says whether the store is a note float: it recycles the smallest denomination, and pays by the piece.
func (b *bench) float() bool {
	_, ok := b.dev.(devices.NoteFloat)
	return ok
}

// recycles says whether an accepted piece of the value goes into the store, as long as no route was changed.
func (b *bench) recycles(value int64) bool {
	return b.hasPayout() && (!b.float() || value == b.dev.Snapshot().Channels[0].Denom.Value)
}

// stores is where an accepted piece goes then.
func (b *bench) stores(value int64) string {
	if b.recycles(value) {
		return sim.InPayout
	}
	return sim.InCashbox
}

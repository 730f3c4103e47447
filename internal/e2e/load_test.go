package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	loadPolls  = 20_000 // of each client
	loadNotes  = 500
	loadCoins  = 1_500
	loadSpeed  = 100
	coinPort   = "COM9"
	coinID     = "SMART_COIN_SYSTEM-COM9"
	loadConfig = `version: 1
lines:
  - port: COM5
    devices:
      - {id: notes, address: 0, sim: spectral-payout, currency: EUR, dataset: [500, 1000, 2000, 5000], poll: 20ms}
  - port: COM9
    devices:
      - {id: coins, address: 16, sim: scs, currency: EUR, dataset: [1, 2, 5, 10, 20, 50, 100, 200], poll: 20ms}
http:
  - {listen: 127.0.0.1:0, serve: [cashdevice]}
  - {listen: 127.0.0.1:0, serve: [journalapi, simapi, ops]}
`
)

// feeder is one machine under load: its pieces in the order they go in, and its client.
type feeder struct {
	m      *machine
	rest   *client
	id     string
	values []int64
	credit []string // words that stand for a piece taken
	seen   []event
}

// TestLoad has two clients poll two machines while pieces go in as fast as they are taken: each client is told of every
// piece exactly once, in the order they went in.
func TestLoad(t *testing.T) {
	t.Parallel()
	c := newCoffer(t, built(t, binary), loadConfig)
	c.start()
	rnd := rand.New(rand.NewPCG(1, 2))
	notes := &feeder{m: controlled(t, c.ends.Main, recyclerPort, 0), rest: c.client(), id: recyclerID, credit: []string{"STORED", "STACKED"}}
	coins := &feeder{m: controlled(t, c.ends.Main, coinPort, 16), rest: c.client(), id: coinID, credit: []string{"COIN_CREDIT", "VALUE_ADDED"}}
	notes.m.speed(loadSpeed)
	notes.pick(rnd, loadNotes, 500, 1000, 2000, 5000)
	coins.pick(rnd, loadCoins, 1, 2, 5, 10, 20, 50, 100, 200)
	notes.rest.open(recyclerPort, 0, true)
	coins.rest.open(coinPort, 16, true)

	var both sync.WaitGroup
	failed := make(chan error, 4)
	for _, f := range []*feeder{notes, coins} {
		both.Go(func() { failed <- f.feed() })
		both.Go(func() { failed <- f.poll(loadPolls) })
	}
	both.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []*feeder{notes, coins} {
		f.check(t)
		c.settled(f.id, f.m)
	}
}

// pick draws n pieces.
func (f *feeder) pick(rnd *rand.Rand, n int, denoms ...int64) {
	for range n {
		f.values = append(f.values, denoms[rnd.IntN(len(denoms))])
	}
}

// feed puts the pieces in, one after the other, each as soon as the machine takes it.
func (f *feeder) feed() error {
	for i, v := range f.values {
		err := waitFor(patience, func() error {
			_, err := f.m.tryInsert(v, "EUR", 1)
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: piece %d: %w", f.id, i, err)
		}
	}
	return nil
}

// poll asks n times, and then on until every piece was told.
func (f *feeder) poll(n int) error {
	told, quiet := 0, time.Now()
	for i := 0; i < n || told < len(f.values); i++ {
		list, err := f.rest.tryEvents(f.id)
		if err != nil {
			return fmt.Errorf("%s: poll %d: %w", f.id, i, err)
		}
		f.seen = append(f.seen, list...)
		if got := len(f.credits(list)); got > 0 {
			told, quiet = told+got, time.Now()
		}
		if time.Since(quiet) > 2*patience {
			return fmt.Errorf("%s: told of %d pieces of %d, and of nothing more", f.id, told, len(f.values))
		}
	}
	return nil
}

// credits returns the values of the pieces taken, in order.
func (f *feeder) credits(list []event) (values []int64) {
	for _, e := range list {
		if e.Type == "CashEventResponse" && slices.Contains(f.credit, e.Event) {
			values = append(values, e.Value)
		}
	}
	return values
}

// check compares what was told with what went in.
func (f *feeder) check(t *testing.T) {
	t.Helper()
	got := f.credits(f.seen)
	if len(got) != len(f.values) {
		t.Errorf("%s: told of %d pieces, want %d", f.id, len(got), len(f.values))
	}
	for i := range min(len(got), len(f.values)) {
		if got[i] != f.values[i] {
			t.Fatalf("%s: piece %d was told as %d, want %d", f.id, i, got[i], f.values[i])
		}
	}
	if tr := f.m.truth(); worth(tr.Returned) > 0 {
		t.Errorf("%s: returned %v", f.id, tr.Returned)
	}
}

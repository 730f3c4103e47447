package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/cash"
)

func publish(b *Bus, dev cash.DeviceID, n int) {
	for range n {
		b.Publish(dev, time.Time{}, 0, cash.Fraud{})
	}
}

func seqs(entries []Entry) string {
	out := ""
	for _, e := range entries {
		out += fmt.Sprintf("%d", e.Seq)
	}
	return out
}

func TestCursorsReadEverythingInOrder(t *testing.T) {
	b := New(8)
	publish(b, "a", 2) // before any cursor
	all, a := b.Cursor(""), b.Cursor("a")
	at := time.Unix(5, 0)
	b.Publish("a", at, 7, cash.Fraud{}, cash.CoinRejected{})
	b.Publish("b", at, 8, cash.CoinRejected{})
	b.Publish("a", at, 9)
	got, err := a.Take(0)
	if err != nil || seqs(got) != "34" {
		t.Errorf("a: %v, %v", got, err)
	}
	if want := (Entry{Seq: 4, At: at, Device: "a", Event: cash.CoinRejected{}, Ledger: 7}); got[1] != want {
		t.Errorf("%+v; want %+v", got[1], want)
	}
	for _, want := range []string{"34", "5", ""} {
		if got, err := all.Take(2); err != nil || seqs(got) != want {
			t.Errorf("all: %v, %v; want %s", got, err, want)
		}
	}
	if b.Last() != 5 {
		t.Errorf("last %d", b.Last())
	}
}

func TestGap(t *testing.T) {
	b := New(4)
	all, a, c := b.Cursor(""), b.Cursor("a"), b.Cursor("c")
	publish(b, "a", 1)
	publish(b, "b", 4) // the ring holds 2345
	for name, cursor := range map[string]*Cursor{"all": all, "a": a} {
		if got, err := cursor.Take(0); !errors.Is(err, cash.ErrGap) || got != nil {
			t.Errorf("%s: %v, %v; want a gap", name, got, err)
		}
	}
	if got, err := c.Take(0); err != nil || len(got) != 0 {
		t.Errorf("a device that lost nothing: %v, %v", got, err)
	}
	if got, err := all.Take(0); err != nil || seqs(got) != "2345" {
		t.Errorf("after the gap: %v, %v", got, err)
	}
	if got, err := a.Take(0); err != nil || len(got) != 0 {
		t.Errorf("after the gap: %v, %v", got, err)
	}
	publish(b, "a", 5)
	if _, err := a.Next(t.Context()); !errors.Is(err, cash.ErrGap) {
		t.Errorf("%v; want a gap", err)
	}
	if e, err := a.Next(t.Context()); err != nil || e.Seq != 7 {
		t.Errorf("%v, %v", e, err)
	}
}

func TestNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(4)
		a := b.Cursor("a")
		got := make(chan Entry)
		go func() {
			e, err := a.Next(context.Background())
			if err != nil {
				t.Error(err)
			}
			got <- e
		}()
		synctest.Wait()
		publish(b, "b", 3)
		synctest.Wait()
		select {
		case e := <-got:
			t.Fatalf("woken by %+v", e)
		default:
		}
		publish(b, "a", 1)
		if e := <-got; e.Seq != 4 {
			t.Errorf("%+v", e)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := a.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

// Wait takes nothing, and returns for a gap and for the end too.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(4)
		a := b.Cursor("a")
		waiting := func() (said *error) {
			said = new(error)
			*said = errors.New("still waiting")
			go func() { *said = a.Wait(t.Context()) }()
			synctest.Wait()
			return said
		}
		said := waiting()
		publish(b, "b", 2)
		if synctest.Wait(); *said == nil {
			t.Error("woken by another device's events")
		}
		publish(b, "a", 2)
		if synctest.Wait(); *said != nil || *waiting() != nil {
			t.Error("not woken by its device's events, or for those that are there")
		}
		if got, err := a.Take(0); err != nil || seqs(got) != "34" {
			t.Errorf("%v, %v", got, err)
		}
		publish(b, "a", 5)
		if err := *waiting(); err != nil {
			t.Errorf("over a gap: %v", err)
		}
		if _, err := a.Take(0); !errors.Is(err, cash.ErrGap) {
			t.Errorf("%v; want a gap", err)
		}
		if _, err := a.Take(0); err != nil {
			t.Error(err)
		}
		said = waiting()
		a.Close()
		if synctest.Wait(); *said != nil {
			t.Error("not woken by Close")
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := b.Cursor("a").Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(4)
		a := b.Cursor("a")
		got := make(chan error)
		go func() {
			_, err := a.Next(context.Background())
			got <- err
		}()
		synctest.Wait()
		a.Close()
		a.Close()
		if err := <-got; !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
		if _, err := a.Take(1); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}

func TestTheSmallestBus(t *testing.T) {
	b := New(0)
	c := b.Cursor("")
	publish(b, "a", 1)
	if got, err := c.Take(0); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

// Every reader sees every event of its device once and in order, however they interleave.
func TestManyReadersAndWriters(t *testing.T) {
	const writers, each = 4, 2000
	b := New(writers * each)
	var group sync.WaitGroup
	read := func(dev cash.DeviceID, want int) {
		c := b.Cursor(dev)
		group.Go(func() {
			defer c.Close()
			last := uint64(0)
			for range want {
				e, err := c.Next(t.Context())
				if err != nil || e.Seq <= last || dev != "" && e.Device != dev {
					t.Errorf("%q after %d: %+v, %v", dev, last, e, err)
					return
				}
				last = e.Seq
			}
		})
	}
	for w := range writers {
		dev := cash.DeviceID(fmt.Sprint("d", w))
		read(dev, each)
		read("", writers*each)
	}
	for w := range writers {
		dev := cash.DeviceID(fmt.Sprint("d", w))
		group.Go(func() { publish(b, dev, each) })
	}
	group.Wait()
}

func BenchmarkPublish(b *testing.B) {
	bus := New(4096)
	at := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		bus.Publish("a", at, 0, cash.CoinRejected{})
	}
}

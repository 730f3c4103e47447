package line

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// TestOrder: while an exchange is on the wire others queue up; then commands go first, addresses in turn, and of the polls
// the most overdue.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(&slave{addr: 0}, &slave{addr: 1}, &slave{addr: 16})
		l := start(t, Config{}, b)
		p0, p1, p16 := synced(t, l, 0), synced(t, l, 1), synced(t, l, 16)
		b.mu.Lock()
		b.fault = silence(4)
		b.mu.Unlock()

		var all sync.WaitGroup
		now := time.Now()
		tx := func(p *Peer, cmd byte) {
			all.Go(func() {
				if _, err := p.Tx(t.Context(), []byte{cmd}); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		poll := func(p *Peer, cmd byte, due time.Duration) {
			all.Go(func() {
				if _, err := p.Poll(t.Context(), []byte{cmd}, now.Add(due)); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		tx(p0, 0x50) // its first answer is lost, so that the others wait
		poll(p0, 0x71, -1*time.Second)
		poll(p1, 0x72, -3*time.Second)
		poll(p16, 0x73, 10*time.Second)
		tx(p0, 0x51)
		tx(p0, 0x52)
		tx(p16, 0x53)
		tx(p1, 0x54)
		all.Wait()

		var got []byte
		for _, f := range b.frames[3:] {
			got = append(got, f.Data[0])
		}
		want := []byte{0x50, 0x50, 0x54, 0x53, 0x51, 0x52, 0x72, 0x71, 0x73}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("order % X, want % X", got, want)
		}
		if at := b.at[len(b.at)-1]; at.Sub(now) != 10*time.Second {
			t.Errorf("last poll after %v, want when due", at.Sub(now))
		}
	})
}

// TestSilentNeighbour: a machine that is gone costs the other on the line one exchange's deadline once, and one try after
// that.
func TestSilentNeighbour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(&slave{addr: 0}, &slave{addr: 16})
		l := start(t, Config{}, b)
		p0, p16 := synced(t, l, 0), synced(t, l, 16)
		b.mu.Lock()
		delete(b.slaves, 16)
		b.mu.Unlock()

		stop := make(chan struct{})
		var mu sync.Mutex
		var worst time.Duration
		var polls int
		var all sync.WaitGroup
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				due := time.Now().Add(200 * time.Millisecond)
				if _, err := p0.Poll(t.Context(), []byte{0x07}, due); err != nil {
					t.Error(err)
				}
				mu.Lock()
				worst = max(worst, time.Since(due))
				polls++
				mu.Unlock()
			}
		})
		if _, err := p16.Poll(t.Context(), []byte{0x07}, time.Now()); !errors.Is(err, cash.ErrNotConnected) {
			t.Errorf("gone machine: %v", err)
		}
		synctest.Wait()
		mu.Lock()
		if worst > 3*tick {
			t.Errorf("the other machine waited %v, want at most %v", worst, 3*tick)
		}
		worst = 0
		mu.Unlock()
		for range 5 {
			if err := p16.Sync(t.Context()); !errors.Is(err, cash.ErrNotConnected) {
				t.Errorf("gone machine: %v", err)
			}
			time.Sleep(2 * time.Second)
		}
		close(stop)
		all.Wait()
		if worst > tick {
			t.Errorf("the other machine waited %v, want at most %v", worst, tick)
		}
		if polls < 30 {
			t.Errorf("%d polls, want more than 30 in 13 s", polls)
		}
		b.mu.Lock()
		b.slaves[16] = &slave{addr: 16, any: true}
		b.mu.Unlock()
		synced(t, l, 16)
	})
}

// TestFairness: callers of two addresses that never pause get the wire in turns.
func TestFairness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(&slave{addr: 0}, &slave{addr: 16})
		b.delay = time.Millisecond
		l := start(t, Config{}, b)
		var all sync.WaitGroup
		for _, p := range []*Peer{synced(t, l, 0), synced(t, l, 0), synced(t, l, 16)} {
			all.Go(func() {
				for range 300 {
					if _, err := p.Tx(t.Context(), []byte{0x50}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		n := map[ssp.Address]int{}
		for _, f := range b.frames[3 : 3+400] {
			n[f.Addr]++
		}
		if n[16] < 199 {
			t.Errorf("address 16 got %d of 400 turns", n[16])
		}
		if st := l.State(); st.Exchanges != 903 || st.Retries != 0 {
			t.Errorf("state %+v", st)
		}
	})
}

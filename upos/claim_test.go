package upos_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/cash"
	"coffer/upos"
	"coffer/upos/upostest"
)

func claimFor(h *upos.Handle, ms int32) error {
	return call(h, "Claim", map[string]any{"timeout": ms})
}

func openTill(t testing.TB, w *world) *upos.Handle {
	t.Helper()
	h, err := w.service.Open(upos.CashChanger, "Till1")
	must(t, err)
	return h
}

func TestClaimTimeouts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := openTill(t, w), openTill(t, w)
		must(t, claimFor(a, 0))
		must(t, claimFor(a, 0)) // its own claim again
		for _, c := range []struct {
			ms   int32
			code int32
			took time.Duration
		}{{0, upos.E_TIMEOUT, 0}, {1000, upos.E_TIMEOUT, time.Second}, {-5, upos.E_ILLEGAL, 0}} {
			began := time.Now()
			if got := codeOf(t, claimFor(b, c.ms)); got != c.code || time.Since(began) != c.took {
				t.Errorf("claim(%d): %d after %v, want %d after %v", c.ms, got, time.Since(began), c.code, c.took)
			}
		}
		done := make(chan error, 1)
		go func() { done <- claimFor(b, upos.FOREVER) }()
		time.Sleep(time.Hour)
		must(t, call(a, "Release", nil))
		must(t, <-done)
		if v, _ := b.Get("Claimed"); v != true {
			t.Error("the waiting instance does not have the claim")
		}
	})
}

func TestClaimIsFirstComeFirstServed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		first := openTill(t, w)
		must(t, claimFor(first, 0))
		var mu sync.Mutex
		var order []int
		for i := range 10 {
			h := openTill(t, w)
			go func() {
				if claimFor(h, upos.FOREVER) == nil {
					mu.Lock()
					order = append(order, i)
					mu.Unlock()
					_ = h.Close() // as a release
				}
			}()
			synctest.Wait()
		}
		must(t, call(first, "Release", nil))
		synctest.Wait()
		if !slices.Equal(order, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("claims were served in the order %v", order)
		}
	})
}

// TestClaimRaces: two applications race a thousand times; exactly one holds the claim, the loser hears in time.
func TestClaimRaces(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		racers := []*upos.Handle{openTill(t, w), openTill(t, w)}
		for i := range 1000 {
			timeout := int32(i % 3 * 10)
			var won atomic.Int32
			var all sync.WaitGroup
			for _, h := range racers {
				all.Go(func() {
					began := time.Now()
					switch code := codeOf(t, claimFor(h, timeout)); code {
					case 0:
						won.Add(1)
					case upos.E_TIMEOUT:
						if late := time.Since(began); late > time.Duration(timeout)*time.Millisecond {
							t.Errorf("the loser heard after %v, timeout %d ms", late, timeout)
						}
					default:
						t.Errorf("claim: %d", code)
					}
				})
			}
			all.Wait()
			holders := 0
			for _, h := range racers {
				if v, _ := h.Get("Claimed"); v == true {
					holders++
					must(t, call(h, "Release", nil))
				}
			}
			if won.Load() != 1 || holders != 1 {
				t.Fatalf("race %d: %d won, %d hold the claim", i, won.Load(), holders)
			}
		}
	})
}

// TestClaimWaitsForOthersOfTheMachines: a REST call has the machines for a moment.
func TestClaimWaitsForOthersOfTheMachines(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		h := openTill(t, w)
		must(t, w.machines["Till1"].Claim("rest"))
		if got := codeOf(t, claimFor(h, 0)); got != upos.E_TIMEOUT {
			t.Errorf("claim(0): %d", got)
		}
		if got := codeOf(t, claimFor(h, 200)); got != upos.E_TIMEOUT {
			t.Errorf("claim(200): %d", got)
		}
		time.AfterFunc(100*time.Millisecond, func() { w.machines["Till1"].Release("rest") })
		must(t, claimFor(h, 200))
		must(t, call(h, "Release", nil))
		must(t, w.machines["Till1"].Claim("rest")) // release gave it back
		w.machines["Till1"].Release("rest")
		w.machines["Till1"].Fault("Claim", cash.ErrNotConnected)
		if got := codeOf(t, claimFor(h, upos.FOREVER)); got != upos.E_OFFLINE {
			t.Errorf("claim of a dead machine: %d", got)
		}
		w.machines["Till1"].Fault("Claim", nil)
		must(t, claimFor(h, 0)) // the failed one left no trace
	})
}

// TestGivingUpTheTurn: one that has its turn and gives up, because something else has the machines, leaves the turn to the
// next.
func TestGivingUpTheTurn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		must(t, w.machines["Till1"].Claim("rest"))
		a, b := openTill(t, w), openTill(t, w)
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- claimFor(a, 100) }()
		synctest.Wait()
		go func() { second <- claimFor(b, 1000) }()
		if code := codeOf(t, <-first); code != upos.E_TIMEOUT {
			t.Errorf("the first: %d", code)
		}
		w.machines["Till1"].Release("rest")
		must(t, <-second)
	})
}

// closer is a till whose claim is granted while the one who asked for it closes.
type closer struct {
	*upostest.Mechanism
	then func()
}

func (c *closer) Claim(owner string) error {
	then := c.then
	if c.then = nil; then != nil {
		then()
	}
	return c.Mechanism.Claim(owner)
}

// TestClosedWhileTheClaimIsGranted: the machines are not left bound to an instance that is gone.
func TestClosedWhileTheClaimIsGranted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := &closer{Mechanism: upostest.Till()}
		w := &world{service: serve(t, upos.CashChanger, "Till1", m)}
		h := openTill(t, w)
		m.then = func() { must(t, h.Close()) }
		if code := codeOf(t, claimFor(h, 0)); code != upos.E_CLOSED {
			t.Errorf("the one that closed: %d", code)
		}
		synctest.Wait()
		must(t, claimFor(openTill(t, w), 0))
	})
}

// TestGivingUpAClaim: one that waits ends with its caller, its handle or its service, and holds up nobody.
func TestGivingUpAClaim(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a, b, c := openTill(t, w), openTill(t, w), openTill(t, w)
		must(t, claimFor(a, 0))
		got := make(chan error, 2)
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			_, err := b.Call(ctx, upos.Invocation{Method: "Claim", Args: map[string]any{"timeout": upos.FOREVER}})
			got <- err
		}()
		synctest.Wait()
		cancel()
		if code := codeOf(t, <-got); code != upos.E_TIMEOUT {
			t.Errorf("cancelled: %d", code)
		}
		go func() { got <- claimFor(b, upos.FOREVER) }()
		synctest.Wait()
		must(t, b.Close())
		if code := codeOf(t, <-got); code != upos.E_CLOSED {
			t.Errorf("closed: %d", code)
		}
		must(t, call(a, "Release", nil))
		must(t, claimFor(c, 0))
	})
}

func TestDrawerClaimIsOptional(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a, err := w.service.Open(upos.CashDrawer, "Drawer1")
		must(t, err)
		b, err := w.service.Open(upos.CashDrawer, "Drawer1")
		must(t, err)
		must(t, a.Set("DeviceEnabled", true))
		must(t, b.Set("DeviceEnabled", true))
		must(t, call(a, "OpenDrawer", nil))
		w.drawer.Move(true) // it is open already
		expectStatus(t, a, upos.CASH_SUE_DRAWEROPEN)
		must(t, claimFor(b, 0))
		if got := codeOf(t, call(a, "OpenDrawer", nil)); got != upos.E_CLAIMED {
			t.Errorf("OpenDrawer while another holds the claim: %d", got)
		}
		if v, err := a.Get("DrawerOpened"); v != true {
			t.Errorf("DrawerOpened is %v, %v", v, err)
		}
		done := make(chan error, 1)
		go func() {
			done <- call(b, "WaitForDrawerClose", map[string]any{"beepTimeout": 1, "beepFrequency": 1, "beepDuration": 1, "beepDelay": 1})
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Errorf("returned while the drawer is open: %v", err)
		default:
		}
		w.drawer.Move(false)
		must(t, <-done)
		must(t, call(b, "Release", nil))
		is(t, b, "DeviceEnabled", true) // a sharable device stays enabled
		w.drawer.Err = cash.ErrNotConnected
		if got := codeOf(t, call(a, "OpenDrawer", nil)); got != upos.E_OFFLINE {
			t.Errorf("OpenDrawer of a dead drawer: %d", got)
		}
	})
}

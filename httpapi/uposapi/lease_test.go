package uposapi

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coffer/upos"
	"coffer/upos/uposclient"
	"coffer/upos/upostest"
)

// short is a lease.
const short = time.Second

// TestLeaseOfADeadClientEnds: its deposit is settled and kept, and the claim goes to who waits for it.
func TestLeaseOfADeadClientEnds(t *testing.T) { synctest.Test(t, testLeaseOfADeadClientEnds) }

func testLeaseOfADeadClientEnds(t *testing.T) {
	v, m := till(t, short)
	dead := v.enabled("anna")
	begin := time.Now()
	if _, err := dead.Call(t.Context(), "BeginDeposit", nil); err != nil {
		t.Fatal(err)
	}
	m.InPath(upostest.Bill(1000)) // not credited yet when the client dies
	heir := v.opened("bert")
	v.must(heir.Claim(t.Context(), uposclient.Forever))
	if waited := time.Since(begin); waited < short {
		t.Errorf("the claim came after %v, before the lease of %v ended", waited, short)
	}
	if m.InStore(0, upostest.Bill(1000)) != 5 || !slices.Contains(m.Calls(), "Accept false") {
		t.Errorf("%d notes; %v", m.InStore(0, upostest.Bill(1000)), m.Calls())
	}
	if _, err := dead.Get(t.Context(), "State"); uposclient.CodeOf(err) != upos.E_CLOSED {
		t.Errorf("the dead client's handle: %v", err)
	}
}

// TestLeaseOfAClientThatDiesInACall: a call whose client has hung up keeps nobody else out, however long it takes: the
// payout is halted, and the claim goes on.
func TestLeaseOfAClientThatDiesInACall(t *testing.T) {
	synctest.Test(t, testLeaseOfAClientThatDiesInACall)
}

func testLeaseOfAClientThatDiesInACall(t *testing.T) {
	v, m := till(t, short)
	dead := v.enabled("anna")
	defer m.Hold()()
	ctx, die := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := dead.Call(ctx, "DispenseChange", uposclient.Args{"amount": 500})
		gone <- err
	}()
	eventually(t, "the payout runs", func() bool {
		return slices.ContainsFunc(m.Calls(), func(c string) bool { return strings.HasPrefix(c, "Dispense") })
	})
	die()
	heir := v.opened("bert")
	ctx, cancel := context.WithTimeout(t.Context(), testPatience)
	defer cancel()
	v.must(heir.Claim(ctx, uposclient.Forever))
	if err := <-gone; uposclient.CodeOf(err) != -1 {
		t.Errorf("the payout was answered: %v", err)
	}
}

// TestUseRenewsTheLease: any request, a long poll, an open stream, a method that takes its time.
func TestUseRenewsTheLease(t *testing.T) { synctest.Test(t, testUseRenewsTheLease) }

func testUseRenewsTheLease(t *testing.T) {
	lease := time.Second
	v, m := till(t, lease)
	ctx := t.Context()
	polling, streaming, working := v.opened("anna"), v.opened("bert"), v.enabled("carl")
	s, err := streaming.Stream(ctx)
	v.must(err)
	defer s.Close()
	release := m.Hold()
	paid := make(chan error, 1)
	go func() {
		_, err := working.Call(ctx, "DispenseChange", uposclient.Args{"amount": 500})
		paid <- err
	}()
	begin := time.Now()
	for time.Since(begin) < 2*lease+lease/2 {
		if _, found, err := polling.Poll(ctx, 0, time.Minute); found || err != nil { // answered after half a lease
			t.Fatal(found, err)
		}
	}
	release()
	v.must(<-paid)
	for _, h := range []*uposclient.Handle{streaming, working} {
		if _, err := h.Get(ctx, "State"); err != nil {
			t.Errorf("%s: %v", h.ID(), err)
		}
	}
}

// TestRace has two applications race for the claim 1,000 times: exactly one holds it, and the other is told in time.
func TestRace(t *testing.T) { synctest.Test(t, testRace) }

func testRace(t *testing.T) {
	v, _ := till(t, 0)
	rounds := 1000
	if testing.Short() {
		rounds = 50
	}
	v.http = v.plain // the documents are held to elsewhere
	runners := []*uposclient.Handle{v.opened("anna"), v.opened("bert")}
	ctx := t.Context()
	wins := map[int]int{}
	for round := range rounds {
		timeout := time.Duration(round%3) * time.Millisecond
		var errs [2]error
		var done sync.WaitGroup
		var took [2]time.Duration
		for n, h := range runners {
			done.Go(func() {
				begin := time.Now()
				errs[n] = h.Claim(ctx, timeout)
				took[n] = time.Since(begin)
			})
		}
		done.Wait()
		winner := 0
		if errs[0] != nil {
			winner = 1
		}
		loser := 1 - winner
		wins[winner]++
		if errs[winner] != nil || uposclient.CodeOf(errs[loser]) != upos.E_TIMEOUT || took[loser] < timeout || took[loser] > timeout+10*time.Second {
			t.Fatalf("round %d: %v, %v; the loser waited %v of %v", round, errs[0], errs[1], took[loser], timeout)
		}
		for n, h := range runners {
			claimed, err := h.Bool(ctx, "Claimed")
			if err != nil || claimed != (n == winner) {
				t.Fatalf("round %d: runner %d says Claimed %v, %v", round, n, claimed, err)
			}
		}
		if err := runners[loser].Enable(ctx); uposclient.CodeOf(err) != upos.E_CLAIMED {
			t.Fatalf("round %d: the loser may enable: %v", round, err)
		}
		v.must(runners[winner].Release(ctx))
	}
	t.Logf("wins: %v", wins)
}

// TestClose: when coffer stops, deposits are settled, claims released, streams closed with a word.
func TestClose(t *testing.T) { synctest.Test(t, testClose) }

func testClose(t *testing.T) {
	v, m := till(t, 0)
	h := v.enabled("anna")
	_, err := h.Call(t.Context(), "BeginDeposit", nil)
	v.must(err)
	s, err := h.Stream(t.Context())
	v.must(err)
	defer s.Close()
	m.InPath(upostest.Bill(500))
	v.api.Close()
	if m.InStore(0, upostest.Bill(500)) != 5 {
		t.Error("the note under way was not settled")
	}
	if _, err := s.Next(t.Context()); !errors.Is(err, uposclient.ErrClosed) {
		t.Errorf("the stream: %v", err)
	}
	if _, err := v.client("anna").Open(t.Context(), "CashChanger", "Till1"); uposclient.CodeOf(err) != upos.E_CLOSED {
		t.Errorf("open after the end: %v", err)
	}
}

// TestHangingUp: a claim whose caller has gone is given up; a payout goes on, and the answer waits under its id.
func TestHangingUp(t *testing.T) { synctest.Test(t, testHangingUp) }

func testHangingUp(t *testing.T) {
	v, m := till(t, 0)
	holder, waiting, next := v.enabled("anna"), v.opened("bert"), v.opened("carl")
	ctx, hangUp := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() { gone <- waiting.Claim(ctx, uposclient.Forever) }()
	i, _ := v.api.find(waiting.ID(), "bert")
	eventually(t, "the claim waits", func() bool {
		i.mu.Lock()
		defer i.mu.Unlock()
		return i.busy > 0
	})
	hangUp()
	if err := <-gone; uposclient.CodeOf(err) != -1 {
		t.Errorf("the claim was answered: %v", err)
	}
	eventually(t, "the claim is given up", func() bool {
		i.mu.Lock()
		defer i.mu.Unlock()
		return i.busy == 0
	})
	v.must(holder.Release(t.Context()))
	v.must(next.Claim(t.Context(), 0))
	v.must(next.Enable(t.Context()))

	release := m.Hold()
	ctx, hangUp = context.WithCancel(t.Context())
	go func() {
		_, err := next.CallOnce(ctx, "sale-1", "DispenseChange", uposclient.Args{"amount": 500})
		gone <- err
	}()
	eventually(t, "the payout runs", func() bool {
		n, err := next.Int(t.Context(), "State")
		return err == nil && n == upos.S_BUSY
	})
	hangUp()
	if err := <-gone; uposclient.CodeOf(err) != -1 {
		t.Errorf("the payout was answered: %v", err)
	}
	release()
	v.must(change(t, next, "sale-1"))
	if got := m.InStore(0, upostest.Bill(500)); got != 3 {
		t.Errorf("%d notes are left, want 3", got)
	}
}

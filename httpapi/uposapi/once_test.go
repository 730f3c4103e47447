package uposapi

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"coffer/upos"
	"coffer/upos/uposclient"
	"coffer/upos/upostest"
)

// change asks for 5.00 under a request id.
func change(t *testing.T, h *uposclient.Handle, id string) error {
	_, err := h.CallOnce(t.Context(), id, "DispenseChange", uposclient.Args{"amount": 500})
	return err
}

// TestRepeatedDispense: under one request id it is paid once, whoever comes back for the answer.
func TestRepeatedDispense(t *testing.T) { synctest.Test(t, testRepeatedDispense) }

func testRepeatedDispense(t *testing.T) {
	v, m := till(t, 0)
	h := v.enabled("anna")
	left := func(want int) {
		t.Helper()
		if got := m.InStore(0, upostest.Bill(500)); got != want {
			t.Errorf("%d notes are left, want %d", got, want)
		}
	}
	for range 3 {
		v.must(change(t, h, "sale-1"))
	}
	left(3)
	v.must(h.Close(t.Context()))
	h = v.enabled("anna") // a new instance, as after a crash of the application: the ledger answers
	v.must(change(t, h, "sale-1"))
	left(3)
	v.must(change(t, h, "sale-2"))
	left(2)
	if _, err := h.CallOnce(t.Context(), "sale-2", "DispenseChange", uposclient.Args{"amount": 1000}); uposclient.CodeOf(err) != upos.E_ILLEGAL {
		t.Errorf("another amount under the same id: %v", err)
	}
	v.must(h.Close(t.Context()))
	v.must(change(t, v.enabled("bert"), "sale-2")) // another user's ids are another's
	left(1)
}

// TestRepeatJoins: a repeat that comes while the first is under way waits for its end.
func TestRepeatJoins(t *testing.T) { synctest.Test(t, testRepeatJoins) }

func testRepeatJoins(t *testing.T) {
	v, m := till(t, 0)
	h := v.enabled("anna")
	release := m.Hold()
	var all sync.WaitGroup
	errs := make([]error, 5)
	for n := range errs {
		all.Go(func() { errs[n] = change(t, h, "sale-1") })
	}
	eventually(t, "it begins", func() bool {
		n, err := h.Int(t.Context(), "State")
		return err == nil && n == upos.S_BUSY
	})
	release()
	all.Wait()
	for _, err := range errs {
		v.must(err)
	}
	if got := m.InStore(0, upostest.Bill(500)); got != 3 {
		t.Errorf("%d notes are left, want 3", got)
	}
}

// TestRefusedMayBeRepeated: what the state of the device refused is tried again under its id.
func TestRefusedMayBeRepeated(t *testing.T) { synctest.Test(t, testRefusedMayBeRepeated) }

func testRefusedMayBeRepeated(t *testing.T) {
	v, m := till(t, 0)
	h := v.opened("anna")
	if err := change(t, h, "sale-1"); uposclient.CodeOf(err) != upos.E_NOTCLAIMED {
		t.Fatal(err)
	}
	v.must(h.Claim(t.Context(), 0))
	if err := change(t, h, "sale-1"); uposclient.CodeOf(err) != upos.E_DISABLED {
		t.Fatal(err)
	}
	v.must(h.Enable(t.Context()))
	v.must(change(t, h, "sale-1"))
	if got := m.InStore(0, upostest.Bill(500)); got != 3 {
		t.Errorf("%d notes are left, want 3", got)
	}
}

// TestRefusedMayBeRepeatedByWhoWaited: also by the one whose call waited for the first, and at once.
func TestRefusedMayBeRepeatedByWhoWaited(t *testing.T) {
	synctest.Test(t, testRefusedMayBeRepeatedByWhoWaited)
}

func testRefusedMayBeRepeatedByWhoWaited(t *testing.T) {
	in := upos.Invocation{Method: "FixDeposit"}
	busy := &upos.Error{Code: upos.E_BUSY}
	for range 2000 {
		var m memory
		refuse := make(chan struct{})
		go func() {
			_, _ = m.once(t.Context(), "1", in, func() (map[string]any, error) { <-refuse; return nil, busy })
		}()
		synctest.Wait()
		again := make(chan error)
		go func() {
			done := func() (map[string]any, error) { return nil, nil }
			_, _ = m.once(t.Context(), "1", in, done)
			_, err := m.once(t.Context(), "1", in, done)
			again <- err
		}()
		synctest.Wait()
		close(refuse)
		if err := <-again; err != nil {
			t.Fatalf("refused with what is over: %v", err)
		}
	}
}

// TestClaimIsNotRemembered: one that is repeated under its request id after a Release claims again.
func TestClaimIsNotRemembered(t *testing.T) { synctest.Test(t, testClaimIsNotRemembered) }

func testClaimIsNotRemembered(t *testing.T) {
	v, _ := till(t, 0)
	h := v.opened("anna")
	for range 2 {
		_, err := h.CallOnce(t.Context(), "claim-1", "Claim", uposclient.Args{"timeout": 0})
		v.must(err)
		if mine, err := h.Bool(t.Context(), "Claimed"); !mine || err != nil {
			t.Errorf("Claimed %v, %v", mine, err)
		}
		v.must(h.Release(t.Context()))
	}
}

// TestRequestIDInTheBody is as good as the header; two that differ are refused.
func TestRequestIDInTheBody(t *testing.T) { synctest.Test(t, testRequestIDInTheBody) }

func testRequestIDInTheBody(t *testing.T) {
	v, m := till(t, 0)
	path := root + "/handles/" + v.enabled("anna").ID() + "/methods/DispenseChange"
	body := `{"args":{"amount":500},"requestId":"sale-1"}`
	for _, header := range []string{"", "sale-1"} {
		if status, got := v.raw(http.MethodPost, path, body, "Idempotency-Key", header); status != 200 {
			t.Errorf("%d %s", status, got)
		}
	}
	if status, got := v.raw(http.MethodPost, path, body, "Idempotency-Key", "sale-2"); status != 400 || !strings.Contains(got, "requestId") {
		t.Errorf("%d %s", status, got)
	}
	if got := m.InStore(0, upostest.Bill(500)); got != 3 {
		t.Errorf("%d notes are left, want 3", got)
	}
}

// TestMemoryIsBounded: old ids are forgotten, the latest are kept.
func TestMemoryIsBounded(t *testing.T) {
	var m memory
	calls := 0
	do := func(id int) {
		_, err := m.once(t.Context(), strings.Repeat("x", id), upos.Invocation{Method: "FixDeposit"}, func() (map[string]any, error) {
			calls++
			return nil, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	for id := range 2 * maxRemembered {
		do(id)
	}
	if len(m.calls) != maxRemembered || len(m.order) != maxRemembered {
		t.Errorf("%d, %d remembered", len(m.calls), len(m.order))
	}
	do(2*maxRemembered - 1)
	if calls != 2*maxRemembered {
		t.Errorf("%d calls", calls)
	}
}

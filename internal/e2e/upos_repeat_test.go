package e2e

import (
	"fmt"
	"testing"

	"coffer/upos"
	"coffer/upos/uposclient"
)

// TestUposRepeatAfterKill kills coffer in the middle of a payout. The application comes back with the same request id and
// is told how it ended; the customer gets the money once.
func TestUposRepeatAfterKill(t *testing.T) {
	sim := serveSim(t, built(t, binary), uposConfig)
	note := sim.machine("COM5", 0)
	host := newCoffer(t, built(t, binary), sim.configFor(t, nil))
	host.start()
	host.ready()
	till := host.uposTill("Till1")
	note.speed(0.05) // so that it runs on, however late the kill comes
	lost := make(chan error, 1)
	go func() {
		_, err := till.CallOnce(t.Context(), "sale-1", "DispenseChange", uposclient.Args{"amount": 4000})
		lost <- err
	}()
	eventually(t, "the payout has begun", func() error {
		if tr := note.truth(); !tr.Moving {
			return errNotYet
		}
		return nil
	})
	host.proc.kill()
	if err := <-lost; err == nil || uposclient.CodeOf(err) > 0 {
		t.Fatalf("the call was answered: %v", err)
	}
	note.speed(50)
	host.start()
	host.ready()
	till = host.uposTill("Till1")
	for range 2 {
		_, err := till.CallOnce(t.Context(), "sale-1", "DispenseChange", uposclient.Args{"amount": 4000})
		paid := worth(note.still().Dispensed)
		switch code := uposclient.CodeOf(err); {
		case code == 0 && paid == 4000, code == upos.E_FAILURE && paid < 4000:
		default:
			t.Errorf("the repeat is answered %v, and %d were paid", err, paid)
		}
	}
	if _, err := till.CallOnce(t.Context(), "sale-1", "DispenseChange", uposclient.Args{"amount": 500}); uposclient.CodeOf(err) != upos.E_ILLEGAL {
		t.Errorf("another amount under the same id: %v", err)
	}
	host.settled(recyclerID, note)
}

// uposTill opens, claims and enables a CashChanger once its machines answer.
func (c *coffer) uposTill(name string) (h *uposclient.Handle) {
	c.t.Helper()
	client := c.uposClient()
	eventually(c.t, name+" opens", func() (err error) {
		if h, err = client.Open(c.t.Context(), "CashChanger", name); err != nil {
			return err
		}
		if err = h.Claim(c.t.Context(), patience); err == nil {
			err = h.Enable(c.t.Context())
		}
		if err != nil {
			return fmt.Errorf("%w (%v)", err, h.Close(c.t.Context()))
		}
		return nil
	})
	return h
}

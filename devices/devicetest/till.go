package devicetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"coffer/internal/cash"
)

// till is a devices.Sink that keeps books by events and by the machine's own account, as a till does, without a disk.
type till struct {
	mu       sync.Mutex
	told     []string
	inStore  cash.Counts
	cashbox  cash.Counts
	credited cash.NoteCredited
}

func newTill() *till { return &till{inStore: cash.Counts{}, cashbox: cash.Counts{}} }

// Record implements devices.Sink.
func (t *till) Record(_ context.Context, _ cash.DeviceID, events ...cash.Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range events {
		t.told = append(t.told, show(e))
		t.book(e)
	}
	return nil
}

// Evidence implements devices.Sink.
func (t *till) Evidence(_ context.Context, _ cash.DeviceID, events ...cash.Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range events {
		t.told = append(t.told, "evidence "+show(e))
	}
	return nil
}

// Reconcile implements devices.Sink: the store is what the machine says; pieces that came into the cashbox are only
// counted.
func (t *till) Reconcile(_ context.Context, _ cash.DeviceID, acc cash.Account) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told = append(t.told, "reconciled")
	t.inStore = acc.Levels.Clone()
	return nil
}

func (t *till) book(e cash.Event) {
	switch e := e.(type) {
	case cash.NoteCredited:
		t.add(e.To, e.Note, 1)
		t.credited = e
	case cash.NotePlaced:
		t.add(t.credited.To, e.Note, -1)
		t.add(e.To, e.Note, 1)
	case cash.CoinCredited:
		t.add(e.To, e.Coin, e.Count)
	case cash.Filled:
		t.add(cash.Payout, e.Coin, e.Count)
	case cash.CashboxSet:
		t.setCashbox(e)
	case cash.Ended:
		if e.Account == nil {
			return
		}
		moved := t.inStore.Minus(e.Account.Levels)
		if e.Op == cash.OpDispense {
			moved = e.Account.Moved
		}
		t.cashbox = t.cashbox.Plus(moved)
		t.inStore = e.Account.Levels.Clone()
	}
}

func (t *till) add(to cash.Place, d cash.Denom, n int) {
	if to == cash.Payout {
		t.inStore = t.inStore.Plus(cash.Counts{d: n})
	} else {
		t.cashbox = t.cashbox.Plus(cash.Counts{d: n})
	}
}

func (t *till) setCashbox(e cash.CashboxSet) {
	switch {
	case e.Count > 0:
		t.add(cash.Cashbox, e.Coin, e.Count)
	case e.Coin == cash.Denom{}:
		t.cashbox = cash.Counts{}
	default:
		t.add(cash.Cashbox, e.Coin, -t.cashbox[e.Coin])
	}
}

func (t *till) books() (inStore, cashbox cash.Counts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.inStore.Clone(), t.cashbox.Clone()
}

// trust makes the till believe what is in the cashbox, after a loss that only counters can explain.
func (t *till) trust(cashbox cash.Counts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cashbox = cashbox
}

func (t *till) heard(want string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.told, func(s string) bool { return strings.HasPrefix(s, want) })
}

// count says how often an event was told.
func (t *till) count(prefix string) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.told {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

func (t *till) all() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.told)
}

func (t *till) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told = nil
}

// show writes an event on one line: "NoteHeld 500 EUR".
func show(e cash.Event) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", e), "cash.")
	switch e := e.(type) {
	case cash.StateChanged:
		return "state " + e.State.String()
	case cash.NoteHeld:
		return name + " " + e.Note.String()
	case cash.NoteCredited:
		return fmt.Sprintf("%s %s %s", name, e.Note, e.To)
	case cash.NotePlaced:
		return fmt.Sprintf("%s %s %s", name, e.Note, e.To)
	case cash.NoteReturned:
		return fmt.Sprintf("%s %s %d", name, e.Note, e.Code)
	case cash.CoinCredited:
		return fmt.Sprintf("%s %dx %s %s", name, e.Count, e.Coin, e.To)
	case cash.Filled:
		return fmt.Sprintf("%s %dx %s", name, e.Count, e.Coin)
	case cash.Ended:
		return fmt.Sprintf("%s %s %s %d", name, e.Op, e.Result, e.Total.Value)
	case cash.MultiEscrow:
		return fmt.Sprintf("%s %s %d", name, e.Step, e.Amount.Value)
	case cash.Replenish:
		return fmt.Sprintf("%s %s %d", name, e.Step, e.Amount.Value)
	case cash.Progress:
		return fmt.Sprintf("%s %s %d", name, e.Op, e.Total.Value)
	}
	return fmt.Sprintf("%s %v", name, e)
}

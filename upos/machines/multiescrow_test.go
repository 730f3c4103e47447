package machines_test

import (
	"context"
	"fmt"
	"testing"

	"coffer/devices"
	"coffer/internal/till"
	"coffer/upos"
)

// A program of another kind has left the multi escrow of a machine on, and holds a note there. What is held goes back to
// its customer; what a UnifiedPOS deposit takes is credited.
func TestMultiEscrow(t *testing.T) {
	onBench(t, 4096, func(b *realBench) {
		d, _ := b.station.Device("SPECTRAL_PAYOUT-COM5")
		rest := till.Call{Actor: "rest"}
		b.must(b.till.Do(b.Context(), rest, d, "multi escrow", func(ctx context.Context) error {
			return d.(devices.MultiEscrow).SetMultiEscrowSize(ctx, 3)
		}))
		b.online()
		b.must(b.till.Do(b.Context(), rest, d, "enable payout", d.(devices.Payer).EnablePayout))
		b.must(b.till.Enable(b.Context(), rest, d))
		b.Insert(bill(1000))
		b.await("held", func() bool { return d.Snapshot().MultiHeld.Pieces() == 1 })

		b.must(b.m.Claim("pos"))
		b.must(b.m.Quiet(b.Context(), mine))
		b.await("given back", func() bool { s := d.Snapshot(); return s.MultiHeld.Pieces() == 0 && !s.Moving })
		var l told
		defer b.m.Watch(l.add)()
		b.must(b.m.Accept(b.Context(), mine, true))
		for range 4 {
			b.Insert(bill(500))
		}
		b.await("taken", func() bool { return fmt.Sprint(l.taken()) == fmt.Sprint(map[upos.Piece]int{bill(500): 4}) })
		b.must(b.m.Accept(b.Context(), mine, false))
		b.must(b.m.Settle(b.Context(), mine))
		if store, _ := b.Truth(0); store[bill(500)] != 8 || store[bill(1000)] != 4 {
			t.Errorf("stored %v", store)
		}
	}, notes)
}

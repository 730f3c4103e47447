package devicetest

import (
	"fmt"
	"slices"

	"coffer/devices"
	"coffer/internal/cash"
)

// pieces: given pieces are paid, and no others.
func pieces(b *bench) {
	b.filled()
	p := b.dev.(devices.PiecePayer)
	small, large := b.amounts()
	want := cash.Counts{piece(small): 1}
	want[piece(large)] += 2
	b.is(p.StartPieces(b.ctx(), cash.Counts{}), cash.ErrInvalid)
	b.is(p.StartPieces(b.ctx(), cash.Counts{piece(7): 1}), cash.ErrInvalid)
	b.is(p.StartPieces(b.ctx(), cash.Counts{piece(small): 0}), cash.ErrInvalid)
	b.is(p.TestPieces(b.ctx(), cash.Counts{piece(small): 1000}), cash.ErrNotEnough)
	b.is(p.StartPieces(b.ctx(), cash.Counts{piece(small): 1000}), cash.ErrNotEnough)
	b.ok(p.TestPieces(b.ctx(), want))
	if got := b.Machine.Truth(); len(rows(got.Dispensed)) > 0 || got.Moving {
		b.Errorf("a test has moved something: %v", rows(got.Dispensed).Rows())
	}
	b.ok(p.StartPieces(b.ctx(), want))
	b.is(p.StartPieces(b.ctx(), want), cash.ErrBusy)
	b.event(fmt.Sprintf("Ended dispense done %d", want.Total("EUR").Value))
	b.rest()
	if got := rows(b.Machine.Truth().Dispensed); !same(got, want) {
		b.Errorf("paid %v, want %v", got.Rows(), want.Rows())
	}
	if n := b.till.count("Ended"); n != 1 {
		b.Errorf("ended %d times", n)
	}
}

// floatAmount: an amount stays in the store, in pieces that small payouts can be made of.
func floatAmount(b *bench) {
	b.filled()
	f := b.dev.(devices.AmountFloater)
	small, large := b.amounts()
	total := rows(b.Machine.Truth().Payout).Total("EUR").Value
	b.is(f.StartFloatAmount(b.ctx(), cash.Amount{Value: small, Currency: "GBP"}, 0), cash.ErrInvalid)
	b.is(f.StartFloatAmount(b.ctx(), money(-1), 0), cash.ErrInvalid)
	b.is(f.StartFloatAmount(b.ctx(), money(small), 65536), cash.ErrInvalid)
	b.is(f.StartFloatAmount(b.ctx(), money(total+large), 0), cash.ErrNotEnough)
	b.is(f.StartFloatAmount(b.ctx(), money(1), 0), cash.ErrNotExact)
	b.ok(f.StartFloatAmount(b.ctx(), money(2*small), small))
	b.event("state FLOATING")
	b.event(fmt.Sprintf("Ended float done %d", total-2*small))
	b.rest()
	left := rows(b.Machine.Truth().Payout)
	if left.Total("EUR").Value != 2*small || !slices.ContainsFunc(left.Rows(), func(r cash.Row) bool { return r.Value <= small }) {
		b.Errorf("%v are left, want %d with a piece of at most %d", left.Rows(), 2*small, small)
	}
}

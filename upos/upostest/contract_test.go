package upostest

import (
	"testing"
	"testing/synctest"
	"time"

	"coffer/upos"
)

// fakeBench moves the fake by its controls.
type fakeBench struct{ m *Mechanism }

func (b fakeBench) Mechanism() upos.Mechanism { return b.m }

func (b fakeBench) Insert(p upos.Piece) { b.m.Insert(p, 1) }

func (b fakeBench) Truth(part int) (store, box upos.Pieces) {
	p := b.m.Parts()[part]
	return p.Store, p.Box
}

func (b fakeBench) Slow()                  { b.m.PayTime(10 * time.Second) }
func (b fakeBench) Plug(part int, in bool) { b.m.Online(part, in) }
func (b fakeBench) Jam(part int, on bool)  { b.m.Jam(part, on) }
func (b fakeBench) Box(part int, out bool) { b.m.Box(part, out) }

func TestContract(t *testing.T) {
	Contract(t, func(t *testing.T, f func(*testing.T, Bench)) {
		synctest.Test(t, func(t *testing.T) {
			notes, coins := Recycler(), CoinSystem()
			notes.Accepts = list(Bill, 500, 1000, 2000, 5000)
			notes.Holds = notes.Accepts
			coins.Accepts = list(Coin, 10, 20, 50, 100, 200)
			coins.Holds, coins.Pays, coins.Store = coins.Accepts, coins.Accepts, stock(coins.Accepts, 20)
			f(t, fakeBench{New(notes, coins)})
		})
	})
}

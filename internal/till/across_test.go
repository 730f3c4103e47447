package till

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/cash"
)

// onRobots runs f in a bubble with fresh machines.
func onRobots(t *testing.T, f func(*robots)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRobots(t)
		defer func() { _ = r.till.Close(context.Background()) }()
		f(r)
	})
}

func (r *robots) dispense(c Call, v int64) (*Operation, error) {
	return r.till.DispenseAcross(r.Context(), c, r.devices(), amount(v))
}

func TestAcross(t *testing.T) {
	owed := func(v int64) string { return "owed: " + amount(v).String() }
	for _, tc := range []struct {
		name    string
		want    int64
		setup   func(*robots)
		result  cash.OpResult
		notes   int64
		coins   int64
		starts  [2]int
		detail  string
		partial bool
	}{
		{"notes and coins", 1780, func(*robots) {}, cash.OpDone, 1500, 280, [2]int{1, 1}, "", false},
		{"notes alone", 2500, func(*robots) {}, cash.OpDone, 2500, 0, [2]int{1, 0}, "", false},
		{"coins alone", 130, func(*robots) {}, cash.OpDone, 0, 130, [2]int{0, 1}, "", false},
		{"coins in place of a note", 4900, func(r *robots) { r.notes.levels[eur(500)] = 0 }, cash.OpDone, 4000, 900, [2]int{1, 1}, "", false},
		{"another split than the first", 2500, func(r *robots) { r.notes.pile = true }, cash.OpDone, 2000, 500, [2]int{1, 1}, "", false},
		{"the coin machine is jammed and not needed", 2500, func(r *robots) { r.coins.snap.Jammed = true }, cash.OpDone, 2500, 0, [2]int{1, 0}, "", false},
		{"the note machine is jammed, and coins do", 500, func(r *robots) { r.notes.snap.Jammed = true }, cash.OpDone, 0, 500, [2]int{0, 1}, "", false},
		{"the coin machine is away and not needed", 2500, func(r *robots) { r.coins.snap.Connected = false }, cash.OpDone, 2500, 0, [2]int{1, 0}, "", false},
		{"coins refused when it comes to them", 1780, func(r *robots) { r.coins.refuse = cash.ErrJam }, cash.OpPartial, 1500, 0, [2]int{1, 0}, owed(280), true},
		{"coins jam half-way", 1780, func(r *robots) { r.coins.jam = 1 }, cash.OpPartial, 1500, 10, [2]int{1, 1}, owed(270), true},
		{"notes jam half-way", 1780, func(r *robots) { r.notes.jam = 1 }, cash.OpPartial, 500, 0, [2]int{1, 0}, owed(1280), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			onRobots(t, func(r *robots) {
				tc.setup(r)
				r.settleLevels()
				o, err := r.dispense(Call{Actor: "pos", Key: "sale"}, tc.want)
				if err != nil {
					t.Fatal(err)
				}
				out, err := o.Wait(r.Context())
				var part *cash.PartialError
				if out.Result != tc.result || tc.partial != errors.As(err, &part) || out.Paid != amount(tc.notes+tc.coins) || out.Asked != amount(tc.want) {
					t.Errorf("outcome %+v, %v", out, err)
				}
				if got := out.By[notesDev].Total("EUR").Value; got != tc.notes {
					t.Errorf("notes %d; want %d", got, tc.notes)
				}
				if got := out.By[coinsDev].Total("EUR").Value; got != tc.coins {
					t.Errorf("coins %d; want %d", got, tc.coins)
				}
				op, _, _ := r.j.Op(r.Context(), o.ID)
				if op.Detail != tc.detail || op.Actor != "pos" || op.State != tc.result {
					t.Errorf("ledger %+v", op)
				}
				again, err := r.dispense(Call{Key: "sale"}, tc.want)
				if err != nil || !again.Repeat || again.ID != o.ID {
					t.Fatalf("repeated: %+v, %v", again, err)
				}
				if got, _ := again.Wait(r.Context()); got.Paid != out.Paid || got.Result != out.Result {
					t.Errorf("repeated: %+v", got)
				}
				if got := [2]int{r.notes.starts, r.coins.starts}; got != tc.starts {
					t.Errorf("commands %v; want %v", got, tc.starts)
				}
				if tc.notes+tc.coins != r.paid() {
					t.Errorf("machines have paid %d", r.paid())
				}
				r.agree()
				if r.till.Running(notesDev) != nil || r.till.Running(coinsDev) != nil {
					t.Error("still running")
				}
			})
		})
	}
}

// settleLevels compares the books of machines that were changed by hand.
func (r *robots) settleLevels() {
	for _, b := range []*robot{r.notes, r.coins} {
		if err := r.till.Reconcile(r.Context(), b.snap.ID, b.account()); err != nil {
			r.Fatal(err)
		}
	}
	for i := range r.j.rows { // what a hand did is no discrepancy here
		if r.j.rows[i].Kind == cash.KindDiscrepancy {
			r.j.rows[i].Kind = cash.KindAdjust
		}
	}
}

func TestAcrossRefused(t *testing.T) {
	for _, tc := range []struct {
		name  string
		want  int64
		setup func(*robots)
		err   error
		seen  error // by the same key again
	}{
		{"more than there is", 99999, func(*robots) {}, cash.ErrNotEnough, cash.ErrNotEnough},
		{"not in these pieces", 1785, func(*robots) {}, cash.ErrNotExact, cash.ErrNotExact},
		{"a machine says no", 1780, func(r *robots) { r.coins.test, r.coins.pile = cash.ErrDisabled, true }, cash.ErrDisabled, cash.ErrDisabled},
		{"every split is refused", 500, func(r *robots) {
			r.notes.test, r.notes.pile, r.coins.test, r.coins.pile = cash.ErrNotExact, true, cash.ErrNotExact, true
		}, cash.ErrNotExact, cash.ErrNotExact},
		{"the machine that is needed is away", 1780, func(r *robots) { r.coins.snap.Connected = false }, cash.ErrNotConnected, cash.ErrNotConnected},
		{"it is jammed", 1780, func(r *robots) { r.coins.snap.Ready, r.coins.snap.Jammed = false, true }, cash.ErrJam, cash.ErrJam},
		{"it answers, and is jammed", 1780, func(r *robots) { r.coins.snap.Jammed = true }, cash.ErrJam, cash.ErrJam},
		{"the first command is refused", 1780, func(r *robots) { r.notes.refuse = cash.ErrNotEnough }, cash.ErrNotEnough, cash.ErrNotEnough},
		{"nothing", 0, func(*robots) {}, cash.ErrInvalid, cash.ErrInvalid},
		{"another's", 500, func(r *robots) { _ = r.till.Lease([]cash.DeviceID{coinsDev}, "other") }, cash.ErrClaimed, cash.ErrClaimed},
		{"the ledger fails", 500, func(r *robots) { r.j.fail = errDisk }, cash.ErrJournal, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			onRobots(t, func(r *robots) {
				tc.setup(r)
				o, err := r.dispense(Call{Key: "sale"}, tc.want)
				if !errors.Is(err, tc.err) || o != nil {
					t.Errorf("%+v, %v; want %v", o, err, tc.err)
				}
				if err != nil && strings.Contains(err.Error(), "\n") {
					t.Errorf("the reason takes more than a line: %q", err)
				}
				if r.paid() != 0 || r.notes.starts+r.coins.starts != 0 {
					t.Errorf("paid %d, %d commands", r.paid(), r.notes.starts+r.coins.starts)
				}
				if r.till.Running(notesDev) != nil || r.till.Running(coinsDev) != nil {
					t.Error("still running")
				}
				if tc.seen == nil {
					return
				}
				if _, err := r.dispense(Call{Key: "sale"}, tc.want); !errors.Is(err, tc.seen) {
					t.Errorf("again: %v", err)
				}
			})
		})
	}
}

// A machine that was away, or jammed, when it was needed uses no key up: nothing was asked of anybody.
func TestAcrossLater(t *testing.T) {
	for name, gone := range map[string]func(*robot, bool){
		"away":   func(b *robot, yes bool) { b.snap.Connected = !yes },
		"jammed": func(b *robot, yes bool) { b.snap.Jammed = yes },
	} {
		onRobots(t, func(r *robots) {
			gone(r.coins, true)
			if o, err := r.dispense(Call{Key: "sale"}, 1780); o != nil || err == nil {
				t.Fatalf("%s: %+v", name, o)
			}
			gone(r.coins, false)
			o, err := r.dispense(Call{Key: "sale"}, 1780)
			if err != nil || o.Repeat {
				t.Fatalf("%s, and back: %+v, %v", name, o, err)
			}
			if out, err := o.Wait(r.Context()); err != nil || out.Paid != amount(1780) || r.paid() != 1780 {
				t.Errorf("%s: paid %+v, %v", name, out, err)
			}
		})
	}
}

func TestAcrossBusyAndKeys(t *testing.T) {
	onRobots(t, func(r *robots) {
		o, err := r.dispense(Call{Key: "sale"}, 1780)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := r.dispense(Call{Key: "sale"}, 1780); err != nil || same.ID != o.ID || !same.Repeat {
			t.Errorf("the same while it runs: %+v, %v", same, err)
		}
		for name, call := range map[string]func() error{
			"another":           func() error { _, err := r.dispense(Call{}, 500); return err },
			"coins alone":       func() error { _, err := r.till.Dispense(r.Context(), Call{}, r.coins, amount(10)); return err },
			"asked whether":     func() error { return r.till.CanDispenseAcross(r.Context(), Call{}, r.devices(), amount(10)) },
			"pieces of another": func() error { return r.till.CanDispenseShares(r.Context(), Call{}, []Share{{r.coins, pieces(10, 1)}}) },
		} {
			if err := call(); !errors.Is(err, cash.ErrBusy) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, call := range map[string]func() error{
			"another amount": func() error { _, err := r.dispense(Call{Key: "sale"}, 1700); return err },
			"one machine": func() error {
				_, err := r.till.Dispense(r.Context(), Call{Key: "sale"}, r.notes, amount(1780))
				return err
			},
		} {
			if err := call(); !errors.Is(err, cash.ErrInvalid) {
				t.Errorf("same key, %s: %v", name, err)
			}
		}
		if _, err := o.Wait(r.Context()); err != nil {
			t.Error(err)
		}
		if err := r.till.CanDispenseAcross(r.Context(), Call{}, r.devices(), amount(500)); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		if err := r.till.CanDispenseAcross(r.Context(), Call{}, r.devices(), amount(99999)); !errors.Is(err, cash.ErrNotEnough) {
			t.Errorf("too much: %v", err)
		}
		r.agree()
	})
}

// A halt stops what runs, and what would have come after it.
func TestAcrossHalted(t *testing.T) {
	for _, leg := range []string{"notes", "coins before their turn"} {
		onRobots(t, func(r *robots) {
			o, err := r.dispense(Call{}, 1780)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(150 * time.Millisecond)
			d := r.notes
			if leg != "notes" {
				d = r.coins
			}
			if err := r.till.Halt(r.Context(), Call{}, d); err != nil {
				t.Errorf("%s: %v", leg, err)
			}
			want := int64(500)
			if leg != "notes" {
				want = 1500
			}
			if out, err := o.Wait(r.Context()); out.Result != cash.OpPartial || out.Paid != amount(want) || r.coins.starts != 0 {
				t.Errorf("%s: %+v, %v", leg, out, err)
			}
			r.agree()
		})
	}
}

func TestShares(t *testing.T) {
	onRobots(t, func(r *robots) {
		shares := []Share{{r.notes, pieces(500, 1, 2000, 1)}, {r.coins, pieces(50, 2)}}
		o, err := r.till.DispenseShares(r.Context(), Call{Key: "k"}, shares)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := o.Wait(r.Context()); err != nil || countsText(out.Pieces) != "2x50 1x500 1x2000" {
			t.Errorf("outcome %+v, %v", out, err)
		}
		if _, err := r.till.DispenseShares(r.Context(), Call{Key: "k"}, shares[:1]); !errors.Is(err, cash.ErrInvalid) {
			t.Errorf("same key for other pieces: %v", err)
		}
		if err := r.till.CanDispenseShares(r.Context(), Call{}, []Share{{r.notes, pieces(500, 1)}, {r.coins, pieces(50, 3)}}); !errors.Is(err, cash.ErrNotEnough) {
			t.Errorf("more than there is: %v", err)
		}
		if _, err := r.till.DispenseShares(r.Context(), Call{}, nil); !errors.Is(err, cash.ErrInvalid) {
			t.Errorf("nothing: %v", err)
		}
		f, err := r.till.FloatShares(r.Context(), Call{Key: "f"}, []Share{{r.notes, pieces(1000, 1)}, {r.coins, pieces(200, 1)}})
		if err != nil {
			t.Fatal(err)
		}
		if out, err := f.Wait(r.Context()); err != nil || countsText(out.Pieces) != "1x200 1x1000" || out.Asked != amount(1200) {
			t.Errorf("floated %+v, %v", out, err)
		}
		if _, err := r.till.FloatShares(r.Context(), Call{}, []Share{{r.notes, pieces(2000, 1)}}); !errors.Is(err, cash.ErrNotEnough) {
			t.Errorf("floated more than there is: %v", err)
		}
		r.agree()
	})
}

// TestAcrossKilled lets coffer die before and after every write to the ledger, once with machines that do what they are
// told, once with a coin machine whose power fails too. The next coffer finds out what was paid, and begins nothing.
func TestAcrossKilled(t *testing.T) {
	for _, cut := range []int{0, 1} {
		edges := 0
		onRobots(t, func(r *robots) {
			o, err := r.dispense(Call{}, 1780)
			if err == nil {
				_, err = o.Wait(r.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			edges = r.edges
		})
		results := map[string]int{}
		for n := 1; n <= edges; n++ {
			t.Run(fmt.Sprintf("cut %d, edge %d", cut, n), func(t *testing.T) {
				onRobots(t, func(r *robots) {
					r.dies, r.coins.cut, r.notes.lose = n, cut, n%2 == 1
					if _, err := r.dispense(Call{Key: "sale"}, 1780); err != nil {
						t.Logf("dispense: %v", err)
					}
					r.restart()
					r.notes.lose = false
					before := r.paid()
					op, begun, _ := r.j.OpByKey(r.Context(), "sale")
					if !begun {
						if before != 0 {
							t.Fatalf("paid %d without an intent", before)
						}
						results["no intent"]++
						return
					}
					o, err := r.dispense(Call{Key: "sale"}, 1780)
					if err != nil && before > 0 {
						t.Fatalf("the key again: %v", err)
					}
					time.Sleep(time.Minute)
					if r.paid() != before {
						t.Errorf("paid %d more", r.paid()-before)
					}
					if op.Open() {
						t.Errorf("open: %+v", op)
					}
					results[string(op.State)]++
					r.agree()
					if op.Paid.Total("EUR").Value != r.paid() {
						t.Errorf("ledger %+v; machines have paid %d", op, r.paid())
					}
					if o != nil {
						if out, _ := o.Wait(r.Context()); out.Paid.Value != before || (out.Result == cash.OpDone) != (before == 1780) {
							t.Errorf("outcome %+v", out)
						}
					}
					if _, err := r.dispense(Call{}, 1000); err != nil {
						t.Errorf("the next: %v", err)
					}
					time.Sleep(time.Minute)
				})
			})
		}
		t.Logf("cut %d: %v", cut, results)
		if results["no intent"] == 0 || results["partial"] == 0 {
			t.Errorf("not every outcome was met: %v", results)
		}
	}
}

func TestSplits(t *testing.T) {
	have := []cash.Counts{pieces(1000, 2, 2000, 1), pieces(100, 20, 50, 2)}
	ways, err := splits(have, amount(2150))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for w := range ways {
		got = append(got, countsText(w[0])+" | "+countsText(w[1]))
	}
	want := []string{
		"1x2000 | 1x50 1x100", "1x2000 | 1x50 1x100", // fewest pieces; highest first
		"1x2000 | 1x50 1x100", "1x1000 | 1x50 11x100", // 21 of 100 are not there
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q; want %q", got, want)
	}
	if _, err := splits(have, amount(5)); !errors.Is(err, cash.ErrNotExact) {
		t.Errorf("5: %v", err)
	}
}

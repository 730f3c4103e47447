package till

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
)

const (
	notesDev cash.DeviceID = "SPECTRAL_PAYOUT-COM5"
	coinsDev cash.DeviceID = "SMART_COIN_SYSTEM-COM9"
)

// robot is a machine that pays one piece every 100 ms, whatever becomes of its host.
type robot struct {
	*fakeDevice
	rig     *robots
	mu      sync.Mutex
	levels  cash.Counts
	out     cash.Counts // handed out, ever
	shifted cash.Counts // to the cashbox
	refuse  error       // of the next command
	lose    bool        // the answer to the next command
	jam     int         // pieces after which it jams, 0 for never
	cut     int         // pieces after which its power fails, 0 for never
	starts  int
	moving  bool
	halted  bool
	pile    bool // pays only what lies on top: a multiple of 20.00
}

// robots are a note recycler and a coin machine at a till over a ledger in memory. The host may die.
type robots struct {
	*testing.T
	j            *fakeJournal
	till         *Till
	notes, coins *robot
	mu           sync.Mutex
	dead         bool
	edges        int // of commits so far
	dies         int // at this edge; 0 for never
}

func newRobots(t *testing.T) *robots {
	r := &robots{T: t, j: newFakeJournal()}
	r.notes = r.robot(notesDev, pieces(500, 2, 1000, 2, 2000, 1))
	r.coins = r.robot(coinsDev, pieces(10, 5, 50, 4, 100, 3, 200, 2))
	r.coins.snap.Coins = true
	r.till = r.host()
	r.settle()
	r.j.crash = func(string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.edges++; r.edges == r.dies {
			r.dead = true
			r.j.mu.Lock()
			r.j.fail = errDisk
			r.j.mu.Unlock()
		}
	}
	return r
}

func (r *robots) robot(id cash.DeviceID, levels cash.Counts) *robot {
	b := &robot{fakeDevice: newFakeDevice(), rig: r, levels: levels, out: cash.Counts{}, shifted: cash.Counts{}}
	b.snap.ID = id
	for p := range levels {
		b.snap.Channels = append(b.snap.Channels, devices.Channel{Denom: p, Recyclable: true, ToPayout: true})
	}
	return b
}

func (r *robots) host() *Till {
	t := New(r.j, silent{}, quiet(), time.Now)
	t.grace = 0
	return t
}

type silent struct{}

func (silent) Publish(cash.DeviceID, time.Time, int64, ...cash.Event) {}

func (r *robots) devices() []devices.Device { return []devices.Device{r.notes, r.coins} }

func (r *robots) alive() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.dead
}

// restart is a new process over the same ledger, once the machines are at rest.
func (r *robots) restart() {
	time.Sleep(time.Minute)
	old := r.till
	brief, stop := context.WithTimeout(context.Background(), time.Millisecond)
	defer stop()
	_ = old.Close(brief)
	r.mu.Lock()
	r.dead, r.dies = false, 0
	r.mu.Unlock()
	r.j.mu.Lock()
	r.j.fail = nil
	r.j.mu.Unlock()
	r.till = r.host()
	r.settle()
}

// settle connects the machines: their books are compared.
func (r *robots) settle() {
	for _, b := range []*robot{r.notes, r.coins} {
		b.mu.Lock()
		b.snap.Connected, b.snap.Ready, b.moving = true, true, false
		acc := b.account()
		b.mu.Unlock()
		if err := r.till.Reconcile(context.Background(), b.snap.ID, acc); err != nil {
			r.Fatal(err)
		}
	}
}

// agree holds ledger and machines against each other.
func (r *robots) agree() {
	r.Helper()
	for _, b := range []*robot{r.notes, r.coins} {
		if d := r.j.in(b.snap.ID, cash.Payout).Minus(b.levels); len(d) != 0 {
			r.Errorf("%s: payout is off by %v", b.snap.ID, d)
		}
		paid := cash.Counts{}
		for _, e := range r.j.rows {
			if e.Device == b.snap.ID && e.Kind == cash.KindPayout {
				paid[denomOf(e.Line)] += e.Count
			}
			if e.Kind == cash.KindDiscrepancy {
				r.Errorf("discrepancy: %+v", e)
			}
		}
		if d := paid.Minus(b.out); len(d) != 0 {
			r.Errorf("%s: paid by the ledger, handed out by the machine: off by %v", b.snap.ID, d)
		}
	}
}

// paid is what both machines have handed out.
func (r *robots) paid() int64 { return r.notes.out.Plus(r.coins.out).Total("EUR").Value }

func (b *robot) Snapshot() *devices.Snapshot {
	s := b.fakeDevice.Snapshot()
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Levels = maps.Clone(b.levels)
	return s
}

func (b *robot) account() cash.Account {
	return notes(maps.Clone(b.levels), 0, 0, uint32(b.out.Pieces()), uint32(b.shifted.Pieces()), 0)
}

func (b *robot) TestPayout(_ context.Context, want cash.Amount) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.test != nil {
		return b.test
	}
	if b.pile && want.Value%2000 != 0 {
		return cash.ErrNotExact
	}
	_, err := cash.Plan(b.levels, want, cash.HighestFirst)
	return err
}

func (b *robot) TestPieces(_ context.Context, want cash.Counts) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pile {
		return cash.ErrNotExact
	}
	if len(positive(want.Minus(b.levels))) > 0 {
		return cash.ErrNotEnough
	}
	return nil
}

func (b *robot) StartPayout(_ context.Context, want cash.Amount) error {
	b.mu.Lock()
	plan, err := cash.Plan(b.levels, want, cash.HighestFirst)
	b.mu.Unlock()
	if err != nil {
		return err
	}
	return b.command(cash.OpDispense, plan)
}

func (b *robot) StartPieces(_ context.Context, want cash.Counts) error {
	return b.command(cash.OpDispense, want)
}

func (b *robot) StartFloat(_ context.Context, keep cash.Counts) error {
	return b.command(cash.OpFloat, b.Snapshot().Levels.Minus(keep))
}

func (b *robot) command(op cash.OpKind, plan cash.Counts) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.rig.alive() || !b.snap.Connected:
		return cash.ErrNotConnected
	case b.refuse != nil:
		return b.refuse
	}
	b.starts++
	b.moving, b.halted = true, false
	go b.work(op, plan)
	if b.lose {
		return cash.ErrOutcomeUnknown
	}
	return nil
}

// work hands out, or moves to the cashbox.
func (b *robot) work(op cash.OpKind, plan cash.Counts) {
	moved, n := cash.Counts{}, 0
	result := cash.OpDone
	for _, row := range plan.Rows() {
		for range row.Count {
			time.Sleep(100 * time.Millisecond)
			b.mu.Lock()
			switch {
			case b.halted:
				result = cash.OpHalted
			case b.jam > 0 && n == b.jam:
				result = cash.OpJammed
			case b.cut > 0 && n == b.cut:
				b.snap.Connected, b.snap.Ready = false, false
				b.mu.Unlock()
				return
			default:
				b.levels[row.Denom()]--
				moved[row.Denom()]++
				if n++; op == cash.OpDispense {
					b.out[row.Denom()]++
				} else {
					b.shifted[row.Denom()]++
				}
			}
			b.mu.Unlock()
		}
	}
	b.mu.Lock()
	acc := b.account()
	b.moving = false
	b.mu.Unlock()
	if b.rig.alive() {
		e := cash.Ended{Op: op, Result: result, Total: moved.Total("EUR"), Account: &acc}
		_ = b.rig.till.Record(context.Background(), b.snap.ID, e)
	}
}

func (b *robot) Halt(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.moving {
		return cash.ErrNothing
	}
	b.halted = true
	return nil
}

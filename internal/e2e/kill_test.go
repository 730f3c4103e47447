package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"coffer/internal/e2e/proxy"
)

// scenario is one of the things that must survive a death at any moment. run does it step by step and returns early with
// errGone when coffer has died, or with what went wrong. end holds what must be so when all is at rest again.
type scenario struct {
	name string
	auto bool // auto accept
	run  func(r *rig) error
	end  func(r *rig, tr truth)
}

const payoutValue = 1500

var scenarios = []scenario{
	{"note taken at once", true, func(r *rig) error {
		return do(
			func() error { return r.insert(2000) },
			func() error { return r.told("STORED 2000") })
	}, endOfNote},
	{"note held and accepted", false, func(r *rig) error {
		return do(
			func() error { return r.insert(2000) },
			func() error { return r.told("ESCROW 2000") },
			func() error { return r.post("AcceptFromEscrow", nil) },
			func() error { return r.told("STORED 2000") })
	}, endOfNote},
	{"note held and returned", false, func(r *rig) error {
		return do(
			func() error { return r.insert(2000) },
			func() error { return r.told("ESCROW 2000") },
			func() error { return r.post("ReturnFromEscrow", nil) },
			func() error { return r.told("REJECTED") })
	}, endOfReturn},
	{"payout", true, func(r *rig) error {
		return do(
			func() error {
				return r.post("DispenseValue", map[string]any{"Value": payoutValue, "CountryCode": "EUR"})
			},
			func() error { return r.told("transaction COMPLETED") })
	}, endOfPayout},
}

// endOfNote: the note is in the machine and credited once, or it is back and not credited.
func endOfNote(r *rig, tr truth) {
	taken := count(tr.Inserted, 2000) - count(tr.Returned, 2000)
	if credits := r.credits(2000); credits != taken {
		r.t.Errorf("%d credits for %d notes taken", credits, taken)
	}
	if n := tally(r.seen, "STORED 2000") + tally(r.seen, "STACKED 2000"); n > taken {
		r.t.Errorf("the REST client was told of %d notes, %d were taken: %v", n, taken, r.seen)
	}
	if held := counts(tr.Escrow, tr.Transit); len(held) > 0 {
		r.t.Errorf("still held: %v", held)
	}
}

// endOfReturn: the note is back, and nobody was credited.
func endOfReturn(r *rig, tr truth) {
	endOfNote(r, tr)
	if count(tr.Returned, 2000) != count(tr.Inserted, 2000) {
		r.t.Errorf("the held note was not returned: %+v", tr)
	}
}

// endOfPayout: never more than was asked, and every note on the books.
func endOfPayout(r *rig, tr truth) {
	if worth(tr.Dispensed) > payoutValue {
		r.t.Errorf("paid %d of %d", worth(tr.Dispensed), payoutValue)
	}
	var booked []row
	for _, e := range r.host.entries(recyclerID) {
		if e.Kind == "payout" {
			booked = append(booked, e.row)
		}
	}
	if got, want := counts(booked), counts(tr.Dispensed); fmt.Sprint(got) != fmt.Sprint(want) {
		r.t.Errorf("booked as paid %v, handed out %v", got, want)
	}
}

// credits counts the pieces of a denomination that the ledger took in.
func (r *rig) credits(value int64) (n int) {
	for _, e := range r.host.entries(recyclerID) {
		if e.Kind == "credit" && e.Value == value {
			n += e.Count
		}
	}
	return n
}

// restart kills coffer, if it lives, and starts it again.
func (r *rig) restart() {
	r.t.Helper()
	r.host.proc.kill()
	if err := r.start(true); err != nil {
		r.t.Fatalf("restart: %v", err)
	}
}

// audit waits until the books agree with the machine and holds what must be so after every scenario.
func (r *rig) audit(s scenario) {
	r.t.Helper()
	r.proxy.SetHook(nil)
	tr := r.host.settled(recyclerID, r.note)
	list, err := r.rest.tryEvents(recyclerID)
	if err != nil {
		r.t.Fatal(err)
	}
	r.seen = append(r.seen, list...)
	for _, e := range r.host.entries(recyclerID) {
		if e.Kind == "discrepancy" {
			r.t.Errorf("discrepancy in the ledger: %+v", e)
		}
	}
	s.end(r, tr)
	r.worksOn()
}

// worksOn shows that the machine can be used: a small note goes in and comes out again.
func (r *rig) worksOn() {
	r.t.Helper()
	before, heard := r.note.truth(), len(r.seen)
	err := do(
		func() error { return waitFor(patience, until(func() bool { return r.note.truth().Enabled })) },
		func() error { return r.post("SetAutoAccept", true) },
		func() error { return r.insert(500) },
		func() error { return r.told("STORED 500") },
		func() error { return r.dispense(500, heard) },
		func() error { return r.told("transaction COMPLETED") })
	if err != nil {
		r.t.Fatalf("using the machine afterwards: %v", err)
	}
	if tr := r.host.settled(recyclerID, r.note); worth(tr.Dispensed) != worth(before.Dispensed)+500 {
		r.t.Errorf("%v was dispensed, before %v", tr.Dispensed, before.Dispensed)
	}
}

// dispense asks for a payout. A machine that was lost since the client had heard so many events, as when the simulator
// stood still, may refuse it until it is back; nothing has moved then, and the client asks again.
func (r *rig) dispense(value int64, heard int) error {
	var refused error
	err := waitFor(r.limit, func() error {
		if refused = r.post("DispenseValue", map[string]any{"Value": value, "CountryCode": "EUR"}); refused == nil {
			return nil
		}
		list, err := r.rest.tryEvents(recyclerID)
		if r.seen = append(r.seen, list...); err != nil || tally(r.seen[heard:], "NOT_CONNECTED") == 0 {
			return nil
		}
		return refused
	})
	return errors.Join(err, refused)
}

// all says whether every point is to be tried.
func all() bool { return os.Getenv("KILLS") == "all" }

// sample returns n of the numbers 1..max, chosen by SEED and name, or all of them with KILLS=all.
func sample(name string, max, n int) []int {
	list := make([]int, max)
	for i := range list {
		list[i] = i + 1
	}
	if all() || n >= max {
		return list
	}
	seed, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	for _, c := range name {
		seed = seed*31 + uint64(c)
	}
	rnd := rand.New(rand.NewPCG(seed, 0))
	rnd.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	list = list[:n]
	slices.Sort(list)
	return list
}

// perScenario is the size of the sample: some 12 points in all.
const perScenario = 3

// moment is a point of a scenario on the wire: the n-th frame, before or after it was passed on.
func moment(i int) (frame int, passed bool) { return (i + 1) / 2, i%2 == 0 }

// framesOf does a scenario undisturbed and returns how many frames it takes.
func framesOf(t *testing.T, bin string, s scenario) int {
	t.Helper()
	r := newRig(t, bin)
	if err := r.start(s.auto); err != nil {
		t.Fatal(err)
	}
	r.proxy.SetHook(nil)
	if err := s.run(r); err != nil {
		t.Fatalf("undisturbed: %v", err)
	}
	n, _ := r.proxy.Count()
	r.audit(s)
	return n
}

// TestKillAtFrames kills coffer at the frame boundaries of every scenario, starts it again, and compares the books.
func TestKillAtFrames(t *testing.T) {
	t.Parallel()
	bin := built(t, binary)
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			frames := framesOf(t, bin, s)
			points := sample(s.name, 2*frames, perScenario)
			t.Logf("%d frames, %d points of %d", frames, len(points), 2*frames)
			for _, i := range points {
				frame, passed := moment(i)
				t.Run(fmt.Sprintf("frame %d passed %v", frame, passed), func(t *testing.T) {
					t.Parallel()
					killAtFrame(t, bin, s, frame, passed)
				})
			}
		})
	}
}

func killAtFrame(t *testing.T, bin string, s scenario, frame int, passed bool) {
	r := newRig(t, bin)
	if err := r.start(s.auto); err != nil {
		t.Fatal(err)
	}
	r.proxy.SetHook(func(p proxy.Point) bool {
		if p.N == frame && p.Passed == passed {
			r.host.proc.kill()
			return false
		}
		return true
	})
	if err := s.run(r); err != nil && !errors.Is(err, errGone) {
		t.Fatal(err)
	}
	within(t, patience, "coffer is killed", until(r.host.proc.ended))
	r.proxy.SetHook(nil)
	r.restart()
	r.audit(s)
}

// TestKillAtWrites lets coffer die before and after the writes to its ledger.
func TestKillAtWrites(t *testing.T) {
	t.Parallel()
	bin := built(t, killable)
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for _, n := range sample(s.name, 16, perScenario) {
				t.Run(fmt.Sprintf("point %d", n), func(t *testing.T) {
					t.Parallel()
					killAtWrite(t, bin, s, n)
				})
			}
			for n, died := 17, all(); died; n++ {
				t.Run(fmt.Sprintf("point %d", n), func(t *testing.T) { died = killAtWrite(t, bin, s, n) })
			}
		})
	}
}

// killAtWrite does s with a coffer that dies at the n-th point, and says whether it came to that.
func killAtWrite(t *testing.T, bin string, s scenario, n int) (died bool) {
	r := newRig(t, bin)
	err := r.start(s.auto, fmt.Sprintf("COFFER_KILL_WRITE=%d", n))
	if err == nil {
		err = s.run(r)
	}
	if err != nil && !errors.Is(err, errGone) {
		t.Fatal(err)
	}
	died = r.host.proc.ended()
	r.restart()
	r.audit(s)
	return died
}

package e2e

import (
	"fmt"
	"testing"
	"time"

	"coffer/internal/e2e/proxy"
)

// TestPowerCutAtFrames cuts the machine's power at the frame boundaries of every scenario while coffer lives on.
func TestPowerCutAtFrames(t *testing.T) {
	t.Parallel()
	bin := built(t, binary)
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			frames := framesOf(t, bin, s)
			points := sample("power "+s.name, 2*frames, perScenario)
			t.Logf("%d frames, %d points of %d", frames, len(points), 2*frames)
			for _, i := range points {
				frame, passed := moment(i)
				t.Run(fmt.Sprintf("frame %d passed %v", frame, passed), func(t *testing.T) {
					t.Parallel()
					powerCut(t, bin, s, frame, passed)
				})
			}
		})
	}
}

// powerCut does s and takes the power away at a frame. It comes back when coffer has asked twice more in vain.
func powerCut(t *testing.T, bin string, s scenario, frame int, passed bool) {
	r := newRig(t, bin)
	if err := r.start(s.auto); err != nil {
		t.Fatal(err)
	}
	cut, back := make(chan error, 1), make(chan error, 1)
	asked := 0
	r.proxy.SetHook(func(p proxy.Point) bool {
		switch {
		case p.N == frame && p.Passed == passed:
			cut <- r.note.tryFault("power_off", nil)
		case p.N > frame && p.ToDevice && !p.Passed:
			if asked++; asked == 2 {
				back <- r.note.tryFault("power_on", nil)
			}
		}
		return true
	})
	// What becomes of the scenario's own calls is theirs to say: a machine without power refuses, or never answers.
	r.limit = 3 * time.Second
	if err := s.run(r); err != nil {
		t.Logf("scenario: %v", err)
	}
	r.limit = patience
	for _, step := range []chan error{cut, back} {
		select {
		case err := <-step:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(patience):
			t.Fatal("the scenario's frames did not come to the cut")
		}
	}
	eventually(t, "machine is driven again", func() error {
		tr := r.note.truth()
		if len(counts(tr.Escrow)) > 0 { // after a scenario that was given up, because all was slow
			_ = r.post("ReturnFromEscrow", nil)
		}
		if !tr.Power || tr.Moving || !tr.Enabled || len(counts(tr.Escrow)) > 0 {
			return fmt.Errorf("%+v", tr)
		}
		return nil
	})
	if r.host.proc.ended() {
		t.Fatal("coffer ended")
	}
	s.end = afterPowerCut(s.end)
	r.audit(s)
}

// afterPowerCut weakens one rule: a machine may put a held note that was to be returned into its cashbox when power comes
// back. It must be on the books then.
func afterPowerCut(end func(*rig, truth)) func(*rig, truth) {
	return func(r *rig, tr truth) {
		if count(tr.Inserted, 2000) > 0 {
			end = endOfNote
		}
		end(r, tr)
	}
}

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/internal/till"
)

// job is a scenario on the tabletop. It ends by itself, whatever happens to the machine.
type job struct {
	name string
	auto bool
	run  func(tt *tabletop, d devices.Device)
}

var me = till.Call{Actor: "test"}

var jobs = []job{
	{"note taken at once", true, func(tt *tabletop, d devices.Device) {
		tt.put(2000)
	}},
	{"note held and accepted", false, func(tt *tabletop, d devices.Device) {
		tt.put(2000)
		tt.pass(10*time.Second, func() bool { return d.Snapshot().Escrow != nil })
		_ = tt.till.AcceptEscrow(context.Background(), me, d) // refused when the power was cut before
	}},
	{"note held and returned", false, func(tt *tabletop, d devices.Device) {
		tt.put(2000)
		tt.pass(10*time.Second, func() bool { return d.Snapshot().Escrow != nil })
		_ = tt.till.ReturnEscrow(context.Background(), me, d)
	}},
	{"payout", true, func(tt *tabletop, d devices.Device) {
		_, _ = tt.till.Dispense(context.Background(), me, d, eur(payoutValue))
	}},
	{"empty", true, func(tt *tabletop, d devices.Device) {
		_, _ = tt.till.Empty(context.Background(), me, d, 0)
	}},
}

func (tt *tabletop) put(value int64) {
	tt.t.Helper()
	if _, err := tt.machine.Insert(sim.Insert{Value: value, Currency: "EUR"}); err != nil {
		tt.t.Fatal(err)
	}
}

// pass lets time go by, until cond holds or limit has passed.
func (tt *tabletop) pass(limit time.Duration, cond func() bool) {
	tt.t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end) && !cond(); {
		tt.read()
		time.Sleep(20 * time.Millisecond)
	}
}

// do runs j with the power cut at the given step of the mechanics (0: never) for the given time, and returns how many
// steps there were.
func (tt *tabletop) do(j job, step int, dark time.Duration) (steps int) {
	t := tt.t
	d := tt.device()
	if err := tt.till.Enable(t.Context(), me, d); err != nil {
		t.Fatal(err)
	}
	if err := d.(devices.Escrow).SetAutoAccept(t.Context(), j.auto); err != nil {
		t.Fatal(err)
	}
	counting := true
	tt.machine.OnStep(func(string) bool {
		if counting {
			steps++
		}
		return counting && steps == step
	})
	j.run(tt, d)
	tt.pass(time.Minute, func() bool {
		tr := tt.machine.Truth()
		return !tr.Power || (!tr.Moving && d.Snapshot().Ready && d.Snapshot().Escrow == nil && d.Snapshot().Operation == "")
	})
	counting = false
	if !tt.machine.Truth().Power {
		time.Sleep(dark)
		if err := tt.machine.Fault(sim.Fault{Kind: sim.FaultPowerOn}); err != nil {
			t.Fatal(err)
		}
		tt.pass(10*time.Second, func() bool { return !d.Snapshot().Connected })
	}
	return steps
}

// TestPowerCutAtSteps cuts the machine's power at every step of its mechanics in every job, for a moment and for long,
// and compares the books when it is back.
func TestPowerCutAtSteps(t *testing.T) {
	for _, j := range jobs {
		t.Run(j.name, func(t *testing.T) {
			steps := 0
			onTabletop(t, func(tt *tabletop) {
				steps = tt.do(j, 0, 0)
				tt.audit()
			})
			if steps == 0 {
				t.Fatal("the machine did nothing")
			}
			for step := 1; step <= steps; step++ {
				for _, dark := range []time.Duration{100 * time.Millisecond, time.Minute} {
					t.Run(fmt.Sprintf("step %d dark %v", step, dark), func(t *testing.T) {
						onTabletop(t, func(tt *tabletop) {
							tt.do(j, step, dark)
							tt.checkEnd(tt.audit())
						})
					})
				}
			}
			t.Logf("%d steps", steps)
		})
	}
}

// checkEnd: no payout beyond what was asked, and none that stays open while the machine's books are clear.
func (tt *tabletop) checkEnd(tr truth) {
	tt.t.Helper()
	if worth(tr.Dispensed) > payoutValue {
		tt.t.Errorf("dispensed %v", tr.Dispensed)
	}
	open, err := tt.ledger.OpenOps(context.Background(), recyclerID)
	if err != nil {
		tt.t.Fatal(err)
	}
	for _, op := range open {
		if op.State != cash.OpUnknown {
			tt.t.Errorf("operation still open: %+v", op)
		}
	}
}

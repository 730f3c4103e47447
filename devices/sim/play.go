package sim

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Play plays the scenario on a stage, telling step by step what happens. It ends at the first step that fails: with
// ErrScenario where a condition did not come true in time, else with the stage's error or that of ctx. Either says
// which step it was.
func (s *Scenario) Play(ctx context.Context, on Stage, tell func(format string, args ...any)) error {
	p := &play{Scenario: s, on: on, tell: tell, began: map[string]Truth{}}
	for name, at := range s.Machines {
		t, err := on.Truth(ctx, at)
		if err != nil {
			return fmt.Errorf("%s: machine %s at %s, address %d: %w", s.Name, name, at.Port, at.Address, err)
		}
		p.began[name] = t
	}
	tell("%s: %s", s.Name, s.Text)
	if err := p.steps(ctx, "steps", s.Steps); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	return nil
}

// play is one performance.
type play struct {
	*Scenario
	on    Stage
	tell  func(format string, args ...any)
	began map[string]Truth // when it began
}

func (p *play) steps(ctx context.Context, at string, steps []Step) error {
	for i, st := range steps {
		here := fmt.Sprintf("%s[%d]", at, i)
		if st.Repeat != nil {
			for range st.Repeat.Times {
				if err := p.steps(ctx, here+".repeat.steps", st.Repeat.Steps); err != nil {
					return err
				}
			}
			continue
		}
		if err := p.step(ctx, st); err != nil {
			return fmt.Errorf("%s: %w", here, err)
		}
	}
	return nil
}

func (p *play) step(ctx context.Context, st Step) error {
	switch {
	case st.Insert != nil:
		return p.insert(ctx, st.Insert)
	case st.Fault != nil:
		f := st.Fault
		p.tell("%s: %s", f.Machine, f.Kind)
		return p.on.Fault(ctx, p.Machines[f.Machine],
			Fault{Kind: f.Kind, ForMS: f.For.Milliseconds(), Rate: f.Rate, Empty: f.Empty, Paid: f.Paid, AtStep: f.AtStep})
	case st.Levels != nil:
		l := st.Levels
		p.tell("%s: %d pieces of %d %s in the store", l.Machine, l.Count, l.Value, l.Currency)
		return p.on.SetLevel(ctx, p.Machines[l.Machine], l.Value, l.Currency, l.Count)
	case st.Take != nil:
		p.tell("%s: the note is taken", st.Take.Machine)
		return p.on.Take(ctx, p.Machines[st.Take.Machine])
	case st.Pay != nil:
		return p.pay(ctx, st.Pay)
	case st.Clear != nil:
		p.tell("%s: its cashbox is booked as emptied", st.Clear.Machine)
		return p.driven(ctx, st.Clear.Within, func() error { return p.on.Clear(ctx, p.Machines[st.Clear.Machine]) },
			st.Clear.Machine+" does not book its cashbox as emptied")
	case st.Wait != nil:
		return p.wait(ctx, st.Wait)
	case st.Speed != 0:
		p.tell("speed %v", st.Speed)
		return p.on.SetSpeed(ctx, st.Speed)
	}
	p.tell("%s", st.Say)
	return ctx.Err()
}

// insert feeds something in, again and again while the machine's path is full.
func (p *play) insert(ctx context.Context, in *InsertStep) error {
	what := fmt.Sprintf("%d %s", in.Value, in.Currency)
	switch {
	case in.Barcode != "":
		what = "ticket " + in.Barcode
	case in.Fraud:
		what = "fraud attempt"
	case in.Unreadable:
		what = "something unreadable"
	}
	p.tell("%s: insert %s", in.Machine, what)
	return until(ctx, in.Within, func() (bool, error) {
		err := p.on.Insert(ctx, p.Machines[in.Machine], Insert{Value: in.Value, Currency: in.Currency, Count: in.Count,
			Fraud: in.Fraud, Unreadable: in.Unreadable, Barcode: in.Barcode})
		if errors.Is(err, ErrRefused) {
			return false, nil
		}
		return true, err
	}, func() string { return in.Machine + " does not take " + what })
}

// pay has the machine's driver begin a payout, again and again while it cannot.
func (p *play) pay(ctx context.Context, st *PayStep) error {
	p.tell("%s: pay %d %s", st.Machine, st.Value, st.Currency)
	return p.driven(ctx, st.Within, func() error { return p.on.Pay(ctx, p.Machines[st.Machine], st.Value, st.Currency) },
		fmt.Sprintf("%s does not pay %d %s", st.Machine, st.Value, st.Currency))
}

// driven asks the machine's driver, again and again while it refuses.
func (p *play) driven(ctx context.Context, within time.Duration, ask func() error, failed string) error {
	why := ""
	return until(ctx, within, func() (bool, error) {
		err := ask()
		if errors.Is(err, ErrRefused) {
			why = err.Error()
			return false, nil
		}
		return true, err
	}, func() string { return failed + ": " + why })
}

// wait looks at the truth until the condition holds.
func (p *play) wait(ctx context.Context, w *WaitStep) error {
	var last Truth
	return until(ctx, w.Within, func() (bool, error) {
		t, err := p.on.Truth(ctx, p.Machines[w.Machine])
		last = t
		return err == nil && w.holds(t, p.began[w.Machine]), err
	}, func() string {
		return fmt.Sprintf("%s: wanted %s; power %t, plugged %t, enabled %t, moving %t, pieces there %d, at the start %d", w.Machine, w.wants(),
			last.Power, last.Plugged, last.Enabled, last.Moving, w.pieces(last), w.pieces(p.began[w.Machine]))
	})
}

// holds reports whether every condition holds for a machine whose truth is now, and was began when it all began.
func (w *WaitStep) holds(now, began Truth) bool {
	is := func(want *bool, have bool) bool { return want == nil || *want == have }
	n := w.pieces(now)
	return is(w.Power, now.Power) && is(w.Plugged, now.Plugged) && is(w.Enabled, now.Enabled) && is(w.Moving, now.Moving) &&
		(w.Is == nil || n == *w.Is) && (w.AtLeast == nil || n >= *w.AtLeast) && (w.Grown == nil || n-w.pieces(began) >= *w.Grown)
}

// pieces counts what is in the place that the condition names.
func (w *WaitStep) pieces(t Truth) (n int) {
	rows := t.place(w.Place)
	if rows == nil {
		return 0
	}
	for _, r := range *rows {
		if w.Value == 0 || r.Value == w.Value && (w.Currency == "" || w.Currency == r.Currency) {
			n += r.Count
		}
	}
	return n
}

// wants says what is waited for.
func (w *WaitStep) wants() (text string) {
	add := func(format string, args ...any) {
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf(format, args...)
	}
	for _, s := range []struct {
		name string
		want *bool
	}{{"power", w.Power}, {"plugged", w.Plugged}, {"enabled", w.Enabled}, {"moving", w.Moving}} {
		if s.want != nil {
			add("%s %t", s.name, *s.want)
		}
	}
	for _, c := range []struct {
		name string
		want *int
	}{{"exactly", w.Is}, {"at least", w.AtLeast}, {"growth of", w.Grown}} {
		if c.want != nil {
			add("in %s %s %d", w.Place, c.name, *c.want)
		}
	}
	return text
}

// until tries until try is done, within a time; then the error is ErrScenario with what why says.
func until(ctx context.Context, within time.Duration, try func() (done bool, err error), why func() string) error {
	if within == 0 {
		within = defaultWithin
	}
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(scenarioTick)
	defer tick.Stop()
	for {
		if done, err := try(); done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return fmt.Errorf("%w after %v: %s", ErrScenario, within, why())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Stage returns the world as a stage for scenarios.
func (w *World) Stage() Stage { return worldStage{w} }

type worldStage struct{ *World }

func (w worldStage) at(t Target) (*Machine, error) {
	m, ok := w.Machine(t.Port, t.Address)
	if !ok {
		return nil, fmt.Errorf("%w: no machine at %s address %d", ErrUnknown, t.Port, t.Address)
	}
	return m, nil
}

func (w worldStage) Insert(_ context.Context, at Target, in Insert) error {
	m, err := w.at(at)
	if err == nil {
		_, err = m.Insert(in)
	}
	return err
}

func (w worldStage) Fault(_ context.Context, at Target, f Fault) error {
	m, err := w.at(at)
	if err == nil {
		err = m.Fault(f)
	}
	return err
}

func (w worldStage) SetLevel(_ context.Context, at Target, value int64, currency string, count int) error {
	m, err := w.at(at)
	if err == nil {
		err = m.SetLevel(value, currency, count)
	}
	return err
}

func (w worldStage) Take(_ context.Context, at Target) error {
	m, err := w.at(at)
	if err == nil {
		err = m.Take()
	}
	return err
}

// Pay implements Stage: nobody drives the machines of a bare world.
func (w worldStage) Pay(context.Context, Target, int64, string) error {
	return fmt.Errorf("%w: nobody is there who could pay; play to a running coffer", ErrRefused)
}

// Clear implements Stage: nobody drives the machines of a bare world.
func (w worldStage) Clear(context.Context, Target) error {
	return fmt.Errorf("%w: nobody is there who keeps books; play to a running coffer", ErrRefused)
}

func (w worldStage) SetSpeed(_ context.Context, factor float64) error {
	return w.World.SetSpeed(factor)
}

func (w worldStage) Truth(_ context.Context, at Target) (Truth, error) {
	m, err := w.at(at)
	if err != nil {
		return Truth{}, err
	}
	return m.Truth(), nil
}

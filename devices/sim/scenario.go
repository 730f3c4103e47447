package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goccy/go-yaml"
)

// Defaults and limits of a scenario.
const (
	defaultWithin = 30 * time.Second      // of an insert and of a wait
	scenarioTick  = 20 * time.Millisecond // between looks at the truth
	maxSteps      = 100000                // that one scenario may play, repeats counted
)

// Scenario is a story that is played against simulated machines: what customers and attendants do, what breaks, and
// what must have become of it. ParseScenario reads one.
type Scenario struct {
	Name     string            `yaml:"name"`
	Text     string            `yaml:"text"`     // what happens, for people
	Machines map[string]Target `yaml:"machines"` // by the name that steps use
	Steps    []Step            `yaml:"steps"`
}

// Target is where a machine is.
type Target struct {
	Port    string `yaml:"port"`
	Address int    `yaml:"address"`
}

// Step is one of the things that happen: exactly one of its fields is set.
type Step struct {
	Say    string      `yaml:"say"`    // shown to whoever watches
	Insert *InsertStep `yaml:"insert"` // a customer feeds something in
	Fault  *FaultStep  `yaml:"fault"`  // something breaks, or is mended
	Levels *LevelStep  `yaml:"levels"` // an attendant fills or empties the store
	Take   *TakeStep   `yaml:"take"`   // a customer takes the note from the bezel
	Pay    *PayStep    `yaml:"pay"`    // whoever drives the machine pays out of it
	Clear  *ClearStep  `yaml:"clear"`  // whoever drives the machine is told that its cashbox was emptied
	Wait   *WaitStep   `yaml:"wait"`   // until a condition of the truth holds
	Speed  float64     `yaml:"speed"`  // of the mechanics of all machines
	Repeat *RepeatStep `yaml:"repeat"` // the same steps again
}

// InsertStep feeds something in. While the machine cannot take it, it is tried again, Within at most.
type InsertStep struct {
	Machine    string        `yaml:"machine"`
	Value      int64         `yaml:"value"` // minor units
	Currency   string        `yaml:"currency"`
	Count      int           `yaml:"count"`
	Fraud      bool          `yaml:"fraud"`
	Unreadable bool          `yaml:"unreadable"`
	Barcode    string        `yaml:"barcode"`
	Within     time.Duration `yaml:"within"` // 0 means 30 s
}

// FaultStep is a Fault.
type FaultStep struct {
	Machine string        `yaml:"machine"`
	Kind    string        `yaml:"kind"`
	For     time.Duration `yaml:"for"`  // 0: lasts
	Rate    float64       `yaml:"rate"` // of bit_flips and drop_bytes
	Empty   bool          `yaml:"empty"`
	Paid    int64         `yaml:"paid"` // minor units
	AtStep  int           `yaml:"at_step"`
}

// LevelStep sets how many pieces of a denomination are in the store.
type LevelStep struct {
	Machine  string `yaml:"machine"`
	Value    int64  `yaml:"value"`
	Currency string `yaml:"currency"`
	Count    int    `yaml:"count"`
}

// TakeStep names the machine whose bezel is emptied.
type TakeStep struct {
	Machine string `yaml:"machine"`
}

// PayStep lets whoever drives the machine begin a payout. While it cannot, it is tried again, Within at most.
type PayStep struct {
	Machine  string        `yaml:"machine"`
	Value    int64         `yaml:"value"` // minor units
	Currency string        `yaml:"currency"`
	Within   time.Duration `yaml:"within"` // 0 means 30 s
}

// ClearStep has the books of whoever drives the machine show an empty cashbox: no machine tells that somebody emptied it.
// While they cannot, it is tried again, Within at most.
type ClearStep struct {
	Machine string        `yaml:"machine"`
	Within  time.Duration `yaml:"within"` // 0 means 30 s
}

// RepeatStep plays steps several times.
type RepeatStep struct {
	Times int    `yaml:"times"`
	Steps []Step `yaml:"steps"`
}

// WaitStep waits until every condition that it states holds, Within at most; then the scenario has failed. Conditions on
// pieces are about Place, all denominations together or one.
type WaitStep struct {
	Machine string        `yaml:"machine"`
	Within  time.Duration `yaml:"within"` // 0 means 30 s

	Power   *bool `yaml:"power"`
	Plugged *bool `yaml:"plugged"`
	Enabled *bool `yaml:"enabled"`
	Moving  *bool `yaml:"moving"`

	Place    string `yaml:"place"` // payout, cashbox, escrow, transit, inserted, dispensed, returned
	Value    int64  `yaml:"value"` // 0: all denominations
	Currency string `yaml:"currency"`
	Is       *int   `yaml:"is"`       // pieces
	AtLeast  *int   `yaml:"at_least"` // pieces
	Grown    *int   `yaml:"grown"`    // at least so many pieces more than when the scenario began
}

// Stage is the simulator that a scenario is played on. Its errors are told apart with ErrRefused, ErrInvalid and
// ErrUnknown, whatever is in between.
type Stage interface {
	Insert(ctx context.Context, at Target, in Insert) error
	Fault(ctx context.Context, at Target, f Fault) error
	SetLevel(ctx context.Context, at Target, value int64, currency string, count int) error
	Take(ctx context.Context, at Target) error
	// Pay has the machine's driver begin a payout; ErrRefused if it cannot now, or if there is none.
	Pay(ctx context.Context, at Target, value int64, currency string) error
	// Clear has the machine's driver book the cashbox as emptied; ErrRefused if it cannot now, or if there is none.
	Clear(ctx context.Context, at Target) error
	SetSpeed(ctx context.Context, factor float64) error
	Truth(ctx context.Context, at Target) (Truth, error)
}

// ParseScenario reads a scenario strictly: unknown keys, steps that do two things or none, machines without a name and
// conditions that state nothing are errors, which are ErrInvalid and say where.
func ParseScenario(text []byte) (*Scenario, error) {
	s := &Scenario{}
	if err := yaml.UnmarshalWithOptions(text, s, yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("%w: scenario: %s", ErrInvalid, yaml.FormatError(err, false, false))
	}
	switch {
	case s.Name == "":
		return nil, fmt.Errorf("%w: scenario: name is missing", ErrInvalid)
	case len(s.Machines) == 0:
		return nil, fmt.Errorf("%w: scenario: machines are missing", ErrInvalid)
	case len(s.Steps) == 0:
		return nil, fmt.Errorf("%w: scenario: steps are missing", ErrInvalid)
	}
	n, err := s.check("steps", s.Steps)
	if err == nil && n > maxSteps {
		err = fmt.Errorf("%w: scenario: %d steps, use %d at most", ErrInvalid, n, maxSteps)
	}
	return s, err
}

// check checks steps and returns how many will be played, which stops counting beyond maxSteps.
func (s *Scenario) check(at string, steps []Step) (n int, err error) {
	for i, st := range steps {
		here := fmt.Sprintf("%s[%d]", at, i)
		more, err := s.checkStep(here, st)
		if err != nil {
			return 0, err
		}
		n = min(n+more, maxSteps+1)
	}
	return n, nil
}

func (s *Scenario) checkStep(at string, st Step) (int, error) {
	wrong := func(why string) (int, error) { return 0, fmt.Errorf("%w: scenario: %s: %s", ErrInvalid, at, why) }
	acts := 0
	for _, set := range []bool{st.Say != "", st.Insert != nil, st.Fault != nil, st.Levels != nil, st.Take != nil, st.Pay != nil, st.Clear != nil,
		st.Wait != nil, st.Speed != 0, st.Repeat != nil} {
		if set {
			acts++
		}
	}
	if acts != 1 {
		return wrong(fmt.Sprintf("it says %d things to do, not one", acts))
	}
	if name, needed := st.machine(); needed {
		if _, ok := s.Machines[name]; !ok {
			return wrong(fmt.Sprintf("machine %q does not stand under machines", name))
		}
	}
	switch {
	case st.Fault != nil && faultKinds[st.Fault.Kind].begin == nil:
		return wrong(fmt.Sprintf("no fault %q; there are %s", st.Fault.Kind, faultNames()))
	case st.Pay != nil && (st.Pay.Value < 1 || !isCurrency(st.Pay.Currency)):
		return wrong("pay needs a value in minor units and a currency")
	case st.Wait != nil:
		if why := st.Wait.check(); why != "" {
			return wrong(why)
		}
	case st.Speed != 0 && !(st.Speed >= MinSpeed && st.Speed <= MaxSpeed):
		return wrong(fmt.Sprintf("speed %v, use %v to %v", st.Speed, MinSpeed, MaxSpeed))
	case st.Repeat != nil:
		if st.Repeat.Times < 1 || st.Repeat.Times > maxSteps || len(st.Repeat.Steps) == 0 {
			return wrong("repeat needs times of 1 or more, and steps")
		}
		n, err := s.check(at+".repeat.steps", st.Repeat.Steps)
		return min(n*st.Repeat.Times, maxSteps+1), err
	}
	return 1, nil
}

// machine returns the name that the step gives to its machine, and whether it has one.
func (st Step) machine() (name string, needed bool) {
	switch {
	case st.Insert != nil:
		return st.Insert.Machine, true
	case st.Fault != nil:
		return st.Fault.Machine, true
	case st.Levels != nil:
		return st.Levels.Machine, true
	case st.Take != nil:
		return st.Take.Machine, true
	case st.Pay != nil:
		return st.Pay.Machine, true
	case st.Clear != nil:
		return st.Clear.Machine, true
	case st.Wait != nil:
		return st.Wait.Machine, true
	}
	return "", false
}

// check says what is wrong with the condition, "" for nothing.
func (w *WaitStep) check() string {
	pieces := w.Is != nil || w.AtLeast != nil || w.Grown != nil
	states := w.Power != nil || w.Plugged != nil || w.Enabled != nil || w.Moving != nil
	switch {
	case !pieces && !states:
		return "wait states no condition"
	case pieces && (&Truth{}).place(w.Place) == nil:
		return fmt.Sprintf("place %q is none of payout, cashbox, escrow, transit, inserted, dispensed, returned", w.Place)
	case !pieces && (w.Place != "" || w.Value != 0 || w.Currency != ""):
		return "wait names pieces and not how many: is, at_least or grown"
	case w.Currency != "" && w.Value == 0:
		return "currency goes with a value"
	}
	return ""
}

// place returns the list of a place, nil for no such place.
func (t *Truth) place(name string) *[]Row {
	return map[string]*[]Row{
		"payout": &t.Payout, "cashbox": &t.Cashbox, "escrow": &t.Escrow, "transit": &t.Transit,
		"inserted": &t.Inserted, "dispensed": &t.Dispensed, "returned": &t.Returned,
	}[name]
}

// ErrScenario: what a scenario waits for did not come.
var ErrScenario = errors.New("scenario failed")

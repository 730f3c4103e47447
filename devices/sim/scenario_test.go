package sim

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const storyHead = "name: x\nmachines: {m: {port: COM1, address: 0}}\nsteps:\n"

// TestScenarioIsStrict: what cannot be played is refused before anything moves, and the message says where it is.
func TestScenarioIsStrict(t *testing.T) {
	for text, word := range map[string]string{
		"":                                     "name is missing",
		"name: x\n":                            "machines are missing",
		"name: x\nmachines: {m: {port: a}}":    "steps are missing",
		"name: x\ncolour: red\n":               "colour",
		storyHead + "  - {}\n":                 "steps[0]",
		storyHead + "  - {say: a, speed: 2}\n": "2 things",
		storyHead + "  - insert: {machine: n, value: 5}\n":                                   `machine "n"`,
		storyHead + "  - insert: {machine: m, valeu: 5}\n":                                   "valeu",
		storyHead + "  - fault: {machine: m, kind: hiccup}\n":                                "hiccup",
		storyHead + "  - wait: {machine: m}\n":                                               "no condition",
		storyHead + "  - wait: {machine: m, place: pocket, is: 1}\n":                         "pocket",
		storyHead + "  - wait: {machine: m, place: payout, enabled: true}\n":                 "how many",
		storyHead + "  - wait: {machine: m, place: payout, currency: EUR, is: 1}\n":          "with a value",
		storyHead + "  - speed: 5000\n":                                                      "5000",
		storyHead + "  - repeat: {times: 0, steps: [{say: a}]}\n":                            "repeat",
		storyHead + "  - repeat: {times: 2, steps: [{say: a}, {}]}\n":                        "steps[0].repeat.steps[1]",
		storyHead + "  - repeat: {times: 99999, steps: [{say: a}, {say: b}, {say: c}]}\n":    "100000 at most",
		storyHead + "  - wait: {machine: m, within: soon, enabled: true}\n":                  "soon",
		storyHead + "  - levels: {machine: x, value: 1, currency: EUR, count: 3}\n":          `"x"`,
		storyHead + "  - take: {machine: x}\n":                                               `"x"`,
		storyHead + "  - wait: {machine: m, place: payout, value: 5, grown: 1, moving: 7}\n": "7",
	} {
		if _, err := ParseScenario([]byte(text)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), word) {
			t.Errorf("%q: %v, want %q", text, err, word)
		}
	}
}

// played plays steps on one machine that is off as far as acceptance goes, in a bubble of time.
func played(t *testing.T, steps string, then func(t *testing.T, m *Machine, told []string, err error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		story, err := ParseScenario([]byte(storyHead + steps))
		if err != nil {
			t.Fatal(err)
		}
		w := NewWorld(t.Logf)
		defer w.Close()
		m, err := w.AddLine("COM1").AddMachine(0, "spectral-payout", Options{Currency: "EUR"})
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		err = story.Play(t.Context(), w.Stage(), func(format string, args ...any) { told = append(told, format) })
		then(t, m, told, err)
	})
}

// TestScenarioSteps: each kind of step does what it says, and a condition is waited for.
func TestScenarioSteps(t *testing.T) {
	played(t, `
  - say: hello
  - levels: {machine: m, value: 1000, currency: EUR, count: 7}
  - wait: {machine: m, place: payout, value: 1000, currency: EUR, is: 7}
  - wait: {machine: m, place: payout, at_least: 7, power: true, plugged: true, enabled: false, moving: false}
  - repeat:
      times: 3
      steps:
        - insert: {machine: m, value: 500, currency: EUR}
  - wait: {machine: m, place: returned, grown: 3}
  - speed: 50
  - fault: {machine: m, kind: power_off}
  - wait: {machine: m, power: false}
  - fault: {machine: m, kind: power_on}
  - insert: {machine: m, value: 500, currency: EUR, within: 60s}
  - fault: {machine: m, kind: unplug, for: 5s}
  - wait: {machine: m, plugged: true, within: 6s}
`, func(t *testing.T, m *Machine, told []string, err error) {
		tr := m.Truth()
		if err != nil || count(tr.Payout, 1000) != 7 || count(tr.Returned, 500) != 4 || m.line.world.Speed() != 50 || told[0] != "%s: %s" || told[1] != "%s" {
			t.Errorf("%v, truth %+v, told %q", err, tr, told)
		}
		check(t, tr)
	})
}

// TestScenarioFails: a condition that does not come true, a machine that never takes the note, a bezel that is empty, a
// machine that is not there. The message says which step.
func TestScenarioFails(t *testing.T) {
	for steps, want := range map[string]struct {
		is   error
		word string
	}{
		"  - say: a\n  - wait: {machine: m, place: cashbox, grown: 1, within: 3s}\n":                               {ErrScenario, "steps[1]"},
		"  - fault: {machine: m, kind: unplug}\n  - insert: {machine: m, value: 500, currency: EUR, within: 2s}\n": {ErrScenario, "does not take 500 EUR"},
		"  - take: {machine: m}\n":                                      {ErrRefused, "steps[0]"},
		"  - fault: {machine: m, kind: coin_mech_off}\n":                {ErrInvalid, "steps[0]"},
		"  - levels: {machine: m, value: 7, currency: EUR, count: 1}\n": {ErrInvalid, "steps[0]"},
		"  - insert: {machine: m, value: -5, currency: EUR}\n":          {ErrInvalid, "steps[0]"},
	} {
		begin := time.Now()
		played(t, steps, func(t *testing.T, m *Machine, _ []string, err error) {
			if !errors.Is(err, want.is) || !strings.Contains(err.Error(), want.word) {
				t.Errorf("%q: %v", steps, err)
			}
		})
		if time.Since(begin) > 20*time.Second {
			t.Errorf("%q: took %v", steps, time.Since(begin))
		}
	}
	story, err := ParseScenario([]byte(storyHead + "  - say: a\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := story.Play(t.Context(), NewWorld(t.Logf).Stage(), t.Logf); !errors.Is(err, ErrUnknown) {
		t.Errorf("an empty world: %v", err)
	}
	over, stop := context.WithCancel(t.Context())
	stop()
	if err := until(over, 0, func() (bool, error) { return false, nil }, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

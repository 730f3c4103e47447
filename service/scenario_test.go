package service

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestSimRun plays a story over /sim/v1: every kind of step, on a machine whose acceptor is off.
func TestSimRun(t *testing.T) {
	dir := t.TempDir()
	start(t, settingsFor(t, small, dir))
	env := map[string]string{"COFFER_DATA_DIR": dir}
	const head = "name: tour\ntext: of everything\nmachines: {m: {port: COM5, address: 0}}\nsteps:\n"
	story := write(t, "tour.yaml", head+`
  - speed: 100
  - say: hello
  - levels: {machine: m, value: 500, currency: EUR, count: 6}
  - wait: {machine: m, place: payout, value: 500, currency: EUR, grown: 2}
  - insert: {machine: m, value: 1000, currency: EUR}
  - wait: {machine: m, place: returned, value: 1000, grown: 1, moving: false}
  - fault: {machine: m, kind: bit_flips, rate: 0}
  - fault: {machine: m, kind: unplug}
  - wait: {machine: m, plugged: false}
  - fault: {machine: m, kind: plug}
`)
	got := coffer(t, env, "sim", "run", story)
	if got.code != exitDone || !strings.Contains(got.out, "tour: done") || !strings.Contains(got.out, "hello") {
		t.Errorf("exit %d: %s%s", got.code, got.out, got.err)
	}
	for steps, words := range map[string][]string{
		"  - take: {machine: m}\n":                                         {"steps[0]", "refused", "no note"},
		"  - fault: {machine: m, kind: lifter_blocked}\n":                  {"steps[0]", "invalid"},
		"  - pay: {machine: m, value: 500, currency: EUR, within: 50ms}\n": {"steps[0]", "scenario failed", "does not pay"},
		"  - clear: {machine: m, within: 50ms}\n":                          {"steps[0]", "scenario failed", "book its cashbox"},
		"  - clear: {machine: n}\n":                                        {"invalid", "does not stand under machines"},
		"  - pay: {machine: m, value: 0, currency: EUR}\n":                 {"invalid", "pay needs"},
		"  - wait: {machine: m, power: false, within: 50ms}\n":             {"steps[0]", "scenario failed", "acceptors on"},
	} {
		got := coffer(t, env, "sim", "run", write(t, "bad.yaml", head+steps))
		if got.code != exitFailed {
			t.Errorf("%s: exit %d", steps, got.code)
		}
		oneLineOf(t, got.err, words...)
	}
}

// TestSimRunDrives: stories in which the running coffer pays out of a machine that is open in its REST API, and is told
// that the cashbox was emptied.
func TestSimRunDrives(t *testing.T) {
	dir := t.TempDir()
	start(t, settingsFor(t, strings.Replace(small, ", auto_clear_cashbox: true", "", 1), dir))
	env := map[string]string{"COFFER_DATA_DIR": dir}
	openREST(t, dir)
	const head = "name: change\ntext: Somebody pays, somebody collects.\nmachines: {m: {port: COM5, address: 0}}\nsteps:\n"
	for _, story := range []struct{ steps, told, cashbox string }{
		{`  - speed: 100
  - pay: {machine: m, value: 1000, currency: EUR}
  - wait: {machine: m, place: dispensed, value: 500, currency: EUR, grown: 2, moving: false}
  - fault: {machine: m, kind: payout_out}
  - insert: {machine: m, value: 1000, currency: EUR}
  - wait: {machine: m, place: cashbox, value: 1000, currency: EUR, grown: 1, moving: false}
`, "m: pay 1000 EUR", `{"device":"SPECTRAL_PAYOUT-COM5","place":"cashbox","value":1000,"currency":"EUR","count":1}`},
		{`  - fault: {machine: m, kind: cashbox_removed}
  - fault: {machine: m, kind: cashbox_replaced, empty: true}
  - wait: {machine: m, place: cashbox, is: 0}
  - clear: {machine: m}
`, "booked as emptied", ""},
	} {
		got := coffer(t, env, "sim", "run", write(t, "story.yaml", head+story.steps))
		if got.code != exitDone || !strings.Contains(got.out, story.told) {
			t.Fatalf("exit %d: %s%s", got.code, got.out, got.err)
		}
		want := `{"balances":[{"device":"SPECTRAL_PAYOUT-COM5","place":"payout","value":500,"currency":"EUR","count":2}]}`
		if story.cashbox != "" {
			want = strings.Replace(want, "]}", ","+story.cashbox+"]}", 1)
		}
		eventually(t, "the books after "+story.told, func() error {
			if got := coffer(t, env, "journal", "balance", "--json"); strings.TrimSpace(got.out) != want {
				return fmt.Errorf("%s%s, want %s", got.out, got.err, want)
			}
			return nil
		})
	}
}

// TestSimulatedMachinesEndWithTheirProcess: the stock of simulated machines ends with the process, so that the next one has
// other machines. The books follow without a discrepancy.
func TestSimulatedMachinesEndWithTheirProcess(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"COFFER_DATA_DIR": dir}
	_, stop := start(t, settingsFor(t, small, dir))
	openREST(t, dir)
	got := coffer(t, env, "sim", "run", write(t, "story.yaml", `name: two notes
text: One goes to the store, one to the cashbox.
machines: {m: {port: COM5, address: 0}}
steps:
  - speed: 100
  - insert: {machine: m, value: 500, currency: EUR}
  - wait: {machine: m, place: payout, value: 500, currency: EUR, grown: 1, moving: false}
  - fault: {machine: m, kind: payout_out}
  - insert: {machine: m, value: 1000, currency: EUR}
  - wait: {machine: m, place: cashbox, value: 1000, currency: EUR, grown: 1, moving: false}
`))
	if got.code != exitDone {
		t.Fatalf("exit %d: %s%s", got.code, got.out, got.err)
	}
	books := func(want string) {
		t.Helper()
		eventually(t, "the books", func() error {
			if got := coffer(t, env, "journal", "balance", "--json"); strings.TrimSpace(got.out) != `{"balances":[`+want+`]}` {
				return fmt.Errorf("%s%s, want %s", got.out, got.err, want)
			}
			return nil
		})
	}
	const stored = `{"device":"SPECTRAL_PAYOUT-COM5","place":"payout","value":500,"currency":"EUR","count":%d}`
	books(fmt.Sprintf(stored, 5) + `,{"device":"SPECTRAL_PAYOUT-COM5","place":"cashbox","value":1000,"currency":"EUR","count":1}`)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	start(t, settingsFor(t, small, dir))
	books(fmt.Sprintf(stored, 4))
	if got := coffer(t, env, "journal", "export", "--json"); strings.Contains(got.out, `"discrepancy"`) {
		t.Errorf("the books are in doubt: %s", got.out)
	}
}

// openREST opens the small machine in the REST API, ready to take and to pay.
func openREST(t *testing.T, dir string) {
	t.Helper()
	var e endpoints
	if err := readRun(dir, endpointsFile, &e); err != nil {
		t.Fatal(err)
	}
	rest := &client{base: e.url("cashdevice"), dir: dir}
	if err := rest.sign(); err != nil {
		t.Fatal(err)
	}
	open := map[string]any{"ComPort": "COM5", "SspAddress": 0, "EnablePayout": true, "EnableAcceptor": true, "EnableAutoAcceptEscrow": true}
	if err := rest.call(t.Context(), http.MethodPost, "/api/CashDevice/OpenConnection", open, nil); err != nil {
		t.Fatal(err)
	}
}

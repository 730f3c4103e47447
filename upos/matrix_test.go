package upos_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"coffer/upos"
)

// The life-cycle states of the standard, and a deposit for the classes that have one.
const (
	closed     = "closed"
	open       = "open"
	others     = "claimed by another"
	claimed    = "claimed"
	enabled    = "enabled"
	depositing = "depositing"
	busy       = "busy"
)

var states = []string{closed, open, others, claimed, enabled, depositing, busy}

// rawMember is a member as the vectors file has it: the expectations are made from its words, not from our own table.
type rawMember struct {
	Name, Type, RW, Access string
	WriteAccess            string `json:"write_access"`
	Params                 []struct{ Name, Dir, Type string }
}

func rawClasses(t *testing.T) map[upos.Class]struct{ Properties, Methods []rawMember } {
	b, err := os.ReadFile("testdata/upos-members.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Classes map[upos.Class]struct{ Properties, Methods []rawMember }
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return file.Classes
}

// precondition is the code that the access column and the precedence of the standard (2.1) give in a state, 0 where the
// access is satisfied. Exclusive devices: E_CLOSED, E_CLAIMED, E_NOTCLAIMED, E_DISABLED in this order. The CashDrawer is
// sharable: its "open, claim & enable" reads "open, enable, not claimed by someone else" (2.3).
func precondition(class upos.Class, access, state string) int32 {
	needsClaim := strings.Contains(access, "claim") && !strings.Contains(access, "not claimed")
	needsEnable := strings.Contains(access, "enable")
	spoiltByOther := needsClaim || strings.Contains(access, "not claimed by another")
	shared := class == upos.CashDrawer
	if shared && needsClaim && needsEnable {
		needsClaim, spoiltByOther = false, true
	}
	switch {
	case access == "always":
		return 0
	case state == closed:
		return upos.E_CLOSED
	case state == others && spoiltByOther && !(shared && needsClaim):
		return upos.E_CLAIMED
	case (state == open || state == others) && needsClaim:
		return upos.E_NOTCLAIMED
	case (state == open || state == others || state == claimed) && needsEnable:
		return upos.E_DISABLED
	}
	return 0
}

// arguments are valid ones for every method.
var validArguments = map[string]map[string]any{
	"AdjustCashCounts": {"cashCounts": "10:5"}, "CheckHealth": {"level": upos.CH_INTERNAL}, "Claim": {"timeout": 0},
	"CompareFirmwareVersion": {"firmwareFileName": "fw.bin"}, "DirectIO": {"command": upos.DirectParts},
	"DispenseCash": {"cashCounts": "10:1"}, "DispenseChange": {"amount": 50}, "EndDeposit": {"success": upos.CHAN_DEPOSIT_NOCHANGE},
	"PauseDeposit": {"control": upos.CHAN_DEPOSIT_PAUSE}, "ResetStatistics": {"statisticsBuffer": ""},
	"RetrieveStatistics": {"statisticsBuffer": ""}, "UpdateStatistics": {"statisticsBuffer": "=0"},
	"UpdateFirmware":     {"firmwareFileName": "fw.bin"},
	"WaitForDrawerClose": {"beepTimeout": 1, "beepFrequency": 1, "beepDuration": 1, "beepDelay": 1},
}

func argumentsFor(class upos.Class, method string) map[string]any {
	bills := class == upos.BillAcceptor || class == upos.BillDispenser
	switch {
	case method == "Open":
		return map[string]any{"deviceName": deviceOf(class)}
	case bills && method == "AdjustCashCounts", bills && method == "DispenseCash":
		return map[string]any{"cashCounts": ";500:1"}
	case method == "EndDeposit" && class != upos.CashChanger:
		return map[string]any{"success": upos.BACC_DEPOSIT_COMPLETE}
	}
	return validArguments[method]
}

func deviceOf(class upos.Class) string {
	return map[upos.Class]string{upos.CashChanger: "Till1", upos.BillAcceptor: "Bills1", upos.CoinAcceptor: "Coins1",
		upos.BillDispenser: "Bills2", upos.CoinDispenser: "Coins2", upos.CashDrawer: "Drawer1"}[class]
}

// outcome is what a valid call answers once its access is satisfied: out of sequence and capability first (E_ILLEGAL),
// then E_BUSY.
func outcomeOf(class upos.Class, method, state string) int32 {
	working := map[string]bool{"AdjustCashCounts": true, "BeginDeposit": true, "CheckHealth": true, "DispenseCash": true,
		"DispenseChange": true, "ReadCashCounts": true, "CompareFirmwareVersion": true, "UpdateFirmware": true}
	flashing := state == busy && (class == upos.BillAcceptor || class == upos.CoinAcceptor) // busy with firmware
	switch method {
	case "Open":
		if state != closed {
			return upos.E_ILLEGAL
		}
	case "Claim":
		if state == others {
			return upos.E_TIMEOUT
		}
	case "Release":
		if flashing { // an update cannot be broken off
			return upos.E_BUSY
		}
	case "DirectIO":
		if class == upos.CashDrawer {
			return upos.E_ILLEGAL
		}
	case "FixDeposit", "PauseDeposit":
		if state != depositing {
			return upos.E_ILLEGAL
		}
	case "EndDeposit":
		return upos.E_ILLEGAL // needs FixDeposit first
	case "BeginDeposit", "AdjustCashCounts", "DispenseCash", "DispenseChange":
		if state == depositing {
			return upos.E_ILLEGAL
		}
	case "CompareFirmwareVersion", "UpdateFirmware":
		if !flashing { // elsewhere the capability is false
			return upos.E_ILLEGAL
		}
	}
	if state == busy && working[method] {
		return upos.E_BUSY
	}
	return 0
}

// impossible says why a class cannot be in a state, "" if it can.
func impossible(class upos.Class, state string) string {
	switch {
	case class == upos.CashDrawer && state == busy:
		return "a drawer has no asynchronous work: OpenDrawer ends at once and WaitForDrawerClose only waits"
	case state == depositing && !(class == upos.CashChanger || class == upos.BillAcceptor || class == upos.CoinAcceptor):
		return "the class has no deposit"
	}
	return ""
}

// bring makes a handle of the class in the state.
func bring(t *testing.T, class upos.Class, state string) *upos.Handle {
	t.Helper()
	w := newWorld(t)
	h, err := w.service.Handle(class)
	must(t, err)
	if state == closed {
		return h
	}
	flash := state == busy && (class == upos.BillAcceptor || class == upos.CoinAcceptor)
	if flash {
		w.machines[deviceOf(class)].CanUpdate(0)
	}
	must(t, call(h, "Open", map[string]any{"deviceName": deviceOf(class)}))
	if state == others {
		other, err := w.service.Open(class, deviceOf(class))
		must(t, err)
		must(t, call(other, "Claim", map[string]any{"timeout": 0}))
	}
	if state == open || state == others {
		return h
	}
	must(t, call(h, "Claim", map[string]any{"timeout": 0}))
	if state == claimed {
		return h
	}
	must(t, h.Set("DeviceEnabled", true))
	switch {
	case state == depositing:
		must(t, call(h, "BeginDeposit", nil))
	case flash:
		updates := w.machines[deviceOf(class)].Flash()
		t.Cleanup(func() { close(updates) })
		w.file(t, "fw.bin", "FW NV02009999999999")
		must(t, call(h, "UpdateFirmware", map[string]any{"firmwareFileName": "fw.bin"}))
	case state == busy:
		w.machines[deviceOf(class)].Hold() // let go by Halt when the handle is closed
		method := "DispenseChange"
		if class == upos.BillDispenser {
			method = "DispenseCash"
		}
		if class == upos.CoinDispenser { // has no AsyncMode: another thread is in the call
			go func() { _ = call(h, method, argumentsFor(class, method)) }()
			synctest.Wait()
			break
		}
		must(t, h.Set("AsyncMode", true))
		must(t, call(h, method, argumentsFor(class, method)))
		must(t, h.Set("AsyncMode", false))
	}
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func call(h *upos.Handle, method string, args map[string]any) error {
	_, err := h.Call(context.Background(), upos.Invocation{Method: method, Args: args})
	return err
}

func codeOf(t *testing.T, err error) int32 {
	t.Helper()
	var e *upos.Error
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("%v is no *upos.Error", err)
	}
	if err == nil {
		return 0
	}
	return e.Code
}

// settable is a valid value for every property that can be written.
func settable(class upos.Class, property, state string) (value any, want int32) {
	switch property {
	case "PowerNotify":
		if state == enabled || state == depositing || state == busy {
			return upos.PN_ENABLED, upos.E_ILLEGAL
		}
		if class == upos.CashDrawer {
			return upos.PN_DISABLED, 0
		}
		return upos.PN_ENABLED, 0
	case "CurrencyCode":
		return "EUR", 0
	case "CurrentExit":
		return 1, 0
	case "CurrentService", "BinaryConversion":
		return 0, 0
	}
	return true, 0
}

// TestLifeCycleMatrix calls every getter, setter and method of the six classes in every state.
func TestLifeCycleMatrix(t *testing.T) {
	classes, cells, left := rawClasses(t), 0, map[string]int{}
	for _, class := range upos.Classes() {
		for _, state := range states {
			if why := impossible(class, state); why != "" {
				left[fmt.Sprintf("%s %s: %s", class, state, why)] += 2*len(classes[class].Properties) + len(classes[class].Methods)
				continue
			}
			t.Run(fmt.Sprintf("%s/%s", class, state), func(t *testing.T) {
				cells += getterCells(t, class, state, classes[class].Properties)
				cells += setterCells(t, class, state, classes[class].Properties)
				cells += methodCells(t, class, state, classes[class].Methods)
			})
		}
	}
	for why, n := range left {
		t.Logf("%d cells cannot arise: %s", n, why)
	}
	t.Logf("%d cells", cells)
	if cells < 3000 {
		t.Errorf("only %d cells", cells)
	}
}

func getterCells(t *testing.T, class upos.Class, state string, all []rawMember) int {
	bubble(t, func(t *testing.T) {
		h := bring(t, class, state)
		for _, m := range all {
			want := precondition(class, m.Access, state)
			_, err := h.Get(m.Name)
			if got := codeOf(t, err); got != want {
				t.Errorf("get %s.%s (%s) while %s: %d (%v), want %d", class, m.Name, m.Access, state, got, err, want)
			}
		}
	})
	return len(all)
}

func setterCells(t *testing.T, class upos.Class, state string, all []rawMember) int {
	for _, m := range all {
		bubble(t, func(t *testing.T) {
			h := bring(t, class, state)
			access := m.Access
			if m.WriteAccess != "" {
				access = m.WriteAccess
			}
			value, want := settable(class, m.Name, state)
			if m.RW != "read-write" {
				access, want = "open", upos.E_ILLEGAL
			}
			if refused := precondition(class, access, state); refused != 0 {
				want = refused
			}
			err := h.Set(m.Name, value)
			if got := codeOf(t, err); got != want {
				t.Errorf("set %s.%s (%s) while %s: %d (%v), want %d", class, m.Name, access, state, got, err, want)
			}
		})
	}
	return len(all)
}

func methodCells(t *testing.T, class upos.Class, state string, all []rawMember) int {
	for _, m := range all {
		bubble(t, func(t *testing.T) {
			h := bring(t, class, state)
			want := precondition(class, m.Access, state)
			if want == 0 {
				want = outcomeOf(class, m.Name, state)
			}
			err := call(h, m.Name, argumentsFor(class, m.Name))
			if got := codeOf(t, err); got != want {
				t.Errorf("%s.%s (%s) while %s: %d (%v), want %d", class, m.Name, m.Access, state, got, err, want)
			}
		})
	}
	return len(all)
}

// TestEveryMemberIsDone: nothing of the members file is missing, and nothing else is offered.
func TestEveryMemberIsDone(t *testing.T) {
	w := newWorld(t)
	for class, members := range rawClasses(t) {
		if !strings.Contains(fmt.Sprint(upos.Classes()), string(class)) {
			continue
		}
		h, err := w.service.Open(class, deviceOf(class))
		must(t, err)
		for _, m := range members.Properties {
			if _, err := h.Get(m.Name); errors.Is(err, upos.ErrUnknownMember) {
				t.Errorf("%s has no %s", class, m.Name)
			}
		}
		for _, m := range upos.Members(class) {
			for _, strange := range []string{"AutoDisable", "OutputID", "ClearOutput", "ClearInputProperties"} {
				if m.Name == strange {
					t.Errorf("%s has %s", class, strange)
				}
			}
		}
		if _, err := h.Get("AutoDisable"); !errors.Is(err, upos.ErrUnknownMember) {
			t.Errorf("%s.AutoDisable: %v", class, err)
		}
		if err := h.Set("OutputID", 1); !errors.Is(err, upos.ErrUnknownMember) {
			t.Errorf("%s.OutputID: %v", class, err)
		}
		if err := call(h, "ClearOutput", nil); !errors.Is(err, upos.ErrUnknownMember) {
			t.Errorf("%s.ClearOutput: %v", class, err)
		}
	}
}

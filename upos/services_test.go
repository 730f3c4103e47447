package upos_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/cash"
	"coffer/upos"
	"coffer/upos/upostest"
)

// stats are the numbers of RetrieveStatistics by name; standard says which are UnifiedPOS's own.
func stats(t *testing.T, h *upos.Handle, buffer string) (values map[string]string, standard map[string]bool) {
	t.Helper()
	out, err := h.Call(context.Background(), upos.Invocation{Method: "RetrieveStatistics", Args: map[string]any{"statisticsBuffer": buffer}})
	must(t, err)
	type pair struct{ Name, Value string }
	var doc struct {
		XMLName xml.Name `xml:"http://www.nrf-arts.org/UnifiedPOS/namespace/ UPOSStat"`
		Version string   `xml:"version,attr"`
		Event   struct{ Parameter, ManufacturerSpecific []pair }
		Equip   struct {
			UnifiedPOSVersion, ModelName, SerialNumber string
			DeviceCategory                             struct {
				UPOS string `xml:"UPOS,attr"`
			}
		} `xml:"Equipment"`
	}
	if err := xml.Unmarshal([]byte(out["statisticsBuffer"].(string)), &doc); err != nil {
		t.Fatal(err, out)
	}
	if doc.Version != "1.16.0" || doc.Equip.UnifiedPOSVersion != "1.16" || doc.Equip.DeviceCategory.UPOS != string(h.Class()) || doc.Equip.ModelName == "" {
		t.Errorf("%+v", doc)
	}
	values, standard = map[string]string{}, map[string]bool{}
	for _, p := range doc.Event.Parameter {
		values[p.Name], standard[p.Name] = p.Value, true
	}
	for _, p := range doc.Event.ManufacturerSpecific {
		values[p.Name] = p.Value
	}
	return values, standard
}

func TestStatistics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
		must(t, dispenseChange(h, 10, ""))
		time.Sleep(3 * time.Hour)
		m.Online(0, false)
		m.Online(0, true)
		all, standard := stats(t, h, "")
		for name, want := range map[string]string{"HoursPoweredCount": "3", "CommunicationErrorCount": "1", "DispenseCount": "1",
			"PiecesPaid": "1", "NotesStacked": "42", "DispenseFailureCount": "0"} {
			if all[name] != want {
				t.Errorf("%s is %q, want %s", name, all[name], want)
			}
		}
		if len(standard) != 2 || !standard["HoursPoweredCount"] || !standard["CommunicationErrorCount"] {
			t.Errorf("UnifiedPOS's own are %v", standard)
		}
		if some, _ := stats(t, h, "U_"); len(some) != 2 {
			t.Errorf("U_: %v", some)
		}
		if some, own := stats(t, h, "M_"); len(some) != len(all)-2 || len(own) != 0 {
			t.Errorf("M_: %v", some)
		}
		if some, _ := stats(t, h, "NotesStacked, Nonsense"); len(some) != 2 || some["Nonsense"] != "" || some["NotesStacked"] != "42" {
			t.Errorf("unknown names have an empty value: %v", some)
		}
		reset := func(s string) error { return call(h, "ResetStatistics", map[string]any{"statisticsBuffer": s}) }
		update := func(s string) error { return call(h, "UpdateStatistics", map[string]any{"statisticsBuffer": s}) }
		result(t, reset("NotesStacked,ModelName"), upos.E_EXTENDED, upos.ESTATS_ERROR)
		result(t, update("Nonsense=1"), upos.E_EXTENDED, upos.ESTATS_ERROR)
		result(t, reset("DispenseCount"), upos.E_EXTENDED, upos.ESTATS_DEPENDENCY)
		result(t, update("NotesStacked"), upos.E_ILLEGAL, 0)
		result(t, update("NotesStacked=x"), upos.E_ILLEGAL, 0)
		result(t, update("NotesStacked=-1"), upos.E_ILLEGAL, 0)
		if now, _ := stats(t, h, "NotesStacked"); now["NotesStacked"] != "42" {
			t.Error("a call that failed changed a counter")
		}
		must(t, reset("NotesStacked,DispenseCount,DispenseFailureCount"))
		must(t, update("CoinsPaid=100"))
		must(t, update("U_=0"))
		time.Sleep(time.Hour)
		now, _ := stats(t, h, "")
		for name, want := range map[string]string{"NotesStacked": "0", "DispenseCount": "0", "CoinsPaid": "100", "HoursPoweredCount": "1",
			"CommunicationErrorCount": "0"} {
			if now[name] != want {
				t.Errorf("%s is %q, want %s", name, now[name], want)
			}
		}
		must(t, update("=0"))
		if now, _ := stats(t, h, "CoinsPaid"); now["CoinsPaid"] != "0" {
			t.Error("=0 sets all")
		}
	})
}

// shelf is a Keeper in memory.
type shelf struct {
	mu    sync.Mutex
	saved map[string]upos.Saved
	times int
	err   error
}

func (s *shelf) Load() (map[string]upos.Saved, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	return s.saved, nil
}

func (s *shelf) Save(all map[string]upos.Saved) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times++
	if s.err == nil {
		s.saved = all
	}
	return s.err
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// kept is a counter as it was saved, and how often anything was.
func (s *shelf) kept(name string) (value int64, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saved["Till1"].Counters[name], s.times
}

// TestStatisticsOutlastTheProcess: counters, what they were set to, and the hours go on in the next life; a machine that
// counts less than when its counter was set is another one.
func TestStatisticsOutlastTheProcess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		first := time.Now().Format(time.DateOnly)
		kept := &shelf{}
		life := func(notesStacked int64, f func(h *upos.Handle)) {
			m := upostest.Till()
			m.Count("NotesStacked", notesStacked)
			s, err := upos.New([]upos.Device{{Config: upos.Config{Name: "Till1", Class: upos.CashChanger, Devices: []string{"notes", "coins"}}, Mechanism: m}},
				upos.Options{Statistics: kept})
			must(t, err)
			defer s.Close()
			h, err := s.Open(upos.CashChanger, "Till1")
			must(t, err)
			must(t, call(h, "Claim", map[string]any{"timeout": 0}))
			must(t, h.Set("DeviceEnabled", true))
			f(h)
		}
		want := func(h *upos.Handle, want map[string]string) {
			t.Helper()
			got, _ := stats(t, h, "")
			for name, v := range want {
				if got[name] != v {
					t.Errorf("%s is %q, want %q", name, got[name], v)
				}
			}
		}
		life(42, func(h *upos.Handle) {
			must(t, dispenseChange(h, 10, ""))
			must(t, call(h, "UpdateStatistics", map[string]any{"statisticsBuffer": "NotesStacked=2,PiecesTaken=7"}))
			time.Sleep(90 * time.Minute)
		})
		life(45, func(h *upos.Handle) {
			time.Sleep(40 * time.Minute)
			want(h, map[string]string{"HoursPoweredCount": "2", "DispenseCount": "1", "PiecesPaid": "1", "NotesStacked": "5", "PiecesTaken": "7"})
			kept.fail(errors.New("read-only"))
			must(t, dispenseChange(h, 10, ""))
			time.Sleep(time.Minute) // it cannot be saved
			kept.fail(nil)
			time.Sleep(time.Minute)
			n, times := kept.kept("DispenseCount")
			if n != 2 {
				t.Errorf("saved %d payouts while it runs, want 2", n)
			}
			time.Sleep(30 * time.Minute)
			if _, now := kept.kept("DispenseCount"); now != times {
				t.Error("saved though nothing has changed")
			}
			time.Sleep(24 * time.Hour)
		})
		life(3, func(h *upos.Handle) { // a new machine
			want(h, map[string]string{"HoursPoweredCount": "26", "DispenseCount": "2", "NotesStacked": "3"})
			text, err := h.Call(context.Background(), upos.Invocation{Method: "RetrieveStatistics", Args: map[string]any{"statisticsBuffer": ""}})
			must(t, err)
			if !strings.Contains(text["statisticsBuffer"].(string), "<InstallationDate>"+first+"</InstallationDate>") {
				t.Errorf("installed on another day than %s: %s", first, text)
			}
		})
		kept.fail(errors.New("broken"))
		life(3, func(h *upos.Handle) { want(h, map[string]string{"DispenseCount": "0"}) })
	})
}

func TestDrawerStatistics(t *testing.T) {
	w := newWorld(t)
	h, err := w.service.Open(upos.CashDrawer, "Drawer1")
	must(t, err)
	must(t, h.Set("DeviceEnabled", true))
	must(t, call(h, "OpenDrawer", nil))
	w.drawer.Err = cash.ErrNotConnected
	refused(t, call(h, "OpenDrawer", nil), upos.E_OFFLINE)
	values, standard := stats(t, h, "U_")
	if values["DrawerGoodOpenCount"] != "1" || values["DrawerFailedOpenCount"] != "1" || len(standard) != 4 {
		t.Errorf("%v", values)
	}
	must(t, call(h, "CheckHealth", map[string]any{"level": upos.CH_INTERNAL}))
	refused(t, call(h, "CheckHealth", map[string]any{"level": upos.CH_EXTERNAL}), upos.E_ILLEGAL)
}

func TestCheckHealth(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	is(t, h, "CheckHealthText", "")
	check := func(level int32) string {
		must(t, call(h, "CheckHealth", map[string]any{"level": level}))
		text, _ := h.Get("CheckHealthText")
		return text.(string)
	}
	if got := check(upos.CH_INTERNAL); got != "Internal HCheck: Successful" {
		t.Error(got)
	}
	if got := check(upos.CH_EXTERNAL); got != "External HCheck: Successful" {
		t.Error(got)
	}
	m.Box(0, true) // sick is no error
	m.Jam(1, true)
	if got := check(upos.CH_INTERNAL); got != "Internal HCheck: Not Successful (notes: cashbox removed; coins: jammed)" {
		t.Error(got)
	}
	m.Box(0, false)
	m.Jam(1, false)
	m.Online(1, false)
	for _, level := range []int32{upos.CH_INTERNAL, upos.CH_EXTERNAL} {
		if got := check(level); !strings.Contains(got, "Not Successful (coins:") {
			t.Error(got)
		}
	}
	refused(t, call(h, "CheckHealth", map[string]any{"level": upos.CH_INTERACTIVE}), upos.E_ILLEGAL)
	refused(t, call(h, "CheckHealth", map[string]any{"level": 9}), upos.E_ILLEGAL)
}

func directIO(h *upos.Handle, command, data int32, obj string) (string, error) {
	out, err := h.Call(context.Background(), upos.Invocation{Method: "DirectIO", Args: map[string]any{"command": command, "data": data, "obj": obj}})
	if err != nil {
		return "", err
	}
	return out["obj"].(string), nil
}

func TestDirectIO(t *testing.T) {
	w := newWorld(t)
	h, m := openTill(t, w), w.machines["Till1"]
	text, err := directIO(h, upos.DirectParts, 0, "")
	must(t, err)
	var parts []struct {
		ID    string
		Bills bool
		Store []cash.Row
	}
	must(t, json.Unmarshal([]byte(text), &parts))
	if len(parts) != 2 || parts[0].ID != "notes" || !parts[0].Bills || len(parts[0].Store) != 3 {
		t.Error(text)
	}
	_, err = directIO(h, upos.DirectRaw, 0, "07")
	refused(t, err, upos.E_NOTCLAIMED)
	must(t, claimFor(h, 0))
	_, err = directIO(h, upos.DirectRaw, 0, "07")
	refused(t, err, upos.E_DISABLED)
	must(t, h.Set("DeviceEnabled", true))
	if text, err = directIO(h, upos.DirectRaw, 1, "07"); text != "F0" || err != nil {
		t.Error(text, err)
	}
	for _, c := range []struct {
		command, data int32
		obj           string
	}{{99, 0, ""}, {upos.DirectRaw, 2, "07"}, {upos.DirectRaw, -1, "07"}, {upos.DirectRaw, 0, "xyz"}, {upos.DirectRaw, 0, ""},
		{upos.DirectRaw, 0, "33"}} {
		_, err := directIO(h, c.command, c.data, c.obj)
		refused(t, err, upos.E_ILLEGAL)
	}
	begin(t, h)
	m.Insert(upostest.Bill(5000), 2) // not routed to the store
	if text, err = directIO(h, upos.DirectCashbox, 0, ""); text != "EUR ;5000:2" || err != nil {
		t.Error(text, err)
	}
}

// TestDirectIOEvents tell what the standard has no events for.
func TestDirectIOEvents(t *testing.T) {
	w := newWorld(t)
	h, m := ready(t, w, upos.CashChanger, "Till1"), w.machines["Till1"]
	m.Box(0, true)
	m.Box(0, false)
	m.Insert(upostest.Coin(10), 1) // nobody asked for it
	m.Fraud(0)
	m.Doubt(1)
	for _, want := range []upos.Event{{Number: upos.DirectBoxRemoved, Obj: "notes"}, {Number: upos.DirectBoxReplaced, Obj: "notes"},
		{Number: upos.DirectReturned, Data: 1, Obj: "coins"}, {Number: upos.DirectFraud, Obj: "notes"},
		{Number: upos.DirectDiscrepancy, Data: 1, Obj: "coins"}} {
		ev := next(t, h)
		if ev == nil || ev.Kind != upos.DirectIOEvent || ev.Number != want.Number || ev.Data != want.Data || ev.Obj != want.Obj {
			t.Errorf("%+v, want %+v", ev, want)
		}
	}
}

func TestFirmware(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		m := w.machines["Till1"]
		m.CanUpdate(0)
		h := ready(t, w, upos.CashChanger, "Till1")
		is(t, h, "CapUpdateFirmware", true)
		w.file(t, "new.bin", "FW NVS9000200000000")
		for name, text := range map[string]string{"same.bin": "FW NVS9000100000000", "old.bin": "FW NVS9000000000000",
			"other.bin": "FW XYZ", "silent.bin": "FW ", "bad.bin": "not firmware"} {
			w.file(t, name, text)
		}
		compare := func(name string) (any, error) {
			out, err := h.Call(context.Background(), upos.Invocation{Method: "CompareFirmwareVersion", Args: map[string]any{"firmwareFileName": name}})
			return out["result"], err
		}
		for name, want := range map[string]int32{"new.bin": upos.CFV_FIRMWARE_NEWER, "same.bin": upos.CFV_FIRMWARE_SAME,
			"old.bin": upos.CFV_FIRMWARE_OLDER, "other.bin": upos.CFV_FIRMWARE_DIFFERENT, "silent.bin": upos.CFV_FIRMWARE_UNKNOWN,
			w.dir + "/new.bin": upos.CFV_FIRMWARE_NEWER} {
			if got, err := compare(name); got != want || err != nil {
				t.Errorf("%s: %v (%v), want %d", name, got, err, want)
			}
		}
		for name, want := range map[string][2]int32{"none.bin": {upos.E_NOEXIST}, "../new.bin": {upos.E_ILLEGAL}, "/etc/passwd": {upos.E_ILLEGAL},
			"bad.bin": {upos.E_EXTENDED, upos.EFIRMWARE_BAD_FILE}} {
			_, err := compare(name)
			result(t, err, want[0], want[1])
			result(t, call(h, "UpdateFirmware", map[string]any{"firmwareFileName": name}), want[0], want[1])
		}

		begin(t, h)
		refused(t, call(h, "UpdateFirmware", map[string]any{"firmwareFileName": "new.bin"}), upos.E_ILLEGAL)
		fix(t, h)
		must(t, finish(t, h, upos.CHAN_DEPOSIT_NOCHANGE))
		percent := m.Flash()
		must(t, call(h, "UpdateFirmware", map[string]any{"firmwareFileName": "new.bin"}))
		is(t, h, "State", upos.S_BUSY)
		refused(t, call(h, "ReadCashCounts", nil), upos.E_BUSY)
		refused(t, h.Set("DeviceEnabled", false), upos.E_BUSY)
		for _, p := range []int{1, 50, 50, 99, 100} {
			percent <- p
		}
		close(percent)
		synctest.Wait()
		expectStatus(t, h, upos.SUE_UF_PROGRESS+1, upos.SUE_UF_PROGRESS+50, upos.SUE_UF_PROGRESS+99, upos.SUE_UF_COMPLETE)
		is(t, h, "State", upos.S_IDLE)
		if got, _ := compare("new.bin"); got != upos.CFV_FIRMWARE_SAME {
			t.Errorf("after the update: %v", got)
		}
	})
}

// TestFirmwareIsCompleteOnceTheMachineIsBack: after the last event the machine can be worked with; one that stays away is
// told as not restored.
func TestFirmwareIsCompleteOnceTheMachineIsBack(t *testing.T) {
	for _, back := range []bool{true, false} {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			m := w.machines["Till1"]
			m.CanUpdate(0)
			h := ready(t, w, upos.CashChanger, "Till1")
			w.file(t, "new.bin", "FW NVS9000200000000")
			percent := m.Flash()
			must(t, call(h, "UpdateFirmware", map[string]any{"firmwareFileName": "new.bin"}))
			m.Online(0, false)
			percent <- 100
			close(percent)
			time.Sleep(5 * time.Second)
			expectStatus(t, h)
			is(t, h, "State", upos.S_BUSY)
			want := upos.SUE_UF_COMPLETE_DEV_NOT_RESTORED
			if back {
				m.Online(0, true)
				want = upos.SUE_UF_COMPLETE
			}
			time.Sleep(time.Minute)
			expectStatus(t, h, want)
			is(t, h, "State", upos.S_IDLE)
		})
	}
}

func TestFirmwareThatFails(t *testing.T) {
	for _, c := range []struct {
		percent []int
		err     error
		want    int32
	}{
		{nil, cash.ErrBusy, upos.SUE_UF_FAILED_DEV_OK},
		{[]int{20}, cash.ErrNotConnected, upos.SUE_UF_FAILED_DEV_UNKNOWN},
		{[]int{20}, cash.ErrInvalid, upos.SUE_UF_FAILED_DEV_NEEDS_FIRMWARE},
		{[]int{100}, cash.ErrNotConnected, upos.SUE_UF_COMPLETE_DEV_NOT_RESTORED},
	} {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			m := w.machines["Till1"]
			m.CanUpdate(0)
			h := ready(t, w, upos.CashChanger, "Till1")
			w.file(t, "new.bin", "FW NVS9000200000000")
			m.Fault("Update", c.err)
			percent := m.Flash()
			must(t, call(h, "UpdateFirmware", map[string]any{"firmwareFileName": "new.bin"}))
			var before []int32
			for _, p := range c.percent {
				percent <- p
				if p < 100 {
					before = append(before, upos.SUE_UF_PROGRESS+int32(p))
				}
			}
			if c.want == upos.SUE_UF_FAILED_DEV_UNKNOWN { // closing lets the update go on, and the claim stay, until it ends
				must(t, h.Close())
				second := openTill(t, w)
				refused(t, claimFor(second, 0), upos.E_TIMEOUT)
				close(percent)
				synctest.Wait()
				must(t, claimFor(second, 0))
				return
			}
			close(percent)
			synctest.Wait()
			expectStatus(t, h, append(before, c.want)...)
		})
	}
}

package cashdevice

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"coffer/devices"
	"coffer/internal/cash"
	"coffer/ssp"
)

// golden reads an answer that was copied from the manual.
func golden(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// opening is one of the manual's pairs of request and answer.
type opening struct {
	Name    string
	Request json.RawMessage
	Answer  map[string]any
}

// TestOpenConnectionAsInTheManual plays the manual's samples on a machine that says of itself what the sample's did.
func TestOpenConnectionAsInTheManual(t *testing.T) {
	var samples []opening
	if err := json.Unmarshal([]byte(golden(t, "OpenConnection.json")), &samples); err != nil {
		t.Fatal(err)
	}
	if len(samples) != 7 {
		t.Fatalf("%d samples, want one for each of 7 families", len(samples))
	}
	for _, s := range samples {
		t.Run(s.Name, func(t *testing.T) {
			with(t, DotNet, func(t *testing.T, b *bench) { s.play(t, b) })
		})
	}
}

func (s opening) play(t *testing.T, b *bench) {
	id := s.Answer["deviceID"].(string)
	port := id[strings.IndexByte(id, '-')+1:]
	d := s.machine(t, cash.DeviceID(id), port)
	b.station.ports, b.station.machines = []string{port}, map[string]devices.Device{port: d}
	a := b.post("OpenConnection", string(s.Request))
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	want := s.Answer
	moment := regexp.MustCompile(`\d\d/\d\d/\d{4} \d\d:\d\d:\d\d`)
	for _, answer := range []map[string]any{got, want} {
		answer["realTimeClock"] = moment.ReplaceAllString(fmt.Sprint(answer["realTimeClock"]), "TIME")
	}
	if s.Name == "SMART Hopper" {
		delete(got, "cashBoxLevels") // asked for, and left out of the sample
	}
	w, _ := json.Marshal(want)
	g, _ := json.Marshal(got)
	sameJSON(t, string(g), string(w))
}

// machine makes the machine of a sample out of its answer.
func (s opening) machine(t *testing.T, id cash.DeviceID, port string) devices.Device {
	text := func(name string) string { v, _ := s.Answer[name].(string); return v }
	revision := func(name string) ssp.Revision {
		var major, minor int
		fmt.Sscanf(text(name), "%d.%d", &major, &minor)
		return ssp.Revision{Revision: uint16(major<<8 | minor)}
	}
	snap := devices.Snapshot{ID: id, Port: port, Connected: true, Ready: true, Identity: devices.Identity{
		Model: text("deviceModel"), Protocol: 7, Firmware: text("firmware"), Dataset: text("dataset"), ModuleSerials: map[byte]string{},
	}}
	stored := cash.Counts{}
	for _, l := range s.Answer["allLevels"].([]any) {
		m := l.(map[string]any)
		d := cash.Denom{Value: int64(m["value"].(float64)), Currency: cash.Currency(m["countryCode"].(string))}
		snap.Channels = append(snap.Channels, devices.Channel{Number: len(snap.Channels) + 1, Denom: d})
		stored[d] = int(m["stored"].(float64))
	}
	fake := &fakeDevice{acc: cash.Account{Levels: stored, Kind: cash.CountersNote}}
	switch snap.Model {
	case modelNV4000:
		snap.HasPayout, snap.Serial = true, fmt.Sprint(int(s.Answer["mainSerialNumber"].(float64)))
		snap.Revisions = []ssp.Revision{revision("buildRevision")}
		fields := s.Answer["nV4000Fields"].(map[string]any)
		for part, name := range map[byte]string{
			partRecycler1: "recycler1SerialNumber", partRecycler1 + 1: "recycler2SerialNumber", partRecycler1 + 2: "recycler3SerialNumber",
			partRecycler1 + 3: "recycler4SerialNumber", partInterface: "interfaceSerialNumber", partDock: "dockSerialNumber",
			partCassette: "replenishmentCassetteSerialNumber", partConveyor: "conveyorSerialNumber",
		} {
			snap.ModuleSerials[part] = fmt.Sprint(int(fields[name].(float64)))
		}
	case modelPayout:
		snap.HasPayout, snap.Serial = true, text("validatorSerialNumber")
		snap.ModuleSerials[partPayout] = text("payoutModuleSerialNumber")
		snap.Revisions = []ssp.Revision{revision("validatorRevision"), revision("payoutModuleRevision")}
	case modelCoins, modelTwin, "SMART_HOPPER_4":
		snap.Coins, snap.HasPayout, snap.Serial = true, true, text("primaryHopperSerialNumber")
		snap.ModuleSerials[partFeeder], snap.ModuleSerials[partSecondary] = text("coinFeederSerialNumber"), text("secondaryHopperSerialNumber")
		snap.Revisions = []ssp.Revision{revision("primaryHopperBuildRevision"), revision("coinFeederBuildRevision"), revision("secondaryHopperBuildRevision")}
		fake.acc.Kind = cash.CountersCoin
	}
	for _, line := range strings.Split(text("counters"), "\n")[1:] {
		var n uint32
		if _, after, ok := strings.Cut(line, ": "); ok {
			fmt.Sscan(after, &n)
			fake.acc.Counters = append(fake.acc.Counters, n)
		}
	}
	fake.snap = snap
	return fakeAll{fakeNV4000{fakeNotes{fake}}}
}

func TestOpeningTellsTheWayIn(t *testing.T) {
	const begin = "CONNECTING CONNECTED STARTING STARTED "
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.post("OpenConnection", `{"ComPort":"COM5","SspAddress":0}`)
		if got := states(t, b.get("GetDeviceStatus"+q).body); got != begin+"DISABLED" {
			t.Errorf("states %s", got)
		}
		b.notes.tells = func() { b.bus.Publish(notesID, at(), 0, cash.StateChanged{State: cash.StateDisabled}) }
		b.post("OpenConnection", `{"ComPort":"COM5","SspAddress":0,"EnableAcceptor":true}`)
		b.publish(cash.StateChanged{State: cash.StateIdle})
		a := b.get("GetDeviceStatus" + q)
		if got := states(t, a.body); got != begin+"IDLE" {
			t.Errorf("states of the second opening %s", got)
		}
		b.publish(cash.StateChanged{State: cash.StateDisabled})
		if got := states(t, b.get("GetDeviceStatus"+q).body); got != "DISABLED" {
			t.Errorf("later told %s", got)
		}
		var events []json.RawMessage
		if err := json.Unmarshal([]byte(a.body), &events); err != nil {
			t.Fatal(err)
		}
		sameJSON(t, string(events[0]), // the manual's sample
			`{"type":"DeviceStatusResponse","state":1,"stateAsString":"CONNECTING","isRunning":true,"message":"Device state changed: CONNECTING"}`)
	})
}

// TestNoStateFromBeforeTheOpening: what the machine told while it was opened is not told behind the state that opening has
// set, also if the next call has changed that by the time that somebody looks.
func TestNoStateFromBeforeTheOpening(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		accepts := true
		v := b.api.newView(fakeNotes{b.notes}, place{port: "COM5", index: -1}, notesID)
		v.arrive(true)
		b.publish(cash.StateChanged{State: cash.StateDisabled}, cash.StateChanged{State: cash.StateIdle},
			cash.NoteRejected{Code: 6}, cash.StateChanged{State: cash.StateDisabled})
		v.run(t.Context(), func() bool { now := accepts; accepts = false; return now }, quiet())
		defer v.end()
		b.publish(cash.StateChanged{State: cash.StateIdle}, cash.StateChanged{State: cash.StateDisabled})
		var told []string
		entries, _ := v.queue.drain()
		for _, e := range entries {
			told = append(told, strings.TrimPrefix(e.message(), "Device state changed: "))
		}
		const want = "CONNECTING CONNECTED STARTING STARTED IDLE REJECTING REJECTED IDLE DISABLED"
		if got := strings.Join(told, " "); got != want {
			t.Errorf("told %s\nwant %s", got, want)
		}
	})
}

// states lists the states in an answer of GetDeviceStatus.
func states(t *testing.T, body string) string {
	t.Helper()
	var events []struct{ Type, StateAsString, EventTypeAsString string }
	if err := json.Unmarshal([]byte(body), &events); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range events {
		out = append(out, e.StateAsString+strings.ToLower(e.EventTypeAsString))
	}
	return strings.Join(out, " ")
}

func TestOpeningSetsUpInOrder(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.post("OpenConnection", `{"ComPort":"COM5","SetInhibits":[{"Denomination":"500 GBP","Inhibit":false}],
			"SetRoutes":[{"Denomination":"500 GBP","Route":7}],"EnableAcceptor":true,"EnableAutoAcceptEscrow":false,"EnablePayout":true}`)
		want := "allow 500 GBP; route 500 GBP True; auto-accept False; payout-on; enable"
		if got := b.notes.took(); got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

func TestOpeningSaysWhatFailed(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.notes.errs["enable"] = cash.ErrJam
		a := b.post("OpenConnection", `{"ComPort":"COM5","EnableAcceptor":true,
			"SetInhibits":[{"Denomination":"500 EUR","Inhibit":true}],"SetRoutes":[{"Denomination":"500 GBP","Route":2}]}`)
		var got map[string]any
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if got["inhibits"] != "FAILED: Could not set inhibit for 500 EUR to INHIBITED." ||
			got["routes"] != "FAILED: Could not set route for 500 GBP to RECYCLER_1.\r\n" || got["acceptorEnabled"] != false {
			t.Errorf("answer %v", got)
		}
	})
}

func TestOpenConnectionRefused(t *testing.T) {
	failed := func(word string) string { return `{"openResult":"FAILED","error":"` + word + `"}` }
	tests := []struct {
		name, body, want string
		prepare          func(*bench)
	}{
		{"unknown port", `{"ComPort":"COM99","SspAddress":0}`, failed("PORT_ERROR"), nil},
		{"wrong address", `{"ComPort":"COM5","SspAddress":16}`, failed("PORT_ERROR"), nil},
		{"index beyond the lines", `{"ComPort":3}`, failed("PORT_ERROR"), nil},
		{"negative index", `{"Port":-1}`, failed("PORT_ERROR"), nil},
		{"silent", `{"ComPort":"COM5"}`, failed("PORT_ERROR"), func(b *bench) { b.station.err = cash.ErrNotConnected }},
		{"jammed", `{"ComPort":"COM5"}`, failed("JAMMED"), func(b *bench) { b.station.err = cash.ErrJam }},
		{"claimed, another key", `{"ComPort":"COM5","EncKey":666}`, failed("DEVICE_BUSY (CLAIMED)"), func(b *bench) { b.till.claimed = true }},
		{"lost under way", `{"ComPort":"COM5"}`, failed("PORT_ERROR"), func(b *bench) { b.notes.errs["account"] = cash.ErrNotConnected }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			with(t, DotNet, func(t *testing.T, b *bench) {
				if tt.prepare != nil {
					tt.prepare(b)
				}
				b.post("OpenConnection", tt.body).is(t, 400, jsonText, tt.want)
				b.get("GetDeviceStatus"+q).text(t, 404, "Cash device not found")
			})
		})
	}
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.post("OpenConnection", "").problem(t, "ComPort")
		b.post("OpenConnection", `{"ComPort":""}`).problem(t, "ComPort")
		b.post("OpenConnection", `{"ComPort":null}`).problem(t, "ComPort")
		b.post("OpenConnection", `{"ComPort":{}}`).problem(t, "ComPort")
		b.post("OpenConnection", `{"ComPort":"COM5","SspAddress":300}`).problem(t, "SspAddress")
		b.post("OpenConnection", `{"ComPort":"COM5","EncKey":-1}`).problem(t, "EncKey")
		b.post("OpenConnection", `{"ComPort":"COM5","SetInhibits":[{"Denomination":"five"}]}`).problem(t, "SetInhibits")
		b.post("OpenConnection", `{"ComPort":"COM5","SetInhibits":[5]}`).problem(t, "SetInhibits")
		b.post("OpenConnection", `{"ComPort":"COM5","SetRoutes":[{"Denomination":"500 GBP","Route":9}]}`).problem(t, "SetRoutes")
		b.post("OpenConnection", `{"ComPort":"COM5","EnableAcceptor":"maybe"}`).problem(t, "EnableAcceptor")
		b.post("OpenConnection", `["COM5"]`).problem(t, "$")
		b.post("OpenConnection", `{"ComPort":`).problem(t, "$")
		if got := b.notes.took(); got != "" {
			t.Errorf("the machine was told %q by requests that were refused", got)
		}
	})
}

// TestOpeningAClaimedMachine: the view opens for reading, whatever is asked for; the machine is told nothing, and the answer
// says so where something was asked for.
func TestOpeningAClaimedMachine(t *testing.T) {
	const busy = "DEVICE_BUSY (CLAIMED)"
	tests := []struct {
		name, body, deviceError string
		more                    map[string]any
	}{
		{"nothing", `{"ComPort":"COM5"}`, "NONE", nil},
		{"nothing in so many words", `{"ComPort":"COM5","EnableAcceptor":false,"EnableAutoAcceptEscrow":false,"EnablePayout":false,
			"DispenseToBezel":false,"SetInhibits":[],"SetRoutes":[],"EncKey":81985526925837671}`, "NONE", nil},
		{"acceptor", `{"ComPort":"COM5","EnableAcceptor":true}`, busy, nil},
		{"payout", `{"ComPort":"COM5","EnablePayout":true,"EnableAutoAcceptEscrow":true}`, busy, nil},
		{"inhibits", `{"ComPort":"COM5","SetInhibits":[{"Denomination":"500 GBP","Inhibit":true}]}`, busy,
			map[string]any{"inhibits": "FAILED: Could not set inhibit for 500 GBP to INHIBITED."}},
		{"routes", `{"ComPort":"COM5","SetRoutes":[{"Denomination":"500 GBP","Route":7}]}`, busy,
			map[string]any{"routes": "FAILED: Could not set route for 500 GBP to PAYOUT.\r\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			with(t, DotNet, func(t *testing.T, b *bench) {
				b.notes.edit(func(s *devices.Snapshot) { s.AcceptorEnabled = true }) // whoever has the claim takes money
				b.till.claimed = true
				a := b.post("OpenConnection", tt.body)
				var got map[string]any
				if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 {
					t.Fatalf("%d %s", a.status, a.body)
				}
				want := map[string]any{"deviceID": notesID, "isOpen": true, "deviceError": tt.deviceError,
					"acceptorEnabled": false, "autoAcceptEscrowEnabled": false, "payoutEnabled": false}
				maps.Copy(want, tt.more)
				for name, v := range want {
					if got[name] != v {
						t.Errorf("%s is %v, want %v", name, got[name], v)
					}
				}
				if told := b.notes.took(); told != "" {
					t.Errorf("the machine was told %q", told)
				}
				if got := states(t, b.get("GetDeviceStatus"+q).body); got != "CONNECTING CONNECTED STARTING STARTED IDLE" {
					t.Errorf("states %s: the acceptor is on", got)
				}
				b.till.claimed = false
				b.post("DisableAcceptor"+q, "").text(t, 200, notesID+": Acceptor disabled successfully.")
			})
		})
	}
}

func TestReopenGivesTheSameIDAndANewQueue(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		b.publish(cash.NoteHeld{Note: cash.Denom{Value: 500, Currency: "GBP"}})
		a := b.post("OpenConnection", `{"ComPort":"com5"}`)
		if !strings.Contains(a.body, `"deviceID":"SPECTRAL_PAYOUT-COM5"`) || a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if body := b.get("GetDeviceStatus" + q).body; strings.Contains(body, "ESCROW") {
			t.Errorf("the new queue begins with the old one's events: %s", body)
		}
	})
}

func TestDisconnect(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		b.post("DisconnectDevice"+q, "").text(t, 200, notesID+": Device disconnected and cleaned up successfully.")
		if got := b.notes.took(); got != "disable" {
			t.Errorf("told %q, want the acceptor off", got)
		}
		if len(b.station.released) != 1 {
			t.Error("the port was not released")
		}
		b.post("DisconnectDevice"+q, "").text(t, 404, "Cash device not found")
		b.get("GetDeviceStatus"+q).text(t, 404, "Cash device not found")

		b.open() // a machine that is lost can be disconnected all the same
		b.notes.err = cash.ErrNotConnected
		b.strict = false // a path met in the field, which the document leaves out
		if a := b.post("CloseDevice"+q, ""); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestResetForgetsTheDevice(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.open()
		b.notes.errs["reset"] = cash.ErrBusy
		if a := b.post("ResetDevice"+q, ""); a.status != 400 || !strings.Contains(a.body, "BUSY") {
			t.Errorf("%d %s", a.status, a.body)
		}
		delete(b.notes.errs, "reset")
		b.post("ResetDevice"+q, "").text(t, 200, "Device reset successfully.")
		b.post("EnableAcceptor"+q, "").text(t, 404, "Cash device not found")
	})
}

func TestDevicesByIndex(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		for _, body := range []string{`{"ComPort":0}`, `{"Port":"0"}`, `{"Port":0,"SSPAddress":0}`} {
			if a := b.post("OpenConnection", body); !strings.Contains(a.body, `"deviceID":"SPECTRAL_PAYOUT-COM5"`) {
				t.Errorf("%s: %d %s", body, a.status, a.body)
			}
		}
		want := `[{"Port":0,"DeviceName":"NV200 Spectral","VendorId":6428,"ProductId":16644},
			{"Port":1,"DeviceName":"ITL SMART System DEVICE","VendorId":6428,"ProductId":16644},
			{"Port":2,"DeviceName":"NV200 Spectral","VendorId":6428,"ProductId":16644}]`
		b.get("GetConnectedUSBDevices").is(t, 200, jsonText, want)
		b.post("GetConnectedUSBDevices", "").is(t, 200, jsonText, want)
	})
}

// TestNamesOfOtherMachines: a client of the four steps chooses the name of its machine, but nobody else's; and a name is
// that of one machine at a time.
func TestNamesOfOtherMachines(t *testing.T) {
	with(t, DotNet, func(t *testing.T, b *bench) {
		b.strict = false
		b.openAll()
		const taken = coinsID + ": The name belongs to another device."
		b.post("ConnectDevice?deviceID="+coinsID, `{"ComPort":"COM5"}`).text(t, 400, taken)
		b.post("OpenDevice", `{"ComPort":"COM5","Name":"`+strings.ToLower(coinsID)+`"}`).text(t, 400, strings.ToLower(taken[:len(coinsID)])+taken[len(coinsID):])
		b.post("DisconnectDevice?deviceID="+coinsID, "")
		b.post("ConnectDevice?deviceID="+coinsID, `{"ComPort":"COM5"}`).text(t, 400, taken) // nor while it is not open

		b.post("ConnectDevice?deviceID=TILL", `{"ComPort":"COM5"}`).text(t, 200, "TILL: Device connected successfully.")
		first := b.api.views.find("TILL")
		b.post("ConnectDevice?deviceID=till", `{"ComPort":"COM9","SspAddress":16}`).text(t, 200, "till: Device connected successfully.")
		b.get("GetAllCashDevices").is(t, 200, jsonText, `["`+plainID+`","till"]`)
		select {
		case <-first.done:
		default:
			t.Error("the view that had the name is filled for ever")
		}
	})
}

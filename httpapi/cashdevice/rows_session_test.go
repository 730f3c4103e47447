package cashdevice

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"coffer/devices/sim"
	"coffer/internal/cash"
)

// What is wanted in these tests is copied from the manual, or follows from what the machine was made to do.

func TestRowsSession(t *testing.T) {
	prove(t, "ITL-05 DisconnectDevice", everyone, func(r *resident) {
		r.says(r.post("DisconnectDevice", ""), "<id>: Device disconnected and cleaned up successfully.")
		r.refuses(r.get("GetDeviceStatus"), 404, "Cash device not found")
		r.refuses(r.post("DisconnectDevice", ""), 404, "Cash device not found")
		if r.sim.Truth().Enabled && strings.Contains(noteAll, r.family) {
			r.t.Error("the machine still takes money")
		}
		r.resident(r.family) // the port is free
	})
	prove(t, "ITL-05 CloseDevice", "SPECTRAL_PAYOUT", func(r *resident) {
		r.says(r.post("CloseDevice", ""), "<id>: Device disconnected and cleaned up successfully.")
	})
	prove(t, "ITL-07 StopDevice, ITL-06 StartDevice", everyone, func(r *resident) {
		r.says(r.post("StopDevice", ""), "<id>: Device stopped successfully.")
		if got := r.until("STOPPED"); got != "STOPPING STOPPED" {
			r.t.Errorf("told %s", got)
		}
		r.insert(r.dataset[0]) // refused: the acceptor is off
		time.Sleep(10 * time.Second)
		if got := r.events(); len(got) != 0 {
			r.t.Errorf("told while stopped: %v", got)
		}
		r.says(r.post("StartDevice", ""), "<id>: Device started successfully.")
		if got := r.until("IDLE"); got != "STARTING STARTED IDLE" {
			r.t.Errorf("told %s", got)
		}
		r.says(r.post("StartDevice", ""), "<id>: Device started successfully.") // of a running one too
		r.insert(r.dataset[0])
		r.until("IDLE")
		r.agrees()
	})
	prove(t, "ITL-40 ResetDevice", everyone, func(r *resident) {
		r.says(r.post("ResetDevice", ""), "Device reset successfully.")
		r.refuses(r.get("GetDeviceStatus"), 404, "Cash device not found")
		r.resident(r.family)
		r.agrees()
	})
	prove(t, "ITL-38 SendCustomCommand", everyone, func(r *resident) {
		a := r.post("SendCustomCommand", `{"CustomCommandDataString":"20"}`) // GET FIRMWARE VERSION
		if a.status != 200 || !regexp.MustCompile(`^Custom command sent successfully\.\nF0( [0-9A-F]{2})+$`).MatchString(a.body) {
			r.t.Errorf("%d %q", a.status, a.body)
		}
		r.refuses(r.post("SendCustomCommand", `{"CustomCommandDataString":"EE"}`), 400, "<id>: Failed to send custom command.\nF2")
		if a := r.post("SendCustomCommand", `{"CustomCommandDataString":"XY"}`); a.status != 400 {
			r.t.Errorf("bad hexadecimal: %d %s", a.status, a.body)
		}
		if a := r.post("SendCustomCommand", `{"CustomCommandDataString":"52"}`); a.status != 400 {
			r.t.Errorf("a command that moves money past the ledger: %d %s", a.status, a.body)
		}
		r.says(r.post("SendCustomCommand", `{"CustomCommandDataString":"01"}`), "Custom command sent successfully.\nF0")
		if got := r.until("IDLE"); !strings.Contains(got, "RESET") {
			r.t.Errorf("told %s", got)
		}
		r.agrees()
	})
	prove(t, "ITL-08 LogRawPackets, ITL-C3 logs", everyone, func(r *resident) {
		r.post("DisconnectDevice", "")
		folder := filepath.Join(r.dir, "client") + string(filepath.Separator)
		a := r.town.post("OpenConnection", r.opening(`,"LogFile Path":`+quoted(folder)))
		if a.status != 200 {
			r.t.Fatalf("%d %s", a.status, a.body)
		}
		files, _ := filepath.Glob(filepath.Join(folder, "*"))
		if len(files) != 1 || !regexp.MustCompile(`^Cash-Device_`+r.id+`_LOG_\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.log$`).MatchString(filepath.Base(files[0])) {
			r.t.Fatalf("files %q", files)
		}
		read := func() string { b, _ := os.ReadFile(files[0]); return string(b) }
		if got := read(); !strings.Contains(got, "Device state changed: STARTED\n") || strings.Contains(got, " TX ") {
			r.t.Errorf("log %s", got)
		}
		r.says(r.post("LogRawPackets", "true"), "<id>: Raw packet logging has been enabled.")
		r.get("GetAllLevels")
		time.Sleep(time.Second)
		with := read()
		if !regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} TX 7F [0-9A-F ]+ \(.*\)$`).MatchString(with) || !strings.Contains(with, " RX 7F ") {
			r.t.Errorf("no frames in the log: %s", with)
		}
		r.says(r.post("LogRawPackets", "false"), "<id>: Raw packet logging has been disabled.")
		before := read()
		r.get("GetAllLevels")
		time.Sleep(time.Second)
		if after := read(); strings.Count(after, " TX ") != strings.Count(before, " TX ") {
			r.t.Error("frames are logged still")
		}
		r.town.post("LogRawPackets?deviceID=NV200S", "true").text(r.t, 404, "NV200S: Cash device not found.")
	})
	prove(t, "ITL-09 GetCompleteCashDevice", everyone, func(r *resident) {
		a := r.get("GetCompleteCashDevice")
		text, ok := strings.CutPrefix(a.body, r.id+": ")
		if a.status != 200 || a.media != plainText || !ok {
			r.t.Fatalf("%d %s %s", a.status, a.media, a.body)
		}
		want := names(r.t, golden(r.t, "GetCompleteCashDevice.json")) // the manual's sample
		got := names(r.t, text)
		if len(want) != 94 || strings.Join(got, " ") != strings.Join(want, " ") {
			r.t.Errorf("%d members\n%v\nwant\n%v", len(got), got, want)
		}
		b := r.call("GET", "/api/CashDevice/"+r.to("GetCompleteCashDevice"), "", "Accept", "application/json")
		b.is(r.t, 200, jsonText, text)
	})
	prove(t, "ITL-63 comPortReadError", everyone, func(r *resident) {
		r.says(r.get("comPortReadError"), "<id>: { ComPortReadError = False }")
		r.says(r.get("COMPORTREADERROR"), "<id>: { ComPortReadError = False }")
	})
}

// quoted is s as JSON.
func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// names returns the member names of a JSON object in their order.
func names(t *testing.T, text string) []string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	var out []string
	depth, key := 0, false
	for {
		tok, err := d.Token()
		if err != nil {
			return out
		}
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
				key = depth == 1
			} else {
				depth--
				key = depth == 1
			}
		default:
			if depth == 1 {
				if key {
					out = append(out, v.(string))
				}
				key = !key
			}
		}
	}
}

// TestAwayAndOff: what turns an acceptor off while its machine is away is refused, and the machine is off when it is back.
func TestAwayAndOff(t *testing.T) {
	for _, name := range []string{"DisableAcceptor", "StopDevice", "DisconnectDevice"} {
		t.Run(name, func(t *testing.T) {
			inTown(t, DotNet, "SPECTRAL_PAYOUT", func(w *town) {
				r := w.resident("SPECTRAL_PAYOUT")
				fault := func(kind string) {
					if err := r.sim.Fault(sim.Fault{Kind: kind}); err != nil {
						t.Fatal(err)
					}
				}
				fault("unplug")
				r.until("NOT_CONNECTED")
				want := 404
				if name == "DisconnectDevice" {
					want = 200
				}
				if a := r.post(name, ""); a.status != want {
					t.Errorf("%d %s", a.status, a.body)
				}
				fault("plug")
				time.Sleep(10 * time.Second)
				if d, _ := w.station.Device(cash.DeviceID(r.id)); !d.Snapshot().Ready || d.Snapshot().AcceptorEnabled {
					t.Errorf("%+v", d.Snapshot())
				}
				r.insert(500)
				time.Sleep(5 * time.Second)
				if back := r.sim.Truth().Returned; back[0].Value != 500 || back[0].Count != 1 {
					t.Errorf("returned %v", back)
				}
				r.agrees()
			})
		})
	}
}

package cashdevice

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coffer/devices/sim"
	"coffer/ssp"
)

// fileKinds are the kinds of file that the simulated machines take for their own.
var fileKinds = map[string]byte{
	"SPECTRAL_PAYOUT": 0x21, "NV22_SPECTRAL": 0x23, "NV4000": 0x40, "NV11": 0x0B, "NOTE_VALIDATOR": 0x20, smart: 0x25,
	"SMART_COIN_SYSTEM": 0x32, "TWIN_SMART_COIN_SYSTEM": 0x33, "SMART_HOPPER_4": 0x31,
}

// imageFile writes a download file of some blocks with new firmware.
func (w *town) imageFile(kind byte, firmware string) string {
	w.t.Helper()
	p := ssp.Payload{Firmware: firmware}
	image := ssp.MakeDownload(ssp.DownloadFile{
		Device: kind, Update: 0x11, RAM: bytes.Repeat([]byte{0x7F, 3, 5}, 100), Payload: p.Append(nil, 23_000), BlockSize: 500,
	})
	name := filepath.Join(w.dir, fmt.Sprintf("update-%02X.bv1", kind))
	if err := os.WriteFile(name, image, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return name
}

func TestRowsDownload(t *testing.T) {
	prove(t, "ITL-68 StartDownload, ITL-69 GetDownloadStatus", everyone, func(r *resident) {
		const start, status = "/api/Download/StartDownload", "/api/Download/GetDownloadStatus"
		r.call("GET", status, "").is(r.t, 200, jsonText, `{"state":"IDLE","currentDownloadBlock":0,"totalDownloadBlock":0,"success":false}`)
		firmware := r.station.Devices()[0].Snapshot().Firmware
		firmware = firmware[:9] + "777" + firmware[12:]
		file := r.imageFile(fileKinds[r.family], firmware)
		body := fmt.Sprintf(`{"DownloadFileName":%s,"ComPort":"%s","SspAddress":%d}`, quoted(file), r.port, r.addr)

		const invalid = "Invalid parameters. Please provide a valid file name and COM port."
		for _, bad := range []string{
			fmt.Sprintf(`{"DownloadFileName":"","ComPort":"%s"}`, r.port), fmt.Sprintf(`{"DownloadFileName":%s,"ComPort":""}`, quoted(file)),
			fmt.Sprintf(`{"DownloadFileName":"/nowhere.bv1","ComPort":"%s"}`, r.port),
			fmt.Sprintf(`{"DownloadFileName":%s,"ComPort":"%s"}`, quoted(filepath.Join(r.dir, "users.yaml")), r.port),
		} {
			r.call("POST", start, bad).text(r.t, 400, invalid)
		}
		if a := r.call("POST", start, body); a.status != 500 || !strings.HasPrefix(a.body, "Failed to initiate download") { // the port is held
			r.t.Errorf("%d %s", a.status, a.body)
		}
		r.post("DisconnectDevice", "")
		other := byte(0x21)
		if r.family == "SPECTRAL_PAYOUT" {
			other = 0x23
		}
		wrong := fmt.Sprintf(`{"DownloadFileName":%s,"ComPort":"%s","SspAddress":%d}`, quoted(r.imageFile(other, "NVS2009999000000")), r.port, r.addr)
		r.call("POST", start, wrong).text(r.t, 500, "Failed to initiate download.") // another machine's file
		if a := r.call("GET", status, ""); a.status != 500 {
			r.t.Errorf("status of a download that broke off: %d %s", a.status, a.body)
		}

		r.call("POST", start, body).text(r.t, 200, "Download initiated. Check progress with /GetDownloadStatus.")
		if a := r.call("POST", start, body); a.status != 500 { // one at a time
			r.t.Errorf("a second download: %d %s", a.status, a.body)
		}
		var seen []int
		for range 3000 {
			var now struct {
				State                                    string
				CurrentDownloadBlock, TotalDownloadBlock int
				Success                                  bool
			}
			a := r.call("GET", status, "")
			if err := json.Unmarshal([]byte(a.body), &now); err != nil || a.status != 200 {
				r.t.Fatalf("%d %s", a.status, a.body)
			}
			if n := len(seen); n == 0 || seen[n-1] != now.CurrentDownloadBlock {
				seen = append(seen, now.CurrentDownloadBlock)
			}
			if now.State == "COMPLETE" {
				if !now.Success || now.CurrentDownloadBlock != now.TotalDownloadBlock || now.TotalDownloadBlock < 46 {
					r.t.Errorf("in the end %+v", now)
				}
				break
			}
			if now.State != "UPDATING" || now.Success {
				r.t.Fatalf("%+v", now)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if len(seen) < 5 {
			r.t.Errorf("blocks seen: %v", seen)
		}
		r.resident(r.family)
		if got := r.station.Devices()[0].Snapshot().Firmware; got != firmware {
			r.t.Errorf("firmware %s, want %s", got, firmware)
		}
		if a := r.get("GetCompleteCashDevice"); !strings.Contains(a.body, `"downloadStatus":{"State":"COMPLETE",`) {
			r.t.Errorf("the dump does not tell of the download: %s", a.body)
		}
		r.agrees()
	})
	t.Run("a download that the machine does not survive", func(t *testing.T) {
		inTown(t, DotNet, "NOTE_VALIDATOR", func(w *town) {
			r := w.people["NOTE_VALIDATOR"]
			<-w.station.Tried()
			body := fmt.Sprintf(`{"DownloadFileName":%s,"ComPort":"%s","SspAddress":%d}`, quoted(w.imageFile(0x20, "NVS2009999000000")), r.port, r.addr)
			w.call("POST", "/api/CashDevice/StartDownload", body).text(t, 200, "Download initiated. Check progress with /GetDownloadStatus.")
			if err := r.sim.Fault(sim.Fault{Kind: "power_off"}); err != nil {
				t.Fatal(err)
			}
			var a answer
			for range 1000 {
				if a = w.call("GET", "/api/CashDevice/GetDownloadStatus", ""); a.status != 200 {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			if a.status != 500 || !strings.HasPrefix(a.body, "Download failed: ") {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	})
}

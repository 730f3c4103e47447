package service

import (
	"encoding/json"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"coffer/devices/sim"
	"coffer/ssp"
)

// idleWorld is two machines on one line that nobody drives.
func idleWorld(t *testing.T) (*sim.World, *sim.Line) {
	t.Helper()
	w := sim.NewWorld(t.Logf)
	t.Cleanup(func() { w.Close() })
	l := w.AddLine("COM7")
	for addr, profile := range map[ssp.Address]string{0: "nv9", 16: "scs"} {
		if _, err := l.AddMachine(addr, profile, sim.Options{Currency: "GBP"}); err != nil {
			t.Fatal(err)
		}
	}
	return w, l
}

type scanned struct {
	Ports []scannedPort `json:"ports"`
}

// scan runs `coffer device scan --json` with arguments.
func scan(t *testing.T, code int, args ...string) scanned {
	t.Helper()
	all := append([]string{"device", "scan", "--json"}, args...)
	if !strings.Contains(strings.Join(args, " "), "--url") {
		all = append(all, "--url", "http://127.0.0.1:1")
	}
	got := coffer(t, map[string]string{"COFFER_DATA_DIR": t.TempDir()}, all...)
	var out scanned
	if err := json.Unmarshal([]byte(got.out), &out); err != nil || got.code != code {
		t.Fatalf("coffer %v: exit %d, %v: %s%s", all, got.code, err, got.out, got.err)
	}
	return out
}

// TestScanFinds: both machines of a line, over TCP and over a terminal, with nothing changed in them.
func TestScanFinds(t *testing.T) {
	w, l := idleWorld(t)
	links := map[string]string{}
	addr, err := l.ListenTCP(loopbackFree)
	if err != nil {
		t.Fatal(err)
	}
	links["tcp"] = "tcp://" + addr.String()
	if runtime.GOOS == "linux" {
		_, other := idleWorld(t)
		if links["terminal"], err = other.OpenPty(); err != nil {
			t.Fatal(err)
		}
	}
	before := w.Machines()[0].Truth()
	for name, link := range links {
		t.Run(name, func(t *testing.T) {
			got := scan(t, exitDone, "--port", link)
			if len(got.Ports) != 1 || got.Ports[0].Name != link || !got.Ports[0].Scanned || len(got.Ports[0].Machines) != 2 {
				t.Fatalf("%+v", got)
			}
			note, coins := got.Ports[0].Machines[0], got.Ports[0].Machines[1]
			if note.Address != 0 || note.Model != "NOTE_VALIDATOR" || note.Firmware != "NVS0091092500000" || note.Dataset != "GBP01610" ||
				note.Currency != "GBP" || note.Protocol == 0 || note.Serial == "" || note.Error != "" {
				t.Errorf("%+v", note)
			}
			if coins.Address != 16 || coins.Model != "SMART_COIN_SYSTEM" || coins.Firmware != "SH00041401008C01" || coins.Error != "" {
				t.Errorf("%+v", coins)
			}
			text := coffer(t, nil, "device", "scan", "--port", link, "--url", "http://127.0.0.1:1").out
			for _, word := range []string{"2 machines", "NOTE_VALIDATOR", "GBP01610", note.Serial} {
				if !strings.Contains(text, word) {
					t.Errorf("%q is not in\n%s", word, text)
				}
			}
		})
	}
	if after := w.Machines()[0].Truth(); !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter  %+v", before, after)
	}
}

// TestScanOfNobody: an address without a machine costs its deadline, a port that takes no connection is a failure.
func TestScanOfNobody(t *testing.T) {
	_, l := idleWorld(t)
	addr, err := l.ListenTCP(loopbackFree)
	if err != nil {
		t.Fatal(err)
	}
	got := scan(t, exitDone, "--port", "tcp://"+addr.String(), "--addresses", "3")
	if p := got.Ports[0]; !p.Scanned || len(p.Machines) != 0 {
		t.Errorf("%+v", p)
	}
	got = scan(t, exitFailed, "--port", "tcp://127.0.0.1:1") // nobody listens there
	if p := got.Ports[0]; p.Scanned || p.Error == "" {
		t.Errorf("%+v", p)
	}
}

// TestScanLeavesDrivenPortsAlone: those of the configuration by whatever name, and those of the running coffer.
func TestScanLeavesDrivenPortsAlone(t *testing.T) {
	_, l := idleWorld(t)
	addr, err := l.ListenTCP(loopbackFree)
	if err != nil {
		t.Fatal(err)
	}
	link := "tcp://" + addr.String()
	text := "version: 1\nlines:\n  - {port: COM7, link: \"" + link + "\", devices: [{id: notes, address: 0}]}\n"
	file := write(t, "c.yaml", text)
	got := scan(t, exitFailed, "--port", link, "--config", file)
	if p := got.Ports[0]; p.Scanned || !strings.Contains(p.DrivenBy, "configuration") || !strings.Contains(p.DrivenBy, "COM7") {
		t.Errorf("%+v", p)
	}

	dir := t.TempDir()
	start(t, settingsFor(t, text+"http:\n  - {listen: 127.0.0.1:0, serve: [ops]}\n", dir))
	var e endpoints
	if err := readRun(dir, endpointsFile, &e); err != nil {
		t.Fatal(err)
	}
	got = scan(t, exitFailed, "--port", link, "--data-dir", dir, "--url", e.url("main"))
	if p := got.Ports[0]; p.Scanned || !strings.Contains(p.DrivenBy, "running coffer") {
		t.Errorf("%+v", p)
	}
	// Without its secret the running coffer tells nothing, and then nothing is opened.
	stranger := coffer(t, map[string]string{"COFFER_DATA_DIR": t.TempDir()}, "device", "scan", "--port", link, "--url", e.url("main"))
	if stranger.code != exitFailed || !strings.Contains(stranger.err, "does not say") {
		t.Logf("exit %d: %s%s", stranger.code, stranger.out, stranger.err)
		t.Error("a stranger may scan")
	}
}

// TestSamePort: a link and what it points to are one port.
func TestSamePort(t *testing.T) {
	real := write(t, "ttyACM0", "")
	link := t.TempDir() + "/usb-ITL"
	if err := os.Symlink(real, link); err != nil {
		t.Skip(err)
	}
	if !samePort(real, link) || samePort(real, link+"x") || !samePort("tcp://HOST:1", "tcp://host:1") {
		t.Error("ports are confused")
	}
}

func TestParseAddresses(t *testing.T) {
	for list, want := range map[string][]ssp.Address{
		"0,16": {0, 16}, "16,0": {0, 16}, "5": {5}, "3-5,4,16": {16, 3, 4, 5}, " 1 , 0": {0, 1},
		"": nil, "126": nil, "5-3": nil, "a": nil, "1-": nil, "-1": nil,
	} {
		got, err := parseAddresses(list)
		if !reflect.DeepEqual(got, want) || (err != nil) != (want == nil) {
			t.Errorf("%q: %v, %v", list, got, err)
		}
	}
	all, err := parseAddresses("0-125")
	if err != nil || len(all) != 126 || all[0] != 0 || all[1] != 16 {
		t.Errorf("%v, %v", all, err)
	}
}

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// smallDisk runs coffer in a mount namespace of its own, with its data on a file system of 24 MB that the test can fill
// and make read-only. The rest of the machine does not see it.
type smallDisk struct {
	*rig
	dir  string   // of the data, as coffer sees it
	wrap []string // command line that gives a command its own mounts
}

func newSmallDisk(t *testing.T) *smallDisk {
	t.Helper()
	wrap := []string{"unshare", "-m"}
	if os.Getuid() != 0 {
		wrap = []string{"unshare", "-r", "-m"}
	}
	if out, err := exec.Command(wrap[0], append(wrap[1:], "mount", "-t", "tmpfs", "none", t.TempDir())...).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no private mounts: %v %s", err, out)
		}
		t.Skipf("no private mounts on this machine: %v %s", err, out)
	}
	d := &smallDisk{rig: newRig(t, built(t, binary)), wrap: wrap}
	d.dir = d.host.data
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	// The shell mounts the disk and becomes coffer.
	script := fmt.Sprintf("mount -t tmpfs -o size=24m none '%s' && exec \"$@\"", d.dir)
	d.host.wrap = append(wrap, "sh", "-c", script, "sh")
	return d
}

// inside turns a path of the data directory as coffer sees it into one that we can use.
func (d *smallDisk) inside(name string) string {
	return fmt.Sprintf("/proc/%d/root%s", d.host.proc.cmd.Process.Pid, filepath.Join(d.dir, name))
}

// fill leaves no byte on the disk.
func (d *smallDisk) fill() {
	d.t.Helper()
	f, err := os.Create(d.inside("filler"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 16; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

// TestFullDisk: when the ledger cannot be written, acceptance goes off, /readyz says why, nothing is lost, and when it can
// be written again all goes on by itself.
func TestFullDisk(t *testing.T) {
	d := newSmallDisk(t)
	if err := d.start(true); err != nil {
		t.Fatal(err)
	}
	d.host.ready()
	d.fill()
	d.refuses()
	if err := os.Remove(d.inside("filler")); err != nil {
		t.Fatal(err)
	}
	d.goesOn()
}

// TestReadOnlyDisk: a start over a ledger that cannot be written takes no money and says why.
func TestReadOnlyDisk(t *testing.T) {
	d := newSmallDisk(t)
	d.host.wrap = nil
	if err := d.start(true); err != nil {
		t.Fatal(err)
	}
	if code := d.host.proc.terminate(20 * time.Second); code != 0 {
		t.Fatalf("exit %d", code)
	}
	d.host.wrap = append(d.wrap, "sh", "-c",
		fmt.Sprintf("mount --bind '%[1]s' '%[1]s' && mount -o remount,bind,ro '%[1]s' && exec \"$@\"", d.dir), "sh")
	d.host.launch()
	var main string
	eventually(t, "the second start prints its addresses", func() error {
		m := regexp.MustCompile(`(http://\S+)\s+journalapi`).FindStringSubmatch(d.host.proc.out.String())
		if m == nil {
			return errNotYet
		}
		main = m[1]
		return nil
	})
	eventually(t, "/readyz says why", func() error {
		code, err := call(http.MethodGet, main+"/readyz", nil, nil)
		if code != http.StatusServiceUnavailable || err == nil || !strings.Contains(err.Error(), "read-only") {
			return fmt.Errorf("%d, %v", code, err)
		}
		return nil
	})
	if err := d.insert(2000); err != nil {
		t.Fatal(err)
	}
	if tr := d.note.still(); count(tr.Returned, 2000) != 1 {
		t.Errorf("a note was taken without a ledger: %+v", tr)
	}
	if code := d.host.proc.terminate(20 * time.Second); code != 0 {
		t.Errorf("exit %d", code)
	}
	d.host.wrap = nil
	if err := d.start(true); err != nil {
		t.Fatal(err)
	}
	d.host.settled(recyclerID, d.note)
	d.worksOn()
}

// refuses shows how coffer behaves without a ledger.
func (d *smallDisk) refuses() {
	d.t.Helper()
	if err := d.insert(2000); err != nil { // taken before coffer knows of its disk
		d.t.Fatal(err)
	}
	eventually(d.t, "/readyz says why", func() error {
		code, err := call(http.MethodGet, d.host.ends.Main+"/readyz", nil, nil)
		if code != http.StatusServiceUnavailable || err == nil || !strings.Contains(err.Error(), "ledger") {
			return fmt.Errorf("%d, %v", code, err)
		}
		return nil
	})
	eventually(d.t, "acceptance goes off", until(func() bool { return !d.note.truth().Enabled }))
	err := d.post("DispenseValue", map[string]any{"Value": 500, "CountryCode": "EUR"})
	if err == nil || errors.Is(err, errGone) {
		d.t.Errorf("payout without a ledger: %v", err)
	}
	if tr := d.note.truth(); worth(tr.Dispensed) != 0 {
		d.t.Errorf("paid without a ledger: %v", tr.Dispensed)
	}
}

// goesOn shows that nothing was lost.
func (d *smallDisk) goesOn() {
	d.t.Helper()
	d.host.ready()
	eventually(d.t, "acceptance comes back", until(func() bool { return d.note.truth().Enabled }))
	eventually(d.t, "the note is on the books", func() error {
		tr := d.note.truth()
		if tr.Moving {
			return errNotYet
		}
		return d.host.agrees(recyclerID, tr)
	})
	endOfNote(d.rig, d.note.truth())
	d.worksOn()
}

package cashdevice

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"coffer/internal/proof"
)

func TestLogPath(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there")
	if err := os.Mkdir(there, 0o750); err != nil {
		t.Fatal(err)
	}
	usual := "Cash-Device_SPECTRAL_PAYOUT-_dev_ttyACM0_LOG_" + at().Local().Format("2006_01_02_15_04_05") + ".log"
	tests := []struct{ name, want string }{ // "" for none
		{"", filepath.Join("logs", usual)},
		{"  ", filepath.Join("logs", usual)},
		{"till.log", filepath.Join("logs", "till.log")},
		{filepath.Join("deep", "till.TXT"), filepath.Join("logs", "deep", "till.TXT")},
		{there + string(filepath.Separator), filepath.Join("there", usual)},
		{there, filepath.Join("there", usual)},
		{filepath.Join(dir, "new", "x.log"), filepath.Join("new", "x.log")},
		{"../x.log", ""},
		{filepath.Join(dir, "users.yaml"), ""},
		{"cron", ""},
	}
	if runtime.GOOS != "windows" {
		tests = append(tests, []struct{ name, want string }{
			{`C:\Temp\`, filepath.Join("logs", usual)},
			{`C:\Temp\Cash_Device_Log.log`, filepath.Join("logs", "Cash_Device_Log.log")},
		}...)
	}
	for _, tt := range tests {
		got, err := logPath(filepath.Join(dir, "logs"), "SPECTRAL_PAYOUT-/dev/ttyACM0", tt.name, at())
		if (err == nil) != (tt.want != "") || (err == nil && got != filepath.Join(dir, tt.want)) {
			t.Errorf("%q: %s, %v; want %s", tt.name, got, err, tt.want)
		}
	}
}

func TestLogFiles(t *testing.T) {
	t.Run("ITL-C3 logs, rotation", func(t *testing.T) {
		proof.Of(t)
		var files logFiles
		path := filepath.Join(t.TempDir(), "folder", "x.log")
		f, err := files.open(path)
		if err != nil {
			t.Fatal(err)
		}
		again, err := files.open(path)
		if err != nil || again != f {
			t.Fatalf("the file is not shared: %v", err)
		}
		again.release()
		f.limit = 100
		for n := range 40 {
			f.write(strings.Repeat(string(rune('a'+n%26)), 29) + "\n")
		}
		f.release()
		f.write("after the end\n")
		names, _ := filepath.Glob(path + "*")
		if len(names) != 1+logsKept {
			t.Errorf("files %v", names)
		}
		for _, name := range names {
			b, _ := os.ReadFile(name)
			if len(b) > 100 || !strings.HasPrefix(string(b), logHeader) || strings.Contains(string(b), "after the end") {
				t.Errorf("%s: %q", name, b)
			}
		}
		if f, err = files.open(path); err != nil { // one of before is gone on with
			t.Fatal(err)
		}
		f.write("more\n")
		f.release()
		if b, _ := os.ReadFile(path); strings.Count(string(b), logHeader) != 1 || !strings.HasSuffix(string(b), "more\n") {
			t.Errorf("%q", b)
		}
	})
	t.Run("what is something else is left alone", func(t *testing.T) {
		var files logFiles
		other := filepath.Join(t.TempDir(), "other.log")
		if err := os.WriteFile(other, []byte("precious\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		link := other + ".txt"
		if _, err := files.open(other); err == nil {
			t.Error("took over a file of somebody else")
		}
		if err := os.Symlink(filepath.Join(filepath.Dir(other), "elsewhere"), link); err == nil {
			if _, err := files.open(link); err == nil {
				t.Error("followed a link")
			}
		}
		if b, _ := os.ReadFile(other); string(b) != "precious\n" {
			t.Errorf("%q", b)
		}
	})
}

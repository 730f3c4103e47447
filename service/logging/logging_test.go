package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// memory stands in for a rotating file.
type memory struct {
	bytes.Buffer
	closed bool
}

func (m *memory) Close() error {
	m.closed = true
	return nil
}

func TestConsoleAndFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("JOURNAL_STREAM", "")
	var console bytes.Buffer
	l := New(Config{Level: "warn", File: "logs/coffer.log"}, dir, &console)
	l.Info("quiet")
	l.WithField("device", "SPECTRAL_PAYOUT-COM5").Warn("loud")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := console.String(); strings.Contains(got, "quiet") || !strings.Contains(got, "msg=loud device=SPECTRAL_PAYOUT-COM5") {
		t.Errorf("console: %s", got)
	}
	b, err := os.ReadFile(filepath.Join(dir, "logs", "coffer.log"))
	var row map[string]any
	if err == nil {
		err = json.Unmarshal(b, &row)
	}
	if err != nil || row["msg"] != "loud" || row["level"] != "warning" || row["device"] != "SPECTRAL_PAYOUT-COM5" {
		t.Errorf("file: %v %s", err, b)
	}
}

// TestMute: the file still gets what the console does not.
func TestMute(t *testing.T) {
	t.Setenv("JOURNAL_STREAM", "")
	dir := t.TempDir()
	var console bytes.Buffer
	l := New(Config{File: "coffer.log"}, dir, &console)
	l.Mute()
	l.Error("start failed")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "coffer.log")); err != nil || !strings.Contains(string(b), "start failed") || console.Len() > 0 {
		t.Errorf("%v, file %s, console %s", err, b, console.String())
	}
}

// TestUnderSystemd: the journal keeps the console, and the file is left alone.
func TestUnderSystemd(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("JOURNAL_STREAM", "8:1234")
	l := New(Config{File: "logs/coffer.log"}, dir, io.Discard)
	l.Info("hello")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "logs")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// TestNoFile: a disk that takes no file does not keep coffer from running.
func TestNoFile(t *testing.T) {
	t.Setenv("JOURNAL_STREAM", "")
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var console bytes.Buffer
	l := New(Config{File: "logs/coffer.log"}, dir, &console)
	l.Info("still here")
	if got := console.String(); !strings.Contains(got, "no log file") || !strings.Contains(got, "still here") {
		t.Errorf("console: %s", got)
	}
}

// TestSecrets: fields that hold secrets print as ***, in every place and whatever their type.
func TestSecrets(t *testing.T) {
	t.Setenv("JOURNAL_STREAM", "")
	var console bytes.Buffer
	file := &memory{}
	l := New(Config{}, t.TempDir(), &console)
	l.AddHook(&sink{w: file, f: l.Formatter})
	entry := l.WithField("password", "hunter2").WithField("Token", []byte("hunter2")).WithField("fixed_key", 12345)
	entry.Info("once")
	entry.Info("twice")
	for name, got := range map[string]string{"console": console.String(), "file": file.String()} {
		if strings.Contains(got, "hunter2") || strings.Contains(got, "12345") || strings.Count(got, "***") != 6 {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestOpen: rotating files are closed with the logger, and many may write.
func TestOpen(t *testing.T) {
	l := New(Config{}, t.TempDir(), nil)
	var mu sync.Mutex
	var files []*memory
	l.rotate = func(path string) io.WriteCloser {
		mu.Lock()
		defer mu.Unlock()
		files = append(files, &memory{})
		return files[len(files)-1]
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			w, err := l.Open("logs/wire.log")
			if err == nil {
				_, err = io.WriteString(w, "x")
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil || len(files) != 8 {
		t.Errorf("%v, %d files", err, len(files))
	}
	for _, f := range files {
		if !f.closed || f.String() != "x" {
			t.Errorf("closed %v, %q", f.closed, f.String())
		}
	}
}

func TestValidate(t *testing.T) {
	for key, c := range map[string]Config{
		"level": {Level: "loud"}, "max_size_mb": {MaxSizeMB: -1}, "max_backups": {MaxBackups: -1}, "max_age_days": {MaxAgeDays: -1},
	} {
		var f *Fault
		if err := c.Validate(); !errors.As(err, &f) || f.Key() != key {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := (Config{Level: "Debug", MaxSizeMB: 1}).Validate(); err != nil {
		t.Error(err)
	}
}

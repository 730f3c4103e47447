//go:build linux

package service

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	kardianos "github.com/kardianos/service"

	"coffer/installer/linux"
)

// TestUnit renders what `service install` writes, with the paths of the packages: it must be the packages' own unit. A systemctl that does nothing stands in for systemd.
func TestUnit(t *testing.T) {
	home, bin := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "systemctl"), []byte("#!/bin/sh\nexit 0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	cfg := serviceConfig("/etc/coffer/config.yaml")
	cfg.Executable = "/usr/bin/coffer"
	cfg.Option["UserService"] = true
	var systemd kardianos.System
	for _, s := range kardianos.AvailableSystems() {
		if s.String() == "linux-systemd" {
			systemd = s
		}
	}
	s, err := systemd.New(&program{}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Install(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(home, ".config/systemd/user/coffer.service"))
	// The library quotes arguments, which systemd takes off again.
	if err != nil || strings.ReplaceAll(string(got), `"`, "") != linux.Unit {
		t.Errorf("%v\n%s", err, got)
	}
}

// TestNotify sends to a socket as systemd's.
func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "20000000")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	asked := false
	if err := watchdog(ctx, func() { asked = true }); err != nil || !asked {
		t.Errorf("%v, asked %v", err, asked)
	}
	notify("READY=1")
	buf := make([]byte, 100)
	for _, want := range []string{"WATCHDOG=1", "READY=1"} {
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(buf); err != nil || string(buf[:n]) != want {
			t.Errorf("%v, %q, want %q", err, buf[:n], want)
		}
	}
}

// TestWatchdogRate: twice as often as systemd asks for, and not at all where it does not.
func TestWatchdogRate(t *testing.T) {
	for usec, want := range map[string]int{"20000000": 7, "": 0, "soon": 0} {
		t.Setenv("WATCHDOG_USEC", usec)
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Second)
			defer cancel()
			n := 0
			if err := watchdog(ctx, func() { n++ }); err != nil || n != want {
				t.Errorf("WATCHDOG_USEC=%s: %v, %d times in a minute, want %d", usec, err, n, want)
			}
		})
	}
}

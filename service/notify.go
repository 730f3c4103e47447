package service

import (
	"context"
	"net"
	"os"
	"strconv"
	"time"
)

// notify tells systemd what the process does ("READY=1", "STOPPING=1", "STATUS=…"), if systemd started it. It is a
// datagram to the socket in NOTIFY_SOCKET (sd_notify(3)); trouble with it is nobody's concern.
func notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if path[0] == '@' {
		path = "\x00" + path[1:] // abstract namespace
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state))
}

// watchdogInterval is half of what systemd's watchdog allows, 0 if there is none.
func watchdogInterval() time.Duration {
	us, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || us <= 0 {
		return 0
	}
	return time.Duration(us) * time.Microsecond / 2
}

// watchdog tells systemd that the process lives, each time alive has returned, until ctx ends. alive goes through the
// locks that a hanging process would hold.
func watchdog(ctx context.Context, alive func()) error {
	every := watchdogInterval()
	if every == 0 {
		<-ctx.Done()
		return nil
	}
	for {
		alive()
		notify("WATCHDOG=1")
		if pause(ctx, every) != nil {
			return nil
		}
	}
}

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// BenchmarkCrowd measures how long answers take, and how much of one processor coffer uses, while 50 clients ask one
// machine at 10 Hz and another client takes and pays.
func BenchmarkCrowd(b *testing.B) {
	host := newCoffer(b, built(b, binary), loadConfig)
	host.start()
	m := controlled(b, host.ends.Main, recyclerPort, 0)
	m.speed(20)
	rest := host.client()
	rest.open(recyclerPort, 0, true)
	for b.Loop() {
		c := gather(rest, recyclerID, 50, 100*time.Millisecond)
		before, begin := usedBy(b, host.proc.cmd.Process.Pid), time.Now()
		rounds := 0
		for time.Since(begin) < measured {
			rounds++
			if err := payAndTake(rest, m, c, 1); err != nil {
				b.Fatal(err)
			}
			c.mu.Lock()
			c.seen = nil
			c.mu.Unlock()
		}
		used, took := usedBy(b, host.proc.cmd.Process.Pid)-before, time.Since(begin)
		c.leave()
		if c.err != nil {
			b.Fatal(c.err)
		}
		figure("50-clients-10Hz-p50", milliseconds(c.percentile(50)), "ms")
		figure("50-clients-10Hz-p99", milliseconds(c.percentile(99)), "ms")
		figure("50-clients-10Hz-cpu", 100*used.Seconds()/took.Seconds(), "percent-of-one-processor")
		figure("50-clients-10Hz-payouts", float64(rounds)/took.Seconds(), "per-second")
	}
	b.ReportMetric(0, "ns/op")
}

// usedBy is what a process has used of the processors, by /proc/PID/stat in ticks of 10 ms.
func usedBy(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name before may hold anything
	f := strings.Fields(rest)
	var user, system int64
	if len(f) < 13 {
		b.Fatalf("stat: %s", text)
	}
	if _, err := fmt.Sscan(f[11]+" "+f[12], &user, &system); err != nil {
		b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/sirupsen/logrus"

	"coffer/devices"
	"coffer/devices/coin"
	"coffer/devices/line"
	"coffer/devices/note"
	"coffer/devices/sim"
	"coffer/internal/cash"
	"coffer/ssp"
)

// measured is how long the benchmarks of lines look at one state of things.
const measured = 10 * time.Second

// figure prints one figure for `make bench`.
func figure(name string, value float64, unit string) {
	fmt.Printf("bench: %s %.3f %s\n", name, value, unit)
}

// noBooks is a till that writes nothing down: the figures are those of lines and drivers.
type noBooks struct{}

func (noBooks) Record(context.Context, cash.DeviceID, ...cash.Event) error   { return nil }
func (noBooks) Evidence(context.Context, cash.DeviceID, ...cash.Event) error { return nil }
func (noBooks) Reconcile(context.Context, cash.DeviceID, cash.Account) error { return nil }

func silent() *logrus.Logger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}

// watchedLink notes the longest time between two frames sent.
type watchedLink struct {
	line.Link
	last, worst *atomic.Int64 // nanoseconds
}

func (l watchedLink) Write(p []byte) (int, error) {
	now := time.Now().UnixNano()
	if before := l.last.Swap(now); before != 0 {
		l.worst.Store(max(l.worst.Load(), now-before))
	}
	return l.Link.Write(p)
}

// BenchmarkManyLines polls 32 simulated machines on 32 lines every 200 ms, and measures the processor time, the memory
// and how much later than planned a poll went out at worst. The machines are in the same process, and their share is in
// the figures.
func BenchmarkManyLines(b *testing.B) {
	const lines, poll = 32, 200 * time.Millisecond
	world := sim.NewWorld(nil)
	defer world.Close()
	var cfg []devices.LineConfig
	openers := map[string]line.Opener{}
	var last, worst [lines]atomic.Int64
	for i := range lines {
		name := fmt.Sprintf("COM%d", i+1)
		l := world.AddLine(name)
		profile, addr := "spectral-payout", ssp.Address(0)
		if i%2 == 1 {
			profile, addr = "scs", 16
		}
		if _, err := l.AddMachine(addr, profile, sim.Options{Currency: "EUR"}); err != nil {
			b.Fatal(err)
		}
		pipe := line.ConnOpener(l.Pipe())
		openers[name] = func(ctx context.Context) (line.Link, error) {
			link, err := pipe(ctx)
			return watchedLink{link, &last[i], &worst[i]}, err
		}
		cfg = append(cfg, devices.LineConfig{Port: name, Devices: []devices.DeviceConfig{{Address: addr, Poll: poll}}})
	}
	station := devices.NewStation(cfg, openers, []devices.Family{note.Family(), coin.Family()}, noBooks{}, silent())
	ctx, stop := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = station.Run(ctx) })
	defer wg.Wait()
	defer stop()
	<-station.Tried()
	for b.Loop() {
		<-time.After(time.Second) // the start is over
		for i := range lines {
			last[i].Store(0)
			worst[i].Store(0)
		}
		cpu, begin := processorTime(b), time.Now()
		<-time.After(measured)
		used := processorTime(b) - cpu
		var latest time.Duration
		for i := range lines {
			latest = max(latest, time.Duration(worst[i].Load())-poll)
		}
		figure("32-lines-processor-share", 100*used.Seconds()/time.Since(begin).Seconds(), "percent-of-a-core")
		figure("32-lines-worst-poll-delay", milliseconds(latest), "ms")
	}
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	figure("32-lines-heap", float64(mem.HeapAlloc)/1e6, "MB")
	figure("32-lines-resident", resident(b, os.Getpid()), "MB")
	for _, d := range station.Devices() {
		if s := d.Snapshot(); !s.Ready {
			b.Errorf("%s is not ready: %s", s.Port, s.Error)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// processorTime is what this process has used, in user and system mode.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A byte on the wire at 9600 baud: start bit, eight bits, two stop bits (ssp.md section 1).
const (
	baud     = 9600
	byteTime = 11 * time.Second / baud
)

// slowWire carries bytes between a terminal and a simulated line as fast as 9600 baud carries them, and counts them.
type slowWire struct{ carried atomic.Int64 }

func (w *slowWire) carry(to io.Writer, from io.Reader) {
	buf := make([]byte, 1024)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		<-time.After(time.Duration(n) * byteTime)
		w.carried.Add(int64(n))
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// BenchmarkSharedLine asks two machines on one 9600-baud line, a validator and a coin system, as often as the line lets it,
// encrypted, and measures how much of what the line could carry is used: the rest is waiting for each other.
func BenchmarkSharedLine(b *testing.B) {
	world := sim.NewWorld(nil)
	defer world.Close()
	l := world.AddLine("COM7")
	for addr, profile := range map[ssp.Address]string{0: "nv9", 16: "scs"} {
		if _, err := l.AddMachine(addr, profile, sim.Options{Currency: "GBP"}); err != nil {
			b.Fatal(err)
		}
	}
	wire := &slowWire{}
	path, closeWire := slowPty(b, wire, l)
	defer closeWire()
	shared := line.New(line.Config{Name: "COM7"}, line.SerialOpener(path, baud), silent())
	ctx, stop := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = shared.Run(ctx) })
	defer wg.Wait()
	defer stop()
	<-shared.Opened()
	peers := []*line.Peer{shared.Peer(0), shared.Peer(16)}
	for _, p := range peers {
		greet(b, p)
	}
	for b.Loop() {
		before, begin := wire.carried.Load(), time.Now()
		counts := pollAll(b, peers, measured)
		took := time.Since(begin)
		bytes := float64(wire.carried.Load() - before)
		figure("2-machines-9600-line-used", 100*bytes*byteTime.Seconds()/took.Seconds(), "percent-of-capacity")
		figure("2-machines-9600-exchanges", float64(counts[0]+counts[1])/took.Seconds(), "per-second")
		figure("2-machines-9600-smaller-share", 100*float64(min(counts[0], counts[1]))/float64(counts[0]+counts[1]), "percent-of-exchanges")
	}
	b.ReportMetric(0, "ns/op")
}

// greet makes a machine ready to be polled.
func greet(b *testing.B, p *line.Peer) {
	b.Helper()
	err := p.Sync(b.Context())
	if err == nil {
		_, err = p.Tx(b.Context(), ssp.HostProtocolVersion(8))
	}
	if err == nil {
		err = p.Negotiate(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
}

// pollAll polls every machine without a pause for a time, and returns how many answers each gave.
func pollAll(b *testing.B, peers []*line.Peer, d time.Duration) []int {
	counts := make([]int, len(peers))
	var wg sync.WaitGroup
	for i, p := range peers {
		wg.Go(func() {
			for end := time.Now().Add(d); time.Now().Before(end); counts[i]++ {
				if _, err := p.Poll(b.Context(), ssp.CmdPoll.Data(), time.Now()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return counts
}

// slowPty connects a pseudo-terminal to a simulated line through a slow wire.
func slowPty(b *testing.B, w *slowWire, l *sim.Line) (path string, end func()) {
	b.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		b.Skipf("no pseudo-terminal: %v", err)
	}
	conn, err := l.Pipe()(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	// pty.Open makes the file blocking, and a blocked Read outlives Close: the reader is not waited for.
	go w.carry(conn, master)
	var wg sync.WaitGroup
	wg.Go(func() { w.carry(master, conn) })
	return slave.Name(), func() {
		hangUp(conn)
		slave.Close()
		master.Close()
		wg.Wait()
	}
}

func hangUp(c net.Conn) { _ = c.Close() }

package line

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// TestReopen: a line that breaks refuses calls, opens again after growing pauses, and starts anew with SYNC.
func TestReopen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(&slave{})
		l := start(t, Config{}, b)
		p := synced(t, l, 0)
		b.mu.Lock()
		b.refuse = errRefused
		b.dials = nil
		b.mu.Unlock()
		b.cut()
		synctest.Wait()
		lost := time.Now()
		_, err := p.Tx(t.Context(), []byte{0x07})
		if !errors.Is(err, cash.ErrNotConnected) || errors.Is(err, ErrMaybeSent) {
			t.Errorf("cut while idle: %v, want ErrNotConnected alone", err)
		}
		time.Sleep(50 * time.Millisecond)
		begin := time.Now()
		if _, err := p.Tx(t.Context(), []byte{0x07}); !errors.Is(err, cash.ErrNotConnected) || !time.Now().Equal(begin) {
			t.Errorf("while closed: %v after %v, want an answer at once", err, time.Since(begin))
		}
		if st := l.State(); st.Open || st.Err == nil {
			t.Errorf("state %+v, want closed and why", st)
		}
		time.Sleep(10 * time.Second)
		b.mu.Lock()
		want := []time.Duration{100, 300, 700, 1500, 3100, 5100, 7100, 9100}
		for i, at := range b.dials {
			if got := at.Sub(lost) / time.Millisecond; i >= len(want) || got != want[i] {
				t.Errorf("attempt %d after %d ms, want %v", i, got, want)
			}
		}
		b.refuse = nil
		b.mu.Unlock()
		<-l.Opened()
		if _, err := p.Tx(t.Context(), []byte{0x07}); !errors.Is(err, ErrNotSynced) {
			t.Errorf("after reopening: %v, want ErrNotSynced", err)
		}
		synced(t, l, 0)
		if _, err := p.Tx(t.Context(), []byte{0x07}); err != nil {
			t.Error(err)
		}
		if st := l.State(); !st.Open || st.Err != nil || st.Opens != 2 {
			t.Errorf("state %+v, want open the second time", st)
		}
	})
}

// TestBreakInExchange: a command that was under way when the line broke may have been executed.
func TestBreakInExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(&slave{})
		b.fault = silence(2)
		l := start(t, Config{}, b)
		p := synced(t, l, 0)
		time.AfterFunc(100*time.Millisecond, b.cut)
		begin := time.Now()
		if _, err := p.Tx(t.Context(), []byte{0x33}); !errors.Is(err, ErrMaybeSent) || !errors.Is(err, cash.ErrNotConnected) {
			t.Errorf("%v, want ErrMaybeSent", err)
		}
		if took := time.Since(begin); took != 100*time.Millisecond {
			t.Errorf("took %v, want to know at once", took)
		}
	})
}

// TestOpensAndCloses: a link that opens and closes at once does not make the line spin.
func TestOpensAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opens := 0
		l := startOpener(t, Config{}, ConnOpener(func(context.Context) (net.Conn, error) {
			opens++
			host, device := net.Pipe()
			device.Close()
			return host, nil
		}))
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
			if err := l.Peer(0).Sync(t.Context()); !errors.Is(err, cash.ErrNotConnected) {
				t.Fatalf("%v, want ErrNotConnected", err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if opens > 15 {
			t.Errorf("opened %d times in 20 s", opens)
		}
	})
}

// TestEnd: after Run calls are refused, and a line runs once.
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(&slave{})
		l := New(Config{Name: "COM5"}, ConnOpener(b.dial), quiet())
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- l.Run(ctx) }()
		p := synced(t, l, 0)
		waiting := make(chan error)
		go func() {
			_, err := p.Poll(t.Context(), []byte{0x07}, time.Now().Add(time.Hour))
			waiting <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := <-waiting; !errors.Is(err, cash.ErrNotConnected) {
			t.Errorf("waiting poll: %v", err)
		}
		if err := p.Sync(t.Context()); !errors.Is(err, cash.ErrNotConnected) {
			t.Errorf("after the end: %v", err)
		}
		if err := l.Run(t.Context()); err == nil {
			t.Error("ran twice")
		}
		if l.State().Open {
			t.Error("open after the end")
		}
	})
}

// oddLink is a link whose methods are given.
type oddLink struct {
	read  func([]byte) (int, error)
	write func([]byte) (int, error)
}

func (l oddLink) Read(b []byte) (int, error)         { return l.read(b) }
func (l oddLink) Write(b []byte) (int, error)        { return l.write(b) }
func (l oddLink) Close() error                       { return nil }
func (l oddLink) SetReadTimeout(time.Duration) error { return nil }
func (l oddLink) ResetInputBuffer() error            { return nil }

// TestBadLinks: a write that hangs, a driver that panics and a link that ends are all a lost line, in bounded time.
func TestBadLinks(t *testing.T) {
	swallow := func(b []byte) (int, error) { return len(b), nil }
	tests := []struct {
		name string
		link func(hang chan struct{}) oddLink
		took time.Duration
	}{
		{"write hangs", func(hang chan struct{}) oddLink {
			return oddLink{write: func([]byte) (int, error) { <-hang; return 0, io.ErrClosedPipe }}
		}, writeTimeout},
		{"write fails", func(chan struct{}) oddLink {
			return oddLink{write: func([]byte) (int, error) { return 0, io.ErrClosedPipe }}
		}, 0},
		{"read panics", func(chan struct{}) oddLink {
			return oddLink{write: swallow, read: func([]byte) (int, error) { panic("index out of range [16]") }}
		}, 0},
		{"read ends", func(chan struct{}) oddLink {
			return oddLink{write: swallow, read: func([]byte) (int, error) { return 0, io.EOF }}
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hang := make(chan struct{})
				defer close(hang)
				l := startOpener(t, Config{}, func(context.Context) (Link, error) { return tt.link(hang), nil })
				begin := time.Now()
				err := l.Peer(0).Sync(t.Context())
				if !errors.Is(err, cash.ErrNotConnected) || !errors.Is(err, ErrMaybeSent) {
					t.Errorf("%v, want ErrNotConnected and ErrMaybeSent", err)
				}
				if took := time.Since(begin); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if st := l.State(); st.Open {
					t.Error("still open")
				}
			})
		})
	}
}

// TestConnLink: the adapter keeps the rules of Link.
func TestConnLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, device := net.Pipe()
		l := newConnLink(host)
		_ = l.SetReadTimeout(time.Second)
		buf := make([]byte, 2)
		begin := time.Now()
		if n, err := l.Read(buf); n != 0 || err != nil || time.Since(begin) != time.Second {
			t.Errorf("silence: %d, %v after %v", n, err, time.Since(begin))
		}
		_, _ = device.Write([]byte{1, 2, 3})
		synctest.Wait()
		if n, err := l.Read(buf); n != 2 || err != nil || buf[1] != 2 {
			t.Errorf("first read: %d, %v, % X", n, err, buf)
		}
		if n, err := l.Read(buf); n != 1 || err != nil || buf[0] != 3 {
			t.Errorf("second read: %d, %v, % X", n, err, buf)
		}
		_, _ = device.Write([]byte{4})
		synctest.Wait()
		if err := l.ResetInputBuffer(); err != nil {
			t.Error(err)
		}
		device.Close()
		if n, err := l.Read(buf); n != 0 || err == nil {
			t.Errorf("after the end: %d, %v", n, err)
		}
		if err := l.ResetInputBuffer(); err == nil {
			t.Error("no error from a link that ended")
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// dozing is a link in a process that stands still: a Read returns that much after its time, without having looked.
type dozing struct {
	Link
	timeout time.Duration
	naps    []time.Duration
}

func (d *dozing) SetReadTimeout(t time.Duration) error {
	d.timeout = t
	return d.Link.SetReadTimeout(t)
}

func (d *dozing) Read(p []byte) (int, error) {
	if len(d.naps) == 0 || d.naps[0] == 0 {
		d.naps = d.naps[min(1, len(d.naps)):]
		return d.Link.Read(p)
	}
	time.Sleep(d.timeout + d.naps[0])
	d.naps = d.naps[1:]
	return 0, nil
}

// TestStandingStill: where the computer stands still while an answer is waited for, the machine is not to blame: the
// answer that lies there is taken, nothing is sent again, and one that comes late has its full time. A machine that is
// silent is given up all the same.
func TestStandingStill(t *testing.T) {
	for _, tt := range []struct {
		name   string
		naps   []time.Duration // of the reads after SYNC's, if any
		first  time.Duration   // of SYNC's
		silent bool
		sent   int
		gone   bool
	}{
		{name: "two seconds", naps: []time.Duration{2 * time.Second}, sent: 1},
		{name: "longer than all tries take", naps: []time.Duration{time.Minute}, sent: 1},
		{name: "again and again", naps: []time.Duration{time.Second, time.Second, time.Second}, sent: 1},
		{name: "at the first question", first: 2 * time.Second, sent: 1},
		{name: "a moment is a matter of the line", naps: []time.Duration{50 * time.Millisecond}, sent: 2},
		{name: "and nobody is there", naps: []time.Duration{2 * time.Second}, silent: true, sent: 3, gone: true},
		{name: "for ever", naps: slices.Repeat([]time.Duration{time.Second}, 20), sent: 3, gone: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &slave{}
				b := newBus(s)
				link := &dozing{naps: []time.Duration{tt.first}}
				p := synced(t, startOpener(t, Config{}, func(ctx context.Context) (Link, error) {
					l, err := ConnOpener(b.dial)(ctx)
					link.Link = l
					return link, err
				}), 0)
				synctest.Wait()
				b.mu.Lock()
				before := len(b.frames)
				if tt.silent {
					b.fault = func(int, ssp.Frame, []byte) []byte { return nil }
				}
				b.mu.Unlock()
				if before != 1 {
					t.Errorf("SYNC was sent %d times", before)
				}
				link.naps = tt.naps
				_, err := p.Tx(t.Context(), []byte{0x07})
				if gone := errors.Is(err, cash.ErrNotConnected); gone != tt.gone || err != nil && !gone {
					t.Errorf("%v", err)
				}
				b.mu.Lock()
				defer b.mu.Unlock()
				if sent := len(b.frames) - before; sent != tt.sent || len(s.executed) != 2 {
					t.Errorf("sent %d times, want %d; executed %d commands", sent, tt.sent, len(s.executed))
				}
			})
		})
	}
}

package line

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sirupsen/logrus"

	"coffer/ssp"
)

// TestTrace: the last frames are kept in order with what was inside them, for readers now and later.
func TestTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, Config{}, newBus(&slave{handle: func([]byte) []byte { return []byte{0xF0, 0xEF, 0x02} }}))
		p := negotiated(t, l, 0)
		p.SetVersion(6, false)
		live, end := l.Subscribe()
		if _, err := p.Tx(t.Context(), []byte{0x07}); err != nil {
			t.Fatal(err)
		}
		got := l.Trace()
		if len(got) != 10 {
			t.Fatalf("%d frames, want 10", len(got))
		}
		tx, rx := got[8], got[9]
		if !tx.Tx || rx.Tx || !bytes.Equal(tx.Plain, []byte{0x07}) || !bytes.Equal(rx.Plain, []byte{0xF0, 0xEF, 0x02}) {
			t.Errorf("last exchange %+v, %+v", tx, rx)
		}
		if f := ssp.DecodeAll(rx.Raw); len(f) != 1 || !f[0].Encrypted() {
			t.Errorf("raw % X, want the encrypted frame", rx.Raw)
		}
		for _, want := range []TraceEntry{tx, rx} {
			if e := <-live; e.String() != want.String() || e.Text == "" {
				t.Errorf("live %q, want %q", e, want)
			}
		}
		for range 2 * traceSize {
			if _, err := p.Tx(t.Context(), []byte{0x20}); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(l.Trace()); n != traceSize {
			t.Errorf("%d frames kept, want %d", n, traceSize)
		}
		end()
		end()
		n := 0
		for range live {
			n++
		}
		if n != traceAhead {
			t.Errorf("a slow reader got %d frames, want %d", n, traceAhead)
		}
	})
}

// TestTraceHidesKeys: neither the trace nor the log tells anything from which a key can be found.
func TestTraceHidesKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := logrus.New()
		log.SetOutput(&out)
		log.SetLevel(logrus.DebugLevel)
		b := newBus(&slave{})
		l := New(Config{Name: "COM5"}, ConnOpener(b.dial), log)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- l.Run(ctx) }()
		p := negotiated(t, l, 0)
		if _, err := p.Tx(t.Context(), append([]byte{byte(ssp.CmdSetFixedKey)}, "8 bytes!"...)); err != nil {
			t.Fatal(err)
		}
		for i, e := range l.Trace() {
			if secret := i >= 2 && e.Tx || i == 7; secret != (e.Raw == nil) || secret != strings.Contains(e.Text, "***") || len(e.Plain) != 1 {
				t.Errorf("entry %d: %s % X", i, e, e.Plain)
			}
		}
		cancel()
		<-ended
		text := out.String()
		if !strings.Contains(text, "line=COM5") || !strings.Contains(text, "7F 80 01 11 65 82") {
			t.Errorf("log without frames:\n%s", text)
		}
		for _, f := range b.frames[1:4] {
			if raw := fmt.Sprintf("% X", f.Data[1:]); strings.Contains(text, raw) {
				t.Errorf("the log holds %s", raw)
			}
		}
	})
}

// TestTraceCosts: at info level a frame costs the trace no memory.
func TestTraceCosts(t *testing.T) {
	tr := newTrace(quiet().WithField("line", "x"), false)
	p := newPeer(New(Config{}, nil, quiet()), 0)
	cmd, raw := []byte{0x07}, frame(false, 0, 0x07)
	for range traceSize {
		tr.command(p, cmd, raw)
	}
	if n := testing.AllocsPerRun(1000, func() { tr.command(p, cmd, raw) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

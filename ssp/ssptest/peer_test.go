package ssptest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coffer/ssp"
	"coffer/ssp/ssptest"
)

// fakeT gathers what a script complains of.
type fakeT struct {
	testing.TB
	errors  []string
	cleanup []func()
}

func (f *fakeT) Helper()           {}
func (f *fakeT) Cleanup(do func()) { f.cleanup = append(f.cleanup, do) }
func (f *fakeT) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func (f *fakeT) end() []string {
	for _, do := range f.cleanup {
		do()
	}
	return f.errors
}

// read returns what comes within the time-out.
func read(t *testing.T, l *ssptest.Link) []byte {
	t.Helper()
	b := make([]byte, 600)
	n, err := l.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

func write(t *testing.T, l *ssptest.Link, b []byte) {
	t.Helper()
	if _, err := l.Write(b); err != nil {
		t.Fatal(err)
	}
}

func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ssptest.Silent()
		for _, timeout := range []time.Duration{0, time.Millisecond, time.Second} {
			if err := l.SetReadTimeout(timeout); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			write(t, l, ssptest.Wire(t, true, 0, 0x07))
			if got := read(t, l); len(got) != 0 || time.Since(start) != timeout {
				t.Errorf("% X after %v, want nothing after %v", got, time.Since(start), timeout)
			}
		}
	})
}

func TestReadWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ssptest.Silent()
		start := time.Now()
		l.InjectAfter(time.Minute, []byte{1, 2, 3})
		if got := read(t, l); !bytes.Equal(got, []byte{1, 2, 3}) || time.Since(start) != time.Minute {
			t.Errorf("% X after %v", got, time.Since(start))
		}
		time.AfterFunc(time.Second, func() { _ = l.Close() })
		if _, err := l.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || !l.Closed() {
			t.Errorf("after Close: %v", err)
		}
		gone := errors.New("unplugged")
		l = ssptest.Silent()
		time.AfterFunc(time.Second, func() { l.Break(gone) })
		if _, err := l.Read(make([]byte, 1)); !errors.Is(err, gone) {
			t.Errorf("after Break: %v", err)
		}
		if _, err := l.Write([]byte{1}); !errors.Is(err, gone) {
			t.Errorf("write after Break: %v", err)
		}
	})
}

func TestResetInputBuffer(t *testing.T) {
	l := ssptest.Silent()
	l.Inject([]byte{1, 2, 3})
	if err := errors.Join(l.ResetInputBuffer(), l.SetReadTimeout(0)); err != nil {
		t.Fatal(err)
	}
	if got := read(t, l); len(got) != 0 {
		t.Errorf("% X is left", got)
	}
}

func TestScript(t *testing.T) {
	f := &fakeT{TB: t}
	l := ssptest.Script(f,
		ssptest.Step{Expect: []byte{0x11}, Answer: []byte{0xF0}},
		ssptest.Step{Answer: nil},
		ssptest.Step{Raw: []byte{0xFF}},
		ssptest.Step{Expect: []byte{0x07}, Do: func(fr ssp.Frame) []byte { return []byte{0xF0, byte(fr.Addr)} }},
	)
	if err := l.SetReadTimeout(0); err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]byte{ssptest.Wire(t, true, 0x10, 0xF0), nil, {0xFF}, ssptest.Wire(t, true, 0x10, 0xF0, 0x10)} {
		write(t, l, ssptest.Wire(t, true, 0x10, []byte{0x11, 0x42, 0x42, 0x07}[i]))
		if got := read(t, l); !bytes.Equal(got, want) {
			t.Errorf("step %d: % X, want % X", i, got, want)
		}
	}
	if got := f.end(); len(got) != 0 || len(l.Writes()) != 4 {
		t.Errorf("complaints %q, %d writes", got, len(l.Writes()))
	}
}

func TestScriptComplains(t *testing.T) {
	f := &fakeT{TB: t}
	l := ssptest.Script(f, ssptest.Step{Expect: []byte{0x11}}, ssptest.Step{}, ssptest.Step{Expect: []byte{0x05}})
	write(t, l, ssptest.Wire(t, true, 0, 0x07))
	write(t, l, ssptest.Wire(t, true, 0, 0x07)[:3]) // half a frame is none
	if got := f.end(); len(got) != 2 || !strings.Contains(got[0], "want 11") || !strings.Contains(got[1], "step 1 of 3") {
		t.Errorf("complaints %q", got)
	}
	f = &fakeT{TB: t}
	write(t, ssptest.Script(f), ssptest.Wire(t, true, 0, 0x07))
	if got := f.end(); len(got) != 1 || !strings.Contains(got[0], "after the script's end") {
		t.Errorf("complaints %q", got)
	}
}

func TestMachine(t *testing.T) {
	done := 0
	l := ssptest.NewLink(ssptest.Machine(0x10, func(data []byte) []byte {
		done++
		if ssp.Command(data[0]) == ssp.CmdHold {
			return nil
		}
		return []byte{0xF0, byte(done)}
	}))
	if err := l.SetReadTimeout(0); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		seq  bool
		addr ssp.Address
		cmd  byte
		want byte // second byte of the answer, 0 for none
	}{
		{true, 0x10, 0x11, 1},  // SYNC
		{true, 0x10, 0x11, 2},  // again: executed
		{false, 0x10, 0x07, 3}, // next
		{false, 0x10, 0x07, 3}, // repeat
		{true, 0x11, 0x07, 0},  // somebody else's
		{true, 0x10, 0x18, 0},  // silence is not an answer to repeat
		{true, 0x10, 0x07, 5},
	} {
		write(t, l, ssptest.Wire(t, c.seq, c.addr, c.cmd))
		var want []byte
		if c.want > 0 {
			want = ssptest.Wire(t, c.seq, c.addr, 0xF0, c.want)
		}
		if got := read(t, l); !bytes.Equal(got, want) {
			t.Errorf("frame %d: % X, want % X", i, got, want)
		}
	}
}

func TestRecorder(t *testing.T) {
	r := ssptest.NewRecorder(ssptest.NewLink(func(b []byte) []byte { return append(b, 9) }))
	if _, err := r.Write([]byte{1, 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	log := r.Log()
	if len(log) != 3 || !log[0].Tx || log[1].Tx || !bytes.Equal(r.Bytes(true), []byte{1, 2}) || !bytes.Equal(r.Bytes(false), []byte{1, 2, 9}) {
		t.Errorf("log %+v", log)
	}
}

func TestLoad(t *testing.T) {
	f := ssptest.Load(t, "../testdata/ssp-frames.json")
	if len(f.Vectors) != f.About.Counts.Vectors || len(f.Sessions[0].Exchanges) == 0 || len(f.Sessions[0].Keys.AES) != 16 {
		t.Errorf("%d vectors, sessions %+v", len(f.Vectors), f.Sessions)
	}
	if v := f.Vectors[0]; !v.FromHost() || v.Protocol() != 8 || !bytes.Equal(v.Bytes, []byte{0x7F, 0x80, 0x01, 0x11, 0x65, 0x82}) {
		t.Errorf("first vector %+v", v)
	}
}

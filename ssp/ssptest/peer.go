package ssptest

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"coffer/ssp"
)

// Wire returns data as a frame on the wire, and ends the test if it does not fit one.
func Wire(t testing.TB, seq bool, addr ssp.Address, data ...byte) []byte {
	t.Helper()
	b, err := ssp.AppendFrame(nil, ssp.Frame{Seq: seq, Addr: addr, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// answer returns the frame that answers f with data, nil for no data.
func answer(f ssp.Frame, data []byte) []byte {
	b, err := ssp.AppendFrame(nil, ssp.Frame{Seq: f.Seq, Addr: f.Addr, Data: data})
	if err != nil {
		return nil
	}
	return b
}

// Frames returns a peer that finds frames in what is written and calls handle for each; the DATA that handle returns
// goes back in a frame with the same sequence flag and address, nothing for nil.
func Frames(handle func(f ssp.Frame) []byte) Peer {
	var d ssp.Decoder
	return func(written []byte) (out []byte) {
		for len(written) > 0 {
			n, f, ok := d.Feed(written)
			written = written[n:]
			if ok {
				out = append(out, answer(f, handle(f))...)
			}
		}
		return out
	}
}

// Machine returns a peer at one address that keeps the sequence rules of a machine (section 3.1): a frame with the flag
// of the last one gets the last answer again, SYNC is always executed. handle gets the DATA of each command that is
// executed; nil keeps silent, and is forgotten.
func Machine(addr ssp.Address, handle func(data []byte) []byte) Peer {
	var last []byte
	var flag, known bool
	return Frames(func(f ssp.Frame) []byte {
		sync := ssp.Command(f.Data[0]) == ssp.CmdSync
		switch {
		case f.Addr != addr:
			return nil
		case known && f.Seq == flag && !sync:
			return last
		}
		out := bytes.Clone(handle(bytes.Clone(f.Data)))
		if out != nil {
			last, flag, known = out, f.Seq, !sync
		}
		return out
	})
}

// Step is one expected frame and what is done about it.
type Step struct {
	Expect []byte                   // DATA; nil for any
	Answer []byte                   // DATA; nil keeps silent
	Raw    []byte                   // sent instead of a frame with Answer: noise, a damaged frame, two frames
	After  time.Duration            // delay of the answer
	Do     func(f ssp.Frame) []byte // makes the answer's DATA instead of Answer
}

// Script returns a link to a machine that expects exactly these frames, in this order. A frame that differs, a frame too
// many, and steps not taken when the test ends are errors of t.
func Script(t testing.TB, steps ...Step) *Link {
	t.Helper()
	var mu sync.Mutex
	var d ssp.Decoder
	var l *Link
	next := 0
	l = NewLink(func(written []byte) []byte {
		mu.Lock()
		defer mu.Unlock()
		for len(written) > 0 {
			n, f, ok := d.Feed(written)
			written = written[n:]
			if !ok {
				continue
			}
			if next == len(steps) {
				t.Errorf("frame after the script's end: %v", describe(f))
				return nil
			}
			steps[next].take(t, l, next, f)
			next++
		}
		return nil
	})
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if next < len(steps) {
			t.Errorf("the script ended at step %d of %d, before % X", next, len(steps), steps[next].Expect)
		}
	})
	return l
}

func (s Step) take(t testing.TB, l *Link, n int, f ssp.Frame) {
	if s.Expect != nil && !bytes.Equal(s.Expect, f.Data) {
		t.Errorf("script step %d: got %s, want % X", n, describe(f), s.Expect)
	}
	out := s.Raw
	if out == nil {
		data := s.Answer
		if s.Do != nil {
			data = s.Do(f)
		}
		out = answer(f, data)
	}
	if s.After > 0 {
		l.InjectAfter(s.After, out)
		return
	}
	l.Inject(out)
}

func describe(f ssp.Frame) string {
	return fmt.Sprintf("address %v seq %t % X (%s)", f.Addr, f.Seq, f.Data, ssp.Describe(f.Data, true, 8, false))
}

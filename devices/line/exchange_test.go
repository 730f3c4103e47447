package line

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

const tick = DefaultReplyTimeout

// TestRetry goes through what can happen to one plain command, frame 2 on the wire after SYNC.
func TestRetry(t *testing.T) {
	flip := func(i int) func([]byte) []byte {
		return func(w []byte) []byte { w[i] ^= 0x04; return w }
	}
	tests := []struct {
		name   string
		fault  func(int, ssp.Frame, []byte) []byte
		frames int           // on the wire, SYNC included
		took   time.Duration // for the command
		lost   bool
	}{
		{"answered", nil, 2, 0, false},
		{"first answer lost", silence(2), 3, tick, false},
		{"two answers lost", silence(2, 3), 4, 2 * tick, false},
		{"all answers lost", silence(2, 3, 4), 4, 3 * tick, true},
		{"checksum wrong: repeated after the gap", instead(2, flip(4)), 3, gap, false},
		{"half an answer: repeated after the gap", instead(2, func(w []byte) []byte { return w[:3] }), 3, gap, false},
		{"last byte lost", instead(2, func(w []byte) []byte { return w[:len(w)-1] }), 3, gap, false},
		{"damaged answers show that the machine is there", func(n int, f ssp.Frame, w []byte) []byte {
			if n >= 2 && n < 9 {
				return w[:3]
			}
			return w
		}, 9, 7 * gap, false},
		{"damaged answers for ever", func(n int, f ssp.Frame, w []byte) []byte {
			if n >= 2 {
				return w[:3]
			}
			return w
		}, 1 + noisyTries, noisyTries * gap, true},
		{"silence between damaged answers", func(n int, f ssp.Frame, w []byte) []byte {
			switch n {
			case 2, 3, 5, 6:
				return nil
			case 4:
				return w[:3]
			}
			return w
		}, 7, 2*tick + gap + 2*tick/noisyShare, false},
		{"noise before the answer", instead(2, func(w []byte) []byte { return append([]byte{0, 0xFF, 0x12}, w...) }), 2, 0, false},
		{"half a frame before the answer", instead(2, func(w []byte) []byte { return append([]byte{ssp.STX, 0x80, 9}, w...) }), 2, 0, false},
		{"answer twice", instead(2, func(w []byte) []byte { return append(w, w...) }), 2, 0, false},
		{"answer of another flag", instead(2, func(w []byte) []byte { return frame(true, 0, 0xF0) }), 3, tick, false},
		{"answer of another address", instead(2, func(w []byte) []byte { return frame(false, 5, 0xF0) }), 3, tick, false},
		{"another's answer, then ours", instead(2, func(w []byte) []byte { return append(frame(true, 0, 0xF8), w...) }), 2, 0, false},
		{"encrypted answer to a plain command", instead(2, func(w []byte) []byte {
			return frame(false, 0, append([]byte{ssp.STEX}, make([]byte, 16)...)...)
		}), 3, tick, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &slave{handle: func([]byte) []byte { return []byte{0xF0, 0x07} }}
				b := newBus(s)
				b.fault = tt.fault
				p := synced(t, start(t, Config{}, b), 0)
				begin := time.Now()
				reply, err := p.Tx(t.Context(), []byte{0x0C})
				if took := time.Since(begin); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if tt.lost {
					if !errors.Is(err, cash.ErrNotConnected) || !errors.Is(err, ErrMaybeSent) {
						t.Errorf("error %v, want ErrNotConnected and ErrMaybeSent", err)
					}
				} else if err != nil || !bytes.Equal(reply, []byte{0xF0, 0x07}) {
					t.Errorf("reply % X, %v", reply, err)
				}
				b.mu.Lock()
				defer b.mu.Unlock()
				if len(b.frames) != tt.frames {
					t.Errorf("%d frames on the wire, want %d", len(b.frames), tt.frames)
				}
				for _, f := range b.frames[1:] {
					if f.Seq || !bytes.Equal(f.Data, []byte{0x0C}) {
						t.Errorf("frame %+v, want flag 0 and data 0C", f)
					}
				}
				if len(s.executed) != 2 {
					t.Errorf("machine executed % X", s.executed)
				}
			})
		})
	}
}

func frame(seq bool, addr ssp.Address, data ...byte) []byte {
	w, err := ssp.AppendFrame(nil, ssp.Frame{Seq: seq, Addr: addr, Data: data})
	if err != nil {
		panic(err)
	}
	return w
}

// TestFlag follows the sequence flag: 1 for SYNC, then 0, 1, 0 …, unchanged by repeats and by refusals.
func TestFlag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(&slave{handle: func(cmd []byte) []byte {
			if cmd[0] == 0x10 {
				return ssp.UnknownCommand.Data()
			}
			return ssp.OK.Data()
		}})
		b.fault = silence(3)
		p := synced(t, start(t, Config{}, b), 0)
		for _, cmd := range []byte{0x05, 0x07, 0x10, 0x07} { // 07 is repeated once
			if _, err := p.Tx(t.Context(), []byte{cmd}); err != nil {
				t.Fatal(err)
			}
		}
		synced(t, p.line, 0)
		if _, err := p.Tx(t.Context(), []byte{0x07}); err != nil {
			t.Fatal(err)
		}
		var got []bool
		for _, f := range b.frames {
			got = append(got, f.Seq)
		}
		want := []bool{true, false, true, true, false, true, true, false}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("flags %v, want %v", got, want)
		}
	})
}

// TestNotSynced: an address takes nothing but SYNC at the start and after a lost exchange.
func TestNotSynced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(&slave{})
		b.fault = silence(2, 3, 4, 5)
		p := start(t, Config{}, b).Peer(0)
		check := func(when string) {
			t.Helper()
			_, err := p.Tx(t.Context(), []byte{0x07})
			if !errors.Is(err, ErrNotSynced) || !errors.Is(err, cash.ErrNotConnected) || errors.Is(err, ErrMaybeSent) {
				t.Errorf("%s: %v, want ErrNotSynced", when, err)
			}
		}
		check("at the start")
		if err := p.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Tx(t.Context(), []byte{0x07}); !errors.Is(err, ErrMaybeSent) {
			t.Fatalf("want a lost exchange, got %v", err)
		}
		check("after a lost exchange")
		begin := time.Now()
		if err := p.Sync(t.Context()); !errors.Is(err, cash.ErrNotConnected) {
			t.Errorf("sync to silence: %v", err)
		}
		if took := time.Since(begin); took != tick {
			t.Errorf("sync to a silent address took %v, want one try", took)
		}
		check("after a lost sync")
		if err := p.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Tx(t.Context(), []byte{0x07}); err != nil {
			t.Errorf("after sync: %v", err)
		}
		if n := len(b.frames); n != 7 {
			t.Errorf("%d frames, want 7", n)
		}
	})
}

// TestCancel: a caller may give up while it waits, never after the first byte.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(&slave{})
		b.fault = silence(2)
		p := synced(t, start(t, Config{}, b), 0)
		short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		first := make(chan error, 1)
		go func() {
			_, err := p.Tx(short, []byte{0x0C}) // on the wire when its context ends
			first <- err
		}()
		synctest.Wait()
		begin := time.Now()
		if _, err := p.Tx(short, []byte{0x33}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 10*time.Millisecond {
			t.Errorf("waiting call: %v after %v", err, time.Since(begin))
		}
		if err := <-first; err != nil {
			t.Errorf("running call: %v", err)
		}
		if _, err := p.Poll(short, []byte{0x07}, time.Time{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended context: %v", err)
		}
		if _, err := p.Tx(t.Context(), []byte{0x0A}); err != nil {
			t.Error(err)
		}
		for _, f := range b.frames {
			if f.Data[0] == 0x33 {
				t.Error("the abandoned command went out")
			}
		}
	})
}

// TestCommandLength: what does not fit, encrypted, is refused before the wire.
func TestCommandLength(t *testing.T) {
	p := New(Config{}, nil, quiet()).Peer(0)
	if _, err := p.Tx(t.Context(), make([]byte, ssp.MaxEncrypted+1)); !errors.Is(err, ssp.ErrTooLong) {
		t.Errorf("long: %v", err)
	}
	if _, err := p.Tx(t.Context(), nil); !errors.Is(err, ssp.ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
}

// TestNoisyWait counts the frames of commands that nobody answers any more: on a line that was noisy there are more of
// them, in the same time; a machine that is slow is given its time all the same.
func TestNoisyWait(t *testing.T) {
	for _, tt := range []struct {
		name    string
		latency time.Duration // of the answers before
		noise   bool
		frames  int
		took    time.Duration
	}{
		{"quiet", 0, false, 3, 3 * tick},
		{"noisy", 0, true, 3 * noisyShare, 3 * tick},
		{"noisy and slow", tick / 4, true, 6, 3 * tick},
		{"noisy and slower", tick * 3 / 4, true, 3, 3 * tick},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &slave{handle: func([]byte) []byte { return []byte{0xF0} }}
				b := newBus(s)
				b.delay = tt.latency
				p := synced(t, start(t, Config{}, b), 0)
				if tt.noise {
					b.mu.Lock()
					b.fault = instead(2, func(w []byte) []byte { return w[:3] })
					b.mu.Unlock()
				}
				if _, err := p.Tx(t.Context(), []byte{0x0C}); err != nil {
					t.Fatal(err)
				}
				b.mu.Lock()
				b.fault = func(int, ssp.Frame, []byte) []byte { return nil }
				before := len(b.frames)
				b.mu.Unlock()
				begin := time.Now()
				if _, err := p.Tx(t.Context(), []byte{0x0C}); !errors.Is(err, ErrMaybeSent) {
					t.Errorf("error %v, want ErrMaybeSent", err)
				}
				took := time.Since(begin)
				b.mu.Lock()
				sent := len(b.frames) - before
				b.mu.Unlock()
				if took != tt.took || sent != tt.frames {
					t.Errorf("%d frames in %v, want %d in %v", sent, took, tt.frames, tt.took)
				}
				begin = time.Now()
				if err := p.Sync(t.Context()); err == nil || time.Since(begin) != tick {
					t.Errorf("sync of the silent address took %v (%v), want %v", time.Since(begin), err, tick)
				}
			})
		})
	}
}

// TestNoise flips and drops bytes both ways for many exchanges: what arrives is right, what was executed was executed
// once, and the line always finds back. At 1 % hardly an exchange is lost.
func TestNoise(t *testing.T) {
	for _, tt := range []struct {
		rate              float64
		leastLost, atMost int
	}{{0.01, 0, 5}, {0.03, 50, 1000}} {
		t.Run(fmt.Sprint(tt.rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if lost := exchangeInNoise(t, tt.rate); lost < tt.leastLost || lost > tt.atMost {
					t.Errorf("%d exchanges lost, want %d to %d", lost, tt.leastLost, tt.atMost)
				}
			})
		})
	}
}

// exchangeInNoise does 2000 exchanges on a noisy line and returns how many were lost.
func exchangeInNoise(t *testing.T, rate float64) (lost int) {
	count := 0
	s := &slave{handle: func(cmd []byte) []byte {
		count++
		return append(ssp.OK.Data(), cmd...)
	}}
	b := newBus(s)
	l := startOpener(t, Config{}, ConnOpener(noisy(b.dial, 1, rate)))
	p := l.Peer(0)
	for i := 0; i < 2000; {
		if p.Sync(t.Context()) != nil || p.Negotiate(t.Context()) != nil {
			continue
		}
		for ; i < 2000; i++ {
			before := count
			cmd := []byte{0x50, byte(i), byte(i >> 8)}
			reply, err := p.Tx(t.Context(), cmd)
			if err != nil {
				lost++
				break
			}
			if !bytes.Equal(reply, append(ssp.OK.Data(), cmd...)) {
				t.Fatalf("exchange %d: reply % X", i, reply)
			}
			if count != before+1 {
				t.Fatalf("exchange %d executed %d times", i, count-before)
			}
		}
		i++
	}
	if st := l.State(); st.CRCErrors == 0 || st.Retries == 0 || st.Opens != 1 {
		t.Errorf("state %+v", st)
	}
	return lost
}

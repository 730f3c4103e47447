package line

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"coffer/internal/cash"
	"coffer/ssp"
)

// Who borrows a line has it alone; the others are refused at once, and synchronise afterwards.
func TestBorrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(&slave{}, &slave{addr: 16})
		l := start(t, Config{}, b)
		p, other := synced(t, l, 0), synced(t, l, 16)
		err := l.Borrow(t.Context(), func(_ context.Context, r *Raw) error {
			begin := time.Now()
			if _, err := other.Tx(t.Context(), []byte{0x0C}); !errors.Is(err, cash.ErrNotConnected) || errors.Is(err, ErrMaybeSent) {
				t.Errorf("another call: %v", err)
			}
			if _, err := other.Poll(t.Context(), []byte{0x07}, time.Now()); !errors.Is(err, cash.ErrNotConnected) {
				t.Errorf("another poll: %v", err)
			}
			if time.Since(begin) > 0 {
				t.Error("they had to wait")
			}
			if l.State().Open {
				t.Error("the line shows as open")
			}
			for i, data := range [][]byte{ssp.CmdSync.Data(), ssp.Program(ssp.ProgramLoader)} {
				if reply, err := r.Exchange(0, i == 0, data); err != nil || !bytes.Equal(reply, ssp.OK.Data()) {
					t.Errorf("% X: % X, %v", data, reply, err)
				}
			}
			return errRefused
		})
		if !errors.Is(err, errRefused) {
			t.Errorf("Borrow: %v", err)
		}
		<-l.Opened()
		for _, p := range []*Peer{p, other} {
			if _, err := p.Tx(t.Context(), []byte{0x0C}); !errors.Is(err, ErrNotSynced) {
				t.Errorf("address %d after it: %v", p.Address(), err)
			}
			if err := p.Sync(t.Context()); err != nil {
				t.Errorf("address %d after it: %v", p.Address(), err)
			}
		}
	})
}

// An exchange of a borrowed line is repeated as any other, byte for byte.
func TestRawExchange(t *testing.T) {
	for name, tc := range map[string]struct {
		fault  func(int, ssp.Frame, []byte) []byte
		frames int
		err    error
	}{
		"answered":         {nil, 1, nil},
		"two answers lost": {silence(1, 2), 3, nil},
		"all lost":         {silence(1, 2, 3), 3, cash.ErrNotConnected},
		"another address":  {instead(1, func([]byte) []byte { return frame(true, 5, 0xF0) }), 2, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBus(&slave{})
				b.fault = tc.fault
				l := start(t, Config{}, b)
				<-l.Opened()
				_ = l.Borrow(t.Context(), func(_ context.Context, r *Raw) error {
					if _, err := r.Exchange(0, true, ssp.CmdSync.Data()); !errors.Is(err, tc.err) {
						t.Errorf("error %v, want %v", err, tc.err)
					}
					return nil
				})
				b.mu.Lock()
				defer b.mu.Unlock()
				if len(b.frames) != tc.frames {
					t.Errorf("%d frames, want %d", len(b.frames), tc.frames)
				}
			})
		})
	}
}

// echo is a link whose other end sends back what it gets.
func echo(context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	go func() {
		_, _ = io.Copy(far, far)
		far.Close()
	}()
	return near, nil
}

func TestRawBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startOpener(t, Config{}, ConnOpener(echo))
		<-l.Opened()
		err := l.Borrow(t.Context(), func(_ context.Context, r *Raw) error {
			if err := errors.Join(r.SetBaud(38400), r.Write([]byte{1, 2, 3})); err != nil {
				return err
			}
			for want := byte(1); want <= 3; want++ {
				if got, err := r.Byte(time.Second); got != want || err != nil {
					t.Errorf("byte %d: %d, %v", want, got, err)
				}
			}
			begin := time.Now()
			if _, err := r.Byte(3 * time.Second); !errors.Is(err, cash.ErrNotConnected) || time.Since(begin) != 3*time.Second {
				t.Errorf("silence: %v after %v", err, time.Since(begin))
			}
			if err := r.Write([]byte{4}); err != nil {
				return err
			}
			synctest.Wait()
			begin = time.Now()
			if err := errors.Join(r.Reopen(38400, 2*time.Second, 0), r.Write([]byte{5})); err != nil {
				return err
			}
			if got, err := r.Byte(time.Second); got != 5 || err != nil || time.Since(begin) != 2*time.Second {
				t.Errorf("after reopening: %d, %v after %v", got, err, time.Since(begin))
			}
			synctest.Wait()
			if n := l.State().Opens; n != 1 { // it opens again once it is given back
				t.Errorf("opened %d times by the line", n)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// A link that does not come back, and callers or lines that end, end the borrower's work.
func TestBorrowEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := false
		l := New(Config{Name: "COM5"}, ConnOpener(func(ctx context.Context) (net.Conn, error) {
			if refused {
				return nil, errRefused
			}
			return echo(ctx)
		}), quiet())
		if err := l.Borrow(cancelled(), nil); !errors.Is(err, context.Canceled) {
			t.Errorf("before Run: %v", err)
		}
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		<-l.Opened()
		err := l.Borrow(t.Context(), func(_ context.Context, r *Raw) error {
			refused = true
			err := r.Reopen(38400, 0, 10*time.Second)
			if werr := r.Write([]byte{1}); !errors.Is(werr, cash.ErrNotConnected) {
				t.Errorf("writing to no port: %v", werr)
			}
			refused = false
			return err
		})
		if !errors.Is(err, errRefused) || !errors.Is(err, cash.ErrNotConnected) {
			t.Errorf("reopening: %v", err)
		}
		<-l.Opened()
		caller, cancel := context.WithCancel(t.Context())
		if err := l.Borrow(caller, func(ctx context.Context, r *Raw) error {
			time.AfterFunc(time.Second, cancel)
			_, err := r.Byte(time.Hour)
			return err
		}); !errors.Is(err, context.Canceled) {
			t.Errorf("caller gone: %v", err)
		}
		<-l.Opened()
		if err := l.Borrow(t.Context(), func(_ context.Context, r *Raw) error {
			time.AfterFunc(time.Second, end)
			return r.Wait(time.Hour)
		}); !errors.Is(err, context.Canceled) {
			t.Errorf("line ended: %v", err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := l.Borrow(t.Context(), nil); !errors.Is(err, cash.ErrNotConnected) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func cancelled() context.Context {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	return ctx
}

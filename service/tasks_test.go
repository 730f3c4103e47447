package service

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
)

func quiet() *logrus.Logger {
	l := logrus.New()
	l.SetOutput(io.Discard)
	return l
}

// recorderOf notes in which order tasks end.
type recorderOf struct {
	mu    sync.Mutex
	ended []string
}

func (r *recorderOf) task(name string, wait time.Duration) task {
	return task{name, func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(wait) // in a bubble
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ended = append(r.ended, name)
		return nil
	}}
}

// TestTasksStopInReverse: what was built on another ends before it, however slow it is.
func TestTasksStopInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := &recorderOf{}
		done := make(chan error, 1)
		go func() {
			done <- runTasks(ctx, quiet(), r.task("ledger", 0), r.task("http", 3*time.Second), r.task("machines", 10*time.Second))
		}()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := strings.Join(r.ended, " "); got != "machines http ledger" {
			t.Errorf("ended in the order %s", got)
		}
	})
}

// TestTaskFails: the others are stopped, and the failure says whose it is.
func TestTaskFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorderOf{}
		broken := errors.New("broken")
		err := runTasks(t.Context(), quiet(), r.task("ledger", 0), task{"http", func(context.Context) error { return broken }})
		if !errors.Is(err, broken) || err.Error() != "http: broken" || len(r.ended) != 1 {
			t.Errorf("%v, ended %v", err, r.ended)
		}
		err = runTasks(t.Context(), quiet(), task{"http", func(context.Context) error { return nil }})
		if !errors.Is(err, errEnded) {
			t.Errorf("a task that ends by itself: %v", err)
		}
		err = runTasks(t.Context(), quiet(), r.task("ledger", 0), task{"http", func(context.Context) error { panic("bug") }})
		if err == nil || err.Error() != "http: panic: bug" || len(r.ended) != 2 {
			t.Errorf("a task that panics: %v, ended %v", err, r.ended)
		}
	})
}

// TestTaskHangs: it is left behind, so that the process still ends.
func TestTaskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		done := make(chan error, 1)
		start := time.Now()
		go func() {
			done <- runTasks(ctx, quiet(), task{"stuck", func(context.Context) error { <-release; return nil }})
		}()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil || time.Since(start) != taskLimit {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		close(release)
	})
}

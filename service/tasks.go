package service

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/sirupsen/logrus"
)

// task is one long-lived part of the process. run returns soon after its context ends; before that it returns only
// because something is wrong.
type task struct {
	name string
	run  func(ctx context.Context) error
}

// taskLimit bounds how long a task may take to end; what hangs is left behind so that the process still ends.
const taskLimit = 17 * time.Second

// errEnded: a task that should run for ever returned without an error.
var errEnded = errors.New("ended by itself")

// running is a task that was started.
type running struct {
	task
	cancel context.CancelFunc
	done   chan struct{}
}

// runTasks starts the tasks in order and runs them until ctx ends or one of them fails. Then it stops them in reverse
// order, each one ended before the one that it was built on is told. It returns the failure, nil after ctx.
func runTasks(ctx context.Context, log logrus.FieldLogger, tasks ...task) error {
	failed := make(chan error, len(tasks))
	started := make([]*running, 0, len(tasks))
	for _, t := range tasks {
		taskCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		r := &running{t, cancel, make(chan struct{})}
		started = append(started, r)
		go func() {
			defer close(r.done)
			err := t.guarded(taskCtx, log)
			if taskCtx.Err() == nil {
				if err == nil {
					err = errEnded
				}
				failed <- fmt.Errorf("%s: %w", t.name, err)
			} else if err != nil {
				log.WithError(err).WithField("task", t.name).Warn("did not end cleanly")
			}
		}()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	for i := len(started) - 1; i >= 0; i-- {
		started[i].stop(log)
	}
	return err
}

// guarded runs the task. A panic is a bug and ends the process, but not before the log has it and the other tasks were
// told.
func (t task) guarded(ctx context.Context, log logrus.FieldLogger) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.WithFields(logrus.Fields{"task": t.name, "stack": string(debug.Stack())}).Errorf("panic: %v", p)
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return t.run(ctx)
}

// stop ends the task and waits for it, within limits.
func (r *running) stop(log logrus.FieldLogger) {
	r.cancel()
	limit := time.NewTimer(taskLimit)
	defer limit.Stop()
	select {
	case <-r.done:
	case <-limit.C:
		log.WithField("task", r.name).Error("does not end; it is left behind")
	}
}

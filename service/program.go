package service

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	kardianos "github.com/kardianos/service"
)

// stopLimit is how long a stop may take; the contract allows 20 s.
const stopLimit = 19 * time.Second

// program is coffer as the operating system's service manager sees it. Start returns at once: Windows gives a service
// 30 s to report that it runs, and a slow machine must not use them up.
type program struct {
	run    func(ctx context.Context) error // from wiring to the last goodbye
	cancel context.CancelFunc
	done   chan struct{} // closed when run has returned
	err    error         // what it returned
	exit   func(code int)
}

// Start implements kardianos/service.Interface.
func (p *program) Start(kardianos.Service) error {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel, p.done = cancel, make(chan struct{})
	go func() {
		p.err = p.run(ctx)
		close(p.done)
		if p.err != nil && p.exit != nil {
			p.exit(exitFailed) // without a Stopped report, so that the service manager restarts us
		}
	}()
	return nil
}

// tellSystem writes why a start failed into the event log of Windows, where a service has nobody else to tell. Elsewhere
// the service manager keeps what goes to standard error.
func tellSystem(err error) {
	if runtime.GOOS != "windows" || kardianos.Interactive() {
		return
	}
	s, merr := manager("")
	if merr != nil {
		return
	}
	if events, lerr := s.SystemLogger(nil); lerr == nil {
		_ = events.Error("coffer: ", oneLine(err))
	}
}

// Stop implements kardianos/service.Interface. It returns when everything has ended, or after stopLimit.
func (p *program) Stop(kardianos.Service) error {
	p.cancel()
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case <-p.done:
	case <-limit.C:
	}
	return nil
}

// wait returns when the process is asked to end, or has ended by itself.
func (p *program) wait() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(asked)
	select {
	case <-asked:
	case <-p.done:
	}
}

// serve runs the program under the service manager, or in the foreground where there is none, and returns its error.
func (p *program) serve() error {
	cfg := serviceConfig("")
	cfg.Option["RunWait"] = p.wait
	if runtime.GOOS == "windows" && !kardianos.Interactive() {
		p.exit = os.Exit
	}
	s, err := kardianos.New(p, cfg)
	if err != nil {
		return err
	}
	if err := s.Run(); err != nil {
		return err
	}
	select {
	case <-p.done:
		return p.err
	default:
		return nil // it hangs; Stop has waited long enough
	}
}

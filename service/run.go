package service

import (
	"context"
	"time"

	"coffer/devices"
	"coffer/internal/cash"
)

// now is the system's clock.
func now() time.Time { return time.Now() }

// run runs coffer until ctx ends, in the order of docs/architecture.md, "Stopping": what was built first stops last, so
// that running payouts are seen to their end by those who watch them, and are on disk.
func (a *app) run(ctx context.Context) error {
	defer a.close()
	tasks := []task{
		{"ledger", a.ledger.run},
		{"watchdog", func(ctx context.Context) error { return watchdog(ctx, func() { a.station.Lines() }) }},
		{"wire trace", a.traceWires},
		{"cashbox settings", a.followCashboxes},
	}
	for _, s := range a.servers {
		tasks = append(tasks, task{s.String(), s.Run})
	}
	tasks = append(tasks,
		task{"endpoints", a.publish},
		task{"machines", a.drive},
		task{"upos", a.endUPOS},
	)
	err := runTasks(ctx, a.log, tasks...)
	a.log.Info("stopped")
	return err
}

// publish says where everything listens, once it does, and takes it back at the end.
func (a *app) publish(ctx context.Context) error {
	for _, s := range a.servers {
		select {
		case <-s.Ready():
		case <-ctx.Done():
			return nil
		}
	}
	a.gate.listening.Store(true)
	err := a.sayWhere()
	if err != nil {
		a.log.WithError(err).Error("run/endpoints.json is not written, so programs will not find this coffer; it is tried again")
	}
	a.announce()
	notify("READY=1\nSTATUS=listening")
	a.log.WithField("version", version()).Info("listening")
	again := time.NewTicker(endpointsAgain)
	defer again.Stop()
	if err == nil {
		again.Stop()
	}
	for {
		select {
		case <-again.C:
			if err = a.sayWhere(); err == nil {
				again.Stop()
				a.log.Info("run/endpoints.json is written")
			}
		case <-ctx.Done():
			return removeRun(a.dir, endpointsFile)
		}
	}
}

// endpointsAgain is how often endpoints.json is tried again while the disk refuses it.
const endpointsAgain = time.Second

// sayWhere writes endpoints.json. Where that cannot be, at least the one that a killed process has left goes.
func (a *app) sayWhere() error {
	err := writeRun(a.dir, endpointsFile, a.endpoints())
	if err != nil {
		_ = removeRun(a.dir, endpointsFile)
	}
	return err
}

// drive drives the machines. At the end it refuses new operations, and the station turns the acceptors off and lets
// running payouts end.
func (a *app) drive(ctx context.Context) error {
	stationCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	closed := make(chan struct{})
	unhook := context.AfterFunc(ctx, func() {
		defer close(closed)
		notify("STOPPING=1")
		a.log.Info("stopping")
		stop()
		grace, end := context.WithTimeout(context.WithoutCancel(ctx), payoutGrace)
		defer end()
		if err := a.till.Close(grace); err != nil {
			a.log.WithError(err).Warn("an operation is still open; the next start settles it")
		}
	})
	err := a.station.Run(stationCtx)
	if !unhook() {
		<-closed
	}
	return err
}

// followCashboxes tells the till which machines' cashboxes count as emptied when they come back: it knows machines by
// the DeviceID that they get when they are identified.
func (a *app) followCashboxes(ctx context.Context) error {
	wanted := map[string]bool{}
	for _, l := range a.cfg.Lines {
		for _, d := range l.Devices {
			wanted[d.ID] = d.AutoClearCashbox
		}
	}
	events := a.bus.Cursor("")
	defer events.Close()
	for {
		e, err := events.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if _, changed := e.Event.(cash.StateChanged); err == nil && !changed {
			continue
		}
		for _, d := range a.station.Devices() { // all of them: after a gap nobody knows whose event was lost
			a.setAutoClear(d, wanted)
		}
	}
}

func (a *app) setAutoClear(d devices.Device, wanted map[string]bool) {
	if s := d.Snapshot(); s.ID != "" && (a.autoClear || wanted[s.ConfigID]) {
		a.till.AutoClearCashbox(s.ID, true)
	}
}

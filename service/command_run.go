package service

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"coffer/service/logging"
)

type runCommand struct {
	where
	Demo bool `help:"Simulated machines and every API, in a temporary data directory unless one is named."`
}

// Run runs coffer until it is told to stop.
func (c *runCommand) Run(s *session) error {
	err := c.run(s)
	if err != nil {
		tellSystem(err)
	}
	return err
}

func (c *runCommand) run(s *session) error {
	cfg, dir, err := c.load(s, c.Demo)
	if err != nil {
		return err
	}
	if c.Demo && dir == "" {
		if dir, err = os.MkdirTemp("", "coffer-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	if err := usableDir(dir); err != nil {
		return err
	}
	log := logging.New(cfg.Log, dir, s.Err)
	defer log.Close()
	p := &program{run: func(ctx context.Context) error {
		app, err := build(ctx, settings{cfg, dir, c.Demo, log})
		if err != nil {
			log.Mute() // whoever looks at the console gets it as the one line at the end
			log.WithError(err).Error("start failed")
			return err
		}
		app.announce = func() { app.print(s.Out) }
		return app.run(ctx)
	}}
	return p.serve()
}

// print says where everything is.
func (a *app) print(w io.Writer) {
	fmt.Fprintf(w, "coffer %s, data in %s\n", version(), a.dir)
	for i, srv := range a.servers {
		fmt.Fprintf(w, "  %-24s %s\n", srv.URL(), strings.Join(a.cfg.HTTP[i].Serve, ", "))
	}
	for _, l := range a.station.Lines() {
		var machines []string
		for _, d := range l.Devices {
			snap := d.Snapshot()
			machines = append(machines, fmt.Sprintf("%s at address %d", snap.ConfigID, snap.Address))
		}
		fmt.Fprintf(w, "  %-24s %s\n", l.Port, strings.Join(machines, ", "))
	}
	if a.demo {
		fmt.Fprintln(w, "Demo: sign in as admin with password; machines are simulated. Ctrl-C stops it.")
	}
}

package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"coffer/devices"
	"coffer/devices/sim"
	"coffer/httpapi"
	"coffer/httpapi/simapi"
	"coffer/service/config"
	"coffer/service/logging"
)

// loopbackFree is a free port of this machine.
const loopbackFree = "127.0.0.1:0"

// simRun is DATA_DIR/run/sim.json (contract, section 4).
type simRun struct {
	PID     int               `json:"pid"`
	Control string            `json:"control"`
	Lines   map[string]string `json:"lines"`  // tcp://host:port by port name
	Config  string            `json:"config"` // for `coffer run` over these machines
}

type simServe struct {
	where
	Demo bool `help:"The machines of the demo."`
}

// Run hosts the simulated machines of a configuration until it is told to stop.
func (c *simServe) Run(s *session) error {
	if !c.Demo {
		if _, named := c.file(s); !named {
			return &misuse{"sim serve: name the machines", "coffer sim serve --demo --data-dir DIR"}
		}
	}
	cfg, dir, err := c.load(s, c.Demo)
	if err != nil {
		return err
	}
	if dir == "" {
		return &misuse{"sim serve: name a data directory", "coffer sim serve --demo --data-dir DIR"}
	}
	if !cfg.Simulated() {
		return errors.New("sim serve: no line of the configuration is simulated; give its devices sim: PROFILE")
	}
	ctx, stop := signal.NotifyContext(s.ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	log := logging.New(logging.Config{Level: cfg.Log.Level}, dir, s.Err)
	defer log.Close()
	return serveSim(ctx, settings{cfg, dir, c.Demo, log}, func(run simRun) {
		s.printf("control %s, configuration for coffer run: %s\n", run.Control, run.Config)
		for _, l := range cfg.Lines {
			if link := run.Lines[l.Port]; link != "" {
				s.printf("  %-24s %s\n", l.Port, link)
			}
		}
	})
}

// serveSim opens a TCP port for each simulated line and one for the control API, writes run/coffer.yaml and
// run/sim.json, calls up, and serves until ctx ends.
func serveSim(ctx context.Context, s settings, up func(simRun)) error {
	log := s.log.WithField("part", "sim")
	world := sim.NewWorld(func(format string, args ...any) { log.Debugf(format, args...) })
	defer world.Close()
	run := simRun{PID: os.Getpid(), Lines: map[string]string{}, Config: filepath.Join(s.dir, "run", "coffer.yaml")}
	for i, l := range s.cfg.Lines {
		if !l.Simulated() {
			continue
		}
		simulated, err := addLine(world, s.cfg, i)
		if err != nil {
			return err
		}
		addr, err := simulated.ListenTCP(loopbackFree)
		if err != nil {
			return err
		}
		run.Lines[l.Port] = "tcp://" + addr.String()
	}
	router := httpapi.NewRouter()
	simapi.Register(router, world)
	control := httpapi.New(httpapi.Listen{Name: "sim", Addr: loopbackFree}, router, s.log)
	if err := control.Listen(); err != nil {
		return err
	}
	run.Control = control.URL()
	if err := writeSimRun(s, run); err != nil {
		control.Close()
		return fmt.Errorf("sim serve: %w", err)
	}
	defer removeRun(s.dir, simFile)
	up(run)
	return runTasks(ctx, s.log, task{control.String(), control.Run})
}

// writeSimRun writes the configuration for coffer, then sim.json, which names it.
func writeSimRun(s settings, run simRun) error {
	text, err := printConfig(linked(s.cfg, s.dir, run.Lines))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(run.Config), 0o755); err != nil {
		return err
	}
	if err := writeFile(run.Config, text, 0o600); err != nil {
		return err
	}
	return writeRun(s.dir, simFile, run)
}

// linked is cfg with each simulated line reached by its link instead. Port names stay, so that deviceIDs do.
func linked(cfg *config.Config, dir string, links map[string]string) *config.Config {
	out := *cfg
	out.DataDir = dir
	out.Lines = nil
	for _, l := range cfg.Lines {
		if link := links[l.Port]; link != "" {
			l.Link = link
			machines := append([]devices.DeviceConfig(nil), l.Devices...)
			for i := range machines {
				machines[i].Extensions = machines[i].Sim != ""
				machines[i].Sim, machines[i].Dataset, machines[i].Levels, machines[i].Cassette = "", nil, nil, nil
			}
			l.Devices = machines
		}
		out.Lines = append(out.Lines, l)
	}
	return &out
}

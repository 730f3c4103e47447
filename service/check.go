package service

import (
	"fmt"
	"io"

	"coffer/devices/sim"
	"coffer/service/config"
	"coffer/service/logging"
)

// checkPlan finds what a start would find wrong with the configuration, without opening a port.
func checkPlan(cfg *config.Config, dir string) error {
	world := sim.NewWorld(nil)
	defer world.Close()
	for _, l := range cfg.Lines {
		if !l.Simulated() {
			continue
		}
		if _, err := addLine(world, l); err != nil {
			return err
		}
	}
	quiet := logging.New(logging.Config{Level: "error"}, dir, io.Discard)
	defer quiet.Close()
	a := &app{settings: settings{cfg: cfg, dir: dir, log: quiet}}
	for i, l := range cfg.HTTP {
		if err := a.checkListener(l); err != nil {
			return fmt.Errorf("http[%d]: %w", i, err)
		}
	}
	return nil
}

// checkListener reads every file that the listener names.
func (a *app) checkListener(l config.Listener) error {
	if _, _, err := a.makersFile(l); err != nil {
		return err
	}
	if l.TLS != nil && !l.TLS.SelfSigned { // that one is made at the first start
		if _, err := a.certificate(l.TLS); err != nil {
			return err
		}
	}
	if l.Serves("nv9coin") {
		if _, err := a.dispensePassword(l); err != nil {
			return err
		}
	}
	_, err := a.userFile(l)
	return err
}

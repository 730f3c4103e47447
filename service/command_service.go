package service

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	kardianos "github.com/kardianos/service"

	"coffer/installer/linux"
)

type serviceCommand struct {
	Install   serviceInstall `cmd:"" help:"Install the service; it starts with the machine."`
	Uninstall serviceRemove  `cmd:"" help:"Stop and remove the service. Configuration and data stay."`
	Start     serviceStart   `cmd:"" help:"Start the installed service."`
	Stop      serviceStop    `cmd:"" help:"Stop the service."`
	Restart   serviceRestart `cmd:"" help:"Stop and start the service."`
	Status    serviceStatus  `cmd:"" help:"Say whether the service runs and is ready."`
}

// serviceConfig is how the service is registered. The configuration path is the one argument beside the verb: a service
// manager does not quote, so everything else stands in the file.
func serviceConfig(configFile string) *kardianos.Config {
	return &kardianos.Config{
		Name:        "coffer",
		DisplayName: "coffer",
		Description: "Cash machines of the till",
		Arguments:   []string{"run", "--config", configFile},
		Option: kardianos.KeyValue{
			"SystemdScript":          unitTemplate(),
			"OnFailure":              "restart", // Windows; setRecovery adds what the library cannot
			"OnFailureDelayDuration": "5s",
			"DelayedAutoStart":       true,
		},
	}
}

// unitTemplate is our unit in the library's template language, its paths left open.
func unitTemplate() string {
	return strings.Replace(linux.Unit, linux.ExecStart, "ExecStart={{Path | cmdEscape}}{{range Arguments}} {{. | cmd}}{{end}}", 1)
}

// manager returns the library's handle of the installed service. Nothing is started by it.
func manager(configFile string) (kardianos.Service, error) {
	if platform := kardianos.Platform(); runtime.GOOS == "linux" && platform != "linux-systemd" {
		return nil, fmt.Errorf("this system is run by %s, not by systemd", platform)
	}
	return kardianos.New(&program{}, serviceConfig(configFile))
}

type serviceInstall struct {
	Config string `placeholder:"FILE" help:"Configuration file the service will run; written if it is missing."`
}

// Run installs the service.
func (c *serviceInstall) Run(s *session) error {
	path, _ := where{Config: c.Config}.file(s)
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	m, err := manager(path)
	if err != nil {
		return serviceError("install", err)
	}
	if _, err := m.Status(); err == nil {
		return errors.New("service install: coffer is already installed; `coffer service uninstall` removes it")
	}
	if err := prepareInstall(path); err != nil {
		return serviceError("install", err)
	}
	if err := m.Install(); err != nil {
		discardInstall(m)
		return serviceError("install", err)
	}
	if err := setRecovery("coffer"); err != nil {
		return serviceError("install", err)
	}
	s.printf("installed; configuration %s; `coffer service start` starts it\n", path)
	return nil
}

type serviceRemove struct{}

// Run stops and removes the service.
func (c *serviceRemove) Run(s *session) error {
	m, err := manager("")
	if err != nil {
		return serviceError("uninstall", err)
	}
	if st, err := m.Status(); err == nil && st == kardianos.StatusRunning {
		if err := m.Stop(); err != nil {
			return serviceError("uninstall: stop", err)
		}
	}
	if err := m.Uninstall(); err != nil {
		return serviceError("uninstall", err)
	}
	s.printf("removed; configuration and data were left\n")
	return nil
}

type serviceStart struct{}

// Run starts the service.
func (c *serviceStart) Run(s *session) error {
	return control(s, "start", "started", kardianos.Service.Start)
}

type serviceStop struct{}

// Run stops the service.
func (c *serviceStop) Run(s *session) error {
	return control(s, "stop", "stopped", kardianos.Service.Stop)
}

type serviceRestart struct{}

// Run restarts the service.
func (c *serviceRestart) Run(s *session) error {
	return control(s, "restart", "restarted", kardianos.Service.Restart)
}

func control(s *session, verb, done string, act func(kardianos.Service) error) error {
	m, err := manager("")
	if err != nil {
		return serviceError(verb, err)
	}
	if err := act(m); err != nil {
		return serviceError(verb, err)
	}
	s.printf("%s\n", done)
	return nil
}

type serviceStatus struct {
	remote
	JSON bool `name:"json" help:"For programs."`
}

// Run prints whether the service runs (what the service manager says) and whether it is ready (what it says itself). It
// fails unless it runs.
func (c *serviceStatus) Run(s *session) error {
	m, err := manager("")
	if err != nil {
		return serviceError("status", err)
	}
	st, err := m.Status()
	if err != nil {
		return serviceError("status", err)
	}
	state, ready := "stopped", "not running"
	if st == kardianos.StatusRunning {
		state, ready = "running", readiness(s, c.remote)
	}
	if c.JSON {
		if err := s.json(map[string]string{"state": state, "ready": ready}); err != nil {
			return err
		}
	} else {
		s.printf("%s, %s\n", state, ready)
	}
	if st != kardianos.StatusRunning {
		return errors.New("service status: coffer does not run; `coffer service start` starts it")
	}
	return nil
}

// serviceError adds what to do.
func serviceError(verb string, err error) error {
	hint := "this needs an administrator and a service manager; `coffer run` needs neither"
	if errors.Is(err, kardianos.ErrNotInstalled) {
		hint = "`coffer service install` installs it"
	}
	return fmt.Errorf("service %s: %w; %s", verb, err, hint)
}

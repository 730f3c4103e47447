package service

import (
	"errors"
	"io/fs"
	"os"
	"time"

	kardianos "github.com/kardianos/service"
	"golang.org/x/sys/windows/svc/mgr"
)

// prepareInstall writes the configuration if there is none.
func prepareInstall(configFile string) error {
	if _, err := os.Stat(configFile); errors.Is(err, fs.ErrNotExist) {
		return initConfig(configFile)
	}
	return nil
}

// discardInstall removes a half-made service.
func discardInstall(m kardianos.Service) { m.Uninstall() }

// setRecovery has the service restarted after crashes and after exits with an error; the library covers crashes alone.
func setRecovery(name string) error {
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer m.Disconnect()
	s, err := m.OpenService(name)
	if err != nil {
		return err
	}
	defer s.Close()
	actions := []mgr.RecoveryAction{
		{Type: mgr.ServiceRestart, Delay: 5 * time.Second},
		{Type: mgr.ServiceRestart, Delay: 30 * time.Second},
		{Type: mgr.ServiceRestart, Delay: 120 * time.Second},
	}
	const day = 24 * 60 * 60 // seconds
	if err := s.SetRecoveryActions(actions, day); err != nil {
		return err
	}
	return s.SetRecoveryActionsOnNonCrashFailures(true)
}

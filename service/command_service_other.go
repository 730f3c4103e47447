//go:build !linux && !windows

package service

import kardianos "github.com/kardianos/service"

// On other systems the library's own service script has to do.
func prepareInstall(string) error { return nil }

func discardInstall(kardianos.Service) {}

func setRecovery(string) error { return nil }

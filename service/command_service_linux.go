package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"

	kardianos "github.com/kardianos/service"
)

const unitFile = "/etc/systemd/system/coffer.service"

// prepareInstall makes what the unit needs: the configuration, and the account that it runs as.
func prepareInstall(configFile string) error {
	if _, err := os.Stat(configFile); errors.Is(err, fs.ErrNotExist) {
		if err := initConfig(configFile); err != nil {
			return err
		}
	}
	if _, err := user.Lookup("coffer"); err != nil {
		out, err := exec.Command("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "coffer").CombinedOutput()
		if err != nil {
			return fmt.Errorf("make account coffer: %w: %s", err, out)
		}
	}
	if out, err := exec.Command("chgrp", "coffer", configFile).CombinedOutput(); err != nil {
		return fmt.Errorf("let account coffer read %s: %w: %s", configFile, err, out)
	}
	return nil
}

// discardInstall removes the unit that the library leaves behind when an install goes wrong: with it in place every
// further install would say that the service exists.
func discardInstall(kardianos.Service) { os.Remove(unitFile) }

// setRecovery is in the unit.
func setRecovery(string) error { return nil }

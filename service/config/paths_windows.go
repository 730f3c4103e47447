package config

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// DefaultFile is the configuration of an installed coffer.
func DefaultFile() string { return filepath.Join(DefaultDataDir(), "config.yaml") }

// DefaultDataDir is the data directory of an installed coffer: ProgramData\coffer. The known folder is asked for,
// because a service's environment need not have %ProgramData%.
func DefaultDataDir() string {
	base, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0)
	if err != nil {
		base = `C:\ProgramData`
	}
	return filepath.Join(base, "coffer")
}

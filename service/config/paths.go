package config

import "path/filepath"

// Resolve returns path as it is if it is absolute, else below the data directory. The working directory never matters: a
// Windows service starts in System32.
func Resolve(dataDir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dataDir, path)
}

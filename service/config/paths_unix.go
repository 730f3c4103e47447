//go:build !windows

package config

// DefaultFile is the configuration of an installed coffer.
func DefaultFile() string { return "/etc/coffer/config.yaml" }

// DefaultDataDir is the data directory of an installed coffer.
func DefaultDataDir() string { return "/var/lib/coffer" }

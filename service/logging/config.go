package logging

import (
	"fmt"
	"strings"

	"github.com/sirupsen/logrus"
)

// Config is the `log` section.
type Config struct {
	Level      string `yaml:"level,omitempty"`        // error, warn, info (default), debug
	File       string `yaml:"file,omitempty"`         // below data_dir unless absolute; "" logs to standard error alone
	MaxSizeMB  int    `yaml:"max_size_mb,omitempty"`  // a file that grows beyond it is rotated; default 10
	MaxBackups int    `yaml:"max_backups,omitempty"`  // rotated files kept; default 10
	MaxAgeDays int    `yaml:"max_age_days,omitempty"` // and for how long; default 30
	WireTrace  bool   `yaml:"wire_trace,omitempty"`   // every frame of every machine into logs/wire-PORT-ADDRESS.log
}

// Fault is a fault of the section at the key At.
type Fault struct{ At, Reason string }

func (f *Fault) Error() string { return f.At + ": " + f.Reason }

// Key returns the key.
func (f *Fault) Key() string { return f.At }

var levels = map[string]logrus.Level{
	"": logrus.InfoLevel, "error": logrus.ErrorLevel, "warn": logrus.WarnLevel, "info": logrus.InfoLevel, "debug": logrus.DebugLevel,
}

// Validate checks the section. Its errors are *Fault.
func (c Config) Validate() error {
	_, known := levels[strings.ToLower(c.Level)]
	switch {
	case !known:
		return &Fault{"level", fmt.Sprintf("%q is not error, warn, info or debug", c.Level)}
	case c.MaxSizeMB < 0:
		return &Fault{"max_size_mb", "is negative"}
	case c.MaxBackups < 0:
		return &Fault{"max_backups", "is negative"}
	case c.MaxAgeDays < 0:
		return &Fault{"max_age_days", "is negative"}
	}
	return nil
}

package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"coffer/configs"
	"coffer/service/config"
)

// where says which coffer a command is about. Flags win over the environment, the environment over the file.
type where struct {
	Config  string `placeholder:"FILE" help:"Configuration file; else COFFER_CONFIG, else the installed default."`
	DataDir string `placeholder:"DIR" help:"Data directory; else COFFER_DATA_DIR, else the one of the configuration."`
}

// file returns the path of the configuration, and whether somebody named it.
func (w where) file(s *session) (path string, named bool) {
	if w.Config != "" {
		return w.Config, true
	}
	if v, ok := s.Env("COFFER_CONFIG"); ok && v != "" {
		return v, true
	}
	return config.DefaultFile(), false
}

// load reads the configuration and returns it with its data directory, absolute. demo reads the embedded demo, whose
// data directory is "" unless a flag or the environment names one.
func (w where) load(s *session, demo bool) (*config.Config, string, error) {
	if demo {
		if w.Config != "" {
			return nil, "", &misuse{"--demo is a configuration of its own, beside --config", "coffer run --demo"}
		}
		cfg, err := config.Parse("demo.yaml", configs.Demo, s.Env)
		if err != nil {
			return nil, "", err
		}
		dir, _, err := w.override(s)
		return cfg, dir, err
	}
	path, _ := w.file(s)
	cfg, err := readConfig(path, s.Env)
	if err != nil {
		return nil, "", err
	}
	dir, named, err := w.override(s)
	switch {
	case err != nil:
		return nil, "", err
	case !named && cfg.DataDir != "":
		dir = cfg.DataDir
	case !named:
		dir = config.DefaultDataDir()
	}
	return cfg, dir, nil
}

// readConfig is config.Load, whose errors say what to do.
func readConfig(path string, env func(string) (string, bool)) (*config.Config, error) {
	cfg, err := config.Load(path, env)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("configuration %s does not exist; write it with `coffer config init`, or try `coffer run --demo`", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("configuration %s: %w; run this as the user that coffer runs as", path, fs.ErrPermission)
	case err != nil:
		return nil, fmt.Errorf("configuration %w", err)
	}
	return cfg, nil
}

// override returns the data directory that a flag or the environment names, absolute.
func (w where) override(s *session) (dir string, named bool, err error) {
	dir = w.DataDir
	if dir == "" {
		dir, _ = s.Env("COFFER_DATA_DIR")
	}
	if dir == "" {
		return "", false, nil
	}
	dir, err = filepath.Abs(dir)
	return dir, true, err
}

// dir returns the data directory without needing a configuration, and whether flag, environment or file named it.
func (w where) dir(s *session) (dir string, named bool, err error) {
	if dir, named, err = w.override(s); named || err != nil {
		return dir, named, err
	}
	path, chosen := w.file(s)
	if _, err := os.Stat(path); err != nil && !chosen {
		return config.DefaultDataDir(), false, nil
	}
	cfg, err := readConfig(path, s.Env)
	switch {
	case err != nil:
		return "", false, fmt.Errorf("%w; or name the data directory with --data-dir", err)
	case cfg.DataDir != "":
		return cfg.DataDir, true, nil
	}
	return config.DefaultDataDir(), true, nil
}

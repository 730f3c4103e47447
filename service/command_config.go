package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/goccy/go-yaml"

	"coffer/configs"
	"coffer/service/config"
)

type configCommand struct {
	Check configCheck `cmd:"" help:"Read and check the configuration as a start would, without opening a port."`
	Init  configInit  `cmd:"" help:"Write a first configuration where there is none."`
	Show  configShow  `cmd:"" help:"Print the configuration as it was understood, or the reference."`
}

type configCheck struct {
	where
	JSON bool `name:"json" help:"For programs."`
}

// Run checks the configuration.
func (c *configCheck) Run(s *session) error {
	cfg, dir, err := c.load(s, false)
	if err != nil {
		return err
	}
	if err := checkPlan(cfg, dir); err != nil {
		return err
	}
	devices := 0
	for _, l := range cfg.Lines {
		devices += len(l.Devices)
	}
	path, _ := c.file(s)
	if c.JSON {
		return s.json(map[string]any{"config": path, "data_dir": dir, "lines": len(cfg.Lines), "devices": devices, "listeners": len(cfg.HTTP)})
	}
	s.printf("ok %s: %d lines, %d devices, %d listeners, data in %s\n", path, len(cfg.Lines), devices, len(cfg.HTTP), dir)
	return nil
}

type configInit struct {
	Config string `placeholder:"FILE" help:"Configuration file to write; else COFFER_CONFIG, else the installed default."`
}

// Run writes the default configuration. An existing file stays as it is: exit 1.
func (c *configInit) Run(s *session) error {
	path, _ := where{Config: c.Config}.file(s)
	if err := initConfig(path); err != nil {
		return err
	}
	s.printf("wrote %s; name your machines in it, then `coffer config check --config %s`\n", path, path)
	return nil
}

// initConfig writes the default configuration to path, unless a file is there.
func initConfig(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write configuration: %w; name another place with --config", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("configuration %s is already there; it was left as it is", path)
	case err != nil:
		return fmt.Errorf("write configuration: %w; name another place with --config", err)
	}
	_, err = f.Write(configs.Default)
	return errors.Join(err, f.Close())
}

type configShow struct {
	where
	Reference bool `help:"Print every key with its explanation instead."`
	JSON      bool `name:"json" help:"For programs."`
}

// Run prints the configuration.
func (c *configShow) Run(s *session) error {
	if c.Reference {
		_, err := s.Out.Write(configs.Reference)
		return err
	}
	cfg, dir, err := c.load(s, false)
	if err != nil {
		return err
	}
	cfg.DataDir = dir
	text, err := printConfig(cfg)
	if err != nil {
		return err
	}
	text = secretKeys.ReplaceAll(text, []byte(`$1 "***"`))
	if c.JSON {
		if text, err = yaml.YAMLToJSON(text); err != nil {
			return err
		}
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			return err
		}
		return json.NewEncoder(s.Out).Encode(v)
	}
	_, err = s.Out.Write(text)
	return err
}

// secretKeys are the values that are not for eyes.
var secretKeys = regexp.MustCompile(`(?m)(^ *(?:- )?fixed_key:) .*$`)

// printConfig is cfg as YAML that reads back as the same configuration.
func printConfig(cfg *config.Config) ([]byte, error) {
	return yaml.MarshalWithOptions(cfg, yaml.IndentSequence(true))
}

package config

import (
	"fmt"
	"time"

	"coffer/devices"
	"coffer/service/logging"
	"coffer/upos"
)

// Config is the whole file. Zero values mean the defaults that reference.yaml names.
type Config struct {
	Version int                  `yaml:"version"`
	DataDir string               `yaml:"data_dir,omitempty"` // absolute; flags and COFFER_DATA_DIR win over it
	Log     logging.Config       `yaml:"log,omitempty"`
	Lines   []devices.LineConfig `yaml:"lines,omitempty"`
	UPOS    []upos.Config        `yaml:"upos,omitempty"`
	HTTP    []Listener           `yaml:"http,omitempty"`

	text *document // that it was read from; nil for one that was made otherwise
}

// Fault is a fault that was found at a key ("upos[0].class") after the configuration was read, with its place in the
// file where there is one (*Error).
func (c *Config) Fault(key string, reason error) error {
	err := fault(key, "%s", reason)
	if c.text == nil {
		return err
	}
	return fmt.Errorf("configuration %w", c.text.locate(err))
}

// Listener is one HTTP address and what is served there.
type Listener struct {
	Listen         string   `yaml:"listen"`
	Serve          []string `yaml:"serve"`
	Dialect        string   `yaml:"dialect,omitempty"` // of cashdevice: dotnet (default) or android
	AllowedOrigins []string `yaml:"allowed_origins,omitempty"`
	ServerConfig   string   `yaml:"serverconfig,omitempty"` // of cashdevice: the maker's serverconfig.json, whose keys win
	UsersFile      string   `yaml:"users_file,omitempty"`   // default users.yaml, of nv9coin nv9coin-users.yaml
	TLS            *TLS     `yaml:"tls,omitempty"`

	// Of nv9coin.
	Devices              []string      `yaml:"devices,omitempty"`                // the note reader and the coin machine, by id
	DispensePasswordFile string        `yaml:"dispense_password_file,omitempty"` // first line; without it the default password
	DispenseWindow       time.Duration `yaml:"dispense_window,omitempty"`        // age of a timestamp, default 5m
	AllowReplay          bool          `yaml:"allow_replay,omitempty"`           // carry a repeated Dispense out again
	UpperCaseMD5         bool          `yaml:"upper_case_md5,omitempty"`         // take signatures made so, too
}

// TLS is the certificate of a listener: two files, or one that is made at the first start.
type TLS struct {
	CertFile   string `yaml:"cert_file,omitempty"`
	KeyFile    string `yaml:"key_file,omitempty"`
	SelfSigned bool   `yaml:"self_signed,omitempty"`
}

// Simulated says whether any line is simulated.
func (c *Config) Simulated() bool {
	for _, l := range c.Lines {
		if l.Simulated() {
			return true
		}
	}
	return false
}

// Serves says whether the listener serves the section.
func (l Listener) Serves(section string) bool {
	for _, s := range l.Serve {
		if s == section {
			return true
		}
	}
	return false
}

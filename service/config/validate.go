package config

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Sections are the values of http[].serve that this version can serve.
var Sections = []string{"cashdevice", "journalapi", "simapi", "ops"}

// Validate checks what the types cannot: ranges, names used twice, combinations. Its errors name the key at fault.
func (c *Config) Validate() error {
	if c.DataDir != "" && !filepath.IsAbs(c.DataDir) {
		return fault("data_dir", "%q is not absolute; a service has no working directory to start from", c.DataDir)
	}
	if err := c.Log.Validate(); err != nil {
		return under("log", err)
	}
	ports, ids := map[string]bool{}, map[string]bool{}
	for i, l := range c.Lines {
		key := fmt.Sprintf("lines[%d]", i)
		if ports[strings.ToLower(l.Port)] {
			return fault(key+".port", "%q is the name of two lines", l.Port)
		}
		ports[strings.ToLower(l.Port)] = true
		if err := l.Validate(); err != nil {
			return under(key, err)
		}
		for j, d := range l.Devices {
			if ids[strings.ToLower(d.ID)] {
				return fault(fmt.Sprintf("%s.devices[%d].id", key, j), "%q is the name of two devices", d.ID)
			}
			ids[strings.ToLower(d.ID)] = true
		}
	}
	return c.validateListeners()
}

func (c *Config) validateListeners() error {
	seen := map[string]bool{}
	for i, l := range c.HTTP {
		key := fmt.Sprintf("http[%d]", i)
		host, port, err := net.SplitHostPort(l.Listen)
		n, perr := strconv.Atoi(port)
		switch {
		case err != nil || perr != nil || n < 0 || n > 65535:
			return fault(key+".listen", "%q is not ADDRESS:PORT", l.Listen)
		case host == "":
			return fault(key+".listen", "%q opens every interface; write 0.0.0.0:%s if that is meant", l.Listen, port)
		case n != 0 && seen[l.Listen]:
			return fault(key+".listen", "%q stands twice", l.Listen)
		case len(l.Serve) == 0:
			return fault(key+".serve", "is empty; it takes some of %s", strings.Join(Sections, ", "))
		}
		seen[l.Listen] = true
		if err := l.validate(key); err != nil {
			return err
		}
	}
	return nil
}

func (l Listener) validate(key string) error {
	for i, s := range l.Serve {
		if !slices.Contains(Sections, s) {
			return fault(fmt.Sprintf("%s.serve[%d]", key, i), "%q is not one of %s", s, strings.Join(Sections, ", "))
		}
		if slices.Contains(l.Serve[:i], s) {
			return fault(fmt.Sprintf("%s.serve[%d]", key, i), "%q stands twice", s)
		}
	}
	switch {
	case l.Dialect != "" && l.Dialect != "dotnet" && l.Dialect != "android":
		return fault(key+".dialect", "%q is not dotnet or android", l.Dialect)
	case l.Dialect != "" && !l.Serves("cashdevice"):
		return fault(key+".dialect", "belongs to a listener that serves cashdevice")
	case l.ServerConfig != "" && !l.Serves("cashdevice"):
		return fault(key+".serverconfig", "belongs to a listener that serves cashdevice")
	case l.TLS != nil && (l.TLS.CertFile == "" || l.TLS.KeyFile == ""):
		return fault(key+".tls", "needs cert_file and key_file")
	}
	return nil
}

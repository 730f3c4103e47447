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
var Sections = []string{"cashdevice", "nv9coin", "uposapi", "journalapi", "simapi", "ops"}

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
	if err := c.validateUPOS(); err != nil {
		return err
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
		if err := c.validatePair(i); err != nil {
			return err
		}
	}
	return nil
}

// validatePair checks the two machines of a listener that serves nv9coin.
func (c *Config) validatePair(i int) error {
	l, key := c.HTTP[i], fmt.Sprintf("http[%d].devices", i)
	switch {
	case !l.Serves("nv9coin") && len(l.Devices) == 0:
		return nil
	case !l.Serves("nv9coin"):
		return fault(key, "belongs to a listener that serves nv9coin")
	case len(l.Devices) != 2 || strings.EqualFold(l.Devices[0], l.Devices[1]):
		return fault(key, "needs the ids of two machines: the note reader, then the coin machine")
	}
	for j, id := range l.Devices {
		if !c.hasDevice(id) {
			return fault(fmt.Sprintf("%s[%d]", key, j), "no line has a device with the id %q", id)
		}
		for k, other := range c.HTTP[:i] {
			if slices.ContainsFunc(other.Devices, func(o string) bool { return strings.EqualFold(o, id) }) {
				return fault(fmt.Sprintf("%s[%d]", key, j), "%q is served as nv9coin by http[%d] already; its lists are given away once", id, k)
			}
		}
	}
	return nil
}

func (c *Config) hasDevice(id string) bool {
	for _, l := range c.Lines {
		for _, d := range l.Devices {
			if d.ID == id {
				return true
			}
		}
	}
	return false
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
	case l.TLS != nil && l.TLS.SelfSigned && (l.TLS.CertFile != "" || l.TLS.KeyFile != ""):
		return fault(key+".tls", "takes cert_file and key_file, or self_signed: true, not both")
	case l.TLS != nil && !l.TLS.SelfSigned && (l.TLS.CertFile == "" || l.TLS.KeyFile == ""):
		return fault(key+".tls", "needs cert_file and key_file, or self_signed: true")
	case l.DispenseWindow < 0:
		return fault(key+".dispense_window", "is below zero")
	}
	return l.validateNV9Coin(key)
}

// validateNV9Coin refuses keys of nv9coin on a listener that does not serve it.
func (l Listener) validateNV9Coin(key string) error {
	for name, set := range map[string]bool{
		"dispense_password_file": l.DispensePasswordFile != "", "dispense_window": l.DispenseWindow != 0,
		"allow_replay": l.AllowReplay, "upper_case_md5": l.UpperCaseMD5,
	} {
		if set && !l.Serves("nv9coin") {
			return fault(key+"."+name, "belongs to a listener that serves nv9coin")
		}
	}
	return nil
}

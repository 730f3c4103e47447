package config

import (
	"fmt"

	"coffer/devices"
	"coffer/upos"
)

// Device returns the configuration of the machine with an id.
func (c *Config) Device(id string) (devices.DeviceConfig, bool) {
	for _, l := range c.Lines {
		for _, d := range l.Devices {
			if d.ID == id {
				return d, true
			}
		}
	}
	return devices.DeviceConfig{}, false
}

// validateUPOS checks the UnifiedPOS devices against the machines that they are made of.
func (c *Config) validateUPOS() error {
	names := map[string]bool{}
	for i, d := range c.UPOS {
		key := fmt.Sprintf("upos[%d]", i)
		if err := d.Validate(); err != nil {
			return under(key, err)
		}
		if names[d.Name] {
			return fault(key+".name", "%q is the name of two devices", d.Name)
		}
		names[d.Name] = true
		if d.Class == upos.CashDrawer {
			return fault(key+".class", "CashDrawer needs a machine with a drawer, and this version drives none")
		}
		if err := c.validateParts(key, d); err != nil {
			return err
		}
	}
	return nil
}

// validateParts checks the machines of one UnifiedPOS device.
func (c *Config) validateParts(key string, d upos.Config) error {
	for j, id := range d.Devices {
		if _, ok := c.Device(id); !ok {
			return fault(fmt.Sprintf("%s.devices[%d]", key, j), "%q is not the id of a machine under lines", id)
		}
	}
	return nil
}

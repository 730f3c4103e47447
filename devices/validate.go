package devices

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// maxAddress is the highest SSP address.
const maxAddress = 0x7D

// ConfigError says which key of a LineConfig is at fault, as "devices[1].address".
type ConfigError struct{ At, Reason string }

func (e *ConfigError) Error() string { return e.At + ": " + e.Reason }

// Key returns the path of the key, relative to the line.
func (e *ConfigError) Key() string { return e.At }

func wrong(at, format string, args ...any) error {
	return &ConfigError{at, fmt.Sprintf(format, args...)}
}

// Simulated says whether the devices of the line are simulated machines.
func (c LineConfig) Simulated() bool { return len(c.Devices) > 0 && c.Devices[0].Sim != "" }

// Validate checks the line alone: names that are used on two lines are for the whole configuration to find. Its errors
// are *ConfigError.
func (c LineConfig) Validate() error {
	switch {
	case c.Port == "":
		return wrong("port", "is missing; callers name the line by it")
	case strings.ContainsFunc(c.Port, unicode.IsControl):
		return wrong("port", "holds a control character")
	case c.Baud < 0:
		return wrong("baud", "is %d; SSP machines run at 9600", c.Baud)
	case len(c.Devices) == 0:
		return wrong("devices", "is empty; a line has at least one device")
	case c.Simulated() && c.Link != "":
		return wrong("link", "stands beside a simulated device; a line has a link, or its devices have sim")
	}
	for i, d := range c.Devices {
		at := fmt.Sprintf("devices[%d]", i)
		if slices.ContainsFunc(c.Devices[:i], func(o DeviceConfig) bool { return o.Address == d.Address }) {
			return wrong(at+".address", "%d is used twice on this line", d.Address)
		}
		if (d.Sim != "") != c.Simulated() {
			return wrong(at, "all devices of a line are simulated (sim: PROFILE), or none is")
		}
		if err := d.validate(at); err != nil {
			return err
		}
	}
	return nil
}

func (c DeviceConfig) validate(at string) error {
	switch {
	case c.ID == "":
		return wrong(at+".id", "is missing; other sections name the device by it")
	case c.Address > maxAddress:
		return wrong(at+".address", "is %d; SSP addresses are 0 to %d", c.Address, maxAddress)
	case c.Currency != "" && !c.Currency.Valid():
		return wrong(at+".currency", "%q is not three capital letters", c.Currency)
	case c.Poll < 0:
		return wrong(at+".poll", "is negative")
	case c.Audit < 0:
		return wrong(at+".audit", "is negative")
	}
	if i := slices.IndexFunc(c.Inhibit, func(v int64) bool { return v < 1 }); i >= 0 {
		return wrong(fmt.Sprintf("%s.inhibit[%d]", at, i), "is %d; denominations are minor units from 1", c.Inhibit[i])
	}
	return c.validateSim(at)
}

// validateSim checks the keys of simulated machines. What a profile can hold is for the simulator to say.
func (c DeviceConfig) validateSim(at string) error {
	switch {
	case c.Sim == "" && len(c.Dataset) > 0:
		return wrong(at+".dataset", "belongs to a simulated device; a real machine reports its own")
	case c.Sim == "" && len(c.Levels) > 0:
		return wrong(at+".levels", "belongs to a simulated device; a real machine reports its own")
	case c.Sim == "" && len(c.Cassette) > 0:
		return wrong(at+".cassette", "belongs to a simulated device; a real machine reports its own")
	case c.Sim != "" && c.Currency == "":
		return wrong(at+".currency", "is missing; a simulated device needs one")
	}
	for i, v := range c.Dataset {
		if v < 1 || slices.Contains(c.Dataset[:i], v) {
			return wrong(fmt.Sprintf("%s.dataset[%d]", at, i), "%d is below 1 or stands twice", v)
		}
	}
	for key, levels := range map[string]map[int64]int{"levels": c.Levels, "cassette": c.Cassette} {
		for v, n := range levels {
			if n < 0 || (len(c.Dataset) > 0 && !slices.Contains(c.Dataset, v)) {
				return wrong(at+"."+key, "%d: %d is not a count of a denomination of the dataset", v, n)
			}
		}
	}
	return nil
}

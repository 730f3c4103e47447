package upos

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"coffer/internal/cash"
)

// Class is a device class of UnifiedPOS.
type Class string

// The classes of cash devices.
const (
	CashChanger   Class = "CashChanger"
	BillAcceptor  Class = "BillAcceptor"
	CoinAcceptor  Class = "CoinAcceptor"
	BillDispenser Class = "BillDispenser"
	CoinDispenser Class = "CoinDispenser"
	CashDrawer    Class = "CashDrawer"
)

// Classes lists the classes in the order of the pages.
func Classes() []Class {
	return []Class{CashChanger, BillAcceptor, CoinAcceptor, BillDispenser, CoinDispenser, CashDrawer}
}

// classNames lists the classes, for whoever has misspelt one.
func classNames() string {
	var names []string
	for _, c := range Classes() {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

// Config describes one UnifiedPOS device, as the configuration has it.
type Config struct {
	Name    string   `yaml:"name"`    // logical name for Open, without blanks
	Class   Class    `yaml:"class"`   //
	Devices []string `yaml:"devices"` // ids of the machines; of a CashDrawer, the one id of what has the drawer

	Currency  cash.Currency `yaml:"currency"`   // CurrencyCode at open; "" is the first that the machines know
	NearEmpty int           `yaml:"near_empty"` // NEAREMPTY at so many pieces of a denomination; 0: CapNearEmptySensor is false
	NearFull  int           `yaml:"near_full"`  // NEARFULL at so many pieces of a denomination, or in a cashbox without store; 0: false
	Scale     int           `yaml:"scale"`      // minor units in one unit of the API's amounts and lists; 0 is 1

	RealTimeData bool          `yaml:"real_time_data"` // RealTimeDataEnabled at open, for applications older than release 1.11
	StrictFIFO   bool          `yaml:"strict_fifo"`    // a held DataEvent holds back the status events behind it too
	Lease        time.Duration `yaml:"lease"`          // a remote handle unused for so long is closed; 0 is 60s
}

// maxScale is the largest Scale: more than any currency's minor units in a whole one.
const maxScale = 1_000_000

// ConfigError says which key of a Config is at fault, as "devices[1]".
type ConfigError struct{ At, Reason string }

func (e *ConfigError) Error() string { return e.At + ": " + e.Reason }

// Key returns the path of the key, relative to the device.
func (e *ConfigError) Key() string { return e.At }

// Validate says what is wrong with the configuration of one device: *ConfigError, joined where it is more than one thing.
func (c *Config) Validate() error {
	var errs []error
	bad := func(at, format string, a ...any) { errs = append(errs, &ConfigError{at, fmt.Sprintf(format, a...)}) }
	if c.Name == "" || strings.ContainsFunc(c.Name, func(r rune) bool { return r <= ' ' || r == '/' || r == 0x7f }) {
		bad("name", "%q: give a name without blanks, slashes and control characters", c.Name)
	}
	if !slices.Contains(Classes(), c.Class) {
		bad("class", "%q is not one of %s", c.Class, classNames())
	}
	switch {
	case len(c.Devices) == 0:
		bad("devices", "name at least one machine")
	case c.Class != CashChanger && len(c.Devices) > 1:
		bad("devices", "only a CashChanger is made of several machines")
	case len(c.Devices) > 255:
		bad("devices", "at most 255 machines")
	}
	for i, d := range c.Devices {
		if d == "" || slices.Contains(c.Devices[:i], d) {
			bad(fmt.Sprintf("devices[%d]", i), "%q is empty or named twice", d)
		}
	}
	if c.Currency != "" && !c.Currency.Valid() {
		bad("currency", "%q: use three capitals", c.Currency)
	}
	if c.NearEmpty < 0 || c.NearFull < 0 || c.NearFull > 0 && c.NearFull <= c.NearEmpty {
		bad("near_empty", "near_empty %d and near_full %d: use numbers from 0, the second above the first", c.NearEmpty, c.NearFull)
	}
	if c.Scale < 0 || c.Scale > maxScale {
		bad("scale", "%d: use 1 to %d", c.Scale, maxScale)
	}
	if c.Lease < 0 || c.Lease > 0 && c.Lease < time.Second {
		bad("lease", "%v: use at least 1s", c.Lease)
	}
	if c.Class == CashDrawer && (c.NearEmpty != 0 || c.NearFull != 0 || c.RealTimeData || c.Currency != "" || c.Scale != 0) {
		bad("class", "a CashDrawer counts no money: leave near_empty, near_full, currency, scale and real_time_data out")
	}
	return errors.Join(errs...)
}

// scale returns Scale with its default.
func (c *Config) scale() int64 { return int64(max(c.Scale, 1)) }

// exclusive says whether the class must be claimed before it is enabled.
func (c Class) exclusive() bool { return c != CashDrawer }

// accepts says whether the class takes deposits.
func (c Class) accepts() bool { return c == CashChanger || c == BillAcceptor || c == CoinAcceptor }

// dispenses says whether the class pays out.
func (c Class) dispenses() bool { return c == CashChanger || c == BillDispenser || c == CoinDispenser }
